"""Text in, words out: the one way in which every index and every model here reads text.

`identifiers` finds the words as written, `parts` splits one into lower-case sub-words, `stem`
reduces a part to its English stem. Standard library and PyStemmer only, so that a hook may
import it.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

import Stemmer

LONGEST_IDENTIFIER = 100
MOST_CACHED = 200_000  # entries, about 40 MB when all of them are distinct identifiers

# Scripts written without spaces: kana, Bopomofo, Hangul, ideographs and their extensions.
CJK = (
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3041-\u30ff\u3105-\u318f\u31a0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_WORD = re.compile(r"\w+")
_CUT_WORD = re.compile(rf"(\w{{1,{LONGEST_IDENTIFIER}}})\w*")

# A plural acronym (URLs) and a versioned one (IPv4) are one word each; otherwise a run of capitals
# ends before the capital that begins the next word.
_PART = re.compile(
    r"[A-Z]{2,}(?:s(?![a-z])|v(?=[0-9]))|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+",
)

_ENGLISH = """
a about all also am an and any are as at be been being but by can could did do does doing done
for from had has have having he her here him his how i if in into is it its itself just may me
might must my no nor not of off on once only or other our out over own s same shall she should
so some such t than that the their them then there these they this those through to too under
until up us very was we were what when where which while who whom whose why will with would
you your
"""
STOP_WORDS: frozenset[str] = frozenset(_ENGLISH.split())


def identifiers(text: str) -> list[str]:
    """List every word of `text` as written and in order: runs of letters, digits and underscores.

    A word is cut after 100 characters. A run of Chinese, Japanese or Korean characters, which has
    no spaces to split at, gives its overlapping pairs (a run of one gives itself). Text that is
    not ASCII is brought to Unicode normal form C first, so that both spellings of an accent agree.
    """
    if text.isascii():
        return _CUT_WORD.findall(text)
    words: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFC", text)):
        if word.isascii():
            words.append(word[:LONGEST_IDENTIFIER])
        else:
            words.extend(_split_cjk(word))
    return words


@cache
def _cjk_run() -> re.Pattern[str]:
    """Compile the large character class only when a text needs it."""
    return re.compile(f"([{CJK}]+)")


def _split_cjk(word: str) -> list[str]:
    pieces: list[str] = []
    for place, run in enumerate(_cjk_run().split(word)):
        is_cjk = place % 2 == 1
        if is_cjk and len(run) > 1:
            pieces.extend(run[i : i + 2] for i in range(len(run) - 1))
        elif run:
            pieces.append(run[:LONGEST_IDENTIFIER])
    return pieces


_parts: dict[str, tuple[str, ...]] = {}


def parts(identifier: str) -> tuple[str, ...]:
    """Split an identifier into lower-case sub-words at underscores, case changes and digits.

    `HTTPServer` gives http, server; `parseJSON2` gives parse, json, 2; `utf8` gives utf, 8, and so
    agrees with `utf_8` and `UTF-8`; `URLs` gives urls. The parts, joined, are the identifier in
    lower case without its underscores.
    """
    known = _parts.get(identifier)
    if known is None:
        known = _split(identifier)
        if len(_parts) >= MOST_CACHED:
            _parts.clear()
        _parts[identifier] = known
    return known


def _split(identifier: str) -> tuple[str, ...]:
    if identifier.isascii():
        return tuple(part.lower() for part in _PART.findall(identifier))
    shape = "".join(map(_shape, identifier))
    return tuple(identifier[m.start() : m.end()].lower() for m in _PART.finditer(shape))


def _shape(character: str) -> str:
    """Return an ASCII stand-in of the same class, so that one pattern splits every script."""
    if character.isupper() or character.istitle():
        return "A"
    if character.isdecimal():
        return "0"
    return "a" if character.isalnum() else "_"


_stems: dict[str, str] = {}
_stem_word: Callable[[str], str] = Stemmer.Stemmer("english", 0).stemWord


def stem(part: str) -> str:
    """Return the English stem (Snowball, "english" of PyStemmer) of a lower-case part."""
    known = _stems.get(part)
    if known is None:
        known = _stem_word(part)
        if len(_stems) >= MOST_CACHED:
            _stems.clear()
        _stems[part] = known
    return known
