"""`git skillmesh prune`: forget file versions that nothing needs any more."""

import argparse

from ..errors import ExitCode, UsageError
from .context import Context

_WAIT_SECONDS = 600


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "prune",
        help="forget file versions that nothing needs any more",
        description="Drop what belongs to none of the 40 trees used last and is older than the "
        "grace period. Runs by itself once a day after a commit.",
    )
    parser.add_argument("--days", type=int, default=14, help="grace period in days (default 14)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Prune and print what went."""
    from ..index.learnings import learning_store, prune_learnings
    from ..index.maintenance import prune
    from ..index.store import Store

    if args.days < 0:
        raise UsageError("--days must be 0 or more")
    store = Store(context.repository)
    if not store.catalogue_path.exists():
        context.note("there is no index")
        return ExitCode.OK
    learned, grace = learning_store(context.repository), args.days * 24 * 3600
    before = store.size() + learned.size()
    with store.writing(_WAIT_SECONDS) as catalogue:
        gone = prune(context.repository, catalogue, store, grace)
    if learned.catalogue_path.exists():
        with learned.writing(_WAIT_SECONDS) as catalogue:
            gone += prune_learnings(context.repository, catalogue, learned, grace)
    after = store.size() + learned.size()
    if context.json:
        context.out_json({"file_versions": gone, "bytes_before": before, "bytes_after": after})
    else:
        context.out(f"{gone} file versions forgotten, {before / 1e6:.1f} → {after / 1e6:.1f} MB")
    return ExitCode.OK
