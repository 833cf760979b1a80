"""The lines of a data set that are kept for judging, and edits compared with those that stayed.

In: a data set of `export-rl`, or text that a model wrote. Out: `Held` lines; how alike edits are.
No model is needed here.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .dataset.blocks import Block, Misfit, applied, parse_context, parse_edits, rendered
from .dataset.lines import problems_of
from .model import Message

SPLIT = "test"
_MOST_LINE = 64_000_000
_WORDS = re.compile(r"\w+|[^\w\s]|\n|[ \t]+")
# Words of an edit that are compared; the time for it grows with their square.
_MOST_WORDS = 3_000


@dataclass(frozen=True, slots=True)
class Held:
    """A line to judge on: an answer that stayed, to its prompt. `group` is what it belongs to."""

    line_id: str
    group: str
    prompt: tuple[Message, ...]
    completion: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """All lines to judge on, in the order of the file, and the hash of the file."""

    lines: tuple[Held, ...]
    data_sha256: str


def read_held_out(path: Path) -> HeldOut:
    """Return the lines of the test split that tell of good answers. Raises `UsageError`."""
    digest, found = hashlib.sha256(), []
    try:
        with path.open("rb") as file:
            for number, data in enumerate(iter(lambda: file.readline(_MOST_LINE), b""), 1):
                digest.update(data)
                document = _parsed(data)
                if problems := problems_of(document):
                    raise UsageError(
                        f"{path.name}:{number} {problems[0]}",
                        f"git skillmesh export-rl --check {path}",
                    )
                if document["split"] == SPLIT and document.get("label", True):
                    found.append(_held(document))
    except OSError as error:
        raise UsageError(f"cannot read {path}", error.strerror or str(error)) from None
    if not found:
        raise UsageError(f"{path.name} has no lines for judging", "its split `test` is empty")
    return HeldOut(tuple(found), digest.hexdigest())


def _held(document: Mapping[str, Any]) -> Held:
    if "messages" in document:
        prompt, completion = document["messages"][:-1], document["messages"][-1:]
    else:
        prompt = document["prompt"]
        completion = document["completion" if "completion" in document else "chosen"]
    about = document["about"]
    group = about["group"] or about["session"] or document["id"]
    return Held(document["id"], group, tuple(prompt), tuple(completion))


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def some(lines: Sequence[Held], most: int) -> list[Held]:
    """Return so many lines, the same ones for the same data, spread over all of them."""
    return sorted(lines, key=lambda one: hashlib.sha256(one.line_id.encode()).digest())[:most]


def likeness(line: Held, text: str) -> tuple[bool, float]:
    """Return whether the edits in a text are those that stayed, and how similar they are, 0 to 1.

    They are the same if they leave the files of the prompt the same, also when written in another
    way. Similar is the share of words in common, in their order (`difflib.SequenceMatcher.ratio`);
    text without edits that can be read is not similar at all.
    """
    wanted = parse_edits(line.completion[-1]["content"])
    try:
        got = parse_edits(text)
    except Misfit:
        got = ()
    if not got:
        return False, 0.0
    if got == wanted or _leaves_the_same(line, wanted, got):
        return True, 1.0
    one, other = (list(_words(blocks)) for blocks in (wanted, got))
    return False, difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _words(blocks: Sequence[Block]) -> Iterator[str]:
    for number, word in enumerate(_WORDS.finditer(rendered(blocks))):
        if number == _MOST_WORDS:
            return
        yield word[0]


def _leaves_the_same(line: Held, wanted: Sequence[Block], got: Sequence[Block]) -> bool:
    files: dict[str, str] = {}
    try:
        for message in line.prompt:
            if message["role"] == "user":
                for part in parse_context(message["content"]):
                    files[part.path] = files.get(part.path, "") + part.text
        return applied(files, wanted) == applied(files, got)
    except Misfit:
        return False
