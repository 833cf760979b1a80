"""Which past exchanges are like a prompt."""

from git_skillmesh.briefing.alike import LEAST_LIKENESS, most_alike
from git_skillmesh.briefing.prompts import read_prompt
from git_skillmesh.index.glance import Past


def past(number: int, asked: str, *paths: str, title: str = "") -> Past:
    return Past(f"s{number}", f"e{number}", "codex", "2026-01-01", title, asked, paths)


MANY = [
    past(1, "Retry the depot when scans are lost", "src/tracking.py"),
    past(2, "Wrap addresses of labels to their printed width"),
    past(3, "Rotate the dumps of the database every week"),
    past(4, "Colours of the login page"),
]


def test_the_same_in_other_words_is_found() -> None:
    prompt = read_prompt("When a depot loses scans we should retry")
    found = most_alike(prompt, MANY)
    assert [one.past.session for one in found] == ["s1"]
    assert found[0].likeness >= LEAST_LIKENESS
    assert found[0].shared == ("depot", "retri", "scan")


def test_a_word_or_two_in_common_are_not_enough() -> None:
    assert most_alike(read_prompt("the depot has a new login and other scans"), MANY) == []
    assert most_alike(read_prompt("retry depot"), MANY) == []
    assert most_alike(read_prompt("retry the depot scans"), []) == []


def test_each_session_counts_once_with_its_best() -> None:
    twice = [*MANY, Past("s1", "again", "codex", "", "", "Retry the depot: scans are lost", ())]
    found = most_alike(read_prompt("retry the depot when scans are lost"), twice)
    assert [(one.past.session, one.past.exchange) for one in found] == [("s1", "again")]
