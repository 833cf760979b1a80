"""`git-skillmesh-hook`: what git, pre-commit and hook managers call.

In: the name of a hook. Out: a detached worker; the caller waits only until it has started. What
agents call is in agent.py.
A hook never fails what the user does: the exit code is 0, and trouble is one line. The two hooks
that check a commit fail for what they find, and for nothing else.
"""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False  # an agent waits for its hook, and the modules for types are slow to load
if TYPE_CHECKING:
    from collections.abc import Sequence

CHECKS = ("pre-commit", "commit-msg")
HOOKS = ("post-commit", "post-merge", "post-checkout", "post-rewrite", "pre-push", *CHECKS)
# How a check tells its shim of findings. Python ends with 1 when it cannot even start.
FOUND = 79
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "__main__.py")  # noqa: PTH100, PTH118, PTH120

_USAGE = f"""\
usage: git-skillmesh-hook {{{"|".join(HOOKS)}}} [ARGUMENT…]
       git-skillmesh-hook agent [claude-code|codex|cursor|gemini|copilot] <PAYLOAD
       git-skillmesh-hook context [--explain] [AGENT] <PAYLOAD"""


def run() -> None:
    """Do what the command line says, and leave."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    code = 0
    try:
        code = dispatch(name, sys.argv[2:])
    except Exception as error:
        if name == "context":  # an agent shows what its hooks say
            sys.exit(0)
        text = " ".join(str(error).split()) or type(error).__name__
        _say(f"git-skillmesh-hook {name}: {text} (nothing else is affected)")
    except KeyboardInterrupt:
        # Whoever stops a check means the commit.
        code = 130 if name in (*CHECKS, "shim") else 0
    sys.exit(code)


def dispatch(name: str, arguments: Sequence[str]) -> int:
    """Run one hook and return its exit code; `arguments` are git's."""
    if name in CHECKS:
        from .checking import check_commit

        return check_commit(name, arguments)
    if name == "shim" and arguments:
        code = dispatch(arguments[0], arguments[1:])
        return FOUND if code == 1 else code
    if name == "agent":
        from .agent import main as note

        note(arguments)
    elif name == "context":
        gc.disable()  # it ends within seconds, and what it builds is no garbage
        from .context import main as tell

        tell(arguments)
    elif name == "pre-push":
        from .sharing import answer_push

        if problem := answer_push(arguments):
            _say(f"git skillmesh: {problem}")
    elif name in HOOKS:
        if name == "post-rewrite":
            _keep_pairs()
        start_worker(name)
    elif name == "worker":
        from .worker import main as work

        work(arguments)
    elif name in ("-h", "--help"):
        print(_USAGE)
    else:
        what = f"unknown hook {name!r}" if name else "no hook named"
        _say(f"git-skillmesh-hook: {what}; known: {', '.join(HOOKS)}, agent, context")
    return 0


def _keep_pairs() -> None:
    """Keep what git says about rewritten commits, as far as a hook manager passes it on."""
    pairs = b"" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.buffer.read()
    if pairs:
        from ..git.repository import discover
        from ..git.rewrites import leave_pairs

        leave_pairs(discover().state_dir, pairs)


def worker_command(name: str) -> list[str]:
    """Return the command line of the worker."""
    return [sys.executable, "-I", PROGRAM, "worker", name]


def start_worker(name: str, folder: str | os.PathLike[str] | None = None) -> None:
    """Start the worker for the repository of a folder (the current one), without waiting."""
    import subprocess

    subprocess.Popen(
        worker_command(name),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=folder,
    )


def _say(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except (OSError, AttributeError):
        sys.stderr = None  # nor may the flush at exit complain
