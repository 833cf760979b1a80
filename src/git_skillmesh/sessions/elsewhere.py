"""Linked commits that a branch does not have, and which of them a new commit was made of.

In: a commit whose lines nobody has explained, and a tip. Out: the lines that a commit elsewhere had
linked, if enough speaks for it: the same patch, a note that git copied, most of the commit's lines,
most of a branch, or a block of lines that cannot be chance. A few equal lines are no evidence: two
people may write them.
"""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from ..git.rewrites import merge_base, patch_ids, unmerged
from .alignment import squeezed, telling
from .linked import Linked, within
from .links import Link
from .rewritten import MOVED_LETTERS, Explainer, Rewritten

_MOST_TEXTS = 500  # files of linked commits that are searched for a commit with new files
_COMMON = 3  # a line that so many linked files have says nothing
_SHARE = 0.5  # of a commit's lines that a branch has, to be a part of it
_LETTERS = 30  # that those lines have at least
_BRANCH_SHARE = 0.7  # of a branch's lines that a commit has, to be a squash of it
_MOST_TIPS = 8
_BLOCK = (3, 60)  # lines and letters of a block that is found again

_Place = tuple[str, int]


class _Spot(NamedTuple):
    """A linked line elsewhere."""

    commit: str
    path: str
    blob: str
    line: int


class _Guess(NamedTuple):
    commit: str
    link: Link
    letters: int


class Elsewhere:
    """What the history of `tip` does not have."""

    def __init__(self, linked: Linked, tip: str, more: Iterable[str]) -> None:
        self._linked = linked
        self._explainer = Explainer(linked)
        self.parents = unmerged(linked.repository, tip, more)
        linked.load(self.parents, additions=False)
        self._commits = [commit for commit in self.parents if linked.links(commit)]
        self._order = {commit: place for place, commit in enumerate(self._commits)}
        self._known: dict[str, dict[bytes, list[_Spot]]] = {}
        self._indexed: set[tuple[str, str, str]] = set()
        self._spots: dict[bytes, list[_Spot]] = {}
        self._patches: dict[str, str] = {}

    @property
    def linked(self) -> bool:
        """Whether there are linked commits at all."""
        return bool(self._commits)

    def explain(self, work: Rewritten) -> None:
        """Settle the lines of a commit for which there is enough evidence."""
        if not any(work.open.values()):
            return
        stale = self._linked.stale(work.oid)
        lines = {link.to_line() for link in stale}
        holders = [
            commit
            for commit in self._commits
            if lines and any(link.to_line() in lines for link in self._linked.links(commit))
        ]
        if holders:
            self._explainer.explain(work, holders)
        self._copied(work, stale)
        hits = self._hits(work)
        same = self._same_patch(work, hits)
        if same:
            self._explainer.explain(work, same[:1])
            hits = self._hits(work)
        if hits:
            self._by_content(work, hits)

    def _copied(self, work: Rewritten, stale: Sequence[Link]) -> None:
        """Follow links that git copied from a commit that is not known."""
        for link in stale:
            old = self._linked.texts.lines(link.blob)
            if old is None:
                continue
            ranges = within(link, len(old)).ranges
            own = {line for first, last in ranges for line in range(first, last + 1)}
            texts = (old[line - 1] for line in own)
            for path in self._explainer.targets(work, link.path, texts):
                for line, olds in self._explainer.matched(work, path, old):
                    if all(each in own for each in olds):
                        work.settle(path, line, link, "")

    def _hits(self, work: Rewritten) -> dict[str, set[_Place]]:
        """Return commit → open lines that say what its linked lines say."""
        self._index(work)
        found: dict[str, set[_Place]] = {}
        for path in work.open:
            for line, key in self._explainer.open_lines(work, path):
                spots = self._spots.get(key, ())
                if len({spot.path for spot in spots}) >= _COMMON:
                    continue
                for spot in spots:
                    found.setdefault(spot.commit, set()).add((path, line))
        return found

    def _index(self, work: Rewritten) -> None:
        """Know the linked lines of files with these names; of all, for a commit with new files."""
        names = {PurePosixPath(name).name for name in self._names(work)}
        anew = any(not each.old_path and work.open.get(each.path) for each in work.files.values())
        left = _MOST_TEXTS
        for commit in self._commits:
            for link in self._linked.links(commit):
                near = PurePosixPath(link.path).name in names
                place = (commit, link.path, link.blob)
                if not link.ranges or place in self._indexed or not (near or (anew and left > 0)):
                    continue
                left -= not near
                self._indexed.add(place)
                self._index_one(*place)

    def _names(self, work: Rewritten) -> set[str]:
        files = [each for each in work.files.values() if work.open.get(each.path)]
        return {name for each in files for name in (each.path, each.old_path) if name}

    def _index_one(self, commit: str, path: str, blob: str) -> None:
        if self._linked.texts.blob_at(commit, path) != blob:
            return  # a note that git copied: the commit that it is from is indexed itself
        text = self._linked.texts.lines(blob) or []
        for line in self._linked.lines(commit, path, blob):
            if line <= len(text) and telling(text[line - 1], MOVED_LETTERS):
                spot = _Spot(commit, path, blob, line)
                self._spots.setdefault(squeezed(text[line - 1]), []).append(spot)

    def _same_patch(self, work: Rewritten, hits: dict[str, set[_Place]]) -> list[str]:
        """Return the commits with the same patch, the newest first."""
        likely = sorted(hits, key=self._order.__getitem__)
        unknown = [each for each in (work.oid, *likely) if each not in self._patches]
        if likely:
            self._patches.update(dict.fromkeys(unknown, ""))
            self._patches.update(patch_ids(self._linked.repository, unknown))
        patch = self._patches.get(work.oid)
        same = [commit for commit in likely if patch and self._patches[commit] == patch]
        author = self._linked.author(work.oid) if same else ""
        lines = (key for path in work.open for _, key in self._explainer.open_lines(work, path))
        telling = sum(map(len, lines)) >= _BLOCK[1]
        return [commit for commit in same if telling or self._linked.author(commit) == author]

    def _by_content(self, work: Rewritten, hits: dict[str, set[_Place]]) -> None:
        whole = self._branches(work, set(hits))
        order = sorted(hits, key=self._order.__getitem__)
        sure = self._guesses(work, [commit for commit in order if commit in whole])
        self._settle(work, sure, set(sure))
        rest = self._guesses(work, [commit for commit in order if commit not in whole])
        self._settle(work, rest, _blocks(rest))

    def _settle(
        self, work: Rewritten, guesses: dict[_Place, _Guess], accepted: set[_Place]
    ) -> None:
        for path, line in sorted(_anchored(accepted, guesses)):
            guess = guesses[path, line]
            work.settle(path, line, guess.link, guess.commit)

    def _guesses(self, work: Rewritten, commits: Sequence[str]) -> dict[_Place, _Guess]:
        """Return open line → the newest commit that had it linked."""
        found: dict[_Place, _Guess] = {}
        for commit in commits:
            versions = {(each.path, each.blob) for each in self._linked.links(commit)}
            for source, blob in sorted(versions & {place[1:] for place in self._indexed}):
                old = self._linked.texts.lines(blob)
                linked = self._linked.lines(commit, source, blob)
                if not old or not linked:
                    continue
                texts = (old[line - 1] for line in linked if line <= len(old))
                for path in self._explainer.targets(work, source, texts):
                    for line, olds in self._explainer.matched(work, path, old):
                        links = {linked.get(each) for each in olds}
                        link = links.pop() if len(links) == 1 else None
                        if link is not None:
                            text = len(squeezed(old[olds[0] - 1]))
                            found.setdefault((path, line), _Guess(commit, link, text))
        self._unaligned(work, found, set(commits))
        return found

    def _unaligned(self, work: Rewritten, found: dict[_Place, _Guess], commits: set[str]) -> None:
        """Add lines that stand in another order now, where there is no doubt about which it is."""
        keys: dict[bytes, list[_Place]] = {}
        for path in work.open:
            for line, key in self._explainer.open_lines(work, path):
                keys.setdefault(key, []).append((path, line))
        for key, places in keys.items():
            spots = [spot for spot in self._spots.get(key, ()) if spot.commit in commits]
            if len(places) != 1 or places[0] in found or not spots:
                continue
            spot = min(spots, key=lambda each: self._order[each.commit])
            if sum(each.commit == spot.commit for each in spots) == 1:
                link = self._linked.lines(*spot[:3])[spot.line]
                found[places[0]] = _Guess(spot.commit, link, len(key))

    def _branches(self, work: Rewritten, commits: set[str]) -> set[str]:
        """Return those of the commits on a branch that this one has most of, or is made of."""
        found: set[str] = set()
        ours = set(self._linked.keys_of(work.files.values()))
        rest = {key for path in work.open for _, key in self._explainer.open_lines(work, path)}
        for tip, led in self._tips(commits):
            if led <= found:
                continue
            base = merge_base(self._linked.repository, tip, work.oid)
            theirs = self._linked.branch_keys(base, tip) if base else frozenset()
            both = theirs & rest
            squashed = len(theirs) > 1 and len(theirs & ours) >= _BRANCH_SHARE * len(theirs)
            author = self._linked.author(work.oid) if both else ""
            sure = sum(map(len, both)) >= _LETTERS or any(
                self._linked.author(commit) == author for commit in led
            )
            if squashed or (both and sure and len(both) >= _SHARE * len(rest)):
                found |= led
        return found

    def _tips(self, commits: set[str]) -> list[tuple[str, set[str]]]:
        """Return commits that the given ones lead to: ends of branches, then they themselves."""
        above: dict[str, list[str]] = {}  # commit → its tips, the newest first
        found: dict[str, set[str]] = {}
        for commit, parents in self.parents.items():  # children first
            tips = above.pop(commit, None) or [commit]
            if commit in commits:
                for tip in tips[:_MOST_TIPS]:
                    found.setdefault(tip, set()).add(commit)
            for parent in parents:
                if parent in self.parents:
                    there = above.setdefault(parent, [])
                    there += [tip for tip in tips if tip not in there][:_MOST_TIPS]
        found.update({commit: {commit} for commit in commits if commit not in found})
        return list(found.items())[: 4 * _MOST_TIPS]


def _blocks(guesses: dict[_Place, _Guess]) -> set[_Place]:
    """Return the lines of runs from one commit that are too long to be chance."""
    lines, letters = _BLOCK
    return {
        place
        for run in _runs(guesses, guesses)
        if len(run) >= lines and sum(guesses[place].letters for place in run) >= letters
        for place in run
    }


def _anchored(accepted: set[_Place], guesses: dict[_Place, _Guess]) -> set[_Place]:
    """Leave out runs in which no line says anything."""
    runs = _runs(accepted, guesses)
    return {
        place
        for run in runs
        if any(guesses[each].letters >= MOVED_LETTERS for each in run)
        for place in run
    }


def _runs(places: Iterable[_Place], guesses: dict[_Place, _Guess]) -> list[list[_Place]]:
    runs: list[list[_Place]] = []
    for place in sorted(places):
        last = runs[-1][-1] if runs else ("", 0)
        follows = (
            last[0] == place[0] and place[1] - last[1] <= 2
        )  # a line between that says nothing
        if follows and guesses[last].commit == guesses[place].commit:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs
