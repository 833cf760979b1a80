"""`git skillmesh adapters`, as far as it needs no torch."""

import json
import re
from pathlib import Path

import pytest

from testing.adapters import BASE_SHA256, judge, name_of, size_of, write_adapter
from testing.commands import call
from testing.repos import Repo, make_repo

A, B, C = name_of(1), name_of(2), name_of(3)
SHORT = f"tiny-base@{BASE_SHA256[:8]}"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path / "repo")


@pytest.fixture
def store(repo: Repo) -> Path:
    folder = repo.path / ".git" / "skillmesh-adapters"
    write_adapter(folder, A)
    write_adapter(folder, B, parent=A)
    judge(folder, A)
    return folder


def test_an_empty_folder(repo: Repo) -> None:
    done = call(repo.path, "adapters")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "no adapters yet; git skillmesh train makes them\n"
    done = call(repo.path, "adapters", "show")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "nothing is deployed; git skillmesh adapters deploy NAME\n"
    done = call(repo.path, "adapters", "gc")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "0 adapters, 0 B removed\n"


def test_list_and_show(repo: Repo, store: Path) -> None:
    write_adapter(store, C)
    (store / C / "adapter_model.safetensors").write_bytes(b"")
    assert call(repo.path, "adapters", "deploy", A).returncode == 0
    size, parent = size_of(store / A), size_of(store / B)
    done = call(repo.path, "adapters", "list")
    assert done.stdout == (
        f"* {A}       {size} B  {SHORT}             better (-0.250)\n"
        f"  {B}       {parent} B  {SHORT}             not judged                 from {A}\n"
        f"  {C}    adapter_model.safetensors is cut off\n"
    )
    told = json.loads(call(repo.path, "adapters", "list", "--json").stdout)
    assert (told["schema"], told["active"], told["folder"]) == (1, A, str(store))
    assert [one["name"] for one in told["adapters"]] == [A, B, C]
    one = told["adapters"][0]
    assert one["judgement"]["over_base"] == {"mean": -0.25, "low": -0.3, "high": -0.2}
    assert one["model_version"] == f"{SHORT}+{A}"
    assert told["adapters"][2]["trouble"] == "adapter_model.safetensors is cut off"
    shown = call(repo.path, "adapters", "show", B)
    assert shown.stdout == (
        f"{B}\nbase           models/tiny-base ({BASE_SHA256[:12]})\n"
        f"trained        2026-11-01T00:00:00Z, sft, 12 steps\nparent         {A}\n"
        f"size           {parent} B\nfolder         {store / B}\n"
        "judged         not judged\n"
    )
    assert call(repo.path, "adapters", "show", C).returncode == 8


def test_show_the_active_one(repo: Repo, store: Path) -> None:
    call(repo.path, "adapters", "deploy", A, "--force", "--reason", "x")
    call(repo.path, "adapters", "deploy", B, "--force", "--reason", "in\x1b[31m a hurry")
    done = call(repo.path, "adapters", "show", "--active")
    assert done.returncode == 0
    lines = dict(line.split(None, 1) for line in done.stdout.splitlines()[7:])
    assert re.sub(r"\S+Z", "TIME", lines["deployed"]) == (
        "TIME by Ada Example <ada@example.org> (deploy, forced: in␛[31m a hurry)"
    )
    assert lines["before"] == A
    assert re.fullmatch(r"good, by ada@example\.org, SHA256:\S{43}", lines["signature"])
    assert lines["allowed"] == f"by     {store / 'allowed_signers'}"
    assert lines["files"] == "5 files as signed"
    told = json.loads(call(repo.path, "adapters", "show", "--json").stdout)
    assert (told["adapter"]["name"], told["active"]["adapter"]) == (B, B)
    assert told["active"]["signature"]["by"] == "ada@example.org"
    (store / B / "extra").write_text("x")
    done = call(repo.path, "adapters", "show", "--active")
    assert (done.returncode, done.stderr) == (
        8, f"git-skillmesh: {B} is not as it was: extra was added\n"
    )  # fmt: skip


def test_deploy_and_roll_back(repo: Repo, store: Path, home: Path) -> None:
    done = call(repo.path, "adapters", "deploy", A)
    assert (done.returncode, done.stdout) == (0, f"{A} is active\n")
    assert done.stderr == (
        f"made a key to sign with: {home}/.config/skillmesh/adapters_ed25519\n"
        f"whoever may deploy here stands in {store}/allowed_signers: you do now\n"
    )
    done = call(repo.path, "adapters", "deploy", B)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"git-skillmesh: {B} is not deployed: it was not judged:"
        f" git skillmesh adapters evaluate {B} --data FILE, or --force\n"
    )
    judge(store, B, against=A)
    told = json.loads(call(repo.path, "adapters", "deploy", B, "--json").stdout)
    told.pop("time")
    assert told == {
        "schema": 1, "active": B, "before": A, "forced": False, "changed": True,
        "model_version": f"{SHORT}+{B}", "targets": [],
    }  # fmt: skip
    done = call(repo.path, "adapters", "rollback")
    assert (done.returncode, done.stdout) == (0, f"{A} is active, {B} was\n")
    done = call(repo.path, "adapters", "rollback", "base")
    assert (done.returncode, done.stdout) == (0, f"the base alone is active, {A} was\n")
    assert call(repo.path, "adapters", "show").stdout.startswith("the base alone\nmodel version")
    done = call(repo.path, "adapters", "deploy", B, "--force", "--if-active", A)
    assert (done.returncode, done.stderr) == (1, f"git-skillmesh: base is active, not {A}\n")
    done = call(repo.path, "adapters", "deploy", B, "--force", "--if-active", "base")
    assert (done.returncode, done.stdout) == (0, f"{B} is active\n")  # better than A and the base


def test_a_target_is_told(repo: Repo, store: Path) -> None:
    recipe = (
        f"vllm serve models/tiny-base --enable-lora --max-lora-rank 8"
        f" --lora-modules {A}={store / A}\n"
    )
    done = call(repo.path, "adapters", "target", "show", "vllm", "--adapter", A)
    assert (done.returncode, done.stdout) == (0, recipe)
    done = call(repo.path, "adapters", "deploy", A, "--target", "vllm")
    assert done.stdout == f"{A} is active\n{recipe}"
    done = call(repo.path, "adapters", "target", "show", "ollama", "--base", "qwen2.5:0.5b")
    assert done.stdout == (
        f"cat > Modelfile <<'END'\nFROM qwen2.5:0.5b\nADAPTER {store / A}\nEND\n"
        f"ollama create {A} -f Modelfile\n"
    )
    done = call(repo.path, "adapters", "target")
    assert [line for line in done.stdout.splitlines() if line.startswith("# ")] == [
        "# vllm", "# vllm-api", "# ollama", "# llama.cpp", "# transformers"
    ]  # fmt: skip
    told = json.loads(call(repo.path, "adapters", "target", "show", "ollama", "--json").stdout)
    assert told["targets"][0]["files"] == {
        "Modelfile": f"FROM models/tiny-base\nADAPTER {store / A}\n"
    }
    done = call(repo.path, "adapters", "deploy", B, "--force", "--target", "vllm-api",
                "--url", "http://127.0.0.1:1")  # fmt: skip
    assert (done.returncode, done.stdout) == (7, "")
    assert done.stderr.startswith("git-skillmesh: cannot reach vLLM at http://127.0.0.1:1: ")
    assert json.loads(call(repo.path, "adapters", "list", "--json").stdout)["active"] == A


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["fly"], 2, "no such action: fly: list, show, evaluate, deploy, rollback, target, serve,"
         " gc"),
        (["deploy"], 2, "deploy takes the name of an adapter: see adapters list"),
        (["deploy", A, B], 2, "deploy takes 1 name"),
        (["list", A], 2, "list takes no names"),
        (["deploy", "../x"], 2, "not the name of an adapter: ../x: lora_codelearn_YYYYMMDD[.N]"),
        (["deploy", C], 2, f"no such adapter: {C}: git skillmesh adapters list"),
        (["list", "--force"], 2, "--force is for: deploy"),
        (["deploy", A, "--dry-run"], 2, "--dry-run is for: gc"),
        (["gc", "--keep", "-1"], 2, "--keep and --days take a number from 0 on"),
        (["gc", "--days", "nan"], 2, "--keep and --days take a number from 0 on"),
        (["show", A, "--active"], 2, "show takes a name or --active"),
        (["rollback"], 2, "there is nothing to roll back to"),
        (["rollback", A, "--target", "x"], 2,
         "no such target: x: vllm, vllm-api, ollama, llama.cpp, transformers"),
        (["target", "show", "vllm"], 2, "no adapter is active: name one by --adapter"),
        (["target", "hide", "vllm"], 2, "no such action: target hide: target show [TARGET]"),
        (["evaluate", A], 2, "evaluate takes a data set: --data FILE, as export-rl wrote it"),
        (["serve", "--port", "70000"], 2, "--port takes a number from 0 to 65535"),
        (["serve", "--token-env", "NO_SUCH"], 2,
         "NO_SUCH holds no token: at least 16 printable characters"),
    ],
)  # fmt: skip
def test_mistakes(words: list[str], code: int, line: str, repo: Repo, store: Path) -> None:
    done = call(repo.path, "adapters", *words)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"git-skillmesh: {line}\n")


@pytest.mark.parametrize("words", [["evaluate", A, "--data", "x"], ["serve"]])
def test_without_torch_one_line_says_what_to_install(
    words: list[str], repo: Repo, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    done = call(repo.path, "adapters", *words)
    assert (done.returncode, done.stdout, done.stderr) == (
        7, "", "git-skillmesh: torch is not installed: pip install 'git-skillmesh[train]'\n"
    )  # fmt: skip


def test_gc(repo: Repo, store: Path) -> None:
    write_adapter(store, C)
    call(repo.path, "adapters", "deploy", A)
    done = call(repo.path, "adapters", "gc", "--keep", "0", "--days", "0", "--dry-run")
    size = size_of(store / B)
    assert done.stdout == f"{B}\n"
    assert done.stderr == f"1 adapter, {size} B would go\n"
    done = call(repo.path, "adapters", "gc", "--keep", "0", "--days", "0", "--json")
    assert json.loads(done.stdout) == {
        "schema": 1, "removed": True, "adapters": [B], "leftovers": [], "used": [], "bytes": size,
    }  # fmt: skip
    assert not (store / B).exists()


def test_a_shared_folder(repo: Repo, tmp_path: Path) -> None:
    write_adapter(tmp_path / "shared", A)
    repo.git("config", "skillmesh.adaptersFolder", str(tmp_path / "shared"))
    assert call(repo.path, "adapters", "deploy", A, "--force", "-q").stderr == ""
    other = make_repo(tmp_path / "other")
    other.git("config", "skillmesh.adaptersFolder", str(tmp_path / "shared"))
    told = json.loads(call(other.path, "adapters", "show", "--json").stdout)
    assert told["active"]["adapter"] == A
