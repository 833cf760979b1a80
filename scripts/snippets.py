#!/usr/bin/env python3
"""Run the snippets of the cards and note which of them pass, and with what.

In: the ```python run fences (sh, rust, cpp, node) of registry/**/SKILL.md. Each is run in an empty
folder, without network where the system lets us, for at most a minute; exit code 0 is a pass.
Out: registry/snippets.lock.json: the sha256 of what was run → what it ran with. A test fails for a
snippet that is not in there, so a changed one must be run again:

    python3 -m venv VENV
    scripts/snippets.py --list-packages | xargs VENV/bin/pip install
    scripts/snippets.py --venv VENV
"""

import argparse
import ast
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from git_skillmesh.registry import texts, trees
from git_skillmesh.registry.cards import card_of
from git_skillmesh.registry.markdown import read_page

REGISTRY = Path(__file__).parents[1] / "registry"
LOCK = "snippets.lock.json"
SECONDS = 60
TOOLS = {
    "python": ("python3", "--version"), "sh": ("bash", "--version"), "rust": ("rustc", "--version"),
    "cpp": ("g++", "--version"), "node": ("node", "--version"),
}  # fmt: skip
# What every machine that runs our tests has. A shell snippet with these alone is run there too.
EVERYWHERE = frozenset({
    "[", ":", "awk", "basename", "bash", "break", "cat", "cd", "chmod", "cmp", "command", "comm",
    "continue", "cp", "cut", "date", "declare", "diff", "dirname", "echo", "env", "eval", "exec",
    "exit", "export", "expr", "false", "find", "fold", "getopts", "git", "grep", "head", "hash",
    "kill", "ln", "local", "ls", "mkdir", "mktemp", "mv", "nl", "paste", "printf", "pwd", "read",
    "readonly", "return", "rm", "rmdir", "sed", "seq", "set", "sha256sum", "shift", "shopt",
    "sleep", "sort", "stat", "tail", "tee", "test", "time", "touch", "tr", "trap", "true", "type",
    "umask", "uniq", "unset", "wait", "wc", "xargs",
})  # fmt: skip
# Without a network of its own a server and its client in one snippet would not meet either.
_LOOPBACK = (
    "import fcntl,os,socket,struct,sys;"
    "fcntl.ioctl(socket.socket(),0x8914,struct.pack('16sh',b'lo',0x41));"
    "os.execvp(sys.argv[1],sys.argv[1:])"
)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A fence that is to be run, and the packages that its card names for it."""

    card: str
    path: str
    line: int
    language: str
    code: str
    packages: tuple[str, ...]

    @property
    def key(self) -> str:
        """What the lock knows it by: everything that decides how it runs."""
        return hashlib.sha256(f"{self.language}\n{self.code}".encode()).hexdigest()

    @property
    def plain(self) -> bool:
        """Whether the standard library, or bash and git, are all that it needs."""
        if self.language == "python":
            imports = _imports(self.code)
            return imports <= sys.stdlib_module_names - {"subprocess"} and not self.packages
        known = self.language == "sh" and _commands(self.code) <= EVERYWHERE
        return known and "filter-repo" not in self.code


def snippets_of(root: Path) -> Iterator[Snippet]:
    """Yield the snippets of all cards that are to be run."""
    for place in trees.places(root):
        fields = trees.fields_of(root, place, []) if place.card else None
        card = None if fields is None else card_of(fields, root)
        if card is None:
            continue
        text = texts.read_skill(root, place.skill)
        packages = tuple(card.metadata.get("snippets", "").split())
        for fence in read_page(text.body, text.body_line).fences:
            if fence.run:
                yield Snippet(
                    card.id, place.skill, fence.line, fence.language, fence.code, packages
                )


def _imports(code: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def _commands(code: str) -> set[str]:
    """Return the commands that a shell script names, without its own functions."""
    import tree_sitter_language_pack

    parsers: Any = tree_sitter_language_pack
    found, own = set(), set()
    pending = [parsers.get_parser("bash").parse(code.encode()).root_node]
    while pending:
        node = pending.pop()
        if node.type == "command_name":
            found.add(node.text.decode())
        if node.type == "function_definition":
            own.add(node.child_by_field_name("name").text.decode())
        pending += node.children
    return found - own


@cache
def _isolation() -> tuple[str, ...]:
    """Return what starts a process without network, () where that is not allowed."""
    prefix = ("unshare", "--map-root-user", "--net", sys.executable, "-c", _LOOPBACK)
    try:
        done = subprocess.run([*prefix, "true"], capture_output=True, timeout=20, check=False)
    except OSError:
        return ()
    return () if done.returncode else prefix


def run(snippet: Snippet, venv: Path | None, seconds: int = SECONDS) -> str:
    """Run a snippet and return "" if it passes, else what it said."""
    with tempfile.TemporaryDirectory(prefix="snippet-") as name:
        folder, source, home = (Path(name) / part for part in ("empty", "source", "home"))
        for made in (folder, source, home):
            made.mkdir()
        path = os.environ["PATH"]
        environment = {
            "PATH": f"{venv / 'bin'}:{path}" if venv else path,
            "HOME": os.fspath(home), "TMPDIR": os.fspath(home), "LANG": "C.UTF-8", "TZ": "UTC",
            "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "Agg", "GIT_CONFIG_NOSYSTEM": "1",
            **{key: os.environ[key] for key in ("RUSTUP_HOME", "CARGO_HOME") if key in os.environ},
        }  # fmt: skip
        if "RUSTUP_HOME" not in environment and (Path.home() / ".rustup").is_dir():
            environment["RUSTUP_HOME"] = os.fspath(Path.home() / ".rustup")
        for command in _commands_for(snippet, source, venv):
            said = _finished([*_isolation(), *command], folder, environment, seconds)
            if said:
                return said
    return ""


def _commands_for(snippet: Snippet, source: Path, venv: Path | None) -> Iterator[list[str]]:
    def written(name: str) -> str:
        (source / name).write_text(snippet.code, encoding="utf-8")
        return os.fspath(source / name)

    program = os.fspath(source / "program")
    if snippet.language == "python":
        python = os.fspath(venv / "bin" / "python") if venv else sys.executable
        yield [python, "-X", "utf8", written("snippet.py")]
    elif snippet.language == "sh":
        yield ["bash", "-eu", written("snippet.sh")]
    elif snippet.language == "rust":
        yield ["rustc", "--edition", "2024", "-o", program, written("snippet.rs")]
        yield [program]
    elif snippet.language == "cpp":
        cpp = written("snippet.cpp")
        yield ["g++", "-std=c++20", "-Wall", "-Wextra", "-pthread", "-o", program, cpp]
        yield [program]
    else:
        module = re.search(r"^(?:import|export)\b|^(?:const .*= )?await\b", snippet.code, re.M)
        yield ["node", written(f"snippet.{'mjs' if module else 'cjs'}")]


def _finished(command: list[str], folder: Path, environment: dict[str, str], seconds: int) -> str:
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"took more than {seconds} seconds"
    text = said.decode(errors="replace").strip()
    return f"exit {process.returncode}\n{text[-2000:]}" if process.returncode else ""


def ran_with(snippet: Snippet, venv: Path | None) -> dict[str, Any]:
    """Return the entry of the lock: language, what runs it, versions of packages."""
    program, option = TOOLS[snippet.language]
    path = f"{venv / 'bin'}:{os.environ['PATH']}" if venv else None
    done = subprocess.run(
        [shutil.which(program, path=path) or program, option],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    entry = {"language": snippet.language, "with": done.stdout.splitlines()[0].strip()}
    return {"card": snippet.card, **entry, "packages": _versions(snippet.packages, venv)}


def _versions(packages: tuple[str, ...], venv: Path | None) -> dict[str, str]:
    code = (
        "import sys, json, importlib.metadata as m\n"
        "def version(name):\n"
        "    try: return m.version(name)\n"
        "    except m.PackageNotFoundError: return ''\n"
        "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    )
    python = os.fspath(venv / "bin" / "python") if venv else sys.executable
    done = subprocess.run(
        [python, "-c", code, *sorted(packages)], capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return {name: version for name, version in found.items() if version}


def read_lock(root: Path) -> dict[str, Any]:
    """Return what the lock has by hash."""
    try:
        found: dict[str, Any] = json.loads((root / LOCK).read_text())["snippets"]
    except FileNotFoundError:
        return {}
    return found


def write_lock(root: Path, entries: dict[str, Any]) -> None:
    """Write the lock in the order of cards, so that a change of one moves no others."""
    ordered = sorted(entries.items(), key=lambda pair: (pair[1]["card"], pair[0]))
    text = json.dumps({"version": 1, "snippets": dict(ordered)}, indent=1)
    (root / LOCK).write_text(f"{text}\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("registry", nargs="?", type=Path, default=REGISTRY)
    parser.add_argument("--venv", type=Path, help="environment that has the packages")
    parser.add_argument("--only", default="", help="cards whose id begins so")
    parser.add_argument("--again", action="store_true", help="run those too that have passed")
    parser.add_argument("--dry-run", action="store_true", help="leave the lock as it is")
    parser.add_argument("--list-packages", action="store_true", help="of all cards, and stop")
    arguments = parser.parse_intermixed_args()
    root: Path = arguments.registry
    venv = arguments.venv.absolute() if arguments.venv else None
    snippets = list(snippets_of(root))
    if arguments.list_packages:
        print(*sorted({name for snippet in snippets for name in snippet.packages}), sep="\n")
        return 0
    entries = read_lock(root)
    there = {snippet.key for snippet in snippets}
    entries = {key: entry for key, entry in entries.items() if key in there}
    failed = 0
    for snippet in snippets:
        if not snippet.card.startswith(arguments.only):
            continue
        if snippet.key in entries and not arguments.again:
            continue
        said = run(snippet, venv)
        print(f"{'FAILED' if said else 'passed'} {snippet.path}:{snippet.line}", flush=True)
        if said:
            failed += 1
            entries.pop(snippet.key, None)
            print("    " + said.replace("\n", "\n    "))
        else:
            entries[snippet.key] = ran_with(snippet, venv)
    if not arguments.dry_run:
        write_lock(root, entries)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
