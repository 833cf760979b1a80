"""What takes secrets out of thoughts: the redaction of conversations, by the same settings.

In: settings. Out: a function of text for `ThoughtStore`, which counts what it took out.
"""

from collections import Counter

from ..config import Config
from .store import Redact


def redactor_of(config: Config, found: "Counter[str]") -> Redact:
    """Return the function; `found` counts the rules. Raises `ConfigurationError`."""
    from ..sessions.redaction import Redactor  # only who writes needs it
    from ..sessions.redaction_policy import policy_of

    redactor = Redactor(policy_of(config))

    def clean(text: str) -> str:
        result = redactor.redact(text)
        found.update(finding.rule for finding in result.findings)
        return result.text

    return clean
