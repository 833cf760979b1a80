"""What counts as one word."""

import pytest

from git_skillmesh.registry.words import asked, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("scikit-learn", {"scikit", "learn", "scikitlearn"}),
        ("Next.js", {"next", "js", "nextj"}),
        ("C++ and C#", {"c++", "and", "c#"}),
        ("S3", {"s3"}),
        ("OAuth2.0", {"auth", "oauth20"}),
        ("useEffect", {"use", "effect", "useeffect"}),
        ("CI/CD", {"ci", "cd", "cicd"}),
        (".NET", {"dotnet"}),
        ("façade, naïve", {"facad", "naiv"}),
        ("\uff21\uff37\uff33 ﬁle", {"aw", "file"}),
        ("modelling behaviour, optimised", {"model", "behavior", "optim"}),
        ("user's don't", {"user", "dont"}),
        ("", set()),
        ("… — !!", set()),
    ],
)
def test_terms(text: str, expected: set[str]) -> None:
    assert set(terms(text)) == expected


def test_a_name_is_found_however_it_is_written() -> None:
    for one, other in (
        ("scikit-learn", "scikitlearn"),
        ("next.js", "NextJS"),
        ("node.js", "nodejs"),
        ("utf-8", "UTF8"),
        ("S3", "s3"),
        ("C++", "c++"),
    ):
        assert set(terms(one)) & set(terms(other)), (one, other)


def test_a_question_keeps_its_telling_words() -> None:
    assert [word.term for word in asked("How do I label the bars, please?")] == ["label", "bar"]
    assert [word.term for word in asked("how do I")] == ["how", "do", "i"]
    assert asked("") == []


def test_abbreviations_have_other_names() -> None:
    (word,) = asked("k8s")
    assert (word.term, word.others) == ("k8s", ("kube", "kubernet"))


def test_words_without_spaces_are_read_in_pairs() -> None:
    assert set(terms("数据可视化")) == {"数据", "据可", "可视", "视化"}
