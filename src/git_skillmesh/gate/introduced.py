"""What a change brings in: findings at its head that its base did not have, on lines it adds.

In: rules, changed files, and a function that reads blobs. Out: `Introduced`. Nothing here knows of
commits, so that a replay of history asks the same question.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..git.changes import LARGEST, ChangedFile
from ..learnings.model import Learning, Severity, State
from .excerpts import Lines, fingerprint
from .matchers.model import Match, NotLookedAt, RuleError, TextFile
from .matchers.paths import ChangedPath, PathsMatcher
from .model import NO_REASON, UNUSED, Finding, Place, Suppressed, Unchecked
from .rules import Rule, Rules
from .suppress import Ignore, ignores

Read = Callable[[str], bytes | None]
_BINARY = 8192  # bytes in which a NUL tells that a file is no text


@dataclass(slots=True)
class Introduced:
    """What was found; `files` counts those that were looked at."""

    findings: list[Finding] = field(default_factory=list)
    suppressed: list[Suppressed] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)
    files: int = 0


def introduced(
    rules: Rules,
    files: Sequence[ChangedFile],
    read: Read,
    *,
    known: "frozenset[str]" = frozenset(),
    tell: Callable[[int, int], None] | None = None,
) -> Introduced:
    """Apply rules about content and paths to changed files.

    `known` are ids that a comment may name although no rule has them. `tell` is told of progress.
    """
    found = Introduced(files=len(files))
    _paths(rules, files, found)
    for number, file in enumerate(files):
        if tell is not None:
            tell(number, len(files))
        if file.conflict:
            found.unchecked.append(Unchecked(file.path, "has conflicts"))
        elif file.has_text and file.added() != frozenset():
            _File(rules, file, read, found, known).look()
    return found


def _paths(rules: Rules, files: Sequence[ChangedFile], found: Introduced) -> None:
    changed: list[ChangedPath] = []
    for learning in rules.paths:
        if not changed:
            changed = [_path_of(file) for file in files if not file.conflict]
        try:
            matcher = PathsMatcher(learning)
        except RuleError as error:
            rules.note_broken(learning, error)
            continue
        numbers: Counter[str] = Counter()
        for match in matcher.matches(changed):
            mark = fingerprint(learning.learning_id, match.path, "", numbers[match.path])
            numbers[match.path] += 1
            found.findings.append(finding(learning, Place(match.path), "", mark, match.why))


def _path_of(file: ChangedFile) -> ChangedPath:
    old_path = file.old_path if file.renamed else ""
    return ChangedPath(file.path, old_path, file.size, file.deleted, file.old_size)


def finding(
    learning: Learning, place: Place, text: str, mark: str, message: str = "", commit: str = ""
) -> Finding:
    """Return a finding of a learning."""
    return Finding(
        learning_id=learning.learning_id,
        title=learning.title,
        message=message or " ".join(learning.pattern.split()) or learning.title,
        place=place,
        text=text,
        severity=learning.severity,
        state=learning.state,
        fingerprint=mark,
        fix=learning.fix.text,
        commit=commit,
    )


class _File:
    """The look at one file."""

    def __init__(
        self,
        rules: Rules,
        file: ChangedFile,
        read: Read,
        found: Introduced,
        known: "frozenset[str]",
    ) -> None:
        self.rules, self.file, self.read, self.found = rules, file, read, found
        self.known = known
        self.added = file.added()
        self.text = TextFile(file.path, b"")
        self.lines = Lines(self.text)
        self._base: TextFile | None = None
        self.not_looked: set[str] = set()

    def look(self) -> None:
        """Note all that is to be said of the file."""
        file = self.file
        if file.size > LARGEST or not file.compared:
            if self.rules.about(file.path):
                self._leave_out(f"larger than {LARGEST // 1_000_000} MB")
            return
        data = self.read(file.blob)
        if data is None:
            self._leave_out("git does not have its content")
            return
        if b"\0" in data[:_BINARY]:
            if self.rules.particular(file.path):
                self._leave_out("binary")
            return
        self.text = TextFile(file.path, data)
        self.lines = Lines(self.text)
        excuses = _Excuses(self.text)
        rules = self.rules.about(file.path, data)
        likely = [rule for rule in rules if rule.may_match(self._looked_at(rule))]
        for rule in self.rules.usable(likely):
            if rule.matcher.may_match(self._looked_at(rule)):
                self._apply(rule, excuses)
        self._judge(excuses, {rule.learning.learning_id: rule for rule in rules})

    def _leave_out(self, why: str, learning_id: str = "") -> None:
        self.found.unchecked.append(Unchecked(self.file.path, why, learning_id))

    def _looked_at(self, rule: Rule) -> TextFile:
        return self._new_text if rule.by_line else self.text

    @property
    def _new_text(self) -> TextFile:
        """The added lines alone."""
        if self.added is None:
            return self.text
        if "added" not in self.text.kept:
            lines = self.text.data.split(b"\n")
            data = b"\n".join(lines[n - 1] for n in sorted(self.added) if n <= len(lines))
            self.text.kept["added"] = TextFile(self.text.path, data)
        kept: TextFile = self.text.kept["added"]
        return kept

    def _apply(self, rule: Rule, excuses: "_Excuses") -> None:
        new = self._matches(rule, self.text, self.added)
        if not new:
            return
        learning = rule.learning
        every = new if self.added is None else self._matches(rule, self.text, None)
        base, begins = self._at_base(rule)
        count = Counter(map(self.lines.key, every))
        candidates: dict[str, list[Match]] = defaultdict(list)
        for match in new:
            if not self._was_there(match, begins):
                candidates[self.lines.key(match)].append(match)
        chosen: list[tuple[Match, int]] = []
        for key, matches in candidates.items():
            extra = max(count[key], len(matches)) - base[key]
            matches.sort(key=partial(self._in_order, learning.learning_id, excuses))
            kept = sorted(matches[: max(extra, 0)], key=_place_of)
            # Counted after those of the base: which of several copies git takes for the new one
            # depends on lines that have nothing to do with it.
            chosen += [(match, base[key] + number) for number, match in enumerate(kept)]
        for match, number in sorted(chosen, key=lambda one: _place_of(one[0])):
            self._note(learning, match, number, excuses)

    @staticmethod
    def _in_order(learning_id: str, excuses: "_Excuses", match: Match) -> tuple[bool, int, int]:
        """Of lines with one text, some of them moved, those without an excuse are the new ones."""
        return excuses.of(learning_id, match.line) is not None, match.line, match.column

    def _matches(self, rule: Rule, text: TextFile, lines: "frozenset[int] | None") -> "list[Match]":
        """Return matches; where there are too many for the matcher, the first ones."""
        try:
            return list(rule.matcher.matches(text, lines))
        except NotLookedAt as error:
            name = rule.learning.learning_id
            if name not in self.not_looked:
                self.not_looked.add(name)
                self._leave_out(str(error), name)
            return [
                match
                for match in error.found
                if lines is None or not lines.isdisjoint(range(match.line, match.end_line + 1))
            ]

    def _at_base(self, rule: Rule) -> "tuple[Counter[str], set[int]]":
        """Return how often each text was found before, and the lines in which one began."""
        if not (self.file.old_blob and self.file.had_text):
            return Counter(), set()
        if self._base is None:
            data = self.read(self.file.old_blob) or b""
            # The new name decides on the language: a rename changes no content.
            self._base = TextFile(self.file.path, data if b"\0" not in data[:_BINARY] else b"")
        lines = Lines(self._base)
        found = self._matches(rule, self._base, None)
        return Counter(map(lines.key, found)), {match.line for match in found}

    def _was_there(self, match: Match, begins: "set[int]") -> bool:
        """Whether it began in the same line before: only something within it has changed."""
        if self.added is None or match.line in self.added:
            return False
        return self.file.old_line(match.line) in begins

    def _note(self, learning: Learning, match: Match, number: int, excuses: "_Excuses") -> None:
        place = Place(self.file.path, match.line, match.end_line, match.column, match.end_column)
        key = self.lines.normalised(match.line, match.end_line)
        mark = fingerprint(learning.learning_id, self.file.path, key, number)
        text = self.lines.shown(match.line, match.end_line)
        made = finding(learning, place, text, mark)
        ignore = excuses.of(learning.learning_id, match.line)
        if ignore is None:
            self.found.findings.append(made)
        else:
            self.found.suppressed.append(Suppressed(made, ignore.reason))

    def _judge(self, excuses: "_Excuses", rules: "dict[str, Rule]") -> None:
        """Note comments that the change adds and that have no reason, or excuse nothing."""
        numbers: Counter[str] = Counter()
        for ignore in excuses.all:
            if not ignore.certain or (self.added is not None and ignore.line not in self.added):
                continue
            for what, why in self._complaints(ignore, rules):
                text = self.lines.shown(ignore.line, ignore.line)
                key = self.lines.normalised(ignore.line, ignore.line)
                mark = fingerprint(what, self.file.path, key, numbers[what + key])
                numbers[what + key] += 1
                place = Place(
                    self.file.path, ignore.line, ignore.line, ignore.column, ignore.end_column
                )
                title = _TITLES[what]
                self.found.findings.append(
                    Finding(what, title, why, place, text, Severity.WARNING, State.WARN, mark)
                )

    def _complaints(self, ignore: Ignore, rules: "dict[str, Rule]") -> Iterator[tuple[str, str]]:
        if not ignore.reason:
            names = ", ".join(ignore.ids)
            yield NO_REASON, f"say why {names} does not hold here; it counts only with a reason"
            return
        for name in ignore.ids:
            if name in self.known or name in self.not_looked:
                continue
            rule = rules.get(name)
            if rule is None or not self._finds(rule, ignore):
                yield UNUSED, f"{name} finds nothing here"

    def _finds(self, rule: Rule, ignore: Ignore) -> bool:
        if not list(self.rules.usable([rule])):
            return True  # nobody knows
        wanted = frozenset(ignore.covers)
        matches = self._matches(rule, self.text, wanted)
        return rule.learning.learning_id in self.not_looked or any(
            match.line in wanted for match in matches
        )


_TITLES = {
    NO_REASON: "An ignore comment without a reason",
    UNUSED: "An ignore comment that excuses nothing",
}


def _place_of(match: Match) -> tuple[int, int, int, int]:
    return match.line, match.column, match.end_line, match.end_column


class _Excuses:
    """The ignore comments of a file, by line and learning."""

    def __init__(self, text: TextFile) -> None:
        self.all = ignores(text)
        self._by_place: dict[tuple[str, int], Ignore] = {}
        for ignore in self.all:
            if ignore.reason:
                for line in ignore.covers:
                    for name in ignore.ids:
                        self._by_place.setdefault((name, line), ignore)

    def of(self, learning_id: str, line: int) -> Ignore | None:
        """Return the comment that excuses a finding in a line."""
        return self._by_place.get((learning_id, line))
