"""The branch of a remote that clones of a repository agree on, as far as this clone knows it.

In: a repository and a name. Out: `AgreedBranch`, whose tip is what was last fetched or pushed; with
`tip_at_remote` what the remote has now.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass

from .remotes import find_remote, remote_names
from .repository import Repository
from .transport import Manners, talk, unavailable

_USUAL = ("main", "master", "trunk")
# In a background run: long enough for a server far away.
_ASK_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class AgreedBranch:
    """`branch` of `remote`; `commit` is its tip and `tree` that commit's tree, as known here."""

    remote: str
    branch: str
    commit: str
    tree: str

    @property
    def shown(self) -> str:
        """What git calls it."""
        return f"{self.remote}/{self.branch}"


def agreed_branch(repository: Repository, wanted: str = "") -> AgreedBranch | None:
    """Return `wanted` of the remote, or its default branch; None where this clone has no such.

    The remote is `origin`, else the only one: the same for all clones, whatever branch they are on.
    """
    names = remote_names(repository)
    remote = "origin" if "origin" in names else names[0] if len(names) == 1 else ""
    if not remote:
        return None
    prefix = f"refs/remotes/{remote}/"
    form = "--format=%(objectname) %(tree) %(refname) %(symref)"
    out = repository.git.run("for-each-ref", form, prefix)
    lines = [line.split(" ") for line in os.fsdecode(out).splitlines()]
    tips = {name.removeprefix(prefix): (commit, tree) for commit, tree, name, _ in lines}
    default = next((one for *_, name, one in lines if name == f"{prefix}HEAD"), "")
    branch = wanted.removeprefix(f"{remote}/") or _default(default.removeprefix(prefix), tips)
    commit, tree = tips.get(branch, ("", ""))
    return AgreedBranch(remote, branch, commit, tree) if tree else None


def _default(named: str, tips: Collection[str]) -> str:
    """Return what the remote calls its default branch, else a usual name, else the only one."""
    if named in tips:
        return named
    branches = [name for name in tips if name != "HEAD"]
    usual = [name for name in _USUAL if name in branches]
    return usual[0] if usual else branches[0] if len(branches) == 1 else ""


def tip_at_remote(repository: Repository, agreed: AgreedBranch) -> str | None:
    """Ask the remote for the tip of the branch. Raises `Unavailable`."""
    remote = find_remote(repository, agreed.remote)
    ref = f"refs/heads/{agreed.branch}"
    done = talk(
        repository, "ls-remote", "-q", "--", remote.name, ref,
        remote=remote.name, manners=Manners(seconds=_ASK_SECONDS),
    )  # fmt: skip
    if done.returncode != 0:
        raise unavailable(remote.name, done.stderr)
    for line in done.stdout.decode(errors="surrogateescape").splitlines():
        oid, _, name = line.partition("\t")
        if name == ref:
            return oid
    return None
