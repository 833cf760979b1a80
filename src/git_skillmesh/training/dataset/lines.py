"""Lines of a data set: messages of a chat, made of an exchange, and their check.

In: works, a budget, the door. Out: `Line`, as one JSON object each; or why there is none.
docs/rl-dataset.schema.json says the same of a line as `problems_of`, which tests compare.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..model import Form, Reward
from .blocks import (
    Block,
    Misfit,
    Shown,
    applied,
    parse_context,
    parse_edits,
    prose,
    rendered,
    shown,
)
from .context import context_for
from .door import Door, TokenCounter
from .source import Work
from .splitting import SPLITS
from .states import FileWork

SCHEMA = 1
SYSTEM = (
    "You change the code of a repository. Answer in a few words, then write the edits between "
    "`*** begin edits` and `*** end edits`: SEARCH/REPLACE blocks whose lines stand exactly once "
    "in the file, or write, delete and move."
)
# Tokens of an answer from which on an exchange is no example any more but a dump.
LONGEST = 16_000
_ROLES = ("system", "user", "assistant")
_ABOUT: dict[str, type] = {
    "session": str, "exchange": str, "other_session": str, "other_exchange": str, "agent": str,
    "time": str, "commits": str, "verdict": str, "score": float, "formula": int, "files": int,
    "exact": bool, "applies": bool, "tokens": int, "group": str,
}  # fmt: skip


class LeftOut(Exception):
    """Why an exchange makes no line."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its split; `asked` and `told` are what is compared with other lines."""

    line_id: str
    body: dict[str, Any]
    about: dict[str, Any]
    asked: str
    told: str

    def encoded(self, split: str, group: str) -> bytes:
        """Return the line of the file: ASCII, keys in one order."""
        document = {"id": self.line_id, "split": split, **self.body}
        document["about"] = {**self.about, "group": group}
        return (json.dumps(document, separators=(",", ":")) + "\n").encode("ascii")


class Writer:
    """Makes lines of works."""

    def __init__(self, form: Form, door: Door, counter: TokenCounter, context_tokens: int) -> None:
        self._form = form
        self._door = door
        self._counter = counter
        self._budget = context_tokens

    def line(self, work: Work, label: bool = True) -> Line:
        """Return the line of one exchange. Raises `LeftOut`."""
        blocks = [block for one in work.files for block in one.blocks()]
        prompt, context = self._prompt(work, work.files, blocks)
        answer, applies = self._answer(work, blocks, context)
        about = self._about(work, work.files, applies)
        if self._form is Form.SFT:
            body: dict[str, Any] = {"messages": [*prompt, answer]}
        else:
            body = {"prompt": prompt, "completion": [answer], "label": label}
        return self._made(work, body, about, [*prompt, answer])

    def pair(self, rejected: Work, chosen: Work) -> Line:
        """Return the line of an attempt and of what replaced it. Raises `LeftOut`.

        Both answers start from the files as the first attempt found them.
        """
        first = {one.path: one for one in rejected.files if one.exact}
        files = [
            replace(one, before=first[one.path].before, moved_from=first[one.path].moved_from)
            if one.exact and one.path in first
            else one
            for one in chosen.files
        ]
        better = [block for one in files for block in one.blocks()]
        worse = [block for one in rejected.files for block in one.blocks()]
        if not better or better == worse:
            raise LeftOut("both attempts are the same")
        shown_files = [*rejected.files, *(one for one in files if one.path not in first)]
        prompt, context = self._prompt(rejected, shown_files, [*worse, *better])
        good, fits = self._answer(chosen, better, context)
        bad, applies = self._answer(rejected, worse, context)
        about = self._about(chosen, files, fits and applies)
        about |= {
            "session": rejected.pair[0], "exchange": rejected.pair[1],
            "other_session": chosen.pair[0], "other_exchange": chosen.pair[1],
            "commits": ",".join(sorted({*rejected.commits, *chosen.commits})),
        }  # fmt: skip
        body = {"prompt": prompt, "chosen": [good], "rejected": [bad]}
        return self._made(rejected, body, about, [*prompt, good, bad])

    def _prompt(
        self, work: Work, files: Sequence[FileWork], blocks: Sequence[Block]
    ) -> tuple[list[dict[str, str]], tuple[Shown, ...]]:
        asked = work.exchange.prompt.strip()
        if not asked:
            raise LeftOut("no prompt")
        found = context_for(files, work.reads, blocks, self._budget, self._counter.count)
        text = self._door.let_out(f"{prose(asked)}\n\n{shown(found)}" if found else prose(asked))
        try:
            context = parse_context(text)
        except Misfit:
            raise LeftOut("redaction took the form away") from None
        return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}], context

    def _answer(
        self, work: Work, blocks: Sequence[Block], context: Sequence[Shown]
    ) -> tuple[dict[str, str], bool]:
        """Return the answer, and whether its edits can be applied to what the prompt shows."""
        told = prose(work.exchange.response.strip())
        text = self._door.let_out("\n\n".join(filter(None, (told, rendered(blocks)))))
        if self._counter.count(text) > LONGEST:
            raise LeftOut(f"an answer of more than {LONGEST:,} tokens")
        try:
            parsed = parse_edits(text)
        except Misfit:
            parsed = ()
        if not parsed:
            raise LeftOut("redaction took the form away")
        files: dict[str, str] = {}
        for part in context:
            files[part.path] = files.get(part.path, "") + part.text
        try:
            applied(files, parsed)
        except Misfit:
            return {"role": "assistant", "content": text}, False
        return {"role": "assistant", "content": text}, True

    def _about(self, work: Work, files: Sequence[FileWork], applies: bool) -> dict[str, Any]:
        reward: Reward = work.reward
        return {
            "session": work.pair[0], "exchange": work.pair[1],
            "other_session": "", "other_exchange": "", "agent": work.head.agent,
            "time": work.time, "commits": ",".join(work.commits), "verdict": str(reward.verdict),
            "score": round(reward.score, 6), "formula": reward.formula, "files": len(files),
            "exact": all(one.exact for one in files), "applies": applies,
        }  # fmt: skip

    def _made(
        self,
        work: Work,
        body: dict[str, Any],
        about: dict[str, Any],
        said: Sequence[dict[str, str]],
    ) -> Line:
        about["tokens"] = sum(self._counter.count(message["content"]) for message in said)
        about = {key: _ascii(value) for key, value in about.items()}
        names = [str(self._form), *(str(about[key]) for key in list(_ABOUT)[:4])]
        made = hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:24]
        told = "\n".join(message["content"] for message in said[2:])
        return Line(made, body, about, work.exchange.prompt, told)


def _ascii(value: Any) -> Any:
    """Return a value whose text is whole: half a surrogate pair is no text."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


# -- the check -------------------------------------------------------------------------------------


def problems_of(document: Any) -> list[str]:
    """Return what is wrong with a line, in words; [] is right."""
    if not isinstance(document, dict):
        return ["is no object"]
    keys = set(document) - {"id", "split", "about"}
    shapes = {
        frozenset({"messages"}): (), frozenset({"prompt", "completion", "label"}): (),
        frozenset({"prompt", "chosen", "rejected"}): (),
    }  # fmt: skip
    found = [] if frozenset(keys) in shapes else [f"keys {', '.join(sorted(keys))} are no format"]
    if not isinstance(document.get("id"), str) or not document["id"]:
        found.append("id is missing")
    if document.get("split") not in SPLITS:
        found.append("split is none of " + ", ".join(SPLITS))
    if "label" in keys and not isinstance(document["label"], bool):
        found.append("label is neither true nor false")
    asked = list(_ROLES[:2])
    for key, roles in {
        "messages": list(_ROLES), "prompt": asked, "completion": ["assistant"],
        "chosen": ["assistant"], "rejected": ["assistant"],
    }.items():  # fmt: skip
        if key in keys:
            found += _problems_of_messages(key, document[key], roles)
    about = document.get("about")
    if not isinstance(about, dict) or set(about) != set(_ABOUT):
        return [*found, "about has other keys"]
    for key, kind in _ABOUT.items():
        numbers = (int, float) if kind is float else kind
        if not isinstance(about[key], numbers) or (isinstance(about[key], bool) != (kind is bool)):
            found.append(f"about.{key} is no {kind.__name__}")
    return found


def _problems_of_messages(key: str, value: Any, roles: list[str]) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        return [f"{key} is no list of messages"]
    if [each.get("role") for each in value] != roles or not all(
        set(each) == {"role", "content"} and isinstance(each["content"], str) and each["content"]
        for each in value
    ):
        return [f"{key} is not {', '.join(roles)}"]
    try:
        for each in value:
            if each["role"] == "assistant" and not parse_edits(each["content"]):
                return [f"{key} has no edits"]
    except Misfit as error:
        return [f"{key}: {error}"]
    return []
