"""Signs that a text is damaged, generated without care or copied: in one sentence or between files.

In: prose of cards. Out: what is odd about it.
"""

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from .model import Problem

SENTENCE_WORDS = 6  # shorter ones may be the same in two files
SHARED_WORDS = 12  # so many in a row are a copy even within different sentences
_REPEATED = 3  # words in a row, more than twice in one text
_DISTINCT = 0.30  # of all words of a text of 200 and more
_MANY_WORDS = 20_000
_CUT_LEAST = 3  # letters
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|\s→\s")
_CODE = re.compile(r"(`+)(?:.*?)\1", re.S)
_PLACEHOLDER = re.compile(
    r"\b(TODO|TBD|FIXME|XXX|lorem ipsum|insert (?:text|description|name) here|"
    r"coming soon|to be determined|as an AI(?: language)? model|in this section,? we|"
    r"your (?:text|description) here)\b"
)
# UTF-8 read as Windows-1252, such as \u00c3\u00a9 for \u00e9.
_MOJIBAKE = re.compile(
    "[\u00c2\u00c3][\u0080-\u00bf\u0152-\u2122]|\u00e2\u20ac|\u00f0\u0178|\ufffd"
)
_QUOTED = re.compile(r"\"[^\"]*\"")
_DOUBLED = re.compile(r"\b([^\W\d_]{2,})\s+\1\b", re.I)
_DOUBLED_FINE = frozenset({"that", "had", "very", "bye", "git"})
_CUT = re.compile(
    r"(?:\b(?:the|a|an|and|or|of|because|when|if|than|its|their)"
    r"|[,(\[{&/=\u2013\u2014-]|\.\.\.|…)$"
)
_CYRILLIC_AND_LATIN = re.compile(r"[A-Za-z][\u0400-\u04ff]|[\u0400-\u04ff][A-Za-z]")
_PERSONAL = re.compile(r"/(?:home|Users)/(?!\w+>|user\b|app\b|you\b|me\b)\w+|C:\\Users\\\w")


def words(text: str) -> list[str]:
    """Return the words that tell sentences apart, without case and marks."""
    return [word.casefold() for word in _WORD.findall(text)]


def odd(text: str) -> Iterator[str]:
    """Yield what is odd about a bullet, a step, a paragraph."""
    yield from placeholders(text)
    bare = _CODE.sub("`x`", text)
    for found in _DOUBLED.finditer(bare):
        if found[1].lower() not in _DOUBLED_FINE and found[0].split()[1] == found[1]:
            yield f"a word twice: {found[0]}"
    if bare.count("`") % 2:
        yield "a backtick without its other"
    if bare.count("**") % 2:
        yield "** without its other"
    for one, other in ("()", "[]"):
        if bare.count(one) > bare.count(other):
            yield f"{one} without {other}"
    if _CUT.search(bare.rstrip()):
        yield f"ends in the middle: …{bare.rstrip()[-30:]}"
    found_words = words(bare)
    runs = Counter(zip(*(found_words[at:] for at in range(_REPEATED)), strict=False))
    for run, times in runs.items():
        if times > 2 and len(set(run)) > 1:
            yield f"{times} times {' '.join(run)!r}"


def placeholders(text: str) -> Iterator[str]:
    """Yield words that somebody wanted to replace, and paths of one person's machine."""
    bare = _CODE.sub("`x`", text)
    yield from (f"a placeholder: {found[0]}" for found in _PLACEHOLDER.finditer(bare))
    yield from (f"a path of one machine: {found[0]}" for found in _PERSONAL.finditer(text))


def unprintable(line: str) -> Iterator[str]:
    """Yield characters that cannot be seen, or come from a wrong encoding."""
    if line.isascii() and line.isprintable():
        return
    for character in sorted(set(line)):
        kind = unicodedata.category(character)
        if kind in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            name = unicodedata.name(character, "a control character")
            yield f"U+{ord(character):04X}, {name.lower()}"
    # A card about such damage shows it, as code or in quotes.
    shown = _QUOTED.sub("", _CODE.sub("", line))
    yield from (f"a wrong encoding: {found[0]!r}" for found in _MOJIBAKE.finditer(shown))
    if _CYRILLIC_AND_LATIN.search(line):
        yield "Latin and Cyrillic letters in one word"
    if unicodedata.normalize("NFC", line) != line:
        yield "characters that are not in composed form (NFC)"


def monotonous(all_texts: "list[str]") -> Iterator[str]:
    """Yield a complaint if few words make up most of the text."""
    found = [word for text in all_texts for word in words(text)]
    if len(found) >= 200 and len(set(found)) / len(found) < _DISTINCT:
        yield f"only {len(set(found))} different words among {len(found)}"


@dataclass(slots=True)
class Endings:
    """Finds last words that are cut off: they stand nowhere else, and longer ones begin with them.

    In few texts that is true of many whole words as well, so it says nothing before there are many.
    """

    _seen: "Counter[str]" = field(default_factory=Counter)
    _last: "list[tuple[str, int, str]]" = field(default_factory=list)

    def note(self, path: str, line: int, text: str, *, code: bool = False) -> None:
        """Take a piece of text, or a line of code, which ends as it likes."""
        found = words(text)
        self._seen.update(found)
        last = text.rstrip()[-1:]
        if found and not code and last.isalpha() and len(found[-1]) >= _CUT_LEAST:
            self._last.append((path, line, found[-1]))

    def problems(self) -> Iterator[Problem]:
        """Yield the complaints."""
        if self._seen.total() < _MANY_WORDS:
            return
        known = sorted(self._seen)
        for path, line, word in self._last:
            after = bisect_right(known, word)
            longer = known[after] if after < len(known) else ""
            if self._seen[word] == 1 and word.isalpha() and longer.startswith(word):
                yield Problem(path, line, f"ends in the middle of a word? {word}, as in {longer}")


@dataclass(slots=True)
class Sentences:
    """Where every sentence of all files stands."""

    _first: "dict[tuple[str, ...], tuple[str, int]]" = field(default_factory=dict)
    _runs: "dict[tuple[str, ...], tuple[str, int]]" = field(default_factory=dict)
    _wrong: "list[Problem]" = field(default_factory=list)

    def note(self, path: str, line: int, text: str) -> None:
        """Take the sentences of a piece of text; complain of those that stand elsewhere too."""
        for sentence in _SENTENCE_END.split(text):
            found = tuple(words(sentence))
            if len(found) >= SENTENCE_WORDS:
                there = self._first.setdefault(found, (path, line))
                if there != (path, line):
                    self._complain(path, line, there, " ".join(sentence.split()))
                    continue
            for at in range(len(found) - SHARED_WORDS + 1):
                run = found[at : at + SHARED_WORDS]
                there = self._runs.setdefault(run, (path, line))
                if there[0] != path:
                    self._complain(path, line, there, " ".join(run))
                    break

    def once(self, kind: str, path: str, line: int, text: str) -> None:
        """Complain if another card has the same alias or example, however short."""
        there = self._first.setdefault((f"{kind}:", *words(text)), (path, line))
        if there[0] != path:
            self._wrong.append(Problem(path, line, f"{text!r} is {kind} of {there[0]} too"))

    def _complain(self, path: str, line: int, there: "tuple[str, int]", text: str) -> None:
        shown = text if len(text) <= 80 else text[:79] + "…"
        self._wrong.append(Problem(path, line, f"stands in {there[0]}:{there[1]} too: {shown}"))

    def problems(self) -> list[Problem]:
        """Return the complaints."""
        return self._wrong
