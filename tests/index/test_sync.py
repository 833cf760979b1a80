"""The index is a function of the tree: whatever happened before, it equals one made anew."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.index.store import Store
from testing.examples import examples
from testing.indexing import COMMITTED, REVISION, ask, documents, dump, index, opened, places
from testing.repos import Repo, make_repo

PYTHON = "def {name}(value):\n    '''{about}'''\n    return value + {number}\n"
QUERIES = ("parse the duration", "render_calendar", "value", "README heading", "nothing_like_it")


def source(name: str, about: str, number: int = 1) -> str:
    return PYTHON.format(name=name, about=about, number=number)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(
        tmp_path,
        files={
            "durations.py": source("parse_duration", "Turn 1h30m into seconds."),
            "views/calendar.py": source("render_calendar", "Draw one month."),
            "README.md": "# Dates\n\nHow to read dates.\n\n## Install\n\npip install dates\n",
        },
    )


def anew(repo: Repo, folder: Path) -> Repo:
    """Return a copy of the repository without any cache, at the same path depth."""
    shutil.copytree(repo.path, folder, symlinks=True)
    copy = Repo(folder)
    shutil.rmtree(copy.state_dir, ignore_errors=True)
    index(copy)
    return copy


def test_the_first_run_reads_everything_and_the_second_nothing(repo: Repo) -> None:
    first, second = index(repo), index(repo)
    assert (first.report.files, first.report.chunks, first.report.gaps) == (3, 3, 0)
    assert (second.report.files, second.report.chunks, second.commit) == (0, 0, repo.head)


def test_a_commit_costs_the_files_it_changed(repo: Repo) -> None:
    index(repo)
    repo.commit(
        "more", {"durations.py": source("parse_duration", "Other.", 2), "new.py": "a = 1\n"}
    )
    assert index(repo).report.files == 2


def test_a_rename_or_deletion_leaves_no_stale_hit(repo: Repo) -> None:
    index(repo)
    repo.git("mv", "durations.py", "spans.py")
    repo.commit("rename", {"views/calendar.py": None})
    index(repo)
    assert places(ask(repo, "parse_duration"))[0] == "spans.py:1 parse_duration"
    found = {hit.path for query in QUERIES for hit in ask(repo, query).hits}
    assert found <= {"spans.py", "README.md"}


def test_switching_back_to_a_branch_reads_nothing(repo: Repo) -> None:
    index(repo)
    repo.git("switch", "--quiet", "-c", "other")
    repo.commit("other", {"durations.py": source("parse_span", "Another.")})
    index(repo)
    before = dump(repo)
    repo.git("switch", "--quiet", "main")
    assert index(repo).report.files == 0
    repo.git("switch", "--quiet", "other")
    assert index(repo).report.files == 0
    assert dump(repo) == before


def test_a_revision_is_searched_as_it_was(repo: Repo) -> None:
    old = repo.head
    repo.commit("new", {"durations.py": source("parse_span", "Another.")})
    index(repo)
    assert places(ask(repo, "parse_duration", REVISION, old))[0] == "durations.py:1 parse_duration"
    assert index(repo, revision=old).report.files == 0


def test_every_kind_of_rewriting_equals_an_index_made_anew(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "skillmesh.repoid", "fixed")
    index(repo)
    repo.git("switch", "--quiet", "-c", "topic")
    repo.commit("topic", {"topic.py": source("topic_work", "On a branch.")})
    index(repo)
    repo.git("switch", "--quiet", "main")
    repo.commit("main", {"durations.py": source("parse_duration", "Edited on main.", 3)})
    index(repo)
    repo.git("switch", "--quiet", "topic")
    repo.git("rebase", "--quiet", "main")
    index(repo)
    compare(repo, tmp_path / "rebased")
    repo.git("commit", "--quiet", "--amend", "-m", "reworded")
    index(repo)
    compare(repo, tmp_path / "amended")
    repo.git("switch", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "topic")
    index(repo)
    compare(repo, tmp_path / "merged")
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    index(repo)
    compare(repo, tmp_path / "reset")


def compare(repo: Repo, folder: Path) -> None:
    fresh = anew(repo, folder)
    assert dump(repo) == dump(fresh)
    assert documents(repo, *QUERIES) == documents(fresh, *QUERIES)


_NAMES = ("a.py", "b.py", "lib/c.go", "docs/d.md")
_step = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(_NAMES), st.integers(0, 9)),
    st.tuples(st.just("delete"), st.sampled_from(_NAMES), st.just(0)),
    st.tuples(st.just("move"), st.sampled_from(_NAMES), st.integers(0, 3)),
    st.tuples(st.just("attributes"), st.sampled_from(_NAMES), st.integers(0, 1)),
    st.tuples(st.just("switch"), st.just(""), st.integers(0, 2)),
    st.tuples(st.just("index"), st.just(""), st.just(0)),
)


@settings(
    max_examples=examples(5),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(_step, min_size=3, max_size=14))
def test_random_histories_equal_an_index_made_anew(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("random")
    repo = make_repo(folder, files={"a.py": source("start", "The first file.")})
    repo.git("config", "skillmesh.repoid", "fixed")
    for number, (what, name, choice) in enumerate(steps):
        apply(repo, number, what, name, choice)
    index(repo)
    compare(repo, folder / "fresh")


def apply(repo: Repo, number: int, what: str, name: str, choice: int) -> None:
    path = repo.path / name
    if what == "write":
        text = {
            "py": source(f"step_{choice}", f"Step {number}.", number),
            "go": f"package c\n\n// Step {number}\nfunc Step{choice}() int {{ return {number} }}\n",
            "md": f"# Step {choice}\n\nWritten in step {number}.\n",
        }[name.rpartition(".")[2]]
        repo.commit(f"write {number}", {name: text})
    elif what == "delete" and path.exists():
        repo.commit(f"delete {number}", {name: None})
    elif what == "move" and path.exists() and not (repo.path / f"moved{choice}-{name}").exists():
        (repo.path / f"moved{choice}-{name}").parent.mkdir(parents=True, exist_ok=True)
        repo.git("mv", name, f"moved{choice}-{name}")
        repo.commit(f"move {number}")
    elif what == "attributes":
        value = "linguist-generated" if choice else "-linguist-generated"
        repo.commit(f"attributes {number}", {".gitattributes": f"{name} {value}\n"})
    elif what == "switch":
        branch = f"branch{choice}"
        known = repo.run("rev-parse", "--verify", "--quiet", branch).returncode == 0
        repo.git("switch", "--quiet", *([] if known else ["-c"]), branch)
    elif what == "index":
        index(repo)


def test_segments_are_merged_and_stay_few(repo: Repo) -> None:
    repository, _ = opened(repo)
    for number in range(20):
        repo.commit(f"{number}", {f"f{number}.py": source(f"function_{number}", "One of many.")})
        index(repo)
    catalogue = Store(repository).reader()
    segments = catalogue.segments()
    catalogue.close()
    assert len(segments) < 16
    assert places(ask(repo, "function_17"))[0] == "f17.py:1 function_17"


def test_attributes_and_configuration_decide_what_is_read(repo: Repo) -> None:
    repo.commit(
        "rules",
        {
            ".gitattributes": "views/** linguist-vendored\nvendor/own.py -linguist-vendored\n",
            "vendor/own.py": source("ours_in_vendor", "Kept."),
            "vendor/theirs.py": source("theirs", "Left out."),
            "secret/x.py": source("hidden", "Left out by configuration."),
        },
    )
    index(repo, settings={"index.exclude": "secret"})
    paths = {row[0] for row in dump_with(repo, {"index.exclude": "secret"})}
    assert paths == {"README.md", "durations.py", "vendor/own.py"}
    index(repo)
    assert {row[0] for row in dump(repo)} == paths | {"secret/x.py", ".gitattributes"}


def dump_with(repo: Repo, chosen: dict[str, str]) -> list[tuple[str]]:
    answer = ask(repo, "value dates install", COMMITTED, settings=chosen)
    return [(hit.path,) for hit in answer.hits]
