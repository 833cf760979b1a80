"""Share memory and notes with a remote: fetch, unite, push, until both sides hold the same.

In: a remote. Out: what came, what went, or one error that says why not. Local refs move only to
what unites theirs with ours; the remote's only forward, unless a session was forgotten: then its
history was rewritten, and the remote's is replaced if it still is the one that was united.
"""

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from ..errors import Busy, Damaged, Unavailable
from ..git.database import ObjectDatabase
from ..git.notes import REF as NOTES
from ..git.refs import RefMoved, expire_reflog, is_ancestor, list_refs, move_ref, until_moved
from ..git.remotes import TRACKING, Remote, Verdict, fetch, known, push
from ..git.repository import Repository
from ..git.transport import Manners
from .checking import NotWhole, check_memory, check_notes
from .difference import Difference, memory_difference, notes_difference
from .layout import REF as MEMORY
from .merge import merge_memory, merge_notes

REFS = (MEMORY, NOTES)
_ATTEMPTS = 12
_PATIENCE_SECONDS = 90.0

_CHECKS = {MEMORY: check_memory, NOTES: check_notes}
_MERGES = {MEMORY: merge_memory, NOTES: merge_notes}
_DIFFERENCES = {MEMORY: memory_difference, NOTES: notes_difference}


@dataclass(slots=True)
class Outcome:
    """What a sync did: `fetched` is new here, `shared` is new there.

    `rewritten` says that the history of the remote was replaced, because something was forgotten.
    `waiting` is what the remote does not have yet, where nothing was pushed.
    """

    remote: Remote
    fetched: Difference = field(default_factory=Difference)
    shared: Difference = field(default_factory=Difference)
    waiting: Difference = field(default_factory=Difference)
    rewritten: bool = False
    attempts: int = 1


def sync(
    repository: Repository,
    remote: Remote,
    *,
    push_too: bool = True,
    manners: Manners | None = None,
    agree: Callable[[Difference], bool] = lambda difference: True,
) -> Outcome:
    """Unite memory and notes with those of a remote, here and, with `push_too`, there.

    `agree` is asked once, before the first push, about what would be shared.

    Raises:
        Unavailable: the remote cannot be reached, or refuses what is pushed.
        Busy: others were faster every time.
        Damaged: what the remote has is no memory; nothing of it was taken over.
        ReadOnly: the repository cannot be written.
    """
    manners = manners or Manners()
    outcome = Outcome(remote)
    asked = whole = refetched = False
    reason = "try again in a moment"
    for attempt in _attempts():
        outcome.attempts = attempt
        try:
            theirs = fetch(repository, remote, REFS, manners, whole=whole)
            _check(repository, remote, theirs)
            whole = False
            ours = {ref: _unite(repository, remote, ref, theirs[ref], outcome) for ref in REFS}
            wanted = {ref: tip for ref, tip in ours.items() if tip and tip != theirs[ref]}
            outcome.waiting = _all_differences(repository, theirs, wanted)
            if not wanted or not push_too:
                return outcome
            if not asked and not agree(outcome.waiting):
                return outcome
            asked = True
            if _push(repository, remote, theirs, wanted, manners, outcome):
                outcome.waiting = Difference()
                return outcome
        except RefMoved as moved:
            lines = str(moved).splitlines() or [""]
            if "File exists" in lines[0]:  # a lock, perhaps of a process that was killed
                reason = lines[0]
        except NotWhole:
            if refetched:
                raise
            whole = refetched = True
    raise Busy(f"{remote.shown} changed again and again", reason)


def plan(repository: Repository, remote: Remote, manners: Manners) -> Outcome:
    """Return what `sync` would do. Only the tracking refs move. Raises as `sync`."""
    outcome = Outcome(remote)
    look = partial(fetch, repository, remote, REFS, manners)
    theirs = until_moved(look, remote.tracking(MEMORY))
    _check(repository, remote, theirs)
    wanted: dict[str, str] = {}
    for ref in REFS:
        ours = list_refs(repository, ref).get(ref)
        merged = _merged(repository, ref, ours, theirs[ref])
        if merged is not None:
            outcome.fetched += _difference(repository, ref, ours, merged)
            wanted |= {ref: merged} if merged != theirs[ref] else {}
            outcome.rewritten |= not _grows(repository, theirs[ref], merged)
    outcome.waiting = _all_differences(repository, theirs, wanted)
    return outcome


def unite_fetched(repository: Repository) -> Difference:
    """Unite what is in tracking refs, however it came there, with what is here.

    The network is not used. What is not usable is left where it is. Raises `ReadOnly`, `Busy`,
    and `Damaged` at the end if something was not usable.
    """
    outcome = Outcome(Remote("", "", ""))
    problems: list[Damaged] = []
    here = list_refs(repository, *REFS, TRACKING)
    known_tips = {here.get(ref) for ref in REFS}
    keys = {
        name.removeprefix(f"{TRACKING}/").rpartition("/")[0]
        for name, tip in here.items()
        if name.startswith(f"{TRACKING}/") and tip not in known_tips
    }
    for key in sorted(keys):
        remote = Remote(key, "", key)
        try:
            until_moved(partial(_take_over, repository, remote, outcome), MEMORY)
        except Damaged as problem:
            problems.append(problem)
    if problems:
        raise problems[0]
    return outcome.fetched


def _take_over(repository: Repository, remote: Remote, outcome: Outcome) -> None:
    theirs = known(repository, remote, REFS)
    _check(repository, remote, theirs)
    for ref in REFS:
        _unite(repository, remote, ref, theirs[ref], outcome)


def _attempts() -> Iterator[int]:
    """Yield the numbers of attempts, with longer and longer pauses of chance between them."""
    deadline, pause = time.monotonic() + _PATIENCE_SECONDS, 0.1
    for attempt in range(1, _ATTEMPTS + 1):
        yield attempt
        if time.monotonic() > deadline:
            return
        time.sleep(pause * random.random())  # noqa: S311
        pause = min(pause * 2, 8.0)


def _check(repository: Repository, remote: Remote, theirs: Mapping[str, str | None]) -> None:
    """Look through all that a remote has and that is not here, before any of it is taken over."""
    for ref in REFS:
        tip, ours = theirs[ref], list_refs(repository, ref).get(ref)
        if tip is not None and not _is_known(repository, tip, ours):
            with ObjectDatabase(repository) as db:
                _CHECKS[ref](db, tip, ours, f"{ref} of {remote.shown}")


def _unite(
    repository: Repository, remote: Remote, ref: str, theirs: str | None, outcome: Outcome
) -> str | None:
    """Move a local ref to the union with theirs, and return it. Raises `RefMoved`, `Damaged`."""
    ours = list_refs(repository, ref).get(ref)
    merged = _merged(repository, ref, ours, theirs)
    if merged is None or merged == ours:
        return ours
    move_ref(repository, ref, merged, ours, f"skillmesh: sync with {remote.key}")
    outcome.fetched += _difference(repository, ref, ours, merged)
    if not _grows(repository, ours, merged):
        expire_reflog(repository, ref)  # it would keep what somebody has forgotten
    return merged


def _merged(repository: Repository, ref: str, ours: str | None, theirs: str | None) -> str | None:
    if theirs is None or _is_known(repository, theirs, ours):
        return ours
    return _MERGES[ref](repository, ours, theirs)


def _is_known(repository: Repository, theirs: str, ours: str | None) -> bool:
    return ours is not None and is_ancestor(repository, theirs, ours)


def _grows(repository: Repository, old: str | None, new: str) -> bool:
    return old is None or is_ancestor(repository, old, new)


def _push(
    repository: Repository,
    remote: Remote,
    theirs: Mapping[str, str | None],
    wanted: Mapping[str, str],
    manners: Manners,
    outcome: Outcome,
) -> bool:
    """Push, and return whether all arrived. Raises `Unavailable` if the remote refuses."""
    leases = {
        ref: old
        for ref, tip in wanted.items()
        if (old := theirs[ref]) is not None and not _grows(repository, old, tip)
    }
    answers = push(repository, remote, wanted, leases, manners)
    for ref, answer in answers.items():
        if answer.verdict is Verdict.DONE:
            _move_tracking(repository, remote, ref, wanted[ref], theirs[ref])
            outcome.shared += _difference(repository, ref, theirs[ref], wanted[ref])
            if ref in leases:
                outcome.rewritten = True
                expire_reflog(repository, remote.tracking(ref))
    for ref, answer in answers.items():
        if answer.verdict is not Verdict.REFUSED:
            continue
        if ref in leases:
            raise Unavailable(
                f"{remote.shown} does not let the history of {ref} be replaced, and so still has "
                f"what was forgotten here: {answer.reason}",
                f"allow that there for once, or delete the ref there, then sync again: "
                f"git push {remote.shown} :{ref}",
            )
        raise Unavailable(f"{remote.shown} does not take {ref}", answer.reason)
    return all(answer.verdict is Verdict.DONE for answer in answers.values())


def _move_tracking(
    repository: Repository, remote: Remote, ref: str, new: str, old: str | None
) -> None:
    """Remember what the remote has now, unless another process already knows it."""
    with contextlib.suppress(RefMoved):
        move_ref(repository, remote.tracking(ref), new, old, "skillmesh: push")


def _difference(repository: Repository, ref: str, old: str | None, new: str | None) -> Difference:
    with ObjectDatabase(repository) as db:
        return _DIFFERENCES[ref](db, old, new)


def _all_differences(
    repository: Repository, theirs: Mapping[str, str | None], wanted: Mapping[str, str]
) -> Difference:
    total = Difference()
    for ref, tip in wanted.items():
        total += _difference(repository, ref, theirs[ref], tip)
    return total
