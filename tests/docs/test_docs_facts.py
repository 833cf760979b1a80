"""What the documentation states about the program, compared with the program."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from git_skillmesh import __version__, display
from git_skillmesh.chroma.schemas import COLLECTIONS
from git_skillmesh.chunking import tree
from git_skillmesh.chunking.exclusion import Skip
from git_skillmesh.chunking.languages import LANGUAGES
from git_skillmesh.chunking.model import KINDS
from git_skillmesh.errors import ExitCode
from git_skillmesh.index import view
from git_skillmesh.registry import folders, parts, rendering, shelf
from git_skillmesh.registry.model import Card
from git_skillmesh.registry.rendering import Entry
from git_skillmesh.registry.shelf import Locked
from git_skillmesh.retrieval import search
from git_skillmesh.settings import SETTINGS
from testing.docs_pages import ROOT, make_sample
from testing.repos import Repo

DOCS = ROOT / "docs"
SCHEMA: Mapping[str, Any] = json.loads((DOCS / "query.schema.json").read_text())


def rows(page: Path, heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading."""
    section = page.read_text().partition(f"# {heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", section, re.M)
    assert table is not None, heading
    return [
        [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in table[0].splitlines()[2:]
    ]


def test_exit_codes() -> None:
    documented = [
        (int(code), name) for code, name, _ in rows(DOCS / "troubleshooting.md", "Exit codes")
    ]
    assert documented == [(int(code), code.name) for code in ExitCode]


def test_settings() -> None:
    documented = [row[:3] for row in rows(DOCS / "configuration.md", "Settings")]
    assert documented == [[s.name, s.env, s.default] for s in SETTINGS.values()]


def test_the_places_of_settings_in_the_man_page() -> None:
    text = (DOCS / "git-skillmesh.1").read_text()
    for setting in SETTINGS.values():
        assert setting.name in text
        assert setting.env in text


def test_fields_of_collections() -> None:
    for name, schema in COLLECTIONS.items():
        documented = [tuple(row) for row in rows(DOCS / "chroma.md", name)]
        assert documented == [(field, *about) for field, about in schema.fields.items()]


def test_reasons_to_leave_files_out() -> None:
    documented = [row[0] for row in rows(DOCS / "exclusion.md", "What is left out")]
    assert documented == [skip.value for skip in Skip]


def test_figures_in_the_text() -> None:
    parsed = sum(tree.has_grammar(language) for language in LANGUAGES)
    assert f"- {parsed} languages are parsed" in (ROOT / "README.md").read_text()
    text = (DOCS / "query.md").read_text()
    assert f"up to {view.QUICK_FILES} files and\n{view.QUICK_BYTES // 1_000_000} MB" in text
    assert f"the {search._LEXICAL_POOL} best chunks" in text
    assert f"the {search._DENSE_POOL} best by" in text
    assert f"cosine {search._LEAST_COSINE}" in text


def test_figures_of_skills() -> None:
    text = (DOCS / "skills.md").read_text()
    hit = rendering.hit_of(Entry(Card("a.b", "", "", ""), before=("c.d",)))
    assert {name for row in rows(DOCS / "skills.md", "Find") for name in row[0].split("`, `")} == (
        set(hit)
    )
    keys = {"path", "source", "subpath", "revision", "commit", "licence", "files", "sha256"}
    assert (
        {
            name
            for row in rows(DOCS / "skills.md", "Take in skills of others")
            for name in row[0].split("`, `")
        }
        == {*keys, "forced"}
        == {*shelf._fields(Locked("", {}, forced=("x",)))}
    )
    assert f"(default {rendering.DEFAULT_BUDGET}, 0 is no bound)" in text
    assert f"estimated as {display.BYTES_PER_TOKEN} bytes" in text
    assert f"a score\nbelow {rendering.DOUBTFUL} " in text
    listed = ", ".join(parts._USEFUL).lower()
    assert listed in " ".join(text.split())
    megabytes = [size // 1024**2 for size in (folders.FILE_LONGEST, folders.SKILL_LARGEST)]
    assert f"at most {megabytes[0]} MiB a file, {megabytes[1]} MiB and {folders.MOST_FILES}\n" in (
        text
    )


def test_the_version() -> None:
    assert f"git\\-skillmesh {__version__}" in (DOCS / "git-skillmesh.1").read_text()


def test_kinds_in_the_schema() -> None:
    assert SCHEMA["$defs"]["result"]["properties"]["kind"]["enum"] == sorted(KINDS)


def test_keys_of_results_in_the_text_and_in_the_schema() -> None:
    listed = [name for row in rows(DOCS / "query.md", "JSON") for name in row[0].split("`, `")]
    assert set(listed) == set(SCHEMA["$defs"]["result"]["properties"])


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, sealed_session: None) -> Repo:
    repo = make_sample(tmp_path_factory.mktemp("schema"))
    repo.write("src/parcels/scales.py", "def weigh(parcel):\n    return parcel.grams\n")
    done = repo.skillmesh("index", "--chroma", "wait", "--quiet")
    assert done.returncode == 0, done.stderr
    return repo


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["parse_duration"], True),
        (["--full", "--explain", "address"], True),
        (["--at", "HEAD~1", "scans"], True),
        (["--at", "HEAD^{tree}", "scans"], True),
        (["--committed", "--rank", "rrf", "duration"], True),
        (["weigh"], True),
        (["--backend", "chroma", "--full", "--explain", "address"], True),
        (["zebra"], False),
        (["--lang", "haskell", "address"], False),
    ],
)
def test_real_answers_fit_the_schema(sample: Repo, arguments: list[str], found: bool) -> None:
    done = sample.skillmesh("query", "--json", *arguments)
    assert done.returncode == (0 if found else 1), done.stderr
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert bool(document["results"]) is found


def test_the_schema_is_one_and_refuses_what_it_does_not_know() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid({"schema": 1, "query": "x"})


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        (
            "status",
            {
                "proposed",
                "repository",
                "index",
                "memory",
                "thoughts",
                "learnings",
                "skipped",
                "chroma",
                "hooks",
                "sharing",
                "waiting_since",
                "last_error",
                "config",
            },
        ),
        ("doctor", {"ok", "checks"}),
        ("prune", {"file_versions", "bytes_before", "bytes_after"}),
        ("collections", {"target", "collections"}),
    ],
)
def test_keys_of_other_json_documents(sample: Repo, command: str, keys: set[str]) -> None:
    options = ["--config"] if command == "status" else []
    document = json.loads(sample.skillmesh(command, "--json", *options).stdout)
    assert set(document) == keys
    section = (DOCS / "commands.md").read_text().partition(f"\n## {command}\n")[2]
    section = section.partition("\n## ")[0]
    for name in inner_keys(document):
        assert f"`{name}`" in section, name


def inner_keys(document: Mapping[str, Any]) -> set[str]:
    """Return the keys that a page has to name: of the document, its objects and listed objects."""
    found = set(document)
    for name, value in document.items():
        if name == "config":
            found |= {"value", "origin"}
        elif isinstance(value, dict):
            found |= set(value)
        elif isinstance(value, list) and value:
            found |= set(value[0])
    return found
