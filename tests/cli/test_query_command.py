"""`git skillmesh query`: what is found, in which tree, in which form."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.retrieval.terms import parse
from testing.commands import call
from testing.repos import Repo, Result, make_repo, run_skillmesh

FILES: dict[str, str | bytes | None] = {
    "http/header.py": '"""Headers of requests."""\n\n\nclass HeaderReader:\n'
    '    """Reads headers."""\n\n    def parse_header(self, line):\n'
    '        """Split one header line."""\n        return line.split(":")\n',
    "http/server.py": "from .header import HeaderReader\n\n\ndef serve(lines):\n"
    "    reader = HeaderReader()\n    return [reader.parse_header(line) for line in lines]\n",
    "web/client.js": "export function parseHeader(line) {\n  return line.split(':');\n}\n",
    "docs/guide.md": "# Guide\n\nThe call parse_header splits a header line at its colon.\n\n"
    "## Retries\n\nFailed requests are sent again with exponential back-off.\n",
    "util/backoff.py": "def wait_before_retry(attempt):\n"
    '    """Exponential back-off between attempts."""\n    return 2 ** attempt\n',
}


@pytest.fixture(scope="module")
def indexed(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """An indexed repository that no test of this module changes."""
    repo = make_repo(tmp_path_factory.mktemp("query"), files=FILES)
    assert call(repo.path, "index", "--chroma", "off", "-q").returncode == 0
    return repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """An indexed repository of one test."""
    made = make_repo(tmp_path, files=FILES)
    assert call(made.path, "index", "--chroma", "off", "-q").returncode == 0
    return made


def found(repo: Repo, *args: str) -> list[str]:
    """Return "path:line symbol" of each result."""
    document = answer(repo, *args)
    return [f"{r['path']}:{r['line']} {r['symbol']}" for r in document["results"]]


def answer(repo: Repo, *args: str) -> dict[str, Any]:
    said = call(repo.path, "query", "--json", *args)
    assert said.stderr == ""
    document: dict[str, Any] = json.loads(said.stdout)
    assert said.returncode == (0 if document["results"] else 1)
    return document


def paths(repo: Repo, *args: str) -> set[str]:
    return {place.partition(":")[0] for place in found(repo, *args)}


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["parse_header"], "http/header.py:7 HeaderReader.parse_header"),
        (["HeaderReader.parse_header"], "http/header.py:7 HeaderReader.parse_header"),
        (["parseHeader"], "web/client.js:1 parseHeader"),
        (["HeaderReader"], "http/header.py:4 HeaderReader"),
        (["wait_before_retry"], "util/backoff.py:1 wait_before_retry"),
        (["wait_before_retry()"], "util/backoff.py:1 wait_before_retry"),
        (["serve"], "http/server.py:4 serve"),
    ],
)
def test_an_identifier_finds_its_definition_first(
    indexed: Repo, words: list[str], first: str
) -> None:
    assert found(indexed, *words)[0] == first


def test_a_question_finds_by_meaning(indexed: Repo) -> None:
    top = found(indexed, "how", "long", "do", "we", "wait", "between", "attempts")
    assert top[0].startswith("util/backoff.py:")


def test_words_are_one_query_however_they_are_quoted(indexed: Repo) -> None:
    assert answer(indexed, "exponential", "back-off") == answer(indexed, "exponential back-off")


def piped(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Let the next command read this from its standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


TRACE = """Traceback (most recent call last):
  File "/srv/shop/main.py", line 3, in <module>
    serve(None)
  File "/srv/lib/http/header.py", line 70, in parse_header
    return line.split(":")
AttributeError: 'NoneType' object has no attribute 'split'
"""


def test_a_trace_is_taken_as_an_argument_and_from_standard_input(
    indexed: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = answer(indexed, TRACE)
    assert document["query"] == TRACE
    assert document["results"][0]["path"] == "http/header.py"
    assert document["results"][0]["reasons"][0] == "trace_frame"
    piped(monkeypatch, TRACE.encode())
    assert answer(indexed, "-") == document


def test_a_long_question_where_nothing_is_stored(tmp_path: Path) -> None:
    # More words than there are bits to say which of them a document has.
    repo = make_repo(tmp_path, files={})
    assert call(repo.path, "index", "--chroma", "off", "-q").returncode == 0
    words = " ".join(f"{a}{b}rk{a}l" for a in "bcdfghjklm" for b in "aeiouyrst")
    assert len(parse(words).stems) > 63
    assert answer(repo, words)["results"] == []


def test_standard_input_that_is_no_query(indexed: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, b" \n")
    assert call(indexed.path, "query", "-") == Result(2, "", "git-skillmesh: the query is empty\n")
    piped(monkeypatch, b"\xff\x00 parse_header")
    assert call(indexed.path, "query", "-n", "1", "-").stdout.startswith(
        " 1. http/header.py:7  HeaderReader.parse_header"
    )


def test_a_query_that_is_too_large(indexed: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "the query is larger than 256 KiB: give it the part around the error"
    refused = Result(2, "", f"git-skillmesh: {line}\n")
    piped(monkeypatch, b"x" * 300_000)
    assert call(indexed.path, "query", "-") == refused
    assert call(indexed.path, "query", "x" * 300_000) == refused
    piped(monkeypatch, (TRACE * 900)[: 256 * 1024].encode())
    assert call(indexed.path, "query", "-n", "1", "-").stdout.startswith(
        " 1. http/header.py:7  HeaderReader.parse_header"
    )


def test_the_document_is_whole(indexed: Repo) -> None:
    document = answer(indexed, "--full", "--explain", "-n", "1", "wait_before_retry")
    (result,) = document["results"]
    score, features = result.pop("score"), result.pop("features")
    reasons = result.pop("reasons")
    chunk = result.pop("chunk_id")
    assert len(chunk) == 32
    assert result.pop("chunk_ids") == [chunk]
    assert score == pytest.approx(sum(features.values()), abs=0.01)
    assert (
        reasons
        == [name for name in sorted(features, key=lambda n: -features[n]) if features[name] > 0][:4]
    )
    assert result == {
        "rank": 1,
        "path": "util/backoff.py",
        "start_line": 1,
        "end_line": 3,
        "line": 1,
        "symbol": "wait_before_retry",
        "kind": "function",
        "definition": {"start_line": 1, "end_line": 3},
        "language": "python",
        "commit": indexed.head,
        "changed": False,
        "lines": [
            {"number": 1, "text": "def wait_before_retry(attempt):"},
            {"number": 2, "text": '    """Exponential back-off between attempts."""'},
            {"number": 3, "text": "    return 2 ** attempt"},
        ][: len(result["lines"])],
        "text": str(FILES["util/backoff.py"]).rstrip("\n"),
        "sessions": [],
    }
    del document["results"]
    chunks = document["index"].pop("chunks")
    assert chunks >= len(FILES)
    assert document == {
        "schema": 1,
        "query": "wait_before_retry",
        "index": {
            "backend": "local",
            "scope": "working-tree",
            "commit": indexed.head,
            "tree": indexed.git("rev-parse", "HEAD^{tree}"),
            "files": len(FILES),
            "behind": 0,
        },
        "notes": [],
        "suggestions": [],
    }


def test_without_full_and_explain_the_document_is_shorter(indexed: Repo) -> None:
    long = answer(indexed, "--full", "--explain", "header")
    for result in long["results"]:
        del result["text"], result["features"]
    assert answer(indexed, "header") == long


def test_the_number_of_results(indexed: Repo) -> None:
    everything = found(indexed, "-n", "99", "header")
    assert len(everything) > 2
    for count in (1, 2):
        assert found(indexed, "-n", str(count), "header") == everything[:count]


def test_filters(indexed: Repo) -> None:
    assert paths(indexed, "--lang", "javascript", "header") == {"web/client.js"}
    assert paths(indexed, "--lang", "javascript", "--lang", "markdown", "header") == {
        "web/client.js", "docs/guide.md",
    }  # fmt: skip
    assert paths(indexed, "--path", "http/", "header") == {"http/header.py", "http/server.py"}
    assert paths(indexed, "--path", "*.js", "header") == {"web/client.js"}
    assert paths(indexed, "--path", "**/*er.py", "header") == {"http/header.py", "http/server.py"}
    kinds = {r["kind"] for r in answer(indexed, "--kind", "section", "header")["results"]}
    assert kinds == {"section"}
    assert found(indexed, "--path", "nowhere", "header") == []


def test_fusion_by_rank(indexed: Repo) -> None:
    document = answer(indexed, "--rank", "rrf", "--explain", "parse_header")
    scores = [result["score"] for result in document["results"]]
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[0] < 1
    assert "http/header.py" in {result["path"] for result in document["results"][:2]}


def test_nothing_found(indexed: Repo) -> None:
    assert call(indexed.path, "query", "qqqqzzzz") == Result(
        1,
        "",
        f"nothing found for 'qqqqzzzz' in {len(FILES)} files\n"
        "try other words, fewer filters, or: git skillmesh status --skipped\n",
    )
    assert call(indexed.path, "query", "--kind", "macro", "waitbeforeretri") == Result(
        1,
        "",
        f"nothing found for 'waitbeforeretri' in {len(FILES)} files\n"
        "did you mean: wait_before_retry\n",
    )


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["query", ""], "the query is empty"),
        (["query", " ", "\t"], "the query is empty"),
        (["query", "-n", "0", "x"], "-n must be at least 1"),
        (["query", "--at", "nowhere", "x"], "not a commit or tree of this repository: nowhere"),
        (["query", "--at", "HEAD:docs/guide.md", "x"],
         "not a commit or tree of this repository: HEAD:docs/guide.md"),
        (["query", "--at=--all", "x"], "not a revision: --all"),
        (["query", "--at", "a\nb", "x"], "not a commit or tree of this repository: a␊b"),
        (["query", "-n", "ten", "x"],
         "argument -n/--limit: invalid int value: 'ten': git skillmesh query -h"),
        (["query"], "the following arguments are required: WORDS: git skillmesh query -h"),
        (["query", "--backend", "chroma", "--at", "HEAD", "x"],
         "the Chroma tier holds HEAD only: use --backend local with --at"),
    ],
)  # fmt: skip
def test_mistakes(indexed: Repo, args: list[str], line: str) -> None:
    assert call(indexed.path, *args) == Result(2, "", f"git-skillmesh: {line}\n")


def test_unknown_kinds_are_listed(indexed: Repo) -> None:
    said = call(indexed.path, "query", "--kind", "klass", "x")
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("git-skillmesh: unknown kind 'klass': one of block, class, ")


def test_chroma_that_is_off_says_how_to_switch_it_on(indexed: Repo) -> None:
    assert call(indexed.path, "query", "--backend", "chroma", "x") == Result(
        5,
        "",
        "git-skillmesh: the Chroma tier is off: git config skillmesh.chroma.impl persistent\n",
    )


def test_a_model_that_is_missing_leaves_the_words(indexed: Repo) -> None:
    broken = {"EMBEDDING_MODEL_PROVIDER": "nonsense"}
    said = call(indexed.path, "query", "--json", "wait_before_retry", env=broken)
    document = json.loads(said.stdout)
    assert document["results"][0]["path"] == "util/backoff.py"
    (note,) = document["notes"]
    assert note.startswith("ranked by words only: ")
    assert said.stderr == ""


def test_a_first_query_needs_no_index(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files=FILES)
    indexed = make_repo(tmp_path, "other", files=FILES)
    assert call(indexed.path, "index", "--chroma", "off", "-q").returncode == 0
    first, second = answer(repo, "parse_header"), answer(repo, "parse_header")
    assert first == second
    assert {result["commit"] for result in first["results"]} == {None}
    assert call(repo.path, "index", "--chroma", "off").stderr == "the index is up to date\n"
    assert answer(repo, "parse_header") == answer(indexed, "parse_header")
    for result in first["results"]:
        result["commit"] = repo.head
    assert first == answer(indexed, "parse_header")


def test_changes_of_the_working_tree_are_found_and_marked(repo: Repo) -> None:
    repo.write("util/backoff.py", "def pause_after_failure(attempt):\n    return 3 ** attempt\n")
    repo.write("util/fresh.py", "def brand_new_thing():\n    return 'untracked'\n")
    for name, path in (
        ("pause_after_failure", "util/backoff.py"),
        ("brand_new_thing", "util/fresh.py"),
    ):
        first = answer(repo, name)["results"][0]
        assert (first["path"], first["changed"], first["commit"]) == (path, True, None)
        shown = call(repo.path, "query", "-n", "1", name).stdout
        assert " · uncommitted\n" in shown
    assert "wait_before_retry" not in json.dumps(
        answer(repo, "--full", "wait_before_retry")["results"]
    )
    assert paths(repo, "--committed", "brand_new_thing", "--path", "util/fresh.py") == set()
    assert found(repo, "--committed", "wait_before_retry")[0].startswith("util/backoff.py:1 ")
    repo.commit("second")
    assert call(repo.path, "index", "--chroma", "off", "-q").returncode == 0
    first = answer(repo, "brand_new_thing")["results"][0]
    assert (first["path"], first["changed"], first["commit"]) == ("util/fresh.py", False, repo.head)


def test_an_ignored_file_is_not_found(repo: Repo) -> None:
    repo.write(".gitignore", "secret.py\n")
    repo.write("secret.py", "def hidden_away():\n    pass\n")
    assert "secret.py" not in paths(repo, "hidden_away")


def test_no_stale_hit_after_delete_rename_and_revert(repo: Repo) -> None:
    (repo.path / "util/backoff.py").unlink()
    (repo.path / "http/server.py").rename(repo.path / "http/daemon.py")
    left = {"http/header.py", "http/daemon.py", "web/client.js", "docs/guide.md"}
    assert paths(repo, "-n", "99", "return header attempt serve") == left
    repo.commit("second")
    assert paths(repo, "-n", "99", "return header attempt serve") == left
    repo.git("revert", "--no-edit", "HEAD")
    assert paths(repo, "-n", "99", "return header attempt serve") == set(FILES)
    assert found(repo, "serve")[0] == "http/server.py:4 serve"


def test_a_file_that_became_a_folder_or_a_link_is_gone(repo: Repo) -> None:
    (repo.path / "util/backoff.py").unlink()
    repo.write("util/backoff.py/inner.py", "def within():\n    pass\n")
    (repo.path / "web/client.js").unlink()
    (repo.path / "web/client.js").symlink_to("/etc/passwd")
    (repo.path / "http/server.py").unlink()
    os.mkfifo(repo.path / "http/server.py")
    everything = paths(repo, "-n", "99", "return header attempt parseHeader within root")
    assert everything == {"http/header.py", "docs/guide.md", "util/backoff.py/inner.py"}


def test_the_past(repo: Repo) -> None:
    repo.git("tag", "v1")
    repo.commit("second", {"util/backoff.py": None, "util/pause.py": "def pause():\n    pass\n"})
    assert (
        found(repo, "--at", "v1", "wait_before_retry")[0] == "util/backoff.py:1 wait_before_retry"
    )
    assert "util/pause.py" not in paths(repo, "--at", "v1", "-n", "99", "pause wait retry")
    document = answer(repo, "--at", "HEAD~1", "wait_before_retry")
    assert document["index"]["scope"] == "revision"
    assert document["index"]["commit"] == repo.git("rev-parse", "v1")
    assert "util/backoff.py" not in paths(repo, "-n", "99", "wait_before_retry")
    folder = answer(repo, "--at", "v1:util", "wait_before_retry")
    assert folder["results"][0]["path"] == "backoff.py"


def test_languages_go_by_the_names_that_people_use(repo: Repo) -> None:
    repo.write("web/view.tsx", "export function headerView() {\n  return null;\n}\n")
    for name in ("TypeScript", ".ts", "tsx"):
        assert paths(repo, "--lang", name, "header") == {"web/view.tsx"}
    assert call(repo.path, "query", "--lang", "pythn", "header") == Result(
        2, "", "git-skillmesh: unknown language 'pythn': did you mean python\n"
    )
    assert call(repo.path, "query", "--lang", "golang", "header") == Result(
        1,
        "",
        f"nothing found for 'header' in {len(FILES) + 1} files\n"
        "no file has this language and path: fewer filters find more\n",
    )


def test_paths_are_shown_from_where_the_user_stands(indexed: Repo) -> None:
    below = indexed.path / "http"
    for said in (
        call(below, "query", "-n", "1", "HeaderReader"),
        call(indexed.path, "-C", "http", "query", "-n", "1", "HeaderReader"),
    ):
        assert said.stdout.startswith(" 1. header.py:4  HeaderReader"), said
    assert call(below, "query", "-n", "1", "wait_before_retry").stdout.startswith(
        " 1. ../util/backoff.py:1  wait_before_retry"
    )
    machine = json.loads(call(below, "query", "--json", "-n", "1", "HeaderReader").stdout)
    assert machine["results"][0]["path"] == "http/header.py"


def test_an_index_that_is_behind_says_so(repo: Repo) -> None:
    repo.commit(
        "many", {f"many/f{n}.py": f"def number_{n}():\n    return {n}\n" for n in range(250)}
    )
    said = call(repo.path, "query", "wait_before_retry")
    assert said.returncode == 0
    assert said.stdout.startswith(" 1. util/backoff.py:1 ")
    assert said.stderr == "250 files are not read yet; run: git skillmesh index\n"
    assert answer(repo, "wait_before_retry")["index"]["behind"] == 250
    at = call(repo.path, "query", "--at", "HEAD:many", "number_7")
    tree = repo.git("rev-parse", "HEAD:many").strip()[:12]
    command = f"index --rev {tree}"
    assert at.stderr.endswith(f"250 files are not read yet; run: git skillmesh {command}\n")
    assert call(repo.path, *command.split(), "-q").returncode == 0
    assert found(repo, "--at", "HEAD:many", "number_7")[0] == "f7.py:1 number_7"


def test_changed_files_that_were_not_read_are_read_by_what_is_named(repo: Repo) -> None:
    for n in range(450):
        repo.write(f"new/f{n}.py", f"def number_{n}(): ...\n")
    assert answer(repo, "number_7")["index"]["behind"] == 250
    said = call(repo.path, "query", "-n", "1", "wait_before_retry")
    command = "git skillmesh index --changed"
    assert said.stderr == f"50 files are not read yet; run: {command}\n"
    assert call(repo.path, "index", "--changed").stderr == "changed files are indexed\n"
    said = call(repo.path, "query", "-n", "1", "number_449")
    assert said.stdout.startswith(" 1. new/f449.py:1  number_449  function · 1 line · ")
    assert said.stderr == ""


def test_a_small_gap_is_closed_before_the_answer(repo: Repo) -> None:
    repo.commit("few", {f"few/f{n}.py": f"def number_{n}():\n    return {n}\n" for n in range(20)})
    assert found(repo, "number_13")[0] == "few/f13.py:1 number_13"
    assert json.loads(call(repo.path, "status", "--json").stdout)["index"]["behind"] == 0


def test_outside_of_a_repository(tmp_path: Path) -> None:
    assert run_skillmesh(tmp_path, "query", "x") == Result(
        4,
        "",
        f"git-skillmesh: not a git repository: {tmp_path}: run this inside one, or use -C\n",
    )


def test_hash_seeds_do_not_show(tmp_path: Path) -> None:
    """Neither in the order of an answer, nor in what an index calls the kinds."""
    repo = make_repo(tmp_path, files=FILES)
    indexed = repo.skillmesh("index", "--chroma", "off", "-q", env={"PYTHONHASHSEED": "1"})
    assert indexed.returncode == 0
    first, second = (
        repo.skillmesh(
            "query", "--json", "--explain", "-n", "99", "--kind", "section", "--kind", "function",
            "header retry of a request", env={"PYTHONHASHSEED": seed},
        )
        for seed in ("2", "4242")
    )  # fmt: skip
    assert first == second
    assert {r["kind"] for r in json.loads(first.stdout)["results"]} == {"section", "function"}
