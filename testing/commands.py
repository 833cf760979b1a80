"""The program run inside the process of the tests, for the many cases that need no process.

In: a folder and arguments. Out: what `run_skillmesh` would answer, without Python's start-up.
What concerns the process itself (signals, pipes, imports) is tested with `run_skillmesh`.
"""

import io
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from git_skillmesh.cli.main import main

from .repos import Result


def call(folder: Path, *args: str, env: Mapping[str, str | None] | None = None) -> Result:
    """Run `git-skillmesh ARGS` in a folder; None in `env` takes a variable away."""
    out, err = _stream(), _stream()
    was, saved = Path.cwd(), dict(os.environ)
    try:
        os.chdir(folder)
        _apply(env or {})
        with redirect_stdout(out), redirect_stderr(err):
            code = main(args)
    finally:
        os.chdir(was)
        _apply({name: saved.get(name) for name in {*os.environ, *saved}})
    return Result(code, _text(out), _text(err))


def _apply(env: Mapping[str, str | None]) -> None:
    for name, value in env.items():
        if value is None:
            os.environ.pop(name, None)
        elif os.environ.get(name) != value:
            os.environ[name] = value


def _stream() -> io.TextIOWrapper:
    # Encoded as `cli.main.run` sets the real streams up.
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


def program_folder(where: Path) -> Path:
    """Make a folder for PATH that holds the two programs and nothing else."""
    where.mkdir()
    for name, module in (
        ("git-skillmesh", "git_skillmesh"), ("git-skillmesh-hook", "git_skillmesh.hooks")
    ):  # fmt: skip
        program = where / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        program.chmod(0o755)
    return where
