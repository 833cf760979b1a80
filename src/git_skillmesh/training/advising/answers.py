"""What a model answered, read leniently and believed only where it can be checked.

In: the text of an answer and the request that it is to. Out: `Advice`, and why the rest was
dropped: a finding has to name an added line of the request, and a source of it by words that
stand there. Nothing in an answer can raise, take long, or get past these checks.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...display import escaped
from ...gate.excerpts import fingerprint
from .model import Advice, Kind, Request, Source
from .prompt import shown_path
from .sendable import Cleaner

MOST = 50  # findings of one answer
LEAST_QUOTE = 12  # characters, white space aside
_LONGEST_TEXT, _MOST_TRIES = 200_000, 400
_LONGEST_MESSAGE, _LONGEST_QUOTE = 1_000, 400
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_LINE = re.compile(r"[0-9]{1,7}")
_TYPOGRAPHY = str.maketrans("\u2018\u2019\u201c\u201d\u2013\u2014\u00a0", "''\"\"-- ")


class Read(NamedTuple):
    """What stood every check, how many findings did not and why; `understood`: it was JSON."""

    advice: list[Advice]
    dropped: Counter[str]
    understood: bool


def read_answer(text: str, request: Request, cleaner: Cleaner) -> Read:
    """Return the findings of an answer that can be believed."""
    listed = findings_in(text)
    if listed is None:
        return Read([], Counter(), False)
    dropped: Counter[str] = Counter()
    kept = []
    files = {shown_path(path): path for path in request.part.paths}
    for one in listed[:MOST]:
        found = _checked(one, request, files, cleaner)
        if isinstance(found, str):
            dropped[found] += 1
        else:
            kept.append(found)
    if len(listed) > MOST:
        dropped[f"beyond the first {MOST} of an answer"] += len(listed) - MOST
    return Read(kept, dropped, True)


def findings_in(text: str) -> list[Any] | None:
    """Return the findings that an answer lists, None where nothing in it is a list of findings.

    Around the JSON there may be anything; of one that breaks off the whole findings count.
    """
    text = _THOUGHT.sub("", text[:_LONGEST_TEXT])
    found: list[Any] = []
    seen = False
    for value in _values(text):
        listed = value.get("findings") if isinstance(value, dict) else None
        if isinstance(listed, list):
            return listed
        if isinstance(value, dict) and {"file", "line"} <= value.keys():
            found.append(value)
            seen = True
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            found += value
            seen = True
    return found if seen else None


def _values(text: str) -> Iterator[Any]:
    """Yield the JSON objects and arrays in a text, the outer ones where they are whole."""
    decoder = json.JSONDecoder()
    place = 0
    for _ in range(_MOST_TRIES):
        starts = [at for at in (text.find("{", place), text.find("[", place)) if at >= 0]
        if not starts:
            return
        start = min(starts)
        try:
            value, place = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            place = start + 1
            continue
        yield value


def _checked(one: Any, request: Request, files: dict[str, str], cleaner: Cleaner) -> Advice | str:
    """Return a finding that stands every check, or why it does not."""
    if not isinstance(one, dict):
        return "not a finding"
    texts = [one.get(name) for name in ("file", "source", "quote", "message")]
    file, name, quote, message = (text if isinstance(text, str) else "" for text in texts)
    if not name.strip():
        return "cites nothing"
    source = request.sources.get(name.strip().strip("[]()"))
    if source is None or source.kind is Kind.CODE:
        return "cites what it was not shown"
    path, number = files.get(file.strip(), ""), _number(one.get("line"))
    text = request.part.added.get(path, {}).get(number)
    if text is None:
        return "names no added line"
    stands = _quote(quote, source)
    if not stands:
        return "quotes what its source does not say"
    said = " ".join(cleaner.text(message[: 2 * _LONGEST_MESSAGE]).split())[:_LONGEST_MESSAGE]
    if not said:
        return "says nothing"
    key = f"advice:{source.kind}:{source.id}"
    mark = fingerprint(key, path, " ".join(text.split()), 0)
    return Advice(path, number, said, stands, source, text, mark)


def _number(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _LINE.fullmatch(value.strip()):
        return int(value)
    return 0


def _quote(quote: str, source: Source) -> str:
    """Return a quote if it stands in its source, white space, case and quotation marks aside."""
    words = " ".join(quote[: 2 * _LONGEST_QUOTE].split())
    words = words.strip("\"'`\u2018\u2019\u201c\u201d \u2026").removesuffix("...").strip()
    wanted = _plain(words)
    if len(wanted.replace(" ", "")) < LEAST_QUOTE or len(words) > _LONGEST_QUOTE:
        return ""
    texts = (source.text, escaped(source.text))
    return words if any(wanted in _plain(text) for text in texts) else ""


def _plain(text: str) -> str:
    return " ".join(text.translate(_TYPOGRAPHY).casefold().split())
