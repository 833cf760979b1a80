"""Run git: the only place in the project that starts a git process.

In: a list of arguments, bytes for standard input. Out: bytes of standard output, or `GitFailed`.
"""

import os
import signal
import subprocess
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from ..errors import SkillmeshError

# Set by git for its hooks and meant for the one command that runs them. Reasons, one by one:
_HOOK_VARIABLES = (
    "GIT_DIR",  # points at the hook's repository; ours is found from the folder and pinned below
    "GIT_WORK_TREE",  # same
    "GIT_INDEX_FILE",  # relative, or a lock file about to vanish ("commit -a", "commit PATH")
    "GIT_PREFIX",  # the subfolder the user stood in
    "GIT_OBJECT_DIRECTORY",  # quarantine during receive-pack
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",  # same
    "GIT_QUARANTINE_PATH",  # same; with it every ref update is refused
    "GIT_COMMON_DIR",  # derived from GIT_DIR
    "GIT_NAMESPACE",  # would hide refs/notes
    "GIT_LITERAL_PATHSPECS",  # changes the meaning of our pathspecs
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_AUTHOR_NAME",  # leak the identity of the commit in progress into objects we write
    "GIT_AUTHOR_EMAIL",
    "GIT_AUTHOR_DATE",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "GIT_COMMITTER_DATE",
    "GIT_REFLOG_ACTION",  # would mislabel reflog entries
    "GIT_EXTERNAL_DIFF",  # runs foreign programs where we parse output
    "GIT_DIFF_OPTS",
    "GIT_TRACE",  # mixes into standard error
)

# Where the user's own GIT_ALLOW_PROTOCOL waits until a command of ours may use the network.
ALLOWED_PROTOCOLS = "SKILLMESH_ALLOWED_PROTOCOLS"


class GitFailed(SkillmeshError):
    """git answered with an error; `returncode` and `stderr` hold what it said."""

    def __init__(self, args: Sequence[str], returncode: int, stderr: bytes) -> None:
        text = stderr.decode(errors="replace").strip()
        super().__init__(
            f"git {args[0]} failed ({returncode})", text.splitlines()[-1] if text else ""
        )
        self.returncode = returncode
        self.stderr = text


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` for a git process of ours: no hook state, no prompts, no lazy fetches."""
    env = {k: v for k, v in environ.items() if k not in _HOOK_VARIABLES}
    env["GIT_OPTIONAL_LOCKS"] = "0"  # `status` must not write the user's index
    env["GIT_TERMINAL_PROMPT"] = "0"
    env["GIT_NO_LAZY_FETCH"] = "1"  # a missing blob of a partial clone is a gap, not a download
    if allowed := environ.get("GIT_ALLOW_PROTOCOL"):
        env[ALLOWED_PROTOCOLS] = allowed
    env["GIT_ALLOW_PROTOCOL"] = ""  # the same for git before 2.45, which knows no such variable
    env["LC_ALL"] = "C"
    return env


class Git:
    """A git command line bound to one repository."""

    def __init__(self, cwd: Path, env: Mapping[str, str]) -> None:
        self.cwd = cwd
        self.env = dict(env)

    def run(
        self, *args: str, stdin: bytes = b"", extra_env: Mapping[str, str] | None = None
    ) -> bytes:
        """Run `git ARGS` and return its standard output. Raises `GitFailed`."""
        result = self.run_unchecked(*args, stdin=stdin, extra_env=extra_env)
        if result.returncode != 0:
            raise GitFailed(args, result.returncode, result.stderr)
        return result.stdout

    def run_unchecked(
        self, *args: str, stdin: bytes = b"", extra_env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `git ARGS` and return whatever happened."""
        env = {**self.env, **extra_env} if extra_env else self.env
        try:
            return subprocess.run(
                ["git", *args], cwd=self.cwd, env=env, input=stdin, capture_output=True, check=False
            )
        except OSError as error:
            raise _cannot_start(self.cwd, error) from error

    def fields(self, *args: str) -> Generator[bytes]:
        """Yield the NUL-separated fields of what `git ARGS` prints, as they come.

        Close the iterator to stop git early.
        """
        process = self.start(*args, stdin=subprocess.DEVNULL)
        if process.stdout is None:
            return
        rest = b""
        try:
            while block := process.stdout.read(1 << 16):
                *fields, rest = (rest + block).split(b"\0")
                yield from fields
            if rest:
                yield rest
        finally:
            process.stdout.close()
            process.kill()
            process.wait()

    def run_apart(self, *args: str, seconds: float | None) -> subprocess.CompletedProcess[bytes]:
        """Run `git ARGS` where it has no terminal to ask at, and return whatever happened.

        After `seconds` it is killed with all that it has started. Raises TimeoutError then.
        """
        try:
            process = subprocess.Popen(
                ["git", *args],
                cwd=self.cwd,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise _cannot_start(self.cwd, error) from error
        with process:
            try:
                out, err = process.communicate(timeout=seconds)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                if isinstance(error, subprocess.TimeoutExpired):
                    raise TimeoutError(f"no end after {seconds:g} s") from None
                raise
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def run_into(self, file: BinaryIO, *args: str) -> None:
        """Run `git ARGS` with its standard output in an open file. Raises `GitFailed`."""
        try:
            done = subprocess.run(
                ["git", *args], cwd=self.cwd, env=self.env, stdin=subprocess.DEVNULL,
                stdout=file, stderr=subprocess.PIPE, check=False,
            )  # fmt: skip
        except OSError as error:
            raise _cannot_start(self.cwd, error) from error
        if done.returncode != 0:
            raise GitFailed(args, done.returncode, done.stderr)

    def start(
        self,
        *args: str,
        stdin: int = subprocess.PIPE,
        extra_env: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start a long-lived `git ARGS` with pipes for standard input and output."""
        try:
            return subprocess.Popen(
                ["git", *args],
                cwd=self.cwd,
                env={**self.env, **extra_env} if extra_env else self.env,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise _cannot_start(self.cwd, error) from error


def _cannot_start(cwd: Path, error: OSError) -> SkillmeshError:
    if not cwd.is_dir():
        return SkillmeshError(f"no such folder: {os.fspath(cwd)}")
    if isinstance(error, FileNotFoundError):
        return SkillmeshError("git was not found", "install git and make sure it is on PATH")
    return SkillmeshError(f"git cannot be started in {os.fspath(cwd)}", error.strerror or "")
