"""What is behind lines of a file: the exchanges that made them, commits, evidence, learnings.

In: a path and ranges of lines. Out: `Behind`: blame, links, memory and learnings joined, for
whoever tells of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..config import Config
from ..git.blame import blame, check_file
from ..git.database import ObjectDatabase
from ..git.repository import Repository
from ..learnings.sources import Sources
from ..sessions.answering import Group, attribute, grouped, tell
from ..sessions.lookup import Lookup
from .learned import Reasons, learned_of


@dataclass(frozen=True, slots=True)
class Behind:
    """Lines by their origin, and for each group of them the learnings that came of it.

    `known` says whether any exchange is known, `is_empty` that no conversation was ever stored.
    """

    groups: tuple[Group, ...]
    learned: tuple[Reasons, ...]
    known: bool
    is_empty: bool


def behind(
    repository: Repository, config: Callable[[], Config], path: str, ranges: Sequence[str],
    commit: str, sources: Sources,
) -> Behind:  # fmt: skip
    """Return what is known of lines; without ranges of all, without a commit of those on disk.

    `config` is asked only where there are learnings. Raises as `git.blame.blame`, and `Damaged`.
    """
    with ObjectDatabase(repository) as db:
        check_file(db, path, commit)
        lines = attribute(db, blame(repository, path, ranges, commit))
        told = tell(db, (line.link for line in lines), "all")
        is_empty = not told and Lookup(db).is_empty
    groups = grouped(lines, told)
    learned = learned_of(repository, config, path, commit, groups, sources)
    return Behind(groups, tuple(learned), bool(told), is_empty)
