"""`git-skillmesh-hook context AGENT`: tell an agent what the memory knows of a prompt.

In: the payload of an agent's hook on standard input, at the start of a session or with a prompt.
Out: one JSON object on standard output, in the form of that agent, or nothing at all.

An agent waits for this. So whatever needs no answer ends before anything is imported: another
agent's payload, a repository without an index, a prompt that only says to go on. Trouble is a line
of `.git/skillmesh/log/context.log`, time is limited, and the exit code is 0.
"""

from __future__ import annotations

import os
import sys
import time

from ..monitoring.record import record
from .agent import find_repository, read_standard_input
from .lightjson import write
from .payload import agent_of, folders_of, read_payload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

    from ..briefing.brief import Brief

# Those whose hooks can hand text to the model. `vscode` and `copilot` keep no transcript that is
# captured by hooks, and have names of their own for the same things.
AGENTS = ("claude-code", "codex", "gemini", "cursor", "copilot", "vscode")
EXPLAIN = "--explain"
SECONDS = 2.0
_LONGEST_LOG = 64_000
_STARTS = frozenset(("SessionStart", "sessionStart"))
_PROMPTS = frozenset(
    ("UserPromptSubmit", "BeforeAgent", "beforeSubmitPrompt", "userPromptSubmitted")
)
# Idle answers, without what it costs to find out more exactly.
_SHORTEST = 12


def main(arguments: Sequence[str]) -> None:
    """Answer one payload; with `--explain` say in plain words what would be told."""
    began = time.perf_counter()
    asked = next((word for word in arguments if word in AGENTS), "")
    explain = EXPLAIN in arguments
    payload = read_payload(read_standard_input())
    if payload is None:
        return
    agent = agent_of_payload(payload, asked)
    event = event_of(payload)
    prompt = _text(payload, "prompt")
    is_start = event in _STARTS
    if not agent or not event or (agent == "cursor" and not is_start and not explain):
        return  # Cursor takes no text with a prompt
    if not is_start and len(prompt.strip()) < _SHORTEST:
        return
    found = _repository(payload, agent)
    if found is None or not os.path.isdir(os.path.join(found[1], "skillmesh", "index")):
        return
    if not is_start:
        from ..briefing.prompts import read_prompt

        if read_prompt(prompt).is_idle and not explain:
            return
    # Before numpy is loaded: its threads would cost more than the few products computed here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    text, outcome = _in_time(found[0], found[1], payload, is_start)
    if not explain:
        state = os.path.join(found[1], "skillmesh")
        record(state, "hook", "context", outcome, time.perf_counter() - began)
    if explain:
        _say((text or "nothing would be told") + "\n")
    elif text:
        _say(write(answer_of(agent, event, text)) + "\n")


def agent_of_payload(payload: Mapping[str, object], asked: str) -> str:
    """Return whose form the answer has, "" where somebody else's hook answers."""
    if asked in ("copilot", "vscode"):
        return asked
    return agent_of(payload, asked)


def event_of(payload: Mapping[str, object]) -> str:
    """Return the name of a known event, "" for others; Copilot's payloads have none."""
    for name in ("hook_event_name", "hookEventName"):
        if name in payload:
            event = _text(payload, name)
            return event if event in _STARTS or event in _PROMPTS else ""
    if "initialPrompt" in payload or "source" in payload:
        return "sessionStart"
    return "userPromptSubmitted" if "prompt" in payload else ""


def answer_of(agent: str, event: str, text: str) -> dict[str, object]:
    """Return what the agent takes for text to be put before the model."""
    if agent == "cursor":
        return {"additional_context": text}
    if agent == "copilot" and event[:1].islower():
        return {"additionalContext": text}
    return {"hookSpecificOutput": {"hookEventName": event, "additionalContext": text}}


def _repository(payload: Mapping[str, object], agent: str) -> tuple[str, str] | None:
    """Return (working tree, common git directory) that a payload is about."""
    for folder in folders_of(payload, agent):
        found = find_repository(folder or os.getcwd())
        if found:
            return found
    return None


def _in_time(
    top: str, common: str, payload: Mapping[str, object], is_start: bool
) -> tuple[str, str]:
    """Return what is to be told, "" where it takes too long or goes wrong, and how it went."""
    import signal

    from ..briefing.brief import OutOfTimeError

    def out_of_time(_number: int, _frame: FrameType | None) -> None:
        # Should what is found by then take time too, everything ends.
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
        signal.setitimer(signal.ITIMER_REAL, SECONDS / 4)
        raise OutOfTimeError

    state = os.path.join(common, "skillmesh")
    try:
        signal.signal(signal.SIGALRM, out_of_time)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        brief = _brief(top, state, payload, is_start)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except OutOfTimeError:
        _log(state, ["out of time"])
        return "", "timeout"
    except Exception as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        _log(state, [f"{type(error).__name__}: {error}"])
        return "", "failed"
    _log(state, brief.problems)
    return brief.text, "told" if brief.text else "silent"


def _brief(top: str, state: str, payload: Mapping[str, object], is_start: bool) -> Brief:
    from pathlib import Path

    from ..briefing.brief import Memory, brief_for_prompt

    names = ("session_id", "sessionId", "conversation_id")
    session = next(filter(None, (_text(payload, name) for name in names)), "")
    memory = Memory(Path(top), Path(state))
    if is_start:
        from ..briefing.opening import brief_for_start

        source = _text(payload, "source") or _text(payload, "trigger")
        return brief_for_start(memory, session, source)
    return brief_for_prompt(memory, _text(payload, "prompt"), session)


def _text(payload: Mapping[str, object], key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def _say(text: str) -> None:
    """Write the answer; whoever has stopped reading does without."""
    try:
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    except (OSError, ValueError, AttributeError):
        sys.stdout = None  # nor may the flush at exit complain


def _log(state: str, problems: Sequence[str]) -> None:
    """Keep what went wrong, a line each, in a file that stays small."""
    if not problems:
        return
    folder = os.path.join(state, "log")
    path = os.path.join(folder, "context.log")
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        os.makedirs(folder, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        number = os.open(path, flags, 0o600)
        try:
            if os.fstat(number).st_size > _LONGEST_LOG:
                os.ftruncate(number, 0)
            text = "".join(f"{now} {' '.join(one.split())[:300]}\n" for one in problems)
            os.write(number, text.encode("utf-8", "backslashreplace"))
        finally:
            os.close(number)
    except OSError:
        pass
