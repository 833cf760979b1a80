"""Where the Chroma tier lives.

In: the configuration. Out: `Target`, which every other module of this room opens, and which never
shows its secrets.
"""

import hashlib
import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from ..config import COMMITTED, Config
from ..errors import ConfigurationError
from ..files import expanded
from ..git.repository import Repository
from ..git.trees import is_tracked

Kind = Literal["persistent", "http", "cloud"]
CLOUD_URL = "https://api.trychroma.com"
CLOUD_DOMAIN = ".trychroma.com"


@dataclass(frozen=True, slots=True)
class Target:
    """One store: a folder (`path`), a server (`url`) or Chroma Cloud (`api_key`).

    `keeps_documents` None: a repository's rows stay with or without texts, as they are; the first
    ones have texts where the store is no folder. `borrowed_by` is None where the user stands by
    the repository's id; where only the clone says it, the ids that its remotes would give it.
    """

    kind: Kind
    path: Path | None = None
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    tenant: str = ""
    database: str = ""
    api_key: str = field(default="", repr=False)
    keeps_documents: bool | None = None
    cafile: str = ""
    borrowed_by: tuple[str, ...] | None = None

    @property
    def fingerprint(self) -> str:
        """Identity of the place, without secrets: 16 hexadecimal digits."""
        place = [self.kind, str(self.path or ""), self.url, self.tenant, self.database]
        return hashlib.sha256(json.dumps(place).encode()).hexdigest()[:16]

    @property
    def store(self) -> Path:
        """Folder of a persistent store. Raises `ValueError` for any other kind."""
        if self.path is None:
            raise ValueError(f"a {self.kind} store has no folder")
        return self.path

    @property
    def lock_file(self) -> Path:
        """Beside the folder of a persistent store; locked by whoever has the store open."""
        return self.store.with_name(self.store.name + ".lock")

    @property
    def is_hosted(self) -> bool:
        """Whether it is Chroma Cloud, also where its address is given as that of a server."""
        return self.kind == "cloud" or (urlsplit(self.url).hostname or "").endswith(CLOUD_DOMAIN)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Everything that must never be shown."""
        return tuple(secret for secret in (self.api_key, *self.headers.values()) if secret)

    def describe(self) -> str:
        """Say where it is, safe to print."""
        place = {
            "persistent": f"the folder {self.path}",
            "http": f"the server {self.url}",
            "cloud": "Chroma Cloud" if self.url == CLOUD_URL else f"Chroma Cloud at {self.url}",
        }[self.kind]
        inside = "/".join(part for part in (self.tenant, self.database) if part)
        return f"{place} ({inside})" if inside else place

    def to_message(self) -> dict[str, Any]:
        """Return everything, secrets included, for the pipe to the writer."""
        return {
            "kind": self.kind,
            "path": str(self.path) if self.path else None,
            "url": self.url,
            "headers": dict(self.headers),
            "tenant": self.tenant,
            "database": self.database,
            "api_key": self.api_key,
            "keeps_documents": self.keeps_documents,
            "cafile": self.cafile,
            "borrowed_by": self.borrowed_by,
        }

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> "Target":
        """Undo `to_message`."""
        path, ids = message["path"], message["borrowed_by"]
        borrowed_by = None if ids is None else tuple(ids)
        known = {"path": Path(path) if path else None, "borrowed_by": borrowed_by}
        return cls(**{**message, **known})


def target_of(config: Config, repository: Repository) -> Target | None:
    """Return the configured store, None when the tier is off. Raises `ConfigurationError`."""
    impl = config["chroma.impl"]
    if impl == "off":
        return None
    documents = {"auto": None, "true": True, "false": False}
    common: dict[str, Any] = {
        "tenant": config["chroma.tenant"],
        "database": config["chroma.database"],
        "keeps_documents": documents[config["chroma.documents"]],
    }
    if config.origins.get("repoid") == COMMITTED and (
        impl != "persistent" or config["chroma.path"]
    ):
        common["borrowed_by"] = repository.ids_of_remotes()
    if impl == "persistent":
        return Target("persistent", path=_folder(config, repository), **common)
    common["cafile"] = _cafile(config)
    headers = _headers(config)
    if impl == "http":
        if not config["chroma.url"]:
            raise ConfigurationError(
                "chroma.impl is http but no server is named",
                "set chroma.url or CHROMA_HTTP_URL, for example http://localhost:8000",
            )
        url = _checked_url(config["chroma.url"])
        _refuse_borrowed_address(config, repository, url)
        return Target("http", url=url, headers=headers, **common)
    if not config["chroma.apikey"]:
        raise ConfigurationError(
            "chroma.impl is cloud but there is no key",
            "set CHROMA_API_KEY in the environment or in .env",
        )
    url = _checked_url(config["chroma.url"] or CLOUD_URL)
    _refuse_borrowed_address(config, repository, url)
    return Target("cloud", url=url, api_key=config["chroma.apikey"], **common)


def _folder(config: Config, repository: Repository) -> Path:
    configured = config["chroma.path"]
    if not configured:
        return repository.state_dir / "chroma"
    base = repository.top or repository.common_dir
    return Path(os.path.normpath(base / expanded(configured)))


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad_url("it is not a valid address") from None
    if parts.username is not None or parts.password is not None:
        raise _bad_url("it must not hold a password; use CHROMA_HTTP_HEADERS")
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or port == 0:
        raise _bad_url("it must look like http://host:8000 or https://host")
    if parts.query or parts.fragment:
        raise _bad_url("it must have no ? and no #")
    path = parts.path.rstrip("/").removesuffix("/api/v2").rstrip("/")
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{path}"


def _bad_url(why: str) -> ConfigurationError:
    return ConfigurationError("chroma.url cannot be used", why)


def _refuse_borrowed_address(config: Config, repository: Repository, url: str) -> None:
    """Code, conversations and a token go where their owner has said, never where a clone says."""
    origin = config.origins.get("chroma.url")
    if origin == COMMITTED or (origin == ".env" and is_tracked(repository, ".env")):
        raise ConfigurationError(
            f"chroma.url stands in {origin}, and nothing is sent where only a clone says",
            f"if you trust it: git config skillmesh.chroma.url {shlex.quote(url)}",
        )


def _cafile(config: Config) -> str:
    if not config["chroma.cafile"]:
        return ""
    path = expanded(config["chroma.cafile"])
    if not path.is_absolute() or not path.is_file():
        raise ConfigurationError(
            f"chroma.cafile is {config['chroma.cafile']!r}",
            "it must be the absolute path of a file of certificates (PEM)",
        )
    return str(path)


def _headers(config: Config) -> dict[str, str]:
    text = config["chroma.headers"]
    if not text:
        return {}
    try:
        headers = json.loads(text)
    except ValueError:
        headers = None
    if not isinstance(headers, dict) or not all(isinstance(v, str) for v in headers.values()):
        raise ConfigurationError(
            "chroma.headers cannot be used",
            'it must be a JSON object of strings, as in {"Authorization": "Bearer …"}',
        )
    for name, value in headers.items():
        sendable = (name + value).isascii() and (name + value).isprintable()
        if not name or ":" in name or not sendable:
            raise ConfigurationError(
                "chroma.headers cannot be used", "a name or a value cannot stand in a header"
            )
    return headers
