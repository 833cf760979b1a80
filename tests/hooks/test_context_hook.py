"""`git-skillmesh-hook context`: the answers of a hook, in the form of each agent."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.briefing.brief import OPENING
from git_skillmesh.hooks import context
from testing.parcels import payload, remembering, start
from testing.repos import Repo, Result, make_repo, run

HOOK = (sys.executable, "-m", "git_skillmesh.hooks", "context")
NOTHING = Result(0, "", "")
WHY = "why does `fetch_scans` double the delay"


@pytest.fixture(scope="module")
def repo(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return remembering(tmp_path_factory.mktemp("parcels"))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine take its time: the hook ends its process when it is out of time."""
    monkeypatch.setattr(context, "SECONDS", 60)


def call(given: Any, *arguments: str, cwd: Path, **env: str) -> Result:
    text = given if isinstance(given, str) else json.dumps(given)
    program = (sys.executable, *HOOK[1:])  # starts warm
    return run(*program, *arguments, cwd=cwd, stdin=text, env=env)


def answered(monkeypatch: pytest.MonkeyPatch, given: Any, *arguments: str) -> Any:
    """Call the hook in this process and return its answer, None for silence."""
    said: list[str] = []
    data = given if isinstance(given, bytes) else json.dumps(given).encode()
    monkeypatch.setattr(context, "read_standard_input", lambda: data)
    monkeypatch.setattr(context, "_say", said.append)
    context.main(arguments)
    assert len(said) <= 1
    return json.loads(said[0]) if said else None


@pytest.mark.parametrize(
    ("agent", "event"),
    [("claude-code", "UserPromptSubmit"), ("codex", "UserPromptSubmit"), ("gemini", "BeforeAgent"),
     ("vscode", "UserPromptSubmit")],
)  # fmt: skip
def test_a_prompt_is_answered_in_the_form_of_the_agent(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, agent: str, event: str
) -> None:
    given = payload(agent, repo.path, WHY, f"prompt-{agent}")
    answer = answered(monkeypatch, given, agent)
    text = answer["hookSpecificOutput"].pop("additionalContext")
    assert answer == {"hookSpecificOutput": {"hookEventName": event}}
    assert text.startswith(f"{OPENING}\n\nLearnings of this repository that apply here:\n")
    assert text.count("</retrieved>") == 2
    assert answered(monkeypatch, given, agent) is None  # not twice


def test_copilot_and_cursor(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = answered(monkeypatch, payload("copilot", repo.path, WHY), "copilot")
    assert list(answer) == ["additionalContext"]
    assert answered(monkeypatch, payload("cursor", repo.path, WHY), "cursor") is None
    began = answered(monkeypatch, start("cursor", repo.path), "cursor")
    assert list(began) == ["additional_context"]


@pytest.mark.parametrize("agent", ["claude-code", "codex", "gemini", "vscode", "copilot"])
def test_the_start_of_a_session(repo: Repo, monkeypatch: pytest.MonkeyPatch, agent: str) -> None:
    answer = answered(monkeypatch, start(agent, repo.path), agent)
    inner = answer if agent == "copilot" else answer["hookSpecificOutput"]
    if agent != "copilot":
        assert inner["hookEventName"] == "SessionStart"
    assert "The latest conversations on this branch:" in inner["additionalContext"]


def test_payloads_that_are_not_for_this_hook(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = payload("claude-code", repo.path, WHY)
    given: Any
    for given in (
        {**ours, "hook_event_name": "PostToolUse"}, {**ours, "prompt": 7}, {**ours, "prompt": None},
        {**ours, "cursor_version": "2.5"}, {**ours, "transcript_path": "/x/.cursor/y.jsonl"},
        {**ours, "cwd": "/"}, {**ours, "cwd": "\0"}, {**ours, "hook_event_name": ["x"]},
        {**ours, "prompt": "\ud800" * 40}, [], 7, "text", b"\xff\xfe", b"", b"[" * 100_000,
    ):  # fmt: skip
        assert answered(monkeypatch, given, "claude-code") is None
    assert answered(monkeypatch, {**ours, "session_id": {"a": 1}}, "claude-code") is not None


def told_in_time(given: Any, *arguments: str, cwd: Path) -> Result:
    """Ask until there was time enough: a busy machine may need more than the hook takes."""
    for _ in range(40):
        told = call(given, *arguments, cwd=cwd)
        if told.stdout not in ("", "nothing would be told\n"):
            break
    return told


def test_the_real_process_says_one_line_and_nothing_else(repo: Repo) -> None:
    given = payload("claude-code", repo.path, WHY, "real")
    told = told_in_time(given, "claude-code", cwd=repo.path)
    assert (told.returncode, told.stderr) == (0, "")
    assert list(json.loads(told.stdout)) == ["hookSpecificOutput"]
    assert told.stdout.count("\n") == 1
    # On a busy machine the first answer is what was found in time.
    assert NOTHING in [call(given, "claude-code", cwd=repo.path) for _ in range(2)]
    other = {**given, "session_id": "other"}
    explained = told_in_time(other, "--explain", "claude-code", cwd=repo.path)
    assert explained.stdout.startswith(OPENING)
    idle = {**given, "prompt": "yes, go on please", "session_id": "other"}
    assert call(idle, "--explain", "claude-code", cwd=repo.path).stdout == "nothing would be told\n"


def test_silence_where_nothing_was_indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = make_repo(tmp_path)
    repo.git("config", "skillmesh.context.tokens", "nonsense")  # is not even read
    for folder in (repo.path, tmp_path, Path("/nowhere")):
        assert answered(monkeypatch, payload("codex", folder, WHY), "codex") is None
    assert not repo.state_dir.exists()


def test_trouble_is_a_line_of_the_log(tmp_path: Path) -> None:
    repo = remembering(tmp_path, learnings=False)
    repo.git("config", "skillmesh.context.tokens", "non\nsense")
    given = payload("claude-code", repo.path, WHY)
    assert call(given, "claude-code", cwd=repo.path) == NOTHING
    log = repo.state_dir / "log" / "context.log"
    assert log.read_text().count("\n") == 1
    assert "ConfigurationError: context.tokens is 'non\\nsense' in git config" in log.read_text()
    log.write_text("x" * 70_000)
    assert call(given, "claude-code", cwd=repo.path) == NOTHING
    assert len(log.read_text()) < 500


def test_it_gives_up_on_time(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    from git_skillmesh.briefing import brief

    def forever(_memory: object) -> None:
        while True:
            pass

    monkeypatch.setattr(context, "SECONDS", 0.2)
    monkeypatch.setattr(brief.Memory, "learnings", forever)
    given = payload("claude-code", repo.path, WHY, "slow")
    assert answered(monkeypatch, given, "claude-code") is None
    log = (repo.state_dir / "log" / "context.log").read_text()
    assert log.endswith(" out of time\n")


def test_a_reader_that_has_gone_and_a_closed_input(repo: Repo) -> None:
    given = json.dumps(payload("claude-code", repo.path, WHY, "gone"))
    script = f"{' '.join(HOOK)} claude-code >&- 2>err; cat err"
    assert run("sh", "-c", script, cwd=repo.path, stdin=given) == NOTHING
    assert run("sh", "-c", f"{' '.join(HOOK)} claude-code <&-", cwd=repo.path) == NOTHING
    (repo.path / "err").unlink()


def test_a_silent_hook_loads_next_to_nothing(tmp_path: Path) -> None:
    """What an agent waits for with nearly every prompt."""
    repo = make_repo(tmp_path)
    (repo.state_dir / "index").mkdir(parents=True)
    code = (
        "import sys; sys.argv = ['x', 'context', 'claude-code']\n"
        "from git_skillmesh.hooks.main import run\n"
        "try: run()\n"
        "finally: sys.stderr.write(' '.join(sys.modules))"
    )
    for text, more in (
        ("continue it", {"re", "json", "sqlite3"}),
        ("bake a cake with apples", set()),
    ):
        given = json.dumps(payload("claude-code", repo.path, text))
        loaded = run(sys.executable, "-c", code, cwd=repo.path, stdin=given).stderr.split()
        assert "git_skillmesh.hooks.context" in loaded
        unwanted = {"numpy", "subprocess", "git_skillmesh.git.repository", "yaml", *more}
        assert unwanted.intersection(loaded) == set()
