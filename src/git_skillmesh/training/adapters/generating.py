"""The model behind the server: it follows the manifest, and writes.

In: the folder of adapters, or one adapter. Out: an engine for `serving.Server`. What is active is
looked at before every answer: signature, hashes, then it is loaded; until that works the one before
goes on. Needs torch, transformers, peft.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from ...errors import Damaged, SkillmeshError, UsageError
from ...sessions.serving import ACTIVE, ALIAS, model_version
from ..models import Loaded, ends_of, load
from .chat_api import Answer, Asked, Wrong
from .deploying import Deployments
from .store import Store

# One answer may not take longer; what there is by then is the answer.
_SECONDS = 600.0
# Where a base does not say how much text it can look at.
_LONGEST = 2_048


@dataclass(slots=True)
class _Now:
    """What is loaded: an adapter by its name, "" for the base alone."""

    adapter: str
    base: str
    loaded: Loaded
    using: ExitStack


class ModelEngine:
    """Answers with what is active, or with one adapter."""

    def __init__(
        self, store: Store, deployments: Deployments, *, adapter: str = "", base: str = "",
        device: str = "", tell: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._store = store
        self._deployments = deployments
        self._fixed = adapter
        self._base = base
        self._device = device
        self._tell = tell
        self._seen: object = None
        self._now: _Now | None = None

    def follow(self) -> None:
        """Load what is active now, if that is another one.

        Raises `SkillmeshError` where nothing was loaded before either.
        """
        seen = () if self._fixed else _stamp(self._store)
        if self._now and seen == self._seen:
            return
        try:
            self._load()
        except SkillmeshError as error:
            if not self._now:
                raise
            self._tell(f"{self.names()[0]} goes on: {error}")
        self._seen = seen

    def names(self) -> tuple[str, ...]:
        """Return the names under which the model is offered; the first is its own."""
        if self._now is None:
            return (ALIAS,)
        own = self._now.adapter or model_version(self._now.base, self._now.loaded.base_sha256, "")
        return (own,) if self._fixed else (own, ALIAS)

    def _load(self) -> None:
        name, base, digest = self._wanted()
        now = self._now
        if now and (now.adapter, now.loaded.base_sha256) == (name, digest):
            return
        using = ExitStack()
        try:
            folder = None
            if name:
                using.enter_context(self._store.using(name))
                folder = self._store.folder_of(name)
            loaded = load(base, folder, device=self._device)
            if digest and loaded.base_sha256 != digest:
                raise Damaged(f"{base} is not the base of {name or 'the manifest'}")
        except BaseException:
            using.close()
            raise
        if now:
            now.using.close()
        self._now = _Now(name, base, loaded, using)
        self._tell(f"{self.names()[0]} is loaded")

    def _wanted(self) -> tuple[str, str, str]:
        """Return adapter, base and the base's hash, all looked at. Raises `SkillmeshError`."""
        if self._fixed:
            adapter = self._store.usable(self._fixed)[1]
            return self._fixed, self._base or adapter.base, adapter.base_sha256
        active = self._deployments.active()
        if active is None:
            if not self._base:
                raise UsageError("nothing is active", "--adapter NAME, or --base PATH alone")
            return "", self._base, ""
        one = active.manifest.deployment
        return one.adapter, self._base or one.base, one.base_sha256

    # -- writing -----------------------------------------------------------------------------------

    def answer(self, asked: Asked, emit: Callable[[str], None]) -> Answer:
        """Answer; `emit` gets the text in parts. Raises `Wrong`."""
        import torch
        from transformers import StoppingCriteriaList

        if self._now is None:
            raise Wrong(503, "no model is loaded")
        loaded = self._now.loaded
        ids = _ids(loaded, asked)
        limit = getattr(loaded.model.config, "max_position_embeddings", None) or _LONGEST
        if len(ids) >= limit:
            raise Wrong(
                400, f"the prompt has {len(ids):,} tokens, and the model takes {limit:,} with the "
                "answer", "messages", "context_length_exceeded",
            )  # fmt: skip
        most = min(asked.most, limit - len(ids))
        text = _Text(loaded.tokenizer, asked.stops, emit, len(ids))
        choose: dict[str, Any] = {"do_sample": False, "temperature": None, "top_p": None,
                                  "top_k": None}  # fmt: skip
        if asked.temperature > 0:
            torch.manual_seed(asked.seed if asked.seed is not None else time.time_ns() % 2**31)
            choose = {"do_sample": True, "temperature": asked.temperature,
                      "top_p": max(asked.top_p, 1e-6), "top_k": None}  # fmt: skip
        given = torch.tensor([ids], device=loaded.device)
        ends = ends_of(loaded)
        with torch.inference_mode():
            loaded.model.generate(
                input_ids=given, attention_mask=torch.ones_like(given), max_new_tokens=most,
                streamer=text, stopping_criteria=StoppingCriteriaList([text.stops]),
                pad_token_id=loaded.tokenizer.pad_token_id, eos_token_id=ends, **choose,
            )  # fmt: skip
        text.finish()
        stopped = text.stopped or (text.ids and text.ids[-1] in ends)
        return Answer(text.text, "stop" if stopped else "length", len(ids), len(text.ids))


class _Text:
    """Collects tokens as text, lets it out as far as it is certain, and knows when to stop.

    It is what `transformers` calls a streamer.
    """

    def __init__(
        self, tokenizer: Any, stops: tuple[str, ...], emit: Callable[[str], None], prompt: int
    ) -> None:
        self._tokenizer = tokenizer
        self._wanted = stops
        self._emit = emit
        self._prompt: int = prompt
        self._until = time.monotonic() + _SECONDS
        self._out = 0
        self.ids: list[int] = []
        self.text = ""
        self.stopped = False

    def put(self, value: Any) -> None:
        """Take tokens: first the prompt, then one after the other."""
        if self._prompt:
            self._prompt = 0
            return
        self.ids += value.flatten().tolist()
        self.text = self._tokenizer.decode(self.ids, skip_special_tokens=True)
        found = [place for stop in self._wanted if (place := self.text.find(stop)) >= 0]
        if found:
            self.text, self.stopped = self.text[: min(found)], True
        # The end may be half a character, or the beginning of what stops.
        hold = max(map(len, self._wanted), default=1) - 1 if not found else 0
        sure = len(self.text) - hold
        while not found and sure > self._out and self.text[sure - 1] == "\ufffd":
            sure -= 1
        self._let_out(sure)

    def end(self) -> None:
        """Do nothing: `finish` is called when all is known."""

    def finish(self) -> None:
        """Let out the rest."""
        self._let_out(len(self.text))

    def stops(self, ids: Any, scores: Any, **more: Any) -> Any:
        """Tell `transformers` whether to stop, for each row."""
        import torch

        over = self.stopped or time.monotonic() > self._until
        return torch.full((ids.shape[0],), over, dtype=torch.bool, device=ids.device)

    def _let_out(self, end: int) -> None:
        if end > self._out:
            self._emit(self.text[self._out : end])
            self._out = end


def _ids(loaded: Loaded, asked: Asked) -> list[int]:
    tokenizer = loaded.tokenizer
    if asked.messages is None:
        return list(tokenizer(asked.prompt)["input_ids"])
    try:
        found = tokenizer.apply_chat_template(
            list(asked.messages), add_generation_prompt=True, tokenize=True, return_dict=True
        )
    except Exception as error:  # templates are programs, and raise what they like
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise Wrong(
            400, f"the chat template refuses these messages: {reason}", "messages"
        ) from None
    return list(found["input_ids"])


def _stamp(store: Store) -> object:
    """Return what changes whenever the manifest is replaced."""
    try:
        told = (store.folder / ACTIVE).stat()
    except OSError:
        return None
    return told.st_ino, told.st_mtime_ns, told.st_size
