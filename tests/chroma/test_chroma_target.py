from pathlib import Path

import pytest

from git_skillmesh import config
from git_skillmesh.chroma.target import CLOUD_URL, Target, target_of
from git_skillmesh.errors import ConfigurationError
from git_skillmesh.git.repository import Repository, discover
from testing.repos import make_repo

SECRET = "s3cret-value"  # noqa: S105


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return discover(make_repo(tmp_path).path, {})


def target(repository: Repository, **settings: str) -> Target | None:
    overrides = {f"chroma.{name}": value for name, value in settings.items()}
    return target_of(config.load(repository, overrides, {}), repository)


def test_the_default_is_a_folder_beside_the_other_caches(repository: Repository) -> None:
    found = target(repository)
    assert found == Target("persistent", path=repository.state_dir / "chroma")
    assert found.lock_file == repository.state_dir / "chroma.lock"
    assert found.keeps_documents is None


def test_off_is_no_target(repository: Repository) -> None:
    assert target(repository, impl="off") is None


def test_a_relative_folder_starts_at_the_top_of_the_working_tree(repository: Repository) -> None:
    found = target(repository, path="../shared/chroma", documents="true")
    assert repository.top is not None
    folder = repository.top.parent / "shared" / "chroma"
    assert found == Target("persistent", path=folder, keeps_documents=True)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://localhost:8000", "http://localhost:8000"),
        ("HTTPS://Chroma.Example.org/", "https://chroma.example.org"),
        ("https://example.org/team/chroma/api/v2", "https://example.org/team/chroma"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_server(repository: Repository, url: str, kept: str) -> None:
    headers = f'{{"Authorization": "Bearer {SECRET}"}}'
    found = target(repository, impl="http", url=url, headers=headers, database="team")
    assert found == Target(
        "http",
        url=kept,
        headers={"Authorization": f"Bearer {SECRET}"},
        database="team",
    )


def test_the_cloud(repository: Repository) -> None:
    found = target(repository, impl="cloud", apikey=SECRET, tenant="t", database="d")
    assert found == Target("cloud", url=CLOUD_URL, api_key=SECRET, tenant="t", database="d")
    assert found.describe() == "Chroma Cloud (t/d)"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"impl": "http"},
            "chroma.impl is http but no server is named: set chroma.url or CHROMA_HTTP_URL,"
            " for example http://localhost:8000",
        ),
        (
            {"impl": "http", "url": "localhost:8000"},
            "chroma.url cannot be used: it must look like http://host:8000 or https://host",
        ),
        (
            {"impl": "http", "url": "http://host:99999"},
            "chroma.url cannot be used: it is not a valid address",
        ),
        (
            {"impl": "http", "url": "http://host:0"},
            "chroma.url cannot be used: it must look like http://host:8000 or https://host",
        ),
        (
            {"impl": "http", "url": f"http://me:{SECRET}@host"},
            "chroma.url cannot be used: it must not hold a password; use CHROMA_HTTP_HEADERS",
        ),
        (
            {"impl": "http", "url": "http://host/?x=1"},
            "chroma.url cannot be used: it must have no ? and no #",
        ),
        (
            {"impl": "http", "url": "http://host", "headers": SECRET},
            "chroma.headers cannot be used: it must be a JSON object of strings, as in"
            ' {"Authorization": "Bearer …"}',
        ),
        (
            {"impl": "http", "url": "http://host", "headers": f'["{SECRET}"]'},
            "chroma.headers cannot be used: it must be a JSON object of strings, as in"
            ' {"Authorization": "Bearer …"}',
        ),
        (
            {"impl": "http", "url": "http://host", "headers": f'{{"A": "{SECRET}\\n"}}'},
            "chroma.headers cannot be used: a name or a value cannot stand in a header",
        ),
        (
            {"impl": "cloud"},
            "chroma.impl is cloud but there is no key: set CHROMA_API_KEY in the environment"
            " or in .env",
        ),
    ],
)
def test_what_cannot_be_used(repository: Repository, settings: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        target(repository, **settings)
    assert str(caught.value) == told


def test_secrets_are_never_shown_and_do_not_change_the_fingerprint() -> None:
    plain = Target("http", url="http://host:1", database="d")
    secret = Target(
        "http", url="http://host:1", database="d", headers={"X-Token": SECRET}, api_key=SECRET
    )
    assert plain.fingerprint == secret.fingerprint
    assert SECRET not in repr(secret) + str(secret) + secret.describe()
    assert secret.secrets == (SECRET, SECRET)
    assert Target.from_message(secret.to_message()) == secret


def test_every_part_of_the_place_changes_the_fingerprint() -> None:
    places = [
        Target("persistent", path=Path("/a")),
        Target("persistent", path=Path("/b")),
        Target("http", url="http://a"),
        Target("http", url="http://a", database="d"),
        Target("http", url="http://a", tenant="d"),
        Target("cloud", url="http://a"),
    ]
    assert len({place.fingerprint for place in places}) == len(places)
