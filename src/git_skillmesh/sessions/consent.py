"""Who may see the conversations: what the user has said, and what follows from it.

In: a remote, the settings. Out: whether it may be shared with. Answers are kept in the repository's
own git configuration, by address, so that a remote that later points elsewhere is asked about anew.
"""

from ..config import COMMITTED, Config
from ..git import answers
from ..git.remotes import Remote, default_remote
from ..git.repository import Repository
from ..git.trees import is_tracked

_ABOUT = "sync"


def answer(repository: Repository, remote: Remote) -> bool | None:
    """Return what the user has said about sharing with the address, None if nothing yet."""
    return answers.answer(repository, _ABOUT, remote.url)


def remember(repository: Repository, remote: Remote, agreed: bool) -> None:
    """Keep an answer in place of an earlier one. Raises as `change_config`."""
    answers.keep_answer(repository, _ABOUT, remote.url, agreed)


def is_asked_by_clone(repository: Repository, config: Config) -> bool:
    """Return whether it is a file of the clone that wants a push to share conversations.

    Whoever may write that file would decide over conversations that are not theirs.
    """
    if config["sync.push"] not in ("auto", "wait"):
        return False
    origin = config.origins["sync.push"]
    return origin == COMMITTED or (origin == ".env" and is_tracked(repository, ".env"))


def why_not_by_itself(repository: Repository, config: Config, remote: Remote) -> str:
    """Return why a push to this remote does not share conversations, "" if it does.

    The default remote is where they come from. Any other place, a fork or an address that was typed
    once, has to be named by hand first: what is agreed on for the one need not be for the other.
    The default remote has to be named too where nobody but the clone says that a push shares.
    """
    if config["sync.push"] not in ("auto", "wait"):
        return f"sync.push is {config['sync.push']}"
    said = answer(repository, remote)
    if said is False:
        return f"you said no to {remote.url}"
    if said:
        return ""
    agree = f"to agree: git skillmesh sync {remote.shown}"
    if remote != default_remote(repository):
        return f"it is not the default remote; {agree}"
    if is_asked_by_clone(repository, config):
        return f"only {config.origins['sync.push']} says that a push shares; {agree}"
    return ""
