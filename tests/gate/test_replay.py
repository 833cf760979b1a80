"""A replay says of each commit what the gate would have said of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.gate.introduced import introduced
from git_skillmesh.gate.matchers.model import RuleError
from git_skillmesh.gate.model import Finding
from git_skillmesh.gate.past import Window, past_commits
from git_skillmesh.gate.replay import replay
from git_skillmesh.gate.rules import Rules
from git_skillmesh.git.changes import tree_changes
from git_skillmesh.git.objects import BlobReader
from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.model import Learning, Matcher, MatcherKind
from testing.pasts import CHANGELOG, LEARNINGS, PRINTED, TIMEOUT, UNFINISHED, Past
from testing.repos import Repo

LARGE = Learning("large", "Small files", "x", Matcher(MatcherKind.PATHS, max_bytes=40))
TWO_LINES = Learning(
    "two-lines", "x", "x", Matcher(MatcherKind.REGEX, scope=TIMEOUT.matcher.scope, regex="b$")
)


def findings_of_the_gate(repo: Repo, learnings: Sequence[Learning]) -> "dict[str, list[Finding]]":
    """Ask the check's own question of each commit and its first parent."""
    repository = discover(repo.path)
    found = {}
    with BlobReader(repository) as reader:
        for commit in past_commits(repository, Window()):
            base = commit.parents[0] if commit.parents else repository.empty_tree
            files = tree_changes(repository, base, commit.oid)
            said = introduced(Rules(learnings), files, reader.read)
            found[commit.oid] = sorted(said.findings, key=lambda f: f.fingerprint)
    return found


def findings_of_a_replay(repo: Repo, learnings: Sequence[Learning]) -> "dict[str, list[Finding]]":
    repository = discover(repo.path)
    return {
        commit.oid: sorted(
            (each for one in fired.values() for each in one.findings), key=lambda f: f.fingerprint
        )
        for commit, fired in replay(repository, learnings, past_commits(repository, Window()))
    }


def fired(
    repo: Repo, learnings: Sequence[Learning] = LEARNINGS, *, first_parent: bool = False
) -> list[str]:
    """Return what fires where, oldest first."""
    repository = discover(repo.path)
    past = past_commits(repository, Window(first_parent=first_parent))
    return [
        f"{commit.subject}: {learnings[place].learning_id}"
        + "".join(f" {f.place.path}:{f.place.line}" for f in each.findings if f.place.path)
        for commit, found in replay(repository, learnings, past, first_parent=first_parent)
        for place, each in found.items()
    ][::-1]


def test_each_kind_fires_where_it_is_brought_in(tmp_path: Path) -> None:
    past = Past(tmp_path)
    past.commit(9, {"src/a.py": "x = requests.get(u)\n"}, "add")
    past.commit(8, {"src/a.py": "x = requests.get(u)\nprint(1)\n"}, "wip: print")
    past.commit(7, {"src/a.py": "# top\nx = requests.get(u)\nprint(1)\n"}, "move")
    past.commit(6, {"src/a.py": "", "CHANGES.md": "x\n"}, "empty")
    assert fired(past.repo) == [
        "add: changelog src/a.py:0",
        "add: timeout src/a.py:1",
        "wip: print: unfinished",
        "wip: print: changelog src/a.py:0",
        "wip: print: printed src/a.py:2",
        "move: changelog src/a.py:0",
    ]


def test_attributes_of_the_time_hide_nothing(tmp_path: Path) -> None:
    past = Past(tmp_path)
    past.commit(9, {".gitattributes": "*.py binary -diff\n", "a.py": "x\n"}, "attributes")
    past.commit(8, {"a.py": "requests.get(u)\n"}, "add")
    assert fired(past.repo) == ["add: timeout a.py:1"]


def test_a_script_without_an_extension_has_the_language_of_its_first_line(tmp_path: Path) -> None:
    past = Past(tmp_path)
    past.commit(9, {"run": "#!/usr/bin/env python3\nrequests.get(u)\n", "text": "requests.get(u)"})
    assert fired(past.repo) == ["change: timeout run:2"]


def test_merges_count_only_as_what_was_merged(tmp_path: Path) -> None:
    past = Past(tmp_path)
    repo = past.repo
    past.commit(9, {"a.py": "x\n"}, "first")
    repo.git("checkout", "--quiet", "-b", "side")
    past.commit(8, {"b.py": "requests.get(u)\n"}, "on a branch")
    past.commit(7, {"b.py": "requests.get(u, timeout=1)\n"}, "mended on the branch")
    past.commit(7, {"c.py": "print(1)\n"}, "another one")
    repo.git("checkout", "--quiet", "main")
    past.commit(6, {"a.py": "x\ny\n"}, "main")
    past.on(5, "merge", "--quiet", "--no-ff", "-m", "merge it", "side")
    assert fired(repo) == ["on a branch: timeout b.py:1", "another one: printed c.py:1"]
    assert fired(repo, first_parent=True) == ["merge it: printed c.py:1"]


def test_a_rule_that_cannot_be_built_is_named(tmp_path: Path) -> None:
    past = Past(tmp_path)
    past.commit(9, {"a.py": "x\n"})
    broken = Learning("broken", "x", "x", Matcher(MatcherKind.REGEX, regex="("))
    with pytest.raises(RuleError, match=r"missing \)"):
        fired(past.repo, [TIMEOUT, broken])


def test_a_commit_whose_files_are_not_here_is_left_out(tmp_path: Path) -> None:
    past = Past(tmp_path)
    past.commit(9, {"a.py": "requests.get(u)\n"}, "first")
    past.commit(8, {"a.py": "requests.get(v)\n"}, "second")
    # git would take the file of the working tree for the blob.
    past.commit(7, {"b.py": "requests.get(w)\n", "a.py": None}, "third")
    past.commit(6, {"a.py": "requests.get(u)\n"}, "fourth")
    blob = past.repo.git("rev-parse", "HEAD~2:a.py")
    (past.repo.git_dir / "objects" / blob[:2] / blob[2:]).unlink()
    repository = discover(past.repo.path)
    said = replay(repository, [TIMEOUT], past_commits(repository, Window()))
    assert [(commit.subject, len(found)) for commit, found in said] == [
        ("fourth", 1),
        ("first", 1),
    ]


_TEXTS = (
    "requests.get(u)\n", "requests.get(u)  # again\n", "print(1)\n", "print(\n    2,\n)\n",
    "x = 1\n", "    requests.get(u)\n", "bb\n",
)  # fmt: skip
_FILE = st.lists(st.sampled_from(_TEXTS), max_size=6).map("".join)
_NAMES = st.sampled_from(("src/a.py", "b.py", "c.txt"))
_STEP = st.tuples(
    st.dictionaries(_NAMES, _FILE | st.none(), max_size=2),
    st.none() | st.tuples(_NAMES, st.sampled_from(("d.py", "src/e.py"))),
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(_STEP, min_size=2, max_size=5))
def test_a_replay_says_what_the_gate_says(
    tmp_path_factory: pytest.TempPathFactory,
    steps: "list[tuple[Mapping[str, str | None], tuple[str, str] | None]]",
) -> None:
    past = Past(tmp_path_factory.mktemp("past"))
    for number, (files, move) in enumerate(steps):
        there = {
            name: text
            for name, text in files.items()
            if text is not None or (past.repo.path / name).exists()
        }
        if move and (past.repo.path / move[0]).exists():
            (past.repo.path / "src").mkdir(exist_ok=True)
            (past.repo.path / move[0]).rename(past.repo.path / move[1])
            there.pop(move[0], None)
        past.commit(20 - number, there)
    learnings = (TIMEOUT, PRINTED, CHANGELOG, LARGE, TWO_LINES)
    expected = findings_of_the_gate(past.repo, learnings)
    assert findings_of_a_replay(past.repo, learnings) == expected


def test_messages_are_told_apart(tmp_path: Path) -> None:
    past = Past(tmp_path)
    for message in ("WIP", "wiping", "say\n\nwip", "fixup! wip", 'Revert "wip"'):
        past.commit(3, {}, message)
    assert fired(past.repo, [UNFINISHED]) == ["WIP: unfinished"]
