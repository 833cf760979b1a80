"""Configuration files of agents: real ones and variants of them, and a place to install into.

In: a folder. Out: `site`, which installs there; `CONFIGS`, the files under tests/agents/configs,
each with the agent that reads it and where it belongs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from git_skillmesh.agents.catalogue import Places
from git_skillmesh.agents.install import Site

FOLDER = Path(__file__).parents[1] / "tests" / "agents" / "configs"
_BELONGS = {
    "mcp.json": ("claude-code", ".mcp.json"),
    "claude-settings.json": ("claude-code", ".claude/settings.json"),
    "claude.md": ("claude-code", "CLAUDE.md"),
    "codex-config.toml": ("codex", ".codex/config.toml"),
    "agents.md": ("codex", "AGENTS.md"),
    "cursor-mcp.json": ("cursor", ".cursor/mcp.json"),
    "cursor-hooks.json": ("cursor", ".cursor/hooks.json"),
    "gemini-settings.json": ("gemini", ".gemini/settings.json"),
    "vscode-mcp.json": ("vscode", ".vscode/mcp.json"),
    "copilot-instructions.md": ("copilot", ".github/copilot-instructions.md"),
}


@dataclass(frozen=True)
class Config:
    """A file: its name here, the agent that reads it, its path in a repository, its bytes."""

    name: str
    agent: str
    path: str
    data: bytes


def _configs() -> Iterator[Config]:
    for file in sorted(FOLDER.iterdir()):
        _, _, kind = file.name.partition(".")
        if kind in _BELONGS:
            yield Config(file.name, *_BELONGS[kind], file.read_bytes())


CONFIGS = tuple(_configs())


def variants(config: Config) -> list[bytes]:
    """Return a file as it is, and as one of some other editors would have left it."""
    data = config.data
    ended = data.endswith(b"\n")
    others = [
        data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + data,
        data.rstrip(b"\n") if ended else data + b"\n",
        data.replace(b"  ", b"\t"),
    ]
    return [data, others[[one.name for one in CONFIGS].index(config.name) % len(others)]]


def site(folder: Path, scope: str = "project", **environ: str) -> Site:
    """Return a place with a home and a repository's folder, which need not be a repository."""
    top, home = folder / "top", folder / "home"
    for one in (top, home):
        one.mkdir(parents=True, exist_ok=True)
    return Site(scope, Places(home, top, environ), folder / "record" / f"{scope}.json")


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return path → content of all there is below a folder; None stands for a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }
