"""The oldest root commit that HEAD leads to, without a walk through all of history each time.

In: a repository. Out: a commit id. What a commit leads to never changes, so the answer is kept with
the commit it is of, in `.git/skillmesh/root.json`. Three things let git show another history of
the same commit: the end of a shallow clone, grafts and replace refs. Where there is one of them,
nothing is kept and nothing that was kept is believed.
"""

import json
from contextlib import suppress
from pathlib import Path

from ..files import replace_file
from ..git.repository import Repository

_REPLACED = "--glob=refs/replace/*"
_REWRITERS = ("shallow", "info/grafts")
_MOVED = ("GIT_SHALLOW_FILE", "GIT_GRAFT_FILE", "GIT_REPLACE_REF_BASE")


def oldest_root(repository: Repository) -> str | None:
    """Return the last commit of `git rev-list --max-parents=0 HEAD`; None before the first.

    Where there are several, all of history is walked through each time: which is the last depends
    on where one begins. `git skillmesh init` writes the identity down and ends that.
    """
    asked = repository.git.run_unchecked("rev-parse", "-q", "HEAD^{commit}", _REPLACED)
    if asked.returncode:
        return None
    head, *replaced = asked.stdout.decode().split()
    if replaced or _is_rewritten(repository):
        return next(reversed(_roots(repository, head) or []), None)
    known, root = _read(_place(repository))
    if known != head:
        # From the known commit there is only one root: is there another way to one?
        if not known or _roots(repository, head, f"^{known}") != []:
            found = _roots(repository, head) or []
            if len(found) != 1:  # which is the oldest depends on the commit that one begins with
                return next(reversed(found), None)
            root = found[0]
        _keep(_place(repository), head, root)
    return root


def _is_rewritten(repository: Repository) -> bool:
    """Whether a file tells git, or may tell it, of other parents than commits name."""
    places = (repository.common_dir / name for name in _REWRITERS)
    return any(place.exists() for place in places) or any(
        name in repository.git.env for name in _MOVED
    )


def _roots(repository: Repository, *revisions: str) -> list[str] | None:
    """Return the roots among commits, the oldest last; None if git does not know one of them."""
    done = repository.git.run_unchecked("rev-list", "--max-parents=0", *revisions, "--")
    return None if done.returncode else done.stdout.decode().split()


def _place(repository: Repository) -> Path:
    return repository.state_dir / "root.json"


def _read(place: Path) -> tuple[str, str]:
    """Return a commit and the only root it leads to; twice "" where nothing is kept."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        found = json.loads(place.read_bytes())
        return str(found["commit"]), str(found["root"])
    return "", ""


def _keep(place: Path, commit: str, root: str) -> None:
    if place.parent.is_dir():  # a folder of ours is made by what has more to keep
        with suppress(OSError):
            text = json.dumps({"commit": commit, "root": root})
            replace_file(place, text.encode(), durable=False)
