"""Learnings and conversations about the code that a change touches: notes, never findings.

In: a change, the learnings of its base in every state. Out: `Related`s, few and the nearest first.
Who made the lines that the change replaces is told by blame of the base and the links of commits.
"""

from collections.abc import Iterable, Iterator, Sequence

from ..errors import SkillmeshError
from ..git.blame import blame
from ..git.changes import ChangedFile
from ..git.database import ObjectDatabase
from ..learnings.model import Learning
from ..sessions.answering import Group, Told, attribute, grouped, tell
from ..sessions.summaries import summary_of_prompt
from .change import Change
from .model import Related
from .scope import Scope

MOST = 10  # notes of either kind
_FILES, _HUNKS, _LINES = 40, 60, 400  # that are looked at: blame takes its time


def related_to(change: Change, learnings: Iterable[Learning]) -> tuple[Related, ...]:
    """Return notes: conversations first, then learnings."""
    if not change.base:
        return ()
    known = list(learnings)
    conversations: dict[tuple[str, str], Related] = {}
    from_commits: dict[str, Related] = {}
    by_commit = {
        commit: learning for learning in known for commit in learning.source_commits if commit
    }
    with ObjectDatabase(change.repository) as db:
        for file, group in replaced(db, change):
            if group.told is not None and group.told.missing is None:
                pair = group.told.session, group.told.exchange_id
                conversations.setdefault(pair, _conversation(file, group, group.told))
            for learning in _of_commits(group, by_commit):
                why = f"it comes from the commit that made {_lines(group)}"
                from_commits.setdefault(learning.learning_id, _learning(learning, why, file, group))
    about = {**from_commits, **_by_path(change, known), **from_commits}
    return (*list(conversations.values())[:MOST], *list(about.values())[:MOST])


def replaced(
    db: ObjectDatabase, change: Change, around: int = 0
) -> Iterator[tuple[ChangedFile, Group]]:
    """Yield who made the lines that the change replaces or removes, and so many `around` them."""
    modified = [file for file in change.files if file.hunks and file.had_text and file.has_text]
    for file in modified[:_FILES]:
        ranges = list(_ranges(file, around))
        if not ranges:
            continue
        try:
            lines = attribute(db, blame(change.repository, file.old_path, ranges, change.base))
            told = tell(db, (line.link for line in lines), "openings")
        except SkillmeshError:
            continue  # a clone that lacks what is needed: a note less
        for group in grouped(lines, told):
            yield file, group


def _ranges(file: ChangedFile, around: int) -> Iterator[str]:
    left = _LINES
    for hunk in [hunk for hunk in file.hunks or () if hunk.removed or around][:_HUNKS]:
        # Where a hunk removes nothing, its place is the line before.
        first = max(hunk.old + (not hunk.removed) - around, 1)
        count = min(hunk.removed + 2 * around, left)
        if count:
            yield f"{first},{first + count - 1}"
        left -= count


def _conversation(file: ChangedFile, group: Group, told: Told) -> Related:
    return Related(
        kind="conversation",
        id=told.exchange_id,
        title=summary_of_prompt(told.opening) or told.title,
        why=f"made {_lines(group)}, which this change replaces",
        path=file.path,
        line=_first_line(file, group),
    )


def _learning(learning: Learning, why: str, file: ChangedFile, group: Group) -> Related:
    line = _first_line(file, group)
    return Related("learning", learning.learning_id, _titled(learning), why, file.path, line)


def _titled(learning: Learning) -> str:
    return learning.title if learning.state.enforced else f"{learning.title} [{learning.state}]"


def _of_commits(group: Group, by_commit: "dict[str, Learning]") -> Iterator[Learning]:
    for commit in group.commits:
        for short, learning in by_commit.items():
            if commit.oid.startswith(short):
                yield learning


def _by_path(change: Change, learnings: Sequence[Learning]) -> "dict[str, Related]":
    """Return learnings that name the path of a changed file, the nearest first."""
    found = {}
    for learning in learnings:
        if not any(not glob.startswith("!") for glob in learning.paths):
            continue
        scope = Scope(learning)
        for file in change.files:
            if scope.covers(file.path) or (file.renamed and scope.covers(file.old_path)):
                why = f"it is about {', '.join(learning.paths[:3])}"
                title = _titled(learning)
                found[learning.learning_id] = Related(
                    "learning", learning.learning_id, title, why, file.path
                )
                break
    return dict(sorted(found.items(), key=lambda item: item[0]))


def _lines(group: Group) -> str:
    numbers = [line.blamed.number for line in group.lines]
    first, last = min(numbers), max(numbers)
    if first == last:
        return f"the line {first}"
    return f"{'the' if len(numbers) == last - first + 1 else 'some of the'} lines {first}-{last}"


def _first_line(file: ChangedFile, group: Group) -> int:
    """Return where in the new file the replaced lines begin."""
    old = min(line.blamed.number for line in group.lines)
    for hunk in file.hunks or ():
        if hunk.old <= old < hunk.old + hunk.removed:
            return max(hunk.new, 1)
    return 0
