"""Secrets that can be told by what stands before them: a name, a header, a scheme, a PEM line.

In: bytes and the place where an anchor was found. Out: the pieces that have to go. The anchors are
RE2; what follows them is looked at within bounds.
"""

import base64
import binascii
import re
from collections.abc import Iterator

from . import secret_values as values
from .secret_armour import PEM, PUTTY, pem, putty
from .secret_model import Context, Span

_LONGEST_BLOB = 32 * 1024

_NAME = (
    r"(?i:pass(?:word|wd|phrase)|passwd|pwd|[_-]pass|secret|token|credentials?|api[_-]?key"
    r"|(?:access|auth|account|private|secret|signing|encryption|master|shared|service|subscription"
    r"|storage|license|session|webhook|consumer|client|deploy|admin)[_-]?key"
    r"|(?:secret|app|auth|access)[_-]?(?:code|pass|pw))"
    r"(?i:[_-]?(?:access[_-]?key|key|value|string|str|base|hash[_-]?key|data|[0-9]))?"
)
# `name: Type =` of typed languages, `name" :`, `name =>`, `--name value`.
_IS = (
    r"(?:\\*[\"'`])?\]?[ \t]{0,3}(?::[ \t]?&?[A-Za-z.]+[ \t]?=|:=|=>|={1,3}|!==?|:)"
    r"[ \t]{0,3}"
)
_KEYED = f"{_NAME}{_IS}"
_BEFORE = re.compile(rb"[A-Za-z0-9_.-]{0,40}\Z")
_PARTS = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
# A name with one of these words in it names something else: nextPageToken, PUBLIC_API_KEY.
_NOT_SECRET = frozenset(
    b"public publishable next page cursor continuation cache hash hashed expires expiry expiration"
    b" anti csrf xsrf invalid forgot count max min num type primary foreign sort partition label"
    b" title placeholder error errors message msg css style icon url uri path file regex pattern"
    b" schema syntax lex separator cancel cancellation".split()
)
_AWS_SECRET = (
    r"(?i:(?:aws_?|secret[_-]?)(?:secret[_-]?)?access[_-]?key)"
    + _IS
    + r"\\*[\"'`]?[A-Za-z0-9+/]{8}"
)
_AWS_BODY = re.compile(rb"(?:[A-Za-z0-9+]|\\?/){40}(?![A-Za-z0-9+/=])")
_PASSWORDY = re.compile(rb"(?i)pass|pwd|pw\b")
_STRONG_NAME = re.compile(rb"(?i)secret|api[_-]?key|access[_-]?(?:key|token)|auth|pass|credential")
_ENV = re.compile(rb"(?:\A|\n|\\n|export |ENV |ARG |-e |--env |--env=)[A-Z0-9_]{1,60}\Z")


def _keyed(data: bytes, start: int, end: int) -> Iterator[Span]:
    name = data[start:end]
    before = _BEFORE.search(data[max(0, start - 40) : start])
    left = before[0] if before else b""
    if any(part.lower() in _NOT_SECRET for part in _PARTS.findall(left + name)):
        return
    sign = name.rstrip(b" \t")[-1:]
    env = sign == b"=" and name[-1:] == b"=" and name[:-1].isupper()
    whole_line = env and _ENV.search(data[max(0, start - 70) : start] + name[:-1]) is not None
    value = values.value_at(data, end, whole_line)
    if value is None:
        return
    text = data[value.start : value.end]
    if values.is_placeholder(text) or not text or text[0] in b",:}])":
        return  # after `"password:"` in JSON the next quote begins no value
    if not value.quoted:
        json_name = name[:1] and b'"' in name
        follows = data[value.end : value.end + 1]
        if json_name or (not whole_line and follows in (b"(", b"[", b"{")) or text[:1] in b"([{":
            return
        if name[-1:] in b" \t" and sign == b"=" and not _strict(text):
            return
    if values.is_uuid(text):
        if _STRONG_NAME.search(left + name) and not values.is_example(text):
            yield value.start, value.end
        return
    if _PASSWORDY.search(left[-8:] + name):
        if values.is_password(text, value.quoted or env):
            yield value.start, value.end
    elif values.is_token(text, value.quoted or env, 10 if value.quoted else 12):
        yield value.start, value.end


def _aws_secret(data: bytes, start: int, end: int) -> Iterator[Span]:
    found = _AWS_BODY.match(data, end - 8, end + 80)
    if found is not None and b"EXAMPLE" not in found[0] and values.entropy(found[0]) > 3.5:
        yield found.span()


def _strict(text: bytes) -> bool:
    """An unquoted value after ` = ` is most often code."""
    if not values.is_token(text, False, 16):
        return False
    name = re.fullmatch(rb"[A-Za-z_][\w.]*;?", text[:64]) is not None
    return not name or re.fullmatch(rb"[0-9a-f]{32,}", text) is not None


# -- options of commands ---------------------------------------------------------------------------

_FLAG = (
    r"--?(?:[a-z]{1,20}-){0,3}(?:password|passwd|passphrase|secret|token|api-?key|access-key"
    r"|auth-?key|private-key|secret-key|credential)[ \t]{1,2}"
)


def _flag(data: bytes, start: int, end: int) -> Iterator[Span]:
    value = values.value_at(data, end)
    if value is None or data[value.start : value.start + 1] == b"-":
        return
    text = data[value.start : value.end]
    if not values.is_example(text) and (
        values.is_password(text, True) or values.is_token(text, True, 10)
    ):
        yield value.start, value.end


_USER = r"[ \t](?:-u|--user|--proxy-user)[ \t=]"
_LOGIN = re.compile(rb"[ \t]{0,2}\\*[\"']?[A-Za-z0-9_.@+-]{1,64}:")
_SMALL_P = r"[ \t]-p"
_ASKING = re.compile(
    rb"(?:sshpass[ \t]*|(?:docker|podman|registry|nerdctl) login\b[^\n|;]*"
    rb"|\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n|;]*)\Z"
)


def _line_before(data: bytes, start: int) -> bytes:
    line = data[max(0, start - 300) : start]
    return line[max(line.rfind(b"\n") + 1, line.rfind(b"\\n") + 2 * (b"\\n" in line), 0) :]


def _user(data: bytes, start: int, end: int) -> Iterator[Span]:
    line = _line_before(data, start)
    login = _LOGIN.match(data, end, end + 80)
    if login is not None and any(word in line for word in (b"curl", b"wget", b"http")):
        quote = re.match(rb"[ \t]{0,2}(\\*[\"'])", login[0])
        word = _bare_word(data, login.end(), quote[1][-1:] if quote else b"")
        if word is not None:
            yield word


def _bare_word(data: bytes, start: int, quote: bytes) -> Span | None:
    stops = rb"[^\s\\\"" + quote + rb"]" if quote else rb"[^\s\"'`\\;|&]"
    found = re.compile(stops + rb"{5,128}").match(data, start)
    if found is None or values.is_example(found[0]) or found[0].isalpha():
        return None
    return found.span()


def _small_p(data: bytes, start: int, end: int) -> Iterator[Span]:
    line = _line_before(data, start)
    asking = _ASKING.search(line)
    if asking is None:
        return
    spaces = re.compile(rb"[ \t]*").match(data, end)
    begin = spaces.end() if spaces else end
    if (begin > end and b"my" in asking[0][:3]) or (begin > end and b"maria" in asking[0][:6]):
        return  # mysql -p DATABASE asks for the password
    yield from _word(data, begin, begin)


def _word(data: bytes, start: int, end: int) -> Iterator[Span]:
    """A password where nothing but a password can stand."""
    value = values.value_at(data, end)
    if value is None:
        return
    text = data[value.start : value.end]
    if len(text) < 5 or values.is_example(text) or text.isalpha() or text[:1] == b"-":
        return
    yield value.start, value.end


# -- headers ---------------------------------------------------------------------------------------

_HEADER = (
    r"(?i:authorization(?:\\*[\"'])?[ \t]{0,2}[:=,][ \t]{0,2}(?:[bfr]?\\*[\"'`])?"
    r"(?:bearer|basic|token|apikey|api-key|digest|bot)?[ \t]{0,2})"
)
_BEARER = r"(?i:\bbearer[ \t]{1,2})"
_CREDENTIAL = re.compile(rb"[A-Za-z0-9+/=_.~:-]{8,4096}")


def _header(data: bytes, start: int, end: int) -> Iterator[Span]:
    found = _CREDENTIAL.match(data, end)
    if found is None:
        return
    text = found[0].rstrip(b".:")
    basic = b"asic" in data[start:end]
    if (basic and _names_user(text)) or values.is_token(text, True, 12):
        yield found.start(), found.start() + len(text)


def _names_user(text: bytes) -> bool:
    try:
        decoded = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    _, colon, word = decoded.partition(b":")
    if not colon or values.is_example(decoded) or values.is_weak(word):
        return False
    return decoded.isascii() and len(word) >= 4


_COOKIE = r"(?i:cookie(?:\\*[\"'])?[ \t]{0,2}[:=,][ \t]{0,2}(?:\\*[\"'])?)"
_PAIR = re.compile(rb"([A-Za-z0-9_.-]{1,64})=([A-Za-z0-9+/=_.~:%|-]{1,2048})(?:;[ \t]?)?")
_ATTRIBUTES = (b"path", b"domain", b"expires", b"max-age", b"samesite")


def _cookie(data: bytes, start: int, end: int) -> Iterator[Span]:
    begin = end
    limit = begin + 8192
    while (pair := _PAIR.match(data, begin, limit)) is not None:
        if pair[1].lower() not in _ATTRIBUTES and values.is_token(pair[2], True, 16):
            yield pair.start(2), pair.end(2)
        begin = pair.end()


# -- addresses -------------------------------------------------------------------------------------

_ADDRESS = r":\\*/\\*/[^\s\"'`<>/@\\:?#()\[\]]*:[^\s\"'`<>/@\\]+@"


def _address(data: bytes, start: int, end: int) -> Iterator[Span]:
    colon = data.find(b":", start + 1, end)
    text = data[colon + 1 : end - 1]
    user = data[start:colon].lstrip(b":\\/")
    if not text or values.is_weak(text) or text == user or values.is_example(text):
        return
    if text[:1] in b"{$<%[*" or text.endswith((b"}", b")")) or len(set(text)) < 3:
        return
    yield colon + 1, end - 1


_USER_ONLY = r"https?:\\*/\\*/[A-Za-z0-9_-]+@"


def _user_only(data: bytes, start: int, end: int) -> Iterator[Span]:
    begin = max(data.rfind(b"/", start, end), data.rfind(b"\\", start, end)) + 1
    if values.is_token(data[begin : end - 1], True, 20):
        yield begin, end - 1


_CONNECTION = (
    r"(?i:[;\"'][ \t]?(?:password|pwd|accountkey|sharedaccesskey|sharedsecretvalue)[ \t]?=[ \t]?)"
)
_FURTHER = re.compile(rb";[ \t]?[A-Za-z][A-Za-z ]{1,30}=")
_CONNECTED = re.compile(rb"(?:[^\s;\"'`\\<>{}]|\\/)+")


def _connection(data: bytes, start: int, end: int) -> Iterator[Span]:
    found = _CONNECTED.match(data, end, end + 512)
    if found is None or len(found[0]) < 4:
        return
    if data[start : start + 1] != b";" and not _FURTHER.match(data, found.end(), found.end() + 40):
        return
    if not values.is_example(found[0]) and not values.is_weak(found[0]):
        yield found.span()


_SIGNATURE = r"(?:[?&;]|u0026)sig="
_NETRC = r"(?:\s|\\n|\\t)password[ \t]+"
_MACHINE = re.compile(
    rb"(?:machine(?:\s|\\n)+[^\s\"\\]+|default)(?:\s|\\[nt])+login\s+[^\s\"\\]+(?:\s|\\[nrt])*\Z"
)
_DOCKER = r"\\*\"auth\\*\"[ \t]{0,2}:[ \t]{0,2}\\*\"[A-Za-z0-9+/]"
_NPMRC = r":_(?:authToken|auth|password)=[ \t]?"
_KUBE = r"(?:client-key-data|id-token|refresh-token):[ \t]{1,2}\\*[\"']?"
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/=_.%-]|\\/){8,}")


def _blob(data: bytes, start: int, end: int) -> Iterator[Span]:
    found = _BASE64.match(data, end, end + _LONGEST_BLOB)
    if found is not None and not values.is_example(found[0]):
        yield found.span()


def _signature(data: bytes, start: int, end: int) -> Iterator[Span]:
    if re.search(rb"[?&;6]s[vre]=[^\s\"'`<>]*\Z", data[max(0, start - 600) : start]) is not None:
        yield from _blob(data, start, end)


def _netrc(data: bytes, start: int, end: int) -> Iterator[Span]:
    if _MACHINE.search(data[max(0, start - 300) : start]) is not None:
        yield from _word(data, end, end)


def _docker(data: bytes, start: int, end: int) -> Iterator[Span]:
    found = _BASE64.match(data, end - 1, end + 1024)
    if found is not None and _names_user(found[0].replace(b"\\/", b"/")):
        yield found.span()


# -- high entropy ----------------------------------------------------------------------------------

_NEAR = (
    r"(?i:secret|token[^s]|passw|credential|bearer|(?:api|auth|access|private|signing|encryption)"
    r"[_ -]?key)"
)
_RANDOM_RUN = re.compile(
    rb"(?<=[\"'`=: \t])[A-Za-z0-9+/_-]{32,200}={0,2}(?=\\*[\"'`]|[\s,;)]|\\+n|\Z)"
)
_FAR = re.compile(
    rb"(?i)integrity|sha-?\d|md5|hash|digest|checksum|fingerprint|etag|public|certificate|commit"
    rb"|base64,|signature|ssh-|revision|version|cursor|page|nonce|regex|alphabet|charset|import"
)


def _random(data: bytes, start: int, end: int) -> Iterator[Span]:
    """Look at the rest of the line, and never past the quote that ends a string of JSON."""
    line = data[start : start + 320]
    stop = min(at for at in (line.find(b"\n"), line.find(b"\\n"), len(line)) if at >= 0)
    for found in _RANDOM_RUN.finditer(line, end - start - 1, min(stop + 2, len(line))):
        if found.start() > 120 or found.start() > stop:
            return
        text = found[0]
        # Hashes, UUIDs and constants are by far the most of what comes here.
        if text.islower() or text.isupper() or not values.is_random(text):
            continue
        before = data[max(0, start - 60) : start + found.start()]
        before = before[max(before.rfind(b"\n"), before.rfind(b"\\n")) + 1 :]
        if not _FAR.search(before):
            yield start + found.start(), start + found.end()


CONTEXTS = (
    Context("aws-secret-key", "secret access key of AWS by its name", _AWS_SECRET, _aws_secret),
    Context("private-key", "private key in PEM or OpenPGP armour", PEM, pem),
    Context("putty-key", "private key of PuTTY", PUTTY, putty),
    Context(
        "url-password", "password in an address, database and broker URLs too", _ADDRESS, _address
    ),
    Context("url-token", "token in place of a user in an address", _USER_ONLY, _user_only),
    Context(
        "connection-string", "password or key in a connection string", _CONNECTION, _connection
    ),
    Context("azure-sas", "signature of a shared access URL of Azure", _SIGNATURE, _signature),
    Context("authorization", "credentials of an Authorization header", _HEADER, _header),
    Context("authorization", "bearer token", _BEARER, _header),
    Context("cookie", "long values in Cookie and Set-Cookie headers", _COOKIE, _cookie),
    Context("netrc-password", "password in .netrc", _NETRC, _netrc),
    Context("docker-auth", "registry login in Docker's config.json", _DOCKER, _docker),
    Context("npmrc-token", "token in .npmrc", _NPMRC, _blob),
    Context("kube-credential", "client key or token in a kubeconfig", _KUBE, _blob),
    Context("command-password", "curl -u, sshpass -p, docker login -p, mysql -p", _USER, _user),
    Context(
        "command-password", "curl -u, sshpass -p, docker login -p, mysql -p", _SMALL_P, _small_p
    ),
    Context("command-option", "value of --password, --token, --api-key and the like", _FLAG, _flag),
    Context("named-secret", "value under a name such as password, token, api_key", _KEYED, _keyed),
)
RANDOM = Context("random-string", "random string on a line that speaks of secrets", _NEAR, _random)
