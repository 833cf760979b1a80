"""What must hold for any change: nothing is invented, nothing is lost.

Real git: each example is a few commits made by one `git fast-import`, checked in this process.
"""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.gate import change
from git_skillmesh.gate.introduced import introduced
from git_skillmesh.gate.model import Finding
from git_skillmesh.gate.needles import needles_of
from git_skillmesh.gate.rules import Rules
from git_skillmesh.git.objects import BlobReader
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.learnings.model import Matcher, MatcherKind, Scope, State
from testing.examples import examples
from testing.learnings import literal, made
from testing.repos import Repo, make_repo

RULES = (
    literal("no-print", "print("),
    made("no-eval", Matcher(MatcherKind.REGEX, regex=r"\beval\s*\("), State.WARN),
    made("pair", Matcher(MatcherKind.REGEX, scope=Scope.FILE, regex=r"open\n\s*shut"), State.WARN),
)
LINES = st.sampled_from(
    ["a = 1", "b = 2", "print(1)", "print(2)", "  print(1)", "eval (x)", "open", "shut", "", "}"]
)
TEXTS = st.lists(LINES, max_size=12).map(lambda lines: "".join(f"{one}\n" for one in lines))
FEW = settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
Tree = Mapping[str, str]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, files={})


def commits(repo: Repo, *trees: Tree) -> list[str]:
    """Make commits, each the child of the one before, and return their ids."""
    script = []
    for number, tree in enumerate(trees, 1):
        script.append(f"commit refs/heads/made\nmark :{number}\ncommitter a <a@b> {number} +0000")
        script.append(f"data 1\nx\n{f'from :{number - 1}' if number > 1 else ''}\ndeleteall")
        for path, text in tree.items():
            script.append(f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}")
    marks = repo.path / "marks"
    repo.git("fast-import", "--quiet", "--force", f"--export-marks={marks}",
             stdin="\n".join(script).replace("\n\ndeleteall", "\ndeleteall") + "\n")  # fmt: skip
    found = dict(line.split() for line in marks.read_text().splitlines())
    return [found[f":{number}"] for number in range(1, len(trees) + 1)]


@cache
def discovered(path: Path) -> Repository:
    return discover(path)


def found_between(repo: Repo, base: str, head: str) -> list[Finding]:
    here = discovered(repo.path)
    asked = change.between(here, base, head)
    with BlobReader(here) as reader:
        return introduced(Rules(RULES), asked.files, reader.read).findings


def keys(findings: list[Finding]) -> Counter[tuple[str, str]]:
    return Counter((one.learning_id, " ".join(one.text.split())) for one in findings)


def added_by_git(repo: Repo, base: str, head: str) -> set[tuple[str, int]]:
    """Return the added lines as `git diff` shows them to people."""
    added: set[tuple[str, int]] = set()
    path = ""
    for line in repo.git("diff", "-U0", "-M", base, head).splitlines():
        if line.startswith("+++ b/"):
            path = line[6:]
        elif hunk := re.match(r"@@ .* \+(\d+)(?:,(\d+))? @@", line):
            first, count = int(hunk[1]), int(hunk[2] or 1)
            added |= {(path, number) for number in range(first, first + count)}
    return added


@FEW
@given(old=TEXTS, new=TEXTS)
def test_no_line_is_reported_that_the_change_did_not_add(repo: Repo, old: str, new: str) -> None:
    base, head = commits(repo, {"a.py": old}, {"a.py": new})
    found = found_between(repo, base, head)
    added = added_by_git(repo, base, head)
    for one in found:
        lines = range(one.place.line, one.place.end_line + 1)
        assert any((one.place.path, number) in added for number in lines)
    # And what is new in the sense of counting is never lost.
    for name, text in (("no-print", "print(1)"), ("no-print", "print(2)"), ("no-eval", "eval (x)")):
        before, after = (
            sum(line.strip() == text for line in side.splitlines()) for side in (old, new)
        )
        assert keys(found)[name, text] == max(after - before, 0)


@FEW
@given(old=TEXTS, new=TEXTS, above=st.integers(0, 5), below=st.integers(0, 5))
def test_unrelated_lines_change_nothing(
    repo: Repo, old: str, new: str, above: int, below: int
) -> None:
    padded = "# above\n" * above + new + "# below\n" * below
    base, *heads = commits(repo, {"a.py": old}, {"a.py": new}, {"a.py": padded})
    plain, moved = (found_between(repo, base, head) for head in heads)
    single = [one for one in plain if one.learning_id != "pair"]
    assert keys([one for one in moved if one.learning_id != "pair"]) == keys(single)
    assert {one.fingerprint for one in moved if one.place.line == one.place.end_line} == {
        one.fingerprint for one in single
    }


@FEW
@given(old=TEXTS, new=TEXTS)
def test_a_rename_changes_nothing(repo: Repo, old: str, new: str) -> None:
    same = "".join(f"this stays {n}\n" for n in range(40))
    before, after = same + old, same + new
    base, *heads = commits(repo, {"a.py": before}, {"a.py": after}, {"deep/b.py": after})
    stayed, renamed = (found_between(repo, base, head) for head in heads)
    assert keys(renamed) == keys(stayed)
    assert {one.place.line for one in renamed} == {one.place.line for one in stayed}


@FEW
@given(old=TEXTS, new=TEXTS, other=TEXTS)
def test_a_rebase_changes_nothing(repo: Repo, old: str, new: str, other: str) -> None:
    sides = {"a.py": old}, {"a.py": new}
    base, head, *rebased = commits(repo, *sides, *({**side, "b.py": other} for side in sides))
    here, there = found_between(repo, base, head), found_between(repo, *rebased)
    if here and other != old:
        assert [one.fingerprint for one in there] == [one.fingerprint for one in here]
    assert keys(there) == keys(here)


# Lines that git can tell apart, so that what two sides add stays where each put it.
def marked(side: str) -> st.SearchStrategy[str]:
    return st.lists(LINES, max_size=4).map(
        lambda lines: "".join(f"{one}  # {side} {n}\n" for n, one in enumerate(lines))
    )


@settings(FEW, max_examples=examples(12))
@given(
    kept=st.lists(LINES, max_size=6),
    steps=st.lists(marked("mine"), min_size=1, max_size=2),
    theirs=marked("theirs"),
    above=st.booleans(),
)
def test_what_git_rebase_makes_has_the_same_findings(
    repo: Repo, kept: list[str], steps: list[str], theirs: str, above: bool
) -> None:
    """The commits of a branch, replayed by git itself on a base that changed the same file."""
    fence = "".join(f"fence {n}\n" for n in range(8))
    middle = fence + "".join(f"{one}\n" for one in kept) + fence
    grown = ["".join(steps[: n + 1]) for n in range(len(steps))]
    old, *mine = commits(
        repo, {"a.py": middle}, *({"a.py": middle + text, "new.py": text} for text in grown)
    )
    (base,) = commits(repo, {"a.py": theirs + middle if above else middle, "other.py": theirs})
    # The base's commit is a root of its own; the branch must descend from a common one.
    base = repo.git("commit-tree", f"{base}^{{tree}}", "-p", old, "-m", "theirs")
    before = found_between(repo, old, mine[-1])
    repo.git("checkout", "--quiet", "--detach", "--force", mine[-1])
    repo.git("rebase", "--quiet", "--onto", base, old)
    after = found_between(repo, base, "HEAD")
    assert repo.git("show", "HEAD:a.py") + "\n" == (theirs if above else "") + middle + grown[-1]
    assert [one.fingerprint for one in after] == [one.fingerprint for one in before]
    assert keys(after) == keys(before)


@settings(max_examples=examples(100), deadline=None)
@given(
    pattern=st.text("abcK(){}[]|*+?.\\dsé$^ 1,:iU-", max_size=14),
    text=st.text("abcKké(){}[] 1,:iU-\n", max_size=30),
    ignore_case=st.booleans(),
)
def test_what_a_rule_finds_has_its_needles(pattern: str, text: str, ignore_case: bool) -> None:
    from git_skillmesh.gate.matchers.compiling import compile_content
    from git_skillmesh.gate.matchers.model import RuleError, TextFile

    matcher = Matcher(MatcherKind.REGEX, regex=pattern, ignore_case=ignore_case)
    learning = made("x", matcher, State.WARN)
    needles = needles_of(learning)
    try:
        matches = list(compile_content(learning).matches(TextFile("a", text.encode())))
    except RuleError:
        return
    if matches:
        searched = text.lower() if ignore_case else text
        assert all(needle in searched for needle in needles)
