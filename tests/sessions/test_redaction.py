"""Redaction: what goes, what stays, and that nothing breaks around it."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.errors import ConfigurationError
from git_skillmesh.sessions.model import Act, Edit, Exchange, ToolCall
from git_skillmesh.sessions.redaction import RULES, Redacted, Redactor
from git_skillmesh.sessions.redaction_policy import Policy
from git_skillmesh.sessions.redaction_spans import Finding, placeholder
from testing.examples import examples
from testing.secrets import AROUND, CODE, TOKENS, Planted, negatives, positives

REDACTOR = Redactor()
SECRETS_ONLY = Redactor(Policy(personal=()))
EVERYTHING = Redactor(Policy(personal=("home", "email", "phone", "card", "ip")))
PLANTED = positives()
PLAIN = negatives()
KEY = "gh" + "p_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


def misses(samples: list[Planted], fails: Callable[[Planted], bool]) -> list[Planted]:
    return [sample for sample in samples if fails(sample)]


def test_every_planted_secret_goes_and_its_rule_says_so() -> None:
    def missed(sample: Planted) -> bool:
        assert sample.secret in sample.text
        found = SECRETS_ONLY.redact(sample.text)
        rules = {finding.rule for finding in found.findings}
        # A name that tells of secrets and a random value: both rules are right.
        right = sample.rule in rules or (sample.rule == "named-secret" and rules)
        return sample.secret in found.text or not right

    assert misses(PLANTED, missed) == []


def test_every_rule_is_planted() -> None:
    personal = {"home-name", "email", "phone", "card", "ip-address", "image"}
    rules = {rule.name for rule in RULES} - personal
    assert rules - {sample.rule for sample in PLANTED} == {"putty-key"}, "has a test of its own"


def test_what_only_looks_like_a_secret_stays_byte_for_byte() -> None:
    assert len(PLAIN) > 4000
    assert [text for text in PLAIN if SECRETS_ONLY.redact(text).text != text] == []


def test_names_and_code_stay_around_a_secret() -> None:
    wanted = {
        f'api_key: str = "{KEY}"': 'api_key: str = "REDACTED_GITHUB_TOKEN"',
        "password: h8Kd&02nsq && ls": "password: REDACTED_NAMED_SECRET && ls",
        "?password=h8Kd02nsq&user=bob": "?password=REDACTED_NAMED_SECRET&user=bob",
        "postgres://bob:h8Kd02nsq@db.test:5432/x?a=1":
        "postgres://bob:REDACTED_URL_PASSWORD@db.test:5432/x?a=1",
        "curl -H 'Authorization: Bearer d9Fk27Xq0Lm1' https://x.test":
        "curl -H 'Authorization: Bearer REDACTED_AUTHORIZATION' https://x.test",
    }  # fmt: skip
    assert {text: REDACTOR.redact(text).text for text in wanted} == wanted


def test_findings_tell_the_place_in_characters_and_not_the_secret() -> None:
    text = f"ключ 🔑 {KEY}, /home/jane/src"
    assert REDACTOR.redact(text) == Redacted(
        "ключ 🔑 REDACTED_GITHUB_TOKEN, /home/REDACTED_HOME_NAME/src",
        (Finding("github-token", 7, 47), Finding("home-name", 55, 59)),
    )
    assert KEY[5:] not in repr(REDACTOR.redact(text).findings)
    assert REDACTOR.redact(text).findings[0].length == 40


def test_lone_surrogates_stay() -> None:
    assert REDACTOR.redact(f"\udcff {KEY} \ud800").text == "\udcff REDACTED_GITHUB_TOKEN \ud800"


def test_a_putty_key() -> None:
    lines = ["QmFz" * 16, "b2Rh" * 16, "a1Zk" * 5 + "=="]
    text = "\n".join(["Public-Lines: 1", "AAAA", "Private-Lines: 3", *lines, "Private-MAC: 00ff"])
    assert REDACTOR.redact(text).text == (
        "Public-Lines: 1\nAAAA\nPrivate-Lines: 3\nREDACTED_PUTTY_KEY\nPrivate-MAC: 00ff"
    )


# -- properties ------------------------------------------------------------------------------------

FRAGMENTS = st.one_of(
    st.sampled_from([sample.text for sample in PLANTED]),
    st.sampled_from(PLAIN),
    st.sampled_from(['"', "'", "\\", "\n", "=", ": ", ",", "}", "]", "password", "token=", "://u:",
                     "@", "\\n", "-----BEGIN PRIVATE KEY-----", "-----END", placeholder("jwt"),
                     "Bearer ", "é", "\u2028", "data:image/png;base64,", "1", "secret"]),
    st.text(max_size=12),
)  # fmt: skip
TEXTS = st.lists(FRAGMENTS, max_size=8).map("".join)


@given(TEXTS)
@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
def test_redacting_again_changes_nothing(text: str) -> None:
    for redactor in (REDACTOR, EVERYTHING):
        once = redactor.redact(text).text
        again = redactor.redact(once)
        assert again == Redacted(once, ())


def shape(document: Any) -> Any:
    if isinstance(document, dict):
        return [(type(key), shape(value)) for key, value in document.items()]
    if isinstance(document, list):
        return [shape(value) for value in document]
    return type(document) if isinstance(document, str) else document


DOCUMENTS = st.recursive(
    st.one_of(TEXTS, st.none(), st.booleans(), st.integers(-10**16, 10**16),
              st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(["password", "token", "a", "data", "password:"]),
                                  TEXTS), inner, max_size=4),
    ),
    max_leaves=8,
)  # fmt: skip


@given(DOCUMENTS, st.integers(1, 3), st.booleans())
@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
def test_json_stays_json(document: Any, levels: int, plain: bool) -> None:
    text = document
    for _ in range(levels):
        text = json.dumps(text, ensure_ascii=not plain)
    read = SECRETS_ONLY.redact(text).text
    for _ in range(levels - 1):
        read = json.loads(read)
        assert isinstance(read, str)
    after = json.loads(read)
    if len(set(_keys(after))) == len(set(_keys(document))):  # two keys may become one placeholder
        assert shape(after) == shape(document)


def _keys(document: Any) -> list[str]:
    if isinstance(document, dict):
        return [*document, *(key for value in document.values() for key in _keys(value))]
    if isinstance(document, list):
        return [key for value in document for key in _keys(value)]
    return []


@given(
    st.sampled_from([make for makers in TOKENS.values() for make in makers]),
    st.integers(0, 10**6).map(random.Random),
    TEXTS, TEXTS, st.sampled_from([" ", "\n", '"', "'", "=", "\\n", "(", "\t", "|", "\u2003"]),
    st.sampled_from([" ", "\n", '"', "'", ")", ";", "\\n", "\\", ",", "\r"]),
)  # fmt: skip
@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_of_a_planted_key_remains(
    make: Any, chance: Any, before: str, after: str, left: str, right: str
) -> None:
    key = make(chance)
    out = SECRETS_ONLY.redact(f"{before}{left}{key}{right}{after}").text
    assert key not in out
    assert key[-12:] not in out


@given(st.lists(st.sampled_from(PLAIN), max_size=12), st.sampled_from(["\n", "\r\n", "\n\n"]))
@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
def test_plain_lines_together_stay(lines: list[str], newline: str) -> None:
    text = newline.join(lines)
    assert SECRETS_ONLY.redact(text) == Redacted(text, ())


@given(TEXTS)
@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
def test_findings_are_the_differences(text: str) -> None:
    found = EVERYTHING.redact(text)
    position, pieces = 0, []
    for finding in found.findings:
        assert position <= finding.start < finding.end <= len(text)
        pieces.append(text[position : finding.start])
        position = finding.end
    pieces.append(text[position:])
    rest = found.text
    for piece in pieces:
        at = rest.find(piece)
        assert at >= 0
        rest = rest[at + len(piece) :]
    assert len(found.text) <= len(text) + 180 * len(found.findings)


# -- linear time -----------------------------------------------------------------------------------

HOSTILE = [
    "password=", "eyJ", "eyJhbGciOi.", "-----BEGIN PRIVATE KEY-----", "://a:", "://a:b@", "sk-",
    "AKIA", "a", "\\", '"', "'", '\\"', "=", "secret ", "token: ", "A" * 31 + " ", "Cookie: a=b;",
    "1", "12345678:AA", "data:image/png;base64,", "-p ", " -u a:", "é", "\n", "password='",
    "Authorization: Bearer ", "hf_", ".aaaaaa.", "{", '{"password":"', "\0",
    "-----BEGIN PRIVATE KEY-----\n" + "A1b2" * 20 + "\n", "/home/", "sig=", "1.", "a@",
    "+1 ", "4111 ",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_the_time_is_linear(piece: str) -> None:
    """Fifteen times the text takes at most ninety times as long, whatever it repeats."""

    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        start = time.process_time()
        EVERYTHING.redact(text)
        return time.process_time() - start

    allowed = 90 * max(min(seconds(1_000), seconds(1_000)), 0.0002)
    assert any(seconds(15_000) < allowed for _ in range(3))  # again: others compute too


def test_a_hundred_secrets_in_a_long_line() -> None:
    """The second look goes only around what was found in the first, and sees the same."""
    filler = "x" * 20_000
    parts = [f"{sample.text} {filler}" for sample in PLANTED[::19]]
    once = SECRETS_ONLY.redact(" ".join(parts))
    assert [sample.secret for sample in PLANTED[::19] if sample.secret in once.text] == []
    assert SECRETS_ONLY.redact(once.text) == Redacted(once.text, ())


# -- policy ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("mail jane@corp.io now", "mail REDACTED_EMAIL now"),
        ("x\\njane@corp.io", "x\\nREDACTED_EMAIL"),
        ("git@github.test:a/b noreply@corp.io a@example.com logo@2x.png", None),
        ("call +49 170 1234567 or (415) 555-2671", "call REDACTED_PHONE or REDACTED_PHONE"),
        ("2024-01-02 10:20:30 1.2.3.4.5 +1,2 1700000000 3.14159265", None),
        ("card 4111 1111 1111 1111", "card REDACTED_CARD"),
        ("card 4111 1111 1111 1112, 1234567890123456", None),
        ('{"card": 4111111111111111}', '{"card": 0}'),
        ("from 93.184.216.34 and 2606:2800:220:1:248:1893:25c8:1946",
         "from REDACTED_IP_ADDRESS and REDACTED_IP_ADDRESS"),
        ("127.0.0.1 10.0.0.1 192.168.1.1 0.0.0.0 ::1 v1.2.3.4-rc 8.8.8.8", None),
        ("/Users/jane/x C:\\Users\\jane\\x c:\\\\Users\\\\jane\\\\x",
         "/Users/REDACTED_HOME_NAME/x C:\\Users\\REDACTED_HOME_NAME\\x "
         "c:\\\\Users\\\\REDACTED_HOME_NAME\\\\x"),
        ("~/.claude/projects/-Users-jane-code/x",
         "~/.claude/projects/-Users-REDACTED_HOME_NAME-code/x"),
        ("/home/runner/work /home/ubuntu/x /Users/Shared/x GET /home/dashboard", None),
        ("https://example.com/home/a/b", None),
    ],
)  # fmt: skip
def test_personal_data(text: str, wanted: str | None) -> None:
    assert EVERYTHING.redact(text).text == (text if wanted is None else wanted)


def test_of_personal_data_only_home_folders_go_by_default() -> None:
    text = "jane@corp.io +49 170 1234567 4111 1111 1111 1111 93.184.216.34"
    assert REDACTOR.redact(text).text == text
    assert REDACTOR.redact("/home/jane/x").text == "/home/REDACTED_HOME_NAME/x"
    assert SECRETS_ONLY.redact("/home/jane/x").text == "/home/jane/x"


def test_allowed_values_stay() -> None:
    for allow in (KEY, "/gh._[a-zA-Z0-9]+/"):
        redactor = Redactor(Policy(allow=(allow,)))
        assert redactor.redact(KEY).text == KEY
        assert redactor.redact(f"{KEY[:-1]}X {KEY}").findings != () or allow != KEY


def test_own_rules() -> None:
    redactor = Redactor(Policy(rules=(("ticket", "TCK-[0-9]+"), ("badge", "badge (é+)"))))
    assert redactor.redact("TCK-12 badge éé").text == "REDACTED_TICKET badge REDACTED_BADGE"
    everything = Redactor(Policy(rules=(("all", "."),)))
    once = everything.redact("some text")
    assert everything.redact(once.text) == Redacted(once.text, ())


def test_patterns_that_are_none() -> None:
    for policy in (
        Policy(rules=(("x", "(?=a)"),)),
        Policy(allow=("/(/",)),
        Policy(personal=("x",)),
    ):
        with pytest.raises(ConfigurationError):
            Redactor(policy)


# -- pictures --------------------------------------------------------------------------------------

PNG = "iVBORw0KGgo" + "AAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
NOTE = "REDACTED_IMAGE:image/png:62:sha256:"


@pytest.mark.parametrize(
    "text",
    [
        f"see data:image/png;base64,{PNG} there",
        json.dumps({"type": "base64", "media_type": "image/png", "data": PNG}),
        json.dumps({"inlineData": {"mimeType": "image/png", "data": PNG}}),
        json.dumps({"type": "image", "file": {"base64": PNG, "type": "image/png"}}),
        json.dumps(json.dumps({"media_type": "image/png", "data": "AQID"})),
        json.dumps({"url": f"data:image/png;base64,{PNG}"}).replace("/", "\\/"),
    ],
)
def test_pictures_become_notes(text: str) -> None:
    found = REDACTOR.redact(text)
    assert [finding.rule for finding in found.findings] == ["image"]
    assert "REDACTED_IMAGE:image/png:" in found.text
    assert PNG not in found.text
    assert REDACTOR.redact(found.text).text == found.text
    assert REDACTOR.redact(text, images=False).text == text


def test_fonts_and_other_data_stay() -> None:
    text = f'src: url(data:font/woff2;base64,{PNG}) {{"data": "{PNG.replace("iVBOR", "xxxxx")}"}}'
    assert REDACTOR.redact(text).text == text


# -- exchanges -------------------------------------------------------------------------------------


def test_every_text_of_an_exchange() -> None:
    edit = Edit(f"{KEY}.txt", f"a {KEY}", f"data:image/png;base64,{PNG} {KEY}", moved_from=KEY)
    call = ToolCall(
        "call-1", "Bash", Act.BASH, f"echo {KEY}", f"{KEY}\n", True, "2026-01-01T00:00:00Z",
        (f"x/{KEY}",), (edit, Edit("gone")), ("1a2b3c4",), "sub",
    )  # fmt: skip
    exchange = Exchange("id-1", f"use {KEY}", f"ok {KEY}", "s", "e", "model-1", (call,))
    mark = "REDACTED_GITHUB_TOKEN"
    redacted, findings = REDACTOR.redact_exchange(exchange)
    assert redacted == replace(
        exchange, prompt=f"use {mark}", response=f"ok {mark}",
        tools=(
            replace(
                call, input=f"echo {mark}", output=f"{mark}\n", paths=(f"x/{mark}",),
                edits=(
                    Edit(f"{mark}.txt", f"a {mark}", f"data:image/png;base64,{PNG} {mark}",
                         moved_from=mark),
                    Edit("gone"),
                ),
            ),
        ),
    )  # fmt: skip
    assert {finding.rule for finding in findings} == {"github-token"}
    assert REDACTOR.redact_exchange(redacted) == (redacted, ())


def test_the_corpus_is_the_same_each_time() -> None:
    assert positives() == PLANTED
    assert negatives() == PLAIN
    assert len(AROUND) > 10
    assert len(CODE) > 80
