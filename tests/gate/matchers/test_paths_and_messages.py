"""Rules about changed paths and about messages, both ways."""

from collections.abc import Callable
from typing import Any

import pytest

from git_skillmesh.gate.matchers.compiling import compile_content, compile_message, compile_paths
from git_skillmesh.gate.matchers.message import CommitMessage, MessageMatch, MessageMatcher
from git_skillmesh.gate.matchers.model import RuleError
from git_skillmesh.gate.matchers.paths import ChangedPath, PathMatch
from git_skillmesh.learnings.model import FOLDER, Learning
from testing.learning_files import learning


def paths(
    *changed: ChangedPath | str,
    covers: tuple[str, ...] = ("src/**",),
    languages: tuple[str, ...] = (),
    **matcher: Any,
) -> list[PathMatch]:
    rule = compile_paths(learning("paths", paths=covers, languages=languages, **matcher))
    return list(
        rule.matches([ChangedPath(one) if isinstance(one, str) else one for one in changed])
    )


def test_accompany() -> None:
    wanted: dict[str, Any] = {"accompany": ("CHANGELOG.md", "docs/*.md")}
    assert paths("src/b.py", "src/a.py", "docs/x.md", **wanted) == [
        PathMatch("src/a.py", "changed and 1 more without CHANGELOG.md")
    ]
    assert paths("src/a.py", **wanted) == [
        PathMatch("src/a.py", "changed without CHANGELOG.md"),
        PathMatch("src/a.py", "changed without docs/*.md"),
    ]
    assert paths("src/a.py", "CHANGELOG.md", "docs/x.md", **wanted) == []
    assert paths("README.md", **wanted) == []
    assert paths(**wanted) == []


def test_what_counts_as_a_change() -> None:
    wanted: dict[str, Any] = {"accompany": ("CHANGELOG.md",)}
    moved = ChangedPath("lib/a.py", old_path="src/a.py")
    assert paths(moved, **wanted) == [PathMatch("lib/a.py", "changed without CHANGELOG.md")]
    assert len(paths(ChangedPath("src/a.py", deleted=True), **wanted)) == 1
    assert paths("src/a.py", ChangedPath("CHANGES", old_path="CHANGELOG.md"), **wanted) == []


def test_untouchable() -> None:
    rule: dict[str, Any] = {"untouchable": True, "covers": ("old/", "!old/new.sql")}
    changed: list[ChangedPath | str] = [
        "old/2.sql", ChangedPath("old/1.sql", deleted=True), "old/new.sql", "x/old.sql",
        ChangedPath("x/3.sql", old_path="old/3.sql"), ChangedPath("old/4.sql", old_path="x/4.sql"),
    ]  # fmt: skip
    assert paths(*changed, **rule) == [
        PathMatch("old/1.sql", "deleted"),
        PathMatch("old/2.sql", "changed"),
        PathMatch("old/4.sql", "renamed from x/4.sql"),
        PathMatch("x/3.sql", "renamed from old/3.sql"),
    ]


def test_max_bytes() -> None:
    changed = [
        ChangedPath("a.bin", size=1001), ChangedPath("b.bin", size=1000),
        ChangedPath("was.bin", size=3000, old_size=1001), ChangedPath("a.txt", size=5000),
        ChangedPath("gone.bin", size=5000, deleted=True),
        ChangedPath("grown.bin", size=1001, old_size=9),
    ]  # fmt: skip
    assert paths(*changed, covers=("*.bin",), max_bytes=1000) == [
        PathMatch("a.bin", "1,001 bytes, more than 1,000"),
        PathMatch("grown.bin", "1,001 bytes, more than 1,000"),
    ]


def test_languages_narrow_paths_and_learnings_can_be_guarded() -> None:
    found = paths("a.py", "b.go", covers=(), languages=("go",), untouchable=True)
    assert found == [PathMatch("b.go", "changed")]
    assert len(paths(f"{FOLDER}/a.yaml", covers=(f"{FOLDER}/*",), untouchable=True)) == 1


def message(text: str, *, merge: bool = False, **matcher: Any) -> list[MessageMatch]:
    rule = compile_message(learning("message", **matcher))
    return list(rule.matches([CommitMessage("c1", text, merge)]))


def test_a_forbidden_text() -> None:
    assert message("One\r\n\r\nthe WIP here\n", regex=r"\bWIP\b") == [
        MessageMatch("c1", 3, "the WIP here", "found")
    ]
    assert message("WIPED\n", regex=r"\bWIP\b") == []
    assert message("wip\n", regex="^WIP$", ignore_case=True) == [
        MessageMatch("c1", 1, "wip", "found")
    ]


def test_a_required_text() -> None:
    ticket: dict[str, Any] = {"regex": "^Fixes [A-Z]+-[0-9]+$", "required": True}
    assert message("Do\n\nFixes AB-1\n", **ticket) == []
    assert message("Do é\n\nnothing", **ticket) == [
        MessageMatch("c1", 1, "Do é", "lacks ^Fixes [A-Z]+-[0-9]+$")
    ]
    assert message("", **ticket)[0].text == ""


@pytest.mark.parametrize("required", [True, False])
def test_messages_that_git_made_or_will_fold_are_left_alone(required: bool) -> None:
    regex = "absent" if required else "e"
    assert len(message("Me", regex=regex, required=required)) == 1
    assert message("Merge branch 'e'", merge=True, regex=regex, required=required) == []
    for word in ("fixup", "squash", "amend"):
        assert message(f"{word}! Me", regex=regex, required=required) == []


def test_a_revert_is_held_against_what_its_author_wrote() -> None:
    revert = 'Revert "WIP: try AB-1"\n\nThis reverts commit 0123456789.\n'
    assert message(revert, regex="WIP") == []
    assert message(revert + "\nIt was WIP.", regex="WIP")[0].line == 5
    assert message(revert, regex="AB-[0-9]", required=True) == []
    assert len(message(revert, regex="CD-[0-9]", required=True)) == 1


def test_a_hostile_message_takes_no_time() -> None:
    rule = MessageMatcher(learning("message", regex="(a|b)*a(a|b){300}c"))
    assert list(rule.matches([CommitMessage("c1", "ab" * 10_000_000)])) == []


def test_each_kind_has_its_own_way() -> None:
    ways: list[tuple[Callable[[Learning], Any], str]] = [
        (compile_content, "paths"),
        (compile_message, "regex"),
        (compile_paths, "literal"),
    ]
    for compile_, kind in ways:
        with pytest.raises(RuleError, match="is looked for in another way"):
            compile_(learning(kind, untouchable=True))
    with pytest.raises(RuleError, match="no such language: klingon"):
        compile_paths(learning("paths", languages=("klingon",), untouchable=True))
    with pytest.raises(RuleError) as raised:
        compile_message(learning("message", regex="("))
    assert (raised.value.what, raised.value.field) == ("missing ) in (", "regex")
