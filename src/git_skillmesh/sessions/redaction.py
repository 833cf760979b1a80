"""Take secrets out of text before anything is written.

In: text, or an exchange. Out: the same with every secret replaced by a placeholder such as
`REDACTED_AWS_ACCESS_KEY`, and findings that say which rule, where and how long, never what.

RE2 looks for anchors in one pass over the bytes, so the time is linear whatever the text is; what
an anchor stands for is then decided within bounds. Redacting again changes nothing.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ..errors import ConfigurationError
from .model import Edit, Exchange, ToolCall
from .personal import IMAGES, PERSONAL
from .redaction_policy import Policy
from .redaction_search import Entries, union, user_pattern
from .redaction_spans import Finding, Span, findings_of, merge, original, placeholder, render
from .secret_contexts import CONTEXTS, RANDOM
from .secret_model import Context
from .secret_tokens import TOKENS, Token

RULES: tuple[Token | Context, ...] = (
    *TOKENS, *CONTEXTS, RANDOM, *PERSONAL.values(), *IMAGES,
)  # fmt: skip
_ROUNDS = 16
# How far a rule looks before and behind the beginning of what it finds, and a little more.
_BEHIND, _AHEAD = 1_500, 34_000
_INERT = frozenset({"home-name", "image"})
_NOTE = rb"(?::image/[a-z0-9.+-]+:\d+:sha256:[0-9a-f]{64})?"
_RULE_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Redacted:
    """Text without its secrets, and what was found, in the order of the text."""

    text: str
    findings: tuple[Finding, ...]


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
        out, _ = render(data, spans)
        return Redacted(out.decode("utf-8", "surrogatepass"), tuple(findings_of(data, spans)))

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

    def _settled(self, data: bytes, images: bool) -> list[Span]:
        """Look again at what came out, until nothing more is found: that is idempotence."""
        spans = merge(data, self._found(data, images))
        # What stands for a name or a picture gives nothing else a new meaning.
        inert = not self._own and all(span.rule in _INERT for span in spans)
        for _ in range(0 if inert else _ROUNDS):
            out, moved = render(data, spans)
            more = self._found(out, images) if self._own else self._near(out, moved)
            if not more:
                break
            spans = merge(data, [*spans, *(original(span, moved) for span in more)])
        return spans

    def _near(self, out: bytes, moved: list[tuple[int, int, int, int]]) -> list[Span]:
        """Return what is new around the placeholders: no rule sees further than the windows."""
        windows: list[tuple[int, int]] = []
        for begin, end, _, _ in moved:
            low, high = max(0, begin - _AHEAD - _BEHIND), min(len(out), end + _BEHIND + _AHEAD)
            if windows and low <= windows[-1][1]:
                low = windows.pop()[0]
            windows.append((low, high))
        found = []
        for low, high in windows:
            first = low + _BEHIND if low else 0
            last = high - _AHEAD if high < len(out) else high
            for span in self._found(out[low:high], images=False):
                if first <= span.start + low <= last:
                    found.append(span._replace(start=span.start + low, end=span.end + low))
        return found

    def _found(self, data: bytes, images: bool) -> list[Span]:
        """Return what has to go, without what is a placeholder already."""
        found = list(self._scan(data, images))
        if not found or b"REDACTED_" not in data:
            return found
        notes = [match.span() for match in self._placeholders.finditer(data)]
        ends = [end for _, end in notes]

        def is_note(span: Span) -> bool:
            index = bisect_right(ends, span.start)
            place = span.start
            while place < span.end and index < len(notes) and notes[index][0] <= place:
                place = notes[index][1]
                index += 1
            return place >= span.end

        return [span for span in found if not is_note(span)]

    def _scan(self, data: bytes, images: bool) -> Iterator[Span]:
        for search, entries in self._searches:
            resume = 0
            while (anchor := search.search(data, resume)) is not None:
                start, end = anchor.span()
                resume = start + 1
                for entry in entries.at(data, start, end):
                    for span in entry.find(data, start, end if entries.single else -1):
                        if not self._allows(data[span[0] : span[1]]):
                            yield Span(*span, entry.rank, entry.name)
                            if isinstance(entry.rule, Token):  # else a surer rule may hold inside
                                resume = max(resume, span[1])
        if images:
            yield from self._pictures(data)
        for rank, (name, pattern) in enumerate(self._own):
            for match in pattern.finditer(data):
                start, end = match.span(1 if pattern.groups else 0)
                if end > start and not self._allows(data[start:end]):
                    yield Span(start, end, rank - 1000, name)

    def _pictures(self, data: bytes) -> Iterator[Span]:
        if b"base64" not in data and b"data" not in data:
            return
        for search, entries in self._image_searches:
            for anchor in search.finditer(data):
                for entry in entries.at(data, *anchor.span()):
                    for span in entry.find(data, *anchor.span()):
                        yield Span(*span, -2000, entry.name)

    def _allows(self, value: bytes) -> bool:
        exact, patterns = self._allowed
        return value in exact or any(pattern.fullmatch(value) for pattern in patterns)

    # -- the patterns, compiled when first needed ------------------------------------------------

    @cached_property
    def _searches(self) -> list[tuple[Any, Entries]]:
        personal = tuple(PERSONAL[kind] for kind in PERSONAL if kind in self.policy.personal)
        shaped = tuple(rule for rule in TOKENS if rule.before)
        plain = tuple(rule for rule in TOKENS if not rule.before)
        return [
            union((*plain, *CONTEXTS), 0),
            *(union((rule,), 0) for rule in shaped),
            union((RANDOM,), len(RULES)),
            *(union((kind,), len(RULES) + 1) for kind in personal),
        ]

    @cached_property
    def _image_searches(self) -> list[tuple[Any, Entries]]:
        return [union((kind,), 0) for kind in IMAGES]

    @cached_property
    def _placeholders(self) -> "re.Pattern[bytes]":
        names = {rule.name for rule in RULES} | {name for name, _ in self.policy.rules}
        notes = sorted((placeholder(name).encode() for name in names), key=len, reverse=True)
        return re.compile(b"(?:" + b"|".join(notes) + rb")" + _NOTE)

    @cached_property
    def _own(self) -> list[tuple[str, Any]]:
        found = []
        for name, pattern in self.policy.rules:
            if not _RULE_NAME.fullmatch(name):
                raise ConfigurationError(
                    f"redaction.rules has a rule named {name!r}", "use a-z, 0-9 and -"
                )
            found.append((name, user_pattern(pattern, f"redaction.rules, {name}")))
        return found

    @cached_property
    def _allowed(self) -> tuple[frozenset[bytes], list[Any]]:
        exact, patterns = set(), []
        for entry in self.policy.allow:
            if len(entry) > 2 and entry[0] == entry[-1] == "/":
                patterns.append(user_pattern(entry[1:-1], "redaction.allow"))
            elif entry:
                exact.add(entry.encode("utf-8", "surrogatepass"))
        return frozenset(exact), patterns
