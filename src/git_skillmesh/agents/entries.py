"""Whose an entry of a configuration file is: ours as it was written, changed since, or another's.

In: values as they stand in files. Out: verdicts. An entry that somebody has changed is theirs; one
of an older version, which differs in nothing else, is replaced or taken out.
"""

import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from .catalogue import HOOK, PROGRAM, SERVER, WORKSPACE, Entry

# What an install of any version has written beside a command.
_ARGUMENTS = (["mcp"], ["-C", WORKSPACE, "mcp"])
_SERVER_KEYS = {"type": ("stdio", "local"), "tools": (["*"],), "args": _ARGUMENTS}
_HOOK_KEYS = {"type": ("command",), "timeout": (5, 10, 5000, 10000), "name": (SERVER,)}
_MATCHERS = (
    "Write|Edit|MultiEdit|NotebookEdit|Bash|Task", "write_file|replace|run_shell_command"
)  # fmt: skip
_PARTS = {"agent": "capture", "context": "context"}


@dataclass(frozen=True, slots=True)
class Found:
    """An element of an array of hooks that calls our program."""

    event: str
    index: int
    part: str
    value: Any
    untouched: bool


def is_our_server(value: Any) -> bool:
    """Whether the entry of a server is one that install has written."""
    if not isinstance(value, dict) or not runs(value.get("command"), PROGRAM):
        return False
    return "args" in value and _only(value, _SERVER_KEYS)


def runs(command: object, program: str) -> bool:
    """Whether a command is a program, under whatever path."""
    return isinstance(command, str) and PurePath(command).name == program


def our_words(command: object) -> list[str]:
    """Return the words of a command line if it is one of our hooks, none otherwise."""
    if not isinstance(command, str) or HOOK not in command:
        return []
    try:
        words = shlex.split(command)
    except ValueError:
        return []
    ours = len(words) > 1 and runs(words[0], HOOK) and words[1] in _PARTS
    return words if ours else []


def may_start(words: Sequence[str], top: Path) -> bool:
    """Whether a command that stands in a file may be started to see if it works.

    Files of a repository are a stranger's until somebody has read them. So only our programs are
    started, with what install gives them, and only from PATH or from outside of the repository;
    the one that is running now may lie anywhere.
    """
    if not words:
        return False
    program, rest = words[0], list(words[1:])
    hook = runs(program, HOOK) and len(rest) == 2 and rest[0] in _PARTS
    if not hook and not (runs(program, PROGRAM) and rest in _ARGUMENTS):
        return False
    if os.sep not in program:
        return True
    outside = not Path(os.path.realpath(program)).is_relative_to(os.path.realpath(top))
    ours = Path(program).parent == Path(sys.executable).parent
    return Path(program).is_absolute() and (outside or ours)


def commands_of(value: Any) -> list[dict[str, Any]]:
    """Return the hooks of an element: it is one, or a group of them."""
    if not isinstance(value, dict):
        return []
    inner = value.get("hooks")
    listed = inner if isinstance(inner, list) else [value]
    return [one for one in listed if isinstance(one, dict)]


def hooks_in(document: Any) -> Iterator[Found]:
    """Yield the elements of arrays under `hooks` that call our program."""
    events = document.get("hooks") if isinstance(document, dict) else None
    for event, elements in events.items() if isinstance(events, dict) else ():
        for index, value in enumerate(elements if isinstance(elements, list) else ()):
            found = [
                words for one in commands_of(value) if (words := our_words(one.get("command")))
            ]
            if found:
                part = _PARTS[found[0][1]]
                yield Found(event, index, part, value, _is_untouched(value))


def _is_untouched(value: dict[str, Any]) -> bool:
    inner = value.get("hooks")
    if inner is None:
        return _is_our_hook(value)
    if not isinstance(inner, list) or value.get("matcher", _MATCHERS[0]) not in _MATCHERS:
        return False
    return len(inner) == 1 and value.keys() <= {"hooks", "matcher"} and _is_our_hook(inner[0])


def _is_our_hook(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return len(our_words(value.get("command"))) == 3 and _only(value, _HOOK_KEYS)


def _only(value: dict[str, Any], known: Mapping[str, tuple[Any, ...]]) -> bool:
    return all(
        key == "command" or (key in known and given in known[key]) for key, given in value.items()
    )


def holds(document: Any, entry: Entry) -> bool:
    """Whether an entry stands in a document exactly as it is wanted."""
    node = document
    for key in entry.path:
        node = node.get(key) if isinstance(node, dict) else None
    if entry.key:
        return isinstance(node, dict) and node.get(entry.key) == entry.value
    return isinstance(node, list) and entry.value in node


def without_ours(document: Any, entries: tuple[Entry, ...]) -> Any:
    """Return a document without what is ours, and without what is empty on the way to it.

    Two documents that are equal then hold the same of everybody else.
    """
    if not isinstance(document, dict):
        return document
    ours = {(one.event, one.index) for one in hooks_in(document) if one.untouched}
    kept = dict(document)
    events = kept.get("hooks")
    if isinstance(events, dict):
        left = {event: _left(event, elements, ours) for event, elements in events.items()}
        kept["hooks"] = {event: elements for event, elements in left.items() if elements != []}
    for entry in entries:
        if entry.part == "form":
            if kept.get(entry.key) == entry.value:
                del kept[entry.key]
        elif entry.key:
            inside = kept.get(entry.path[0])
            if isinstance(inside, dict) and is_our_server(inside.get(entry.key)):
                kept[entry.path[0]] = {k: v for k, v in inside.items() if k != entry.key}
    places = {"hooks", *(entry.path[0] for entry in entries if entry.path)}
    return {key: value for key, value in kept.items() if key not in places or value != {}}


def _left(event: str, elements: Any, ours: set[tuple[str, int]]) -> Any:
    if not isinstance(elements, list):
        return elements
    return [value for index, value in enumerate(elements) if (event, index) not in ours]
