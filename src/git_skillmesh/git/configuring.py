"""Change the repository's own git configuration, also while another process is doing so.

In: the arguments of `git config --local`. Out: nothing, or an error that says why not. git does not
wait for the lock of the file, and two of our processes may well answer the same thing at once.
"""

import random
import time

from ..errors import Busy
from .process import GitFailed
from .repository import Repository
from .writing import unwritable

_PATIENCE_SECONDS = 10.0
_NOTHING_TO_UNSET = 5  # git-config(1)


def change_config(repository: Repository, *arguments: str) -> None:
    """Run `git config --local` with arguments that write. To unset what is not set is no error.

    Raises:
        Busy: another process keeps the file locked, or was killed and left its lock.
        ReadOnly: the repository cannot be written.
        GitFailed: git refuses the arguments, or cannot read the file.
    """
    command = ("config", "--local", *arguments)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        result = repository.git.run_unchecked(*command)
        if result.returncode in (0, _NOTHING_TO_UNSET):
            return
        error = GitFailed(command, result.returncode, result.stderr)
        if "File exists" not in error.stderr:
            raise unwritable(error) or error
        if time.monotonic() > deadline:
            lock = repository.common_dir / "config.lock"
            raise Busy(
                "another process keeps git's configuration locked",
                f"or one that was killed left {lock}",
            )
        time.sleep(0.02 * (1 + random.random()))  # noqa: S311
