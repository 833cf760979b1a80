"""Files that strangers may have written, as text: bounded, regular, inside their registry.

In: a folder and a path in it. Out: text, its lines ended by "\\n", front matter apart.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from ..yamlnodes import Unreadable

SKILL_LONGEST = 1024 * 1024  # bytes; a body of 500 lines has about 40 KiB
_WINDOWS_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class SkillText:
    """A SKILL.md: its front matter ("" without one) and its body, and the lines they begin in."""

    front: str
    front_line: int
    body: str
    body_line: int


def read_skill(root: Path, relative: str) -> SkillText:
    """Read a SKILL.md or another instruction file of a registry. Raises `Unreadable`."""
    return divide(decode(read_bytes(inside(root, relative), SKILL_LONGEST)))


def read_body(root: Path, relative: str) -> str:
    """Return the instructions without front matter. Raises `Unreadable`."""
    try:
        return read_skill(root, relative).body
    except Unreadable as error:
        raise Unreadable(error.line, f"{relative}: {error.what}") from None


def inside(root: Path, relative: str) -> Path:
    """Return where a file of a registry lies. Raises `Unreadable` if that is outside of it."""
    if not stays_inside(relative):
        raise Unreadable(1, f"{relative!r} is not a path inside the registry")
    place = root / relative
    try:
        real, top = os.path.realpath(place), os.path.realpath(root)
    except (OSError, ValueError) as error:
        raise Unreadable(1, f"{relative!r} cannot be followed: {error}") from None
    if not real.startswith(top.rstrip("/") + "/"):
        raise Unreadable(1, f"{relative!r} is a link that leaves the registry")
    return place


def stays_inside(relative: str) -> bool:
    """Whether a path, as it is written, names something in the folder that it starts from."""
    parts = relative.split("/")
    wrong = "\\" in relative or "\0" in relative or _WINDOWS_DRIVE.match(relative)
    return not wrong and parts[0] != "" and ".." not in parts and parts != ["."]


def read_bytes(place: Path, longest: int) -> bytes:
    """Read a regular file of at most `longest` bytes. Raises `Unreadable`."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable(1, "not a regular file")
            if status.st_size > longest:
                raise Unreadable(1, f"longer than {longest // 1024} KiB")
            return file.read(longest)
    except OSError as error:
        raise Unreadable(1, error.strerror or "cannot be read") from None


def decode(data: bytes) -> str:
    """Return text without byte order mark, with "\\n" at the ends of lines. Raises `Unreadable`."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(data.count(b"\n", 0, error.start) + 1, "not UTF-8") from None
    nul = text.find("\0")
    if nul >= 0:
        raise Unreadable(text.count("\n", 0, nul) + 1, "a NUL character")
    text = text.removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def divide(text: str) -> SkillText:
    """Divide a file behind its front matter. Raises `Unreadable` if that has no end."""
    if not text.startswith("---") or text.partition("\n")[0].rstrip() != "---":
        return SkillText("", 1, text, 1)
    begin = text.index("\n") + 1 if "\n" in text else len(text)
    end = re.compile(r"^---[ \t]*$", re.M).search(text, begin)
    if end is None:
        raise Unreadable(1, "the front matter has no end")
    body = text[end.end() :]
    skipped = len(body) - len(body.lstrip("\n"))
    line = text.count("\n", 0, end.end() + skipped) + 1
    body = body.strip("\n") + "\n" if body.strip() else ""
    return SkillText(text[begin : end.start()], 2, body, line)
