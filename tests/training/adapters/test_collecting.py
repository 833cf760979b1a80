"""Collecting: what goes, and what never does."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.errors import Damaged
from git_skillmesh.index.locks import exclusive
from git_skillmesh.sessions.serving import Deployment
from git_skillmesh.training.adapters.collecting import collect, needed
from git_skillmesh.training.adapters.deploying import stack_of
from git_skillmesh.training.adapters.store import Store
from testing.adapters import OLD, deployments_of, judge, name_of, write_adapter
from testing.repos import make_repo

NAMES = [name_of(day) for day in range(1, 9)]


def test_what_nobody_needs_goes(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    store, deployments = deployments_of(repo)
    for name in NAMES:
        write_adapter(store.folder, name, old=True, parent=NAMES[0] if name == NAMES[3] else "")
        judge(store.folder, name)
    for name in NAMES[1:5]:
        deployments.deploy(name, force=True)
    write_adapter(store.folder, name_of(30), old=True)  # the newest: training goes on from it
    write_adapter(store.folder, name_of(9))  # from today
    left, at_work = store.folder / ".training-1", store.folder / ".training-2"
    for path in (left, at_work):
        path.mkdir()
        (path / "half").write_text("x" * 100)
        os.utime(path / "half", (OLD, OLD))
        os.utime(path, (OLD, OLD))
    (store.folder / ".training-3").mkdir()  # may be taken up again
    with store.using(NAMES[6]), exclusive(store.folder / ".training-2.lock"):
        dry = collect(store, 1, dry_run=True)
        assert store.names() == [*NAMES, name_of(9), name_of(30)]
        found = collect(store, 1)
    assert dry == found
    # Of those that were deployed: the active one, the one before with its parent.
    assert found.adapters == (NAMES[1], NAMES[2], NAMES[5], NAMES[7])
    assert (found.leftovers, found.used) == ((left.name,), (NAMES[6],))
    assert store.names() == [NAMES[0], NAMES[3], NAMES[4], NAMES[6], name_of(9), name_of(30)]
    assert not (store.folder / "judgements" / f"{NAMES[1]}.json").exists()
    assert not left.exists()
    assert (store.folder / ".training-3").is_dir()
    assert at_work.is_dir()
    assert collect(store, 1, days=0).adapters == (NAMES[6], name_of(9))
    assert deployments.rollback().manifest.deployment.adapter == NAMES[3]
    assert list((store.folder / ".in-use").iterdir()) == []


def test_what_an_interrupted_training_goes_on_from_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for name in NAMES:
        write_adapter(store.folder, name, old=True)
    for number, text in enumerate((f'{{"parent": "/x/{NAMES[2]}"}}', '{"parent": ""}', "[]", "{")):
        work = tmp_path / f".training-{number}"
        work.mkdir()
        (work / "plan.json").write_text(text)
    assert collect(store, 0).adapters == (*NAMES[:2], *NAMES[3:7])
    assert store.names() == [NAMES[2], NAMES[7]]


def test_nothing_goes_while_nobody_can_tell_what_is_active(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert collect(Store(tmp_path / "none"), 0).adapters == ()
    for name in NAMES:
        write_adapter(store.folder, name, old=True)
    (tmp_path / "active.json").write_text("{")
    with pytest.raises(Damaged):
        collect(store, 0)
    assert store.names() == NAMES


def test_files_that_a_training_takes_away_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = deployments_of(make_repo(tmp_path / "repo"))
    checkpoint = store.folder / ".training-1" / "checkpoint-5"
    checkpoint.mkdir(parents=True)
    (checkpoint / "weights").write_text("x" * 100)
    walk = os.walk

    def late(path: Path) -> Iterator[tuple[str, list[str], list[str]]]:
        listed = list(walk(path))
        (checkpoint / "weights").unlink(missing_ok=True)
        yield from listed

    monkeypatch.setattr(os, "walk", late)
    assert collect(store, 1).leftovers == ()


def test_what_a_killed_collection_left_goes(tmp_path: Path) -> None:
    write_adapter(tmp_path, NAMES[0])
    (tmp_path / f".gone-{NAMES[1]}").mkdir()
    assert collect(Store(tmp_path), 0).leftovers == (f".gone-{NAMES[1]}",)
    assert collect(Store(tmp_path), 0).leftovers == ()


adapters = st.sampled_from(NAMES)
steps = st.lists(st.one_of(adapters.map(lambda name: ("deploy", name)),
                           st.just(("rollback", "")), adapters.map(lambda n: ("rollback", n))),
                 max_size=12)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(steps, st.dictionaries(adapters, adapters), st.integers(0, 4))
def test_what_is_needed_stays(
    steps: list[tuple[str, str]], parents: dict[str, str], keep: int
) -> None:
    history: list[Deployment] = []
    for number, (action, name) in enumerate(steps):
        stack = stack_of(history)
        if action == "rollback" and not name:
            if len(stack) < 2:
                continue
            name = stack[-2]
        before = history[-1].adapter if history else ""
        made = Deployment(str(number), action, name, before, "", "b", "0", "")
        back = stack_of([*history, made])[-2:-1]
        history.append(Deployment(str(number), action, name, before, "".join(back), "b", "0", ""))
    active = history[-1].adapter if history else ""
    stay = needed(history, active, parents, keep, NAMES)
    assert NAMES[-1] in stay
    assert {active, *stack_of(history)[-2:]} - {""} <= stay
    recent = list(dict.fromkeys(one.adapter for one in reversed(history) if one.adapter))
    others = [name for name in recent if name != active][:keep]
    assert set(others) <= stay
    assert {parents[name] for name in (active, *others, NAMES[-1]) if name in parents} <= stay
    assert stay <= set(NAMES)
    assert needed(history, active, parents, keep + 1, NAMES) >= stay
