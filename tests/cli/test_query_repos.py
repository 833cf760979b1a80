"""Several repositories in one store: kept apart, and on one page where that is asked for.

One real server with two repositories that have a file in common, so that vectors alone could not
tell them apart.
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from git_skillmesh.chroma import client as clients
from git_skillmesh.chroma.target import Target
from git_skillmesh.learnings.model import State
from git_skillmesh.learnings.writing import write_learning
from testing.chroma_server import ChromaServer, free_port
from testing.commands import call
from testing.docs_pages import ROOT
from testing.learnings import learning
from testing.recording_proxy import Exchange, RecordingProxy
from testing.repos import Repo, Result, make_repo
from testing.schemas import fits

SAME = "def pack(parcel):\n    return parcel.wrap()\n"
FILES = {
    "parcels": {
        "src/scan.py": "def parse_scan(text):\n    return text.split(';')\n",
        "src/same.py": SAME,
    },
    "billing": {
        "src/invoice.py": "def total_invoice(lines):\n    # \x1b[31minvoice: sum of all lines\n"
        "    return sum(line.amount for line in lines)\n",
        "src/same.py": SAME,
    },
}
LEARNED = {
    "parcels": learning("wait", "Wait for the depot to answer", state=State.WARN),
    "billing": learning("cents", "Amounts are Decimal, never float", state=State.BLOCK,
                        category="money"),
}  # fmt: skip
ASKED = {"parcels": "Retry lost scans.", "billing": "Round invoices to cents."}
THOUGHT = {
    "parcels": "The depot closes the connection while scans are read.",
    "billing": "Discounts and taxes must be rounded once, at the end.",
}
COLLECTIONS = ("codebase_v1", "chat_history_v1", "derived_learnings_v1", "thinking_sessions_v1")


@dataclass(frozen=True)
class Team:
    """A server, two repositories, and the environment in which they use it."""

    server: RecordingProxy
    parcels: Repo
    billing: Repo

    def ask(self, *words: str, url: str = "", repo: Repo | None = None) -> Result:
        env = {"CHROMA_DB_IMPL": "http", "CHROMA_HTTP_URL": url or self.server.url}
        return call((repo or self.parcels).path, *words, env=env)

    def json(self, *words: str) -> dict[str, Any]:
        said = self.ask(*words, "--json")
        assert said.stderr == ""
        document: dict[str, Any] = json.loads(said.stdout)
        return document

    def raw(self) -> Any:
        return clients.open_client(Target("http", url=self.server.url), 20)


@pytest.fixture(scope="module")
def team(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("team")
    server = ChromaServer(folder / "server")
    server.start()
    stack = ExitStack()
    stack.callback(server.stop)
    made = {}
    for name, files in FILES.items():
        one = LEARNED[name]
        repo = make_repo(folder, name, files={**files, one.path: write_learning(one)})
        repo.git("config", "skillmesh.repoid", f"id-of-{name}")
        repo.git("config", "skillmesh.reponame", f"acme/{name}")
        made[name] = repo
    proxy = stack.enter_context(RecordingProxy(server.url))
    found = Team(proxy, made["parcels"], made["billing"])
    for name, repo in made.items():
        said = [
            found.ask("log-chat", "--session", f"s-{name}", "--agent", "codex", "--prompt",
                      ASKED[name], "--response", "It is done.", repo=repo),
            found.ask("think", "record", THOUGHT[name], "--session", f"t-{name}", repo=repo),
            found.ask("index", "--chroma", "wait", repo=repo),
        ]  # fmt: skip
        assert [one.returncode for one in said] == [0, 0, 0], said
    with stack:
        yield found


def test_the_list_of_repositories(team: Team) -> None:
    said = team.ask("collections", "--repos")
    assert (said.returncode, said.stderr) == (0, "")
    first, head, *rest = said.stdout.splitlines()
    assert first == f"the server {team.server.url}"
    assert head == (
        "  name          id                  code      chats  learnings   thoughts  as of"
    )
    listed = [line.split() for line in rest]
    assert [line[:-2] for line in listed] == [
        ["acme/billing", "id-of-billing", "3", "1", "1", "1", listed[0][-3]],
        ["*", "acme/parcels", "id-of-parcels", "3", "1", "1", "1", listed[1][-3]],
    ]
    assert [line[-2:] for line in listed] == [
        ["main", team.billing.head[:9]], ["main", team.parcels.head[:9]],
    ]  # fmt: skip
    document = team.json("collections", "--repos")
    assert document["repositories"][0] == {
        "repo_id": "id-of-billing", "name": "acme/billing", "here": False,
        "commit": team.billing.head, "branch": "main",
        "time": document["repositories"][0]["time"], "rows": dict(
            zip(COLLECTIONS, (3, 1, 1, 1), strict=True)),
    }  # fmt: skip


def test_code_of_another_repository(team: Team) -> None:
    said = team.ask("query", "--repo", "billing", "-n", "1", "sum of an invoice")
    assert (said.returncode, said.stderr) == (0, "")
    head, *lines = said.stdout.splitlines()
    assert head.startswith(
        " 1. [acme/billing] src/invoice.py:1  total_invoice  function · 3 lines · "
        + team.billing.head[:9]
    )
    assert lines == [
        "        1 def total_invoice(lines):",
        "        2     # ␛[31minvoice: sum of all lines",
        "        3     return sum(line.amount for line in lines)",
    ]


def test_this_repository_and_another(team: Team) -> None:
    words = ("--repo", ".", "--repo", "billing", "pack a parcel")
    hits = team.json("query", *words)["found"]
    assert {(hit["repo_id"], hit["facts"]["path"]) for hit in hits} >= {
        ("id-of-parcels", "src/same.py"), ("id-of-billing", "src/same.py"),
    }  # fmt: skip
    assert team.ask("query", "--repo", "bill", "invoice") == Result(
        2, "", "git-skillmesh: there is no repository bill in this store: "
        "git skillmesh collections --repos\n",
    )  # fmt: skip


def test_all_repositories_on_one_page(team: Team) -> None:
    document = team.json("query", "--all-repos", "--full", "pack a parcel")
    fits(document, "query")
    assert document["repositories"] == {
        "here": True,
        "others": [{"repo_id": "id-of-billing", "name": "acme/billing"}],
        "answered": True,
    }
    first, second = document["found"][:2]
    assert {first["here"], second["here"]} == {True, False}
    assert first["text"] == second["text"] == SAME.rstrip("\n")
    assert (first["facts"]["path"], second["facts"]["path"]) == ("src/same.py", "src/same.py")
    assert [hit["rank"] for hit in document["found"]] == list(range(1, len(document["found"]) + 1))
    scores = [hit["score"] for hit in document["found"]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("what", "question", "facts"),
    [
        ("chats", "round invoices", {"session": "s-billing", "agent": "codex"}),
        ("learnings", "amounts as float", {"learning_id": "cents", "state": "block"}),
        ("thoughts", "when are taxes rounded", {"session": "t-billing", "number": 1}),
    ],
)
def test_the_other_kinds(team: Team, what: str, question: str, facts: dict[str, Any]) -> None:
    document = team.json("query", "--all-repos", "--in", what, question)
    hit = document["found"][0]
    assert (hit["repository"], hit["here"]) == ("acme/billing", False)
    assert facts.items() <= hit["facts"].items()
    fits(document, "query")


def test_all_kinds_of_all_repositories(team: Team) -> None:
    said = team.ask("query", "--all-repos", "--in", "all", "round invoices to cents")
    assert (said.returncode, said.stderr) == (0, "")
    assert ". [acme/billing] Round invoices to cents.  conversation · codex · " in said.stdout
    hits = team.json("query", "--all-repos", "--in", "all", "round amounts of an invoice")["found"]
    assert {(hit["kind"], hit["repository"]) for hit in hits} >= {
        ("code", "acme/billing"), ("learning", "acme/billing"),
    }  # fmt: skip


def test_filters(team: Team) -> None:
    def paths(*words: str) -> list[str]:
        found = team.json("query", "--repo", "billing", *words, "pack parcel invoice")["found"]
        return sorted(hit["facts"]["path"] for hit in found)

    assert paths("--path", "src/inv*") == ["src/invoice.py"]
    assert paths("--kind", "class", "--lang", "python") == []
    retired = team.json("query", "--repo", "billing", "--in", "learnings", "--state", "retired",
                        "amounts")  # fmt: skip
    assert retired["found"] == []

    def kept(*words: str) -> tuple[int, list[str]]:
        found = team.json("query", "--repo", "billing", *words)
        return len(found["found"]), found["notes"]

    learned = ("--in", "learnings", "amounts")
    # It names no language, and applies to all.
    assert kept(*learned, "--lang", "go") == (1, [])
    assert kept(*learned, "--path", "src/**") == (
        0, ["learnings of other repositories: no store knows their --path"],
    )  # fmt: skip
    asked = ("--in", "chats", "round invoices to cents")
    assert kept(*asked)[0] == 1
    assert kept(*asked, "--path", "src/scan.py")[0] == 0
    assert kept(*asked, "--since", "2000-01-01")[0] == 1
    assert kept(*asked, "--agent", "claude*")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--at", "HEAD"), "--at is for this repository alone: leave out --repo, --all-repos"),
        (("--explain",), "--explain is for this repository alone: leave out --repo, --all-repos"),
        (("--in", "skills"), "skills belong to no repository: leave out --repo, --all-repos"),
    ],
)
def test_options_that_do_not_fit(team: Team, words: tuple[str, ...], said: str) -> None:
    asked = team.ask("query", "--all-repos", *words, "x")
    assert asked == Result(2, "", f"git-skillmesh: {said}\n")


def test_the_server_is_away(team: Team) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    said = team.ask("query", "--all-repos", "-n", "1", "parse_scan", url=dead)
    assert said.returncode == 0
    assert said.stdout.startswith(" 1. [here] src/scan.py:1  parse_scan  function · 2 lines · ")
    assert said.stderr == (
        f"other repositories were not searched: the server {dead} does not answer: "
        "[Errno 111] Connection refused\n"
    )
    alone = team.ask("query", "--repo", "billing", "invoice", url=dead)
    assert (alone.returncode, alone.stdout) == (7, "")
    assert alone.stderr.startswith(f"git-skillmesh: the server {dead} does not answer: ")


def test_nothing_is_shared(team: Team) -> None:
    said = call(team.parcels.path, "query", "--repo", "billing", "x", env={"CHROMA_DB_IMPL": "off"})
    assert said == Result(
        5, "", "git-skillmesh: no store is shared with other repositories: set chroma.impl and "
        "chroma.url, or a chroma.path that all of them use\n",
    )  # fmt: skip


def test_another_model(team: Team) -> None:
    """One line, and what this repository has."""
    collection = team.raw().get_collection("codebase_v1", embedding_function=None)
    was = dict(collection.metadata)
    collection.modify(metadata={**was, "model_id": "other-model"})
    try:
        said = team.ask("query", "--all-repos", "-n", "1", "parse_scan")
    finally:
        collection.modify(metadata=was)
    assert said.returncode == 0
    assert said.stdout.startswith(" 1. [here] src/scan.py:1  parse_scan  ")
    assert said.stderr == (
        "code of other repositories: codebase_v1 holds vectors of other-model, not of "
        f"{was['model_id']}\n"
    )


def test_a_repository_without_a_record_and_one_with_a_hostile_one(team: Team) -> None:
    records = team.raw().get_collection("skillmesh_repositories", embedding_function=None)
    kept = records.get(ids=["id-of-billing"], include=["metadatas", "embeddings"])
    records.delete(ids=["id-of-billing"])
    try:
        listed = team.json("collections", "--repos")["repositories"]
        assert [one["repo_id"] for one in listed] == ["id-of-parcels", "id-of-billing"]
        assert listed[1] | {"rows": 0} == {
            "repo_id": "id-of-billing", "name": "", "here": False, "commit": "", "branch": "",
            "time": "", "rows": 0,
        }  # fmt: skip
        assert listed[1]["rows"] == dict(zip(COLLECTIONS, (3, 1, 1, 1), strict=True))
        (hit,) = team.json("query", "--repo", "id-of-billing", "-n", "1", "invoice")["found"]
        assert hit["repository"] == "id-of-billing"
        hits = team.json("query", "--all-repos", "sum of an invoice")["found"]
        assert hits[0]["repository"] == "id-of-billing"
    finally:
        hostile = {**kept["metadatas"][0], "repo_name": "\x1b]0;owned\x07acme"}
        records.upsert(ids=kept["ids"], embeddings=kept["embeddings"], metadatas=[hostile])
    try:
        for words in (("collections", "--repos"), ("query", "--all-repos", "sum of an invoice")):
            shown = team.ask(*words).stdout
            assert "\x1b" not in shown
            assert "␛]0;owned␇acme" in shown
    finally:
        records.update(ids=kept["ids"], metadatas=kept["metadatas"])


def test_rows_of_this_repository_that_somebody_has_bent(team: Team) -> None:
    rows = team.raw().get_collection("codebase_v1", embedding_function=None)
    kept = rows.get(where={"file_path": "src/scan.py"}, include=["metadatas"])
    bent = {"blob_sha": "HEAD:src/same.py\nHEAD", "start_line": -3, "symbol": None}
    rows.update(ids=kept["ids"], metadatas=[bent for _ in kept["ids"]])
    try:
        said = team.ask("query", "--backend", "chroma", "-n", "1", "parse_scan")
    finally:
        rows.update(ids=kept["ids"], metadatas=kept["metadatas"])
    assert (said.returncode, said.stderr) == (
        0, "1 result of files that this clone does not have: git fetch\n",
    )  # fmt: skip
    assert said.stdout.startswith(" 1. src/scan.py:1  function")


def _owners(team: Team) -> dict[str, str]:
    """Return the repository of every row of the four collections."""
    client = team.raw()
    found: dict[str, str] = {}
    for name in COLLECTIONS:
        rows = client.get_collection(name, embedding_function=None).get(include=["metadatas"])
        found |= {i: str(m["repo_id"]) for i, m in zip(rows["ids"], rows["metadatas"], strict=True)}
    return found


def _mentions(condition: Any, repo: str) -> bool:
    """Whether a condition lets through rows of this repository alone."""
    if not isinstance(condition, dict):
        return False
    if "$and" in condition:
        return any(_mentions(one, repo) for one in condition["$and"])
    return condition.get("repo_id") in (repo, {"$eq": repo}, {"$in": [repo]})


def _excused(one: Exchange) -> bool:
    """What looks beyond the repository, and shows nothing of what it sees.

    Is anybody else here: one id. Which fields have rows: a few, for their names. Can what was just
    written be found: distances.
    """
    asked = one.asked
    if one.operation == "get":
        alone = asked.get("where") == {"repo_id": {"$ne": "id-of-parcels"}}
        looks = alone and asked["limit"] == 1 and asked["include"] == []
        return bool(looks or (asked.get("limit") == 5 and asked["include"] == ["metadatas"]))
    return bool(one.operation == "query" and asked["include"] == ["distances"])


def test_no_command_sees_or_touches_what_others_have(team: Team) -> None:
    """Every request of every command that uses the store, as it goes over the wire."""
    before = _owners(team)
    team.parcels.write("src/scan.py", "def parse_scan(text):\n    return text.split(',')\n")
    team.parcels.commit("another separator")
    team.server.seen.clear()
    for words in (
        ("index", "--chroma", "wait"),
        ("query", "--backend", "chroma", "pack"),
        ("query", "--in", "all", "invoice"),
        ("collections",),
        ("collections", "--check"),
        ("prune", "--days", "0"),
        ("forget", "--yes", "s-parcels"),
        ("think", "forget", "t-parcels", "--yes"),
        ("index", "--rebuild", "--chroma", "wait"),
        ("doctor",),
        ("doctor", "--repair"),
        ("status",),
    ):
        said = team.ask(*words)
        assert said.returncode in (0, 1), f"{words} {said.returncode}\n{said.stdout}{said.stderr}"
        assert "invoice" not in said.stdout.lower(), words
    others = {number for number, repo in before.items() if repo != "id-of-parcels"}
    seen = list(team.server.seen)
    operations = {one.operation for one in seen}
    assert operations >= {"get", "query", "upsert", "delete", "count"}
    for one in seen:
        if one.operation in ("upsert", "update", "delete"):
            if one.method == "POST" and one.asked and "ids" in one.asked:
                assert others.isdisjoint(one.asked["ids"]), one
        elif one.operation in ("get", "query") and one.method == "POST":
            where, ids = one.asked.get("where"), one.asked.get("ids") or ()
            assert (
                _mentions(where, "id-of-parcels")
                or (ids and others.isdisjoint(ids))
                or _excused(one)
            ), one
    after = _owners(team)
    kept = {number: repo for number, repo in after.items() if repo != "id-of-parcels"}
    assert kept == {number: before[number] for number in others}


def test_no_other_module_asks_chroma(team: Team) -> None:
    """All that is asked goes through the rooms whose requests were seen above."""
    package = ROOT / "src" / "git_skillmesh"
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if re.search(r"^ *(?:from|import) chromadb", path.read_text(), re.MULTILINE)
    }
    assert {name for name in found if not name.startswith("chroma/")} == {
        "embedding/providers.py", "registry/backends/chroma.py",
    }  # fmt: skip
