"""The signed manifest: which adapter is active, of which files it is made, who said so.

In: a manifest, or the bytes of `active.json`. Out: the other. Manifest and signature are in one
file, which is replaced as a whole, so they cannot disagree. What is signed is the manifest as JSON
with sorted keys and without blanks, ASCII, and a line feed.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import Damaged
from ...files import replace_file
from ...sessions.serving import (
    ACTIVE,
    HISTORY,
    Deployment,
    deployment_of,
    read_deployments,
)
from .store import File

SCHEMA = 1
_MOST_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Manifest:
    """A deployment with all that makes it what it is.

    `deployment` says what became active and when, `files` the hashes of its adapter ({} for the
    base alone), `judgement` a summary of how it was judged, {} if it was not. `forced` says that it
    was deployed against the judgement, `reason` why; `by` is the user as git knows him.
    """

    deployment: Deployment
    files: Mapping[str, File] = field(default_factory=dict)
    judgement: Mapping[str, Any] = field(default_factory=dict)
    forced: bool = False
    reason: str = ""
    by: str = ""

    def document(self) -> dict[str, Any]:
        """Return it as it is signed."""
        files = {
            name: {"sha256": one.sha256, "bytes": one.size} for name, one in self.files.items()
        }
        return {**self.line(), "files": files, "judgement": dict(self.judgement)}

    def line(self) -> dict[str, Any]:
        """Return what the history of deployments keeps of it."""
        one = self.deployment
        return {
            "schema": SCHEMA, "identity": one.identity, "action": one.action,
            "adapter": one.adapter, "before": one.before, "back": one.back, "base": one.base,
            "base_sha256": one.base_sha256, "model_version": one.version, "time": one.time,
            "serves": list(one.serves), "forced": self.forced, "reason": self.reason,
            "by": self.by,
        }  # fmt: skip


def signed_bytes(document: Mapping[str, Any]) -> bytes:
    """Return what a signature is of."""
    return (json.dumps(document, sort_keys=True, separators=(",", ":")) + "\n").encode("ascii")


def envelope(manifest: Manifest, signature: str) -> bytes:
    """Return the bytes of `active.json`."""
    document = {"schema": SCHEMA, "manifest": manifest.document(), "signature": signature}
    return (json.dumps(document, indent=1) + "\n").encode("ascii")


def opened(data: bytes) -> tuple[Manifest, bytes, str]:
    """Return the manifest in `active.json`, what is signed of it, and the signature.

    Raises `Damaged`.
    """
    try:
        document = json.loads(data)
        told, signature = document["manifest"], document["signature"]
        if document["schema"] != SCHEMA or told["schema"] != SCHEMA:
            raise Damaged(f"{ACTIVE} is of a newer git-skillmesh", "update it")
        files = {
            str(name): File(str(one["sha256"]), int(one["bytes"]))
            for name, one in told["files"].items()
        }
        deployment = deployment_of(told)
        if deployment is None or not isinstance(signature, str):
            raise ValueError
        manifest = Manifest(
            deployment, files, dict(told["judgement"]), bool(told["forced"]),
            str(told["reason"]), str(told["by"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Damaged(
            f"{ACTIVE} cannot be read", "git skillmesh adapters rollback NAME writes it again"
        ) from None
    return manifest, signed_bytes(told), signature


def read(folder: Path) -> bytes | None:
    """Return the bytes of `active.json`, None where nothing was ever deployed. Raises `Damaged`."""
    try:
        with (folder / ACTIVE).open("rb") as file:
            return file.read(_MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Damaged(f"cannot read {ACTIVE}", error.strerror or str(error)) from None


def active_name(folder: Path) -> str:
    """Return the name of what is active as the manifest has it, unchecked; "" for the base alone.

    Where the manifest cannot be read, it is what was deployed last. Raises `Damaged`.
    """
    data = read(folder)
    try:
        return opened(data)[0].deployment.adapter if data else ""
    except Damaged:
        history = read_deployments(folder)
        return history[-1].adapter if history else ""


def replace(folder: Path, data: bytes) -> None:
    """Make `active.json` these bytes, all of them or none; on the disk when this returns."""
    replace_file(folder / ACTIVE, data)


def append(folder: Path, line: Mapping[str, Any]) -> None:
    """Add a line to the history; on the disk when this returns."""
    with (folder / HISTORY).open("a+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            torn = file.read(1) != b"\n"  # by a full disk; a line of its own for what comes now
        else:
            torn = False
        file.write(b"\n" * torn + signed_bytes(line))
        file.flush()
        os.fsync(file.fileno())
