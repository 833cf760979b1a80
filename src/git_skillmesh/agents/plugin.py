"""A plugin for Claude Code: the same hooks, server and rules, in the files that it expects.

In: a folder. Out: those files. `claude plugin marketplace add DIR` takes it from there.
"""

import json
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import ReadOnly, UsageError
from ..registry.exporting import MANIFEST, plugin_manifest
from .catalogue import SERVER, Places, hooks, server
from .rules import DESCRIPTION, skill

_NAME, _OWNER = "git-skillmesh", "git skillmesh"


def plugin_files() -> dict[str, bytes]:
    """Return the files of the plugin by their paths."""
    places = Places(Path("/"))
    manifest = plugin_manifest(_NAME, _OWNER, __version__, DESCRIPTION)
    events = {entry.path[1]: [entry.value] for entry in hooks("claude-code", places)}
    return {
        **{f"{MANIFEST}/{name}": data for name, data in manifest.files.items()},
        "hooks/hooks.json": _json({"description": DESCRIPTION, "hooks": events}),
        ".mcp.json": _json({"mcpServers": {SERVER: server(places, type="stdio")}}),
        f"skills/{SERVER}/SKILL.md": skill().encode(),
    }


def write_plugin(folder: Path) -> list[str]:
    """Write the plugin and return its paths. Raises `UsageError`, `ReadOnly`."""
    ours = folder / MANIFEST / "plugin.json"
    if folder.exists() and not ours.is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} holds something else", "name an empty folder")
    found = plugin_files()
    try:
        for name, data in found.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except OSError as error:
        where = error.filename or folder
        raise ReadOnly(f"cannot write {where}", error.strerror or "") from None
    return sorted(found)


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
