"""Which transcripts on this machine belong to a repository.

In: the roots of its working trees, and the environment, whose variables move the folders of the
agents. Out: files by agent. A file belongs to the repository when the folder that it is kept in,
or the folder that its session names, says so; in doubt it does not.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from . import aider, claude, codex, copilot, cursor, gemini, specstory
from .places import Roots, clean
from .records import Misfit

# Where a session names its folder: in the first records of a transcript.
_LOOK = 2**18
_FOLDER = re.compile(rb'"(?:cwd|gitRoot)"\s*:\s*"((?:[^"\\]|\\.)*)"')


Environ = Mapping[str, str]


class Verdicts(Protocol):
    """Remembers in which folders the session in a file began: that does not change any more."""

    def verdict(self, path: bytes, tops: str) -> bool | None:
        """Return whether it was one of these, None if that is not known."""

    def judge(self, path: bytes, tops: str, ours: bool) -> None:
        """Remember it."""


Verdict = Verdicts | None


def files_of(
    agent: str,
    roots: Roots,
    environ: Mapping[str, str] = os.environ,
    verdicts: Verdicts | None = None,
) -> list[Path]:
    """Return the transcripts of one agent that belong to the repository, in a fixed order.

    With `verdicts` a transcript is looked into once, not at every call.
    """
    home = Path(environ.get("HOME") or Path.home())
    return sorted(set(_FINDERS[agent](roots, home, environ, verdicts)))


def bases_of(agent: str, environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the folders in which an agent keeps its transcripts, of whatever repository."""
    home = Path(environ.get("HOME") or Path.home())
    match agent:
        case claude.AGENT:
            return [folder / "projects" for folder in _claude_folders(home, environ)]
        case codex.AGENT:
            base = Path(environ.get("CODEX_HOME") or home / ".codex")
            return [base / "sessions", base / "archived_sessions"]
        case gemini.AGENT:
            return [_gemini_folder(home, environ)]
        case cursor.AGENT:
            return [home / ".cursor" / "projects"]
        case copilot.AGENT:
            return [Path(environ.get("COPILOT_HOME") or home / ".copilot") / "session-state"]
    return []


def _claude_folders(home: Path, environ: Mapping[str, str]) -> list[Path]:
    moved = environ.get("CLAUDE_CONFIG_DIR", "")
    folders = [Path(folder) for folder in moved.split(",") if folder]
    return folders or [home / ".claude", home / ".config" / "claude"]


def _gemini_folder(home: Path, environ: Mapping[str, str]) -> Path:
    return Path(environ.get("GEMINI_CLI_HOME") or home) / ".gemini" / "tmp"


def _claude(roots: Roots, home: Path, environ: Environ, verdicts: Verdict) -> Iterator[Path]:
    folders = _claude_folders(home, environ)
    slugs = [re.sub(r"[^A-Za-z0-9]", "-", top) for top in roots.tops]
    for folder in _folders(folder / "projects" for folder in folders):
        # A session that began in a subfolder has a longer name, and so has one of a neighbour.
        if folder.name in slugs:
            yield from folder.rglob("*.jsonl")
        elif any(folder.name.startswith(slug + "-") for slug in slugs):
            yield from _named_in(folder.rglob("*.jsonl"), roots, verdicts)


def _codex(roots: Roots, home: Path, environ: Environ, verdicts: Verdict) -> Iterator[Path]:
    base = Path(environ.get("CODEX_HOME") or home / ".codex")
    for folder in ("sessions", "archived_sessions"):
        yield from _named_in((base / folder).rglob("rollout-*.jsonl"), roots, verdicts)


def _gemini(roots: Roots, home: Path, environ: Environ, _verdicts: Verdict) -> Iterator[Path]:
    base = _gemini_folder(home, environ)
    hashes = {
        hashlib.sha256(top.encode("utf-8", "surrogateescape")).hexdigest() for top in roots.tops
    }
    for folder in _folders([base]):
        if folder.name in hashes or _text_of(folder / ".project_root") in roots.tops:
            yield from (folder / "chats").glob("session-*.json*")


def _cursor(roots: Roots, home: Path, _environ: Environ, _verdicts: Verdict) -> Iterator[Path]:
    slugs = {re.sub(r"[/.]", "-", top.lstrip("/")) for top in roots.tops}
    for folder in _folders([home / ".cursor" / "projects"]):
        if folder.name in slugs:
            yield from (folder / "agent-transcripts").rglob("*.jsonl")


def _copilot(roots: Roots, home: Path, environ: Environ, verdicts: Verdict) -> Iterator[Path]:
    base = Path(environ.get("COPILOT_HOME") or home / ".copilot")
    yield from _named_in((base / "session-state").rglob("*.jsonl"), roots, verdicts)
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    editors = [config, home / "Library" / "Application Support"]
    storages = [
        editor / name / "User" / "workspaceStorage"
        for editor in editors
        for name in ("Code", "Code - Insiders", "VSCodium")
    ]
    for folder in _folders(storages):
        opened = re.search(r'"folder"\s*:\s*"(file://[^"]*)"', _text_of(folder / "workspace.json"))
        if opened and unquote(urlsplit(opened[1]).path).rstrip("/") in roots.tops:
            yield from (folder / "chatSessions").glob("*.json")
            yield from (folder / "GitHub.copilot-chat" / "transcripts").glob("*.jsonl")


def _aider(roots: Roots, _home: Path, environ: Environ, _verdicts: Verdict) -> Iterator[Path]:
    name = environ.get("AIDER_CHAT_HISTORY_FILE") or ".aider.chat.history.md"
    yield from (path for top in roots.tops if (path := Path(top, name)).is_file())


def _specstory(roots: Roots, _home: Path, _environ: Environ, _verdicts: Verdict) -> Iterator[Path]:
    for top in roots.tops:
        # A project in a folder of the repository has a history of its own.
        for folder in (".specstory/history", "*/.specstory/history"):
            yield from Path(top).glob(f"{folder}/*.md")


_FINDERS = {
    claude.AGENT: _claude, codex.AGENT: _codex, gemini.AGENT: _gemini, cursor.AGENT: _cursor,
    copilot.AGENT: _copilot, aider.AGENT: _aider, specstory.AGENT: _specstory,
}  # fmt: skip


def _folders(parents: Iterable[Path]) -> Iterator[Path]:
    for parent in parents:
        if parent.is_dir():
            yield from (folder for folder in sorted(parent.iterdir()) if folder.is_dir())


def _named_in(files: Iterable[Path], roots: Roots, verdicts: Verdict) -> Iterator[Path]:
    """Yield the files whose session says that it began inside the repository."""
    tops = "\n".join(sorted(roots.tops))
    for file in files:
        name = os.fsencode(file)
        ours = verdicts.verdict(name, tops) if verdicts else None
        if ours is None:
            folder = _folder_named_in(file)
            if not folder:  # nothing is written there yet, or not by this agent
                continue
            ours = _lies_in(folder, roots)
            if verdicts:
                verdicts.judge(name, tops, ours)
        if ours:
            yield file


def _folder_named_in(file: Path) -> str:
    try:
        number = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(number, "rb") as stream:
            named = _FOLDER.search(stream.read(_LOOK))
    except OSError:
        return ""
    return named[1].replace(b"\\/", b"/").decode("utf-8", "replace") if named else ""


def _lies_in(folder: str, roots: Roots) -> bool:
    try:
        path = clean(folder.replace("\\\\", "\\"))
    except Misfit:
        return False
    return any(path == top or path.startswith(top + "/") for top in roots.tops)


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
