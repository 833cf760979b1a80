"""`git skillmesh explore` as a process: what it prints, that it answers, how it ends."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from testing.commands import call
from testing.conversations import remember
from testing.memory import make_session
from testing.repos import make_repo


def started(folder: Path, *args: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "git_skillmesh", "-C", folder, "explore", *args],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=dict(os.environ),
    )  # fmt: skip


@pytest.mark.usefixtures("cold_start")
def test_it_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "one\n"})
    remember(repo, make_session("s", 1))
    server = started(repo.path, "--port", "0")
    assert server.stdout is not None
    address = server.stdout.readline().strip()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    assert b"<html" in browser.open(address).read()  # after a redirect, with the cookie
    base = address.partition("?")[0]
    found = json.loads(browser.open(f"{base}api/overview.json").read())
    assert found["counts"]["sessions"] == 1
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(base)  # noqa: S310 - the address is ours
    other = started(repo.path, "--json")
    out = ""
    assert other.stdout is not None
    while not out.endswith("}\n"):
        out += other.stdout.readline()
    assert json.loads(out)["port"] != int(base.rstrip("/").rpartition(":")[2])
    taken = started(repo.path, "--port", base.rstrip("/").rpartition(":")[2])
    assert taken.wait(30) == 7
    for one, number in ((server, signal.SIGINT), (other, signal.SIGTERM)):
        one.send_signal(number)
        _, said = one.communicate(timeout=30)
        assert one.returncode == 0
        assert "Traceback" not in said
    assert taken.stderr is not None
    assert "Address already in use" in taken.stderr.read()


def test_outside_of_a_repository(tmp_path: Path) -> None:
    done = call(tmp_path, "explore")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("git-skillmesh: not a git repository")
