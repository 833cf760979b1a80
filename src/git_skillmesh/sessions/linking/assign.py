"""The links of one commit: evidence weighed, one exchange a line.

In: what a commit changed, and the corpus. Out: `Link`s. docs/linking.md explains each kind of
evidence and the confidence. A gap beats a wrong attribution: what two sessions may have done
without leaving their lines is linked to neither.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ...git.commits import Commit
from ...git.diffs import CommitChange, FileChange
from ..links import Evidence, Link, parse_ranges, ranges_of
from .blanks import with_blank_lines
from .corpus import Candidate, Corpus, Named
from .evidence import (
    LEAST,
    Claim,
    FileLines,
    Window,
    claims,
    reflowed,
    replayed,
    weights,
    without_remains,
)
from .lines import decode, normal, weight
from .moves import Move, moved_lines
from .written import RECORDED, UNKNOWN

_DAY = 86_400_000
_SECOND = 1000
_REBASED = 6 * 3600 * _SECOND  # what is taken for new where the times of parents tell nothing
_LEAST_REMOVED = 12
_MOST_LINES = 50_000  # a larger file is generated, or data

# Lines of the parent → the commit that brought the line, and the link that it has there.
LinkBefore = Callable[[list[Move]], Mapping[Move, tuple[str, Link]]]


@dataclass(slots=True)
class _Found:
    """What speaks for one exchange, in one file, by one kind of evidence."""

    lines: set[int] = field(default_factory=set)
    confidence: float = 0.0

    def add(self, line: int, confidence: float) -> None:
        self.lines.add(line)
        self.confidence += confidence


def window_of(change: CommitChange, parent: Commit | None, days: int) -> Window:
    """Return when the work on a commit may have been done: at most so many days before."""
    authored = min(change.authored, change.committed) * _SECOND + _SECOND
    # A commit that was moved onto a later parent was begun before that one was committed.
    begun = (parent.time, parent.author_time) if parent else ()
    before = max((time * _SECOND for time in begun if time < change.authored), default=0)
    since = authored - days * _DAY
    work = before or (authored - _REBASED if parent else since)
    return Window(since, max(work, since), authored, change.committed * _SECOND + _SECOND)


class Assigner:
    """Makes the links of commits. `use_quotes` and `use_commands` are off only to measure."""

    def __init__(
        self, corpus: Corpus, read_blob: Callable[[str], bytes | None], *,
        use_quotes: bool = True, use_commands: bool = True,
    ) -> None:  # fmt: skip
        self._corpus = corpus
        self._read_blob = read_blob
        self._use_quotes = use_quotes
        self._use_commands = use_commands

    def links(self, change: CommitChange, window: Window, before: LinkBefore) -> list[Link]:
        """Return the links of a commit."""
        makers = self._makers(change, window)
        families = {self._corpus.source(maker.exchange).family for maker, _ in makers.values()}
        found = [self._whole(maker, how) for maker, how in makers.values()]
        moves = moved_lines(change) if len(change.parents) < 2 else [{} for _ in change.files]
        own = [self._claimed(*pair, window) for pair in zip(change.files, moves, strict=True)]
        taken = {
            (claim.writing.id, normal(decode(added[number])))
            for added, claimed in zip((file.added for file in change.files), own, strict=True)
            for number, claim in claimed.items()
        }
        silent: list[FileChange] = []
        for file, moved, claimed in zip(change.files, moves, own, strict=True):
            links = self._of_claims(file, claimed, families)
            if len(change.parents) < 2:
                away = self._written_elsewhere(file, {*claimed, *moved}, window, taken)
                links += self._of_claims(file, away, families, away=True)
                claimed |= away
            rest = {number: move for number, move in moved.items() if number not in claimed}
            links += _of_moves(file, rest, before)
            links = with_blank_lines(file, links)
            if not links and len(change.parents) < 2:
                links = self._of_removal(file, window, families)
            if not links and len(change.parents) < 2:
                silent.append(file)
            found += links
        for file in silent:
            found += self._of_names(file, window, families)
        return found + self._noted(change)

    def _makers(self, change: CommitChange, window: Window) -> dict[int, tuple[Named, Evidence]]:
        """Return the exchange that ran `git commit`, if that is known."""
        found: dict[int, tuple[Named, Evidence]] = {}
        if self._use_quotes:
            for quote in self._corpus.quotes(change.commit):
                found[quote.exchange] = quote, Evidence.QUOTED
        if found or not self._use_commands or not normal(change.subject):
            return found
        subject = normal(change.subject)
        latest = window.until - 900 * _SECOND
        for run in self._corpus.commits_run(latest, window.until):
            if subject in normal(run.value):
                return {run.exchange: (run, Evidence.COMMAND)}
        return {}

    def _whole(self, maker: Named, how: Evidence) -> Link:
        source = self._corpus.source(maker.exchange)
        confidence = 0.99 if how == Evidence.QUOTED else 0.9
        return Link(source.session, source.exchange, confidence, how)

    def _noted(self, change: CommitChange) -> list[Link]:
        """Return what git-ai had noted of the commit before it was imported."""
        found = []
        files = {file.new_path: file for file in change.files}
        noted = self._corpus.attributed(change.commit) if self._use_quotes else []
        for exchange, path, text in noted:
            try:
                ranges = parse_ranges(text)
            except ValueError:
                continue
            if path in files and ranges:
                source, blob = self._corpus.source(exchange), files[path].new_blob
                about = source.session, source.exchange, 0.95, Evidence.QUOTED
                found.append(Link(*about, path, blob, ranges))
        return found

    # -- lines -------------------------------------------------------------------------------------

    def _claimed(
        self, file: FileChange, moved: Mapping[int, Move], window: Window
    ) -> dict[int, Claim]:
        """Return number of an added line → who wrote it into this file."""
        added = {number: decode(line) for number, line in file.added.items()}
        kept = {number for number, move in moved.items() if move.exact}
        new = {number: line for number, line in added.items() if number not in kept}
        found = self._written(file, new, window) if new else {}
        # White space alone is no new work, unless the very bytes were recorded.
        return {
            number: claim
            for number, claim in found.items()
            if number not in moved or (claim.exact and claim.writing.kind == RECORDED)
        }

    def _written(
        self, file: FileChange, new: Mapping[int, str], window: Window
    ) -> dict[int, Claim]:
        corpus = self._corpus
        paths = self._paths(file, window)
        newest = corpus.newest(paths, window.since, window.until)
        if not newest:
            return {}
        asked = {text for line in new.values() if weight(text := normal(line)) > 0}
        writers = corpus.writers(paths, asked, window.since, window.until)
        lines = self._file_lines(file, new)
        weigh = weights(lines, corpus.files_with)
        found = claims(lines, corpus.candidates(writers), weigh, window)
        free = [n for n in lines.added if n not in found and lines.normal[n]]
        if free:
            more = corpus.candidates({*newest, *writers})
            found |= replayed(file.hunks, free, more, window)
            free = [n for n in free if n not in found]
            found |= reflowed(lines, free, more, window)
        return {line + 1: claim for line, claim in found.items()}

    def _written_elsewhere(
        self, file: FileChange, done: set[int], window: Window, taken: set[tuple[int, str]]
    ) -> dict[int, Claim]:
        """Return claims to lines that were just written to another file, and are not in that one.

        Somebody has moved them before they were committed. Lines that two families wrote are
        nobody's.
        """
        new = {number: decode(line) for number, line in file.added.items() if number not in done}
        asked = {text for line in new.values() if weight(text := normal(line)) >= LEAST}
        writers = self._corpus.writers_anywhere(asked, window.work, window.until)
        if not writers:
            return {}
        lines = self._file_lines(file, new)
        weigh = weights(lines, self._corpus.files_with)
        families: dict[str, list[Candidate]] = defaultdict(list)
        for candidate in self._corpus.candidates(writers):
            families[self._corpus.source(candidate.exchange).family].append(candidate)
        found: dict[int, list[Claim]] = defaultdict(list)
        for candidates in families.values():
            for line, claim in claims(lines, candidates, weigh, window, strict=True).items():
                if (claim.writing.id, lines.normal[line]) not in taken:
                    found[line].append(claim)
        alone = {line: rivals[0] for line, rivals in found.items() if len(rivals) == 1}
        alone = without_remains(lines, alone, weigh, window, strict=True)
        return {line + 1: claim for line, claim in alone.items()}

    def _of_claims(
        self, file: FileChange, claimed: Mapping[int, Claim], families: set[str], *,
        away: bool = False,
    ) -> list[Link]:  # fmt: skip
        groups: dict[tuple[int, Evidence], _Found] = defaultdict(_Found)
        for number, claim in claimed.items():
            evidence, confidence = self._weighed(claim, families, away=away)
            groups[claim.writing.exchange, evidence].add(number, confidence)
        links = []
        for (exchange, evidence), group in groups.items():
            source = self._corpus.source(exchange)
            mean = round(group.confidence / len(group.lines), 3)
            ranges = ranges_of(group.lines)
            links.append(
                Link(
                    source.session,
                    source.exchange,
                    mean,
                    evidence,
                    file.path,
                    file.new_blob,
                    ranges,
                )
            )
        return links

    def _paths(self, file: FileChange, window: Window) -> list[int]:
        """Return the paths under which agents may have written a file."""
        names = {file.new_path, file.old_path} - {""}
        for path in list(names):
            for origin in self._corpus.origins(path, window.work, window.until):
                names.add(origin.name)
        return [number for name in sorted(names) for number in self._corpus.paths(name)]

    def _file_lines(self, file: FileChange, new: Mapping[int, str]) -> FileLines:
        """Return the lines of the new file, or just the added ones where it is too large."""
        data = self._read_blob(file.new_blob)
        lines: list[str | None] = []
        if data is not None and data.count(b"\n") < _MOST_LINES:
            lines = [decode(line) for line in data.split(b"\n")]
        else:
            lines = [None] * max(new)
            for number, line in new.items():
                lines[number - 1] = line
        return FileLines(lines, [number - 1 for number in new])

    def _weighed(self, claim: Claim, families: set[str], *, away: bool) -> tuple[Evidence, float]:
        away = away or claim.writing.is_elsewhere
        sure = claim.writing.kind == RECORDED and claim.exact and not away
        evidence = Evidence.EDIT if sure else Evidence.CONTENT
        confidence = (0.98 if sure else 0.9) * (1 - 0.5 ** (claim.weight / 8))
        if away:
            confidence *= 0.8
        if claim.writing.at == UNKNOWN:
            confidence *= 0.7
        if self._corpus.source(claim.writing.exchange).family in families:
            confidence = 1 - (1 - confidence) / 2
        return evidence, confidence

    # -- files -------------------------------------------------------------------------------------

    def _of_removal(self, file: FileChange, window: Window, families: set[str]) -> list[Link]:
        """Return who took away the lines that a file lost."""
        corpus = self._corpus
        removed = [normal(decode(line)) for line in file.removed.values()]
        asked = {line for line in removed if weight(line) > 0}
        if not asked:
            return []
        paths = self._paths(file, window)
        writers = corpus.writers(paths, asked, window.work, window.until, gone=True)
        best: tuple[int, int, Candidate] | None = None
        for candidate in corpus.candidates(writers):
            rank = writers[candidate.id], candidate.at
            if best is None or rank > best[:2]:
                best = *rank, candidate
        if best is None:
            return []
        said = sum(weight(line) for line in asked) * best[0] / len(asked)
        if said < _LEAST_REMOVED and best[0] < len(asked):
            return []
        source = corpus.source(best[2].exchange)
        confidence = 0.9 * (1 - 0.5 ** (max(said, 4) / 8))
        if source.family in families:
            confidence = 1 - (1 - confidence) / 2
        return [self._on_file(source.session, source.exchange, confidence, Evidence.EDIT, file)]

    def _of_names(self, file: FileChange, window: Window, families: set[str]) -> list[Link]:
        """Return whose commands named a file while the commit was worked on, if one alone did."""
        corpus = self._corpus
        named: dict[str, Named] = {}
        for path in {file.new_path, file.old_path} - {""}:
            for event in corpus.named(path, window.work, window.until):
                family = corpus.source(event.exchange).family
                if family not in named or named[family].at < event.at:
                    named[family] = event
        if families:
            named = {family: event for family, event in named.items() if family in families}
        if len(named) != 1:
            return []
        [(family, event)] = named.items()
        source = corpus.source(event.exchange)
        confidence = 0.8 if family in families else 0.5
        return [self._on_file(source.session, source.exchange, confidence, Evidence.FILES, file)]

    def _on_file(
        self, session: str, exchange: str, confidence: float, evidence: Evidence, file: FileChange
    ) -> Link:
        return Link(session, exchange, round(confidence, 3), evidence, file.path, file.new_blob)


def _of_moves(file: FileChange, moves: Mapping[int, Move], before: LinkBefore) -> list[Link]:
    """Return the links that moved lines had."""
    if not moves:
        return []
    old = before(list(moves.values()))
    groups: dict[Link, set[int]] = defaultdict(set)
    for number, move in moves.items():
        if move in old:
            commit, link = old[move]
            via = tuple(dict.fromkeys((*link.via, commit)))
            confidence = round(link.confidence * 0.95, 3)
            moved = replace(link, confidence=confidence, evidence=Evidence.MOVED, via=via)
            groups[replace(moved, path=file.new_path, blob=file.new_blob, ranges=())].add(number)
    return [replace(link, ranges=ranges_of(lines)) for link, lines in groups.items()]
