"""One rewritten commit, and what its predecessors say about its lines.

In: a commit, predecessors known for certain. Out: links for the lines that they had links for. A
line that a predecessor knows as somebody's own, without a link, is settled too: nobody else is
asked about it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ..git.added import Addition
from ..git.origins import origins
from .alignment import same_lines, squeezed, telling
from .linked import Linked
from .links import Link, ranges_of

MOVED_LETTERS = 12  # letters of a line that is found again elsewhere
_Place = tuple[str, int]


@dataclass(slots=True)
class Rewritten:
    """A commit whose links are looked for.

    `open` are the added lines that nothing is known about yet, `said` is in which files they
    stand, `found` what was found out.
    """

    oid: str
    files: dict[str, Addition]
    open: dict[str, set[int]]
    said: dict[bytes, set[str]] = field(default_factory=dict)
    found: dict[_Place, Link] = field(default_factory=dict)
    whole: list[Link] = field(default_factory=list)

    def settle(self, path: str, line: int, link: Link | None, before: str) -> None:
        """Take a line as linked in the commit `before`; without a link, leave it open."""
        if link is not None:
            self.open[path].discard(line)
            self.found[path, line] = _carried(link, before, self.oid)

    def links(self) -> list[Link]:
        """Return what was found as links of this commit."""
        groups: dict[tuple[str, Link], list[int]] = {}
        for (path, line), link in self.found.items():
            groups.setdefault((path, replace(link, path="", blob="", ranges=())), []).append(line)
        lines = [
            replace(link, path=path, blob=self.files[path].blob, ranges=ranges_of(numbers))
            for (path, link), numbers in groups.items()
        ]
        return [*lines, *dict.fromkeys(self.whole)]


def _carried(link: Link, before: str, commit: str) -> Link:
    via = dict.fromkeys((*link.via, before) if before else link.via)
    via.pop(commit, None)
    return replace(link, via=tuple(via))


class Explainer:
    """Follows lines from predecessors to a commit."""

    def __init__(self, linked: Linked) -> None:
        self.linked = linked
        self.texts = linked.texts

    def begin(self, commit: str) -> Rewritten:
        """Return the commit with all that it added open, but what is validly linked already."""
        additions = self.linked.additions(commit)
        files = {each.path: each for each in additions}
        rewritten = Rewritten(commit, files, {})
        for path, addition in files.items():
            if addition.blob and self.texts.lines(addition.blob) is not None:
                there = self.linked.lines(commit, path, addition.blob)
                rewritten.open[path] = set(addition.lines()) - there.keys()
                for _, key in self.open_lines(rewritten, path):
                    rewritten.said.setdefault(key, set()).add(path)
        return rewritten

    def explain(self, work: Rewritten, before: Sequence[str]) -> None:
        """Settle lines by commits that became this one, the newest first."""
        for commit in before:
            used: set[_Place] = set()
            for addition in self.linked.additions(commit):
                self._align(work, commit, addition, used)
            self._find_moved(work, commit, used)
            self._whole(work, commit)
        for commit in before:
            own = {each.path: set(each.lines()) for each in self.linked.additions(commit)}
            self.as_it_stood(work, commit, own)

    def _align(self, work: Rewritten, commit: str, addition: Addition, used: set[_Place]) -> None:
        old = self.texts.lines(addition.blob)
        if old is None:
            return
        own = set(addition.lines())
        linked = self.linked.lines(commit, addition.path, addition.blob)
        for path in self.targets(work, addition.path, (old[line - 1] for line in own)):
            for line, olds in self.matched(work, path, old):
                if all(each in own for each in olds):
                    links = {linked.get(each) for each in olds}
                    work.settle(path, line, links.pop() if len(links) == 1 else None, commit)
                    used.update((addition.path, each) for each in olds)

    def matched(
        self, work: Rewritten, path: str, old: Sequence[bytes]
    ) -> list[tuple[int, tuple[int, ...]]]:
        """Return (open line, the old lines it is), counted from 1."""
        new = self.texts.lines(work.files[path].blob)
        if new is None or not work.open[path]:
            return []
        pairs = same_lines(old, new).items()
        return [
            (line + 1, tuple(each + 1 for each in olds))
            for line, olds in pairs
            if line + 1 in work.open[path]
        ]

    def targets(self, work: Rewritten, path: str, lines: Iterable[bytes]) -> list[str]:
        """Return the files that lines of `path` may be in now: the same, then by what they say."""
        keys = {squeezed(line) for line in lines if telling(line, MOVED_LETTERS)}
        shared = Counter(other for key in keys for other in work.said.get(key, ()))
        shared.pop(path, None)
        same = [path] if work.open.get(path) else []
        return same + [other for other, _ in shared.most_common() if work.open[other]]

    def open_lines(self, work: Rewritten, path: str) -> list[tuple[int, bytes]]:
        """Return (line, its text without white space) of open lines that say something."""
        new = self.texts.lines(work.files[path].blob) or []
        return [
            (line, squeezed(new[line - 1]))
            for line in sorted(work.open[path])
            if line <= len(new) and telling(new[line - 1], MOVED_LETTERS)
        ]

    def _find_moved(self, work: Rewritten, commit: str, used: set[_Place]) -> None:
        """Find lines that stand in another order or another file now, each there only once."""
        news: dict[bytes, list[_Place]] = {}
        for path in work.open:
            for line, key in self.open_lines(work, path):
                news.setdefault(key, []).append((path, line))
        if not news:
            return
        own: dict[_Place, bytes] = {}
        blobs: dict[str, str] = {}
        for addition in self.linked.additions(commit):
            old = self.texts.lines(addition.blob)
            blobs[addition.path] = addition.blob
            for line in addition.lines() if old else ():
                if (addition.path, line) not in used and old and line <= len(old):
                    own[addition.path, line] = squeezed(old[line - 1])
        olds: dict[bytes, list[_Place]] = {}
        for place, key in own.items():
            if key in news:
                olds.setdefault(key, []).append(place)
        linked = {path: self.linked.lines(commit, path, blob) for path, blob in blobs.items()}
        for key, places in olds.items():
            if len(places) == len(news[key]) == 1:
                self._follow(work, commit, places[0], news[key][0], own, linked)

    def _follow(
        self,
        work: Rewritten,
        commit: str,
        old: _Place,
        new: _Place,
        own: dict[_Place, bytes],
        linked: dict[str, dict[int, Link]],
    ) -> None:
        """Settle a moved line, and the lines beside it that moved along."""
        text = self.texts.lines(work.files[new[0]].blob) or []
        for step in (0, 1, -1):
            o, n = old[1] + step, new[1] + step
            while (
                n in work.open[new[0]]
                and own.get((old[0], o)) == squeezed(text[n - 1])
            ):  # fmt: skip
                work.settle(new[0], n, linked[old[0]].get(o), commit)
                del own[old[0], o]
                o, n = o + step, n + step

    def _whole(self, work: Rewritten, commit: str) -> None:
        """Carry what is not about lines: a link of the commit, or of a file that lost some."""
        there = {(link.session, link.exchange, link.path) for link in self.linked.links(work.oid)}
        for link in self.linked.links(commit):
            if link.ranges or (link.path and link.path not in work.files):
                continue
            if (link.session, link.exchange, link.path) not in there:
                blob = work.files[link.path].blob if link.path else ""
                work.whole.append(replace(_carried(link, commit, work.oid), blob=blob))

    def as_it_stood(
        self, work: Rewritten, commit: str, asked: Mapping[str, set[int]] = MappingProxyType({})
    ) -> None:
        """Settle lines that stand in the files of a commit, but those that were asked for."""
        for path in [path for path, lines in work.open.items() if lines]:
            sources = dict.fromkeys((path, work.files[path].old_path))
            for source in filter(None, sources):
                old = self.texts.lines(self.texts.blob_at(commit, source)) or []
                pairs = {**self._once(work, path, old), **dict(self.matched(work, path, old))}
                known = asked.get(source, ())
                wanted = {
                    line: olds[0]
                    for line, olds in pairs.items()
                    if len(olds) == 1 and olds[0] not in known
                }
                came = origins(self.linked.repository, commit, source, wanted.values(), spaces=True)
                for line, place in wanted.items():
                    origin = came.get(place)
                    if origin is None or origin.commit == work.oid:
                        continue
                    blob = self.texts.blob_at(origin.commit, origin.path)
                    link = self.linked.lines(origin.commit, origin.path, blob).get(origin.line)
                    if link is not None:
                        work.settle(path, line, link, origin.commit)

    def _once(self, work: Rewritten, path: str, old: Sequence[bytes]) -> dict[int, tuple[int, ...]]:
        """Return open line → the old line that says the same, where there is one of each."""
        places: dict[bytes, list[int]] = {}
        for place, text in enumerate(old, 1):
            places.setdefault(squeezed(text), []).append(place)
        news = self.open_lines(work, path)
        times = Counter(key for _, key in news)
        return {
            line: (places[key][0],)
            for line, key in news
            if times[key] == 1 and len(places.get(key, ())) == 1
        }
