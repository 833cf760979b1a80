"""What a prompt names, and whether it asks for anything at all.

In: a prompt as a person typed it, hostile or not. Out: `Prompt`: what may be paths and symbols, and
its telling words. Nothing is looked up, and nothing slow to load is imported,
not even dataclasses.
"""

import re
from typing import NamedTuple

from ..embedding.tokens import STOP_WORDS, identifiers, parts, stem

# What is looked at: behind that stand pasted logs and files.
_LOOKED_AT = 6_000
_MOST_NAMES = 12
_MOST_WORDS = 60
# Fewer telling words ask for nothing that could be looked up.
LEAST_WORDS = 3

# Agents put text of their own between such tags, or instead of a prompt.
_TAGGED = re.compile(
    r"<(system-reminder|ide_\w+|command-\w+|local-command-\w+|task-notification|environment_context"
    r"|user_instructions|INSTRUCTIONS)\b[^>]*>.*?(?:</\1>|\Z)",
    re.DOTALL,
)
_NOT_A_PERSON = re.compile(
    r"\s*(?:This session is being continued from a previous|Caveat: The messages below|"
    r"\[Request interrupted|<command-|# AGENTS\.md instructions)"
)
_COMMAND = re.compile(r"\s*/[a-z][\w:-]*\s*$")
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
# Longer than a path or a name: searching in it would take long.
_NO_WORD = re.compile(r"\S{201,}")
_LINK = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+")

_PATH = re.compile(
    r"(?<![\w/])@?((?:\.{0,2}/)?(?:[\w@.+()\[\]-]+/)*[\w@+()\[\]-][\w@.+()\[\]-]*"
    r"\.[A-Za-z][A-Za-z0-9]{0,9})(?:(?::|#L)(\d{1,6}))?(?![\w/])"
)
_FOLDER_PATH = re.compile(r"(?<![\w/:])@?((?:[\w@.+-]+/){1,12}[\w@.+-]+)/?(?![\w/])")
_FRAME = re.compile(r"File \"([^\"\n]{1,400})\", line (\d{1,6})")
# Names that only code has: with an underscore or a capital inside, a call, or in backquotes.
_CODE_NAME = re.compile(
    r"`([A-Za-z_$][\w$]*(?:(?:\.|::)[A-Za-z_$][\w$]*)*)(?:\(\))?`"
    r"|\b([A-Za-z_$][\w$]*(?:(?:\.|::)[A-Za-z_$][\w$]*)*)\(\)"
    r"|\b([a-z]+[a-z0-9]*(?:[A-Z][a-z0-9]+)+|[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+|[A-Z]{2,}[a-z][A-Za-z0-9]+"
    r"|[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+)\b"
)
_SHORTEST_NAME = 4
# Said of code whose reason is asked for.
_WHY = re.compile(
    r"\b(?:why|reasons?|rationale|how come|who|originally|history|decided?|decision|intended|"
    r"intention|purpose|meant|introduced|explain)\b",
    re.IGNORECASE,
)

# Telling in a search of documents, and said of everything that is asked of an agent.
_COMMON = """
add also ask back change check code commit correct create current done error everything exist
feature file files first fix follow function go good great help implement issue keep let line
list look main
make merge method need new next nice now ok okay old one open output perfect plan please problem
proceed project pull push question read ready remove repo result right run say see seem set show
something start still stop sure take task tell test tests thank thanks thing think time try two
understand update use want way well work write wrong yes yeah yep continue
"""
COMMON: frozenset[str] = frozenset(map(stem, _COMMON.split())) | frozenset(map(stem, STOP_WORDS))


class Named(NamedTuple):
    """What may be a path, as it was written; `line` is 0 where none is named."""

    path: str
    line: int = 0


class Prompt(NamedTuple):
    """A prompt: what it names, its telling `words` as stems, each once, and the text looked at.

    `plain` is what is said without paths and code in fences, `topics` are the words of that.
    """

    text: str
    paths: tuple[Named, ...] = ()
    symbols: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    asks_why: bool = False
    plain: str = ""

    @property
    def is_idle(self) -> bool:
        """Whether it only says to go on, or agrees."""
        return not self.paths and not self.symbols and len(self.words) < LEAST_WORDS


def read_prompt(text: str) -> Prompt:
    """Look at a prompt. Never fails; takes time in proportion to the part that is looked at."""
    text = text[: 2 * _LOOKED_AT]
    if _NOT_A_PERSON.match(text) or _COMMAND.match(text):
        return Prompt("")
    text = _TAGGED.sub(" ", text)[:_LOOKED_AT]
    said = _LINK.sub(" ", _NO_WORD.sub(" ", text))
    found = {(m[1], int(m[2])): None for m in _FRAME.finditer(said)}
    found |= {(m[1], int(m[2] or 0)): None for m in _PATH.finditer(said)}
    found |= {(m[1].rstrip("."), 0): None for m in _FOLDER_PATH.finditer(said)}
    with_line = {path for path, line in found if line}
    paths = [
        Named(path.removeprefix("./"), line)
        for path, line in found
        if line or path not in with_line
    ]
    spoken = _FENCED.sub(" ", said)
    without = _PATH.sub(" ", _FOLDER_PATH.sub(" ", spoken))
    words, topics = (tuple(words_of(one)[:_MOST_WORDS]) for one in (spoken, without))
    why = bool(_WHY.search(spoken))
    return Prompt(text, tuple(paths[:_MOST_NAMES]), _symbols(said), words, topics, why, without)


def _symbols(text: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for match in _CODE_NAME.finditer(text):
        name = match[1] or match[2] or match[3]
        if len(name) >= _SHORTEST_NAME and not _is_file(text, match.end()):
            found[name.replace("::", ".")] = None
    return tuple(found)[:_MOST_NAMES]


def _is_file(text: str, end: int) -> bool:
    """Whether what follows a name makes it part of a path."""
    return text[end : end + 1] in ("/", "\\") or bool(re.match(r"\.[a-z]{1,4}\b(?!\()", text[end:]))


def words_of(text: str) -> list[str]:
    """List the telling words of a text as stems, each once."""
    found: dict[str, None] = {}
    for name in identifiers(text):
        for part in parts(name):
            if len(part) > 2 and not part.isdigit():
                word = stem(part)
                if word not in COMMON:
                    found[word] = None
    return list(found)
