"""What a user wants redacted beyond the built-in rules, and what may stay.

In: the settings `redaction.*`. Out: `Policy`, plain data; patterns are checked by `Redactor`.
"""

from dataclasses import dataclass

from ..config import Config
from ..errors import ConfigurationError

KINDS = ("home", "email", "phone", "card", "ip")


@dataclass(frozen=True, slots=True)
class Policy:
    """What goes: kinds of personal data, own rules (name, RE2 pattern), values that may stay.

    `allow` holds exact values, or patterns between slashes that match a whole value.
    """

    personal: tuple[str, ...] = ("home",)
    rules: tuple[tuple[str, str], ...] = ()
    allow: tuple[str, ...] = ()
    images: bool = True


def policy_of(config: Config) -> Policy:
    """Return what the settings ask for. Raises `ConfigurationError`."""
    rules = []
    for line in config.lines("redaction.rules"):
        name, sign, pattern = line.partition("=")
        if not sign or not pattern.strip():
            raise ConfigurationError(
                f"redaction.rules has {line!r}", "write a rule as `name = pattern`"
            )
        rules.append((name.strip(), pattern.strip()))
    return Policy(_kinds(config["redaction.pii"]), tuple(rules), config.lines("redaction.allow"))


def _kinds(text: str) -> tuple[str, ...]:
    words = text.lower().replace(",", " ").split()
    if words == ["none"]:
        return ()
    if words == ["all"]:
        return KINDS
    unknown = [word for word in words if word not in KINDS]
    if unknown:
        raise ConfigurationError(
            f"redaction.pii names {unknown[0]!r}", f"it can be {', '.join(KINDS)}, all or none"
        )
    return tuple(words)
