"""`git skillmesh redact`: what it shows, what it writes, and that it never shows a secret."""

import json
import sys
from pathlib import Path

import pytest

from testing.commands import call
from testing.repos import Result, make_repo, run

AWS = "AKIA" + "Q3EGRVJ5TB7WNUYD"
WORD = "tr0ub4dor" + "&3"


def write(folder: Path, data: str | bytes, name: str = "notes.txt") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_text_without_secrets_comes_back_as_it_was(tmp_path: Path) -> None:
    text = "def f(password):\n    return hash(password)\n"
    write(tmp_path, text)
    assert call(tmp_path, "redact", "notes.txt") == Result(0, text, "")
    assert call(tmp_path, "redact", "--check", "notes.txt") == Result(0, "", "nothing to redact\n")


def test_a_check_shows_the_place_and_not_the_secret(tmp_path: Path) -> None:
    write(tmp_path, f"one\nid {AWS} here\n  PASSWORD='{WORD}'\n")
    assert call(tmp_path, "redact", "--check", "notes.txt") == Result(
        1,
        "notes.txt:2:4  aws-access-key  id AKIA…[20] here\n"
        "notes.txt:3:13  named-secret    PASSWORD='…[11]'\n",
        "2 to redact\n",
    )
    assert call(tmp_path, "redact", "notes.txt") == Result(
        0, "one\nid REDACTED_AWS_ACCESS_KEY here\n  PASSWORD='REDACTED_NAMED_SECRET'\n", ""
    )


def test_json(tmp_path: Path) -> None:
    write(tmp_path, f"id {AWS}\n")
    write(tmp_path, "nothing\n", "other.txt")
    said = call(tmp_path, "redact", "--check", "--json", "notes.txt", "other.txt")
    assert (said.returncode, said.stderr) == (1, "")
    assert json.loads(said.stdout) == {
        "found": 1,
        "files": [
            {
                "path": "notes.txt",
                "findings": [
                    {
                        "rule": "aws-access-key", "line": 1, "column": 4, "length": 20,
                        "excerpt": "id AKIA…[20]",
                    }
                ],
            },
            {"path": "other.txt", "findings": []},
        ],
    }  # fmt: skip


def test_two_secrets_on_a_line_do_not_show_each_other(tmp_path: Path) -> None:
    write(tmp_path, f"{AWS} {AWS[:-1]}X\n")
    said = call(tmp_path, "redact", "--check", "notes.txt")
    assert said.stdout == (
        "notes.txt:1:1  aws-access-key  AKIA…[20] \nnotes.txt:1:22  aws-access-key   AKIA…[20]\n"
    )


def test_standard_input_outside_of_a_repository(tmp_path: Path) -> None:
    done = run(
        sys.executable, "-m", "git_skillmesh", "redact", "-", cwd=tmp_path, stdin=f"a {AWS} b"
    )
    assert done == Result(0, "a REDACTED_AWS_ACCESS_KEY b", "")


def test_settings_of_a_repository(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repo.write(
        ".skillmesh/config.toml",
        "[redaction]\npii = ['email']\nallow = ['" + AWS + "']\n"
        "[redaction.rules]\nticket = 'TCK-[0-9]{6}'\nbadge = 'badge (\\w+)'\n",
    )
    repo.write("notes.txt", f"{AWS} TCK-123456 badge k9 jane@corp.io /home/jane/src\n")
    assert call(repo.path, "redact", "notes.txt") == Result(
        0,
        f"{AWS} REDACTED_TICKET badge REDACTED_BADGE REDACTED_EMAIL /home/jane/src\n",
        "",
    )
    repo.git("config", "skillmesh.redaction.pii", "none")
    repo.git("config", "--add", "skillmesh.redaction.allow", r"/TCK-.*/")
    repo.git("config", "--add", "skillmesh.redaction.allow", "k9")
    said = call(repo.path, "redact", "notes.txt")
    assert said.stdout == (
        "REDACTED_AWS_ACCESS_KEY TCK-123456 badge k9 jane@corp.io /home/jane/src\n"
    )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("rules", "bad = (", "redaction.rules, bad: '(' is no RE2 pattern: missing ): ("),
        (
            "rules", r"back = (a)\1",
            r"redaction.rules, back: '(a)\\1' is no RE2 pattern: invalid escape sequence: \1",
        ),
        ("rules", "nothing", "redaction.rules has 'nothing': write a rule as `name = pattern`"),
        ("rules", "Ba d = x", "redaction.rules has a rule named 'Ba d': use a-z, 0-9 and -"),
        ("allow", "/[/", "redaction.allow: '[' is no RE2 pattern: missing ]: ["),
        (
            "pii", "shoes",
            "redaction.pii names 'shoes': it can be home, email, phone, card, ip, all or none",
        ),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_used(tmp_path: Path, key: str, value: str, message: str) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "x"})
    repo.git("config", f"skillmesh.redaction.{key}", value)
    assert call(repo.path, "redact", "a.txt") == Result(5, "", f"git-skillmesh: {message}\n")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\0", b"\xff\xfe\xff", b"\xff\xfea\0b\0", b"\x80\xed\xa0\x80\n\r\0",
        bytes(range(256)) * 9,
    ],
    ids=["empty", "nul", "odd mark", "utf-16", "invalid", "binary"],
)  # fmt: skip
def test_odd_bytes_come_back_as_they_were(tmp_path: Path, data: bytes) -> None:
    write(tmp_path, data)
    done = run_bytes(tmp_path, "notes.txt")
    assert done == (0, data, b"")


def run_bytes(folder: Path, *files: str) -> tuple[int, bytes, bytes]:
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "git_skillmesh", "redact", *files],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_secrets_between_odd_bytes(tmp_path: Path) -> None:
    write(tmp_path, b"\xff\0" + AWS.encode() + b"\0\xfe")
    assert run_bytes(tmp_path, "notes.txt") == (0, b"\xff\0REDACTED_AWS_ACCESS_KEY\0\xfe", b"")
    write(tmp_path, codecs_bom(f"id {AWS}\r\n"))
    assert run_bytes(tmp_path, "notes.txt")[1] == codecs_bom("id REDACTED_AWS_ACCESS_KEY\r\n")


def codecs_bom(text: str) -> bytes:
    return ("\ufeff" + text).encode("utf-16-le")


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert call(tmp_path, "redact", "none.txt") == Result(
        2, "", "git-skillmesh: cannot read none.txt: No such file or directory\n"
    )
    assert call(tmp_path, "redact", "--check", ".") == Result(
        2, "", "git-skillmesh: cannot read .: Is a directory\n"
    )
    assert call(tmp_path, "redact", "--json", "x") == Result(
        2, "", "git-skillmesh: --json needs --check\n"
    )


def test_a_hostile_line_does_not_reach_the_terminal(tmp_path: Path) -> None:
    write(tmp_path, f"\x1b[31m\u202e{AWS}\x1b[0m\n")
    said = call(tmp_path, "redact", "--check", "notes.txt")
    assert "\x1b" not in said.stdout
    assert "AKIA…[20]" in said.stdout
