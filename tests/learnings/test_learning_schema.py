"""docs/learning.schema.json and the reader agree on what a learning is."""

import copy
import json
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from git_skillmesh.learnings.model import Learning, MatcherKind
from git_skillmesh.learnings.reading import FIELDS, MATCHERS, read_learning
from git_skillmesh.learnings.writing import fields_of
from testing.docs_pages import ROOT
from testing.examples import examples

SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "learning.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
Document = dict[str, Any]

MATCHER: dict[str, Document] = {
    "ast": {"kind": "ast", "rule": {"pattern": "f($A)"}, "constraints": {"A": {"regex": "x"}}},
    "regex": {"kind": "regex", "regex": "x", "scope": "file", "unless": "y", "ignore_case": True},
    "literal": {"kind": "literal", "text": "x", "scope": "lines"},
    "message": {"kind": "message", "regex": "x", "required": True},
    "paths": {"kind": "paths", "accompany": ["a/*"]},
}
FULL: Document = {
    "learning_id": "a", "title": "T", "description": "D", "category": "c", "tags": ["t", "u"],
    "languages": ["python"], "paths": "src", "severity": "note", "state": "warn", "pattern": "p",
    "fix": {"text": "do", "rewrite": "g($A)"},
    "examples": {"bad": ["x", {"code": "x", "path": "a.py"}], "good": {"files": ["a 3", "b"]}},
    "source_chat_id": "s", "source_commits": ["abcdef0"], "example_code_reference": "r",
    "confidence": 0.5, "author": "A", "created": "2026-01-02", "updated": "2026-01-02T10:00:00Z",
    "backtest": {"commits": 9, "fired": 2, "mistaken": 0, "unknown": 1, "until": "abcdef0",
                 "date": "2026-01-02"},
    "forced": "f", "retired": "r",
}  # fmt: skip
NEW_KEYS = ["titel", "x-mine", "kind", "files", "code", "unless", "untouchable", "max_bytes", "bad"]
ANYTHING: st.SearchStrategy[Any] = st.sampled_from(
    [
        "", "  ", "x", "a b", "a\nb", "\n", "2026-13-99", "01.02.2026", "abcdef0", "ABCDEF0",
        "true", "warn", "error", "file", "regex", "paths", "y" * 121, "z" * 20_001, "é", "-a",
        True, False, None, 3, -1, 0.5, 1234567, [], {}, ["x"], ["x", ""], [None], [["x"]], [{}],
        ["a 3"], {"x-a": 1}, {"code": "x"}, {"files": ["a"]}, {"code": "x", "files": ["a"]},
        {"code": "x", "files": []}, {"code": "", "files": ["a"]}, [{"path": "a"}], {"text": "x"},
    ]
)  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A whole document of some kind, with up to three places changed, added or taken away."""
    document = {
        **copy.deepcopy(FULL),
        "matcher": copy.deepcopy(MATCHER[str(draw(st.sampled_from(list(MatcherKind))))]),
    }
    for _ in range(draw(st.integers(0, 3))):
        place = document
        inner = [name for name, value in place.items() if isinstance(value, dict)]
        if draw(st.booleans()) and inner:
            place = place[draw(st.sampled_from(inner))]
        name = draw(st.sampled_from([*place, *NEW_KEYS]))
        if name in place and draw(st.integers(0, 3)) == 0:
            del place[name]
        else:
            place[name] = copy.deepcopy(draw(ANYTHING))
    return document


def readable(document: Document) -> bool:
    # The file of the id that the reader will see: whether they agree is not for the schema.
    text = yaml.safe_dump(document, allow_unicode=True)
    name = yaml.load(text, Loader=yaml.BaseLoader).get("learning_id")  # noqa: S506
    return read_learning(f"{name}.yaml", text.encode()).learning is not None


@settings(max_examples=examples(30), deadline=None)
@given(documents())
@example({"learning_id": "a", "title": "T", "description": "D", "matcher": MATCHER["literal"]})
@example({**FULL, "matcher": {"kind": "paths", "untouchable": True, "max_bytes": 3}})
@example({**FULL, "matcher": {"kind": "paths", "untouchable": True, "accompany": []}})
@example({**FULL, "matcher": {"kind": "paths"}})
@example({**FULL, "matcher": MATCHER["paths"], "examples": {"bad": [{"code": "x", "files": []}]}})
@example({**FULL, "matcher": MATCHER["paths"], "examples": {"bad": [None]}})
def test_the_schema_and_the_reader_agree(document: Document) -> None:
    assert VALIDATOR.is_valid(document) == readable(document)


def test_the_schema_is_a_schema_and_knows_every_field() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert list(SCHEMA["properties"]) == list(FIELDS)
    assert SCHEMA["required"] == [name for name, must in FIELDS.items() if must]
    kinds = {
        kind["properties"]["kind"]["const"]: set(kind["properties"])
        for kind in SCHEMA["properties"]["matcher"]["oneOf"]
    }
    assert kinds == {kind: {"kind", *fields} for kind, fields in MATCHERS.items()}


def test_whole_documents_of_every_kind_are_let_in() -> None:
    for matcher in MATCHER.values():
        document = {**FULL, "matcher": matcher}
        assert list(VALIDATOR.iter_errors(document)) == []
        assert readable(document)


def test_every_field_of_a_learning_is_a_field_of_its_file() -> None:
    learning = read_learning("a.yaml", yaml.safe_dump({**FULL, "matcher": MATCHER["ast"]}).encode())
    assert isinstance(learning.learning, Learning)
    assert list(fields_of(learning.learning)) == list(FIELDS)
