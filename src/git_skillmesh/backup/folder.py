"""A folder of backups: dated names, of which the last ones are kept.

In: a folder, a repository. Out: the name of the next backup; older ones removed.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

from ..errors import ReadOnly
from .making import is_backup

_STAMP = r"\d{8}T\d{6}Z"
_LONGEST = 60


def dated(folder: Path, repository_name: str, repo: str) -> Path:
    """Return the path of a backup of this second: NAME-REPOSITORY-TIME.tar."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return folder / f"{_start(repository_name, repo)}{stamp}.tar"


def older(newest: Path, repo: str, keep: int) -> list[Path]:
    """Return the backups of a repository beside `newest` but the last `keep`, by their names.

    `newest` stays and counts, whatever a clock that was wrong has written on the others. The name
    that the repository's folder had does not count: it may have moved.
    """
    ours = re.compile(rf".*-{re.escape(_word(repo))}-({_STAMP})\.tar")
    named = [
        (found[1], path)
        for path in newest.parent.iterdir()
        if (found := ours.fullmatch(path.name))
        and path != newest and path.is_file() and not path.is_symlink() and is_backup(path)
    ]  # fmt: skip
    return [path for _, path in sorted(named)[: max(len(named) - keep + 1, 0)]]


def remove(paths: list[Path]) -> None:
    """Remove backups. Raises `ReadOnly`."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ReadOnly(f"cannot remove {path}", error.strerror or str(error)) from None


def _start(repository_name: str, repo: str) -> str:
    return f"{_word(repository_name)}-{_word(repo)}-"


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]", "_", text)[:_LONGEST] or "repository"
