"""Which commit the shared collections describe, and how clones find out who writes them.

In: a repository of which several people have clones. Out: `Followed`: HEAD, where nobody else
writes; on a server the branch that the clones agree on, the remote's default branch as this clone
last saw it, so that neither a branch of one's own nor what is not pushed yet pulls everybody's rows
its way.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..config import Config
from ..errors import ConfigurationError, SkillmeshError
from ..git.agreed import AgreedBranch, agreed_branch, tip_at_remote
from ..git.database import ObjectDatabase
from ..git.refs import is_ancestor
from ..git.remotes import remote_names
from ..git.repository import Repository
from ..index.history import SHARED
from ..sessions import layout
from .model import ByHead, ByUnion, Standing

_SERVERS = ("http", "cloud")


@dataclass(frozen=True, slots=True)
class Followed:
    """A commit and its tree; `branch` is None for HEAD."""

    commit: str | None
    tree: str
    branch: AgreedBranch | None = None
    is_head: bool = True

    @property
    def view(self) -> str:
        """Under which name the index keeps what it knows of the history: "" for HEAD's."""
        return "" if self.is_head else SHARED


def followed(repository: Repository, config: Config) -> Followed:
    """Return what the collections describe. Raises `ConfigurationError` for an unknown branch."""
    commit, tree = repository.head_tree()
    wanted = config["chroma.follow"]
    if config["chroma.impl"] not in _SERVERS or wanted.lower() == "head":
        return Followed(commit, tree)
    branch = agreed_branch(repository, "" if wanted.lower() == "auto" else wanted)
    if branch is None:
        if wanted.lower() != "auto":
            raise ConfigurationError(
                f"chroma.follow is {wanted!r}, and this clone knows no such branch of its remote",
                "git fetch, or set it to auto",
            )
        return Followed(commit, tree)
    return Followed(branch.commit, branch.tree, branch, branch.commit == commit)


def by_head(
    repository: Repository,
    what: Followed,
    since: Callable[[str, str | None], str | None],
    field: str,
) -> ByHead | None:
    """Return how rows of `what` are shared: not at all where HEAD is followed."""
    branch = what.branch
    if branch is None:
        return None

    def standing(theirs: str) -> Standing:
        if theirs == branch.commit:
            return Standing.SAME
        if is_ancestor(repository, theirs, branch.commit):
            return Standing.NEWER
        if is_ancestor(repository, branch.commit, theirs):
            return Standing.OLDER
        # Not known here, or replaced by a push with force: the remote decides.
        try:
            current = tip_at_remote(repository, branch)
        except SkillmeshError:
            return Standing.OLDER
        return Standing.REPLACED if current == branch.commit else Standing.OLDER

    return ByHead(branch.commit, standing, since, field)


def by_union(
    repository: Repository, config: Config, path_of: Callable[[str], str]
) -> ByUnion | None:
    """Return how rows of the memory are shared: not at all where there are no other clones."""
    if config["chroma.impl"] not in _SERVERS or not remote_names(repository):
        return None

    def forgotten(keys: Iterable[str]) -> frozenset[str]:
        with ObjectDatabase(repository) as db:
            tip = db.tip(layout.REF)
            tree = tip.commit.tree if tip else None
            return frozenset(
                key
                for key in keys
                if layout.is_key(key) and db.trees.at(tree, layout.tombstone_path(key))
            )

    with ObjectDatabase(repository) as db:
        tip = db.tip(layout.REF)
        folder = db.trees.at(tip.commit.tree, layout.FORGOTTEN) if tip else None
    return ByUnion("session_id", path_of, forgotten, folder.oid if folder else "")


def mixed(theirs: str, own: str | None, taken: int) -> str | None:
    """Return the state of a store with the part at `taken`, which counts runs here, from `own`.

    None if the states are not of one kind: other rules, another model.
    """
    try:
        state, mine = json.loads(theirs), json.loads(own or "null")
        state[taken] = mine[taken] if mine else 0
    except (ValueError, TypeError, IndexError, KeyError):
        return None
    return json.dumps(state)
