"""Follow a prompt and an edit from an agent's hooks into the memory of a scratch repository.

In: the hooks of one agent as they stand in its files. Out: `Finding`s, one for each step that was
reached, the last one telling where it stops. The commands are started by their words, without a
shell, and are those that `entries.may_start` lets through; nothing of the real repository or of the
user's transcripts is touched.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import SkillmeshError
from ..git.process import Git, clean_environment
from ..git.repository import discover
from ..sessions.model import Exchange
from ..sessions.reading import MemoryReader
from .conversations import FILE, Conversation, conversation
from .entries import our_words
from .state import Hook

# How long the worker may take to store what has arrived, and any hook to answer.
_STORED_SECONDS, _HOOK_SECONDS = 60.0, 30.0
# How long it may take to begin at all.
_BEGUN_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found at one place; `mend` says how to go on, "" when all is well."""

    where: str
    ok: bool
    message: str
    mend: str = ""


@contextmanager
def scratch() -> Iterator[tuple[Path, Path]]:
    """Give a repository in which hooks are active, and a folder for transcripts."""
    with tempfile.TemporaryDirectory(prefix="git-skillmesh-", ignore_cleanup_errors=True) as name:
        folder = Path(os.path.realpath(name))
        top = folder / "scratch"
        top.mkdir()
        git = Git(top, clean_environment(os.environ))
        git.run("init", "--quiet", "--template=", ".")
        git.run("config", "skillmesh.sessions.capture", "hooks")
        (top / ".git" / "skillmesh").mkdir()
        try:
            yield top, folder / "home"
        finally:
            _settle(top / ".git" / "skillmesh")


def follow(agent: str, hooks: Sequence[Hook]) -> list[Finding]:
    """Play a conversation of an agent (by the name its hooks give) to its hooks."""
    hooks = [hook for hook in hooks if hook.part == "capture"]
    if not hooks:
        return [Finding("capture", False, "no hook captures", "git skillmesh agents install")]
    missing = _missing(hooks)
    if missing is not None:
        return [missing]
    with scratch() as (top, home):
        talk = conversation(agent, top, home)
        environ = {**os.environ, **talk.environ, "CHROMA_DB_IMPL": "off"}
        findings = []
        for step in talk.steps:
            for event, payload in step.payloads.items():
                for hook in hooks:
                    if hook.event == event:
                        wrong = _called(hook, payload, top, environ)
                        if wrong is not None:
                            findings.append(wrong)
        return findings or list(_arrival(talk, top))


def answers(hook: Hook, top: Path, prompt: str) -> Finding:
    """Ask a context hook in the real repository; it may well have nothing to say."""
    words = our_words(hook.command)
    payload = {
        "session_id": "git-skillmesh-doctor", "cwd": str(top), "hook_event_name": hook.event,
        "prompt": prompt, "source": "startup", "workspace_roots": [str(top)],
    }  # fmt: skip
    if words[-1] == "cursor":
        payload |= {"conversation_id": payload["session_id"], "cursor_version": "2.5"}
    wrong = _called(hook, payload, top, os.environ)
    return wrong or Finding("context", True, f"{hook.event} answers")


def _missing(hooks: Sequence[Hook]) -> Finding | None:
    for hook in hooks:
        program = our_words(hook.command)[0]
        if shutil.which(program) is None:
            where = "does not exist" if os.sep in program else "is not on PATH"
            mend = "git skillmesh agents install --absolute"
            return Finding("PATH", False, f"{program} {where} ({hook.path})", mend)
    return None


def _called(
    hook: Hook, payload: Mapping[str, object], top: Path, environ: Mapping[str, str]
) -> Finding | None:
    """Run a command line as it stands in the file; None says that it behaved."""
    started = time.monotonic()
    try:
        done = subprocess.run(
            our_words(hook.command),
            input=json.dumps(payload).encode(), capture_output=True, cwd=top, env=dict(environ),
            timeout=_HOOK_SECONDS, check=False,
        )  # fmt: skip
    except OSError as error:
        return Finding(hook.part, False, f"{hook.command}: {error.strerror or error}")
    except subprocess.TimeoutExpired:
        return Finding(hook.part, False, f"{hook.command} takes more than {_HOOK_SECONDS:.0f} s")
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    if done.returncode or said:
        why = said[-1] if said else f"exit code {done.returncode}"
        return Finding(hook.part, False, f"{hook.command}: {why}")
    if not done.stdout.strip():
        return None
    if hook.part == "capture":
        return Finding(hook.part, False, f"{hook.command} writes to standard output")
    try:
        well = isinstance(json.loads(done.stdout), dict)
    except ValueError:
        well = False
    seconds = time.monotonic() - started
    return None if well else Finding(hook.part, False, f"no JSON after {seconds:.1f} s")


def _arrival(talk: Conversation, top: Path) -> Iterator[Finding]:
    """Look for the note in the live buffer, then for the exchange in the memory."""
    state = top / ".git" / "skillmesh"
    buffer = state / "live" / f"{talk.agent}.jsonl"
    noted = buffer.is_file() and talk.session.encode() in buffer.read_bytes()
    stored = _wait(talk, top)
    if not noted and stored is None and not (state / "log" / "worker.log").is_file():
        yield Finding("capture", False, "nothing reaches the live buffer")
        return
    yield Finding("capture", True, "a prompt reaches the live buffer")
    if stored is None:
        yield Finding("worker", False, _why(state), "git skillmesh status")
        return
    paths = {edit.path for call in stored.tools for edit in call.edits}
    if FILE in paths:
        yield Finding("worker", True, "the prompt and its edit are stored")
    else:
        yield Finding("worker", False, "the prompt is stored, its edit is not")


def _wait(talk: Conversation, top: Path) -> Exchange | None:
    """Wait for the worker that the last hook has started."""
    deadline = time.monotonic() + _STORED_SECONDS
    begun_by = time.monotonic() + _BEGUN_SECONDS
    state = top / ".git" / "skillmesh"
    repository = discover(top)
    while True:
        idle = not _working(state)
        try:
            for exchange in MemoryReader(repository).exchanges(talk.session):
                if talk.token in exchange.prompt:
                    return exchange
        except SkillmeshError:
            pass
        begun = (state / "log" / "worker.log").is_file()
        if time.monotonic() > (deadline if begun or not idle else begun_by) or (idle and begun):
            return None
        time.sleep(0.1)


def _working(state: Path) -> bool:
    """Whether a request waits or is in work."""
    requests = state / "requests"
    return requests.is_dir() and any(requests.iterdir())


def _settle(state: Path) -> None:
    """Let the worker come to its end: it would complain of a repository that is gone."""
    deadline = time.monotonic() + _HOOK_SECONDS
    while _working(state) and time.monotonic() < deadline:
        time.sleep(0.05)


def _why(state: Path) -> str:
    try:
        lines = (state / "log" / "worker.log").read_text("utf-8", "replace").splitlines()
    except OSError:
        return "the worker has not started"
    return f"the worker has stored nothing: {lines[-1]}" if lines else "the worker says nothing"
