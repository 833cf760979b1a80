"""Settings from six places, the nearest wins.

In: command line > environment > `.env` > `git config skillmesh.*` > `.skillmesh/config.toml`
> default. Out: `Config`, with every value checked and its origin known. What a clone brings, its
`config.toml` and a `.env` that is committed, holds no secrets and sends text to nobody unasked.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import ConfigurationError
from .git.repository import Repository
from .settings import SETTINGS

_NUMBER = re.compile(r"[0-9]{1,15}")
# A password within an address, which is refused where it is used but may stand there all the same.
_PASSWORD = re.compile(r"//[^/@\s]*@")
COMMITTED = ".skillmesh/config.toml"
_ORIGIN = "remote.origin.url"
# One question for the settings and for what most commands ask next.
_FROM_GIT = r"^(skillmesh\.|remote\.origin\.url$)"
_EMBEDDING = ("embedding.provider", "embedding.name")


@dataclass(frozen=True, slots=True)
class Proposal:
    """An embedding provider that files of a clone name, and that the user has not agreed to.

    `place` is provider:model, as `git config skillmesh.embedding.agreed` holds it; `refused` says
    that the user has said no.
    """

    place: str
    origin: str
    refused: bool

    @property
    def shown(self) -> str:
        """The place, fit for people's eyes."""
        return _PASSWORD.sub("//(hidden)@", self.place)

    def __str__(self) -> str:
        why = "you said no" if self.refused else "you have not agreed"
        return (
            f"the embedding provider {self.shown} in {self.origin} is not used, {why}; "
            "to agree: git skillmesh init --yes"
        )


@dataclass(frozen=True, slots=True)
class Config:
    """The settings in force: `values` by name, `origins` says where each came from.

    `proposal` is what a clone wants and does not get before the user agrees. `origin` is the
    address of the remote of that name, "" without one; it may hold a password.
    """

    values: Mapping[str, str]
    origins: Mapping[str, str]
    environ: Mapping[str, str]
    proposal: Proposal | None = None
    origin: str = field(default="", repr=False)

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def number(self, name: str) -> int:
        """Return a setting that is a whole number ≥ 0."""
        return int(self.values[name])

    def globs(self, name: str) -> tuple[str, ...]:
        """Return a setting that lists globs."""
        return tuple(self.values[name].split())

    def lines(self, name: str) -> tuple[str, ...]:
        """Return a setting that holds one value a line."""
        return tuple(line.strip() for line in self.values[name].splitlines() if line.strip())

    def shown(self, name: str) -> str:
        """Return a value fit for people's eyes and logs."""
        value = self.values[name]
        if value and SETTINGS[name].secret:
            return "(set)"
        return _PASSWORD.sub("//(hidden)@", value)


def load(
    repository: Repository,
    overrides: Mapping[str, str] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Config:
    """Read all places and check the values. Raises `ConfigurationError`."""
    root = repository.top
    from_toml = _read_toml(root)
    from_git, answers, origin = _read_git(repository)
    dotenv = _read_dotenv(root)
    layers: list[tuple[str, Mapping[str, str]]] = [
        ("default", {name: setting.default for name, setting in SETTINGS.items()}),
        (COMMITTED, from_toml),
        ("git config", from_git),
        (".env", _from_environment(dotenv)),
        ("environment", _from_environment(environ)),
        ("command line", overrides or {}),
    ]
    values, origins = _united(layers)
    brought = {COMMITTED}
    if _is_committed(repository, dotenv, values):
        _refuse_secrets(_from_environment(dotenv), ".env")
        # Addresses and keys of providers: whoever commits them would say where text goes.
        dotenv = {}
        brought.add(".env")
    proposal = _proposal(values, origins, brought, answers)
    if proposal is not None:
        values, origins = _united(_without_theirs(layers, brought))
    for name, value in values.items():
        choices = SETTINGS[name].choices
        if choices:
            values[name] = value = value.lower()
            if value not in choices:
                raise _bad(name, value, origins[name], "one of " + ", ".join(choices))
        if SETTINGS[name].number and not _NUMBER.fullmatch(value):
            raise _bad(name, value, origins[name], "a whole number")
    return Config(values, origins, {**dotenv, **environ}, proposal, origin)


def _united(
    layers: Iterable[tuple[str, Mapping[str, str]]],
) -> tuple[dict[str, str], dict[str, str]]:
    """Return values and origins, later layers over earlier ones."""
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    for origin, layer in layers:
        for name, value in layer.items():
            values[name], origins[name] = value.strip(), origin
    return values, origins


def _without_theirs(
    layers: Iterable[tuple[str, Mapping[str, str]]], brought: Collection[str]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    for origin, layer in layers:
        theirs = _EMBEDDING if origin in brought else ()
        yield origin, {name: value for name, value in layer.items() if name not in theirs}


def _is_committed(
    repository: Repository, dotenv: Mapping[str, str], values: Mapping[str, str]
) -> bool:
    """Return whether `.env` is of the clone, as far as it matters: git is asked only then."""
    sensitive = any(
        SETTINGS[name].secret or name in _EMBEDDING for name in _from_environment(dotenv)
    )
    if not dotenv or not (sensitive or _is_provider(values["embedding.provider"])):
        return False
    from .git.trees import is_tracked

    return is_tracked(repository, ".env")


def _is_provider(name: str) -> bool:
    return name.lower() not in ("", "builtin")


def _proposal(
    values: Mapping[str, str],
    origins: Mapping[str, str],
    brought: Collection[str],
    answers: Mapping[str, Collection[str]],
) -> Proposal | None:
    """Return what files of a clone make of the embedding, unless it is agreed to."""
    theirs = [origins[name] for name in _EMBEDDING if origins[name] in brought]
    provider = values["embedding.provider"].lower().replace("-", "_")
    if not theirs or not _is_provider(provider):
        return None
    place = f"{provider}:{values['embedding.name']}"
    refused = place in answers.get("embedding.refused", ())
    if not refused and place in answers.get("embedding.agreed", ()):
        return None
    return Proposal(place, theirs[0], refused)


def _bad(name: str, value: str, origin: str, wanted: str) -> ConfigurationError:
    shown = "(hidden)" if SETTINGS[name].secret else repr(value)
    return ConfigurationError(f"{name} is {shown} in {origin}", f"it must be {wanted}")


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: environ[setting.env]
        for name, setting in SETTINGS.items()
        if setting.env and environ.get(setting.env)
    }


def _read_git(repository: Repository) -> tuple[dict[str, str], dict[str, list[str]], str]:
    """Return the settings, everything else below skillmesh. (answers of the user), the origin."""
    out = repository.git.run_unchecked("config", "-z", "--get-regexp", _FROM_GIT).stdout
    found: dict[str, str] = {}
    others: dict[str, list[str]] = {}
    origin = ""
    for record in os.fsdecode(out).split("\0"):
        key, _, value = record.partition("\n")
        name = key.lower().removeprefix("skillmesh.")
        if key == _ORIGIN:
            origin = value.strip()
        elif name in SETTINGS:
            several = SETTINGS[name].lines and name in found
            found[name] = f"{found[name]}\n{value}" if several else value
        else:
            others.setdefault(name, []).append(value)
    return found, others, origin


def _read_dotenv(root: Path | None) -> dict[str, str]:
    if root is None or not (root / ".env").is_file():
        return {}
    import logging

    from dotenv import dotenv_values

    # Lines it cannot read are somebody else's: .env files serve many programs.
    logging.getLogger("dotenv").addHandler(logging.NullHandler())
    try:
        read = dotenv_values(root / ".env", interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read .env: {error}") from None
    return {key: value for key, value in read.items() if value is not None}


def _read_toml(root: Path | None) -> dict[str, str]:
    path = root / ".skillmesh" / "config.toml" if root else None
    if path is None or not path.is_file():
        return {}
    import tomllib

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"cannot read .skillmesh/config.toml: {error}") from None
    found = dict(_flatten(document))
    unknown = sorted(set(found) - set(SETTINGS))
    if unknown:
        raise ConfigurationError(
            f"unknown setting in .skillmesh/config.toml: {unknown[0]}", "see docs/configuration.md"
        )
    _refuse_secrets(found, COMMITTED)
    personal = sorted(name for name in found if SETTINGS[name].personal)
    if personal:
        raise ConfigurationError(
            f"{personal[0]} is no setting for .skillmesh/config.toml: it is yours alone",
            f"git config --global skillmesh.{personal[0]} VALUE",
        )
    return found


def _refuse_secrets(found: Iterable[str], place: str) -> None:
    secret = sorted(name for name in found if SETTINGS[name].secret)
    if secret:
        raise ConfigurationError(
            f"{secret[0]} must not stand in {place}, which is committed",
            f"use {SETTINGS[secret[0]].env} in the environment or in an .env that is not committed",
        )


def _flatten(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        name = f"{prefix}{key}".lower()
        lines = name in SETTINGS and SETTINGS[name].lines
        if lines and isinstance(value, dict):
            found.append((name, "\n".join(f"{key} = {item}" for key, item in value.items())))
        elif isinstance(value, dict):
            found += _flatten(value, f"{name}.")
        elif isinstance(value, list):
            found.append((name, ("\n" if lines else " ").join(str(item) for item in value)))
        else:
            found.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    return found
