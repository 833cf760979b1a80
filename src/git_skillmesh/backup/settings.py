"""The repository's own git configuration `skillmesh.*` in a backup, without secrets.

In: a repository; settings that anybody may have written. Out: those that are kept; those that were
set. What is the user's alone, and to whom conversations and code may go, comes back only when it is
asked for: a backup may come from somebody else.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import Damaged
from ..git.configuring import change_config_at_once
from ..git.repository import Repository
from ..settings import SETTINGS

_SECTION = "skillmesh."
# Answers of the user that are kept beside the settings (git/answers.py).
_ANSWERS = ("sync.agreed", "sync.refused", "embedding.agreed", "embedding.refused")
_PASSWORD = re.compile(r"//[^/@\s]*@")


@dataclass(slots=True)
class Restored:
    """Names of settings: set now, as they are in the backup, otherwise here, and left out."""

    set: list[str] = field(default_factory=list)
    same: int = 0
    differ: list[str] = field(default_factory=list)
    personal: list[str] = field(default_factory=list)


def kept_settings(repository: Repository) -> dict[str, list[str]]:
    """Return name → values of what this repository sets for itself, as far as it is no secret."""
    return {
        name: values
        for name, values in _own(repository).items()
        if _is_known(name) and not any(_PASSWORD.search(value) for value in values)
    }


def restore_settings(
    repository: Repository,
    data: bytes,
    *,
    personal: bool,
    replace: bool,
    dry_run: bool,
) -> Restored:
    """Set what is not set here; with `replace` also what is set otherwise.

    All of it is set, or nothing. Raises `GitFailed`, `Busy`, `ReadOnly`.
    """
    here, done = _own(repository), Restored()
    changes: list[tuple[str, ...]] = []
    for name, values in read_settings(data).items():
        if here.get(name) == values:
            done.same += 1
        elif is_personal(name) and not personal:
            done.personal.append(name)
        elif name in here and not replace:
            done.differ.append(name)
        else:
            done.set.append(name)
            key = f"{_SECTION}{name}"
            changes += [("--replace-all", key, values[0])]
            changes += [("--add", key, value) for value in values[1:]]
    if changes and not dry_run:
        change_config_at_once(repository, changes)
    return done


def read_settings(data: bytes) -> dict[str, list[str]]:
    """Return the settings of a backup that this program knows. Raises `Damaged`."""
    try:
        found = json.loads(data)
        if not isinstance(found, dict) or not all(map(_is_values, found.values())):
            raise ValueError("no settings")
    except (ValueError, RecursionError):
        raise Damaged("its settings cannot be read") from None
    return {name: values for name, values in found.items() if _is_known(name)}


def is_personal(name: str) -> bool:
    """Whether a setting is the user's alone."""
    return name in _ANSWERS or SETTINGS[name].personal


def _is_values(values: object) -> bool:
    return (
        isinstance(values, list)
        and bool(values)
        and all(isinstance(value, str) and "\0" not in value for value in values)
    )


def _is_known(name: str) -> bool:
    return name in _ANSWERS or (name in SETTINGS and not SETTINGS[name].secret)


def _own(repository: Repository) -> Mapping[str, list[str]]:
    out = repository.git.run_unchecked(
        "config", "--local", "--includes", "-z", "--get-regexp", r"^skillmesh\."
    ).stdout
    found: dict[str, list[str]] = {}
    for record in os.fsdecode(out).split("\0"):
        key, _, value = record.partition("\n")
        if key:
            found.setdefault(key.lower().removeprefix(_SECTION), []).append(value)
    return found
