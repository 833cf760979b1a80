"""Summaries that are kept between runs: the same as read anew, and nothing of what is forgotten."""

from pathlib import Path

from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.reading import MemoryReader
from git_skillmesh.sessions.summed import drop_summaries, summaries
from testing.conversations import remember
from testing.memory import make_session, open_memory
from testing.repos import make_repo


def test_only_what_has_changed_is_read(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repository, memory = discover(repo.path), "refs/skillmesh/memory"
    place = repo.state_dir / "sessions.json"
    assert summaries(repository, memory) == ()
    remember(repo, *(make_session(f"s{number}", 2) for number in range(5)))
    told = summaries(repository, memory)
    assert told == MemoryReader(repository, memory).sessions()
    kept = place.read_text()
    assert summaries(repository, memory) == told
    # What is kept is believed, as it lies under the id of a tree; so a lie shows what was read.
    place.write_text(kept.replace('"s3"', '"lie"'))
    remember(repo, make_session("s4", 3))
    now = {one.head.session_id: one.exchanges for one in summaries(repository, memory)}
    assert now == {"s0": 2, "s1": 2, "s2": 2, "lie": 2, "s4": 3}
    open_memory(repo).forget("s1")
    assert "s1" not in {one.head.session_id for one in summaries(repository, memory)}
    assert '"s1"' not in place.read_text()
    for damage in ("", "[]", '{"schema": 1, "sessions": {"x": [[], 1]}}', "[" * 99_999):
        place.write_text(damage)
        assert len(summaries(repository, memory)) == 4
    drop_summaries(repository)
    drop_summaries(repository)
    assert not place.exists()
