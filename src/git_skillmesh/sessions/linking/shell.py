"""What shell commands do to files, as far as their text tells.

In: the command of a tool call. Out: files written by here-documents, files named beside a command
that changes files, moves, and commits with their messages. Nothing is run or expanded.
"""

import posixpath
import re
from typing import NamedTuple

_HERE = re.compile(
    r"(?P<before>[^\n]*?)<<-?[ \t]*(?P<quote>['\"]?)(?P<end>\w+)(?P=quote)(?P<after>[^\n]*)\n"
    r"(?P<text>.*?)^[ \t]*(?P=end)[ \t]*\)?$",
    re.DOTALL | re.MULTILINE,
)
_TARGET = re.compile(r"(?<![0-9&>])(>>?)\s*[\"']?([^\s\"'|;&<>()]+)")
_TEE = re.compile(r"\btee\s+(?:(-a)\s+)?[\"']?([^\s\"'|;&<>()-][^\s\"'|;&<>()]*)")
_WORD = re.compile(r"[^\s\"'`=|;&<>(){}$,:]+")
_MOVE = re.compile(r"(?:^|[;&|(\n]|&&|\|\|)\s*(?:git\s+)?(?P<verb>mv|cp)\s+(?P<rest>[^;&|\n]+)")
_COMMIT = re.compile(r"\bgit\b[^;&|\n]*?\scommit\b")
# Commands that change the files they are given. `git add` and the like only name them.
_CHANGES = re.compile(
    r"\bsed\s+(?:-\w+\s+)*-\w*i|\bperl\s+(?:-\w+\s+)*-\w*i|\bgit\s+(?:mv|rm|apply|checkout|restore|stash"
    r"|revert|cherry-pick)\b|\b(?:mv|rm|cp|tee|patch|touch|truncate|install|dd|unzip|tar|curl|wget)\b"
    r"|>|\b(?:prettier|eslint|biome|black|ruff|isort|gofmt|goimports|rustfmt|fmt|format|lint|clang-format"
    r"|codegen|generate|gen|build|open|write|write_text|writeFile\w*)\b"
    r"|\b(?:npm|pnpm|yarn|bun|cargo|go|pip|uv|poetry|bundle|composer|mise|nx|make|just)\b"
)


class Here(NamedTuple):
    """A here-document: the file it was written to ("" if to a program), and its text."""

    path: str
    text: str
    whole: bool


def here_documents(command: str) -> list[Here]:
    """Return the here-documents of a command."""
    found = []
    for match in _HERE.finditer(command) if "<<" in command else ():
        line = f"{match['before']} {match['after']}"
        target, tee = _TARGET.search(line), _TEE.search(line)
        if target:
            found.append(Here(_clean(target[2]), match["text"], target[1] == ">"))
        elif tee:
            found.append(Here(_clean(tee[2]), match["text"], not tee[1]))
        else:
            found.append(Here("", match["text"], False))
    return found


def changes_files(command: str) -> bool:
    """Return whether a command may change files."""
    return _CHANGES.search(command) is not None


def names(command: str) -> set[str]:
    """Return the words of a command that may be paths."""
    return {
        _clean(word) for word in _WORD.findall(command)
        if len(word) < 400 and ("." in word or "/" in word) and not word.startswith("-")
    } - {"", "."}  # fmt: skip


def moves(command: str) -> list[tuple[str, str]]:
    """Return (from, to) of every mv and cp with two names, and into a folder."""
    found = []
    for match in _MOVE.finditer(command):
        words = [_clean(word.strip("\"'")) for word in match["rest"].split()]
        words = [word for word in words if word and not word.startswith("-")]
        if len(words) < 2 or len(words) > 50:
            continue
        target = words[-1]
        for word in words[:-1]:
            found.append((word, target))
            found.append((word, posixpath.join(target, posixpath.basename(word))))
    return found


def commits(command: str) -> bool:
    """Return whether a command runs `git commit`."""
    return _COMMIT.search(command) is not None


def _clean(word: str) -> str:
    return posixpath.normpath(word) if word else ""


def same_file(word: str, path: str) -> bool:
    """Return whether a word of a command may mean a path of the repository."""
    if word == path:
        return True
    short, long = (word, path) if len(word) < len(path) else (path, word)
    return long.endswith(f"/{short.removeprefix('../')}")
