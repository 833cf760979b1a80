"""Who may see the conversations: what the user has said, and what follows from it.

In: a remote, the settings. Out: whether it may be shared with. Answers are kept in the repository's
own git configuration, by address, so that a remote that later points elsewhere is asked about anew.
"""

import os
import re

from ..config import Config
from ..git.configuring import change_config
from ..git.remotes import Remote, default_remote
from ..git.repository import Repository

_AGREED, _REFUSED = "skillmesh.sync.agreed", "skillmesh.sync.refused"


def answer(repository: Repository, remote: Remote) -> bool | None:
    """Return what the user has said about sharing with the address, None if nothing yet."""
    for key, said in ((_REFUSED, False), (_AGREED, True)):
        out = repository.git.run_unchecked("config", "-z", "--get-all", key).stdout
        if remote.url in os.fsdecode(out).split("\0"):
            return said
    return None


def remember(repository: Repository, remote: Remote, agreed: bool) -> None:
    """Keep an answer in place of an earlier one. Raises as `change_config`."""
    if answer(repository, remote) is agreed:
        return
    key, other = (_AGREED, _REFUSED) if agreed else (_REFUSED, _AGREED)
    exactly = f"^{re.escape(remote.url)}$"
    change_config(repository, "--unset-all", other, exactly)
    change_config(repository, "--replace-all", key, remote.url, exactly)


def why_not_by_itself(repository: Repository, config: Config, remote: Remote) -> str:
    """Return why a push to this remote does not share conversations, "" if it does.

    The default remote is where they come from. Any other place, a fork or an address that was typed
    once, has to be named by hand first: what is agreed on for the one need not be for the other.
    """
    if config["sync.push"] not in ("auto", "wait"):
        return f"sync.push is {config['sync.push']}"
    said = answer(repository, remote)
    if said is False:
        return f"you said no to {remote.url}"
    if said or remote == default_remote(repository):
        return ""
    return f"it is not the default remote; to agree: git skillmesh sync {remote.shown}"
