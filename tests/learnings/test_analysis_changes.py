"""What exchanges did to code: lines taken back, tests that failed and then passed."""

from git_skillmesh.learnings.analysis_changes import Thread, digest, is_code, redid_enough
from git_skillmesh.learnings.candidates import Change
from testing.corrections import HTTPX, PATH, REQUESTS, edit, run_of_tests, said


def test_lines_that_a_later_exchange_takes_back_are_counted() -> None:
    thread = Thread()
    first = thread.take(said(1, "Fetch scans.", edit(1, "", REQUESTS)))
    assert (first.redone, first.undid, first.edited) == (0, (), True)
    assert thread.follows_edit
    second = thread.take(said(2, "No.", edit(2, REQUESTS, HTTPX)))
    assert (second.redone, second.undid) == (2, ("s-1",))
    assert second.changes == (
        Change(PATH, ("import requests",), ("import httpx",), 1),
        Change(
            PATH,
            ("    return requests.get(url).json()",),
            ("    return httpx.get(url).json()",),
            5,
        ),
    )
    assert second.removed == {
        PATH: (digest("import requests"), digest("return requests.get(url).json()"))
    }
    assert not redid_enough(second)


def test_moving_a_line_takes_nothing_back() -> None:
    thread = Thread()
    thread.take(said(1, "A.", edit(1, "", "one_line = 1\ntwo_lines = 2\n")))
    moved = thread.take(
        said(2, "B.", edit(2, "one_line = 1\ntwo_lines = 2\n", "  one_line = 1\ntwo_lines = 2\n"))
    )
    assert moved.redone == 0


def test_texts_about_code_are_written_again_all_the_time() -> None:
    thread = Thread()
    thread.take(said(1, "Plan.", edit(1, "", "the first plan\n", "PLAN.md")))
    again = thread.take(said(2, "Plan.", edit(2, "the first plan\n", "another plan\n", "PLAN.md")))
    assert again.redone == 0
    assert [is_code(path) for path in ("a.py", "a.md", "a.json", "LICENSE")] == [
        True, False, False, False,
    ]  # fmt: skip


def test_a_fix_is_failing_tests_then_an_edit_then_passing_tests() -> None:
    failed, passed = run_of_tests(1, passed=False), run_of_tests(2, passed=True)
    change = edit(3, REQUESTS, HTTPX)
    assert Thread().take(said(1, "Fix.", failed, change, passed)).fixed
    assert not Thread().take(said(1, "Fix.", change, passed)).fixed
    assert not Thread().take(said(1, "Fix.", failed, passed)).fixed
    assert not Thread().take(said(1, "Fix.", passed, change, failed)).fixed
    thread = Thread()
    assert not thread.take(said(1, "Run them.", failed)).fixed
    assert thread.take(said(2, "Fix.", change, passed)).fixed


def test_files_outside_of_the_repository_are_nobody_s_lines() -> None:
    work = Thread().take(said(1, "Note.", edit(1, "", "a_note = 1\n", "/home/x/notes.py")))
    assert (work.edited, work.written, work.paths) == (False, {}, ())


def test_a_digest_does_not_depend_on_spaces() -> None:
    assert digest("a = 1") == digest("  a=1\n") != digest("a = 2")
    assert len(digest("\ud800")) == 12
