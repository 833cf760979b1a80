"""Tell a secret from what merely stands where one could be: code, words, examples, hashes.

In: bytes around a place where a value begins. Out: where the value ends, and whether it is one.
Every look is at a bounded piece of text, so that the time stays linear.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass

# Nothing longer is a password; what is longer has a rule of its own.
LONGEST_VALUE = 2048
PLACEHOLDER = re.compile(rb"REDACTED_[A-Z0-9_]*(?::[!-~]+)?")

_OPENING = re.compile(rb"[bBrRuUfF@$]{0,2}(\\*)([\"'`])")
_QUOTES = re.compile(rb"(\\*)([\"'`\n\r])")
# A backslash before a sign is an escaped sign; before a letter or a quote it ends the value.
_BARE = re.compile(rb"(?:[^\s\"'`\\,;&<>(){}\[\]|]|\\+[$!#@%^*~?=+/&|;<>(){}\[\]-])+")
# After "name: " an ampersand begins no further parameter of an address.
_SPOKEN = re.compile(rb"(?:[^\s\"'`\\,;<>(){}\[\]|]|\\+[$!#@%^*~?=+/&|;<>(){}\[\]-])+")
_LINE = re.compile(rb"(?:[^\s\"'`\\]|\\+[$!#@%^*~?=+/&|;<>(){}\[\]-])+")
_LEFT = re.compile(
    rb"(?:\A|[^A-Za-z0-9_]|\\[nrtbfv0aesSdwW]|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}"
    rb"|%[0-9A-Fa-f]{2}|\[[0-9;]{0,8}m)\Z"
)
_EXAMPLE = re.compile(
    rb"(?i)example|placeholder|change[-_]?me|replace[-_]?(?:me|with|this)|redacted|dummy|fake"
    rb"|your[-_ ]|[-_]your\b|my[-_]?(?:secret|token|password|pass|key|api)|insert|todo|fixme"
    rb"|some[-_]|x{4,}|\*{3,}|\.{3,}|0{8,}|1234567|abcdef|foobar|lorem|goes[-_]here|deadbeef"
    rb"|not[-_]?(?:a[-_])?(?:real|set|secret)|undefined|null\b|sample|hidden|masked|%s|\xe2\x80\xa6"
)
_TEMPLATE = re.compile(
    rb"\A(?:\$|\{\{|<|%[({sd]|#\{|\[[A-Za-z]|@|&[a-zA-Z]|\.\.|//|!Ref|!Sub|!secret|op://|vault:)"
    rb"|\$\{|\$\(|\{\{|#\{|<[A-Za-z]|\{[A-Za-z_.]*\}|%\("
)
_CODE = re.compile(
    rb"\A(?:[A-Za-z_$][\w$]*(?:(?:\.|::|->|\?\.|/)[\w$]+)+[!?*]?|[A-Za-z_$]*"
    rb"|(?:str|int|bool|string|String|bytes)[\w|?]*)\Z"
)
_WORDS = re.compile(rb"[A-Z]?[a-z]{3,}|[A-Z]{4,}")
_UUID = re.compile(rb"(?i)\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_DATE = re.compile(rb"\A[0-9][0-9.,:/TZx_+-]*\Z")
_PATH = re.compile(
    rb"\A(?:\.{0,2}/|~/|[A-Za-z]:[\\/])|\A(?:arn|urn):|\A[A-Za-z][A-Za-z0-9+.-]*(?:://|%3A%2F)"
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value in its place: `quoted` if quotes stand around it."""

    start: int
    end: int
    quoted: bool


def free_left(data: bytes, start: int) -> bool:
    """Say whether a word can begin here: also after an escape such as `\\n`, `%3D` or a colour."""
    return _LEFT.search(data[max(0, start - 14) : start]) is not None


def free_right(data: bytes, end: int) -> bool:
    """Say whether a word can end here."""
    follows = data[end : end + 1]
    return not (follows.isalnum() or follows == b"_")


def value_at(data: bytes, start: int, whole_line: bool = False) -> Value | None:
    """Return the value that begins here: within its quotes, or up to what ends a bare one.

    Quotes are understood at every level of escaping (`"`, `\\"`, `\\\\\\"`), so the end never lies
    behind the end of a string that surrounds the value.
    """
    limit = start + LONGEST_VALUE
    opening = _OPENING.match(data, start, limit)
    if opening is not None:
        return _quoted(data, opening, limit)
    spoken = data[max(0, start - 2) : start] in (b": ", b":\t")
    bare = (_LINE if whole_line else _SPOKEN if spoken else _BARE).match(data, start, limit)
    if bare is None:
        return None
    end = bare.end()
    while end > start and data[end - 1] in b".,:;":
        end -= 1
    return Value(start, end, False) if end > start else None


def _quoted(data: bytes, opening: "re.Match[bytes]", limit: int) -> Value | None:
    level, quote, start = len(opening[1]), opening[2], opening.end()
    for mark in _QUOTES.finditer(data, start, limit):
        before, sign = len(mark[1]), mark[2]
        if sign in b"\n\r":
            return None
        if sign == quote and (before % 2 == 0 if level == 0 else before <= level):
            return Value(start, mark.end() - 1 if level == 0 else mark.start(), True)
        if sign == b'"' and sign != quote and before <= level:
            return Value(start, mark.start(), True)
    return None


def is_placeholder(value: bytes) -> bool:
    """Say whether this was redacted before."""
    return PLACEHOLDER.match(value) is not None


def is_example(value: bytes) -> bool:
    """Say whether this only shows where a value goes: `<your-key>`, `${SECRET}`, `xxxx`."""
    if is_placeholder(value) or len(set(value)) < 4:
        return True
    return _EXAMPLE.search(value) is not None or _TEMPLATE.search(value) is not None


def entropy(value: bytes) -> float:
    """Return the bits a byte, by the bytes' own frequencies."""
    length = len(value)
    return -sum(n / length * math.log2(n / length) for n in Counter(value).values())


def wordy(value: bytes) -> bool:
    """Say whether most of it is words, as in `max-retry-count-v2` or `getTokenForUser1`."""
    letters = 0
    for word in _WORDS.findall(value):
        vowels = sum(letter in b"aeiouyAEIOUY" for letter in word)
        if 0.2 <= vowels / len(word) <= 0.7:
            letters += len(word)
    return letters > 0.55 * len(value)


_WEAK = re.compile(
    rb"(?i)(?:my|your|the|test|user|new|old|db|super|a)?[-_ ]?"
    rb"(?:pass(?:word|wd|phrase)?|pwd|pw|secret|user(?:name)?|root|postgres|admin|guest|test|token"
    rb"|mysql|rabbitmq|redis|mongo|minioadmin|login|hunter|foo|bar|baz|qwerty|letmein|welcome|default|none|p4ssw0rd|passw0rd)[-_]?\d{0,4}[!.]?"
)


def is_weak(value: bytes) -> bool:
    """Say whether this is the word that stands in every tutorial: `password1`, `admin`."""
    return _WEAK.fullmatch(value) is not None


def is_token(value: bytes, quoted: bool, least: int = 12) -> bool:
    """Say whether a value under a telling name looks made by a machine."""
    if len(value) < least or is_example(value) or _PATH.search(value) or _DATE.match(value):
        return False
    digits = sum(48 <= byte <= 57 for byte in value)
    if digits < 2 or digits == len(value) or b" " in value or b"\\n" in value:
        return False
    if not quoted and _CODE.match(value) and len(value) < 20:
        return False
    return not wordy(value) and entropy(value) >= 2.8


def is_password(value: bytes, quoted: bool) -> bool:
    """Say whether a value under a name such as `password` looks chosen, not coded."""
    if not 6 <= len(value) <= 256 or b" " in value or b"\\n" in value or b"\\t" in value:
        return False
    if is_example(value) or _PATH.search(value) or _DATE.match(value) or _CODE.match(value):
        return False
    if is_weak(value) or value.count(b"%") > 2:
        return False
    digits = any(48 <= byte <= 57 for byte in value)
    letters = any(chr(byte).isalpha() for byte in value)
    signs = any(byte in b"!@#$%^&*?~+=" for byte in value)
    if not letters or not (digits or signs):
        return False
    if not digits and value[-1] in b"!?=*" and value[:-1].isalnum():
        return False  # a word in a sentence, an optional parameter
    return quoted or (digits and signs) or is_token(value, quoted, 8)


def is_uuid(value: bytes) -> bool:
    """Say whether this is a UUID, which is a name far more often than a secret."""
    return _UUID.match(value) is not None


def is_random(value: bytes) -> bool:
    """Say whether only a generator makes such a string: all kinds of characters, no words."""
    kinds = (
        any(97 <= byte <= 122 for byte in value),
        any(65 <= byte <= 90 for byte in value),
        sum(48 <= byte <= 57 for byte in value) >= 2,
    )
    return all(kinds) and entropy(value) >= 4.0 and not wordy(value) and not is_example(value)
