"""A conversation while it is being read: prompts, answers and tool calls in the order they come.

In: what an importer found in its records. Out: a `Session`.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from ..model import Exchange, Session, ToolCall
from .records import made_id


@dataclass(slots=True)
class Draft:
    """One exchange. With `vain` it counts only if something answered it."""

    exchange_id: str
    prompt: str
    started: str = ""
    ended: str = ""
    model: str = ""
    vain: bool = False
    texts: list[str] = field(default_factory=list)
    tools: list[ToolCall] = field(default_factory=list)

    def finish(self) -> Exchange | None:
        """Return the exchange, None if there is nothing in it."""
        response = "\n\n".join(self.texts)
        if not (response or self.tools) and (self.vain or not self.prompt):
            return None
        return Exchange(
            self.exchange_id, self.prompt, response,
            self.started, self.ended or self.started, self.model, tuple(self.tools),
        )  # fmt: skip


@dataclass(slots=True)
class Conversation:
    """One session; the fields are those of `Session`."""

    session_id: str
    agent: str
    directory: str = ""
    branch: str = ""
    parent: str = ""
    title: str = ""
    started: str = ""
    drafts: list[Draft] = field(default_factory=list)
    _calls: dict[str, tuple[Draft, int]] = field(default_factory=dict)

    @property
    def current(self) -> Draft:
        """The exchange that an answer belongs to; an answer to nothing makes one."""
        if not self.drafts:
            self.prompt("", "")
        return self.drafts[-1]

    @property
    def number_of_calls(self) -> int:
        """How many tool calls with an id there are up to here."""
        return len(self._calls)

    def prompt(self, exchange_id: str, text: str, time: str = "", *, vain: bool = False) -> Draft:
        """Begin an exchange; without an id it gets one of session, ordinal and prompt."""
        exchange_id = exchange_id or made_id(self.session_id, len(self.drafts), text)
        draft = Draft(exchange_id, text, time, vain=vain)
        self.drafts.append(draft)
        self._met(time)
        return draft

    def say(self, text: str, time: str = "", model: str = "") -> None:
        """Add what the agent said."""
        draft = self._answer(time)
        draft.model = model or draft.model
        if text.strip():
            draft.texts.append(text.strip())

    def call(self, call: ToolCall) -> None:
        """Add a tool call; the same call told again takes the place of the first."""
        draft = self._answer(call.time)
        known = self._calls.get(call.call_id) if call.call_id else None
        if known:
            known[0].tools[known[1]] = call
            return
        if call.call_id:
            self._calls[call.call_id] = (draft, len(draft.tools))
        draft.tools.append(call)

    def called(self, call_id: str) -> ToolCall | None:
        """Return a tool call of this session."""
        known = self._calls.get(call_id)
        return known[0].tools[known[1]] if known else None

    def change(self, call_id: str, time: str = "", **values: Any) -> None:
        """Fill in what became of a tool call, in the exchange that made it."""
        known = self._calls.get(call_id)
        if known:
            draft, place = known
            draft.tools[place] = replace(draft.tools[place], **values)
            draft.ended = max(draft.ended, time)

    def session(self, source: str) -> Session | None:
        """Return the session, None if nothing was said in it."""
        exchanges = tuple(filter(None, (draft.finish() for draft in self.drafts)))
        if not exchanges:
            return None
        return Session(
            self.session_id, self.agent, exchanges, self.title, self.directory, self.branch,
            self.parent, source, self.started,
        )  # fmt: skip

    def _answer(self, time: str) -> Draft:
        draft = self.current
        draft.started = draft.started or time
        draft.ended = max(draft.ended, time)
        self._met(time)
        return draft

    def _met(self, time: str) -> None:
        if time and not self.started:
            self.started = time
