"""Open a Chroma client, and say in the user's words why that fails.

In: a `Target`. Out: a client with bounded timeouts and no telemetry; `explain` turns whatever
Chroma, its HTTP library or SQLite raise into a `SkillmeshError` without secrets.
"""

import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import (
    Busy,
    ConfigurationError,
    Damaged,
    ReadOnly,
    SkillmeshError,
    Unavailable,
    Unreachable,
)
from .loading import load
from .pages import is_quota
from .target import Target

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

# For whoever waits for an answer: a server that is not there is noticed soon.
CONNECT_TIMEOUT_S = 2.0
_FULL = ("disk is full", "no space left", "quota exceeded")
_LOCKED = ("database is locked", "database table is locked")
_PASSING = ("could not connect", "timed out", "disconnected", "peer closed", "connection")
_NO_NAMESPACE = ("database", "tenant")
_AUTH = ("unauthorized", "forbidden", "authentication", "permission denied")


def database_of(target: Target) -> Path:
    """Return the file whose existence says that a persistent store exists."""
    return target.store / "chroma.sqlite3"


def open_client(
    target: Target, read_timeout_s: float, patience_s: float = CONNECT_TIMEOUT_S
) -> "ClientAPI":
    """Open the store; a persistent one is created when missing. Raises whatever Chroma raises.

    A server is asked for its heartbeat first, before Chroma is imported, which takes a second. It
    has `patience_s` to answer that, and to accept a connection.
    """
    if target.kind == "persistent":
        load()
        return _open_folder(target)
    from .connection import given, open_session

    session = open_session(target, read_timeout_s, patience_s)
    try:
        beat = session.get(f"{target.url}/api/v2/heartbeat", timeout=patience_s)
        beat.raise_for_status()
        if "nanosecond heartbeat" not in beat.text:
            raise Unreachable(f"{target.describe()} is no Chroma server", "check chroma.url")
        load()
        with given(session):
            return _open_server(target)
    except BaseException:
        session.close()
        raise


def settings() -> Any:
    """Return settings that read nothing of the user's environment and send nothing home."""
    from chromadb.config import Settings

    logging.getLogger("chromadb").setLevel(logging.CRITICAL)
    # CHROMA_DB_IMPL is ours (docs/configuration.md); Chroma's own setting of that name is obsolete.
    options: dict[str, Any] = {
        "anonymized_telemetry": False,
        "chroma_db_impl": None,
        "_env_file": None,
    }
    return Settings(**options)


def _open_folder(target: Target) -> "ClientAPI":
    import chromadb

    names = {"tenant": target.tenant, "database": target.database}
    given = {key: value for key, value in names.items() if value}
    if given:
        _make_namespace(target)
    return chromadb.PersistentClient(target.store, settings=settings(), **given)


def _make_namespace(target: Target) -> None:
    """A folder starts with the default tenant only; any other is made on first use."""
    import chromadb
    from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT
    from chromadb.errors import NotFoundError

    own = settings()
    own.is_persistent, own.persist_directory = True, str(target.store)
    admin = chromadb.AdminClient(own)
    tenant, database = target.tenant or DEFAULT_TENANT, target.database or DEFAULT_DATABASE
    try:
        admin.get_tenant(tenant)
    except NotFoundError:
        admin.create_tenant(tenant)
    try:
        admin.get_database(database, tenant)
    except NotFoundError:
        admin.create_database(database, tenant)


def _open_server(target: Target) -> "ClientAPI":
    import chromadb

    parts = urlsplit(target.url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    if target.kind == "cloud":
        return chromadb.CloudClient(
            tenant=target.tenant or None,
            database=target.database or None,
            api_key=target.api_key,
            settings=settings(),
            cloud_host=parts.hostname or "",
            cloud_port=port,
            enable_ssl=secure,
        )
    names = {"tenant": target.tenant, "database": target.database}
    return chromadb.HttpClient(
        # A full address is the only way to name a server that lives under a path.
        host=target.url,
        port=port,
        ssl=secure,
        headers=dict(target.headers),
        settings=settings(),
        **{key: value for key, value in names.items() if value},
    )


def close(client: "ClientAPI") -> None:
    """Release the client. A store that cannot be closed is left to the end of the process."""
    shut = getattr(client, "close", None)
    if shut is not None:
        shut()


def explain(error: BaseException, target: Target) -> SkillmeshError:
    """Return what to tell the user; no secret of the target stands in it."""
    if isinstance(error, SkillmeshError):
        return error
    said = _cleaned(error, target)
    lowered = said.lower()
    where = target.describe()
    if type(error).__name__ == "ValidationError" and "settings" in lowered:
        return ConfigurationError(
            f"Chroma cannot read the environment or .env: {said}", "remove or mend that variable"
        )
    if target.kind == "persistent":
        if isinstance(error, PermissionError) or "readonly" in lowered or "read-only" in lowered:
            return ReadOnly(f"{where} cannot be written: {said}")
        if not os.access(_nearest(target), os.W_OK):
            return ReadOnly(f"{where} cannot be written")
        if any(sign in lowered for sign in _LOCKED):
            return Busy(f"another program has the Chroma store in {where} open")
        if any(sign in lowered for sign in _FULL):
            return Unavailable(f"the disk of {where} is full", "make room and run it again")
        if isinstance(error, OSError | ValueError | TypeError | ImportError):
            return Unavailable(f"the Chroma store in {where} does not work: {said}")
        return Damaged(
            f"the Chroma store in {where} cannot be read: {said}", "git skillmesh doctor --repair"
        )
    if any(f"{word} " in lowered for word in _NO_NAMESPACE) and (
        "not found" in lowered or "does not match" in lowered or "does not exist" in lowered
    ):
        return ConfigurationError(
            f"{where} has no such tenant or database", "check chroma.tenant and chroma.database"
        )
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 413:
        return ConfigurationError(
            f"{where} takes no request as large as a single record",
            "raise the limit of the proxy in front of it (nginx: client_max_body_size 64m)",
        )
    if status in (301, 302, 303, 307, 308):
        return ConfigurationError(
            f"{where} is somewhere else now", "set chroma.url to where it is; nothing was sent on"
        )
    if "certificate" in lowered and "ssl" in lowered:
        return ConfigurationError(
            f"nobody trusted vouches for {where}: {said}",
            "set chroma.cafile to the certificate of your authority",
        )
    if status is not None:
        reason = getattr(getattr(error, "response", None), "reason_phrase", "")
        said = f"it says {status} {reason}".strip()
    if type(error).__name__ == "JSONDecodeError":
        said = "what it answers is not Chroma's"
    if status in (401, 403) or any(sign in lowered for sign in _AUTH):
        return ConfigurationError(
            f"{where} refuses access", "check chroma.headers, chroma.apikey and chroma.tenant"
        )
    if is_quota(error):
        return ConfigurationError(
            f"{where} allows no more: {said}", "ask for higher quotas, or use another database"
        )
    return Unreachable(f"{where} does not answer: {said}", "the next run catches up")


def _nearest(target: Target) -> str:
    """Return the store's folder, or the first folder above it that exists."""
    folder = target.store
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return str(folder)


def _cleaned(error: BaseException, target: Target) -> str:
    said = " ".join(str(error).split()) or type(error).__name__
    for secret in target.secrets:
        said = said.replace(secret, "(hidden)")
    return "".join(c for c in said if c.isprintable())[:300]


def is_passing(error: BaseException) -> bool:
    """Whether a server's failure may be over in a moment."""
    import httpx
    from chromadb.errors import ChromaError, InternalError, RateLimitError

    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in (408, 425, 429) or error.response.status_code >= 500
    if isinstance(error, httpx.TransportError | InternalError | RateLimitError):
        return True
    if isinstance(error, SkillmeshError | ChromaError):
        return False
    if type(error).__name__ == "JSONDecodeError":
        return True
    said = str(error).lower()
    return any(sign in said for sign in _PASSING) or re.search(r"\b50[234]\b", said) is not None
