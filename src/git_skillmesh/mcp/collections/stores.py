"""What the tools of collections share: the user's own collections, and what is redacted.

In: a `Host`. Out: an open `OwnCollections`; texts without secrets.
"""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ...errors import ConfigurationError, UsageError
from ..host import Host

if TYPE_CHECKING:
    from ...chroma.own import OwnCollections
    from ...sessions.redaction import Redactor
    from ...sessions.redaction_policy import Policy


def own(host: Host) -> "OwnCollections":
    """Return the collections of the configured store.

    Raises `ConfigurationError`, `Unavailable` where the embedding model is.
    """
    from ...chroma.own import OwnCollections
    from ...chroma.target import target_of
    from ...index.learnings import learning_store
    from ...index.vectors import prose_source_of

    repository, config = host.repository, host.config
    target = target_of(config, repository)
    if target is None:
        raise ConfigurationError(
            "collections of your own need Chroma, which is off",
            "git config skillmesh.chroma.impl persistent",
        )
    source = prose_source_of(config, learning_store(repository).embeddings_path)
    return OwnCollections(target, repository.state_dir, source)


class Redacting:
    """Takes secrets out of what will be stored, and counts them."""

    def __init__(self, host: Host) -> None:
        from ...sessions.redaction_policy import policy_of

        self._redactor = _redactor(policy_of(host.config))
        self.found: Counter[str] = Counter()

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        redacted = self._redactor.redact(text)
        self.found.update(finding.rule for finding in redacted.findings)
        return redacted.text

    def metadata(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Return metadata whose texts have no secrets."""
        return {
            self.name(key): self.text(value) if isinstance(value, str) else value
            for key, value in metadata.items()
        }

    def name(self, name: str) -> str:
        """Return a name. Raises `UsageError` for one that is a secret."""
        if self._redactor.redact(name).findings:
            raise UsageError("a name looks like a secret", "choose another")
        return name

    def told(self) -> dict[str, int]:
        """Return rule → how often it took something out."""
        return dict(sorted(self.found.items()))


@lru_cache(4)
def _redactor(policy: "Policy") -> "Redactor":
    from ...sessions.redaction import Redactor

    return Redactor(policy)
