"""Links survive random histories: nothing wrong, and next to nothing lost."""

import os
from pathlib import Path

import pytest

from git_skillmesh.git.notes import add_lines
from git_skillmesh.sessions.carrying import Carried, carry_links
from git_skillmesh.sessions.links import Link, read_links, write_links
from testing.histories import History
from testing.repos import make_repo

# benchmarks/survival.py does thousands of operations.
STEPS = 14


@pytest.mark.parametrize(("mode", "seed"), [("hooks", 3), ("notes", 24), ("nothing", 5)])
def test_random_histories(tmp_path: Path, mode: str, seed: int) -> None:
    """`mode` says what git tells: all, only by copying notes, nothing."""
    world = History(tmp_path, seed, mode)
    wrong: list[str] = []
    agents = kept = 0
    for step in range(STEPS):
        world.step()
        if step % 3 == 2 or step == STEPS - 1:
            carry_links(world.repo.opened())
            verdict = world.verdict()
            wrong += verdict.wrong
            agents += verdict.agents
            kept += verdict.kept
    assert wrong == []
    assert agents > 100
    assert kept >= 0.99 * agents, world.did


def test_the_verdict_sees_what_is_lost_and_what_is_wrong(tmp_path: Path) -> None:
    """Without carrying, rewritten commits lose their links; other links are seen as wrong."""
    world = History(tmp_path, 1, "nothing")
    for _ in range(4):
        world.edit()
        world.linker()
    before = world.verdict()
    assert before.wrong == before.lost == []
    assert before.kept == before.agents > 5
    world.repo.git("reset", "--quiet", "--soft", "HEAD~2")
    world.commit("-m", "all at once")
    assert len(world.verdict().lost) > 3
    carried = carry_links(world.repo.opened())
    assert carried.commits == (world.repo.head,)
    assert world.verdict().lost == []
    world.author = {key: who and "somebody else" for key, who in world.author.items()}
    assert len(world.verdict().wrong) == before.agents


def test_a_run_that_has_nothing_new_does_nothing(tmp_path: Path) -> None:
    world = History(tmp_path, 2)
    repository = world.repo.opened()
    assert carry_links(repository).examined > 0
    assert carry_links(repository) == Carried()
    world.edit()
    assert carry_links(repository) == Carried(examined=1)
    state = world.repo.state_dir / "carried.json"
    state.write_text("[]")
    assert carry_links(repository).examined > 1


def test_a_repository_without_links_or_commits(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    assert carry_links(repo.opened()) == Carried()
    repo.commit("first", {"a.py": "x = 1\n"})
    assert carry_links(repo.opened()) == Carried()
    assert carry_links(repo.opened(), [repo.head]) == Carried()
    bare = repo.clone(tmp_path / "bare.git", "--bare")
    assert carry_links(bare.opened()) == Carried()


def test_by_hand_what_a_deleted_state_forgot(tmp_path: Path) -> None:
    """The reflogs are gone too, so only the notes tell of the old commits."""
    world = History(tmp_path, 4, "nothing")
    world.repo.git("reset", "--quiet", "--soft", "HEAD~2")
    world.commit("-m", "all at once")
    world.repo.git("reflog", "expire", "--expire=now", "--all")
    world.repo.git("update-ref", "-d", "ORIG_HEAD")
    lost = len(world.verdict().lost)
    assert lost > 3
    repository = world.repo.opened()
    carried = carry_links(repository, again=True)
    assert carried.commits == (world.repo.head,)
    assert carried.lines == lost
    assert world.verdict().lost == []


def test_links_that_come_later_from_another_clone(tmp_path: Path) -> None:
    """The squash of a colleague's branch was fetched first, their notes are synced now."""
    world = History(tmp_path, 6, "nothing")
    repository = world.repo.opened()
    world.repo.git("checkout", "--quiet", "-b", "topic")
    for _ in range(3):
        world.edit()
    waiting, world.fresh = world.fresh, set()
    world.repo.git("checkout", "--quiet", "main")
    world.repo.git("merge", "--quiet", "--squash", "topic")
    world.repo.git("commit", "--quiet", "-m", "topic (#12)")
    squash = world.repo.head
    assert carry_links(repository).commits == ()
    lost = len(world.verdict().lost)
    assert lost > 3
    world.repo.git("checkout", "--quiet", "topic")
    world.fresh = waiting
    world.linker()
    world.repo.git("checkout", "--quiet", "main")
    carried = carry_links(repository)
    assert carried.commits == (squash,)
    assert world.verdict().lost == []
    assert carry_links(repository) == Carried()


def test_a_state_whose_commits_are_gone(tmp_path: Path) -> None:
    world = History(tmp_path, 4, "nothing")
    repository = world.repo.opened()
    carry_links(repository)
    state = world.repo.state_dir / "carried.json"
    state.write_text(state.read_text().replace(world.repo.head, "e" * 40))
    assert carry_links(repository).examined > 1
    assert world.verdict().lost == []


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("name", ["plain.py", 'quo"te \t.py', "ünï.py", os.fsdecode(b"no\xff.py")])
def test_any_name_and_any_object_format(tmp_path: Path, object_format: str, name: str) -> None:
    line = "result = combine(alpha, beta)\n"
    repo = make_repo(tmp_path, object_format=object_format, files={"base": "1\n"})
    old = repo.commit("by an agent", {name: line + "by = a_person()\n"})
    blob = repo.git("rev-parse", f"HEAD:{name}")
    write_links(repo.opened(), {old: [Link("s", "e", 0.5, "edit", name, blob, ((1, 1),))]})
    carry_links(repo.opened())
    new = repo.commit("amended", {name: "more = here()\n" + line})
    repo.git("reset", "--quiet", "--soft", "HEAD~2")
    repo.git("commit", "--quiet", "-m", "both")
    carried = carry_links(repo.opened())
    assert carried.commits == (repo.head,)
    blob = repo.git("rev-parse", f"HEAD:{name}")
    fresh = Link("s", "e", 0.5, "edit", name, blob, ((2, 2),), (old,))
    assert read_links(repo.opened(), [repo.head, new]) == {repo.head: (fresh,)}


def test_hostile_notes(tmp_path: Path) -> None:
    """A note may come from anywhere, and say anything."""
    text = "result = combine(alpha, beta)\nother = measure(gamma, delta)\n"
    repo = make_repo(tmp_path, files={"base": "1\n"})
    old = repo.commit("old", {"a.py": text})
    blob = repo.git("rev-parse", "HEAD:a.py")
    start = '{"v":1,"session":"s","exchange":"e","confidence":1,"evidence":"edit",'
    add_lines(
        repo.opened(),
        {
            old: [
                start + f'"path":"a.py","blob":"{blob}","lines":"1,2-9999999999"}}',
                start + '"path":"a.py","blob":"HEAD\\nHEAD","lines":"1-9999999999"}',
                start + f'"path":"a\\nb","blob":"{blob}","lines":"1-2"}}',
                start + f'"path":"\\ud800","blob":"{blob}","lines":"1-2"}}',
                start + f'"path":"../../etc","blob":"{"0" * 40}","lines":"1-9999999999"}}',
                start + f'"path":"b.py","blob":"{old}","lines":"1-9999999999"}}',
                start + '"path":"","via":["--all","HEAD"]}',
            ]
        },
    )
    repo.git("commit", "--quiet", "--amend", "-m", "same")
    repo.git("notes", "--ref=skillmesh", "copy", old, "HEAD")
    repo.commit("more", {"a.py": "first = line(here)\n" + text})
    repo.git("reset", "--quiet", "--soft", "HEAD~2")
    repo.git("commit", "--quiet", "-m", "all at once")
    repo.git("notes", "--ref=skillmesh", "copy", old, "HEAD")
    carried = carry_links(repo.opened())
    assert carried.lines == 2
    blob = repo.git("rev-parse", "HEAD:a.py")
    found = read_links(repo.opened(), [repo.head])[repo.head]
    assert {link.ranges for link in found if link.blob == blob} == {((2, 3),)}
