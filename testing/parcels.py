"""The repository of the examples, with conversations, links, learnings and an index.

In: a folder. Out: `remembering`, a repository whose memory has something to tell; payloads of the
prompts of each agent.
"""

from pathlib import Path
from typing import Any

from git_skillmesh.index.update import update_exchanges, update_learnings, update_provenance
from git_skillmesh.learnings.model import Fix, State
from testing.conversations import tell_the_parcels_story
from testing.docs_pages import make_sample
from testing.indexing import index, opened
from testing.learnings import files_of, learning
from testing.repos import Repo

LEARNINGS = (
    learning(
        "clock-of-depots", "Ask the depot for its clock", state=State.BLOCK,
        paths=("src/parcels/*.py",), fix=Fix("use depot.clock() instead of time.time()"),
    ),
    learning(
        "labels-are-ascii", "Printed labels have no accents", languages=("typescript",),
        fix=Fix("fold the address to ASCII before it is wrapped"),
    ),
    learning("old-rule", "Scans are counted twice", state=State.RETIRED, paths=("src/**",)),
    learning("a-proposal", "Depots close on Sundays", state=State.PROPOSED, paths=("src/**",)),
)  # fmt: skip


def remembering(folder: Path, learnings: bool = True) -> Repo:
    """Return the repository as it is after everything was captured, linked and indexed."""
    repo = make_sample(folder)
    tell_the_parcels_story(repo)
    if learnings:
        repo.commit("learn", files_of(*LEARNINGS))
    repo.git("config", "skillmesh.chroma.impl", "off")
    catch_up(repo)
    return repo


def catch_up(repo: Repo) -> None:
    """Index what is new, as the worker does."""
    repository, config = opened(repo)
    update_provenance(repository, index(repo))
    update_exchanges(repository, config)
    update_learnings(repository, config)


def payload(agent: str, folder: Path, prompt: str, session: str = "now") -> dict[str, Any]:
    """Return what an agent hands to its hook for a prompt."""
    about: dict[str, Any] = {"session_id": session, "cwd": str(folder), "prompt": prompt}
    if agent == "claude-code":
        place = f"/agents/.claude/projects/x/{session}.jsonl"
        return {**about, "transcript_path": place, "hook_event_name": "UserPromptSubmit"}
    if agent == "codex":
        return {**about, "turn_id": "1", "hook_event_name": "UserPromptSubmit"}
    if agent == "gemini":
        place = f"/agents/.gemini/chats/x/{session}.json"
        return {**about, "transcript_path": place, "hook_event_name": "BeforeAgent"}
    if agent == "cursor":
        return {
            "conversation_id": session, "generation_id": "g", "cursor_version": "2.5",
            "workspace_roots": [str(folder)], "hook_event_name": "beforeSubmitPrompt",
            "prompt": prompt,
        }  # fmt: skip
    if agent == "vscode":
        return {"sessionId": session, "cwd": str(folder), "prompt": prompt,
                "hookEventName": "UserPromptSubmit"}  # fmt: skip
    return {"timestamp": 1, "cwd": str(folder), "prompt": prompt}  # copilot


def start(
    agent: str, folder: Path, source: str = "startup", session: str = "now"
) -> dict[str, Any]:
    """Return what an agent hands to its hook at the start of a session."""
    given = payload(agent, folder, "", session)
    del given["prompt"]
    if agent == "cursor":
        return {**given, "hook_event_name": "sessionStart"}
    if agent == "copilot":
        return {**given, "source": source}
    name = "hookEventName" if agent == "vscode" else "hook_event_name"
    return {**given, name: "SessionStart", "source": source}
