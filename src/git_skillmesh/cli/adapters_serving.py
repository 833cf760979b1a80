"""`git skillmesh adapters serve`: an OpenAI-compatible server on this machine."""

import argparse
import os
import signal
import sys
from typing import NoReturn

from ..errors import ExitCode, UsageError
from .adapters import opened
from .context import Context
from .terminal import safe_line

_LEAST_TOKEN = 16
_MOST_TOKEN = 4_096
_PORTS = 1 << 16


def serve(args: argparse.Namespace, context: Context) -> int:
    """Serve until a signal comes. Raises `UsageError`, `Unavailable`, `Damaged`."""
    from ..training.models import require

    if not 0 <= args.port < _PORTS:
        raise UsageError("--port takes a number from 0 to 65535")
    token = _token(args.token_env)
    require("torch", "transformers", "peft")
    from ..training.alone import settle

    settle()
    from ..training.adapters.generating import ModelEngine
    from ..training.adapters.serving import Server

    store, deployments = opened(context)
    name = "" if args.adapter in (None, "active") else args.adapter
    engine = ModelEngine(
        store, deployments, adapter=name, base=args.base or "", device=args.device,
        tell=lambda line: context.note(safe_line(line)),
    )  # fmt: skip
    engine.follow()
    server = Server(engine, args.port, token)
    context.out(f"serving {safe_line(engine.names()[0])} at {server.url}")
    sys.stdout.flush()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        context.note("stopped")
    finally:
        server.server_close()
    return ExitCode.OK


def _token(variable: str) -> str:
    if not variable:
        return ""
    token = os.environ.get(variable, "").strip()
    if not (_LEAST_TOKEN <= len(token) <= _MOST_TOKEN and token.isascii() and token.isprintable()):
        raise UsageError(
            f"{variable} holds no token", f"at least {_LEAST_TOKEN} printable characters"
        )
    return token


def _leave(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
