"""What a change brings in: base subtracted, added lines only, renames followed, excuses heeded."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from git_skillmesh.gate import introduced as module
from git_skillmesh.gate.change import staged
from git_skillmesh.gate.introduced import Introduced, introduced
from git_skillmesh.gate.model import NO_REASON, UNUSED, Unchecked
from git_skillmesh.gate.rules import Rules
from git_skillmesh.git.objects import BlobReader
from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.model import Learning, Matcher, MatcherKind, Scope, State
from testing.learnings import literal, made, syntax
from testing.repos import Repo, make_repo

PRINT = literal("no-print", "print(")
OLD = "import x\n\nprint(1)\n\ndef f():\n    return 1\n"


def look(repo: Repo, *learnings: Learning, known: frozenset[str] = frozenset()) -> Introduced:
    repo.git("add", "--all")
    change = staged(discover(repo.path), {})
    with BlobReader(change.repository) as reader:
        return introduced(Rules(learnings), change.files, reader.read, known=known)


def places(found: Introduced) -> list[tuple[str, str, int]]:
    return [(one.learning_id, one.place.path, one.place.line) for one in found.findings]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, files={"a.py": OLD})


def test_only_what_is_new_is_found(repo: Repo) -> None:
    repo.write("a.py", OLD + "print(2)\n")
    repo.write("new.py", "print(3)\n")
    found = look(repo, PRINT)
    assert places(found) == [("no-print", "a.py", 7), ("no-print", "new.py", 1)]
    one = found.findings[0]
    assert (one.text, one.message, one.place.column, one.place.end_column) == (
        "print(2)", "About no-print", 1, 7
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "import x\n\ndef f():\n    return 1\n\nprint(1)\n",
        "import x\n\nif x:\n    print(1)\n\ndef f():\n    return 1\n",
        OLD.replace("\n", "\r\n"),
        OLD.replace("print(1)", "print(1)   "),
        OLD.removesuffix("\n"),
        "# new\n" * 30 + OLD,
    ],
    ids=["moved", "indented", "line ends", "spaces at the end", "no last line feed", "pushed down"],
)
def test_what_was_there_is_not_new(repo: Repo, text: str) -> None:
    repo.write("a.py", text)
    assert places(look(repo, PRINT)) == []


def test_a_second_copy_is_new(repo: Repo) -> None:
    repo.write("a.py", "print(1)\n" + OLD)
    assert places(look(repo, PRINT)) == [("no-print", "a.py", 1)]


def test_a_rename_brings_in_nothing_but_what_it_adds(repo: Repo) -> None:
    (repo.path / "a.py").rename(repo.path / "b.py")
    assert places(look(repo, PRINT)) == []
    repo.write("b.py", OLD + "print(2)\n")
    assert places(look(repo, PRINT)) == [("no-print", "b.py", 7)]


def test_a_match_around_a_changed_line_is_new_only_if_it_began_elsewhere(repo: Repo) -> None:
    rule = syntax(
        "no-eval", {"kind": "function_definition", "has": {"pattern": "eval($A)", "stopBy": "end"}}
    )
    text = "def f():\n    eval(1)\n    return 1\n"
    repo.commit("first", {"b.py": text})
    repo.write("b.py", text.replace("return 1", "return 2"))
    assert places(look(repo, rule)) == []
    repo.write("b.py", text + "\ndef g():\n    return eval(2)\n")
    assert places(look(repo, rule)) == [("no-eval", "b.py", 5)]
    repo.commit("second", {"b.py": "def f():\n    return 1\n"})
    repo.write("b.py", text)
    assert places(look(repo, rule)) == [("no-eval", "b.py", 1)]


def test_a_match_over_several_lines(repo: Repo) -> None:
    matcher = Matcher(MatcherKind.REGEX, scope=Scope.FILE, regex=r"try:\n\s+pass")
    rule = made("empty-try", matcher, State.WARN)
    repo.commit("first", {"b.py": "try:\n    run()\n"})
    repo.write("b.py", "try:\n    pass\n")
    assert places(look(repo, rule)) == [("empty-try", "b.py", 1)]


def test_an_excuse_needs_a_reason_and_something_to_excuse(repo: Repo) -> None:
    lines = [
        "print(2)  # skillmesh: ignore[no-print] shown to people",
        "# skillmesh: ignore[no-print]",
        "print(3)",
        "x = 1  # skillmesh: ignore[no-print] nothing here",
        "y = 1  # skillmesh: ignore[unheard-of] nobody",
        "z = 1  # skillmesh: ignore[to-come] later",
    ]
    repo.write("new.py", "".join(f"{line}\n" for line in lines))
    found = look(repo, PRINT, known=frozenset({"to-come"}))
    assert [(one.finding.place.line, one.reason) for one in found.suppressed] == [
        (1, "shown to people")
    ]
    assert [(one.learning_id, one.place.line, one.message) for one in found.findings] == [
        ("no-print", 3, "About no-print"),
        (NO_REASON, 2, "say why no-print does not hold here; it counts only with a reason"),
        (UNUSED, 4, "no-print finds nothing here"),
        (UNUSED, 5, "unheard-of finds nothing here"),
    ]
    assert [one.blocks for one in found.findings] == [True, False, False, False]


def test_excuses_that_were_there_are_not_judged(repo: Repo) -> None:
    repo.commit("first", {"b.py": "x = 1  # skillmesh: ignore[no-print] nothing\n"})
    repo.write("b.py", "x = 1  # skillmesh: ignore[no-print] nothing\ny = 1\n")
    assert places(look(repo, PRINT)) == []


def test_of_a_moved_and_a_new_line_the_one_without_an_excuse_is_new(repo: Repo) -> None:
    excused = "# skillmesh: ignore[no-print] shown\nprint(9)\n"
    repo.commit("first", {"b.py": f"{excused}a = 1\nb = 2\nc = 3\nd = 4\n"})
    repo.write("b.py", f"a = 1\nb = 2\nc = 3\nprint(9)\nd = 4\n{excused}")
    found = look(repo, PRINT)
    assert places(found) == [("no-print", "b.py", 4)]
    assert found.suppressed == []


def test_fingerprints_hold_while_other_lines_move(repo: Repo) -> None:
    def marks(text: str) -> list[str]:
        repo.write("b.py", text)
        return [one.fingerprint for one in look(repo, PRINT).findings]

    first = marks("print(2)\nx = 1\nprint(2)\n")
    assert len(set(first)) == 2
    assert marks("# more\n\nprint( 2)\n  print(2)\nx = 2\n    print(2)\n")[1:] == first
    assert first == [
        hashlib.sha256(f"no-print\0b.py\0print(2)\0{n}".encode()).hexdigest() for n in (0, 1)
    ]


def test_rules_about_paths(repo: Repo) -> None:
    def rule(name: str, paths: Sequence[str], **fields: object) -> Learning:
        return made(name, Matcher(MatcherKind.PATHS, **fields), State.BLOCK, paths=tuple(paths))  # type: ignore[arg-type]

    rules = (
        rule("frozen", ["a.py"], untouchable=True),
        rule("with-docs", ["*.py"], accompany=("docs/*.md",)),
        rule("small", ["*.bin"], max_bytes=3),
    )
    (repo.path / "a.py").chmod(0o755)
    repo.write("x.bin", b"\0\0\0\0")
    found = look(repo, *rules)
    assert [(one.learning_id, one.place.path, one.place.line, one.message) for one in
            found.findings] == [
        ("frozen", "a.py", 0, "changed"),
        ("with-docs", "a.py", 0, "changed without docs/*.md"),
        ("small", "x.bin", 0, "4 bytes, more than 3"),
    ]  # fmt: skip


def test_a_submodule_and_a_link_count_for_paths_only(repo: Repo, tmp_path: Path) -> None:
    other = make_repo(tmp_path, "other", files={"p.py": "print(1)\n"})
    repo.submodule(other, "sub")
    (repo.path / "sub").joinpath("p.py").write_text("print(2)\n")
    repo.git("-C", "sub", "commit", "-qam", "next")
    (repo.path / "print(").symlink_to("print(1)")
    frozen = made("frozen", Matcher(MatcherKind.PATHS, untouchable=True), State.BLOCK,
                  paths=("sub", "print(*"))  # fmt: skip
    assert places(look(repo, frozen, PRINT)) == [("frozen", "print(", 0), ("frozen", "sub", 0)]


def test_what_cannot_be_looked_at_is_told(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 1000)
    python = literal("in-python", "print(", languages=("python",))
    repo.write("nul.py", b"print(1)\n\0")
    repo.write("picture.png", b"\x89PNG\0print(")
    repo.write("large.py", "print(1)\n" * 200)
    repo.write("latin.py", b"print('\xe9')\n")
    found = look(repo, python, PRINT)
    assert found.unchecked == [
        Unchecked("large.py", "larger than 0 MB"),
        Unchecked("nul.py", "binary"),
    ]
    assert places(found) == [("in-python", "latin.py", 1), ("no-print", "latin.py", 1)]


def test_a_broken_rule_stops_no_other(repo: Repo) -> None:
    repo.write("a.py", OLD + "print(2)\n")
    broken = made("broken", Matcher(MatcherKind.REGEX, regex="("), State.BLOCK)
    rules = Rules([broken, PRINT])
    repo.git("add", "--all")
    change = staged(discover(repo.path), {})
    with BlobReader(change.repository) as reader:
        found = introduced(rules, change.files, reader.read)
    assert places(found) == [("no-print", "a.py", 7)]
    assert [str(one) for one in rules.broken.values()] == [
        ".skillmesh/learnings/broken.yaml:1: missing ) in ("
    ]


def test_more_findings_than_a_matcher_gives(repo: Repo) -> None:
    repo.write("b.py", "print(1)\n" * 30_000)
    found = look(repo, PRINT)
    assert len(found.findings) == 10_000
    assert found.unchecked == [Unchecked("b.py", "more than 10,000 matches", "no-print")]
