"""Signatures of manifests, by `ssh-keygen -Y`: the keys that people sign commits with.

In: bytes, settings. Out: a signature; or who made one, by a file of allowed signers. The format is
that of OpenSSH (ssh-keygen(1), ALLOWED SIGNERS), so anybody can check it without this program.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...config import Config
from ...errors import ConfigurationError, Damaged, Unavailable
from ...files import expanded
from ...git.people import author_of
from ...git.repository import Repository

NAMESPACE = "git-skillmesh-adapter"
ALLOWED = "allowed_signers"
_SECONDS = 120
_GOOD = re.compile(r'Good "[^"]*" signature for (.*) with \S+ key (\S+)')
_LITERAL = re.compile(r"key::|ssh-|ecdsa-|sk-")


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed: a name of the file of allowed signers, the key's fingerprint, and that file."""

    who: str
    key: str
    file: Path


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, and the line that a file of allowed signers needs for it.

    `made` is the key that was made for it just now.
    """

    text: str
    allows: str
    made: Path | None = None


class Signer:
    """Signs with the user's key, and checks the signatures of all."""

    def __init__(self, repository: Repository, config: Config, store: Path) -> None:
        self._repository = repository
        self._config = config
        self._own = store / ALLOWED

    # -- signing -----------------------------------------------------------------------------------

    def sign(self, data: bytes) -> Signature:
        """Sign. Raises `Unavailable`, `ConfigurationError`."""
        key, origin = self._key()
        made = None
        with tempfile.TemporaryDirectory(prefix="skillmesh-sign-") as folder:
            agent: list[str] = []
            if key and _LITERAL.match(key):  # the key itself is with an agent
                path, agent = Path(folder, "key.pub"), ["-U"]
                path.write_text(key.removeprefix("key::") + "\n", encoding="utf-8")
            elif key:
                path = Path(key)
                if not path.is_file():
                    raise ConfigurationError(f"{origin} names no file: {key}", "a key of ssh")
            else:
                path, new = self._own_key()
                made = path if new else None
            done = self._run("-Y", "sign", *agent, "-n", NAMESPACE, "-f", str(path), data=data)
            if done.returncode != 0 or not done.stdout.startswith(b"-----BEGIN SSH SIGNATURE"):
                raise Unavailable(f"cannot sign with {origin or path}", _said(done.stderr))
            public = self._public(path)
        names = re.findall(r"<([^<>\s]+)>", author_of(self._repository))
        allows = f'{names[0] if names else "*"} namespaces="{NAMESPACE}" {public}'
        return Signature(done.stdout.decode("ascii", "replace"), allows, made)

    def _key(self) -> tuple[str, str]:
        """Return a key as it is configured, and the setting; "" for one of our own."""
        if configured := self._config["signingkey"]:
            return _expanded(configured), "skillmesh.signingKey"
        if self._git("gpg.format") == "ssh" and (found := self._git("user.signingkey")):
            return _expanded(found), "user.signingkey"
        return "", ""

    def _own_key(self) -> tuple[Path, bool]:
        """Return the key that this program keeps for the user, made at its first use."""
        folder = expanded(os.environ.get("XDG_CONFIG_HOME") or "~/.config") / "skillmesh"
        path = folder / "adapters_ed25519"
        if path.is_file():
            return path, False
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as place:
            new = Path(place, "key")
            comment = "git-skillmesh adapters"
            done = self._run("-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(new))
            if done.returncode != 0:
                raise Unavailable("cannot make a key", _said(done.stderr))
            try:
                os.link(new, path)
            except FileExistsError:  # somebody else has made one at the same time
                return path, False
            new.with_suffix(".pub").replace(path.with_suffix(".pub"))
        return path, True

    def _public(self, path: Path) -> str:
        """Return type and data of the public key in a file, be it public or private."""
        public = path if path.suffix == ".pub" else path.with_suffix(path.suffix + ".pub")
        text = public.read_text("utf-8", "replace") if public.is_file() else ""
        if not text:
            done = self._run("-y", "-f", str(path))
            text = done.stdout.decode("utf-8", "replace")
        words = text.split()
        if len(words) < 2:
            raise Unavailable(f"cannot read the public key of {path}")
        return " ".join(words[:2])

    # -- checking ----------------------------------------------------------------------------------

    def allowed_file(self) -> Path | None:
        """Return the file of allowed signers that counts, None where there is none.

        That is the file of `skillmesh.allowedSigners`; else the one beside the adapters; else that
        of `gpg.ssh.allowedSignersFile`.
        """
        if configured := self._config["allowedsigners"]:
            base = self._repository.top or self._repository.common_dir
            return base / expanded(configured)
        if self._own.is_file():
            return self._own
        theirs = self._git("gpg.ssh.allowedSignersFile")
        return expanded(theirs) if theirs else None

    def allow_first(self, signature: Signature) -> bool:
        """Allow the one who signs first, where no file says who may; return whether it was so."""
        if self.allowed_file() is not None:
            return False
        try:
            descriptor = os.open(self._own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            return False
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{signature.allows}\n")
            file.flush()
            os.fsync(file.fileno())
        return True

    def check(self, data: bytes, signature: str) -> Signed:
        """Return who signed. Raises `Damaged` where nobody did who may, `Unavailable`."""
        allowed = self.allowed_file()
        if allowed is None:
            raise Damaged("nobody is allowed to sign", f"write a line into {self._own}")
        if not allowed.is_file():
            raise ConfigurationError(f"there is no file of allowed signers at {allowed}")
        with tempfile.TemporaryDirectory(prefix="skillmesh-check-") as folder:
            file = Path(folder, "signature")
            file.write_text(signature, encoding="utf-8", errors="replace")
            common = ("-f", str(allowed), "-s", str(file))
            found = self._run("-Y", "find-principals", *common, data=b"")
            if found.returncode != 0:
                who = _said(self._run("-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(file),
                                      data=data).stdout)  # fmt: skip
                raise Damaged("the signature is by nobody in " + str(allowed), who)
            name = found.stdout.decode("utf-8", "replace").splitlines()[0]
            done = self._run("-Y", "verify", *common, "-I", name, "-n", NAMESPACE, data=data)
        told = _GOOD.match(done.stdout.decode("utf-8", "replace"))
        if done.returncode != 0 or told is None:
            raise Damaged("the signature does not fit the manifest", _said(done.stderr))
        return Signed(told[1], told[2], allowed)

    # -- processes ---------------------------------------------------------------------------------

    def _git(self, name: str) -> str:
        said = self._repository.git.run_unchecked("config", "--get", name).stdout
        return os.fsdecode(said).strip()

    def _run(self, *words: str, data: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
        program = self._git("gpg.ssh.program") if words[:2] == ("-Y", "sign") else ""
        command: Sequence[str] = [_expanded(program) if program else "ssh-keygen", *words]
        environment = {**os.environ, "LC_ALL": "C"}
        try:
            return subprocess.run(
                command, env=environment, input=b"" if data is None else data,
                capture_output=True, check=False, timeout=_SECONDS,
            )  # fmt: skip
        except FileNotFoundError:
            raise Unavailable(
                f"{command[0]} was not found", "install OpenSSH 8.2 or later: it signs manifests"
            ) from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"{command[0]} does not work", str(error)) from None


def _expanded(path: str) -> str:
    return path if _LITERAL.match(path) else os.fspath(expanded(path))


def _said(output: bytes) -> str:
    with suppress(IndexError):
        return output.decode("utf-8", "replace").strip().splitlines()[-1]
    return ""
