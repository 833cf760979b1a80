"""Single features, seen through what a search explains."""

from pathlib import Path

import pytest

from git_skillmesh.retrieval.search import Options
from git_skillmesh.retrieval.terms import parse
from testing.indexing import ask, index
from testing.repos import Repo, make_repo

FILES: dict[str, str | bytes | None] = {
    "core/router.py": "class Router:\n    def add(self, path):\n        return path\n",
    "core/mock_router.py": "class MockRouter:\n    def add(self, path):\n        return Router()\n",
    "core/table.py": "def add_route_table(router):\n    return router\n",
    "tests/test_router.py": "class Router:\n    pass\n",
    "docs/guide.md": "# Router\n\nThe router sends a request to its handler.\n",
}


@pytest.fixture(scope="module")
def repo(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    made = make_repo(tmp_path_factory.mktemp("features"), files=FILES)
    index(made)
    return made


def features(repo: Repo, text: str) -> dict[str, dict[str, float]]:
    """Return path → what each feature of its best chunk added."""
    hits = ask(repo, text, options=Options(limit=20)).hits
    return {hit.path: hit.features for hit in reversed(hits)}


def test_the_exact_name_of_a_definition(repo: Repo) -> None:
    found = features(repo, "Router")
    assert {path for path, added in found.items() if "name_exact" in added} == {
        "core/router.py", "tests/test_router.py",
    }  # fmt: skip
    assert {path for path, added in found.items() if "stem_full" in added} == {"core/router.py"}


def test_names_in_any_style(repo: Repo) -> None:
    for text in ("addRouteTable", "add_route_table", "AddRouteTable", "where add route table is"):
        assert "name_joined" in features(repo, text)["core/table.py"], text
    assert "name_exact" in features(repo, "add_route_table")["core/table.py"]
    assert "name_exact" not in features(repo, "addRouteTable")["core/table.py"]


def test_the_definition_comes_first(repo: Repo) -> None:
    assert ask(repo, "Router").hits[0].path == "core/router.py"
    assert ask(repo, "MockRouter").hits[0].path == "core/mock_router.py"


def test_tests_are_pushed_down_unless_asked_for(repo: Repo) -> None:
    assert "test_path" in features(repo, "Router")["tests/test_router.py"]
    assert "test_path" not in features(repo, "test of the Router")["tests/test_router.py"]


def test_documentation_can_be_found(repo: Repo) -> None:
    hits = ask(repo, "what sends a request to its handler").hits
    assert hits[0].path == "docs/guide.md"


@pytest.mark.parametrize(
    ("text", "name"),
    [("Router", "Router"), ("Rack::Builder", "Builder"), ("open_view()", "open_view"),
     ("how a request is routed", "")],
)  # fmt: skip
def test_the_name_in_a_query(text: str, name: str) -> None:
    assert parse(text).name == name


def test_features_do_not_depend_on_what_else_is_indexed(tmp_path: Path, repo: Repo) -> None:
    slowly = make_repo(tmp_path, files={"core/table.py": FILES["core/table.py"]})
    for name in reversed(FILES):
        slowly.commit(name, {name: FILES[name]})
        index(slowly)
    for text in ("Router", "add a route", "MockRouter add"):
        assert features(slowly, text) == features(repo, text)
