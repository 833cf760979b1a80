"""The process that has loaded the program's modules and forks one like it for each that asks.

In: requests of `client.py` on a socket, each with its arguments, environment and descriptors. Out:
a process that runs the program, and its exit status. It ends with its standard input, and kills
what it has started whose asker is gone.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import marshal
import os
import pkgutil
import runpy
import select
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

_RIGHTS = (b"Uid:", b"Gid:", b"Groups:", b"Seccomp:", b"NoNewPrivs:")
_CAPABILITIES = (b"CapEff", b"CapPrm", b"CapInh", b"CapBnd")
# linux/prctl.h, linux/capability.h
_PR_CAPBSET_DROP, _CAPABILITY_VERSION_3 = 24, 0x20080522
_HEEDED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
# Rooms that load what no command needs that is run in tests by the hundred.
_NOT_LOADED = (
    "git_skillmesh.mcp", "git_skillmesh.cli.mcp", "git_skillmesh.chroma.writer",
    "git_skillmesh.chroma.moving.process", "pre_commit.resources",
)  # fmt: skip


def load(kind: str) -> None:
    """Import what the processes need."""
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    package = importlib.import_module("pre_commit" if kind == "framework" else "git_skillmesh")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.startswith(_NOT_LOADED) and not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                if (error.name or "").startswith(package.__name__):
                    raise
                # What an optional package is for is not loaded where it is not installed.
    if kind != "framework":
        from git_skillmesh.embedding.sentence import builtin_model
        from git_skillmesh.index.vectors import builtin_source

        builtin_source().embed_query("warm")
        builtin_model().embed_query("warm")
    if kind == "chroma":
        from git_skillmesh.chroma import client, loading

        loading.load()
        client.settings()
        importlib.import_module("chromadb.api.rust")
        importlib.import_module("chromadb.api.fastapi")
        importlib.import_module("tenacity")
    gc.collect()
    gc.freeze()


def rights(said: tuple[bytes, ...]) -> tuple[object, ...]:
    """Return what a process may do, of what /proc says about it."""
    status, limits, *places = said
    lines = [line for line in status.splitlines() if line.startswith(_RIGHTS)]
    return lines, limits, [os.fsencode(place) for place in places]


def capabilities(said: tuple[bytes, ...]) -> tuple[int, ...]:
    """Return what a process may do of what is root's: `_CAPABILITIES`, a bit for each."""
    found = dict(line.split(b":", 1) for line in said[0].splitlines() if b":" in line)
    return tuple(int(found[name], 16) for name in _CAPABILITIES)


def give_up(own: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Have no capability that is not wanted; neither will what this process starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    for number in range(64):
        if (own[3] & ~wanted[3]) >> number & 1:
            libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    halves = [one >> shift & 0xFFFFFFFF for shift in (0, 32) for one in wanted[:3]]
    if libc.capset(header, (ctypes.c_uint32 * 6)(*halves)) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def own_status() -> tuple[bytes, ...]:
    """Return what /proc says about this process, as `client.py` tells it of others."""
    texts = [Path(f"/proc/self/{name}").read_bytes() for name in ("status", "limits")]
    names = ("mnt", "net", "pid", "user")
    places = [os.readlink(f"/proc/self/ns/{name}") for name in names]  # noqa: PTH115
    return (*texts, *map(os.fsencode, places))


def _is_gone(link: socket.socket) -> bool:
    """Whether nobody is at the other end any more."""
    poll = select.poll()
    poll.register(link, 0)
    return bool(poll.poll(0))


class Server:
    """Forks, and tells how it ended."""

    def __init__(self, kind: str, listening: socket.socket) -> None:
        self._kind = kind
        self._listening = listening
        self._selector = selectors.DefaultSelector()
        self._children: dict[socket.socket, tuple[int, int]] = {}
        self._loaded = False
        self._status = own_status()

    def serve(self) -> Callable[[], NoReturn] | None:
        """Serve until standard input ends; return what to do in a process that was forked."""
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._selector.register(0, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == 0:
                    for pid, _ in self._children.values():
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
                    return None
                if key.fileobj is self._listening:
                    link, _ = self._listening.accept()
                    self._selector.register(link, selectors.EVENT_READ)
                elif isinstance(key.fileobj, socket.socket):
                    todo = self._hear(key.fileobj)
                    if todo is not None:
                        return todo
                else:
                    self._ended(key.data)

    def _hear(self, link: socket.socket) -> Callable[[], NoReturn] | None:
        if link in self._children:  # the asker is gone, which says nothing any more
            pid, _ = self._children[link]
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._selector.unregister(link)
            return None
        message, descriptors, _, _ = socket.recv_fds(link, 1 << 20, 4)
        if not message:
            self._selector.unregister(link)
            link.close()
            return None
        python, arguments, environment, said = marshal.loads(message)  # noqa: S302  # our own tests ask
        own, wanted = capabilities(self._status), capabilities(said)
        more = any(theirs & ~ours for theirs, ours in zip(wanted, own, strict=True))
        if more or rights(said) != rights(self._status):
            link.send(b"other rights")
            self._forget(link, descriptors)
            return None
        if not self._loaded:
            load(self._kind)
            self._loaded = True
        if _is_gone(link):  # killed while it waited
            self._forget(link, descriptors)
            return None
        pid = os.fork()
        if pid == 0:
            sys.executable = python
            fewer = (own, wanted) if own != wanted else None
            return lambda: become(arguments, environment, said[0], descriptors, fewer)
        for descriptor in descriptors:
            os.close(descriptor)
        pidfd = os.pidfd_open(pid)
        self._children[link] = (pid, pidfd)
        self._selector.register(pidfd, selectors.EVENT_READ, data=link)
        with contextlib.suppress(OSError):  # gone since, which is heard next
            link.send(str(pid).encode())
        return None

    def _forget(self, link: socket.socket, descriptors: list[int]) -> None:
        for descriptor in descriptors:
            os.close(descriptor)
        self._selector.unregister(link)
        link.close()

    def _ended(self, link: socket.socket) -> None:
        pid, pidfd = self._children.pop(link)
        self._selector.unregister(pidfd)
        os.close(pidfd)
        _, status = os.waitpid(pid, 0)
        with contextlib.suppress(OSError):
            link.send(str(os.waitstatus_to_exitcode(status)).encode())
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(link)
        link.close()


def become(
    arguments: list[str],
    environment: dict[bytes, bytes],
    status: bytes,
    descriptors: list[int],
    fewer: tuple[tuple[int, ...], tuple[int, ...]] | None,
) -> NoReturn:
    """Be the process that was asked for; `fewer` are the capabilities of this one, and of that."""
    with contextlib.suppress(OSError):
        os.setsid()
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    os.fchdir(descriptors[3])
    os.closerange(3, 1024)
    os.environb.clear()
    os.environb.update(environment)
    time.tzset()
    said = dict(line.split(b":", 1) for line in status.splitlines() if b":" in line)
    os.umask(int(said[b"Umask"], 8))
    ignored = int(said[b"SigIgn"], 16)
    for each in _HEEDED:
        default = signal.default_int_handler if each == signal.SIGINT else signal.SIG_DFL
        signal.signal(each, signal.SIG_IGN if ignored >> (each - 1) & 1 else default)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # The same objects, since modules keep them; what lies below them has been replaced.
        at_once = stream.isatty() or bool(os.environ.get("PYTHONUNBUFFERED"))
        stream.reconfigure(line_buffering=stream is sys.stderr or at_once)  # type: ignore[union-attr]
    if arguments[0] == "-mpre_commit":
        arguments = ["-m", "pre_commit", *arguments[1:]]
    if fewer:
        give_up(*fewer)
    safe = False
    while arguments[0] in ("-I", "-P"):
        safe = True
        arguments = arguments[1:]
    end(_run, arguments, safe)


def _run(arguments: list[str], safe: bool) -> None:
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        if not safe:
            with contextlib.suppress(OSError):
                sys.path.insert(0, os.getcwd())  # noqa: PTH109  # as the interpreter does
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(arguments)
        runpy.run_path(arguments[0], run_name="__main__")


def end(run: Callable[[list[str], bool], None], arguments: list[str], safe: bool) -> NoReturn:
    """Run, and leave as the interpreter does, but without tearing down what it had loaded."""
    code, killed = 0, False
    try:
        run(arguments, safe)
    except SystemExit as left:
        if left.code is None or isinstance(left.code, int):
            code = left.code or 0
        else:
            print(left.code, file=sys.stderr)
            code = 1
    except KeyboardInterrupt:
        traceback.print_exc()
        killed = True
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            code = 120
    if killed:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code & 0xFF)


def main() -> None:
    """Listen, and serve."""
    kind, address = sys.argv[1:]
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(address)
    listening.listen(64)
    os.write(1, b"ready\n")
    # All three were pipes, so that the streams that are handed on never try to seek.
    log = os.open(f"{address}.log", os.O_WRONLY | os.O_CREAT, 0o600)
    for number in (1, 2):
        os.dup2(log, number)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN if each == signal.SIGINT else signal.SIG_DFL)
    todo = Server(kind, listening).serve()
    if todo is not None:
        todo()


if __name__ == "__main__":
    main()
