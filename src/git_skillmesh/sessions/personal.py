"""What is personal rather than secret, and pictures: off by default, or replaced by a note.

In: bytes around an anchor. Out: the pieces that have to go. Names of home folders in paths are the
one kind that goes by default.
"""

import base64
import binascii
import hashlib
import ipaddress
import re
from collections.abc import Iterator

from .secret_model import Context, Span
from .secret_values import free_left, free_right

_NO_PERSON = frozenset(
    b"user users username name runner ubuntu root vscode node app admin dev you me git home public"
    b" shared default guest test build ci circleci travis gitpod codespace debian ec2-user vagrant"
    b" docker jovyan sandbox www www-data pi site myuser your-name yourname"
    b" someone runneradmin containeruser linuxbrew work workspace agent assistant claude codex"
    b" oai".split()
)
_HOME = r"(?:\\*/(?:home|Users)\\*/|[A-Za-z]:\\+Users\\+|projects\\*/-(?:home|Users)-)"
_HOME_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9._]{1,31}(?:-[a-z0-9]{2,20})?")
_AFTER = re.compile(rb"\\*[/\\-]\.?[A-Za-z0-9_.]")


def _home(data: bytes, start: int, end: int) -> Iterator[Span]:
    before = data[start - 1 : start]
    anchor = data[start:end]
    name = _HOME_NAME.match(data, end, end + 60)
    inside = before != b"" and (before.isalnum() or before in b"_.})-$/")
    if inside and not anchor.startswith(b"projects"):
        return
    if name is None or name[0].lower() in _NO_PERSON or name[0].startswith(b"REDACTED_"):
        return
    text = name[0]
    if anchor.endswith(b"-"):
        text = text.split(b"-")[0]
    elif _AFTER.match(data, name.end(), name.end() + 6) is None:
        return  # with nothing behind the name it is a route of a web site
    yield end, end + len(text)


_EMAIL = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}"
_NO_EMAIL = re.compile(
    rb"(?i)\A(?:git|noreply|no-reply|hg|svn|\d+\+[^@]*)@|@users\.noreply\."
    rb"|[@.]example\.(?:com|org|net)\Z"
    rb"|\.(?:png|jpg|jpeg|svg|gif|webp|test|local|invalid|localhost|example)\Z"
)


def _email(data: bytes, start: int, end: int) -> Iterator[Span]:
    if data[start - 1 : start] == b"\\":  # the letter of an escape, as in `\njane@…`
        start += 1
    elif re.match(rb"[A-Za-z0-9._%+-]", data[start - 1 : start]):
        return
    if not _NO_EMAIL.search(data[start:end]) and data[end : end + 1] not in (b":", b"("):
        yield start, end


_PHONE = (
    r"(?:\+[1-9][0-9]{0,2}[ .-]?(?:\(0?[0-9]{1,4}\)|[0-9]{1,4})(?:[ .-]?[0-9]{2,5}){2,4}"
    r"|\(?[2-9][0-9]{2}\)?[ .-][2-9][0-9]{2}[ .-][0-9]{4})"
)


def _phone(data: bytes, start: int, end: int) -> Iterator[Span]:
    digits = sum(48 <= byte <= 57 for byte in data[start:end])
    free = free_left(data, start) and free_right(data, end)
    if free and 10 <= digits <= 15 and data[start - 1 : start] not in (b".", b"-", b"+"):
        yield start, end


_CARD = (
    r"[3-6][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{1,4}(?:[0-9]{3})?"
    r"|3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}"
)


def _card(data: bytes, start: int, end: int) -> Iterator[Span]:
    digits = [byte - 48 for byte in data[start:end] if 48 <= byte <= 57]
    if not 13 <= len(digits) <= 19 or not (free_left(data, start) and free_right(data, end)):
        return
    if data[start - 1 : start] in (b".", b"-") or data[end : end + 1] == b".":
        return
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1:
        yield start, end


_IP = (
    r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){7}"
    r"|(?:[0-9a-fA-F]{1,4}:){2,6}:[0-9a-fA-F:]{1,24}"
)


def _ip(data: bytes, start: int, end: int) -> Iterator[Span]:
    text = data[start:end]
    near = (data[start - 1 : start], data[end : end + 1])
    if not (free_left(data, start) and free_right(data, end)) or b"." in near or b"-" in near:
        return
    try:
        address = ipaddress.ip_address(text.decode())
    except ValueError:
        return
    if address.is_global and text not in (b"8.8.8.8", b"1.1.1.1", b"8.8.4.4"):
        yield start, end


PERSONAL = {
    "home": Context("home-name", "name of a home folder in a path", _HOME, _home),
    "email": Context("email", "e-mail address", _EMAIL, _email),
    "phone": Context("phone", "phone number", _PHONE, _phone),
    "card": Context("card", "number of a payment card, by its check digit", _CARD, _card),
    "ip": Context("ip-address", "public IP address", _IP, _ip),
}

# -- pictures --------------------------------------------------------------------------------------

_DATA_URI = r"data:image\\*/[a-z0-9.+-]+(?:;[a-z0-9=-]+)*;base64,(?:[A-Za-z0-9+/=]|\\/)+"
_BLOCK = (
    r"\\*\"(?:data|base64|b64_json|image_data|imageData)\\*\"[ \t]?:[ \t]?"
    r"\\*\"(?:[A-Za-z0-9+/=]|\\/)+"
)
_TYPE = re.compile(rb"image\\*/([a-z0-9.+-]{2,24})")
_MAGIC = {
    b"iVBORw0KGgo": b"png", b"/9j/": b"jpeg", b"\\/9j\\/": b"jpeg", b"R0lGOD": b"gif",
    b"UklGR": b"webp", b"Qk0": b"bmp",
}  # fmt: skip


def _data_uri(data: bytes, start: int, end: int) -> Iterator[Span]:
    begin = data.index(b"base64,", start, end) + 7
    if not data.startswith(b"REDACTED", begin):
        yield begin, end


def _block(data: bytes, start: int, end: int) -> Iterator[Span]:
    begin = data.rindex(b'"', start, end) + 1
    if data.startswith(b"REDACTED", begin):
        return
    near = data[max(0, start - 160) : start] + b" " + data[end : end + 160]
    magic = any(data.startswith(sign, begin) for sign in _MAGIC) and end - begin >= 64
    if magic or (_TYPE.search(near) and data[end : end + 1] in (b'"', b"\\")):
        yield begin, end


IMAGES = (
    Context("image", "picture in base64, replaced by a note of its type, size and hash",
            _DATA_URI, _data_uri),
    Context("image", "picture in base64, replaced by a note of its type, size and hash",
            _BLOCK, _block),
)  # fmt: skip


def image_note(data: bytes, start: int, end: int) -> bytes:
    """Return what stands for a picture: media type, bytes, sha256. Safe wherever base64 was."""
    text = data[start:end].replace(b"\\/", b"/")
    try:
        raw = base64.b64decode(text + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raw = text
    around = (
        data[max(0, start - 60) : start],
        data[end : end + 160],
        data[max(0, start - 160) : start],
    )
    kind = next((found[1] for piece in around if (found := _TYPE.search(piece))), b"")
    if not kind:
        kind = next((name for sign, name in _MAGIC.items() if data.startswith(sign, start)), b"any")
    digest = hashlib.sha256(raw).hexdigest()
    return b"REDACTED_IMAGE:image/%s:%d:sha256:%s" % (kind, len(raw), digest.encode())
