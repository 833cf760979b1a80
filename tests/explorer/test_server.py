"""The server: who may ask, what it never does, and that no bytes bring it down."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.errors import Unavailable
from git_skillmesh.explorer.access import POLICY
from git_skillmesh.explorer.server import Server
from testing.examples import examples
from testing.explorer import Asked, Open, listening, reply_of
from testing.repos import Repo


@pytest.fixture(scope="module")
def server(asked: Asked) -> Iterator[Open]:
    with listening(asked) as found:
        yield found
        assert found.errors == []


def test_a_document(server: Open, story: Repo) -> None:
    reply = server.get("/api/overview.json")
    assert reply.status == 200
    assert reply.json["head"]["sha"] == story.head
    wanted = {
        "content-type": "application/json",
        "cache-control": "no-store",
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
    }
    assert {name: reply.headers[name] for name in wanted} == wanted
    assert not [name for name in reply.headers if name.startswith("access-control")]
    assert POLICY.startswith("default-src 'none'; script-src 'self'; style-src 'self';")


def test_the_token_becomes_a_cookie_and_leaves_the_address(server: Open) -> None:
    access = server.server.access
    reply = server.get(f"/?token={access.token}", Cookie="")
    assert (reply.status, reply.headers["location"], reply.body) == (303, "/", b"")
    assert reply.headers["set-cookie"] == (
        f"{access.cookie}={access.token}; Path=/; HttpOnly; SameSite=Strict"
    )
    assert server.get("/").status == 200
    assert b"<html" in server.get("/index.html").body


def test_a_link_on_another_page_leads_in_with_the_token_only(server: Open) -> None:
    """The cookie would not be sent along a redirect: the browser begins anew from here."""
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate",
            "Sec_Fetch_Dest": "document"}  # fmt: skip
    reply = server.get(f"/?token={server.server.access.token}", **link)
    assert (reply.status, b'content="0;url=/"' in reply.body) == (200, True)
    assert "SameSite=Strict" in reply.headers["set-cookie"]
    for target in ("/", "/?token=x", "/api/overview.json", "/index.html"):
        assert server.get(target, **link).status == 403
    rebound = {**link, "Host": "evil.example"}
    assert server.get(f"/?token={server.server.access.token}", **rebound).status == 403
    framed = {**link, "Sec_Fetch_Dest": "iframe"}
    assert server.get(f"/?token={server.server.access.token}", **framed).status == 403


def test_a_ticket_admits_once(server: Open) -> None:
    assert server.get("/?ticket=", Cookie="").status == 401
    target = "/" + server.server.entrance_once().partition("/?")[2].join(["?", ""])
    assert server.get(target + "x", Cookie="").status == 401
    assert server.get(target, Cookie="").status == 303
    assert server.get(target, Cookie="").status == 401


@pytest.mark.parametrize(
    "target",
    ["/", "/?token=", "/?token=wrong", "/api/overview.json", "/explorer.js", "/nothing",
     "/api/overview.json?token={token}", "/?token={token}x"],
)  # fmt: skip
def test_without_the_token_nothing_is_told(server: Open, target: str) -> None:
    reply = server.get(target.format(token=server.server.access.token), Cookie="")
    assert reply.status == 401
    assert b"git skillmesh explore" in reply.body
    assert server.server.access.token.encode() not in reply.body


@pytest.mark.parametrize(
    "cookie", ["{name}=", "{name}=wrong", "other={token}", "{name}={token}x", "{name}", "\x7f=;=;"]
)
def test_a_wrong_cookie_is_none(server: Open, cookie: str) -> None:
    access = server.server.access
    told = cookie.format(name=access.cookie, token=access.token)
    assert server.get("/api/overview.json", Cookie=told).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:1"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
def test_other_pages_may_not_ask(server: Open, headers: dict[str, str]) -> None:
    reply = server.get("/api/overview.json", **headers)
    assert reply.status == 403
    assert set(reply.json) == {"error"}


def test_own_pages_may_ask(server: Open) -> None:
    own = f"http://127.0.0.1:{server.server.port}"
    reply = server.get("/api/overview.json", Origin=own, Sec_Fetch_Site="same-origin")
    assert reply.status == 200
    other = server.get("/api/overview.json", Host=f"localhost:{server.server.port}")
    assert other.status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW", "get"])
def test_only_get_and_head(server: Open, method: str) -> None:
    assert server.get("/api/overview.json", method).status == 405


def test_head_has_no_body(server: Open) -> None:
    reply = server.get("/api/learnings.json", "HEAD")
    assert (reply.status, reply.body) == (200, b"")
    whole = server.get("/api/learnings.json")
    assert reply.headers["content-length"] == str(len(whole.body))


def test_a_body_is_refused(server: Open) -> None:
    assert server.get("/api/overview.json", Content_Length="3").status == 400
    assert server.get("/api/overview.json", Transfer_Encoding="chunked").status == 400


@pytest.mark.parametrize(
    "target",
    [
        "/../../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/api/../../../../etc/passwd",
        "/api/file/../../../etc/passwd.json",
        "/api/file/..%2f..%2f.git%2fconfig.json",
        "/api/file/~2e~2e/~2e~2e/etc/passwd.json",
        "/api/file//etc/passwd.json",
        "/api/file/.git/config.json",
        "/api/learning/..%2f..%2f.git%2fconfig.json",
        "/api/commit/HEAD.json",
        "/api/commit/--help.json",
        "/api/session/..json",
        "/api/timeline/99999999999999999999.json",
        "/api/timeline/0%00.json",
        "/api/exchange/~2f.json",
        "/api/.json",
        "/api/overview/x.json",
        "/static.py",
        "/index.html/",
    ],
)
def test_no_address_leads_out(server: Open, target: str) -> None:
    reply = server.get(target)
    assert reply.status == 404
    assert reply.json == {"error": "no such document"} or reply.json == {"error": "no such page"}


def test_several_questions_on_one_connection(server: Open) -> None:
    access, port = server.server.access, server.server.port
    head = f"Host: 127.0.0.1:{port}\r\nCookie: {access.cookie}={access.token}\r\n\r\n"
    one = f"GET /api/learnings.json HTTP/1.1\r\n{head}"
    answers = server.raw((one + one).encode())
    assert answers.count(b"HTTP/1.1 200 OK") == 2


def test_a_taken_port_is_told(server: Open, asked: Asked) -> None:
    with pytest.raises(Unavailable, match=f"port {server.server.port}: Address already in use"):
        Server(asked.documents, server.server.port, server.errors.append)


def test_an_error_is_told_in_one_line_and_kept(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("<script>")

    monkeypatch.setattr(asked.documents, "json", fail)
    with listening(asked) as broken:
        reply = broken.get("/api/overview.json")
        assert reply.status == 500
        assert b"script" not in reply.body
        assert [type(error) for error in broken.errors] == [ZeroDivisionError]


_NAMES = st.sampled_from(["Host", "Cookie", "Origin", "X", "Content-Length", "Connection", ""])
_TEXTS = st.text(st.characters(codec="latin-1"), max_size=30)
_TARGETS = st.one_of(
    _TEXTS,
    st.lists(
        st.sampled_from(["/", "api", "file", "commit", "exchange", "..", "~2e", "%2e%2e", "%00",
                         "%ff", ".json", "?q=", "learning", "session", "0", "-1", "~", "\u00e9"]),
        max_size=8,
    ).map("".join),
)  # fmt: skip
_LINES = st.tuples(
    st.sampled_from(["GET", "HEAD", "POST", "G\0T", "", "PRI"]), _TARGETS,
    st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.1.1", "", "HTTP/x"]),
).map(" ".join)  # fmt: skip


@settings(max_examples=examples(30))
@given(_LINES, st.lists(st.tuples(_NAMES, _TEXTS), max_size=5), st.booleans(), st.booleans())
def test_whatever_is_sent_is_refused_or_answered(
    server: Open, line: str, headers: list[tuple[str, str]], known: bool, ended: bool
) -> None:
    access = server.server.access
    lines = [line]
    if known:
        lines += [
            f"Host: 127.0.0.1:{server.server.port}",
            f"Cookie: {access.cookie}={access.token}",
        ]
    lines += [f"{name}: {value}" for name, value in headers]
    data = "\r\n".join([*lines, "", ""] if ended else lines).encode("latin-1")
    _is_well_answered(server, data, known)


@settings(max_examples=examples(25))
@given(st.binary(max_size=400))
def test_whatever_bytes_are_sent(server: Open, data: bytes) -> None:
    _is_well_answered(server, data, known=False)


def _is_well_answered(server: Open, data: bytes, known: bool) -> None:
    """A status of 4xx, or silence; 200 only to who has the cookie; no word of the memory else."""
    said = server.raw(data)
    statuses = [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3}) ", said)]
    assert said == b"" or said.startswith(b"HTTP/1.1 ")
    allowed = {200, *range(400, 500)} if known else set(range(400, 500))
    assert set(statuses) <= allowed
    if not known:
        assert b"parcels" not in said
    assert server.errors == []


def test_very_long_heads_are_refused(server: Open) -> None:
    for data in (b"GET /" + b"a" * 70_000, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 300 + b"\r\n",
                 b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n"):  # fmt: skip
        assert 400 <= reply_of(server.raw(data)).status < 500
