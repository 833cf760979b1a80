"""Data sets of real memories: their lines, their splits, and what they leave behind."""

import json
from pathlib import Path

import jsonschema
import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.logged import file_call
from git_skillmesh.sessions.model import Edit, Exchange, Session
from git_skillmesh.sessions.redaction import Redactor
from git_skillmesh.training.dataset.checking import check_file
from git_skillmesh.training.dataset.export import Exported, Options, export
from git_skillmesh.training.dataset.lines import SYSTEM, problems_of
from git_skillmesh.training.model import Form
from testing.conversations import link
from testing.datasets import (
    applied_in,
    asked_of,
    edit_of,
    lines_of,
    module_of,
    tell_the_attempts,
    tell_the_depots,
)
from testing.memory import open_memory
from testing.repos import Repo, make_repo
from testing.rewarded import reward

SCHEMA = jsonschema.Draft202012Validator(
    json.loads(
        (Path(__file__).parents[3] / "docs" / "rl-dataset.schema.json").read_text(encoding="utf-8")
    )
)


def exported(repo: Repo, out: Path, form: str = "sft", **more: object) -> Exported:
    options = Options(Form(form), out, "20260401", **more)  # type: ignore[arg-type]
    found = export(open_memory(repo), Redactor(), "r-1", options)
    if found.data:
        for line in lines_of(found.data):
            SCHEMA.validate(line)
            assert problems_of(line) == []
        checked = check_file(found.data)
        assert (checked.lines, checked.problems) == (found.manifest.lines, [])
    return found


def test_a_line_for_training(tmp_path: Path) -> None:
    repo = tell_the_depots(tmp_path, 1)
    found = exported(repo, tmp_path / "out")
    assert found.data is not None
    (line,) = lines_of(found.data)
    asked, text = asked_of(0), module_of(0)
    assert line["messages"] == [
        {"role": "system", "content": SYSTEM},
        {
            "role": "user",
            "content": f"{asked.prompt}\n\n*** begin context\n*** file src/m0.py\n<<<<<<< TEXT\n"
            f"{text}>>>>>>> TEXT\n*** end context",
        },
        {
            "role": "assistant",
            "content": f"{asked.response}\n\n*** begin edits\n*** edit src/m0.py\n<<<<<<< SEARCH\n"
            "\ndef parcel_2(value):\n    return value + 2  # weigh\n\n\ndef parcel_3(value):\n"
            "=======\n\ndef parcel_2(value):\n    return value + 2  # weigh\n    # waits 0\n\n\n"
            "def parcel_3(value):\n>>>>>>> REPLACE\n*** end edits",
        },
    ]
    assert line["about"] == {
        "session": "s0", "exchange": "s-0", "other_session": "", "other_exchange": "",
        "agent": "claude-code", "time": "2026-03-01T00:10:00Z", "commits": "",
        "verdict": "rewarded_implemented", "score": 0.9, "formula": 1, "files": 1, "exact": True,
        "applies": True, "tokens": line["about"]["tokens"], "group": f"g-{line['id'][:12]}",
    }  # fmt: skip
    assert applied_in(line) == {
        "src/m0.py": text.replace("2  # weigh\n", "2  # weigh\n    # waits 0\n")
    }


def test_kept_and_ignored_for_kto(tmp_path: Path) -> None:
    repo = tell_the_depots(tmp_path)
    found = exported(repo, tmp_path / "out", "kto")
    assert found.data is not None
    lines = lines_of(found.data)
    assert [(line["about"]["exchange"], line["label"]) for line in lines] == [
        (f"s-{number}", number % 3 != 2) for number in range(12)
    ]
    assert [line["split"] for line in lines] == ["train"] * 10 + ["validation", "test"]
    assert found.manifest.labels == {"desirable": 8, "undesirable": 4}


def test_pairs_for_dpo_start_from_the_same_files(tmp_path: Path) -> None:
    repo = tell_the_depots(tmp_path, 2)
    tell_the_attempts(repo)
    found = exported(repo, tmp_path / "out", "dpo")
    assert found.data is not None
    (line,) = lines_of(found.data)
    text = module_of(0)
    assert applied_in(line, "chosen") == {"src/m0.py": text.replace("value + 1 ", "value * 1 ")}
    assert applied_in(line, "rejected") == {"src/m0.py": text.replace("value + 1 ", "value - 1 ")}
    assert line["about"]["exchange"], line["about"]["other_exchange"] == ("a-1", "a-2")


def test_the_same_memory_gives_the_same_bytes(tmp_path: Path) -> None:
    repo = tell_the_depots(tmp_path, 6)
    exported(repo, tmp_path / "before", "kto")
    one, two = (exported(repo, tmp_path / name, "kto") for name in ("one", "two"))
    for first, second in zip(
        (one.data, one.manifest_path, one.card),
        (two.data, two.manifest_path, two.card),
        strict=True,
    ):
        assert first is not None
        assert second is not None
        assert first.read_bytes() == second.read_bytes()
    before = (tmp_path / "before" / "rl_dataset_20260401.jsonl").read_bytes()
    assert one.data is not None
    assert one.data.read_bytes() == before


@pytest.mark.parametrize("time", ["12:00:00Z", "12:00:00.900Z", "12:00:01Z"])
def test_a_commit_of_its_own_is_no_start_of_an_exchange(tmp_path: Path, time: str) -> None:
    repo, text = make_repo(tmp_path, files={"a.py": "x = 1\n"}), module_of(3)
    call = file_call("c-files", (Edit("b.py", None, text, whole=True, line=1),))
    at = f"2024-03-01T{time}"
    made = Exchange("c", "Write the module.", "It is there.", at, at, "", (call,))
    open_memory(repo).add([Session("s", "log-chat", (made,))])
    repo.commit("the module", {"b.py": text})
    link(repo, "HEAD", "b.py", [1, 2], exchange="c")
    reward(repo, "s", "c", 0.9)
    found = exported(repo, tmp_path / "out")
    assert (found.manifest.lines, found.manifest.left_out) == (1, {})


def test_exchanges_are_marked_once(tmp_path: Path) -> None:
    repo = tell_the_depots(tmp_path, 3)
    memory = open_memory(repo)
    exported(repo, tmp_path / "out", dry_run=True)
    assert [e.value for e in memory.events("s0")][-1] == "rewarded_implemented"
    exported(repo, tmp_path / "out")
    tip = repo.git("rev-parse", "refs/skillmesh/memory")
    exported(repo, tmp_path / "out")
    assert repo.git("rev-parse", "refs/skillmesh/memory") == tip
    marked = {
        session: [e.exchange_id for e in memory.events(session) if e.value == "exported_for_reward"]
        for session in ("s0", "s1", "s2")
    }
    assert marked == {"s0": ["s-0"], "s1": ["s-1"], "s2": []}


def test_what_belongs_together_is_in_one_split(tmp_path: Path) -> None:
    """A commit, a parent, a fork and a prompt tie the newest session to an older one each."""
    repo = tell_the_depots(tmp_path, 10)
    for number in (1, 9):
        link(repo, "HEAD", "src/m1.py", [1], f"s{number}", f"s-{number}")
    found = exported(repo, tmp_path / "commit", "kto")
    assert found.data is not None
    splits = {line["about"]["session"]: line["split"] for line in lines_of(found.data)}
    assert splits["s1"] == splits["s9"]
    memory = open_memory(repo)
    memory.add([Session("s8", "claude-code", (asked_of(8),), parent="p")])
    memory.add([Session("s2", "claude-code", (asked_of(2),), parent="p")])
    found = exported(repo, tmp_path / "parent", "kto")
    assert found.data is not None
    splits = {line["about"]["session"]: line["split"] for line in lines_of(found.data)}
    assert splits["s2"] == splits["s8"]
    memory.add([Session("s7", "claude-code", (asked_of(7), asked_of(3)))])
    found = exported(repo, tmp_path / "fork", "kto")
    assert found.data is not None
    splits = {line["about"]["session"]: line["split"] for line in lines_of(found.data)}
    assert splits["s3"] == splits["s7"]


def test_copies_are_left_out(tmp_path: Path) -> None:
    repo = tell_the_depots(tmp_path, 3)
    again = asked_of(0)
    copies = {"copy": again.prompt, "near": f"{again.prompt} Thanks."}
    for name, prompt in copies.items():
        exchange = Exchange(name, prompt, again.response, "2026-03-08T00:00:00Z", tools=again.tools)
        open_memory(repo).add([Session(name, "codex", (exchange,))])
        reward(repo, name, name, 0.8)
    found = exported(repo, tmp_path / "out")
    assert found.manifest.left_out == {"nearly the same as another": 1, "the same as another": 1}
    assert found.data is not None
    assert [line["about"]["exchange"] for line in lines_of(found.data)] == ["s-0", "s-1"]


def test_redacted_and_made_harmless_at_the_door(tmp_path: Path) -> None:
    key = "AKIA" + "Q3EXAMPL7ZK2WV5T"
    before = f'KEY = "{key}"\nREGION = "eu"\n'
    repo = make_repo(tmp_path, files={"settings.py": before})
    exchange = Exchange(
        "x-1", f"Use the key {key} and \x1b[31m the \udc80 region \u202e us.", "Done.",
        "2026-03-01T00:00:00Z", tools=(edit_of("settings.py", 'REGION = "eu"', 'REGION = "us"'),),
    )  # fmt: skip
    open_memory(repo).add([Session("x", "codex", (exchange,))])
    reward(repo, "x", "x-1")
    link(repo, "HEAD", "settings.py", [2], "x", "x-1")
    repo.commit("later", {"settings.py": before.replace("eu", "us")})
    link(repo, "HEAD", "settings.py", [2], "x", "x-1")
    found = exported(repo, tmp_path / "out")
    assert found.data is not None
    assert key not in found.data.read_text()
    (line,) = lines_of(found.data)
    assert line["messages"][1]["content"].startswith(
        "Use the key REDACTED_AWS_ACCESS_KEY and \u241b[31m the "
    )
    assert applied_in(line) == {"settings.py": 'KEY = "REDACTED_AWS_ACCESS_KEY"\nREGION = "us"\n'}
    assert set(found.manifest.redactions) == {"aws-access-key"}
    assert (found.manifest.controls, found.manifest.surrogates >= 1) == (2, True)


@pytest.mark.parametrize("budget", [0, 60, 200])
def test_the_context_keeps_to_its_budget(budget: int, tmp_path: Path) -> None:
    repo = tell_the_depots(tmp_path, 1)
    found = exported(repo, tmp_path / "out", context_tokens=budget)
    assert found.data is not None
    (line,) = lines_of(found.data)
    shown = line["messages"][1]["content"]
    assert line["about"]["applies"] == (budget > 0)
    assert len(shown.encode()) <= len(asked_of(0).prompt) + 3.5 * budget + 60


def test_an_empty_memory(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    found = exported(repo, tmp_path / "out")
    assert found.manifest.lines == 0
    assert discover(repo.path).head_commit() is None


def test_a_check_finds_what_is_wrong(tmp_path: Path) -> None:
    repo = tell_the_depots(tmp_path)
    found = exported(repo, tmp_path / "out", "kto")
    assert found.data is not None
    lines = found.data.read_text().splitlines()
    broken = json.loads(lines[0])
    del broken["label"]
    moved = json.loads(lines[1])
    moved["about"]["group"] = json.loads(lines[-1])["about"]["group"]
    found.data.write_text(
        "\n".join((json.dumps(broken), json.dumps(moved), *lines[2:], "{")) + "\n"
    )
    problems = check_file(found.data).problems
    assert [number for number, _ in problems] == [1, 13, 0, 0]
    assert problems[-1] == (0, "rl_dataset_20260401.manifest.json is of another file")
