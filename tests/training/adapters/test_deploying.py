"""Deployment: what is refused, what is signed, what a crash leaves behind."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from git_skillmesh.errors import ConfigurationError, Damaged, SkillmeshError, UsageError
from git_skillmesh.sessions.serving import read_deployments
from git_skillmesh.training.adapters.deploying import Deployments, Outcome, Refused, stack_of
from git_skillmesh.training.adapters.manifest import active_name, opened, signed_bytes
from git_skillmesh.training.adapters.store import Store
from testing.adapters import BASE_SHA256, deployments_of, judge, name_of, write_adapter
from testing.repos import Repo, make_repo

A, B, C = name_of(1), name_of(2), name_of(3)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = make_repo(tmp_path / "repo")
    store = made.path / ".git" / "skillmesh-adapters"
    for name in (A, B, C):
        write_adapter(store, name)
    return made


@pytest.fixture
def room(repo: Repo) -> tuple[Store, Deployments]:
    return deployments_of(repo)


def refusal(call: object) -> str:
    with pytest.raises(Refused) as raised:
        call()  # type: ignore[operator]
    return str(raised.value)


def test_what_is_not_judged_better_is_refused(room: tuple[Store, Deployments]) -> None:
    store, deployments = room
    why = "git skillmesh adapters evaluate {0} --data FILE, or --force"
    said = refusal(lambda: deployments.deploy(A))
    assert said == f"{A} is not deployed: it was not judged: {why.format(A)}"
    judge(store.folder, A, 0.25)
    said = refusal(lambda: deployments.deploy(A))
    assert said == (f"{A} is not deployed: against the base +0.250 nats a token: {why.format(A)}")
    judge(store.folder, A)
    assert deployments.deploy(A).changed
    judge(store.folder, B)  # before A was active
    said = refusal(lambda: deployments.deploy(B))
    assert said.startswith(f"{B} is not deployed: it was judged against the base alone, and {A} is")
    judge(store.folder, B, against=A)
    assert deployments.deploy(B).changed
    (store.folder / C / "adapter_model.safetensors").unlink()
    os.link(store.folder / B / "adapter_model.safetensors",
            store.folder / C / "adapter_model.safetensors")  # fmt: skip
    judge(store.folder, C, against=B)
    text = (store.folder / "judgements" / f"{C}.json").read_text()
    (store.folder / "judgements" / f"{C}.json").write_text(text.replace(BASE_SHA256, "0" * 64))
    assert "it was judged on another base" in refusal(lambda: deployments.deploy(C))
    (store.folder / "judgements" / f"{C}.json").write_text("{")
    assert "the judgement of" in refusal(lambda: deployments.deploy(C))


def test_force_is_noted(room: tuple[Store, Deployments]) -> None:
    store, deployments = room
    done = deployments.deploy(A, force=True, reason="to try it")
    lines = (store.folder / "deployments.jsonl").read_text().splitlines()
    assert json.loads(lines[0]) == done.manifest.line()
    assert done.manifest.line() == {
        "schema": 1, "identity": done.manifest.deployment.identity, "action": "deploy",
        "adapter": A, "before": "", "back": "", "base": "models/tiny-base",
        "base_sha256": BASE_SHA256, "model_version": f"tiny-base@{BASE_SHA256[:8]}+{A}",
        "time": done.manifest.deployment.time, "serves": ["skillmesh", A], "forced": True,
        "reason": "to try it", "by": "Ada Example <ada@example.org>",
    }  # fmt: skip
    judge(store.folder, B, against=A)
    assert deployments.deploy(B, force=True).manifest.forced is False  # it was not needed
    assert deployments.deploy(C, force=True).manifest.reason == "it was not judged"


def test_the_first_signer_is_allowed_and_said(room: tuple[Store, Deployments], home: Path) -> None:
    store, deployments = room
    done = deployments.deploy(A, force=True)
    key = home / ".config" / "skillmesh" / "adapters_ed25519"
    assert done.notes == (
        f"made a key to sign with: {key}",
        f"whoever may deploy here stands in {store.folder / 'allowed_signers'}: you do now",
    )
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    now = deployments.active()
    assert now is not None
    assert (now.name, now.signed.who) == (A, "ada@example.org")
    assert now.signed.key.startswith("SHA256:")
    again = deployments.deploy(A)
    assert (again.changed, again.notes) == (False, (f"{A} is active already",))
    assert deployments.deploy(B, force=True).notes == ()


def test_the_signature_can_be_checked_by_hand(
    room: tuple[Store, Deployments], tmp_path: Path
) -> None:
    store, deployments = room
    deployments.deploy(A, force=True)
    told = json.loads((store.folder / "active.json").read_bytes())
    (tmp_path / "sig").write_text(told["signature"])
    done = subprocess.run(
        ["ssh-keygen", "-Y", "verify", "-f", store.folder / "allowed_signers", "-I",
         "ada@example.org", "-n", "git-skillmesh-adapter", "-s", tmp_path / "sig"],
        input=signed_bytes(told["manifest"]), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0


def rewrite(store: Store, **changes: object) -> None:
    path = store.folder / "active.json"
    told = json.loads(path.read_bytes())
    told["manifest"].update(changes)
    path.write_text(json.dumps(told))


def test_what_was_tampered_with_does_not_load(room: tuple[Store, Deployments]) -> None:
    store, deployments = room
    deployments.deploy(A, force=True)
    good = (store.folder / "active.json").read_bytes()
    rewrite(store, adapter=B)
    with pytest.raises(Damaged, match="the signature does not fit the manifest"):
        deployments.active()
    (store.folder / "active.json").write_bytes(good[: len(good) // 2])
    with pytest.raises(Damaged, match=r"active\.json cannot be read"):
        deployments.active()
    assert deployments.active_name() == active_name(store.folder) == A  # as the history has it
    (store.folder / "active.json").write_bytes(good.replace(b'"schema": 1', b'"schema": 9'))
    with pytest.raises(Damaged, match="newer git-skillmesh"):
        deployments.active()
    (store.folder / "active.json").write_bytes(good)
    (store.folder / A / "README.md").write_text("another")
    with pytest.raises(Damaged, match=r"README\.md has changed"):
        deployments.active()
    assert deployments.deploy(B, force=True).changed  # and it is mended by a deployment
    assert deployments.active_name() == B


def test_a_stranger_may_not_deploy(repo: Repo, room: tuple[Store, Deployments], home: Path) -> None:
    store, deployments = room
    deployments.deploy(A, force=True)
    before = (store.folder / "active.json").read_bytes()
    key = home / "id_stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    repo.git("config", "gpg.format", "ssh")
    repo.git("config", "user.signingKey", f"{key}.pub")
    public = " ".join(Path(f"{key}.pub").read_text().split()[:2])
    said = refusal(lambda: deployments_of(repo)[1].deploy(B, force=True))
    line = f'ada@example.org namespaces="git-skillmesh-adapter" {public}'
    assert said.endswith(f"add to {store.folder / 'allowed_signers'}: {line}")
    assert (store.folder / "active.json").read_bytes() == before
    with (store.folder / "allowed_signers").open("a") as file:
        file.write(f"{line}\n")
    assert deployments_of(repo)[1].deploy(B, force=True).changed
    now = deployments_of(repo)[1].active()
    assert now is not None
    assert now.name == B
    (store.folder / "allowed_signers").write_text("")
    with pytest.raises(Damaged, match="by nobody in"):
        deployments.active()


def test_the_file_of_git_counts_where_there_is_no_other(
    repo: Repo, room: tuple[Store, Deployments], home: Path
) -> None:
    store, deployments = room
    deployments.deploy(A, force=True)
    (store.folder / "allowed_signers").rename(home / "signers")
    with pytest.raises(Damaged, match="nobody is allowed to sign"):
        deployments.active()
    repo.git("config", "gpg.ssh.allowedSignersFile", str(home / "signers"))
    now = deployments.active()
    assert now is not None
    assert now.signed.file == home / "signers"
    (store.folder / "allowed_signers").write_text("")
    repo.git("config", "skillmesh.allowedSigners", str(home / "signers"))
    assert deployments_of(repo)[1].active() is not None


def test_a_key_in_the_repository_is_not_used(repo: Repo) -> None:
    repo.write(".skillmesh/config.toml", 'signingkey = "/tmp/theirs"\n')
    with pytest.raises(ConfigurationError, match="signingkey is no setting for"):
        deployments_of(repo)[1].deploy(A, force=True)
    repo.write(".skillmesh/config.toml", "")
    repo.git("config", "skillmesh.signingKey", "no/such/key")
    with pytest.raises(ConfigurationError, match=r"skillmesh\.signingKey names no file"):
        deployments_of(repo)[1].deploy(A, force=True)
    assert deployments_of(repo)[1].active() is None


def test_rollback_goes_back_step_by_step(room: tuple[Store, Deployments]) -> None:
    store, deployments = room
    with pytest.raises(UsageError, match="nothing to roll back to"):
        deployments.rollback()
    with pytest.raises(UsageError, match="nothing was deployed yet"):
        deployments.rollback(A)
    for name in (A, B, C):
        deployments.deploy(name, force=True)
    steps = [deployments.rollback().manifest.deployment for _ in range(3)]
    assert [(one.adapter, one.before, one.back) for one in steps] == [
        (B, C, A), (A, B, ""), ("", A, "")
    ]  # fmt: skip
    with pytest.raises(UsageError, match="nothing to roll back to"):
        deployments.rollback()
    now = deployments.active()
    assert now is not None
    assert (now.name, now.manifest.files) == ("", {})
    assert now.manifest.deployment.version == f"tiny-base@{BASE_SHA256[:8]}"
    assert deployments.rollback(C).manifest.deployment.adapter == C
    assert not deployments.rollback(C).changed
    assert deployments.rollback("base", reason="for now").manifest.reason == "for now"
    with pytest.raises(UsageError, match="nothing to roll back to"):
        deployments.rollback()
    deployments.rollback(C)
    write_adapter(store.folder, name_of(4))
    with pytest.raises(UsageError, match="was never deployed"):
        deployments.rollback(name_of(4))
    (store.folder / A / "training.json").unlink()
    with pytest.raises(Damaged):
        deployments.rollback(A)
    assert deployments.active_name() == C
    actions = [one.action for one in read_deployments(store.folder)]
    assert actions == ["deploy"] * 3 + ["rollback"] * 6


def test_only_what_was_expected_is_replaced(room: tuple[Store, Deployments]) -> None:
    _, deployments = room
    said = refusal(lambda: deployments.deploy(A, force=True, if_active=B))
    assert said == f"base is active, not {B}"
    deployments.deploy(A, force=True, if_active="base")
    assert refusal(lambda: deployments.rollback(if_active="base")) == f"{A} is active, not base"
    assert deployments.rollback(if_active=A).changed


def test_an_engine_that_fails_stops_it(room: tuple[Store, Deployments]) -> None:
    _, deployments = room
    deployments.deploy(A, force=True)

    def fail(made: object) -> None:
        raise SkillmeshError("the engine is gone")

    with pytest.raises(SkillmeshError, match="the engine is gone"):
        deployments.deploy(B, force=True, prepare=fail)
    assert deployments.active_name() == A


def test_a_torn_history_loses_only_its_last_line(room: tuple[Store, Deployments]) -> None:
    store, deployments = room
    deployments.deploy(A, force=True)
    deployments.deploy(B, force=True)
    path = store.folder / "deployments.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    assert [one.adapter for one in read_deployments(store.folder)] == [A, B]
    deployments.deploy(C, force=True)
    assert [one.adapter for one in read_deployments(store.folder)] == [A, B, C]
    path.unlink()
    assert [one.adapter for one in read_deployments(store.folder)] == [C]


def test_the_stack() -> None:
    assert stack_of([]) == [""]


def _work(repo: Repo, dies_at: int) -> int:
    """Deploy and roll back in a process that dies at its Nth open, rename, start of a process.

    Return how many there were until it ended, 0 if it died.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        seen = 0

        def count(name: str, _: object) -> None:
            nonlocal seen
            if name in ("open", "os.rename", "os.remove", "subprocess.Popen", "fcntl.flock"):
                seen += 1
                if seen == dies_at:
                    os.kill(os.getpid(), signal.SIGKILL)

        deployments = deployments_of(repo)[1]
        sys.addaudithook(count)
        for _ in range(50 if dies_at else 1):
            deployments.deploy(A, force=True)
            deployments.deploy(B, force=True)
            deployments.rollback()
        os.write(writing, str(seen).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    told = os.read(reading, 20)
    os.close(reading)
    return int(told or 0)


def test_killed_at_any_moment_one_is_active_and_loads(
    repo: Repo, room: tuple[Store, Deployments]
) -> None:
    store, deployments = room
    first: Outcome = deployments.deploy(C, force=True)
    known = {first.manifest.deployment.identity}
    chance = random.Random(8)
    most = _work(repo, 0)
    switched = 0
    for _ in range(8):
        before, point = known, chance.randrange(1, most)
        assert _work(repo, point) == 0
        now = deployments.active()
        assert now is not None
        history = read_deployments(store.folder)
        assert history[-1].identity == now.manifest.deployment.identity
        known = {one.identity for one in history}
        assert before <= known
        assert len(known) == len(history)
        switched += len(known - before)
    assert switched > 2
    data = (store.folder / "active.json").read_bytes()
    assert opened(data)[0].deployment.identity in known
    assert deployments.deploy(C, force=True)
    lines = (store.folder / "deployments.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["identity"] for line in lines] == [
        one.identity for one in read_deployments(store.folder)
    ]
