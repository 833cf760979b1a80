"""Which commits the gate compares, by the event that started it.

In: the inputs `base` and `head`, the environment of a job with its event payload, and the clone.
Out: two commits that the clone has, or None where there is nothing to compare with.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Unusable(Exception):
    """Something that the user can mend; the message says how."""


def change_of(base: str, head: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Return (base, head). Raises `Unusable` where a commit is not to be had.

    A pull request is checked as it would be merged: the checkout is the merge of its head into the
    newest base, so the base is the first parent. `base.sha` of the payload is as old as the event.
    """
    found_head = _named(head) if head else _commit("HEAD")
    if not found_head:
        raise Unusable(f"no such commit: {head or 'HEAD'}")
    if base:
        found = _named(base)
        if not found:
            raise Unusable(f"no such commit: {base}; does actions/checkout have fetch-depth: 0?")
        return found, found_head
    path = environment.get("GITHUB_EVENT_PATH", "")
    payload: dict[str, Any] = json.loads(Path(path).read_text("utf-8")) if path else {}
    event = environment.get("GITHUB_EVENT_NAME", "")
    if event == "pull_request":
        found = _base_of_request(payload["pull_request"], found_head)
    elif event == "merge_group":
        found = _needed(payload["merge_group"]["base_sha"])
    elif event == "push":
        if payload.get("deleted"):
            return None
        found = _base_of_push(payload, found_head)
    else:
        found = _before_default(payload, found_head)
    return (found, found_head) if found and found != found_head else None


def _base_of_request(request: "dict[str, Any]", head: str) -> str:
    parents = git_text("rev-list", "--parents", "--max-count=1", head).split()[1:]
    if len(parents) == 2 and parents[1] == request["head"]["sha"]:
        return _needed(parents[0])
    base = _needed(request["base"]["sha"])
    merge_base = git_text("merge-base", base, head)
    if not merge_base:
        raise Unusable(
            "the pull request and its base have no common history here: "
            "check out the merge (the default of actions/checkout) or with fetch-depth: 0"
        )
    return merge_base


def _base_of_push(payload: "dict[str, Any]", head: str) -> str:
    before = str(payload.get("before", ""))
    if before.strip("0") and _COMMIT.fullmatch(before):
        found = _commit(before) or _fetched(before)
        # After a forced push the old tip is no ancestor; what the branch adds to it counts.
        return (git_text("merge-base", found, head) if found else "") or _first_parent(head)
    return _before_default(payload, head)


def _before_default(payload: "dict[str, Any]", head: str) -> str:
    """Return where the branch left the default branch; on that itself, the commit before."""
    name = str(payload.get("repository", {}).get("default_branch", "")) or "main"
    tip = _commit(f"refs/remotes/origin/{name}")
    merge_base = git_text("merge-base", tip, head) if tip else ""
    return merge_base if merge_base and merge_base != head else _first_parent(head)


def _first_parent(head: str) -> str:
    parents = git_text("cat-file", "-p", head).partition("\n\n")[0]
    named = re.search(r"^parent (\w+)$", parents, re.MULTILINE)
    return _needed(named[1]) if named else ""


def _needed(commit: str) -> str:
    found = _commit(commit) or _fetched(commit)
    if not found:
        raise Unusable(
            f"the clone lacks the commit {commit[:12]}, with which the change is compared: "
            "give actions/checkout fetch-depth: 2 or more (0 for all)"
        )
    return found


def _fetched(commit: str) -> str:
    if not _COMMIT.fullmatch(commit):
        return ""
    # In a clone that has all history, --depth would cut it off at this commit.
    depth = ["--depth=1"] * (git_text("rev-parse", "--is-shallow-repository") == "true")
    git("fetch", "--quiet", "--no-tags", *depth, "origin", commit)
    return _commit(commit)


def _named(name: str) -> str:
    found = _commit(name) or _commit(f"refs/remotes/origin/{name}")
    return found or _fetched(name)


def _commit(name: str) -> str:
    if not name or name.startswith("-") or "\0" in name:
        return ""
    return git_text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")


def environment_of_git() -> "dict[str, str]":
    """Return the environment for git and what starts it: no token, and no question.

    In a container the workspace may belong to another user than the one that git runs as.
    """
    environment = {
        **os.environ,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": str(Path.cwd()),
    }
    environment.pop("GATE_TOKEN", None)
    return environment


def git(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run git in the workspace."""
    return subprocess.run(
        ["git", *arguments], capture_output=True, env=environment_of_git(), check=False
    )


def git_text(*arguments: str) -> str:
    """Return what git prints, "" where it fails."""
    done = git(*arguments)
    return "" if done.returncode else done.stdout.decode("utf-8", "replace").strip()
