"""Our sections in files of text: the server in Codex's config.toml, the rules in Markdown.

In: a file as text, None where there is none. Out: the file with the section or without it, and what
is said of it. A section that somebody has edited stays as it is.
"""

import json
import tomllib
from typing import Any

from ..errors import ConfigurationError, UsageError
from ..marked import Marks, Section
from .catalogue import SERVER
from .rules import RULES, cursor_rule

MARKDOWN = Marks("git-skillmesh agents", summed=True)
TOML = Marks("git-skillmesh agents", "# ", "", summed=True)
_TABLE = "mcp_servers"
_STAYS = "the section was edited by hand and stays"

Changed = tuple[str | None, list[str]]


def put_in(text: str | None, form: str, server: dict[str, Any], name: str) -> Changed:
    """Return a file with our section, and notes. Raises `ConfigurationError`."""
    found = _find(text, form, name)
    if found is not None and found.edited:
        return text, [f"{name}: {_STAYS}"]
    if form == "rule":
        if text is not None and found is None:
            return text, [f"{name}: the file is somebody's own and stays"]
        if text is None:
            return cursor_rule() + _merged(MARKDOWN, None, RULES, name), []
    if form != "toml":
        return _merged(MARKDOWN, text, RULES, name), []
    before = _tables(text or "", name)
    if found is None and SERVER in _servers(before):
        return text, [f"{name}: the server {SERVER} is somebody's own and stays"]
    after = _merged(TOML, text, _table(server), name)
    _compare(before, after, name, server)
    return after, []


def take_out(text: str | None, form: str, name: str) -> Changed:
    """Return a file without our section, None if nothing is left of one that install made."""
    found = _find(text, form, name)
    if text is None or found is None:
        own = form == "toml" and text is not None and SERVER in _servers(_tables(text, name))
        return text, [f"{name}: the server {SERVER} is somebody's own and stays"] if own else []
    if found.edited:
        return text, [f"{name}: {_STAYS}"]
    marks = TOML if form == "toml" else MARKDOWN
    left = marks.without(text.encode())
    if form == "toml":
        _compare(_tables(text, name), (left or b"").decode(), name, None)
    if left is None or (form == "rule" and left.decode() == cursor_rule()):
        return None, []
    return left.decode(), []


def state(text: str | None, form: str, server: dict[str, Any], name: str) -> str:
    """Return how our section stands: yes, no, outdated or changed (by somebody)."""
    found = _find(text, form, name)
    if found is None:
        own = form == "toml" and text is not None and SERVER in _servers(_tables(text, name))
        return "changed" if own else "no"
    if found.edited:
        return "changed"
    wanted = _table(server) if form == "toml" else RULES
    same = found.text.replace(b"\r\n", b"\n").strip(b"\n").decode() == wanted.strip("\n")
    return "yes" if same else "outdated"


def server_in(text: str, name: str) -> Any:
    """Return the entry of our server in a config.toml, None if there is none."""
    return _servers(_tables(text, name)).get(SERVER)


def _find(text: str | None, form: str, name: str) -> Section | None:
    try:
        return (TOML if form == "toml" else MARKDOWN).find((text or "").encode())
    except UsageError as error:
        raise ConfigurationError(f"{name}: {error.what}", error.mend) from None


def _merged(marks: Marks, text: str | None, section: str, name: str) -> str:
    try:
        return marks.merged(None if text is None else text.encode(), section).decode()
    except UsageError as error:
        raise ConfigurationError(f"{name}: {error.what}", error.mend) from None


def _table(server: dict[str, Any]) -> str:
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in server.items()]
    return "\n".join([f"[{_TABLE}.{SERVER}]", *lines])


def _tables(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        why = str(error) or "too deep"
        raise ConfigurationError(
            f"{name}: {why}", "mend the file first; nothing was changed"
        ) from None


def _servers(tables: dict[str, Any]) -> dict[str, Any]:
    found = tables.get(_TABLE)
    return found if isinstance(found, dict) else {}


def _compare(before: dict[str, Any], text: str, name: str, wanted: Any) -> None:
    """Make sure that a new text holds all that was there, and ours. Raises `ConfigurationError`."""
    try:
        after = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError:
        after = {}
    fine = _servers(after).get(SERVER) == wanted and _others(before) == _others(after)
    if not fine:
        raise ConfigurationError(
            f"{name}: no table can be added to its {_TABLE}", "nothing was changed"
        )


def _others(tables: dict[str, Any]) -> str:
    kept = {key: value for key, value in _servers(tables).items() if key != SERVER}
    rest = {**tables, _TABLE: kept} if isinstance(tables.get(_TABLE), dict) else tables
    return repr({key: rest[key] for key in sorted(rest) if rest[key] != {} or key != _TABLE})
