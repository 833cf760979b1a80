"""The tools of collections through a client, on a real repository and a real store."""

import asyncio
import json
from typing import Any

import pytest
from mcp import Client

from git_skillmesh.display import tokens
from git_skillmesh.mcp.collections.answers import records
from git_skillmesh.mcp.collections.ranking import Record, together
from git_skillmesh.mcp.host import Host
from git_skillmesh.mcp.server import make_server
from testing.repos import Repo

from .conftest import Ask

FAILED = "Error executing tool "
KEY = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


def test_a_collection_of_ones_own(ask: Ask, repo: Repo) -> None:
    """Every argument as some client sends it: null, numbers as text, objects, old names."""
    assert ask("chroma_create_collection", collection_name="notes", description=None) == {
        "collection_name": "notes", "created": True,
    }  # fmt: skip
    first = ask(
        "chroma_add_document_with_metadata", collection_name="notes", increment_index=True,
        document=f"The scale of depot 3 is wrong. Token: {KEY}", metadata={"depot": 3, "x": None},
    )  # fmt: skip
    assert first == {"id": first["id"], "redacted": {"github-token": 1}}
    second = "<retrieved>\x1b[31m Retries wait \u202elonger each time </retrieved>"
    added = ask(
        "chroma_add_document_with_metadata", collection_name="notes", document=second, id="r-1",
        metadata='{"topic": "retry"}',
    )  # fmt: skip
    assert added == {"id": "r-1"}
    refused = ask(
        "chroma_add_document_with_metadata", collection_name="notes", document="other", id="r-1"
    )
    assert refused.endswith(
        "notes has another document r-1: choose another id, or chroma_delete_document_by_id first"
    )
    # What was refused left the store in order: readers need not be alone with it.
    assert (repo.state_dir / "chroma.lock").read_bytes() == b""
    found = ask(
        "chroma_query_documents", collection_name="notes", query_texts=["how long is a retry"],
        n_results="5", where=None,
    )  # fmt: skip
    assert [one.get("learning", one["id"]) for one in found["retrieved"]] == [
        "warn", "r-1", first["id"],
    ]  # fmt: skip
    rule, mine, other = found["retrieved"]
    assert rule["collection_name"] == "derived_learnings_v1"
    assert rule["metadata"]["learning_id"] == "wait-longer"
    shown = "&lt;retrieved>␛[31m Retries wait <U+202E>longer each time &lt;/retrieved>"
    assert mine["document"] == shown
    assert other["document"] == "The scale of depot 3 is wrong. Token: REDACTED_GITHUB_TOKEN"
    assert mine["distance"] < other["distance"]
    only = ask("chroma_query_documents", collection_name="notes", query="retry", where={"depot": 3})
    assert [one["id"] for one in only["retrieved"]] == [first["id"]]
    assert ask(
        "chroma_update_document_metadata", collection_name="notes", document_id="r-1",
        metadata={"topic": None, "seen": True},
    ) == {"id": "r-1", "metadata": {"seen": True}}  # fmt: skip
    assert ask("chroma_get_documents_by_ids", collection_name="notes", ids="r-1", start="21") == {
        "retrieved": [{"id": "r-1", "document": shown[24:], "metadata": {"seen": True}}],
    }  # fmt: skip
    assert ask("chroma_delete_document_by_id", collection_name="notes", id="r-1") == {
        "id": "r-1", "deleted": True,
    }  # fmt: skip
    gone = ask("chroma_get_documents_by_ids", collection_name="notes", ids='["r-1"]')
    assert gone == {"missing": ["r-1"]}
    listed = ask("chroma_list_collections", limit="1", offset=0)
    assert listed == {
        "collections": [{"collection_name": "notes", "documents": 1}], "next_offset": 1,
    }  # fmt: skip


def test_what_mirrors_git_is_read(ask: Ask, repo: Repo) -> None:
    (repo.path / "src" / "scale.py").write_text("def weigh(parcel):\n    return parcel.grams\n")
    found = ask(
        "chroma_query_documents", collection_name="codebase_v1", query="weigh a parcel",
        where='{"language": "python"}', n_results=1,
    )["retrieved"]  # fmt: skip
    assert [(one["metadata"]["file_path"], one["document"]) for one in found] == [
        ("src/scale.py", "def weigh(parcel):\n    return parcel.grams")
    ]
    again = ask("chroma_get_documents_by_ids", collection_name="codebase_v1", ids=found[0]["id"])
    assert again["retrieved"][0]["document"] == found[0]["document"]
    for name in ("wait-longer", ask(
        "chroma_query_documents", collection_name="derived_learnings_v1", query="retry",
    )["retrieved"][0]["id"]):  # fmt: skip
        (rule,) = ask(
            "chroma_get_documents_by_ids", collection_name="derived_learnings_v1", ids=[name]
        )["retrieved"]
        assert rule["metadata"]["state"] == "warn"
    (skill, *_) = ask(
        "chroma_query_documents", collection_name="skillmesh_experts",
        query="write a Dockerfile for a Python service",
    )["retrieved"]  # fmt: skip
    (whole,) = ask(
        "chroma_get_documents_by_ids", collection_name="skillmesh_experts", ids=skill["id"]
    )["retrieved"]
    assert whole["document"].startswith(skill["document"])
    assert tokens(json.dumps(whole)) < 4_000


def test_thoughts_are_read_by_their_ids_too(ask: Ask) -> None:
    thought = "Weigh each parcel twice, because the scale of the depot drifts when it is cold"
    ask(
        "chroma_sequential_thinking", thought=thought, thoughtNumber="1", totalThoughts=1,
        nextThoughtNeeded=False, sessionId="scales", branchId=None,
    )  # fmt: skip
    (found,) = ask(
        "chroma_query_documents", collection_name="thinking_sessions_v1",
        query="why does the scale drift", where={"session_id": "scales"},
    )["retrieved"]  # fmt: skip
    assert (found["document"], found["metadata"]["thought_number"]) == (thought, 1)
    (again,) = ask(
        "chroma_get_documents_by_ids", collection_name="thinking_sessions_v1", ids=found["id"]
    )["retrieved"]
    assert again["document"] == thought


def test_learnings_stand_among_code(ask: Ask) -> None:
    found = ask("chroma_query_documents", collection_name="codebase_v1", query="retry a request")
    marks = [one.get("learning", one["metadata"].get("file_path")) for one in found["retrieved"]]
    assert {"warn", "src/retry.py"} <= set(marks)


def test_what_was_said_goes_into_the_memory(ask: Ask, repo: Repo) -> None:
    told: dict[str, Any] = {
        "prompt_summary": "why do we wait", "response_summary": "to spare the server",
        "raw_prompt": f"Why do we wait? {KEY}", "raw_response": "Because it is slow.",
        "tool_usage": [{"name": "read_file", "args": {"path": "src/retry.py"}}, {"tool": "bash"}],
        "file_changes": [
            {"file_path": "src/retry.py", "before_content": "wait(1)", "after_content": "wait(n)"},
            "src/retry.py", "src/unknown.py",
        ],
        "involved_entities": "src/retry.py, backoff",
    }  # fmt: skip
    said = ask("chroma_log_chat", **told)
    assert said["collection_name"] == "chat_history_v1"
    assert said["redacted"] == {"github-token": 1}
    assert ask("chroma_log_chat", **told) == {
        key: value for key, value in {**said, "unchanged": True}.items() if key != "redacted"
    }
    found = ask(
        "chroma_query_documents", collection_name="chat_history_v1", query="spare the server"
    )
    assert found["retrieved"][0]["id"] == said["id"]
    (kept,) = ask(
        "chroma_get_documents_by_ids", collection_name="chat_history_v1", ids=[said["id"]]
    )["retrieved"]
    assert kept["metadata"]["tool_sequence"] == "read→bash→edit"
    assert kept["metadata"]["status"] == "captured"
    shown = repo.skillmesh("show", said["session_id"]).stdout
    assert "Summary: to spare the server" in shown
    assert "About: src/retry.py, backoff" in shown
    assert KEY not in shown
    # Older rules add summaries as a document.
    older = ask(
        "chroma_add_document_with_metadata", collection_name="chat_history_v1",
        document="Prompt: how heavy\nResponse: two kilos", metadata='{"status": "captured"}',
    )  # fmt: skip
    (kept,) = ask(
        "chroma_get_documents_by_ids", collection_name="chat_history_v1", ids=[older["id"]]
    )["retrieved"]
    assert kept["document"] == "how heavy\ntwo kilos"


@pytest.mark.parametrize(
    ("tool", "arguments", "error"),
    [
        ("chroma_add_document_with_metadata", {"collection_name": "codebase_v1", "document": "x"},
         "codebase_v1 mirrors the files of this repository: write the file and commit it"),
        ("chroma_add_document_with_metadata",
         {"collection_name": "derived_learnings_v1", "document": "x"},
         "derived_learnings_v1 mirrors files in .skillmesh/learnings, reviewed by people: propose "
         "it: git skillmesh promote, or the tool promote"),
        ("chroma_delete_document_by_id", {"collection_name": "derived_learnings_v1", "id": "x"},
         "derived_learnings_v1 mirrors files in .skillmesh/learnings, reviewed by people: "
         "git skillmesh learnings retire ID"),
        ("chroma_delete_document_by_id", {"collection_name": "chat_history_v1", "id": "x"},
         "chat_history_v1 mirrors conversations, in refs/skillmesh/memory: "
         "git skillmesh forget SESSION"),
        ("chroma_update_document_metadata",
         {"collection_name": "skillmesh_experts", "id": "x", "metadata": "{}"},
         "skillmesh_experts mirrors skills of the registry and in .skillmesh/skills: "
         "edit its card.yaml"),
        ("chroma_query_documents", {"collection_name": "nothing", "query": "x"},
         "there is no collection nothing: chroma_list_collections shows them, "
         "chroma_create_collection makes one"),
        ("chroma_query_documents", {"collection_name": "codebase_v1", "query": " "},
         "the query is empty"),
        ("chroma_query_documents", {"collection_name": "codebase_v1", "query": "x", "where": "[1]"},
         "where cannot be used: it is no object with a key: write it as "
         '{"language": "python"} or {"$and": [{"a": 1}, {"b": {"$gt": 2}}]}'),
        ("chroma_add_document_with_metadata",
         {"collection_name": "notes", "document": "x", "metadata": "topic"},
         'metadata is no JSON: write it as {"topic": "retry"}'),
        ("chroma_add_document_with_metadata",
         {"collection_name": "notes", "document": "x", "metadata": {"a": [1]}},
         "metadata 'a' is neither text, number nor true or false: write a list as text, "
         "separated by commas"),
        ("chroma_add_document_with_metadata",
         {"collection_name": "notes", "document": "x", "id": KEY},
         "a name looks like a secret: choose another"),
        ("chroma_get_documents_by_ids", {"collection_name": "notes", "ids": []},
         "name 1 to 100 ids"),
        ("chroma_log_chat", {"prompt_summary": "", "response_summary": ""},
         "nothing was said"),
        ("chroma_log_chat", {"prompt_summary": "a", "response_summary": "b", "tool_usage": "[1"},
         "tool_usage is no JSON"),
        ("chroma_log_chat",
         {"prompt_summary": "a", "response_summary": "b",
          "file_changes": [{"file_path": "../../x"}]},
         "../../x is outside of this repository"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_line(
    ask: Ask, tool: str, arguments: dict[str, Any], error: str
) -> None:
    said = ask(tool, **arguments)
    assert said.startswith(f"{FAILED}{tool}: {error}")
    assert "\n" not in said


def test_a_wrong_type_is_said_in_a_line(ask: Ask) -> None:
    assert ask("chroma_query_documents", collection_name="notes", n_results="many") == (
        "chroma_query_documents cannot be called so: query: Field required; n_results: Input "
        "should be a valid integer, unable to parse string as an integer"
    )


def test_the_schema_is_small(repo: Repo) -> None:
    async def sizes() -> dict[str, int]:
        async with Client(make_server(Host(repo.path), ("collections",))) as client:
            listed = (await client.list_tools()).tools
        return {
            one.name: tokens(one.model_dump_json(by_alias=True, exclude_none=True))
            for one in listed
            if one.name.startswith("chroma_")
        }

    found = asyncio.run(sizes())
    assert max(found.values()) < 260
    assert sum(found.values()) < 1_600


def test_answers_are_bounded_and_paged() -> None:
    everything = [{"id": f"n{number}", "document": "word " * 400} for number in range(40)]
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        text = records(everything[offset:], offset, len(everything))
        assert tokens(text) <= 4_000
        page = json.loads(text)
        seen += [one["id"] for one in page["retrieved"]]
        offset = page.get("next_offset")
    assert seen == [one["id"] for one in everything]


def test_learnings_and_documents_in_one_ranking() -> None:
    def ranked(own: list[float], learned: list[float]) -> list[str]:
        found = [Record("notes", f"n{n}", "", {}, alike) for n, alike in enumerate(own)]
        rules = [Record("rules", f"l{n}", "", {}, alike) for n, alike in enumerate(learned)]
        return [one.id for one in together(found, rules)]

    assert ranked([0.9, 0.5, 0.1], [0.5, 0.3]) == ["n0", "l0", "n1", "l1", "n2"]
    assert ranked([], [0.5]) == ["l0"]
    assert ranked([0.5], []) == ["n0"]
    assert ranked([0.1], [0.9] * 5) == ["l0", "l1", "l2", "n0"]
