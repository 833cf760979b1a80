"""What the worker does after a commit, merge, checkout, rewrite or push, or an agent's answer.

In: a repository. Out: a memory that has what agents said, links from lines to it, then an index and
a Chroma tier that equal the repository. The local tier comes first: it is what queries use.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..config import Config
from ..errors import Busy, SkillmeshError
from ..git.repository import Repository
from ..monitoring.timing import Timed

if TYPE_CHECKING:
    from ..chroma.mirror import Outcome
    from ..chroma.target import Target

# How long a run waits for another one that writes the index, `git skillmesh index` for example.
_WAIT_SECONDS = 600

Log = Callable[[str], None]


def run_background(repository: Repository, config: Config, log: Log, remote: str = "") -> None:
    """Bring everything up to date, and share with `remote` if a push named one.

    A step that fails keeps none of the others from being done; the first failure is raised at the
    end. Raises `SkillmeshError`.
    """
    from .sharing import share, take_over_fetched

    failures: list[Exception] = []

    def attempt(kind: str, step: Callable[[], None], what: str) -> None:
        try:
            with Timed(repository.state_dir, kind, "worker"):
                step()
        except Exception as error:
            log(f"{what}: {error if isinstance(error, SkillmeshError) else repr(error)}")
            failures.append(error)

    take_over_fetched(repository, log)
    attempt("capture", lambda: _capture(repository, config, log), "conversations are not stored")
    # What rewritten commits say comes first: it is what was found when the work was fresh.
    attempt("carry", lambda: _carry(repository, log), "links were not carried")
    attempt("link", lambda: _link(repository, config, log), "commits are not linked")
    if remote:
        share(repository, config, remote, log)
    attempt("", lambda: _index(repository, config, log), "not indexed")
    if failures:
        raise failures[0]


def _capture(repository: Repository, config: Config, log: Log) -> None:
    from ..sessions.capture import capture_live

    try:
        captured = capture_live(repository, config, log)
    except Busy as busy:  # an import, which does the same
        log(f"conversations are not stored: {busy}")
        return
    if captured.new or captured.grown:
        log(f"stored {len(captured.new)} new sessions, {len(captured.grown)} grown")


def _link(repository: Repository, config: Config, log: Log) -> None:
    from ..git.refs import read_ref
    from ..sessions.layout import REF

    if read_ref(repository, REF) is None:  # most repositories: the linker need not be loaded
        return
    from ..sessions.linking.linker import link_new_commits

    outcome = link_new_commits(repository, config)
    if outcome.looked:
        log(f"linked {len(outcome.links)} of {outcome.looked} commits")


def _carry(repository: Repository, log: Log) -> None:
    from ..sessions.carrying import carry_links

    carried = carry_links(repository)
    if carried.commits:
        log(f"carried links of {carried.lines} lines to {len(carried.commits)} commits")


def _index(repository: Repository, config: Config, log: Log) -> None:
    from ..chroma.target import target_of

    with Timed(repository.state_dir, "index", "worker"):
        has_vectors = _update(repository, config, log)
    target = target_of(config, repository)
    if target is not None and has_vectors:
        with Timed(repository.state_dir, "chroma", "worker"):
            _mirror(repository, config, target, log)


def _update(repository: Repository, config: Config, log: Log) -> bool:
    """Make the local tier equal to the repository; return whether it has vectors of all."""
    from ..index.update import update, update_exchanges, update_learnings, update_provenance
    from ..thinking.search import refresh

    outcome = update(repository, config, wait_seconds=_WAIT_SECONDS)
    log(f"indexed {outcome.report.files} files, {outcome.report.chunks} chunks")
    if outcome.note:
        log(f"no vectors: {outcome.note}")
    blamed = update_provenance(repository, outcome, _WAIT_SECONDS)
    if blamed:
        log(f"looked up who made the lines of {blamed} files")
    exchanges = update_exchanges(repository, config, _WAIT_SECONDS)
    if exchanges.read or exchanges.removed:
        log(f"indexed {exchanges.read} of {exchanges.exchanges} exchanges")
    tree = outcome.report.resolution.tree
    learnings = update_learnings(repository, config, _WAIT_SECONDS, tree)
    if learnings.read:
        log(f"read {learnings.read} files of learnings")
    for problem in learnings.broken:
        log(f"learning left out: {problem}")
    refresh(repository, config)
    return not outcome.note


def _mirror(repository: Repository, config: Config, target: "Target", log: Log) -> None:
    from ..chroma.breaker import Breaker
    from ..chroma.codebase import mirror_codebase
    from ..chroma.directory import announce
    from ..chroma.pipe import WriterWhenNeeded
    from ..chroma.remembered import REMEMBERED, mirror_remembered
    from ..chroma.schemas import CODE

    breaker = Breaker(target, repository.state_dir)
    breaker.ask()
    with breaker.watching(), WriterWhenNeeded(target, repository.state_dir) as one:
        code = mirror_codebase(repository, config, target, writers=one)
        log(f"Chroma: {code.upserted} written, {code.deleted} deleted, {code.rows} in all")
        if code.note:
            log(f"Chroma: {CODE} is left as it is: {code.note}")
        outcomes: dict[str, Outcome | None] = {CODE: code}
        for kind in REMEMBERED:
            done = mirror_remembered(kind, repository, config, target, writers=one)
            if done is not None:
                log(f"Chroma: {done.upserted} {kind.what} written, {done.deleted} deleted")
            outcomes[kind.collection] = done
        announce(repository, config, target, outcomes, one)
