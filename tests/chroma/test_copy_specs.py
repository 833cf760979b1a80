"""What names a store on the command line, and where its secrets may come from."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from git_skillmesh import config
from git_skillmesh.chroma.moving.specs import End, target_from
from git_skillmesh.chroma.target import CLOUD_URL, Target
from git_skillmesh.errors import ConfigurationError, SkillmeshError, UsageError
from git_skillmesh.git.repository import Repository, discover
from testing.repos import make_repo

TOKEN, OTHER = {"Authorization": "Bearer one"}, {"Authorization": "Bearer two"}
HERE = Path("/somewhere")


@pytest.fixture(scope="module")
def repository(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return discover(make_repo(tmp_path_factory.mktemp("specs")).path, {})


def target(
    repository: Repository, spec: str, environ: Mapping[str, str] | None = None, end: End = "to"
) -> Target:
    return target_from(spec, end, config.load(repository, {}, environ or {}), repository, HERE)


def test_a_folder(repository: Repository) -> None:
    assert target(repository, "persistent:x/../store") == Target("persistent", path=HERE / "store")
    assert target(repository, "persistent:/a b?c/ü") == Target("persistent", path=Path("/a b?c/ü"))
    assert target(repository, "persistent:/a?tenant=t&database=d") == Target(
        "persistent", path=Path("/a"), tenant="t", database="d"
    )


def test_a_server_has_headers_of_its_own(repository: Repository) -> None:
    environ = {"CHROMA_FROM_HEADERS": json.dumps(TOKEN), "CHROMA_TO_HEADERS": json.dumps(OTHER)}
    ends: tuple[tuple[End, dict[str, str]], ...] = (("from", TOKEN), ("to", OTHER))
    for end, headers in ends:
        found = target(repository, "https://host/chroma?database=d&tenant=t", environ, end)
        assert (found.url, found.headers) == ("https://host/chroma", headers)
        assert (found.tenant, found.database) == ("t", "d")


def test_the_configured_token_goes_to_the_configured_server_only(repository: Repository) -> None:
    environ = {
        "CHROMA_DB_IMPL": "http",
        "CHROMA_HTTP_URL": "https://host",
        "CHROMA_HTTP_HEADERS": json.dumps(TOKEN),
    }
    assert target(repository, "https://host?database=d", environ).headers == TOKEN
    assert target(repository, "configured", environ).headers == TOKEN
    assert target(repository, "https://other.host", environ).headers == {}
    assert target(repository, "https://host:8443", environ).headers == {}


def test_the_cloud(repository: Repository) -> None:
    environ = {"CHROMA_TENANT": "t", "CHROMA_DATABASE": "d", "CHROMA_API_KEY": "general",
               "CHROMA_TO_API_KEY": "to"}  # fmt: skip
    found = target(repository, "cloud", environ)
    assert (found.kind, found.url, found.api_key) == ("cloud", CLOUD_URL, "to")
    assert (found.tenant, found.database) == ("t", "d")
    found = target(repository, "cloud:mine/notes", environ, "from")
    assert (found.tenant, found.database, found.api_key) == ("mine", "notes", "general")
    # Where the tier's own server is, is no place for a key of Chroma Cloud.
    lured = target(repository, "cloud", {**environ, "CHROMA_HTTP_URL": "https://evil"})
    assert lured.url == CLOUD_URL


@pytest.mark.parametrize(
    ("spec", "kind", "told"),
    [
        ("", UsageError, "--to '' names no store: persistent:PATH, http(s)://HOST[:PORT],"
         " cloud[:TENANT/DATABASE] or configured"),
        ("persistent:", UsageError, "--to 'persistent:' names no store: persistent:PATH,"
         " http(s)://HOST[:PORT], cloud[:TENANT/DATABASE] or configured"),
        ("persistent:?tenant=t", UsageError, "persistent:'?tenant=t' names no folder"),
        ("http://user:pass@host", UsageError,
         "--to cannot be used: it must not hold a password; use CHROMA_TO_HEADERS"),
        ("http://host?tenant=t&key=x", UsageError,
         "'key' is no part of a store: tenant and database are"),
        ("http://host?key=x", UsageError, "--to cannot be used: it must have no ? and no #"),
        ("cloud:t", UsageError, "--to cloud:'t' is no TENANT/DATABASE"),
        ("cloud:t/d", ConfigurationError, "--to is Chroma Cloud but there is no key: set "
         "CHROMA_TO_API_KEY or CHROMA_API_KEY in the environment or in .env"),
    ],
)  # fmt: skip
def test_what_names_no_store(
    repository: Repository, spec: str, kind: type[SkillmeshError], told: str
) -> None:
    with pytest.raises(kind) as refused:
        target(repository, spec)
    assert str(refused.value) == told


def test_what_the_environment_gets_wrong(repository: Repository) -> None:
    with pytest.raises(UsageError) as refused:
        target(repository, "http://host", {"CHROMA_TO_HEADERS": "Bearer s3cret"})
    assert str(refused.value) == (
        "CHROMA_TO_HEADERS cannot be used: it must be a JSON object of strings, as in"
        ' {"Authorization": "Bearer …"}'
    )
    with pytest.raises(ConfigurationError) as off:
        target(repository, "configured", {"CHROMA_DB_IMPL": "off"}, "from")
    assert str(off.value).startswith("the Chroma tier is off, so nothing is configured: --from ")
