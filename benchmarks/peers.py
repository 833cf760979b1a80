"""The programs we are compared with: semble (hybrid search, Python) and ripgrep (no index).

In: where they are installed. Out: commands to measure. Both are optional: a measurement says what
is absent and goes on.
"""

import argparse
import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost, run
from benchmarks.program import Bench

_CACHE = "semble-cache"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where semble is."""
    parser.add_argument(
        "--semble", metavar="PYTHON", help="a Python that has semble (left out when not given)"
    )
    parser.add_argument(
        "--semble-model", type=Path, metavar="DIR", help="its model2vec model, see peer_model.py"
    )


@dataclass(frozen=True)
class Semble:
    """semble with a local model; its index lies in `bench.folder`."""

    bench: Bench
    python: str
    model: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment for semble's processes: offline, with its own cache."""
        return {
            **self.bench.env,
            "PYTHONPATH": "",
            "SEMBLE_MODEL_NAME": os.fspath(self.model.resolve()),
            "SEMBLE_CACHE_LOCATION": os.fspath(self.bench.folder / _CACHE),
            "HF_HUB_OFFLINE": "1",
        }

    def search(self, tree: Path, query: str, *, memory: bool = False) -> Cost:
        """Search from the shell; the first search of a tree makes the index."""
        program = os.fspath(Path(self.python).parent / "semble")
        command = [program, "search", query, os.fspath(tree), "-k", "10", "--content", "all"]
        return run(command, self.bench.folder, self.env, memory=memory)

    def forget(self) -> None:
        """Delete all of semble's indexes."""
        shutil.rmtree(self.bench.folder / _CACHE, ignore_errors=True)

    def sizes(self) -> tuple[int, int]:
        """Return the chunks and the bytes of the one index there is."""
        cache = self.bench.folder / _CACHE
        chunks = sum(len(json.loads(path.read_bytes())) for path in cache.rglob("chunks.json"))
        return chunks, sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())

    def warm(self, tree: Path, queries: Path) -> dict[str, Any]:
        """Search many times in one process; see peer_warm.py."""
        script = os.fspath(Path(__file__).with_name("peer_warm.py"))
        command = [self.python, script, os.fspath(tree), os.fspath(queries)]
        found: dict[str, Any] = json.loads(run(command, self.bench.folder, self.env).output)
        return found

    def version(self) -> str:
        """Return semble's version."""
        code = "import importlib.metadata as m; print(m.version('semble'))"
        return run([self.python, "-c", code], self.bench.folder, self.env).output.decode().strip()


def find_semble(args: argparse.Namespace, bench: Bench) -> Semble | None:
    """Return semble, or say why it is left out."""
    if not args.semble or not args.semble_model:
        print("semble is left out: name it with --semble and --semble-model", file=sys.stderr)
        return None
    if shutil.which(args.semble) is None or not args.semble_model.is_dir():
        print("semble is left out: its Python or its model does not exist", file=sys.stderr)
        return None
    # Not resolved: a virtual environment's Python is a link that must be called by its own name.
    return Semble(bench, os.path.abspath(shutil.which(args.semble) or ""), args.semble_model)  # noqa: PTH100


def ripgrep(bench: Bench, tree: Path, query: str) -> Cost | None:
    """Search for any of a query's words, the way one would without an index; None if absent."""
    program = shutil.which("rg", path=bench.env["PATH"])
    if program is None:
        return None
    words = [word for word in re.findall(r"\w+", query) if len(word) > 2] or [query]
    pattern = "|".join(map(re.escape, words))
    return run([program, "-i", "-n", "-e", pattern, "."], tree, bench.env, accept=(0, 1))


def has_ripgrep(bench: Bench) -> bool:
    """Whether ripgrep is installed; says so if not."""
    found = shutil.which("rg", path=bench.env["PATH"]) is not None
    if not found:
        print("ripgrep is left out: rg is not on PATH", file=sys.stderr)
    return found


def read_queries(path: Path) -> Sequence[str]:
    """Return one query a line."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
