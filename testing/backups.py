"""Backups for tests: a small one of every kind of member, and ones that nobody should believe.

In: members by name. Out: the bytes of a container whose sums are all right.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

from git_skillmesh.backup import container
from git_skillmesh.backup.manifest import Manifest, Member

MEMBERS: Mapping[str, bytes] = {
    "README.txt": b"read me\n",
    "settings.json": b"{}\n",
    "files/.skillmesh/learnings/a.yaml": b"a: 1\n" * 150,
    "files/.skillmesh/skills/wägen/run me": b"#!/bin/sh\n",
    f"files/.skillmesh/{'long/' * 30}name": b"long",
    "files/.skillmesh/line\nfeed \\ \udcff": b"odd",
    "training/trained.txt": b"",
}
PROGRAMS = {"files/.skillmesh/skills/wägen/run me"}


def made(members: Mapping[str, bytes] = MEMBERS, /, **more: Any) -> bytes:
    """Return a backup; `more` are fields of the manifest's document, as JSON has them."""
    listed = tuple(
        Member(path, len(data), hashlib.sha256(data).hexdigest(), path in PROGRAMS)
        for path, data in members.items()
    )
    manifest = Manifest(
        "2024-03-01T12:00:00Z", "git-skillmesh 1", "repo", (), "", "sha1", {},
        {"sessions": 0, "thoughts": 0, "notes": 0}, (),
        {"active": "", "names": [], "included": False}, {}, listed,
    )  # fmt: skip
    text = json.dumps({**json.loads(manifest.to_bytes()), **more}, indent=1).encode() + b"\n"
    out = io.BytesIO()
    container.write(out, text, listed, (iter([data]) for data in members.values()))
    return out.getvalue()


def opened(data: bytes) -> dict[str, bytes]:
    """Return the members of a backup as its reader gives them. Raises as `container.read`."""
    kept: dict[str, io.BytesIO] = {}

    class Kept(io.BytesIO):
        def close(self) -> None:
            """Stay readable."""

    def keep(manifest: Manifest, member: Member) -> container.Opened:
        kept[member.path] = sink = Kept()
        return sink

    container.read(io.BytesIO(data), "b.tar", keep)
    return {path: sink.getvalue() for path, sink in kept.items()}
