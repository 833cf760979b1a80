"""What became of the work of an exchange, on histories in which it is known."""

from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.training.model import Reward, Verdict
from testing.conversations import link as link_lines
from testing.linking import commit, link, ran, remember, wrote
from testing.rewards import DAY, OTHER, PARSER, REPORT, Deeds, ran_tests


@pytest.fixture(scope="module")
def begun(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Deeds:
    return Deeds(tmp_path_factory.mktemp("begun"))


@pytest.fixture
def deeds(begun: Deeds, tmp_path: Path) -> Deeds:
    return begun.copied(tmp_path)


def kept(made: Reward) -> tuple[Verdict, int, int, int]:
    return made.verdict, made.linked, made.alive, made.in_substance


def test_lines_that_stay(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER)
    first = deeds.commit(0.1)
    deeds.quiet(4)
    assert deeds.reward() == Reward(
        "s", "e", Verdict.IMPLEMENTED, 0.943, {"alive": 1.0}, 6, 6, 0, (first,), (), 2,
        deeds.repo.head, "2024-03-05T12:00:00Z",
    )  # fmt: skip


def test_too_young_until_commits_and_days_have_passed(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER)
    deeds.commit(0.1)
    deeds.quiet(0.2)  # three commits, no days
    assert deeds.reward().verdict is Verdict.TOO_YOUNG
    commit(deeds.repo, 4 * DAY, {"b": "b\n"})
    assert deeds.reward().verdict is Verdict.IMPLEMENTED
    assert deeds.reward(at="HEAD~1").verdict is Verdict.TOO_YOUNG


def test_days_alone_are_not_enough(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER)
    deeds.commit(0.1)
    deeds.quiet(9, commits=2)
    assert deeds.reward().verdict is Verdict.TOO_YOUNG


def test_a_last_commit_makes_it_young_again(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER)
    deeds.commit(0.1)
    deeds.quiet(4)
    remember(deeds.repo, "s", wrote(4.1 * DAY, "b.py", None, REPORT), exchange="e")
    deeds.commit(4.2, {"b.py": REPORT})
    assert deeds.reward().verdict is Verdict.TOO_YOUNG


def test_a_conversation_whose_clock_is_ahead_of_its_commit(deeds: Deeds) -> None:
    deeds.write("e", 30, "a.py", PARSER)
    first = deeds.commit(0.1)
    link_lines(deeds.repo, first, "a.py", range(1, 7), exchange="e")
    deeds.quiet(40)
    assert kept(deeds.reward()) == (Verdict.IMPLEMENTED, 6, 6, 0)


def test_renamed_files_and_moved_lines(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER + "\n\n" + REPORT)
    deeds.commit(0.1)
    deeds.repo.git("mv", "a.py", "b.py")
    deeds.commit(1)
    deeds.commit(1.5, {"b.py": PARSER, "c.py": "import re\n\n\n" + REPORT}, "divide it")
    deeds.quiet(4)
    made = deeds.reward()
    assert (made.verdict, made.linked, made.alive + made.in_substance) == (
        Verdict.IMPLEMENTED, 12, 12,
    )  # fmt: skip


def test_deleted_soon(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER)
    deeds.commit(0.1)
    deeds.commit(1, {"a.py": "import re\n"})
    deeds.quiet(4)
    assert kept(deeds.reward()) == (Verdict.IGNORED, 6, 0, 0)


def test_what_lived_long_was_no_failure(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER)
    deeds.commit(0.1)
    deeds.quiet(4)
    deeds.commit(5, {"a.py": "import re\n"})
    one = deeds.judged()
    assert (one.evidence.lasted, one.reward.parts) == (6, {"alive": -1.0, "lasted": 1.0})
    assert one.reward.verdict is Verdict.IMPLEMENTED


def test_a_revert_by_its_message(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER)
    first = deeds.commit(0.1)
    revert(deeds, first, 1)
    deeds.quiet(4)
    one = deeds.judged()
    assert kept(one.reward) == (Verdict.IGNORED, 6, 0, 0)
    assert one.reward.parts == {"alive": -1.0, "reverted": -1.0}
    assert list(one.commits.values()) == ["reverted"]


def revert(deeds: Deeds, commit: str, day: float, *options: str) -> str:
    deeds.repo.git("revert", "--no-commit", commit, *options)
    return deeds.commit(day, message=f'Revert "x"\n\nThis reverts commit {commit}.')


def test_a_revert_that_was_reverted(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER)
    back = revert(deeds, deeds.commit(0.1), 1)
    revert(deeds, back, 2)
    deeds.quiet(5)
    made = deeds.reward()
    assert made.verdict is Verdict.IMPLEMENTED
    assert "reverted" not in made.parts


def test_the_inverse_without_a_word(tmp_path: Path) -> None:
    deeds = Deeds(tmp_path, {"a.py": OTHER})
    deeds.write("e", 0, "a.py", PARSER, OTHER)
    deeds.commit(0.1)
    deeds.commit(1, {"a.py": OTHER}, "as it was")
    deeds.quiet(4)
    assert deeds.reward().parts == {"alive": -1.0, "reverted": -1.0}


def test_replaced_by_the_next_attempt(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER)
    deeds.commit(0.1)
    deeds.write("f", 1, "a.py", OTHER, PARSER, session="t")
    second = deeds.commit(1.1)
    deeds.quiet(4)
    one = deeds.judged()
    assert one.reward.replaced_by == (("t", "f"),)
    assert one.reward.verdict is Verdict.IGNORED
    assert one.reward.parts["replaced"] == -1.0
    assert one.commits == {second: "replaced"}
    assert deeds.reward("f").verdict is Verdict.IMPLEMENTED


def test_replaced_before_anybody_committed(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER)
    deeds.write("f", 0.01, "a.py", OTHER, PARSER)
    deeds.commit(0.1)
    deeds.quiet(4)
    one = deeds.judged()
    assert (one.reward.replaced_by, one.evidence.redone) == ((("s", "f"),), 6)
    assert one.reward.parts == {"replaced": -1.0, "never_committed": -1.0}
    assert one.reward.verdict is Verdict.IGNORED
    assert deeds.reward("f").verdict is Verdict.IMPLEMENTED


def test_its_own_second_commit_replaces_nothing(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER)
    deeds.commit(0.1)
    remember(
        deeds.repo, "s", wrote(0, "a.py", None, PARSER, whole=True),
        wrote(0.2 * DAY, "a.py", PARSER, OTHER, whole=True), exchange="e",
    )  # fmt: skip
    deeds.commit(0.3, {"a.py": OTHER})
    deeds.quiet(4)
    assert kept(deeds.reward()) == (Verdict.IMPLEMENTED, 4, 4, 0)


def test_corrected_by_a_person(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER + "\n\n" + REPORT)
    deeds.commit(0.1)
    deeds.commit(1, {"a.py": OTHER + "\n\n" + REPORT}, "by hand")
    deeds.quiet(4)
    one = deeds.judged()
    assert (one.evidence.corrected, one.evidence.alive, one.evidence.linked) == (6, 6, 12)
    assert one.reward.parts["corrected"] == -0.5


def test_only_formatted(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER)
    deeds.commit(0.1)
    formatted = PARSER.replace(
        '        raise ValueError("no header in the stream")\n',
        "        raise ValueError(\n            'no header in the stream',\n        )\n",
    ).replace("(stream, limit)", "(\n    stream,\n    limit,\n)")
    deeds.commit(1, {"a.py": formatted}, "format")
    deeds.quiet(4)
    assert kept(deeds.reward()) == (Verdict.IMPLEMENTED, 6, 4, 2)


def test_only_renamed(deeds: Deeds) -> None:
    deeds.write("e", 0, "a.py", PARSER)
    deeds.commit(0.1)
    renamed = PARSER.replace("raw", "data").replace("fields", "parts").replace("read_", "parse_")
    deeds.commit(1, {"a.py": renamed}, "better names")
    deeds.quiet(4)
    made = deeds.reward()
    assert (made.verdict, made.alive + made.in_substance) == (Verdict.IMPLEMENTED, 6)


def test_never_committed(deeds: Deeds) -> None:
    deeds.write("f", 0, "b.py", REPORT, session="t")
    deeds.write("e", 0.01, "a.py", PARSER)
    (deeds.repo.path / "a.py").unlink()
    deeds.commit(0.1)
    deeds.quiet(4)
    made = deeds.reward()
    assert (made.verdict, made.parts) == (Verdict.IGNORED, {"never_committed": -1.0})


def test_a_missing_link_means_nothing_where_nobody_has_one(deeds: Deeds) -> None:
    deeds.write("e", 0.01, "a.py", PARSER)
    (deeds.repo.path / "a.py").unlink()
    deeds.commit(0.1, {"b": "b\n"})
    deeds.quiet(4)
    made = deeds.reward()
    assert (made.verdict, made.parts, made.score) == (Verdict.UNDECIDED, {}, 0.574)


def test_ignored_files_were_never_to_be_committed(deeds: Deeds) -> None:
    deeds.write("f", 0, "b.py", REPORT, session="t")
    deeds.write("e", 0.01, "build/a.py", PARSER)
    deeds.commit(0.1, {".gitignore": "build/\n"})
    deeds.quiet(4)
    assert deeds.reward().verdict is Verdict.UNDECIDED


def test_lines_that_are_there_without_a_link(deeds: Deeds) -> None:
    """The link is missing, not the work."""
    deeds.write("f", 0, "b.py", REPORT, session="t")
    deeds.commit(0.1)
    commit(deeds.repo, 0.2 * DAY, {"a.py": PARSER})
    deeds.quiet(4)
    remember(deeds.repo, "s", wrote(0.15 * DAY, "a.py", None, PARSER), exchange="e")
    assert deeds.reward().verdict is Verdict.UNDECIDED


def test_a_branch_that_nobody_merged(deeds: Deeds) -> None:
    deeds.repo.git("checkout", "-q", "-b", "topic")
    deeds.write("e", 0, "a.py", PARSER)
    deeds.commit(0.1)
    deeds.repo.git("checkout", "-q", "main")
    deeds.quiet(4)
    made = deeds.reward()
    assert (made.verdict, made.linked) == (Verdict.UNDECIDED, 0)


def test_a_squashed_branch(deeds: Deeds) -> None:
    deeds.repo.git("checkout", "-q", "-b", "topic")
    deeds.write("e", 0, "a.py", PARSER)
    deeds.commit(0.1)
    deeds.write("f", 0.2, "b.py", REPORT)
    deeds.commit(0.3)
    deeds.repo.git("checkout", "-q", "main")
    deeds.repo.git("merge", "-q", "--squash", "topic")
    deeds.commit(1, message="the topic")
    deeds.quiet(4)
    assert [kept(deeds.reward(name))[:3] for name in "ef"] == [
        (Verdict.IMPLEMENTED, 6, 6), (Verdict.IMPLEMENTED, 4, 4),
    ]  # fmt: skip


def test_amended_and_rebased(deeds: Deeds) -> None:
    deeds.repo.git("config", "notes.rewriteRef", "refs/notes/skillmesh")
    deeds.repo.git("checkout", "-q", "-b", "topic")
    deeds.write("e", 0, "a.py", PARSER)
    deeds.commit(0.1)
    deeds.repo.git("commit", "-q", "--amend", "-m", "said better")
    link(deeds.repo)
    deeds.repo.git("checkout", "-q", "main")
    deeds.quiet(1, commits=1)
    deeds.repo.git("rebase", "-q", "main", "topic")
    link(deeds.repo)
    deeds.quiet(4)
    assert kept(deeds.reward()) == (Verdict.IMPLEMENTED, 6, 6, 0)


def test_what_only_took_lines_away_is_not_judged(tmp_path: Path) -> None:
    deeds = Deeds(tmp_path, {"a.py": PARSER + REPORT})
    deeds.write("e", 0, "a.py", PARSER, PARSER + REPORT)
    deeds.commit(0.1)
    deeds.quiet(4)
    assert kept(deeds.reward()) == (Verdict.UNDECIDED, 0, 0, 0)


def test_without_edits_nothing_is_judged(deeds: Deeds) -> None:
    remember(deeds.repo, "s", ran(0, "ls"), exchange="e")
    deeds.quiet(4)
    assert deeds.outcome().judged == {}


@pytest.mark.parametrize(
    ("runs", "part"),
    [
        ([(-0.01, "1 failed in 0.1s"), (0.01, "3 passed in 0.1s")], 1.0),
        ([(0.01, "3 passed in 0.1s")], 0.5),
        ([(0.01, "1 failed in 0.1s")], -1.0),
        ([(-0.01, "1 failed in 0.1s")], None),
        ([(0.01, "ok")], None),
    ],
)
def test_tests(deeds: Deeds, runs: list[tuple[float, str]], part: float | None) -> None:
    deeds.repo.write("a.py", PARSER)
    calls = [ran_tests(day, output) for day, output in runs]
    edit = wrote(0, "a.py", None, PARSER, whole=True)
    ordered = sorted([*calls, edit], key=lambda call: call.time)
    remember(deeds.repo, "s", *ordered, exchange="e")
    deeds.commit(0.1)
    deeds.quiet(4)
    assert deeds.reward().parts.get("tests") == part


def test_what_a_person_changed_before_it_was_saved(deeds: Deeds) -> None:
    """Of six lines that the agent proposed, two came into the commit as it wrote them."""
    call = wrote(0, "a.py", None, PARSER)
    edit = replace(call.edits[0], amended=True)
    remember(deeds.repo, "s", replace(call, edits=(edit,)), exchange="e")
    lines = PARSER.splitlines(keepends=True)
    theirs = [
        "    header = take(stream, 3)\n",
        "    verify(header)\n",
        "    return decode(header)\n",
    ]
    deeds.commit(0.1, {"a.py": "".join(lines[:2] + theirs)})
    deeds.quiet(4)
    one = deeds.judged()
    assert (one.evidence.written, one.evidence.linked, one.evidence.amended) == (6, 2, 4)
    assert one.reward.parts == {"alive": 1.0, "corrected": -0.667}
