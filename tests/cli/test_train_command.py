"""`git skillmesh train`: mistakes, told before anything heavy starts."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from git_skillmesh.training.model import Form
from testing.commands import call
from testing.repos import Repo, make_repo
from testing.trained import line_of, write_data

_AGAIN = "write it again: git skillmesh export-rl"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = make_repo(tmp_path, files={"a": "a\n"})
    for form in (Form.SFT, Form.KTO):
        splits = {"train": range(4), "validation": range(4, 5), "test": range(5, 6)}
        write_data(made.path / f"{form}.jsonl", form, splits)
    return made


def said_of(repo: Repo, *arguments: str) -> tuple[int, str, str]:
    done = call(repo.path, "train", "-q", *arguments)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--max-steps", "-1"], "--max-steps must be at least 0"),
        (["--seed", "-1"], "--seed must be at least 0"),
        (["--batch", "0"], "--batch must be at least 1"),
        (["--checkpoint-every", "0"], "--checkpoint-every must be at least 1"),
        (["--learning-rate", "0"], "--learning-rate must be more than 0"),
        (["--epochs", "nan"], "--epochs must be more than 0"),
        (["--replay", "2"], "--replay must be from 0 to 1"),
        (["--replay-data", "sft.jsonl"], "--replay-data needs --from"),
        (["--from", "no"], "no such adapter: no: git skillmesh adapters list"),
        (["--data", "no"], "cannot read {}/no: No such file or directory"),
        (
            ["--method", "dpo"],
            "data of format sft cannot train dpo: git skillmesh export-rl --format dpo",
        ),
    ],
)
def test_mistakes(arguments: list[str], said: str, repo: Repo) -> None:
    found = said_of(repo, "--base", "b", "--data", "sft.jsonl", *arguments)
    assert found == (2, "", f"git-skillmesh: {said.format(repo.path)}\n")


def test_data_that_is_not_whole(repo: Repo) -> None:
    path, text = repo.path / "sft.jsonl", (repo.path / "sft.jsonl").read_bytes()

    def damaged(data: bytes) -> str:
        path.write_bytes(data)
        code, out, err = said_of(repo, "--base", "b", "--data", "sft.jsonl")
        assert (code, out) == (8, "")
        return err.removeprefix("git-skillmesh: ").strip()

    lines = text.splitlines(keepends=True)
    of_another = "sft.jsonl is not the file that its manifest describes"
    assert damaged(text[:-100]) == f"sft.jsonl:6 is cut off: {_AGAIN}"
    assert damaged(b"".join(lines[:-1])) == f"{of_another}: {_AGAIN}"
    assert damaged(b"[]\n" + text) == f"sft.jsonl:1: is no object: {_AGAIN}"
    other = (repo.path / "kto.jsonl").read_bytes()
    assert damaged(text + other) == f"sft.jsonl:7 is of another format: {_AGAIN}"
    (repo.path / "sft.manifest.json").write_text("[]")
    assert damaged(text) == f"sft.manifest.json is no manifest: {_AGAIN}"


def test_nothing_to_train_on(repo: Repo) -> None:
    write_data(repo.path / "none.jsonl", Form.SFT, {"test": range(3)})
    found = said_of(repo, "--base", "b", "--data", "none.jsonl")
    assert found == (1, "", "git-skillmesh: no line of none.jsonl is to train on\n")
    (repo.path / "empty.jsonl").write_bytes(b"")
    found = said_of(repo, "--base", "b", "--data", "empty.jsonl")
    assert found == (1, "", "git-skillmesh: no line of empty.jsonl is to train on\n")


def test_nothing_new_to_train_on(repo: Repo) -> None:
    parent = repo.path / "lora_codelearn_20260101"
    parent.mkdir()
    (parent / "training.json").write_text("{}")
    ask = ("--base", "b", "--data", "sft.jsonl", "--from", parent.name)
    assert said_of(repo, *ask) == (
        8, "",
        "git-skillmesh: lora_codelearn_20260101 does not say what it was trained on: "
        "trained_ids.txt\n",
    )  # fmt: skip
    ids = [line_of(Form.SFT, number, "train", "check")["id"] for number in range(4)]
    (parent / "trained_ids.txt").write_text("\n".join(ids))
    assert said_of(repo, *ask) == (
        1, "",
        "git-skillmesh: lora_codelearn_20260101 was trained on every line of sft.jsonl\n",
    )  # fmt: skip


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed here")
def test_without_the_extra(repo: Repo) -> None:
    done = call(repo.path, "train", "--base", "b", "--data", "sft.jsonl")
    assert (done.returncode, done.stdout) == (7, "")
    assert done.stderr == (
        "4 lines to train on\n"
        "git-skillmesh: torch is not installed: pip install 'git-skillmesh[train]'\n"
    )
    assert not (repo.git_dir / "skillmesh-adapters").exists()


def test_the_data_are_never_changed(repo: Repo) -> None:
    before = {path.name: path.read_bytes() for path in repo.path.glob("*.json*")}
    said_of(repo, "--base", "b", "--data", "sft.jsonl")
    assert {path.name: path.read_bytes() for path in repo.path.glob("*.json*")} == before
