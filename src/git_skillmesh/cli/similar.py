"""Learnings that say what the messages of a change say: notes for `check --related`.

In: a change and the notes there are. Out: `Related`s. Meaning alone connects them, so they are few,
and only for messages of which the model is sure.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from ..errors import ConfigurationError, SkillmeshError, Unavailable
from ..gate.change import messages
from ..gate.model import Related
from .context import Context

if TYPE_CHECKING:
    from ..gate.change import Change
    from ..gate.matchers.message import CommitMessage

MOST = 3
_MESSAGES = 50
_LENGTH, _SUBJECT = 500, 72  # characters of a message that are compared, and shown
# Nine of 600 messages of three projects are as close to one of their learnings, eight of them
# rightly (docs/check.md).
LEAST_COSINE = 0.66


def learnings_like(
    context: Context, change: "Change", given: "CommitMessage | None", known: Collection[str]
) -> tuple[Related, ...]:
    """Return notes on learnings of the base that are not `known`, the most similar first."""
    from ..index.learning_view import open_learnings
    from ..index.learnings import learning_store
    from ..index.vectors import prose_source_of
    from ..index.view import Scope
    from ..retrieval.learnings import LearningOptions, LearningSearcher

    if not change.base:
        return ()
    asked = [given] if given is not None else list(messages(change))[:_MESSAGES]
    cache = learning_store(context.repository).embeddings_path
    best: dict[str, tuple[float, Related]] = {}
    try:
        source = prose_source_of(context.config, cache)
        view = open_learnings(context.repository, source, Scope.REVISION, change.base)
    except (Unavailable, ConfigurationError):
        return ()  # without the model there is nothing to compare
    try:
        searcher = LearningSearcher(view)
        for message in asked:
            text = message.text[:_LENGTH]
            vector = source.embed_query(text)
            for hit in searcher.answer(text, LearningOptions(limit=MOST), vector).hits:
                one = hit.learning
                if hit.cosine < LEAST_COSINE or one.learning_id in known:
                    continue
                subject = text.partition("\n")[0][:_SUBJECT]
                why = f'the message "{subject}" says much the same'
                note = Related("learning", one.learning_id, one.title, why)
                if hit.cosine > best.get(one.learning_id, (0.0, note))[0]:
                    best[one.learning_id] = hit.cosine, note
    except SkillmeshError:
        return ()  # a clone that lacks what is needed: a note less
    finally:
        view.close()
    found = sorted(best.values(), key=lambda pair: -pair[0])
    return tuple(note for _, note in found[:MOST])
