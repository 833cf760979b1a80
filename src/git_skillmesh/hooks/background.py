"""What the worker does after a commit, merge, checkout or rewrite, or when an agent has answered.

In: a repository. Out: a memory that has what agents said, then an index, and then a Chroma tier,
that equal the repository. The local tier comes first: it is what queries use.
"""

from collections.abc import Callable

from ..config import Config
from ..errors import Busy
from ..git.repository import Repository

# How long a run waits for another one that writes the index, `git skillmesh index` for example.
_WAIT_SECONDS = 600


def run_background(repository: Repository, config: Config, log: Callable[[str], None]) -> None:
    """Store conversations, index the repository, mirror it. Raises what went wrong.

    A step that fails does not keep the later ones from being done; it is told at the end.
    """
    from ..sessions.capture import capture_live

    failed: Exception | None = None
    try:
        captured = capture_live(repository, config, log)
        if captured.new or captured.grown:
            log(f"stored {len(captured.new)} new sessions, {len(captured.grown)} grown")
    except Busy as busy:  # an import, which does the same
        log(f"conversations: {busy}")
    except Exception as error:
        failed = error
    _index(repository, config, log)
    if failed is not None:
        raise failed


def _index(repository: Repository, config: Config, log: Callable[[str], None]) -> None:
    from ..chroma.target import target_of
    from ..index.update import update, update_exchanges

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
