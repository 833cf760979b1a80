"""Carry links over rewritten history: amend, rebase, cherry-pick, squash, revert, am.

In: a repository, or some of its commits. Out: links of new commits in the notes, made of the links
of the commits they replace. docs/survival.md tells what is kept by which operation. Nothing is
ever taken from a note. A run looks at the commits that no run has seen, and remembers them.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..git.commits import Commit, parse_commit
from ..git.notes import REF, notes_of
from ..git.objects import BlobReader
from ..git.refs import read_ref
from ..git.repository import Repository
from ..git.rewrites import Pair, existing_commits, new_commits, pairs_left, tips
from ..git.trees import diff_trees
from .elsewhere import Elsewhere
from .linked import Linked, Texts
from .links import write_links
from .rewritten import Explainer, Rewritten
from .seen import Seen

_OID = r"([0-9a-f]{40}|[0-9a-f]{64})"
_PICKED = re.compile(rf"^\(cherry picked from commit {_OID}\)$".encode(), re.MULTILINE)
_SQUASHED = re.compile(rf"^commit {_OID}$".encode(), re.MULTILINE)
_SQUASH_HEADING = b"Squashed commit of the following:"
_REVERTED = re.compile(rf"^This reverts commit {_OID}".encode(), re.MULTILINE)
_DAY = 86_400
# Processor time that a run may take to compare commits with those that no branch of theirs has.
_PATIENCE_SECONDS = 45
_MOST_AGAIN = 500  # commits that are looked at again for links from another clone
_Group = tuple[str, list[str]]  # a tip, and commits of its history


@dataclass(frozen=True, slots=True)
class Carried:
    """What a run did: commits that were looked at, those that got links, and for how many lines."""

    examined: int = 0
    commits: tuple[str, ...] = ()
    lines: int = 0


def carry_links(
    repository: Repository, commits: Sequence[str] | None = None, *, again: bool = False
) -> Carried:
    """Give commits that replace linked ones links of their own.

    Without `commits`, to all that no run has seen; with `again`, to all that are younger than the
    oldest linked commit. Raises `ReadOnly`, `Busy`, `Damaged`, `GitFailed`.
    """
    with pairs_left(repository.state_dir) as pairs:
        seen = Seen() if again else Seen.load(repository.state_dir)
        now = tips(repository)
        notes = read_ref(repository, REF)
        unchanged = seen.tips == now and seen.notes == notes and not again
        if commits is None and not pairs and unchanged:
            return Carried()
        carried = Carried()
        if notes is not None:
            with BlobReader(repository) as reader:
                run = _Run(repository, reader, pairs, seen)
                if commits is None:
                    carried = run.carry(run.unseen(now, notes))
                else:
                    carried = run.carry([(each, [each]) for each in commits])
            notes = read_ref(repository, REF)
        if commits is None:
            seen.after(repository, now, notes).save(repository.state_dir)
        return carried


class _Run:
    def __init__(
        self, repository: Repository, reader: BlobReader, pairs: Sequence[Pair], seen: Seen
    ) -> None:
        self.repository = repository
        self.reader = reader
        self.seen = seen
        self.linked = Linked(repository, Texts(reader))
        self.explainer = Explainer(self.linked)
        self.pairs: dict[str, list[str]] = {}
        for old, new in pairs:
            if old != new and old not in self.pairs.setdefault(new, []):
                self.pairs[new].append(old)
        self.noted: tuple[str, ...] = ()
        self.until = time.process_time() + _PATIENCE_SECONDS

    def unseen(self, now: dict[str, str], notes: str) -> list[_Group]:
        """Return the commits that no run has looked at, by tips; the first run has seen nothing."""
        since = None
        known = set(self.seen.tips.values())
        if not known:
            self.noted = tuple(notes_of(self.repository, REF))
            times = existing_commits(self.repository, self.noted)
            if not times:
                return []
            # Commits are made after those that they replace, if clocks are right.
            since = min(times.values()) - _DAY
        groups = []
        for tip in sorted(set(now.values()) - known):
            groups.append((tip, new_commits(self.repository, [tip], known, since)))
            known.add(tip)
        return groups + self._newly_linked(notes, {commit for _, each in groups for commit in each})

    def _newly_linked(self, notes: str, unseen: set[str]) -> list[_Group]:
        """Return what may be made of commits elsewhere that got links since, from another clone."""
        head = self.repository.head_commit()
        if head is None or self.seen.notes in (None, notes):
            return []
        changes = diff_trees(self.repository, f"{self.seen.notes}^{{tree}}", f"{notes}^{{tree}}")
        names = {change.path.replace("/", "") for change in changes} - unseen
        linked = {name for name in names if re.fullmatch(_OID, name)}
        times = existing_commits(self.repository, linked)
        elsewhere = [oid for oid in new_commits(self.repository, times, [head]) if oid in times]
        if not elsewhere:
            return []
        since = min(times[oid] for oid in elsewhere) - _DAY
        return [(head, new_commits(self.repository, [head], (), since, _MOST_AGAIN))]

    def carry(self, groups: Sequence[_Group]) -> Carried:
        """Find links for all commits of the groups, and write them."""
        grouped = dict.fromkeys(commit for _, each in groups for commit in each)
        paired = {*self.pairs, *(old for olds in self.pairs.values() for old in olds)}
        here = existing_commits(self.repository, paired - grouped.keys())
        between = [new for new in self.pairs if new in here]  # rewritten once more since
        self.linked.load([*between, *grouped, *here], additions=False)
        work = self._explained([each for each in (*between, *grouped) if any(self._said(each))])
        for tip, commits in groups:
            self._by_content(tip, commits, work)
        for each in work.values():  # their predecessors may have got links meanwhile
            if any(each.open.values()):
                self._explain(each, *self._said(each.oid))
        made = {commit: links for commit, links in self.linked.made.items() if links}
        write_links(self.repository, made)
        lines = sum(b - a + 1 for each in made.values() for link in each for a, b in link.ranges)
        return Carried(len(grouped.keys() | work.keys()), tuple(made), lines)

    def _by_content(self, tip: str, commits: Sequence[str], work: dict[str, Rewritten]) -> None:
        more = (*self.noted, *self.seen.tips.values(), *self.seen.gone)
        elsewhere = Elsewhere(self.linked, tip, more)
        # Without linked commits elsewhere, only links that git copied can be followed.
        chosen = [each for each in commits if elsewhere.linked or self.linked.links(each)]
        self.linked.load(chosen)
        for commit in chosen:
            if time.process_time() > self.until:
                return  # the other ways are cheap, this one compares with all that is elsewhere
            if commit not in work:
                work[commit] = self.explainer.begin(commit)
            elsewhere.explain(work[commit])
            self.linked.made[commit] = work[commit].links()

    def _explained(self, commits: Sequence[str]) -> dict[str, Rewritten]:
        """Explain commits by what git and their messages say, predecessors first.

        A predecessor without links may have been rewritten itself before any run saw it.
        """
        wanted = dict.fromkeys(commits)
        done: dict[str, Rewritten] = {}
        for first in commits:
            todo = [first]
            while todo:
                commit = todo[-1]
                before, reverted = self._said(commit)
                waiting = [
                    each
                    for each in before
                    if (each in wanted or not self.linked.links(each))
                    and each not in done
                    and each not in todo
                ]
                if waiting:
                    todo += waiting
                    continue
                todo.pop()
                if commit in done:
                    continue
                done[commit] = self.explainer.begin(commit)
                self._explain(done[commit], before, reverted)
        return done

    def _explain(self, work: Rewritten, before: list[str], reverted: list[str]) -> None:
        self.explainer.explain(work, before)
        for each in reverted:
            self.explainer.as_it_stood(work, each)
        self.linked.made[work.oid] = work.links()

    def _said(self, commit: str) -> tuple[list[str], list[str]]:
        """Return what a commit was made of, the newest first, and the states that it restores."""
        there = self._commit(commit)
        message = there.message if there else b""
        before = dict.fromkeys(reversed(self.pairs.get(commit, [])))
        before.update(dict.fromkeys(reversed(_ids(_PICKED, message))))
        _, heading, squashed = message.partition(_SQUASH_HEADING)
        if heading:
            before.update(dict.fromkeys(_ids(_SQUASHED, squashed)))
        before.pop(commit, None)
        restored: list[str] = []
        for reverted in _ids(_REVERTED, message):
            undone = self._commit(reverted)
            restored += undone.parents if undone else ()
        return [each for each in before if self._commit(each)], restored

    def _commit(self, oid: str) -> Commit | None:
        found = self.reader.look_up(oid)
        return parse_commit(oid, found.data) if found and found.kind == "commit" else None


def _ids(pattern: re.Pattern[bytes], message: bytes) -> list[str]:
    return [found.decode() for found in pattern.findall(message)]
