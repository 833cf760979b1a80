"""Whole searches over a small repository."""

import threading
from pathlib import Path

import pytest

from git_skillmesh.retrieval import search
from git_skillmesh.retrieval.search import Options
from testing.indexing import ask, documents, index, places
from testing.repos import Repo, make_repo

FILES: dict[str, str | bytes | None] = {
    "src/duration.py": (
        '"""Durations."""\n\n\nclass DurationParser:\n'
        '    """Reads 1h30m."""\n\n'
        "    def parse_duration(self, text):\n"
        '        """Turn a text such as 1h30m into seconds."""\n'
        "        return sum(self.units[unit] * amount for amount, unit in split(text))\n"
    ),
    "src/use.py": (
        "from duration import DurationParser\n\n\ndef main():\n"
        "    parser = DurationParser()\n    parser.parse_duration('1h')\n"
        "    parser.parse_duration('2h')\n"
    ),
    "tests/test_duration.py": (
        "from duration import DurationParser\n\n\ndef test_parse_duration():\n"
        "    assert DurationParser().parse_duration('1h') == 3600\n"
    ),
    "web/close.go": (
        "package web\n\n// CloseSession ends the websocket.\n"
        "func CloseSession(id string) error {\n\treturn nil\n}\n"
    ),
    "docs/guide.md": "# Guide\n\nHow to parse a duration with DurationParser.\n",
}


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    made = make_repo(tmp_path_factory.mktemp("search"), files=FILES)
    index(made)
    return made


@pytest.mark.parametrize("query", ["parse_duration", "DurationParser", "parseDuration()"])
def test_an_identifier_finds_its_definition_first(repo: Repo, query: str) -> None:
    assert ask(repo, query).hits[0].path == "src/duration.py"


def test_a_question_finds_the_code_before_its_tests_and_docs(repo: Repo) -> None:
    found = [hit.path for hit in ask(repo, "turn a duration text into seconds").hits]
    assert found[0] == "src/duration.py"
    assert found.index("src/duration.py") < found.index("tests/test_duration.py")


def test_asking_for_tests_finds_tests(repo: Repo) -> None:
    assert ask(repo, "test for parse duration").hits[0].path == "tests/test_duration.py"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(languages=("go",)), {"web/close.go"}),
        (Options(paths=("src",)), {"src/duration.py", "src/use.py"}),
        (Options(paths=("*.md", "tests/**")), {"docs/guide.md", "tests/test_duration.py"}),
        (Options(kinds=("section",)), {"docs/guide.md"}),
        (Options(languages=("go",), paths=("src",)), set()),
    ],
)
def test_filters(repo: Repo, options: Options, expected: set[str]) -> None:
    answer = ask(repo, "parse duration session close", options=options)
    assert {hit.path for hit in answer.hits} == expected


def test_filters_do_not_change_the_score_of_what_remains(repo: Repo) -> None:
    everything = {hit.path: hit.features for hit in ask(repo, "close the session").hits}
    (hit,) = ask(repo, "close the session", options=Options(languages=("go",))).hits
    assert hit.features == everything["web/close.go"]


def test_nothing_found_has_suggestions(repo: Repo) -> None:
    answer = ask(repo, "prase_duraton")
    assert answer.hits == ()
    assert answer.suggestions == ("test_parse_duration",)
    assert ask(repo, "zqxj").suggestions == ()


def test_rrf_ranks_the_same_candidates(repo: Repo) -> None:
    linear = ask(repo, "parse duration")
    fused = ask(repo, "parse duration", options=Options(mode="rrf"))
    assert {hit.chunk_id for hit in linear.hits} == {hit.chunk_id for hit in fused.hits}
    assert all(0 < hit.score < 0.04 for hit in fused.hits)


def test_the_limit_is_honoured(repo: Repo) -> None:
    assert len(ask(repo, "duration", options=Options(limit=2)).hits) == 2


def test_answers_do_not_depend_on_what_else_is_indexed(repo: Repo, tmp_path: Path) -> None:
    other = make_repo(tmp_path, files={"noise.py": "def parse_duration(): pass\n" * 30})
    index(other)
    other.commit("real", {**FILES, "noise.py": None})
    index(other)
    for name in (repo, other):
        name.git("config", "skillmesh.repoid", "same")
    queries = ("parse duration", "close session", "Guide", "nothing at all")
    first, second = documents(repo, *queries), documents(other, *queries)
    for answer in [*first, *second]:
        answer["index"]["commit"] = ""
        for result in answer["results"]:
            result["commit"] = ""
    assert first == second


def test_a_hit_says_where_and_why(repo: Repo) -> None:
    hit = ask(repo, "CloseSession").hits[0]
    assert (hit.path, hit.symbol, hit.kind, hit.language) == (
        "web/close.go",
        "CloseSession",
        "function",
        "go",
    )
    assert "defines_query" in hit.reasons
    assert hit.text.splitlines()[-1] == "}"
    assert hit.start_line <= 3 <= hit.end_line
    assert places(ask(repo, "CloseSession"))[0].endswith("CloseSession")


def test_what_fails_beside_the_words_fails_where_it_is_waited_for(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise MemoryError

    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    monkeypatch.setattr(search, "_WORTH_A_THREAD", 0)
    monkeypatch.setattr(search, "cosines", fails)
    with pytest.raises(MemoryError):
        ask(repo, "parse_duration")
    assert told == []
