"""The conversations that doctor plays: what is noted of them, and what is stored."""

import json
from pathlib import Path

import pytest

from git_skillmesh.agents.catalogue import AGENTS, HOOK, Places, hooks
from git_skillmesh.agents.conversations import ANSWER, FILE, conversation
from git_skillmesh.agents.entries import commands_of, our_words
from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.hooks.payload import AGENTS as HOOKED
from git_skillmesh.hooks.payload import agent_of, may_start_work, record_of
from git_skillmesh.sessions.capture import capture_live
from testing.agents import remembered
from testing.repos import make_repo


def test_each_agent_has_one_and_waits_for_its_moments(tmp_path: Path) -> None:
    assert {agent.hook for agent in AGENTS.values()} == set(HOOKED)
    for name, agent in AGENTS.items():
        entries = hooks(name, Places(tmp_path))
        talk = conversation(agent.hook, tmp_path, tmp_path / name)
        moments = {event for step in talk.steps for event in step.payloads}
        for part in ("capture", "context"):
            wanted = {entry.path[1] for entry in entries if entry.part == part}
            assert wanted & moments, (name, part)
        words = [
            our_words(one["command"])
            for entry in entries
            if entry.part != "form"
            for one in commands_of(entry.value)
        ]
        assert {tuple(each) for each in words} == {
            (HOOK, "agent", agent.hook), (HOOK, "context", agent.hook)
        }  # fmt: skip


@pytest.mark.parametrize("agent", HOOKED)
def test_it_is_stored(agent: str, tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a": "1\n"})
    repo.git("config", "skillmesh.sessions.capture", "hooks")
    live = repo.state_dir / "live"
    live.mkdir(parents=True, mode=0o700)
    talk = conversation(agent, repo.path, tmp_path / "home")
    ended = False
    with (live / f"{agent}.jsonl").open("w") as stream:
        for number, step in enumerate(talk.steps):
            for payload in step.payloads.values():
                assert agent_of(payload, agent) == agent
                ended = may_start_work(payload)
                time = f"2026-01-02T03:04:{number:02}.000Z"
                note = record_of(payload, agent, str(repo.path), talk.environ, time)
                stream.write(json.dumps(note) + "\n")
    assert ended
    repository = discover(repo.path)
    captured = capture_live(repository, load(repository), environ=talk.environ)
    assert captured.problems == []
    (exchange,) = remembered(repo)[talk.session]
    assert (exchange.prompt, exchange.response.strip()) == (talk.prompt, ANSWER)
    assert {edit.path for call in exchange.tools for edit in call.edits} == {FILE}
