"""Single features, seen through what a search explains."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.retrieval import features as features_module
from git_skillmesh.retrieval.features import Priors, priors_of
from git_skillmesh.retrieval.search import Options
from git_skillmesh.retrieval.terms import parse
from testing.indexing import ask, index
from testing.repos import Repo, make_repo

_PIECES = (
    "test", "Tests", "specs", "Spec", "/", "/", ".", "_", "-", "t", "T", "fuzz", "e2e", "__mocks__",
    "fixtures", "_SUITE", ".feature", ".bats", "conftest.py", "docs", ".html", "demo", "Benches",
    "samples", "legacy", "stub", "index", ".ts", "main", "lib.rs", "__init__.pyi", "x", "\u017f",
    "\n",
)  # fmt: skip

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


@pytest.mark.parametrize(
    "path",
    ["src/test/java/A.java", "Tests/FooTests/A.swift", "t/basic.t", "spec/a_spec.rb", "a/b_test.go",
     "src/FooTests.cs", "tests/Foo.UnitTests/A.cs", "Foo.UnitTests/A.cs", "a-tests/build.kts",
     "src/commonTest/kotlin/A.kt", "src/androidTest/A.java", "lua/a_spec.lua", "x/testdata/a.txt",
     "TestData/x.json", "test/a_SUITE.erl", "features/a.feature", "a.bats", "testthat/test-a.R",
     "src/AdapterTestUtilities/A.php", "Sources/FooTestHelpers/T.swift", "a/test_utils/x.py",
     "conftest.py", "app/tests.py", "a/__mocks__/x.js", "http/fuzz/f.ml", "json_tests/a.dart",
     "cypress/e2e/a.ts"],
)  # fmt: skip
def test_paths_of_tests(path: str) -> None:
    assert priors(path).test_path


@pytest.mark.parametrize(
    "path",
    ["src/contest/a.py", "src/latest/a.py", "src/Latest/A.cs", "src/werkzeug/test.py", "protest.rb",
     "attestation/a.go", "src/Spectrum/a.cs", "inspect/a.py", "src/_pytest/a.py", "at/b.c",
     "googletest/src/gtest.cc", "lib/respect/a.rb", "specification/x.md", "src/tree.py"],
)  # fmt: skip
def test_paths_that_only_look_like_tests(path: str) -> None:
    assert not priors(path).test_path


@pytest.mark.parametrize(
    ("path", "is_example"),
    [("examples/a.py", True), ("docs_src/a.py", True), ("cohttp-bench/a.ml", True),
     ("pkgs/flutter_example/lib/a.dart", True), ("benches/a.rs", True), ("Examples/A.swift", True),
     ("_examples/a.go", True), ("src/sampler/a.py", False), ("lib/workbench/a.py", False),
     ("src/counterexample/x.py", False), ("demonstrate.py", False)],
)  # fmt: skip
def test_paths_of_examples(path: str, is_example: bool) -> None:
    assert priors(path).example_path == is_example


@pytest.mark.parametrize(
    ("path", "language", "is_documentation"),
    [("docs/api/a.html", "html", True), ("doc/a.htm", "html", True), ("a.md", "markdown", True),
     ("web/a.html", "html", False), ("docs/a.js", "javascript", False)],
)  # fmt: skip
def test_pages_of_a_documentation_tool(path: str, language: str, is_documentation: bool) -> None:
    assert priors(path, language).documentation == is_documentation


def priors(path: str, language: str = "python") -> Priors:
    return priors_of(path, language)


@given(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=8).map("".join))
def test_paths_without_the_words_match_no_pattern(path: str) -> None:
    found = priors_of(path, "python")
    assert found.test_path == bool(features_module._TEST.search(path))
    assert found.example_path == bool(features_module._EXAMPLE.search(path))
    assert found.compat_path == bool(features_module._COMPAT.search(path))
    assert found.documentation == bool(features_module._PAGE.search(path))
    assert found.reexport == bool(features_module._REEXPORT.search(path))
