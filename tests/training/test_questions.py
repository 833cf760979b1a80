"""The questions that the ranker is fitted to are well formed, and about no judged project."""

from collections import Counter
from pathlib import Path

from benchmarks.annotations import read_annotations
from testing.judged import JUDGED

PROJECTS = read_annotations(Path(__file__).parents[2] / "training" / "questions.json")
QUESTIONS = [(project, question) for project in PROJECTS for question in project.questions]


def test_no_project_is_one_of_the_judged() -> None:
    names = [project.name.lower() for project in PROJECTS]
    assert len(set(names)) == len(names) == 60
    assert not set(names) & JUDGED


def test_each_project_is_pinned_and_has_questions_enough() -> None:
    for project in PROJECTS:
        assert len(project.revision) == 40
        assert len(project.questions) >= 18
        texts = [question.text.lower() for question in project.questions]
        assert len(set(texts)) == len(texts)


def test_answers_lie_under_the_root_and_are_few() -> None:
    for project, question in QUESTIONS:
        assert 1 <= len(question.targets) <= 3, question.text
        for target in question.targets:
            assert target.path.startswith(f"{project.root}/" if project.root else ""), question.text


def test_all_kinds_and_languages_are_asked_about() -> None:
    kinds = Counter(question.category for _, question in QUESTIONS)
    assert kinds == {"semantic": 807, "architecture": 295, "symbol": 182}
    assert len({project.language for project in PROJECTS}) == 19
