"""Exchanges that were stored while they still went on, in two files whose names are hashes."""

from dataclasses import replace
from pathlib import Path

from git_skillmesh.git.database import ObjectDatabase
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.finding import find_exchange
from git_skillmesh.sessions.lookup import Lookup
from git_skillmesh.sessions.model import Exchange, Session
from git_skillmesh.sessions.openings import titles
from testing.memory import open_memory
from testing.repos import make_repo

COUNT = 8  # half of them have what was added first, by name


def test_what_was_added_later_hides_nothing_of_how_it_began(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    memory = open_memory(repo)
    begun = [Exchange(f"ask-number-{n}", f"Count to {n}.", "") for n in range(COUNT)]
    memory.add([Session(f"s-{n}", "codex", (one,)) for n, one in enumerate(begun)])
    ended = [replace(one, response="Done.") for one in begun]
    memory.add([Session(f"s-{n}", "codex", (one,)) for n, one in enumerate(ended)])
    with ObjectDatabase(discover(repo.path)) as db:
        lookup = Lookup(db)
        for n, one in enumerate(begun):
            name = f"s-{n}"
            assert lookup.opening(name, one.exchange_id) == one.prompt
            assert list(lookup.beginnings(name)) == [(1, one.exchange_id, one.prompt)]
            assert find_exchange(memory, one.exchange_id) == (name, one.exchange_id)
    wanted = {f"s-{n}": one.prompt for n, one in enumerate(begun)}
    assert titles(discover(repo.path), memory.sessions()) == wanted
