"""Who the user is, as git would write it into a commit.

In: a repository, the environment. Out: `NAME <ADDRESS>`.
"""

import os
import re

from .repository import Repository

_IDENT = re.compile(rb"(.*?) -?\d+ [+-]\d{4}", re.S)
_PARTS = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL")


def author_of(repository: Repository) -> str:
    """Return who would be the author of a commit that the user makes now, "" if git cannot tell.

    Commands of ours do without GIT_AUTHOR_*, which a hook gets from the commit in progress; where
    the user asks at the command line, they are meant.
    """
    own = {name: os.environ[name] for name in _PARTS if os.environ.get(name)}
    said = repository.git.run_unchecked("var", "GIT_AUTHOR_IDENT", extra_env=own)
    found = _IDENT.match(said.stdout.strip())
    return " ".join(found[1].decode("utf-8", "replace").split()) if found else ""
