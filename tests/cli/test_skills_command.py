"""`git skillmesh skills index|retrieve|emit|list|show|validate`, in a repository and outside."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from testing.commands import call
from testing.registries import DESCRIPTION, write_card, write_plain, write_roles
from testing.repos import Repo, Result, make_repo
from testing.schemas import fits

ROLE = {
    "id": "dispatcher", "title": "Dispatcher", "description": "Sends parcels",
    "experts": ["depot.weighing", "depot.labels"], "tags": ["post"],
}  # fmt: skip
ASKED = "weigh parcels on a scale before dispatch"
LABELS: dict[str, Any] = {
    "title": "Labels that scanners can read",
    "tags": ["barcode", "label", "printer", "scanner", "font", "contrast", "address", "sticker"],
    "aliases": ["labelling", "barcode printing", "address stickers"],
    "tool_hints": ["labelctl"],
    "examples": [f"barcode number {number} cannot be scanned" for number in range(12)],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside of any repository, with a registry in it."""
    folder = tmp_path_factory.mktemp("skills")
    root = folder / "registry"
    write_card(root, "depot.weighing", composability={"before": ["depot.labels"]})
    skill = write_card(root, "depot.labels", **LABELS) / "SKILL.md"
    skill.write_text(skill.read_text().replace("Parcels have to be weighed", "Labels are printed"))
    write_roles(root, ROLE)
    return folder


@pytest.fixture
def skills(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command there, for one user: what a test has read of the registry is kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))

    def run(action: str, *args: str) -> Result:
        return call(folder, "skills", action, "--registry", "registry", *args)

    return run


def test_retrieve(skills: Callable[..., Result]) -> None:
    said = skills("retrieve", "--top-k", "1", *ASKED.split())
    first, second = said.stdout.splitlines()
    title = "Weighing parcels before dispatch"
    assert re.fullmatch(rf" 1\. depot\.weighing  {title}  [01]\.\d\d · third party", first)
    assert second == f"    {DESCRIPTION[:155]}…"
    assert (said.returncode, said.stderr) == (0, "")
    assert skills("retrieve", "--query", ASKED, "--top-k", "1") == said


@pytest.mark.parametrize("backend", ["auto", "memory", "chroma"])
@pytest.mark.parametrize("dense", ["--dense", "--no-dense"])
def test_retrieve_json(skills: Callable[..., Result], backend: str, dense: str) -> None:
    said = skills("retrieve", "--json", "--backend", backend, dense, "--query", ASKED)
    document = json.loads(said.stdout)
    assert (said.returncode, said.stderr) == (0, "")
    assert document.keys() == {"query", "hits"}
    assert document["query"] == ASKED
    hit = document["hits"][0]
    assert hit.keys() == {
        "id", "title", "score", "sparse_score", "dense_score", "domain", "description", "tags",
        "risk_level", "maturity", "instruction_file", "third_party",
    }  # fmt: skip
    assert (hit["id"], hit["third_party"]) == ("depot.weighing", True)
    assert 0.5 < hit["score"] <= 1
    assert len(document["hits"]) <= 3


def test_nothing_fits(skills: Callable[..., Result]) -> None:
    said = skills("retrieve", "write a poem about cats")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.count("\n") == 1
    reason = said.stderr.strip()
    said = skills("retrieve", "--json", "write a poem about cats")
    assert said.returncode == 1
    assert json.loads(said.stdout) == {
        "query": "write a poem about cats", "hits": [], "reason": reason
    }  # fmt: skip
    for provider, out in (("claude", ""), ("codex", ""), ("openai-tools", "[]\n")):
        said = skills("emit", "--provider", provider, "write a poem about cats")
        assert said == Result(1, out, f"{reason}\n")


def test_prerequisites_come_behind_and_displace_nothing(skills: Callable[..., Result]) -> None:
    plain = json.loads(skills("retrieve", "--json", "--top-k", "1", ASKED).stdout)["hits"]
    said = skills("retrieve", "--json", "--top-k", "1", "--with-prerequisites", ASKED)
    hits = json.loads(said.stdout)["hits"]
    assert hits[: len(plain)] == plain
    (more,) = hits[len(plain) :]
    assert (more["id"], more["prerequisite_of"], more["score"]) == (
        "depot.labels", ["depot.weighing"], None
    )  # fmt: skip
    shown = skills("retrieve", "--top-k", "1", "--with-prerequisites", ASKED).stdout
    assert "\n  + depot.labels  Labels that scanners can read  before depot.weighing" in shown
    block = skills("emit", "--top-k", "1", "--with-prerequisites", ASKED).stdout
    found = ElementTree.fromstring(block).findall("skill")  # noqa: S314 - our own
    assert [one.get("prerequisite_of") for one in found] == [None, "depot.weighing"]


def test_emit_for_a_model(skills: Callable[..., Result]) -> None:
    said = skills("emit", "--top-k", "1", "--budget", "600", ASKED)
    (skill,) = ElementTree.fromstring(said.stdout).findall("skill")  # noqa: S314 - our own
    assert [one.get("title") for one in skill.findall("section")] == [
        "Execution behaviour", "Decision tree", "Anti-patterns", "Composability",
    ]  # fmt: skip
    left = skill.findtext("left_out") or ""
    assert left.endswith("To see all: git skillmesh skills show --registry registry depot.weighing")
    again = call(Path.cwd(), "skills", "emit", "--budget", "1", "--registry", "nowhere", "x")
    assert (again.returncode, again.stdout) == (2, "")


def test_emit_characters(skills: Callable[..., Result]) -> None:
    said = skills("emit", "--top-k", "1", "--instruction-chars", "800", "--json", ASKED)
    (hit,) = json.loads(said.stdout)["hits"]
    titles = [one["title"] for one in hit["sections"]]
    assert titles == ["Execution behaviour", "Composability"]
    assert sum(len(one["text"]) for one in hit["sections"]) <= 800
    assert hit["left_out"][0] == "When to use"


def test_emit_json(skills: Callable[..., Result]) -> None:
    plain = skills("emit", "--provider", "json", ASKED)
    assert skills("emit", "--json", ASKED) == plain
    assert json.loads(plain.stdout).keys() == {"query", "hits"}
    both = json.loads(skills("emit", "--json", "--provider", "codex", ASKED).stdout)
    assert both.keys() == {"query", "hits", "tokens", "provider", "text"}
    assert both["text"] == skills("emit", "--provider", "codex", ASKED).stdout


def test_what_is_hardly_meant_is_emitted_only_when_asked_for(
    skills: Callable[..., Result],
) -> None:
    found = json.loads(skills("retrieve", "--json", ASKED).stdout)["hits"]
    few = json.loads(skills("emit", "--json", ASKED).stdout)["hits"]
    assert [hit["id"] for hit in few] == [
        hit["id"] for hit in found if hit is found[0] or hit["score"] >= 0.1
    ]
    asked_for = json.loads(skills("emit", "--json", "--top-k", "3", ASKED).stdout)["hits"]
    assert [hit["id"] for hit in asked_for] == [hit["id"] for hit in found]


def test_emit_tools(skills: Callable[..., Result]) -> None:
    tools = json.loads(skills("emit", "--provider", "openai-tools", ASKED).stdout)
    assert tools[0]["function"]["name"] == "depot_weighing"
    assert tools[0]["function"]["description"].startswith("[third party] Weighs parcels")


def test_index(skills: Callable[..., Result], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    assert skills("index").stdout.startswith("2 skills indexed in ")
    (kept,) = (home / ".cache" / "skillmesh" / "skills").glob("*.routing")
    before = kept.read_bytes()
    document = json.loads(skills("index", "--json").stdout)
    assert document == {
        "registry": "parcels", "skills": 2, "backend": "memory", "seconds": document["seconds"]
    }  # fmt: skip
    assert kept.read_bytes() == before


def test_list(skills: Callable[..., Result]) -> None:
    labels = "depot.labels    Labels that scanners can read  third party\n"
    weighing = "depot.weighing  Weighing parcels before dispatch  third party\n"
    assert skills("list") == Result(
        0, f"{labels}{weighing}\ndispatcher      Dispatcher  2 skills\n", ""
    )
    assert skills("list", "--tag", "barcode").stdout == labels.replace("    L", "  L")
    assert skills("list", "--domain", "depot", "--role", "dispatcher").stdout == labels + weighing
    assert skills("list", "--domain", "other") == Result(1, "", "no skills that fit\n")
    assert skills("list", "--role", "other").stderr == (
        "git-skillmesh: no role other: dispatcher\n"
    )
    document = json.loads(skills("list", "--json").stdout)
    assert [one["id"] for one in document["skills"]] == ["depot.labels", "depot.weighing"]
    assert document["roles"] == [ROLE]


def test_show(skills: Callable[..., Result]) -> None:
    said = skills("show", "depot.weighing")
    assert said.stdout.startswith(
        "depot.weighing  Weighing parcels before dispatch\ndescription     Weighs parcels on a"
    )
    assert "\nbefore          depot.labels\n" in said.stdout
    assert "\n## Decision tree\n\n- If the reference mass reads" in said.stdout
    assert skills("show", "weighing") == said
    section = skills("show", "weighing", "--section", "decision tree")
    assert section.stdout.splitlines()[0] == "## Decision tree"
    assert [line[:5] for line in section.stdout.splitlines()[1:]] == ["- If "] * 4
    assert (
        "has no section nope: When to use, "
        in skills("show", "weighing", "--section", "nope").stderr
    )
    document = json.loads(skills("show", "weighing", "--json").stdout)
    assert document["instructions"].startswith("# Weighing parcels")
    assert skills("show", "dispatcher").stdout == (
        "dispatcher  Dispatcher\nSends parcels\n\n"
        "depot.weighing  Weighing parcels before dispatch  third party\n"
        "depot.labels    Labels that scanners can read  third party\n"
    )
    assert skills("show", "wieghing").stderr == (
        "git-skillmesh: no skill wieghing: git skillmesh skills list\n"
    )
    assert skills("show", "depot.wieghing").stderr == (
        "git-skillmesh: no skill depot.wieghing: depot.weighing\n"
    )


def test_validate(folder: Path, tmp_path: Path) -> None:
    said = call(folder, "skills", "validate", "registry")
    assert said == Result(0, "", "all in order\n")
    file = write_plain(tmp_path / "theirs", "odd", "---\nname: odd\n---\n# Odd\n")
    said = call(tmp_path, "skills", "validate", "theirs")
    assert said == Result(1, "theirs/odd/SKILL.md:2: description is missing\n", "1 problem\n")
    document = json.loads(call(tmp_path, "skills", "validate", "--json", "theirs").stdout)
    assert document == {
        "problems": [{"path": "odd/SKILL.md", "line": 2, "what": "description is missing"}]
    }
    file.write_text("---\nname: odd\ndescription: About it\n---\n# Odd\n")
    assert call(tmp_path, "skills", "validate", "theirs") == Result(0, "", "all in order\n")
    write_card(tmp_path / "ours", "depot.weighing", tags=["parcel"])
    assert call(tmp_path, "skills", "validate", "ours").returncode == 0
    strict = call(tmp_path, "skills", "validate", "ours", "--strict")
    assert strict.returncode == 1
    assert strict.stdout.startswith("ours/depot/weighing/card.yaml:")


def test_a_registry_with_a_missing_file_is_found_by_the_rest(tmp_path: Path) -> None:
    cards = [
        {"id": "a.b", "title": "Weighing parcels", "description": DESCRIPTION,
         "instruction_file": "gone.md", "examples": [ASKED]},
        {"id": "a.c", "title": "Baking bread", "description": "Dough, yeast and ovens."},
    ]  # fmt: skip
    (tmp_path / "experts.json").write_text(json.dumps({"experts": cards}))
    said = call(tmp_path, "skills", "retrieve", "--registry", "experts.json", "--json", ASKED)
    assert json.loads(said.stdout)["hits"][0]["id"] == "a.b"
    said = call(tmp_path, "skills", "emit", "--registry", "experts.json", ASKED)
    assert "Weighs parcels on a bench scale" in said.stdout
    said = call(tmp_path, "skills", "show", "--registry", "experts.json", "a.b")
    assert said.stderr.startswith("git-skillmesh: the instructions of a.b cannot be read: gone.md")


@pytest.fixture(scope="module")
def ours(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with a skill; what a test has read of all skills is kept."""
    repo = make_repo(tmp_path_factory.mktemp("ours"), files={"README.md": "Ours\n"})
    write_card(repo.path / ".skillmesh/skills", "depot.weighing")
    return repo


def test_skills_of_a_repository_are_found_with_the_others(ours: Repo) -> None:
    said = call(ours.path, "skills", "retrieve", "--top-k", "1", ASKED)
    assert said.stdout.startswith(" 1. depot.weighing  ")
    assert call(ours.path, "-C", str(ours.path), "skills", "retrieve", ASKED).returncode == 0
    assert [*(ours.state_dir / "skills").glob("experts-*.routing")]
    said = call(ours.path, "skills", "validate")
    assert said == Result(0, "", "all in order\n")


def test_query_finds_skills(ours: Repo) -> None:
    for options in ([], ["--full"]):
        said = call(ours.path, "query", "--in", "skills", "--json", "-n", "1", *options, ASKED)
        assert said.returncode == 0, said.stderr
        document = json.loads(said.stdout)
        fits(document, "query")
        assert document["skills"][0]["id"] == "depot.weighing"
    said = call(ours.path, "query", "--in", "skills", "-n", "1", ASKED)
    assert said == call(ours.path, "skills", "retrieve", "--top-k", "1", ASKED)
    assert (
        "    ## Decision tree\n"
        in call(ours.path, "query", "--in", "skills", "--full", ASKED).stdout
    )
    said = call(ours.path, "query", "--in", "skills", "zebra crossing")
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (1, "", 1)
    assert call(ours.path, "index", "--chroma", "off", "-q").returncode == 0
    said = call(ours.path, "query", "--in", "all", ASKED)
    assert ". depot.weighing  " in said.stdout
    document = json.loads(call(ours.path, "query", "--in", "all", "--json", ASKED).stdout)
    fits(document, "query")
    assert document["skills"][0]["id"] == "depot.weighing"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["query", "--in", "skills", "--path", "x", "y"], "--path is for code: add --in code"),
        (["query", "--in", "skills", "--rank", "rrf", "y"], "skills are ranked in one way"),
        (["query", "--in", "skills", "--agent", "x", "y"], "--agent is for conversations"),
        (["skills", "retrieve"], "the task is missing: git skillmesh skills retrieve WORDS"),
        (["skills", "retrieve", "--query", "a", "b"], "the task is there twice"),
        (["skills", "retrieve", "--top-k", "0", "b"], "--top-k must be at least 1"),
        (["skills", "emit", "--budget", "-1", "b"], "--budget must not be negative"),
        (["skills", "retrieve", "--budget", "1", "b"], "--budget is for: emit"),
        (["skills", "list", "x"], "list takes no words"),
        (["skills", "show"], "show takes one ID"),
        (["skills", "retrieve", "--registry", "nowhere", "x"], "no registry at nowhere"),
        (["skills", "nope"], "no such action: nope: index, retrieve, "),
        (["skills"], "the following arguments are required: ACTION"),
        (["skills", "add", "x"], "neither a folder nor an address: x"),
    ],
)
def test_complaints(ours: Repo, arguments: list[str], said: str) -> None:
    done = call(ours.path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_needs_a_repository_says_so(tmp_path: Path) -> None:
    for arguments in (["add", "x"], ["update"], ["remove", "x"]):
        done = call(tmp_path, "skills", *arguments)
        assert done.returncode == 4
        assert "not a git repository" in done.stderr
