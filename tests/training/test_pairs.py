"""Pairs out of a small repository: what is kept, what is dropped."""

import gzip
import json
from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from testing.repos import make_repo
from training.pairs import cleaned_subject, first_paragraph, pairs_of, write_pairs

MODULE = '''\
def wait_before_retry(attempt):
    """Return how long to wait before the next try.

    :param attempt: how many have failed
    """
    seconds = 2 ** attempt
    limit = 60
    return min(seconds, limit)
'''
BODY = "\n".join(
    line for line in MODULE.splitlines() if "Return how long" not in line and ":param" not in line
)


def test_a_repository(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"src/waits.py": MODULE, "tests/test_waits.py": MODULE,
                                      "vendor/lib.py": MODULE})  # fmt: skip
    repo.commit("feat(waits): cap the waiting time (#12)",
                {"src/waits.py": MODULE.replace("60", "90")})  # fmt: skip
    found = {pair["kind"]: pair for pair in pairs_of(discover(repo.path))}
    assert {pair["path"] for pair in found.values()} == {"src/waits.py"}
    assert found["comment"]["query"] == "Return how long to wait before the next try."
    assert "how long" not in found["comment"]["code"]
    assert "seconds = 2 ** attempt" in found["comment"]["code"]
    assert found["name"]["query"] == "wait before retry"
    assert "wait_before_retry" not in found["name"]["code"]
    assert found["commit"]["query"] == "cap the waiting time"
    assert "limit = 90" in found["commit"]["code"]


def test_the_same_repository_gives_the_same_bytes(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"src/waits.py": MODULE})
    for name in ("one", "two"):
        assert write_pairs(repo.path, tmp_path / name) == {"comment": 1, "name": 1}
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    lines = gzip.decompress((tmp_path / "one").read_bytes()).splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds == ["comment", "name"]


@pytest.mark.parametrize(
    ("comment", "kept"),
    [
        ("Reads one line from a stream.\n\nMore text.", "Reads one line from a stream."),
        ("Copyright (c) somebody, all of it", ""),
        ("TODO: write this some day", ""),
        ("@param name the name of it", ""),
        ("two words", ""),
        ("+++ --- *** === ((( )))", ""),
        ("Opens it again.\n@return nothing at all", "Opens it again."),
    ],
)
def test_first_paragraphs(comment: str, kept: str) -> None:
    assert first_paragraph(comment) == kept


@pytest.mark.parametrize(
    ("subject", "cleaned"),
    [
        ("fix(core)!: close the socket twice (#77)", "close the socket twice"),
        ("[tests] wait for the server", "wait for the server"),
        ("Merge branch 'main' into topic", ""),
        ("Bump lodash from 1 to 2", ""),
        ("typo in readme file", ""),
        ("fix it", ""),
    ],
)
def test_subjects(subject: str, cleaned: str) -> None:
    assert cleaned_subject(subject) == cleaned
