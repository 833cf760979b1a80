"""Take secrets out of text before anything is written.

In: text, or an exchange. Out: the same with every secret replaced by a placeholder such as
`REDACTED_AWS_ACCESS_KEY`, and findings that say which rule, where and how long, never what.

RE2 looks for anchors in one pass over the bytes, so the time is linear whatever the text is; what
an anchor stands for is then decided within bounds. Redacting again changes nothing.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from ..errors import ConfigurationError
from .model import Edit, Exchange, ToolCall
from .personal import IMAGES, PERSONAL, image_note
from .redaction_policy import Policy
from .secret_contexts import CONTEXTS, RANDOM
from .secret_model import Context
from .secret_tokens import TOKENS, Token
from .secret_values import free_left, free_right

RULES: tuple[Token | Context, ...] = (
    *TOKENS, *CONTEXTS, RANDOM, *PERSONAL.values(), *IMAGES,
)  # fmt: skip
# A key of any kind ends before this; what is longer is cut there and the rest looked at again.
_LONGEST_TOKEN = 20_000
_ROUNDS = 16
_INERT = frozenset({"home-name", "image"})
_RULE_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_DOCUMENTED = re.compile(rb"EXAMPLE|(?i:x{5}|example|your|placeholder)|0{8}|1234567|abcdefg|\*{3}")


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret that was taken out: characters `start` to `end` of the original text."""

    rule: str
    start: int
    end: int

    @property
    def length(self) -> int:
        """How many characters went."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Redacted:
    """Text without its secrets, and what was found, in the order of the text."""

    text: str
    findings: tuple[Finding, ...]


class _Span(NamedTuple):
    start: int
    end: int
    rank: int
    rule: str


def placeholder(rule: str) -> str:
    """Return what stands for a secret: letters and `_`, safe in JSON, code, URLs and shells."""
    return "REDACTED_" + rule.upper().replace("-", "_")


def public_prefix(rule: str, text: str) -> str:
    """Return the beginning that every key of a rule has, "" for what must not be shown at all."""
    for token in TOKENS:
        if token.name == rule and token.public:
            found = re.match(token.anchor, text)
            if found is not None:
                return found[0]
    return ""


@dataclass(frozen=True)
class Redactor:
    """Redacts by one policy. Raises `ConfigurationError` for a pattern that is none."""

    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.policy.personal) - set(PERSONAL))
        if unknown:
            raise ConfigurationError(
                f"redaction.pii names {unknown[0]!r}", f"it can be {', '.join(PERSONAL)}"
            )
        _ = self._own, self._allowed

    def redact(self, text: str, *, images: bool = True) -> Redacted:
        """Return the text without secrets; the same text always gives the same result."""
        data = text.encode("utf-8", "surrogatepass")
        spans = self._settled(data, images and self.policy.images)
        if not spans:
            return Redacted(text, ())
        out, _ = _render(data, spans)
        return Redacted(out.decode("utf-8", "surrogatepass"), tuple(_findings(data, spans)))

    def redact_exchange(self, exchange: Exchange) -> tuple[Exchange, tuple[Finding, ...]]:
        """Return the exchange with every text redacted; places are within the text of a field.

        Identifiers, times and commits stay. What an edit wrote keeps its pictures, because its
        bytes are compared with those of commits.
        """
        found: list[Finding] = []

        def clean(text: str) -> str:
            result = self.redact(text)
            found.extend(result.findings)
            return result.text

        def code(text: str | None) -> str | None:
            if text is None:
                return None
            result = self.redact(text, images=False)
            found.extend(result.findings)
            return result.text

        def edit(entry: Edit) -> Edit:
            return replace(
                entry, path=clean(entry.path), before=code(entry.before), after=code(entry.after),
                moved_from=clean(entry.moved_from),
            )  # fmt: skip

        def call(entry: ToolCall) -> ToolCall:
            return replace(
                entry, name=clean(entry.name), input=clean(entry.input), output=clean(entry.output),
                paths=tuple(map(clean, entry.paths)), edits=tuple(map(edit, entry.edits)),
            )  # fmt: skip

        redacted = replace(
            exchange, prompt=clean(exchange.prompt), response=clean(exchange.response),
            model=clean(exchange.model), tools=tuple(map(call, exchange.tools)),
        )  # fmt: skip
        return redacted, tuple(found)

    # -- the rounds ------------------------------------------------------------------------------

    def _settled(self, data: bytes, images: bool) -> list[_Span]:
        """Look again at what came out, until nothing more is found: that is idempotence."""
        spans = _merged(data, self._found(data, images))
        # What stands for a name or a picture gives nothing else a new meaning.
        inert = not self._own and all(span.rule in _INERT for span in spans)
        for _ in range(0 if inert else _ROUNDS):
            out, moved = _render(data, spans)
            more = self._found(out, images)
            if not more:
                break
            spans = _merged(data, [*spans, *(_original(span, moved) for span in more)])
        return spans

    def _found(self, data: bytes, images: bool) -> list[_Span]:
        """Return what has to go, without what is a placeholder already."""
        found = list(self._scan(data, images))
        if not found or b"REDACTED_" not in data:
            return found
        notes = [match.span() for match in self._placeholders.finditer(data)]
        ends = [end for _, end in notes]

        def is_note(span: _Span) -> bool:
            index = bisect_right(ends, span.start)
            place = span.start
            while place < span.end and index < len(notes) and notes[index][0] <= place:
                place = notes[index][1]
                index += 1
            return place >= span.end

        return [span for span in found if not is_note(span)]

    def _scan(self, data: bytes, images: bool) -> Iterator[_Span]:
        for search, entries in self._searches:
            resume = 0
            while (anchor := search.search(data, resume)) is not None:
                start, end = anchor.span()
                resume = start + 1
                for entry in entries.at(data, start, end):
                    for span in entry.find(data, start, end if entries.single else -1):
                        if not self._allows(data[span[0] : span[1]]):
                            yield _Span(*span, entry.rank, entry.name)
                            if isinstance(entry.rule, Token):  # else a surer rule may hold inside
                                resume = max(resume, span[1])
        if images:
            yield from self._pictures(data)
        for rank, (name, pattern) in enumerate(self._own):
            for match in pattern.finditer(data):
                start, end = match.span(1 if pattern.groups else 0)
                if end > start and not self._allows(data[start:end]):
                    yield _Span(start, end, rank - 1000, name)

    def _pictures(self, data: bytes) -> Iterator[_Span]:
        if b"base64" not in data and b"data" not in data:
            return
        for search, entries in self._image_searches:
            for anchor in search.finditer(data):
                for entry in entries.at(data, *anchor.span()):
                    for span in entry.find(data, *anchor.span()):
                        yield _Span(*span, -2000, entry.name)

    def _allows(self, value: bytes) -> bool:
        exact, patterns = self._allowed
        return value in exact or any(pattern.fullmatch(value) for pattern in patterns)

    # -- the patterns, compiled when first needed ------------------------------------------------

    @cached_property
    def _searches(self) -> list[tuple[Any, "_Entries"]]:
        personal = tuple(PERSONAL[kind] for kind in PERSONAL if kind in self.policy.personal)
        shaped = tuple(rule for rule in TOKENS if rule.before)
        plain = tuple(rule for rule in TOKENS if not rule.before)
        return [
            _union((*plain, *CONTEXTS), 0),
            *(_union((rule,), 0) for rule in shaped),
            _union((RANDOM,), len(RULES)),
            *(_union((kind,), len(RULES) + 1) for kind in personal),
        ]

    @cached_property
    def _image_searches(self) -> list[tuple[Any, "_Entries"]]:
        return [_union((kind,), 0) for kind in IMAGES]

    @cached_property
    def _placeholders(self) -> "re.Pattern[bytes]":
        names = {rule.name for rule in RULES} | {name for name, _ in self.policy.rules}
        notes = sorted((placeholder(name).encode() for name in names), key=len, reverse=True)
        return re.compile(
            b"(?:" + b"|".join(notes) + rb")(?::image/[a-z0-9.+-]+:\d+:sha256:[0-9a-f]{64})?"
        )

    @cached_property
    def _own(self) -> list[tuple[str, Any]]:
        found = []
        for name, pattern in self.policy.rules:
            if not _RULE_NAME.fullmatch(name):
                raise ConfigurationError(
                    f"redaction.rules has a rule named {name!r}", "use a-z, 0-9 and -"
                )
            found.append((name, _user_pattern(pattern, f"redaction.rules, {name}")))
        return found

    @cached_property
    def _allowed(self) -> tuple[frozenset[bytes], list[Any]]:
        exact, patterns = set(), []
        for entry in self.policy.allow:
            if len(entry) > 2 and entry[0] == entry[-1] == "/":
                patterns.append(_user_pattern(entry[1:-1], "redaction.allow"))
            elif entry:
                exact.add(entry.encode("utf-8", "surrogatepass"))
        return frozenset(exact), patterns


class _Entry:
    """A rule ready to decide: does it hold where the anchor was found?"""

    def __init__(self, rule: Token | Context, rank: int) -> None:
        self.rule = rule
        self.rank = rank
        self.name = rule.name

    def find(self, data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the pieces that have to go. `end` is where the anchor ends, -1 if not known."""
        rule = self.rule
        if isinstance(rule, Context):
            if end < 0:
                anchor = self._pattern.match(data, start)
                if anchor is None:
                    return
                end = anchor.end()
            yield from rule.find(data, start, end)
            return
        match = self._pattern.match(data, start, start + _LONGEST_TOKEN)
        if match is None:
            return
        begin, end = match.span()
        if rule.before:
            front = self._before.search(data[max(0, start - 64) : start])
            if front is None:
                return
            begin -= len(front[0])
        if rule.loose and not (free_left(data, begin) and free_right(data, end)):
            return
        text = data[begin:end]
        if _DOCUMENTED.search(text) is None and len(set(text)) > 6:
            yield begin, end

    @cached_property
    def _pattern(self) -> Any:
        rest = self.rule.rest if isinstance(self.rule, Token) else ""
        return _compile((self.rule.anchor + rest).encode())

    @cached_property
    def _before(self) -> "re.Pattern[bytes]":
        return re.compile(f"(?:{getattr(self.rule, 'before', '')})\\Z".encode())


class _Entries:
    """The rules of one search, and which of them an anchor belongs to."""

    def __init__(self, rules: Sequence[Token | Context], rank: int) -> None:
        self._all = [_Entry(rule, rank + number) for number, rule in enumerate(rules)]
        self.single = len(rules) == 1

    def at(self, data: bytes, start: int, end: int) -> list[_Entry]:
        """Return the rules whose anchor stands here, the surest first."""
        if self.single:
            return self._all
        found = self._set.Match(data[start : max(end, start + 80)])
        return [self._all[number] for number in sorted(found or ())]

    @cached_property
    def _set(self) -> Any:
        import re2

        found = re2.Set.MatchSet(_options())
        for entry in self._all:
            found.Add(f"\\A(?:{entry.rule.anchor})".encode())
        found.Compile()
        return found


def _union(rules: Sequence[Token | Context], rank: int) -> tuple[Any, _Entries]:
    pattern = "|".join(f"(?:{rule.anchor})" for rule in rules)
    return _compile(pattern.encode()), _Entries(rules, rank)


def _compile(pattern: bytes) -> Any:
    import re2  # a compiled module: only where text is redacted

    return re2.compile(pattern, _options())


def _options() -> Any:
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes as they are
    options.max_mem = 64 << 20
    return options


def _user_pattern(pattern: str, where: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else error
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ConfigurationError(
            f"{where}: {pattern!r} is no RE2 pattern", reason or "see docs/redaction.md"
        ) from None


def _merged(data: bytes, found: Iterator[_Span] | list[_Span]) -> list[_Span]:
    """Join what overlaps under the name of the surest rule, never within a character."""
    merged: list[_Span] = []
    for start, end, rank, rule in sorted(found):
        while start and data[start] & 0xC0 == 0x80:
            start -= 1
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end += 1
        touches = merged and start == merged[-1].end and rule == merged[-1].rule
        if merged and (start < merged[-1].end or touches):
            last = merged.pop()
            rank, rule = min((last.rank, last.rule), (rank, rule))
            start, end = last.start, max(last.end, end)
        merged.append(_Span(start, end, rank, rule))
    return merged


def _render(data: bytes, spans: list[_Span]) -> tuple[bytes, list[tuple[int, int, int, int]]]:
    """Return the text with placeholders, and where each came to stand: (new, new, old, old)."""
    pieces: list[bytes] = []
    moved: list[tuple[int, int, int, int]] = []
    position = length = 0
    for span in spans:
        kept = data[position : span.start]
        note = _note(data, span)
        pieces += (kept, note)
        begin = length + len(kept)
        length = begin + len(note)
        moved.append((begin, length, span.start, span.end))
        position = span.end
    pieces.append(data[position:])
    return b"".join(pieces), moved


def _note(data: bytes, span: _Span) -> bytes:
    if span.rule == "image":
        return image_note(data, span.start, span.end)
    if data[span.start : span.end].isdigit():
        before = data[max(0, span.start - 8) : span.start].rstrip()[-1:]
        after = data[span.end : span.end + 8].lstrip()[:1]
        if before in b":,[" and after in b",]}":
            return b"0"  # a number of JSON has no room for words
    return placeholder(span.rule).encode()


def _original(span: _Span, moved: list[tuple[int, int, int, int]]) -> _Span:
    """Return where a span of the rendered text is in the original one."""
    ends = [new_end for _, new_end, _, _ in moved]

    def back(place: int, at_end: bool) -> int:
        index = bisect_left(ends, place) if at_end else bisect_right(ends, place)
        if index < len(moved):
            new_start, _, old_start, old_end = moved[index]
            if place > new_start or (place == new_start and not at_end):
                return old_end if at_end else old_start
        return place + (moved[index - 1][3] - ends[index - 1] if index else 0)

    return span._replace(start=back(span.start, False), end=back(span.end, True))


def _findings(data: bytes, spans: list[_Span]) -> Iterator[Finding]:
    if data.isascii():
        yield from (Finding(span.rule, span.start, span.end) for span in spans)
        return
    byte = character = 0
    for span in spans:
        character += len(data[byte : span.start].decode("utf-8", "surrogatepass"))
        length = len(data[span.start : span.end].decode("utf-8", "surrogatepass"))
        yield Finding(span.rule, character, character + length)
        byte, character = span.end, character + length
