"""Examples tried both ways, and what each state needs, every complaint in its line."""

from pathlib import Path

import pytest

from git_skillmesh.gate.trial import try_learning
from git_skillmesh.learnings.model import MatcherKind
from git_skillmesh.learnings.reading import FIELDS, MATCHERS, read_learning
from testing.docs_pages import ROOT, Block, blocks

PAGE = ROOT / "docs" / "learning-files.md"
HEAD = "learning_id: a\ntitle: T\ndescription: D\n"


def problems(text: str) -> list[str]:
    return [str(problem) for problem in try_learning(read_learning("a.yaml", text.encode()))]


@pytest.mark.parametrize(
    "block", [b for b in blocks(PAGE) if b.info == "yaml"], ids=lambda b: b.line
)
def test_the_documented_learnings_do_what_they_say(block: Block) -> None:
    text = block.text
    name = text.partition("learning_id: ")[2].partition("\n")[0]
    read = read_learning(f"{name}.yaml", text.encode())
    assert try_learning(read) == []
    # An example on the wrong side is a complaint: the trial can fail.
    swapped = text.replace("  bad:", "  x:").replace("  good:", "  bad:").replace("  x:", "  good:")
    assert any("example" in str(problem) for problem in try_learning(
        read_learning(f"{name}.yaml", swapped.encode())))  # fmt: skip


def test_every_field_and_every_kind_is_documented() -> None:
    page = PAGE.read_text()
    assert [name for name in FIELDS if f"\n| `{name}` |" not in page] == []
    for kind in MatcherKind:
        section = page.partition(f"\n### {kind}\n")[2].partition("\n### ")[0]
        assert f"kind: {kind}" in section
        assert [name for name in MATCHERS[kind] if f"`{name}" not in section] == []


def test_examples_are_tried_both_ways() -> None:
    assert problems(
        f"{HEAD}languages: [python]\npaths: [src/**]\nmatcher: {{kind: literal, text: print(}}\n"
        "examples:\n"
        "  bad:\n"
        "    - print(1)\n"
        "    - log(1)\n"
        "    - {path: lib/a.py, code: print(1)}\n"
        "    - {path: src/a.go, code: print(1)}\n"
        "    - files: [a]\n"
        "  good:\n"
        "    - log(1)\n"
        "    - print(2)\n"
        "    - path: lib/a.py\n"
        "      code: print(1)\n"
    ) == [
        "a.yaml:10: bad example 2 does not match",
        "a.yaml:11: bad example 3 does not match: lib/a.py is not of its languages and paths",
        "a.yaml:12: bad example 4 does not match: src/a.go is not of its languages and paths",
        "a.yaml:13: bad example 5 must have code",
        "a.yaml:16: good example 2 matches",
    ]


def test_examples_of_paths_and_messages() -> None:
    assert problems(
        f"{HEAD}matcher: {{kind: paths, max_bytes: 10}}\n"
        "examples:\n  bad: [{files: [a b 11]}, {files: [a 10]}, code]\n  good: {files: [a]}\n"
    ) == [
        "a.yaml:6: bad example 2 does not match",
        "a.yaml:6: bad example 3 must list files",
    ]
    assert problems(
        f"{HEAD}languages: python\nmatcher:\n  kind: message\n  regex: WIP\n"
        "paths: src\nexamples: {bad: fine, good: WIP}\n"
    ) == [
        "a.yaml:4: languages mean nothing for a matcher of messages",
        "a.yaml:8: paths mean nothing for a matcher of messages",
        "a.yaml:9: bad example 1 does not match",
        "a.yaml:9: good example 1 matches",
    ]


def test_what_each_state_needs() -> None:
    matcher = "matcher: {kind: literal, text: x}\n"
    assert problems(f"{HEAD}{matcher}") == []
    assert problems(f"{HEAD}state: retired\n{matcher}") == []
    assert problems(f"{HEAD}state: warn\n{matcher}examples:\n  bad: x\n") == [
        "a.yaml:6: warn needs 1 good example, there is none"
    ]
    assert problems(f"{HEAD}state: block\n{matcher}examples:\n  bad: [x]\n  good: [y, z]\n") == [
        "a.yaml:4: block needs a backtest, or in forced the reason why it goes without",
        "a.yaml:6: block needs 2 bad examples, there is 1",
    ]
    whole = f"{HEAD}state: block\n{matcher}examples:\n  bad: [x, ax]\n  good: [y, z]\n"
    assert problems(f"{whole}forced: it is the law\n") == []
    assert problems(
        f"{whole}backtest: {{commits: 9, fired: 0, mistaken: 0, unknown: 0, until: abcdef0, "
        "date: 2026-01-02}\n"
    ) == []  # fmt: skip


def test_a_broken_rule_is_named_where_it_stands() -> None:
    assert problems(f"{HEAD}matcher:\n  kind: regex\n  regex: '('\nexamples: {{bad: x}}\n") == [
        "a.yaml:6: missing ) in ("
    ]
    assert problems(f"{HEAD}matcher:\n  kind: literal\n  text: a\n  unless: '['\n") == [
        "a.yaml:7: missing ] in ["
    ]
    assert problems(f"{HEAD}matcher: {{kind: ast, rule: {{kind: x}}}}\nlanguages: [python]\n") == [
        "a.yaml:4: rule: Kind `x` is invalid. (as python)"
    ]
    assert problems(f"{HEAD}languages: [klingon]\nmatcher: {{kind: literal, text: a}}\n") == [
        "a.yaml:4: no such language: klingon"
    ]
    assert problems("learning_id: a\n") == [
        "a.yaml:1: description is missing",
        "a.yaml:1: matcher is missing",
        "a.yaml:1: title is missing",
    ]


def test_a_rewrite_belongs_to_an_ast_matcher_and_its_variables() -> None:
    assert problems(f"{HEAD}matcher: {{kind: literal, text: a}}\nfix: {{rewrite: b}}\n") == [
        "a.yaml:5: fix.rewrite is for ast matchers; use fix.text"
    ]
    assert problems(
        f"{HEAD}languages: python\nmatcher:\n  kind: ast\n  rule: {{pattern: 'f($A, $$$B)'}}\n"
        "fix:\n  text: do\n  rewrite: g($$$B, $A, $C)\n"
    ) == ["a.yaml:10: fix.rewrite has $C, the rule has not"]


def test_an_example_that_is_not_looked_at_is_a_complaint(tmp_path: Path) -> None:
    text = f"{HEAD}languages: python\nmatcher: {{kind: ast, rule: {{kind: identifier}}}}\n"
    code = "\n".join(["      " + "f " * 40] * 300)
    assert problems(f"{text}examples:\n  bad:\n    - |\n{code}\n") == [
        "a.yaml:8: bad example 1 is not looked at: more than 10,000 matches"
    ]
