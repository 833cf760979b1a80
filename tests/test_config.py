"""Settings: six places, the nearest wins; every mistake is one line that names its place."""

import itertools
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from git_skillmesh.config import Config, Proposal, load
from git_skillmesh.errors import ConfigurationError
from git_skillmesh.git.repository import discover
from git_skillmesh.settings import SETTINGS
from testing.commands import call
from testing.repos import Repo, make_repo

PLACES = ("default", ".skillmesh/config.toml", "git config", ".env", "environment", "command line")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path)


def read(
    repo: Repo,
    overrides: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config:
    return load(discover(repo.path), overrides, environ or {})


def refusal(repo: Repo, environ: Mapping[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as failed:
        read(repo, environ=environ)
    assert "\n" not in str(failed.value)
    return str(failed.value)


def write_all(repo: Repo, level: int) -> Config:
    """Set embedding.name in the first `level` places after the default, to the place's name."""
    overrides, environ = {}, {}
    if level >= 1:
        repo.write(".skillmesh/config.toml", f'[embedding]\nname = "{PLACES[1]}"\n')
    if level >= 2:
        repo.git("config", "skillmesh.embedding.name", PLACES[2])
    if level >= 3:
        repo.write(".env", f"EMBEDDING_MODEL_NAME='{PLACES[3]}'\n")
    if level >= 4:
        environ["EMBEDDING_MODEL_NAME"] = PLACES[4]
    if level >= 5:
        overrides["embedding.name"] = PLACES[5]
    return read(repo, overrides, environ)


@pytest.mark.parametrize("level", range(6))
def test_the_nearest_place_wins(repo: Repo, level: int) -> None:
    config = write_all(repo, level)
    assert config.origins["embedding.name"] == PLACES[level]
    assert config["embedding.name"] == ("" if level == 0 else PLACES[level])
    assert config.proposal is None, "a model without a provider gets nothing"
    others = {name: origin for name, origin in config.origins.items() if name != "embedding.name"}
    assert others == dict.fromkeys(set(SETTINGS) - {"embedding.name"}, "default")


@pytest.mark.parametrize(("near", "far"), list(itertools.combinations(range(4, 0, -1), 2)))
def test_any_two_places_in_order(repo: Repo, near: int, far: int) -> None:
    environ = {}
    for place in (near, far):
        if place == 1:
            repo.write(".skillmesh/config.toml", 'chroma.path = "place 1"\n')
        elif place == 2:
            repo.git("config", "skillmesh.chroma.path", "place 2")
        elif place == 3:
            repo.write(".env", 'export CHROMA_DB_PATH="place 3"\n')
        else:
            environ["CHROMA_DB_PATH"] = "place 4"
    config = read(repo, environ=environ)
    assert (config["chroma.path"], config.origins["chroma.path"]) == (f"place {near}", PLACES[near])


def test_without_any_place_everything_is_default(repo: Repo) -> None:
    config = read(repo)
    assert dict(config.values) == {
        "repoid": "",
        "reponame": "",
        "chroma.impl": "persistent",
        "chroma.path": "",
        "chroma.url": "",
        "chroma.headers": "",
        "chroma.tenant": "",
        "chroma.database": "",
        "chroma.apikey": "",
        "chroma.cafile": "",
        "chroma.follow": "auto",
        "chroma.documents": "auto",
        "embedding.provider": "builtin",
        "embedding.name": "",
        "index.exclude": "",
        "index.include": "",
        "index.maxbytes": "1000000",
        "index.jobs": "0",
        "sessions.capture": "auto",
        "redaction.pii": "home",
        "redaction.rules": "",
        "redaction.allow": "",
        "sync.push": "off",
        "sync.timeout": "30",
        "link.days": "90",
        "context.prompts": "on",
        "context.tokens": "1500",
        "advise.endpoint": "",
        "advise.model": "",
        "advise.tokenenv": "",
        "train.base": "",
        "train.method": "sft",
        "train.preset": "tiny",
        "train.minimumlines": "20",
        "adaptersfolder": "",
        "signingkey": "",
        "allowedsigners": "",
        "vllm.url": "",
        "monitoring": "on",
        "log.level": "info",
    }
    assert set(config.origins.values()) == {"default"}


def test_the_environment_keeps_the_names_people_know() -> None:
    assert {setting.env: name for name, setting in SETTINGS.items() if setting.env} == {
        "CHROMA_DB_IMPL": "chroma.impl",
        "CHROMA_DB_PATH": "chroma.path",
        "CHROMA_HTTP_URL": "chroma.url",
        "CHROMA_HTTP_HEADERS": "chroma.headers",
        "CHROMA_TENANT": "chroma.tenant",
        "CHROMA_DATABASE": "chroma.database",
        "CHROMA_API_KEY": "chroma.apikey",
        "CHROMA_FOLLOW": "chroma.follow",
        "EMBEDDING_MODEL_PROVIDER": "embedding.provider",
        "EMBEDDING_MODEL_NAME": "embedding.name",
        "SKILLMESH_SYNC_PUSH": "sync.push",
        "LOG_LEVEL": "log.level",
        "SKILLMESH_MONITORING": "monitoring",
    }


def test_toml_tables_dots_lists_numbers_and_booleans(repo: Repo) -> None:
    repo.write(
        ".skillmesh/config.toml",
        'RepoId = "shared"\nchroma.documents = true\n'
        '[index]\nexclude = ["a/**", "*.gen.py"]\nmaxbytes = 5_000\n[Log]\nLevel = "DEBUG"\n',
    )
    config = read(repo)
    assert config["repoid"] == "shared"
    assert config["chroma.documents"] == "true"
    assert config.globs("index.exclude") == ("a/**", "*.gen.py")
    assert config.number("index.maxbytes") == 5_000
    assert config["log.level"] == "debug"


def test_settings_of_several_lines(repo: Repo) -> None:
    repo.write(
        ".skillmesh/config.toml",
        "[redaction]\nallow = ['a b', '/c d/']\n[redaction.rules]\nticket = 'T [0-9]+'\nx = '='\n",
    )
    config = read(repo)
    assert config.lines("redaction.allow") == ("a b", "/c d/")
    assert config.lines("redaction.rules") == ("ticket = T [0-9]+", "x = =")
    repo.git("config", "--add", "skillmesh.redaction.allow", "one two")
    repo.git("config", "--add", "skillmesh.redaction.allow", " three ")
    assert read(repo).lines("redaction.allow") == ("one two", "three")


def test_git_config_of_all_levels_and_for_one_command(repo: Repo, home: Path) -> None:
    repo.git("config", "--global", "skillmesh.index.jobs", "3")
    repo.git("config", "--global", "skillmesh.log.level", "error")
    repo.git("config", "SkillMesh.Log.Level", "info")
    repo.git("config", "skillmesh.unknown.thing", "1")
    (repo.git_dir / "config").open("a").write('[skillmesh "chroma"]\n\ttenant\n')
    config = read(repo)
    assert (config["index.jobs"], config["log.level"], config["chroma.tenant"]) == ("3", "info", "")
    one = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "skillmesh.index.jobs"}
    found = discover(repo.path, {**os.environ, **one, "GIT_CONFIG_VALUE_0": "7"})
    assert load(found, {}, {})["index.jobs"] == "7"


def test_values_of_several_lines_and_odd_bytes(repo: Repo) -> None:
    repo.git("config", "skillmesh.index.exclude", "a b\nc\td")
    repo.git("config", "skillmesh.chroma.path", os.fsdecode(b"/srv/\xe9"))
    config = read(repo)
    assert config.globs("index.exclude") == ("a", "b", "c", "d")
    assert os.fsencode(config["chroma.path"]) == b"/srv/\xe9"


def test_dotenv_in_odd_syntax_is_read_as_far_as_it_goes(
    repo: Repo, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    repo.write(
        ".env",
        "\ufeff# comment\n\nexport CHROMA_DB_IMPL = 'http' # why\nCHROMA_HTTP_URL=http://h:1 # c\n"
        'CHROMA_TENANT="two\\nlines"\nCHROMA_DATABASE=$HOME ${NOT_SET}\nLOG_LEVEL\n'
        "= no name\n\"unclosed\nA B C\nEMBEDDING_MODEL_NAME='with = and # inside'\r\n",
    )
    with caplog.at_level(logging.CRITICAL):
        config = read(repo)
    assert config["chroma.impl"] == "http"
    assert config["chroma.url"] == "http://h:1"
    assert config["chroma.tenant"] == "two\nlines"
    assert config["chroma.database"] == "$HOME ${NOT_SET}"
    assert config["log.level"] == "info"
    assert config["embedding.name"] == "with = and # inside"
    assert capfd.readouterr() == ("", "")
    assert call(repo.path, "status").stderr == ""


def test_an_empty_variable_is_no_setting(repo: Repo) -> None:
    repo.write(".env", "CHROMA_DB_IMPL=\n")
    assert read(repo, environ={"CHROMA_DB_IMPL": ""}).origins["chroma.impl"] == "default"


def test_the_environment_for_providers_is_that_of_the_process_over_dotenv(repo: Repo) -> None:
    repo.write(".env", "OPENAI_API_KEY=from-file\nOTHER=from-file\n")
    config = read(repo, environ={"OPENAI_API_KEY": "from-process"})
    assert dict(config.environ) == {"OPENAI_API_KEY": "from-process", "OTHER": "from-file"}


def test_a_bare_repository_has_no_files_to_read(tmp_path: Path) -> None:
    bare = make_repo(tmp_path, "hub.git", bare=True)
    (bare.path / ".env").write_text("CHROMA_DB_IMPL=off\n")
    bare.git("config", "skillmesh.log.level", "info")
    config = read(bare)
    assert (config["chroma.impl"], config["log.level"]) == ("persistent", "info")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (1, "chroma.impl is 'moon' in .skillmesh/config.toml"),
        (2, "chroma.impl is 'moon' in git config"),
        (3, "chroma.impl is 'moon' in .env"),
        (4, "chroma.impl is 'moon' in environment"),
    ],
)
def test_a_bad_choice_names_its_place(repo: Repo, place: int, line: str) -> None:
    environ = {}
    if place == 1:
        repo.write(".skillmesh/config.toml", 'chroma.impl = "Moon"\n')
    elif place == 2:
        repo.git("config", "skillmesh.chroma.impl", "Moon")
    elif place == 3:
        repo.write(".env", "CHROMA_DB_IMPL=Moon\n")
    else:
        environ["CHROMA_DB_IMPL"] = "Moon"
    assert refusal(repo, environ) == f"{line}: it must be one of persistent, http, cloud, off"


@pytest.mark.parametrize("value", ["", "many", "-1", "1.5", "1e3", "٣", "9" * 5_000, "0x10", " "])
def test_a_bad_number_names_its_place(repo: Repo, value: str) -> None:
    with pytest.raises(ConfigurationError) as failed:
        read(repo, {"index.maxbytes": value})
    assert str(failed.value) == (
        f"index.maxbytes is {value.strip()!r} in command line: it must be a whole number"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[index", "cannot read .skillmesh/config.toml: Expected ']'"),
        ("a = 1\na = 2\n", "cannot read .skillmesh/config.toml: Cannot overwrite a value"),
        (b"a = '\xff'\n", "cannot read .skillmesh/config.toml: 'utf-8' codec can't decode"),
        ("a = " + "[" * 100_000, "cannot read .skillmesh/config.toml: "),
        ("\0", "cannot read .skillmesh/config.toml: "),
        ("[index]\nmaxbyte = 1\n", "unknown setting in .skillmesh/config.toml: index.maxbyte: see"),
        ("[[index]]\nmaxbytes = 1\n", "unknown setting in .skillmesh/config.toml: index: see"),
        ("index = 3\n", "unknown setting in .skillmesh/config.toml: index: see"),
    ],
)
def test_a_file_that_cannot_be_used(repo: Repo, text: str | bytes, line: str) -> None:
    repo.write(".skillmesh/config.toml", text)
    assert refusal(repo).startswith(line)


def test_dotenv_that_is_not_text(repo: Repo) -> None:
    repo.write(".env", b"LOG_LEVEL=\xff\n")
    assert refusal(repo).startswith("cannot read .env: 'utf-8' codec can't decode byte 0xff")


def test_folders_in_the_place_of_files_are_nothing(repo: Repo) -> None:
    repo.write(".env/x", "")
    repo.write(".skillmesh/config.toml/x", "")
    assert set(read(repo).origins.values()) == {"default"}


def test_a_secret_in_the_committed_file_is_refused_and_not_repeated(repo: Repo) -> None:
    repo.write(".skillmesh/config.toml", '[chroma]\napikey = "ck-hunter2"\n')
    assert refusal(repo) == (
        "chroma.apikey must not stand in .skillmesh/config.toml, which is committed: "
        "use CHROMA_API_KEY in the environment or in an .env that is not committed"
    )
    (repo.path / ".skillmesh/config.toml").unlink()
    repo.write(".env", "CHROMA_API_KEY=ck-hunter2\n")
    assert read(repo)["chroma.apikey"] == "ck-hunter2"
    repo.git("add", ".env")
    assert refusal(repo) == (
        "chroma.apikey must not stand in .env, which is committed: "
        "use CHROMA_API_KEY in the environment or in an .env that is not committed"
    )


THEIRS = "evil_server:https://evil.example/v1"


@pytest.mark.parametrize("place", [".skillmesh/config.toml", ".env"])
def test_a_clone_has_no_text_sent_before_the_user_agrees(repo: Repo, place: str) -> None:
    name = "https://evil.example/v1"
    if place == ".env":
        text = f"EMBEDDING_MODEL_PROVIDER=Evil-Server\nEMBEDDING_MODEL_NAME={name}\nKEY=theirs\n"
    else:
        text = f'[embedding]\nprovider = "Evil-Server"\nname = "{name}"\n'
    repo.write(place, text)
    repo.git("add", place)
    config = read(repo)
    assert (config["embedding.provider"], config["embedding.name"]) == ("builtin", "")
    assert config.proposal == Proposal(THEIRS, place, refused=False)
    assert "KEY" not in config.environ
    repo.git("config", "--global", "--add", "skillmesh.embedding.agreed", THEIRS)
    agreed = read(repo)
    assert (agreed["embedding.provider"], agreed.proposal) == ("Evil-Server", None)
    assert "KEY" not in agreed.environ, "an agreement is about provider and model"
    repo.git("config", "skillmesh.embedding.refused", THEIRS)
    assert read(repo).proposal == Proposal(THEIRS, place, refused=True)
    repo.git("config", "--unset", "skillmesh.embedding.refused")
    repo.write(place, text.replace("evil.example", "other.example"))
    changed = read(repo)
    assert changed["embedding.provider"] == "builtin", "an agreement is for one address"


def test_a_clone_does_not_move_what_the_user_has_chosen(repo: Repo) -> None:
    repo.git("config", "skillmesh.embedding.provider", "openai")
    repo.git("config", "skillmesh.embedding.name", "mine")
    repo.write(".env", "OPENAI_BASE_URL=https://evil.example\nEMBEDDING_MODEL_NAME=theirs\n")
    assert dict(read(repo).environ)["OPENAI_BASE_URL"] == "https://evil.example", "the user's own"
    repo.git("add", ".env")
    config = read(repo, environ={"OPENAI_API_KEY": "k"})
    assert (config["embedding.provider"], config["embedding.name"]) == ("openai", "mine")
    assert config.proposal == Proposal("openai:theirs", ".env", refused=False)
    assert dict(config.environ) == {"OPENAI_API_KEY": "k"}


PERSONAL = (
    "adaptersfolder", "advise.endpoint", "advise.model", "advise.tokenenv", "chroma.cafile",
    "signingkey", "train.base", "vllm.url",
)  # fmt: skip


def test_these_settings_are_the_users_alone() -> None:
    assert tuple(sorted(name for name, one in SETTINGS.items() if one.personal)) == PERSONAL
    assert not [name for name in PERSONAL if SETTINGS[name].env], ".env is of the working tree"


@pytest.mark.parametrize("name", PERSONAL)
def test_a_clone_does_not_decide_for_the_user(repo: Repo, name: str) -> None:
    repo.git("config", f"skillmesh.{name}", "mine")
    assert read(repo)[name] == "mine"
    repo.write(".skillmesh/config.toml", f'{name} = "theirs"\n')
    assert refusal(repo) == (
        f"{name} is no setting for .skillmesh/config.toml: it is yours alone: "
        f"git config --global skillmesh.{name} VALUE"
    )


def test_secrets_are_never_shown(repo: Repo) -> None:
    secrets = {
        "CHROMA_API_KEY": "ck-hunter2",
        "CHROMA_HTTP_HEADERS": '{"X-Token": "abc-hunter2"}',
    }
    config = read(repo, environ=secrets)
    assert config["chroma.apikey"] == "ck-hunter2"
    shown = {name: config.shown(name) for name in SETTINGS}
    assert (shown["chroma.apikey"], shown["chroma.headers"]) == ("(set)", "(set)")
    assert read(repo).shown("chroma.apikey") == ""
    modes: list[dict[str, str]] = [
        {"CHROMA_DB_IMPL": "off", "CHROMA_HTTP_URL": "http://user:abc-hunter2@127.0.0.1:9"},
        {"CHROMA_DB_IMPL": "http", "CHROMA_HTTP_HEADERS": "{abc-hunter2"},
        {"CHROMA_DB_IMPL": "http", "CHROMA_HTTP_URL": "http://user:abc-hunter2@127.0.0.1:9"},
        {"CHROMA_DB_IMPL": "http", "CHROMA_HTTP_HEADERS": '{"X": "abc-hunter2\\n"}',
         "CHROMA_HTTP_URL": "http://127.0.0.1:9"},
    ]  # fmt: skip
    for mode in modes:
        for command in (["status", "--config"], ["status", "--config", "--json"], ["collections"]):
            said = call(repo.path, *command, env={**secrets, **mode})
            assert "hunter2" not in said.stdout + said.stderr
