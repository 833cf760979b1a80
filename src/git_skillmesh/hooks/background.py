"""What the worker does after a commit, merge, checkout or rewrite.

In: a repository. Out: an index, and then a Chroma tier, that equal the repository. The local tier
comes first: it is what queries use.
"""

from collections.abc import Callable

from ..config import Config
from ..git.repository import Repository

# How long a run waits for another one that writes the index, `git skillmesh index` for example.
_WAIT_SECONDS = 600


def run_background(repository: Repository, config: Config, log: Callable[[str], None]) -> None:
    """Link new commits, index the repository, then mirror it. Raises `SkillmeshError`."""
    from ..chroma.target import target_of
    from ..index.update import update, update_exchanges

    _link(repository, config, log)
    outcome = update(repository, config, wait_seconds=_WAIT_SECONDS)
    log(f"indexed {outcome.report.files} files, {outcome.report.chunks} chunks")
    if outcome.note:
        log(f"no vectors: {outcome.note}")
    exchanges = update_exchanges(repository, config, _WAIT_SECONDS)
    log(f"indexed {exchanges.read} of {exchanges.exchanges} exchanges")
    target = target_of(config, repository)
    if target is None or outcome.note:
        return
    from ..chroma.codebase import mirror_codebase

    mirrored = mirror_codebase(repository, config, target)
    log(f"Chroma: {mirrored.upserted} written, {mirrored.deleted} deleted, {mirrored.rows} in all")


def _link(repository: Repository, config: Config, log: Callable[[str], None]) -> None:
    """Link commits. What goes wrong here keeps nothing else from being done."""
    from ..sessions.linking.linker import link_new_commits

    try:
        outcome = link_new_commits(repository, config)
    except Exception as error:
        log(f"commits are not linked: {type(error).__name__}: {error}")
        return
    if outcome.looked:
        log(f"linked {len(outcome.links)} of {outcome.looked} commits")
