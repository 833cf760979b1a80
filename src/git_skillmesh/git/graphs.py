"""An index of which commits touched which paths, so that git looks at the others in no detail.

In: a repository and a commit. Out: variables for a git process, which then asks history of single
files (blame, log) many times faster and gives the same answers. The index is git's own commit-graph
with changed paths. It lies in a folder of ours that borrows the repository's objects: what belongs
to the user is left as it is.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from .repository import Repository


def path_graph(repository: Repository, folder: Path, commit: str = "") -> Mapping[str, str]:
    """Return the variables that use the index; with a commit, write all that it reaches first.

    An index of before serves as well: git looks at newer commits without it. Nothing where git has
    no use for it: shallow and partial clones, histories with grafts or replaced commits, a folder
    that cannot be written.
    """
    objects = repository.common_dir / "objects"
    written = folder / "info" / "commit-graph"
    # The path is a line of a file; what begins with a quote would be taken for quoted.
    if "\n" in str(objects) or not (commit or written.exists()) or repository.is_partial():
        return {}
    env = {"GIT_OBJECT_DIRECTORY": str(folder)}
    try:
        written.parent.mkdir(parents=True, exist_ok=True)
        (written.parent / "alternates").write_bytes(os.fsencode(objects) + b"\n")
    except OSError:
        return {}
    if commit:
        repository.git.run_unchecked(
            "-c", "core.commitGraph=true", "commit-graph", "write", "--stdin-commits",
            "--changed-paths", "--no-progress", stdin=commit.encode() + b"\n", extra_env=env,
        )  # fmt: skip
    return env if written.exists() else {}
