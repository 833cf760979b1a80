"""Talk to other repositories over the network, as one git command at a time.

In: a git command. Out: what it answered, or `Unavailable` with the one line that tells why. No hook
of the user runs, nothing is collected or pruned on the way, and where nobody sits in front of a
terminal nothing can ask for a password and wait for ever.
"""

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import Unavailable
from .process import ALLOWED_PROTOCOLS, Git
from .repository import Repository

# A password within an address: `https://name:secret@host/…`.
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")
# Lines of git and ssh that only say that something else went wrong.
_EMPTY_WORDS = (
    "Could not read from remote repository", "Please make sure you have the correct access rights",
    "and the repository exists", "failed to push some refs", "the remote end hung up",
    "Warning: Permanently added", "hint:",
)  # fmt: skip
_NO_LOGIN = (
    "terminal prompts disabled", "Permission denied", "Authentication failed",
    "could not read Username", "could not read Password", "Host key verification failed",
    "requested URL returned error: 401",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Manners:
    """How to behave on the network: may the user be asked for a password, and how long to wait."""

    ask: bool = False
    seconds: float | None = 120.0


def talk(
    repository: Repository, *args: str, remote: str, manners: Manners
) -> subprocess.CompletedProcess[bytes]:
    """Run a git command that uses the network and return whatever it answered.

    Raises `Unavailable` when it did not end in time.
    """
    options = {
        "core.hooksPath": os.devnull,
        "gc.auto": "0",
        "maintenance.auto": "false",
        # What anybody may have put there is looked at before it is kept.
        "fetch.fsckObjects": "true",
    }
    if not manners.ask:
        options |= {
            "credential.interactive": "false",
            "http.lowSpeedLimit": "1",
            "http.lowSpeedTime": "30",
        }
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    git = Git(repository.git.cwd, _environment(repository, manners.ask))
    if manners.ask:
        return git.run_unchecked(*words, *args)
    try:
        return git.run_apart(*words, *args, seconds=manners.seconds)
    except TimeoutError as error:
        raise Unavailable(f"cannot reach {without_credentials(remote)}", str(error)) from None


def unavailable(remote: str, said: bytes) -> Unavailable:
    """Return the error for what git said before it gave up."""
    reason, shown = reason_in(said), without_credentials(remote)
    if any(sign in reason for sign in _NO_LOGIN):
        reason += f" (log in once: git ls-remote {shlex.quote(shown)})"
    return Unavailable(f"cannot reach {shown}", reason)


def reason_in(said: bytes) -> str:
    """Return the line that tells most: of the server, else of ssh or git."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines()]
    telling = [line for line in lines if line and not any(word in line for word in _EMPTY_WORDS)]
    chosen = next(
        (
            line
            for sign in ("ERROR:", "fatal:", "error:", "")
            for line in telling
            if sign in line and line != "remote:"
        ),
        lines[-1] if lines else "git gave no reason",
    )
    for prefix in ("remote: ", "fatal: ", "error: "):
        chosen = chosen.removeprefix(prefix)
    return without_credentials(chosen)[:300]


def without_credentials(text: str) -> str:
    """Return text whose addresses have lost user and password."""
    return _CREDENTIALS.sub("", text)


def _environment(repository: Repository, ask: bool) -> dict[str, str]:
    env = dict(repository.git.env)
    del env["GIT_ALLOW_PROTOCOL"]
    if allowed := env.pop(ALLOWED_PROTOCOLS, ""):
        env["GIT_ALLOW_PROTOCOL"] = allowed
    if ask:
        env["GIT_TERMINAL_PROMPT"] = os.environ.get("GIT_TERMINAL_PROMPT", "1")
        return env
    env |= {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",  # empty: neither core.askPass nor SSH_ASKPASS is asked instead
        "SSH_ASKPASS_REQUIRE": "never",
        "GCM_INTERACTIVE": "never",  # the credential manager opens windows
    }
    if command := _ssh_command(repository, env):
        env["GIT_SSH_COMMAND"] = f"{command} -oBatchMode=yes -oConnectTimeout=15"
    return env


def _ssh_command(repository: Repository, env: Mapping[str, str]) -> str:
    """Return the command for ssh if it is OpenSSH's, "" if it is one with options of its own."""
    command = env.get("GIT_SSH_COMMAND", "")
    if not command:
        out = repository.git.run_unchecked("config", "--get", "core.sshCommand").stdout
        command = os.fsdecode(out).strip()
    if not command:
        return "" if env.get("GIT_SSH") else "ssh"
    try:
        first = shlex.split(command)[:1]
    except ValueError:
        return ""
    return command if first and os.path.basename(first[0]) == "ssh" else ""  # noqa: PTH119
