"""Pasted text, quotes, keys and questions for documentation, in whole searches."""

from pathlib import Path

import pytest

from git_skillmesh.retrieval.search import Options
from testing.indexing import ask, documents, index
from testing.repos import Repo, make_repo

FILES: dict[str, str | bytes | None] = {
    "src/acme/scales.py": (
        "class Scales:\n    def weigh(self, parcel):\n"
        '        if parcel is None:\n            raise ValueError(f"no parcel for {self.name!r}")\n'
        "        return parcel.grams\n"
    ),
    "src/acme/queue.py": "def push(parcel, scales):\n    return scales.weigh(parcel)\n",
    "src/other/scales.py": "def tare(value):\n    return value\n",
    "tests/test_scales.py": (
        "def test_no_parcel():\n    with raises('no parcel for scales'):\n        weigh(None)\n"
    ),
    "pyproject.toml": "[tool.lint]\nselect = ['E']\n\n[tool.lint.extra]\nstrict = true\n",
    "ci.yaml": "jobs:\n  test:\n    strict: yes\n",
    "docs/guide.md": (
        "# Guide\n\nAbout parcels.\n\n## Weighing\n\nCalls of weigh return grams.\n\n"
        "## Upgrading\n\nRename weigh_all to weigh.\n"
    ),
    "CHANGELOG.md": "# Changes\n\n## 2.0\n\n- weigh takes a parcel, not a number\n",
}
TRACE = """Traceback (most recent call last):
  File "/srv/shop/main.py", line 3, in <module>
    push(None, scales)
  File "/usr/lib/python3/site-packages/acme/queue.py", line 40, in push
    return scales.weigh(parcel)
  File "/usr/lib/python3/site-packages/acme/scales.py", line 70, in weigh
    return parcel.grams
AttributeError: 'NoneType' object has no attribute 'grams'
"""


@pytest.fixture(scope="module")
def repo(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    made = make_repo(tmp_path_factory.mktemp("evidence"), files=FILES)
    index(made)
    return made


def paths(repo: Repo, text: str, options: Options | None = None) -> list[str]:
    return [hit.path for hit in ask(repo, text, options=options).hits]


def test_the_innermost_frame_of_the_repository_comes_first(repo: Repo) -> None:
    hits = ask(repo, TRACE).hits
    assert [hit.path for hit in hits[:2]] == ["src/acme/scales.py", "src/acme/queue.py"]
    assert [hit.reasons[0] for hit in hits[:2]] == ["trace_frame", "trace_frame"]
    for hit in hits:
        assert hit.score == pytest.approx(sum(hit.features.values()), abs=0.01)


def test_a_file_of_the_same_name_needs_the_function(repo: Repo) -> None:
    place = 'File "/usr/lib/else/scales.py", line 1, in tare'
    assert paths(repo, place)[0] == "src/other/scales.py"


def test_a_place_is_found_by_file_and_line(repo: Repo) -> None:
    assert paths(repo, "acme/queue.py:2")[0] == "src/acme/queue.py"


def test_filters_hold_for_traces_too(repo: Repo) -> None:
    found = paths(repo, TRACE, Options(paths=("src/acme/queue.py",)))
    assert found == ["src/acme/queue.py"]


def test_a_message_is_found_where_it_is_raised(repo: Repo) -> None:
    for text in ("ValueError: no parcel for 'big'", '"no parcel for"', "no parcel for 'big'"):
        assert paths(repo, text)[0] == "src/acme/scales.py", text


def test_words_in_quotes_stand_there_just_so(repo: Repo) -> None:
    assert paths(repo, '"takes a parcel, not"')[0] == "CHANGELOG.md"
    assert "has_phrase" in ask(repo, '"takes a parcel, not"').hits[0].features


@pytest.mark.parametrize(
    ("key", "path"),
    [("tool.lint.extra.strict", "pyproject.toml"), ("jobs.test.strict", "ci.yaml"),
     ("tool.lint.select", "pyproject.toml"), ("where is test.strict set", "ci.yaml")],
)  # fmt: skip
def test_a_key_is_found_where_it_is_set(repo: Repo, key: str, path: str) -> None:
    hit = ask(repo, key).hits[0]
    assert (hit.path, hit.reasons[0]) == (path, "sets_key")


def test_the_form_of_a_question_decides_between_text_and_code(repo: Repo) -> None:
    assert paths(repo, "how do I weigh a parcel")[0] == "docs/guide.md"
    assert paths(repo, "where is a parcel weighed")[0] == "src/acme/scales.py"
    assert paths(repo, "which release changed weigh")[0] == "CHANGELOG.md"


def test_fusion_by_rank_has_no_evidence(repo: Repo) -> None:
    hits = ask(repo, TRACE, options=Options(mode="rrf")).hits
    assert all("trace_frame" not in hit.features for hit in hits)


def test_answers_do_not_depend_on_what_else_is_indexed(repo: Repo, tmp_path: Path) -> None:
    slowly = make_repo(tmp_path, files={"noise.py": "def weigh(): pass\n" * 30})
    index(slowly)
    for name in reversed(FILES):
        slowly.commit(name, {name: FILES[name]})
        index(slowly)
    slowly.commit("no noise", {"noise.py": None})
    for one in (repo, slowly):
        one.git("config", "skillmesh.repoid", "same")
    queries = (TRACE, '"no parcel for"', "tool.lint.select", "how do I weigh")
    first, second = documents(repo, *queries), documents(slowly, *queries)
    for answer in [*first, *second]:
        answer["index"]["commit"] = ""
        for result in answer["results"]:
            result["commit"] = ""
    assert first == second
