"""Settings from six places, the nearest wins.

In: command line > environment > `.env` > `git config skillmesh.*` > `.skillmesh/config.toml`
> default. Out: `Config`, with every value checked and its origin known.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ConfigurationError
from .git.repository import Repository

_NUMBER = re.compile(r"[0-9]{1,15}")
# A password within an address, which is refused where it is used but may stand there all the same.
_PASSWORD = re.compile(r"//[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `name` is also its git config key under "skillmesh." and its TOML path.

    One of `lines` holds several values that may contain spaces, one a line: a list or a table in
    TOML, a key given more than once in git config. A `personal` one is the user's alone: what is
    cloned has no say in it.
    """

    name: str
    default: str
    help: str
    env: str = ""
    choices: tuple[str, ...] = ()
    secret: bool = False
    number: bool = False
    lines: bool = False
    personal: bool = False


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("repoid", "", "identity of the repository in shared stores; derived when empty"),
        Setting("reponame", "", "name of the repository in shared stores; derived when empty"),
        Setting(
            "chroma.impl",
            "persistent",
            "where the Chroma tier lives",
            "CHROMA_DB_IMPL",
            ("persistent", "http", "cloud", "off"),
        ),
        Setting("chroma.path", "", "folder of a persistent store", "CHROMA_DB_PATH"),
        Setting("chroma.url", "", "address of a Chroma server", "CHROMA_HTTP_URL"),
        Setting(
            "chroma.headers",
            "",
            "headers for the server, a JSON object",
            "CHROMA_HTTP_HEADERS",
            secret=True,
        ),
        Setting("chroma.tenant", "", "tenant of a server or of Chroma Cloud", "CHROMA_TENANT"),
        Setting(
            "chroma.database", "", "database of a server or of Chroma Cloud", "CHROMA_DATABASE"
        ),
        Setting("chroma.apikey", "", "key for Chroma Cloud", "CHROMA_API_KEY", secret=True),
        Setting(
            "chroma.cafile",
            "",
            "certificates of those who may vouch for the server, instead of the usual ones",
            personal=True,
        ),
        Setting(
            "chroma.follow",
            "auto",
            "what a server has the code of: auto (default branch of the remote), head, or a branch",
            "CHROMA_FOLLOW",
        ),
        Setting(
            "chroma.documents",
            "auto",
            "store the text of chunks too (auto: as they are there, first on a server only)",
            choices=("auto", "true", "false"),
        ),
        Setting(
            "embedding.provider",
            "builtin",
            "builtin, or a Chroma embedding function",
            "EMBEDDING_MODEL_PROVIDER",
        ),
        Setting("embedding.name", "", "model of that provider", "EMBEDDING_MODEL_NAME"),
        Setting("index.exclude", "", "globs of files to leave out, separated by spaces"),
        Setting("index.include", "", "globs of files to index although a rule leaves them out"),
        Setting("index.maxbytes", "1000000", "files larger than this are left out", number=True),
        Setting(
            "index.jobs",
            "0",
            "processes for a large index (0: one per core, at most 4)",
            number=True,
        ),
        Setting(
            "sessions.capture",
            "auto",
            "which conversations background work stores: all it finds, those hooks name, none",
            choices=("auto", "hooks", "off"),
        ),
        Setting(
            "redaction.pii",
            "home",
            "personal data that is redacted too: home, email, phone, card, ip, or all, or none",
        ),
        Setting("redaction.rules", "", "own rules, each `name = RE2 pattern`", lines=True),
        Setting(
            "redaction.allow",
            "",
            "values that may stay, or `/pattern/` of such values",
            lines=True,
        ),
        Setting(
            "sync.push",
            "off",
            "whether a push shares conversations too: after it, before it, only by hand, or never",
            "SKILLMESH_SYNC_PUSH",
            ("off", "auto", "wait", "never"),
        ),
        Setting(
            "sync.timeout",
            "30",
            "seconds for which a push waits with sync.push=wait",
            number=True,
        ),
        Setting(
            "link.days",
            "90",
            "how many days before a commit an edit may have been made that is linked to it",
            number=True,
        ),
        Setting(
            "context.prompts",
            "on",
            "whether agents are told what the memory knows of a prompt",
            choices=("on", "off"),
        ),
        Setting(
            "context.tokens",
            "1500",
            "how many tokens an agent is told at most",
            number=True,
        ),
        Setting("advise.endpoint", "", "server that `advise` asks", personal=True),
        Setting("advise.model", "", "model or adapter of that server", personal=True),
        Setting(
            "advise.tokenenv",
            "",
            "environment variable that holds the token of that server",
            personal=True,
        ),
        Setting(
            "train.base",
            "",
            "base model that `nightly` trains for: a path or a hub id",
            personal=True,
        ),
        Setting(
            "train.method",
            "sft",
            "how `nightly` trains",
            choices=("sft", "kto", "dpo"),
        ),
        Setting(
            "train.preset",
            "tiny",
            "how large the base is that `nightly` trains for",
            choices=("tiny", "0.5b", "1.5b", "7b"),
        ),
        Setting(
            "train.minimumlines",
            "20",
            "how many new lines of data are worth a training at night",
            number=True,
        ),
        Setting(
            "adaptersfolder",
            "",
            "folder of the adapters, shared by whoever deploys; beside the caches when empty",
            personal=True,
        ),
        Setting("signingkey", "", "key of ssh that signs deployments of adapters", personal=True),
        Setting("allowedsigners", "", "file of those whose signatures on deployments count"),
        Setting(
            "vllm.url",
            "",
            "address of a vLLM server that is told to load adapters",
            personal=True,
        ),
        Setting(
            "monitoring",
            "on",
            "whether durations, outcomes and findings are recorded in this clone, without contents",
            "SKILLMESH_MONITORING",
            ("on", "off"),
        ),
        Setting(
            "log.level",
            "info",
            "what the log of background work keeps: runs (debug, info) or failures only",
            "LOG_LEVEL",
            ("debug", "info", "warning", "error", "critical"),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Config:
    """The settings in force: `values` by name, `origins` says where each came from."""

    values: Mapping[str, str]
    origins: Mapping[str, str]
    environ: Mapping[str, str]

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
    layers: list[tuple[str, Callable[[], Mapping[str, str]]]] = [
        ("default", lambda: {name: setting.default for name, setting in SETTINGS.items()}),
        (".skillmesh/config.toml", lambda: _read_toml(root)),
        ("git config", lambda: _read_git(repository)),
        (".env", lambda: _from_environment(_read_dotenv(root))),
        ("environment", lambda: _from_environment(environ)),
        ("command line", lambda: overrides or {}),
    ]
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    for origin, read in layers:
        for name, value in read().items():
            values[name], origins[name] = value.strip(), origin
    for name, value in values.items():
        choices = SETTINGS[name].choices
        if choices:
            values[name] = value = value.lower()
            if value not in choices:
                raise _bad(name, value, origins[name], "one of " + ", ".join(choices))
        if SETTINGS[name].number and not _NUMBER.fullmatch(value):
            raise _bad(name, value, origins[name], "a whole number")
    merged = {**_read_dotenv(root), **environ}
    return Config(values, origins, merged)


def _bad(name: str, value: str, origin: str, wanted: str) -> ConfigurationError:
    shown = "(hidden)" if SETTINGS[name].secret else repr(value)
    return ConfigurationError(f"{name} is {shown} in {origin}", f"it must be {wanted}")


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: environ[setting.env]
        for name, setting in SETTINGS.items()
        if setting.env and environ.get(setting.env)
    }


def _read_git(repository: Repository) -> dict[str, str]:
    out = repository.git.run_unchecked("config", "-z", "--get-regexp", r"^skillmesh\.").stdout
    found: dict[str, str] = {}
    for record in os.fsdecode(out).split("\0"):
        key, _, value = record.partition("\n")
        name = key.lower().removeprefix("skillmesh.")
        if name in SETTINGS:
            several = SETTINGS[name].lines and name in found
            found[name] = f"{found[name]}\n{value}" if several else value
    return found


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
    secret = sorted(name for name in found if SETTINGS[name].secret)
    if secret:
        raise ConfigurationError(
            f"{secret[0]} must not stand in .skillmesh/config.toml, which is committed",
            f"use {SETTINGS[secret[0]].env} in the environment or in .env",
        )
    personal = sorted(name for name in found if SETTINGS[name].personal)
    if personal:
        raise ConfigurationError(
            f"{personal[0]} is no setting for .skillmesh/config.toml: it is yours alone",
            f"git config --global skillmesh.{personal[0]} VALUE",
        )
    return found


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
