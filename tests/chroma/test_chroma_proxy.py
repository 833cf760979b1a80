"""A server behind nginx with TLS and a token, as docs/team.md sets it up."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from git_skillmesh.chroma.mirror import Outcome
from git_skillmesh.chroma.reader import ChromaReader
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import ConfigurationError, ExitCode
from testing.chroma_rows import Place, Rows, assert_equal
from testing.chroma_server import ChromaServer
from testing.commands import call
from testing.hostile import HostileProxy, always
from testing.nginx import Nginx
from testing.repos import Repo, make_repo
from testing.required import program

TOKEN = "t0ken-of-ada"  # noqa: S105
FILES = {f"src/m{n}.py": f"def add_{n}(a, b):\n    return a + b + {n}\n" for n in range(3)}


@pytest.fixture(scope="module")
def nginx(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    # As a team has it: the default database, which other tests of a shared server use as well.
    server = ChromaServer(tmp_path_factory.mktemp("behind-nginx"))
    server.start()
    made = Nginx(program("nginx"), tmp_path_factory.mktemp("nginx"), server.port, TOKEN)
    made.start()
    yield made
    made.stop()
    server.stop()


@pytest.fixture
def behind(nginx: Nginx) -> Mapping[str, str | None]:
    """What each person sets."""
    return {
        "CHROMA_DB_IMPL": "http",
        "CHROMA_HTTP_URL": nginx.url,
        "CHROMA_HTTP_HEADERS": json.dumps({"Authorization": f"Bearer {TOKEN}"}),
    }


@pytest.fixture
def repo(tmp_path: Path, nginx: Nginx) -> Repo:
    made = make_repo(tmp_path, files=FILES)
    made.git("config", "skillmesh.chroma.cafile", str(nginx.authority.file))
    made.git("config", "skillmesh.repoid", tmp_path.name)
    assert call(made.path, "index", "--chroma", "off", "-q").returncode == 0
    return made


@pytest.mark.parametrize("headers", [None, '{"Authorization": "Bearer guessed"}'])
def test_without_the_token_no_data_and_one_line(
    nginx: Nginx, repo: Repo, behind: Mapping[str, str | None], headers: str | None
) -> None:
    env = {**behind, "CHROMA_HTTP_HEADERS": headers}
    before = len(nginx.requests())
    line = (
        f"git-skillmesh: the server {nginx.url} refuses access:"
        " check chroma.headers, chroma.apikey and chroma.tenant\n"
    )
    for command in (("collections",), ("query", "--backend", "chroma", "add")):
        done = call(repo.path, *command, env=env)
        assert (done.returncode, done.stdout, done.stderr) == (ExitCode.CONFIGURATION, "", line)
    done = call(repo.path, "index", "-q", "--chroma", "wait", env=env)
    assert (done.returncode, done.stdout, done.stderr) == (ExitCode.CONFIGURATION, "", line)
    asked = nginx.requests()[before:]
    assert set(asked) == {"GET /chroma/api/v2/heartbeat 401"}


def test_with_the_token_everything_works(
    nginx: Nginx, repo: Repo, behind: Mapping[str, str | None]
) -> None:
    indexed = call(repo.path, "index", "--chroma", "wait", env=behind)
    assert (indexed.returncode, indexed.stderr.splitlines()[-1]) == (
        0,
        f"Chroma: 3 written, 0 deleted, 3 in codebase_v1 (the server {nginx.url})",
    )
    found = call(repo.path, "query", "--backend", "chroma", "-n", "1", "add_2", env=behind)
    assert (found.returncode, found.stdout.split()[1]) == (0, "src/m2.py:1")
    checked = call(repo.path, "doctor", env=behind)
    assert (checked.returncode, checked.stdout.splitlines()[1]) == (
        0,
        f"ok  chroma   codebase_v1 equals the index (the server {nginx.url})",
    )
    listed = call(repo.path, "collections", env=behind)
    assert listed.stdout.splitlines()[0] == f"the server {nginx.url}"
    everything = "".join(str(done) for done in (indexed, found, checked, listed))
    assert TOKEN not in everything
    for file in repo.state_dir.rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes()


def test_only_a_known_authority_may_vouch_for_it(
    nginx: Nginx, repo: Repo, behind: Mapping[str, str | None], tmp_path: Path
) -> None:
    before = len(nginx.requests())
    repo.git("config", "--unset", "skillmesh.chroma.cafile")
    done = call(repo.path, "collections", env=behind)
    assert done.returncode == ExitCode.CONFIGURATION
    told = f"git-skillmesh: nobody trusted vouches for the server {nginx.url}"
    assert done.stderr.startswith(told)
    assert done.stderr.endswith("set chroma.cafile to the certificate of your authority\n")
    assert len(nginx.requests()) == before
    # The variable that other programs heed works as well.
    env = {**behind, "SSL_CERT_FILE": str(nginx.authority.file)}
    assert call(repo.path, "collections", env=env).returncode == 0
    other = tmp_path / "ca.pem"
    other.write_text("no certificate\n")
    repo.git("config", "skillmesh.chroma.cafile", str(other))
    done = call(repo.path, "collections", env=behind)
    assert (done.returncode, done.stderr.count("\n")) == (ExitCode.CONFIGURATION, 1)
    assert f"chroma.cafile {other} cannot be used" in done.stderr
    repo.git("config", "skillmesh.chroma.cafile", "ca.pem")
    assert call(repo.path, "collections", env=behind).stderr == (
        "git-skillmesh: chroma.cafile is 'ca.pem':"
        " it must be the absolute path of a file of certificates (PEM)\n"
    )


def test_an_address_that_only_a_clone_says_gets_nothing(nginx: Nginx, repo: Repo) -> None:
    repo.write(".skillmesh/config.toml", f'[chroma]\nimpl = "http"\nurl = "{nginx.url}"\n')
    before = len(nginx.requests())
    done = call(repo.path, "collections", env={"CHROMA_HTTP_HEADERS": '{"X-Token": "mine"}'})
    assert (done.returncode, done.stderr) == (
        ExitCode.CONFIGURATION,
        "git-skillmesh: chroma.url stands in .skillmesh/config.toml, and nothing is sent where only"
        f" a clone says: if you trust it: git config skillmesh.chroma.url {nginx.url}\n",
    )
    repo.write(".skillmesh/config.toml", "")
    repo.write(".env", f"CHROMA_DB_IMPL=http\nCHROMA_HTTP_URL={nginx.url}\n")
    assert "chroma.url" not in call(repo.path, "collections").stderr  # one's own
    repo.git("add", "--force", ".env")
    assert "chroma.url stands in .env, and" in call(repo.path, "collections").stderr
    assert [one for one in nginx.requests()[before:] if not one.endswith("401")] == []


def test_a_redirection_is_not_followed(server: ChromaServer) -> None:
    with HostileProxy(server.url).running() as other, HostileProxy(server.url).running() as first:
        first.plan = always(f"302/{other.url}/api/v2/heartbeat")
        target = Target("http", url=first.url, headers={"Authorization": f"Bearer {TOKEN}"})
        with pytest.raises(ConfigurationError) as told, ChromaReader(target):
            pass
        assert str(told.value) == (
            f"the server {first.url} is somewhere else now:"
            " set chroma.url to where it is; nothing was sent on"
        )
        assert (len(first.seen), other.seen) == (1, [])


def test_what_a_proxy_does_not_take_at_once_is_divided(
    server: ChromaServer, database: Callable[[str], Target], tmp_path: Path
) -> None:
    nginx = Nginx(program("nginx"), tmp_path / "nginx", server.port, TOKEN, body="64k")
    nginx.start()
    try:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        target = Target(
            "http", url=nginx.url, headers=headers, keeps_documents=True,
            cafile=str(nginx.authority.file), database=database("divided").database,
        )  # fmt: skip
        text = 'print("a line of about fifty characters with \\"quotes\\"")\n' * 40
        files = {f"m{n}.py": {f"f{k}": f"{n} {k}\n{text}" for k in range(20)} for n in range(4)}
        place = Place(target, tmp_path / "state", Rows(files, repo_id="large"))
        assert place.mirror() == Outcome(80, 0, 80)
        assert_equal(place.rows, target)
        refused = [one for one in nginx.requests() if one.endswith("413")]
        assert 1 <= len(refused) <= 5, "it learns from the first"
        place.rows.edit("c1", "m0.py", f0="x" * 70_000)
        with pytest.raises(ConfigurationError) as told:
            place.mirror()
        assert str(told.value) == (
            f"the server {nginx.url} (divided) takes no request as large as a single record: raise"
            " the limit of the proxy in front of it (nginx: client_max_body_size 64m)"
        )
    finally:
        nginx.stop()
