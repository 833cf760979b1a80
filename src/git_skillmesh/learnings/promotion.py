"""How a candidate becomes a file that a team reviews, and how its source comes to know.

In: a candidate and what somebody made of it. Out: `.skillmesh/learnings/ID.yaml` in the working
tree, and events in the memory. Either both are there at the end or neither.
"""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ..errors import UsageError
from ..git.repository import Repository
from ..sessions.redaction import Redactor
from ..sessions.redaction_policy import Policy
from ..sessions.store import MemoryStore
from ..yamlnodes import Unreadable, read_yaml
from .analysis_decisions import Decided, decide
from .candidates import Candidate, Decision, to_learning
from .files import write_text
from .model import FOLDER, Learning
from .naming import free_id
from .reading import ID, ReadFile, read_learning

Clean = Callable[[str], str]


def draft(candidate: Candidate, taken: Collection[str], author: str, name: str = "") -> Learning:
    """Return the learning that a candidate proposes; without a name it gets one that is free."""
    name = name or free_id(candidate.title, taken)
    made = to_learning(candidate, name, author, now()[:10])
    if candidate.scores.total == 0:  # nobody has estimated anything
        return replace(made, category="", confidence=None)
    return made


def promote(
    store: MemoryStore, learning: Learning, text: str, candidate: Candidate | None = None
) -> Path:
    """Put the file of a learning into the working tree, and tell the memory; return where it is.

    The exchanges that speak for the candidate become promoted_to_learning; what was said in them
    stays as it is. Raises `UsageError` where there is such a learning or no working tree,
    `ReadOnly`, and as `MemoryStore.append_events`.
    """
    place = new_place(store.repository, learning)
    write_text(place, text)
    try:
        if candidate is not None:
            said = Decided(Decision.PROMOTED, now(), learning_id=learning.learning_id)
            decide(store, candidate, said)
    except BaseException:
        with suppress(OSError):
            place.unlink()
        raise
    return place


def reject(store: MemoryStore, candidate: Candidate, reason: str, clean: Clean) -> str:
    """Keep that a candidate is none, and why; return the reason as it is kept.

    Raises `UsageError` without one, and as `MemoryStore.append_events`.
    """
    said = " ".join(clean(reason).split())
    if not said:
        raise UsageError("a rejection needs a reason", "--reason TEXT")
    decide(store, candidate, Decided(Decision.REJECTED, now(), reason=said))
    return said


def new_place(repository: Repository, learning: Learning) -> Path:
    """Return where the file of a new learning goes. Raises `UsageError`."""
    if repository.top is None:
        raise UsageError("a bare repository has no working tree", "promote in a clone")
    place = repository.top / learning.path
    if place.exists() or place.is_symlink():
        raise UsageError(f"{learning.path} exists", "choose another name: --id NAME")
    return place


def read_draft(text: str) -> ReadFile:
    """Read the text of a file that has no place yet: its id says where it will be."""
    data, name = text.encode("utf-8", "replace"), ""
    with suppress(Unreadable, KeyError):
        root = read_yaml(data).content
        node = root["learning_id"][1].content if isinstance(root, dict) else ""
        name = node if isinstance(node, str) and re.fullmatch(ID, node) else ""
    return read_learning(f"{FOLDER}/{name or 'learning'}.yaml", data)


def secret_in(learning: Learning, policy: Policy) -> str:
    """Return that a text of a learning has a secret in it, "" if none has: it will be shared."""
    redactor = Redactor(replace(policy, personal=(), images=False))
    for name, text in _texts(learning):
        found = redactor.redact(text).findings
        if found:
            what = f"{name} of {learning.learning_id} has a secret in it ({found[0].rule})"
            return f"{what}: take it out; an invented one may stay, see redaction.allow"
    return ""


def now() -> str:
    """Return the time; two decisions of one person have two times."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _texts(learning: Learning) -> Iterator[tuple[str, str]]:
    yield "title", learning.title
    yield "description", learning.description
    yield "pattern", learning.pattern
    yield "fix", f"{learning.fix.text}\n{learning.fix.rewrite}"
    yield "forced", learning.forced
    matcher = learning.matcher
    yield "matcher", f"{matcher.regex}\n{matcher.text}\n{matcher.unless}\n{matcher.rule or ''}"
    for name, examples in (("examples.bad", learning.bad), ("examples.good", learning.good)):
        for one in examples:
            yield name, "\n".join((one.path, one.code, *one.files))
