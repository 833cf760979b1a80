"""What the user has answered about a place, kept in the repository's own git configuration.

In: what was asked ("sync", "embedding") and the place. Out: yes, no, or nothing yet. The answers
are the values of `skillmesh.WHAT.agreed` and `skillmesh.WHAT.refused`: they can be given and looked
up with git alone, and a clone cannot bring them.
"""

import os
import re

from .configuring import change_config
from .repository import Repository


def answer(repository: Repository, what: str, place: str) -> bool | None:
    """Return what the user has said about a place, None if nothing yet. A no counts more."""
    for word, said in (("refused", False), ("agreed", True)):
        key = f"skillmesh.{what}.{word}"
        out = repository.git.run_unchecked("config", "-z", "--get-all", key).stdout
        if place in os.fsdecode(out).split("\0"):
            return said
    return None


def keep_answer(repository: Repository, what: str, place: str, agreed: bool) -> None:
    """Keep an answer in place of an earlier one. Raises as `change_config`."""
    if answer(repository, what, place) is agreed:
        return
    words = ("agreed", "refused") if agreed else ("refused", "agreed")
    key, other = (f"skillmesh.{what}.{word}" for word in words)
    exactly = f"^{re.escape(place)}$"
    change_config(repository, "--unset-all", other, exactly)
    change_config(repository, "--replace-all", key, place, exactly)
