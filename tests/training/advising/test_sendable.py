"""Which files leave this machine, and what of their lines."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.config import load
from git_skillmesh.gate.change import between
from git_skillmesh.git.repository import discover
from git_skillmesh.training.advising.sendable import is_secret, sendable
from testing.advising import CLEANER
from testing.repos import make_repo

KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA0m9d\nZ2b8ttx\n-----END RSA PRIVATE KEY-----"
)
TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"  # noqa: S105


@pytest.mark.parametrize(
    "path",
    [".env", "web/.env.production", "prod.env", "id_rsa", "keys/id_ed25519.bak", "tls/server.KEY",
     "cert.pem", ".ssh/config", "config/secrets.yml", "secrets/a.txt", "app-secret.yaml", ".npmrc",
     "infra/terraform.tfvars", "x.tfstate.backup", ".aws/credentials", "credentials.json"],
)  # fmt: skip
def test_files_for_secrets(path: str) -> None:
    assert is_secret(path)


@pytest.mark.parametrize(
    "path",
    [".env.example", "id_rsa.pub", "src/secrets.py", "src/keys.py", "src/env.py", "monkey.js",
     "docs/credentials.md", "src/environment.ts", "keyboard.c"],
)  # fmt: skip
def test_other_files(path: str) -> None:
    assert not is_secret(path)


def test_what_is_not_sent_and_why(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={".gitignore": "local/\n", "a.py": "a = 1\n", "gone.py": "x"})
    repo.write("local/x.py", "x = 1\n")
    repo.git("add", "--force", "local/x.py")
    repo.commit("change", {
        "a.py": "a = 2\n", "gone.py": None, ".env": "A=1\n", "vendor/lib.py": "x = 1\n",
        "package-lock.json": "{}\n", "logo.png": b"\x89PNG\0", "large.py": "x = 1\n" * 90_000,
        ":(odd)name.py": "x = 1\n", "kept/out.py": "x = 1\n",
        ".gitattributes": "kept/** -skillmesh-index\n",
    })  # fmt: skip
    repository = discover(repo.path)
    change = between(repository, "HEAD~1", "HEAD")
    config = load(repository, {"index.include": ".env"}, environ={})
    files, left = sendable(change, config)
    assert [file.path for file in files] == [".gitattributes", ":(odd)name.py", "a.py"]
    assert {one.path: one.why for one in left} == {
        ".env": "not sent: a file for secrets, by its name",
        "kept/out.py": "not sent: excluded",
        "large.py": "not sent: larger than 400,000 bytes",
        "local/x.py": "not sent: git leaves it alone",
        "logo.png": "not sent: binary",
        "package-lock.json": "not sent: lock",
        "vendor/lib.py": "not sent: vendored",
    }


def test_secrets_go_and_lines_stay() -> None:
    text = f"a = 1\nkey = '''{KEY}'''\ntoken = '{TOKEN}'\nb = 2\r\n"
    lines = CLEANER.lines(text.encode())
    assert len(lines) == text.count("\n")
    assert (lines[0], lines[-1]) == ("a = 1", "b = 2")
    assert lines[2] == "REDACTED_PRIVATE_KEY"
    assert "ghp_" not in "".join(lines)
    assert "MIIE" not in "".join(lines)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["x = 1", "", KEY, f"t = '{TOKEN}'", "é\u2028\x0c", "\x85"])))
def test_as_many_lines_as_git_counts(parts: list[str]) -> None:
    text = "".join(f"{part}\n" for part in parts)
    lines = CLEANER.lines(text.encode())
    assert len(lines) == text.count("\n")
    for number, line in enumerate(text.split("\n")[:-1]):
        if line == "x = 1":
            assert lines[number] == line
