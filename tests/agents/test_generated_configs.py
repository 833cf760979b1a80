"""Made-up configuration files of every layout: in, renewed, edited by others, and out again."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.agents import edits, merging, sections
from git_skillmesh.agents.catalogue import Entry, Places, hooks, server
from git_skillmesh.agents.entries import holds, without_ours
from git_skillmesh.agents.jsonc import parse
from git_skillmesh.errors import ConfigurationError
from testing.agent_configs import FOLDER
from testing.examples import examples

PLACES = Places(FOLDER)
SERVER = Entry("mcp", ("mcpServers",), "skillmesh", server(PLACES))
ENTRIES = (SERVER, *hooks("claude-code", PLACES), *hooks("cursor", PLACES)[:1])
SPACES = st.sampled_from(["", "", " ", "\n", "\n  ", "\r\n\t", " /* c */ ", " // x\n", "\n\n"])
NAMES = st.sampled_from(["a", "mcpServers", "hooks", "Stop", "PostToolUse", "skillmesh", "version"])
PLAIN = st.sampled_from(["1", "true", "null", '"//"', '"x, y"', "[]", "{}", '{"command": "x"}'])


@st.composite
def texts(draw: st.DrawFn, depth: int = 0) -> str:
    """Draw a JSON object with comments, odd spaces and commas too many."""
    members = []
    for name in draw(st.lists(NAMES, max_size=3, unique=True)):
        if depth == 0 and name in ("hooks", "mcpServers"):
            value = draw(texts(depth=1))
        elif depth == 1 and name in ("Stop", "PostToolUse"):
            value = "[" + draw(SPACES) + draw(st.sampled_from(["", '{"hooks": []}', "1"])) + "]"
        else:
            value = draw(PLAIN)
        between = draw(SPACES)
        members.append(f'{draw(SPACES)}"{name}"{between}:{draw(SPACES)}{value}{draw(SPACES)}')
    trailing = draw(st.sampled_from(["", ","])) if members else ""
    end = draw(SPACES)
    frame = draw(SPACES), draw(SPACES)
    body = "{" + ",".join(members) + trailing + end + "}"
    return body if depth else frame[0] + body + frame[1]


def put_in(text: str) -> merging.Merged | None:
    """Return a text with our entries, None where another value is in their place."""
    try:
        return merging.put_in(text, ENTRIES, "f")
    except ConfigurationError as error:
        if " is no " in error.what:
            return None
        raise


def others(text: str) -> str:
    document = parse(text).value
    return json.dumps(without_ours(document, ENTRIES), sort_keys=True)


@settings(max_examples=examples(30), deadline=None)
@given(texts())
def test_in_and_out(text: str) -> None:
    document = parse(text).value
    merged = put_in(text)
    if merged is None:
        return
    assert edits.taken_back(merged.text, merged.cuts) == text
    assert others(merged.text) == others(text)
    missing = [e for e in ENTRIES if e.part != "form" and not holds(parse(merged.text).value, e)]
    theirs = "skillmesh" in document.get("mcpServers", {})
    assert missing == ([SERVER] if theirs else [])
    assert merging.put_in(merged.text, ENTRIES, "f").cuts == []
    # Without the cuts, by what was noted and by nothing but our names.
    for made in (merged.made, None):
        left = merging.take_out(merged.text, ENTRIES, "f", made).text
        assert others(left) == others(text)
        assert "git-skillmesh" not in left
        if made is not None:
            kept = parse(left).value
            if document.get("hooks") and "version" not in document:
                kept.pop("version")  # the hooks of others may have come to need it
            assert kept == document
            # Every comment is still there.
            assert [left.count(c) for c in ("/* c */", "// x")] == [
                text.count(c) for c in ("/* c */", "// x")
            ]


@settings(max_examples=examples(25), deadline=None)
@given(texts(), st.sampled_from(["before", "after", "inside"]))
def test_what_others_add_meanwhile_stays(text: str, where: str) -> None:
    merged = put_in(text)
    if merged is None:
        return
    root = parse(merged.text)
    style = edits.Style()
    node = root.at(("hooks", "Stop")) if where == "inside" else root
    assert node is not None
    key = "" if where == "inside" else "theirs"
    value: Any = {"hooks": [{"type": "command", "command": "other"}]}
    edited = edits.apply(merged.text, edits.added(merged.text, node, value, style, key))
    left = merging.take_out(edited, ENTRIES, "f", merged.made).text
    assert others(left) == others(edited)
    assert "git-skillmesh" not in left
    assert "other" in left


LINES = st.lists(
    st.sampled_from(
        ["", "\n", "\r\n", "# note\n", "[a]\n", "x = 1", "x = 1\r\n", "[[hooks]]\n",
         '[mcp_servers.b]\ncommand = "x"\n', 'y = """\n[mcp_servers.skillmesh]\n"""\n']
    ),
    max_size=5,
).map("".join)  # fmt: skip


@settings(max_examples=examples(30), deadline=None)
@given(LINES, st.sampled_from(["", "\n[z]\n", "# end"]))
def test_toml_in_and_out(text: str, added: str) -> None:
    given = server(PLACES)
    try:
        merged, notes = sections.put_in(text, "toml", given, "f")
    except ConfigurationError:
        return  # no TOML to begin with
    assert notes == []
    assert merged is not None
    assert sections.server_in(merged, "f") == given
    assert sections.put_in(merged, "toml", given, "f") == (merged, [])
    assert sections.take_out(merged, "toml", "f") == (text, [])
    # What others write below stays on lines of its own.
    left, notes = sections.take_out(merged + added, "toml", "f")
    assert notes == []
    assert left is not None
    runs_on = text and added and not text.endswith("\n") and not added.startswith("\n")
    expected = text + "\n" * bool(runs_on) + added
    assert left.replace("\r\n", "\n") == expected.replace("\r\n", "\n")
