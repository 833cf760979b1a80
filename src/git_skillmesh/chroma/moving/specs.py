"""Read where a store is from what a user types.

In: `persistent:PATH`, `http(s)://…`, `cloud[:TENANT/DATABASE]` or `configured`. Out: a `Target`.
Secrets never stand there: each end has variables of its own (`VARIABLES`).
"""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl

from ...config import Config
from ...errors import ConfigurationError, UsageError
from ...files import expanded
from ...git.repository import Repository
from ..target import CLOUD_URL, Target, target_of

End = Literal["from", "to"]
# End → (headers of a server, key of Chroma Cloud), in the environment or in .env.
VARIABLES: Mapping[End, tuple[str, str]] = {
    "from": ("CHROMA_FROM_HEADERS", "CHROMA_FROM_API_KEY"),
    "to": ("CHROMA_TO_HEADERS", "CHROMA_TO_API_KEY"),
}
FORMS = "persistent:PATH, http(s)://HOST[:PORT], cloud[:TENANT/DATABASE] or configured"
_QUERY = re.compile(r"\?((?:tenant|database)=[^?]*)\Z")


def target_from(
    spec: str, end: End, config: Config, repository: Repository, cwd: Path, option: str = ""
) -> Target:
    """Return the store that a spec names; a relative path counts from `cwd`.

    `option` is what the user calls the end, `--from` or `--to` without.
    A server gets the headers of the configuration only if it is the configured one: a token is
    for one host. Raises `UsageError` for a spec that is none, `ConfigurationError` for what the
    configuration or the environment lacks.
    """
    option = option or f"--{end}"
    if spec == "configured":
        configured = target_of(config, repository)
        if configured is None:
            raise ConfigurationError(
                "the Chroma tier is off, so nothing is configured", f"{option} {FORMS}"
            )
        return configured
    kind, _, rest = spec.partition(":")
    if kind == "persistent" and rest:
        return _folder(rest, cwd)
    if kind in ("http", "https"):
        return _server(spec, VARIABLES[end][0], option, config, repository)
    if kind == "cloud":
        return _cloud(rest, VARIABLES[end][1], option, config, repository)
    raise UsageError(f"{option} {spec!r:.80} names no store", FORMS)


def _folder(rest: str, cwd: Path) -> Target:
    path, names = _divided(rest)
    if not path or "\0" in path:
        raise UsageError(f"persistent:{rest!r:.80} names no folder")
    folder = Path(os.path.normpath(cwd / expanded(path)))
    tenant, database = names.get("tenant", ""), names.get("database", "")
    return Target("persistent", path=folder, tenant=tenant, database=database)


def _server(
    spec: str, variable: str, option: str, config: Config, repository: Repository
) -> Target:
    url, names = _divided(spec)
    headers = config.environ.get(variable, "")
    asked = {"chroma.impl": "http", "chroma.url": url, "chroma.headers": headers}
    found = _made(asked, names, config, repository, option, variable)
    if not headers and config["chroma.headers"] and _is_configured(found, config, repository):
        asked["chroma.headers"] = config["chroma.headers"]
        found = _made(asked, names, config, repository, option, "chroma.headers")
    return found


def _is_configured(found: Target, config: Config, repository: Repository) -> bool:
    if config["chroma.impl"] != "http":
        return False
    configured = target_of(config, repository)
    return configured is not None and configured.url == found.url


def _cloud(rest: str, variable: str, option: str, config: Config, repository: Repository) -> Target:
    tenant, _, database = rest.partition("/")
    if "?" in rest or "/" in database or (rest and not (tenant and database)):
        raise UsageError(f"{option} cloud:{rest!r:.80} is no TENANT/DATABASE")
    key = config.environ.get(variable, "") or config["chroma.apikey"]
    if not key:
        raise ConfigurationError(
            f"{option} is Chroma Cloud but there is no key",
            f"set {variable} or CHROMA_API_KEY in the environment or in .env",
        )
    # Never chroma.url: a key of Chroma Cloud goes to Chroma Cloud.
    asked = {"chroma.impl": "cloud", "chroma.url": CLOUD_URL, "chroma.apikey": key}
    names = {"tenant": tenant, "database": database} if rest else _configured_names(config)
    return _made(asked, names, config, repository, option, variable)


def _configured_names(config: Config) -> dict[str, str]:
    return {name: config[f"chroma.{name}"] for name in ("tenant", "database")}


def _made(
    asked: Mapping[str, str],
    names: Mapping[str, str],
    config: Config,
    repository: Repository,
    option: str,
    secret: str,
) -> Target:
    """Return what the configuration would give if it said so, with its checks."""
    values = {**config.values, "chroma.tenant": "", "chroma.database": "", **asked}
    values |= {f"chroma.{name}": value for name, value in names.items()}
    try:
        found = target_of(replace(config, values=values), repository)
    except ConfigurationError as error:
        what = error.what.replace("chroma.headers", secret).replace("chroma.url", option)
        raise UsageError(what, error.mend.replace("CHROMA_HTTP_HEADERS", secret)) from None
    assert found is not None  # noqa: S101 - never "off" here
    return found


def _divided(text: str) -> tuple[str, dict[str, str]]:
    """Return (what stands before `?tenant=…&database=…`, these names)."""
    found = _QUERY.search(text)
    if found is None:
        return text, {}
    names = dict(parse_qsl(found[1], keep_blank_values=True))
    unknown = sorted(set(names) - {"tenant", "database"})
    if unknown:
        raise UsageError(f"{unknown[0]!r:.40} is no part of a store", "tenant and database are")
    return text[: found.start()], names
