"""Remotes: which there are, and refs of the program fetched from one and pushed to it.

In: names of remotes or addresses. Out: `Remote`; tracking refs under refs/skillmesh/remotes/; what
a remote answered to a push. Nothing here knows what the refs hold, nor moves any but tracking refs.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from ..errors import Damaged, UsageError
from .refs import RefMoved, expire_reflog, is_ancestor, list_refs
from .repository import Repository, normalise_url
from .transport import Manners, reason_in, talk, unavailable, without_credentials

TRACKING = "refs/skillmesh/remotes"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}(?:\.[A-Za-z0-9_-]{1,63}){0,3}")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://.|[^/:\s]+:.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Remote:
    """Where to fetch from and push to.

    `name` is what git is told: the name of a remote or an address. `url` is where it pushes,
    without user and password (several addresses with commas between). `key` names the tracking
    refs.
    """

    name: str
    url: str
    key: str

    @property
    def shown(self) -> str:
        """The name as people may see it."""
        return without_credentials(self.name)

    def tracking(self, ref: str) -> str:
        """Return the ref that says what the remote had under `ref` when it was last asked."""
        return f"{TRACKING}/{self.key}/{'notes' if ref.startswith('refs/notes/') else 'memory'}"


class Verdict(Enum):
    """What a remote says to the push of one ref."""

    DONE = "done"
    MOVED = "somebody else was faster"
    REFUSED = "refused"


class Answer(NamedTuple):
    """The answer for one ref, and the remote's own words."""

    verdict: Verdict
    reason: str = ""


def remote_names(repository: Repository) -> list[str]:
    """Return the names of all remotes."""
    return os.fsdecode(repository.git.run("remote")).splitlines()


def default_remote(repository: Repository) -> Remote | None:
    """Return the remote of the current branch, else origin, else the only one there is."""
    names = remote_names(repository)
    chosen = names[0] if len(names) == 1 else "origin"
    branch = repository.branch()
    if branch is not None:
        out = repository.git.run_unchecked("config", "--get", f"branch.{branch}.remote").stdout
        tracked = os.fsdecode(out).removesuffix("\n")
        chosen = tracked if tracked in names else chosen
    return _named(repository, chosen) if chosen in names else None


def find_remote(repository: Repository, text: str) -> Remote:
    """Return the remote of a name or an address; an address of a remote is that remote.

    Raises `UsageError` for what is neither.
    """
    names = remote_names(repository)
    if text in names:
        return _named(repository, text)
    folder = (repository.top or repository.git_dir) / repository.prefix / text
    is_address = _ADDRESS.match(text) is not None
    if not text or text.startswith("-") or not (is_address or folder.is_dir()):
        raise UsageError(f"no such remote: {text}", "git remote -v lists them")
    if not is_address:
        text = os.fspath(folder.resolve())
    place = normalise_url(text, repository.git.cwd)
    for name in names:
        remote = _named(repository, name)
        if place in (
            normalise_url(remote.url, repository.git.cwd),
            _fetched_from(repository, name),
        ):
            return remote
    return Remote(text, without_credentials(text), f"url-{_short_hash(place)}")


def fetch_settings(remote: Remote, refs: Iterable[str]) -> list[tuple[str, str]]:
    """Return the git configuration by which the user's own `git fetch` brings refs, too.

    With a star, because git fails on an exact name that the remote does not have.
    """
    lines = [f"+{ref}*:{remote.tracking(ref)}*" for ref in refs]
    return [(f"remote.{remote.name}.fetch", line) for line in lines]


def known(repository: Repository, remote: Remote, refs: Iterable[str]) -> dict[str, str | None]:
    """Return ref → what the remote had when it was last asked."""
    found = list_refs(repository, f"{TRACKING}/{remote.key}/")
    return {ref: found.get(remote.tracking(ref)) for ref in refs}


def fetch(
    repository: Repository,
    remote: Remote,
    refs: Sequence[str],
    manners: Manners,
    *,
    whole: bool = False,
) -> dict[str, str | None]:
    """Make the tracking refs equal to what the remote has now; return ref → object, or None.

    Refs of the user are not touched. With `whole` everything is fetched again, for a partial clone
    that lacks contents. Where both refs are known from before this is one connection, else two.

    Raises:
        Unavailable: the remote cannot be reached, or does not let us in.
        Damaged: it has objects that git does not take.
        RefMoved: another process is fetching, or the remote changed meanwhile.
    """
    before = known(repository, remote, refs)
    wanted = list(refs)
    if None in before.values():
        there = _look(repository, remote, refs, manners)
        wanted = [ref for ref, oid in there.items() if oid is not None]
        if there == before and not whole:
            return before
    for ref in set(refs) - set(wanted):
        _drop(repository, remote.tracking(ref))
    if wanted:
        _fetch(repository, remote, wanted, manners, whole)
    after = known(repository, remote, refs)
    for ref, old in before.items():
        new = after[ref]
        if old and new and not is_ancestor(repository, old, new):
            expire_reflog(repository, remote.tracking(ref))  # what was forgotten there
    return after


def push(
    repository: Repository,
    remote: Remote,
    wanted: Mapping[str, str],
    leases: Mapping[str, str],
    manners: Manners,
) -> dict[str, Answer]:
    """Push ref → commit, and return what the remote says to each.

    A ref in `leases` may be rewritten, if the remote still has that value; any other only grows.
    Raises `Unavailable`.
    """
    options = ["--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no"]
    options += ["--no-force-if-includes", "--no-signed", "--no-progress", "--thin"]
    options += [f"--force-with-lease={ref}:{value}" for ref, value in leases.items()]
    # Neither options meant for a branch nor a mirror's rules are for these refs.
    config = ["-c", "push.pushOption="]
    if remote.name in remote_names(repository) and "=" not in remote.name:
        config += ["-c", f"remote.{remote.name}.mirror=false"]
    refspecs = [f"{oid}:{ref}" for ref, oid in wanted.items()]
    done = talk(
        repository, *config, "push", *options, "--", remote.name, *refspecs,
        remote=remote.name, manners=manners,
    )  # fmt: skip
    answers: dict[str, Answer] = {}
    for ref, answer in _answers(done.stdout.decode(errors="replace"), done.stderr):
        # A remote may have several addresses to push to: all of them have to agree.
        if ref not in answers or answers[ref].verdict is Verdict.DONE:
            answers[ref] = answer
    if done.returncode != 0 and not answers:
        raise unavailable(remote.name, done.stderr)
    missing = Answer(Verdict.REFUSED, "the remote did not answer")
    return {ref: answers.get(ref, missing) for ref in wanted}


def _look(
    repository: Repository, remote: Remote, refs: Sequence[str], manners: Manners
) -> dict[str, str | None]:
    """Ask a remote what it has."""
    done = talk(
        repository, "ls-remote", "-q", "--", remote.name, *refs, remote=remote.name, manners=manners
    )
    if done.returncode != 0:
        raise unavailable(remote.name, done.stderr)
    pairs = (line.split("\t", 1) for line in os.fsdecode(done.stdout).splitlines() if "\t" in line)
    there = {name: oid for oid, name in pairs}
    return {ref: there.get(ref) for ref in refs}


def _fetch(
    repository: Repository,
    remote: Remote,
    refs: Sequence[str],
    manners: Manners,
    whole: bool,
) -> None:
    options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"]
    options += ["--no-prune", "--no-show-forced-updates", "--refmap=", "--no-auto-maintenance"]
    if repository.is_partial():
        options += ["--no-filter", *(["--refetch"] if whole else [])]
    # The histories of branches are no part of these: telling the remote of them would be in vain.
    tips = list_refs(repository, *refs, *(remote.tracking(ref) for ref in refs)).values()
    negotiation = [f"--negotiation-tip={oid}" for oid in sorted(set(tips))]
    config = [] if negotiation else ["-c", "fetch.negotiationAlgorithm=noop"]
    refspecs = [f"+{ref}:{remote.tracking(ref)}" for ref in refs]
    done = talk(
        repository, *config, "fetch", *options, *negotiation, "--", remote.name, *refspecs,
        remote=remote.name, manners=manners,
    )  # fmt: skip
    if done.returncode == 0:
        return
    if b"couldn't find remote ref" in done.stderr:
        # It was there the last time. Forget that, and look again.
        for ref in refs:
            _drop(repository, remote.tracking(ref))
        raise RefMoved(reason_in(done.stderr))
    if b"cannot lock ref" in done.stderr or b"not our ref" in done.stderr:
        raise RefMoved(reason_in(done.stderr))
    if b"fsck error" in done.stderr:
        told = [line for line in done.stderr.splitlines() if line.startswith(b"error: object ")]
        what = reason_in(b"\n".join(told[:1]) or done.stderr)
        raise Damaged(f"git refuses what {remote.shown} has", f"{what}; nothing was taken over")
    raise unavailable(remote.name, done.stderr)


def _drop(repository: Repository, ref: str) -> None:
    repository.git.run_unchecked("-c", f"core.hooksPath={os.devnull}", "update-ref", "-d", ref)


# What servers say when a ref moved while they were about to move it.
_RACES = ("failed to update ref", "cannot lock ref", "failed to lock", "incorrect old value",
          "reference already exists")  # fmt: skip


def _answers(said: str, stderr: bytes) -> Iterable[tuple[str, Answer]]:
    for line in said.splitlines():
        flag, _, rest = line.partition("\t")
        refspec, _, summary = rest.partition("\t")
        ref = refspec.partition(":")[2]
        if not ref:
            continue
        reason = summary.partition("(")[2].removesuffix(")") or summary
        if flag != "!":
            yield ref, Answer(Verdict.DONE)
        elif summary.startswith("[rejected]") or any(sign in summary for sign in _RACES):
            yield ref, Answer(Verdict.MOVED, reason)
        else:
            words = _words_of_server(stderr)
            yield ref, Answer(Verdict.REFUSED, f"{reason}: {words}" if words else reason)


def _words_of_server(stderr: bytes) -> str:
    """Return the first thing that a server says to whoever pushes, "" if nothing."""
    lines = stderr.decode(errors="replace").splitlines()
    told = (line[8:].strip() for line in lines if line.startswith("remote: "))
    first = next((line for line in told if line and "hook declined" not in line), "")
    return without_credentials(first.removeprefix("error: "))[:300]


def _named(repository: Repository, name: str) -> Remote:
    out = repository.git.run_unchecked("remote", "get-url", "--push", "--all", "--", name).stdout
    url = ", ".join(os.fsdecode(out).splitlines())
    key = name if _PLAIN_NAME.fullmatch(name) and not name.endswith(".lock") else ""
    return Remote(name, without_credentials(url), key or f"remote-{_short_hash(name)}")


def _fetched_from(repository: Repository, name: str) -> str:
    out = repository.git.run_unchecked("remote", "get-url", "--", name).stdout
    return normalise_url(os.fsdecode(out).split("\n")[0], repository.git.cwd)


def _short_hash(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:16]
