"""Put our entries into the text of a JSON file, and take them out again.

In: a text and entries. Out: `Merged`: the new text, the cuts that lead to it, and what is said of
it. Before a new text is handed out it is read again: all that was there before has to be there,
with the same values.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..errors import ConfigurationError
from . import edits
from .catalogue import Entry
from .edits import Cut, Style
from .entries import Found, holds, hooks_in, is_our_server, without_ours
from .jsonc import Node, NotJson, line_of, parse

Path = tuple[str, ...]
# Where our entries are.
_OPENED = frozenset(("hooks", "mcpServers", "servers"))


@dataclass
class Merged:
    """A text on its way. `made` are the paths that came into being with our entries."""

    text: str
    cuts: list[Cut] = field(default_factory=list)
    made: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def cut(self, cuts: Sequence[Cut]) -> None:
        """Make some changes."""
        self.text = edits.apply(self.text, cuts)
        self.cuts += cuts


def understood(text: str, name: str) -> Node:
    """Return the object that a file holds. Raises `ConfigurationError` with file and line."""
    try:
        root = _parsed(text)
    except NotJson as error:
        raise ConfigurationError(
            f"{name}:{error.line}: {error.why}", "mend the file first; nothing was changed"
        ) from None
    if root.kind != "object":
        raise ConfigurationError(f"{name} holds no JSON object", "nothing was changed")
    return root


# A file of some MB takes seconds to read, and is looked at several times.
@lru_cache(maxsize=4)
def _parsed(text: str) -> Node:
    return parse(text, _OPENED)


def put_in(text: str, entries: tuple[Entry, ...], name: str) -> Merged:
    """Add entries that are missing and renew those of older versions.

    Raises `ConfigurationError` for a file that is not understood or has no room for them.
    """
    merged = Merged(text)
    if not text.lstrip("\ufeff").strip():
        merged.cut([Cut(len(text), "", "{}" if text.lstrip("\ufeff") else "{}\n")])
    before = understood(merged.text, name).value
    for entry in entries:
        root = understood(merged.text, name)
        if entry.key:
            _put_member(merged, root, entry, name)
        else:
            _put_element(merged, root, entry, name)
    _clear(merged, name, lambda one: _outdated(one, entries))
    _compare(before, merged.text, entries, name)
    return merged


def take_out(
    text: str, entries: tuple[Entry, ...], name: str, made: Collection[Path] | None
) -> Merged:
    """Take out entries and what was `made` for them; None says that nobody knows what that was.

    An entry that somebody has changed stays, and a note says so. Raises `ConfigurationError`.
    """
    merged = Merged(text)
    if not text.lstrip("\ufeff").strip():
        return merged
    before = understood(text, name).value
    for entry in entries:
        if entry.part == "mcp":
            _take_member(merged, entry, name, made)
    events = {entry.path[1] for entry in entries if len(entry.path) == 2}
    parts = {entry.part for entry in entries}
    _clear(merged, name, lambda one: one.part in parts, made)
    for one in hooks_in(understood(merged.text, name).value):
        if one.event in events and not one.untouched:
            merged.notes.append(f"{name}: the hook of {one.event} was changed by hand and stays")
    for entry in entries:
        if entry.part == "form":
            _take_form(merged, entry, name, made)
    _compare(before, merged.text, entries, name)
    return merged


def _put_member(merged: Merged, root: Node, entry: Entry, name: str) -> None:
    container = _container(merged, root, entry, name, "object")
    if container is None:
        return
    style, found = Style.of(merged.text, root), container.member(entry.key)
    if found is None:
        merged.cut(edits.added(merged.text, container, entry.value, style, entry.key))
        if entry.part == "form":
            merged.made.append((*entry.path, entry.key))
        return
    value = found.value.value
    if entry.part == "form" or value == entry.value:
        return
    if is_our_server(value):
        merged.cut(edits.replaced(merged.text, found.value, entry.value, style))
    else:
        line = line_of(merged.text, found.start)
        merged.notes.append(f"{name}:{line}: the server {entry.key} is somebody's own and stays")


def _put_element(merged: Merged, root: Node, entry: Entry, name: str) -> None:
    container = _container(merged, root, entry, name, "array")
    if container is None or entry.value in container.value:
        return
    style, event = Style.of(merged.text, root), entry.path[-1]
    theirs = [one for one in hooks_in(root.value) if one.event == event and one.part == entry.part]
    old = next((one for one in theirs if one.untouched), None)
    if old is not None:
        node = container.elements[old.index]
        merged.cut(edits.replaced(merged.text, node, entry.value, style))
    elif theirs:
        line = line_of(merged.text, container.elements[theirs[0].index].start)
        merged.notes.append(f"{name}:{line}: the hook of {event} was changed by hand and stays")
    else:
        merged.cut(edits.added(merged.text, container, entry.value, style))


def _container(merged: Merged, root: Node, entry: Entry, name: str, kind: str) -> Node | None:
    """Return where an entry goes; None if it was put there together with its container."""
    node = root
    for depth, key in enumerate(entry.path):
        found = node.member(key)
        if found is None:
            value: Any = {entry.key: entry.value} if entry.key else [entry.value]
            for outer in reversed(entry.path[depth + 1 :]):
                value = {outer: value}
            merged.made += [entry.path[: i + 1] for i in range(depth, len(entry.path))]
            merged.cut(edits.added(merged.text, node, value, Style.of(merged.text, root), key))
            return None
        node = found.value
        wanted = kind if depth + 1 == len(entry.path) else "object"
        if node.kind != wanted:
            line = line_of(merged.text, node.start)
            raise ConfigurationError(
                f"{name}:{line}: {'.'.join(entry.path[: depth + 1])} is no {wanted}",
                "mend the file first; nothing was changed",
            )
    return node


def _take_member(merged: Merged, entry: Entry, name: str, made: Collection[Path] | None) -> None:
    root = understood(merged.text, name)
    container = root.at(entry.path)
    found = container.member(entry.key) if container and container.kind == "object" else None
    if found is None:
        return
    if not is_our_server(found.value.value):
        line = line_of(merged.text, found.start)
        merged.notes.append(f"{name}:{line}: the server {entry.key} was changed by hand and stays")
        return
    _remove(merged, root, (*entry.path, entry.key), None, made)


def _take_form(merged: Merged, entry: Entry, name: str, made: Collection[Path] | None) -> None:
    """Take out what only said how to read our entries, unless others came to need it."""
    root = understood(merged.text, name)
    path = (*entry.path, entry.key)
    hooks = root.at(("hooks",))
    if made is not None and path in made and not (hooks and hooks.children):
        _remove(merged, root, path, None, made)


def _clear(
    merged: Merged, name: str, unwanted: Callable[[Found], bool],
    made: Collection[Path] | None = None,
) -> None:  # fmt: skip
    """Take out hooks of ours that nobody has changed."""
    while True:
        root = understood(merged.text, name)
        ours = [one for one in hooks_in(root.value) if one.untouched and unwanted(one)]
        if not ours:
            return
        _remove(merged, root, ("hooks", ours[-1].event), ours[-1].index, made)


def _outdated(one: Found, entries: tuple[Entry, ...]) -> bool:
    return not any(
        entry.path == ("hooks", one.event) and entry.value == one.value for entry in entries
    )


def _remove(
    merged: Merged, root: Node, path: Path, index: int | None, made: Collection[Path] | None
) -> None:
    """Remove a member, or an element of the array at `path`, and what is empty without it."""
    if index is not None:
        array = root.at(path)
        if array is None or len(array.elements) > 1 or (made is not None and path not in made):
            if array is not None:
                merged.cut(edits.removed(merged.text, array, index))
            return
    while len(path) > 1:
        container = root.at(path[:-1])
        alone = container is not None and len(container.members) == 1
        if not alone or (made is not None and path[:-1] not in made):
            break
        path = path[:-1]
    container = root.at(path[:-1])
    found = container.member(path[-1]) if container else None
    if container is not None and found is not None:
        index = next(i for i, member in enumerate(container.members) if member is found)
        merged.cut(edits.removed(merged.text, container, index))


def _compare(before: Any, text: str, entries: tuple[Entry, ...], name: str) -> None:
    """Make sure that everything of others is as it was. Raises `ConfigurationError`."""
    after = understood(text, name).value
    old, new = (_fingerprint(without_ours(one, entries)) for one in (before, after))
    if old != new:
        raise ConfigurationError(f"{name} cannot be changed safely", "nothing was changed")


def _fingerprint(document: Any) -> str:
    return json.dumps(document, sort_keys=True)


def complete(text: str, entries: tuple[Entry, ...], name: str) -> set[str]:
    """Return the parts (mcp, capture, context) of which every entry stands in a text."""
    document = understood(text, name).value if text.lstrip("\ufeff").strip() else {}
    parts = {entry.part for entry in entries} - {"form"}
    return {
        part
        for part in parts
        if all(holds(document, entry) for entry in entries if entry.part == part)
    }
