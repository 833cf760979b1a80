"""Install into real configuration files, and take it out again: not a byte may differ."""

import contextlib
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.agents.catalogue import AGENTS, SERVER
from git_skillmesh.agents.install import install, remove
from git_skillmesh.agents.jsonc import parse
from git_skillmesh.agents.sections import MARKDOWN
from git_skillmesh.agents.state import state_of
from testing.agent_configs import CONFIGS, FOLDER, Config, site, tree, variants


def test_there_are_enough_and_each_has_its_origin() -> None:
    listed = (FOLDER / "README.md").read_text()
    assert len(CONFIGS) >= 30
    assert [c.name for c in CONFIGS if f"| `{c.name}` |" not in listed] == []
    assert {c.agent for c in CONFIGS} == set(AGENTS)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_round_trip(config: Config, tmp_path: Path) -> None:
    for number, data in enumerate(variants(config)):
        where = site(tmp_path / str(number))
        top = where.places.top
        assert top is not None
        path = top / config.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        before = tree(top)
        install([config.agent], where)
        now = path.read_bytes()
        assert now != data
        state = state_of(config.agent, "project", where.places)
        assert set(state.parts.values()) == {"yes"}, state
        assert_nothing_is_lost(config, data, now)
        installed = tree(top)
        assert {c.kind for c in install([config.agent], where)} == {"unchanged"}
        assert tree(top) == installed
        without_record(where.record, tmp_path / f"copy{number}", top, config, data)
        remove([config.agent], where)
        assert tree(top) == before
        assert not where.record.exists()


def without_record(record: Path, copy: Path, top: Path, config: Config, data: bytes) -> None:
    """A clone has the files and no record."""
    where = site(copy)
    shutil.copytree(top, copy / "top", dirs_exist_ok=True)
    remove([config.agent], where)
    left = copy / "top" / config.path
    if b"".join(data.split()) == b'{"mcpServers":{}}':
        assert not left.exists()  # it might as well have come with our entry
    else:
        assert left.read_bytes() == data
    assert not record.with_suffix(".lock").exists()


def assert_nothing_is_lost(config: Config, old: bytes, new: bytes) -> None:
    if config.path.endswith(".json"):
        before, after = values(old), values(new)
        assert_holds(after, before)
        return
    if config.path.endswith(".toml"):
        tables = [tomllib.loads(d.decode().removeprefix("\ufeff")) for d in (old, new)]
        del tables[1]["mcp_servers"][SERVER]
        assert tables[0] == tables[1]
        return
    assert new.startswith(old)
    assert MARKDOWN.find(new) is not None


def values(data: bytes) -> Any:
    text = data.decode()
    found = parse(text).value
    with contextlib.suppress(ValueError):  # with comments, or a comma after the last
        assert found == json.loads(text.removeprefix("\ufeff"))
    return found


def assert_holds(new: Any, old: Any) -> None:
    """Everything of `old` is in `new`, in the same order."""
    if isinstance(old, dict):
        assert [key for key in new if key in old] == list(old)
        for key, value in old.items():
            assert_holds(new[key], value)
    elif isinstance(old, list):
        assert new[: len(old)] == old
    else:
        assert new == old
