"""The message of a commit that is about to be made, as git will store it.

In: the file that git hands to a commit-msg hook. Out: a `CommitMessage` without what git takes out.
"""

from collections.abc import Mapping
from pathlib import Path

from ..errors import UsageError
from ..git.repository import Repository
from .matchers.message import LONGEST, CommitMessage

_SCISSORS = b"------------------------ >8 ------------------------"


def message_in(repository: Repository, path: Path, environ: Mapping[str, str]) -> CommitMessage:
    """Return the message in a file. Raises `UsageError` if it cannot be read.

    git takes comments out of what came from an editor. Where there is none, it says so to its
    hooks by naming `:` as the editor.
    """
    try:
        with path.open("rb") as file:
            data = file.read(4 * LONGEST)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    if environ.get("GIT_EDITOR") != ":":
        data = _before_scissors(data)
        data = repository.git.run("stripspace", "--strip-comments", stdin=data)
    merged = (repository.git_dir / "MERGE_HEAD").exists()
    return CommitMessage("", data.decode("utf-8", "replace"), merged)


def _before_scissors(data: bytes) -> bytes:
    lines = data.split(b"\n")
    for number, line in enumerate(lines):
        # After one comment character and a space.
        if line.endswith(_SCISSORS) and len(line.removesuffix(_SCISSORS).strip()) <= 2:
            return b"\n".join(lines[:number])
    return data
