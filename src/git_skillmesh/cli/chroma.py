"""`git skillmesh chroma`: move collections between stores, mend old ones, take in others'."""

import argparse

from .actions import check_action, set_defaults
from .context import Context

SCHEMA = 1
ACTIONS = ("copy", "import", "upgrade", "vacuum")
# Option → the actions that know it.
_OPTIONS = {
    "source": ("copy", "import"),
    "destination": ("copy",),
    "at": ("upgrade", "vacuum"),
    "collection": ("copy",),
    "repo": ("copy",),
    "all_repos": ("copy",),
    "existing": ("copy",),
    "ignore_limits": ("copy",),
    "discard": ("copy",),
    "dry_run": ("copy", "import", "upgrade"),
}
_DEFAULTS = {
    "source": "", "destination": "", "at": "configured", "collection": (), "repo": (),
    "existing": "refuse",
}  # fmt: skip
_SPELLED = {"source": "from", "destination": "to"}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "chroma",
        help="copy, take in, upgrade and shrink Chroma stores",
        description="copy --from STORE --to STORE: copy collections with their ids, vectors, "
        "metadata, documents and settings; run it again to go on after an interruption. import "
        "--from STORE: take in conversations, learnings and thoughts of a chroma-mcp-server store. "
        "upgrade: bring collections of an older version up to date where they are. vacuum: give "
        "space of a local store back. STORE is persistent:PATH, http(s)://HOST[:PORT][?tenant=T"
        "&database=D], cloud[:TENANT/DATABASE] or configured. Secrets come from the environment: "
        "docs/migration.md. Exit code 1: import left out records.",
    )
    add = parser.add_argument
    add("action", metavar="ACTION", help=", ".join(ACTIONS))
    add("--from", dest="source", metavar="STORE", help="copy, import: where it comes from")
    add("--to", dest="destination", metavar="STORE", help="copy: where it goes")
    add("--at", metavar="STORE", help="upgrade, vacuum: which store; the configured one without")
    add("--collection", action="append", metavar="NAME", help="copy: only this collection; may be "
        "repeated")  # fmt: skip
    add("--repo", action="append", metavar="ID", help="copy: rows of this repository instead of "
        "those of the one you are in; may be repeated")  # fmt: skip
    add("--all-repos", action="store_true", help="copy: rows of all repositories")
    add("--existing", choices=("refuse", "keep", "replace"), help="copy: what to do with rows that "
        "are there with another content; refuse without")  # fmt: skip
    add("--ignore-limits", action="store_true", help="copy: send to Chroma Cloud also what is "
        "larger than its usual limits")  # fmt: skip
    add("--discard", action="store_true", help="copy: only delete what interrupted copies have "
        "left at --to")  # fmt: skip
    add("--dry-run", action="store_true", help="copy, import, upgrade: only say what would be done")
    add("--json", action="store_true", help="print JSON, see docs/migration.md")
    add("-q", "--quiet", action="store_true", help="no progress and no notes")
    add("--color", choices=("auto", "always", "never"), default="auto", help="when to use colour")


def run(args: argparse.Namespace, context: Context) -> int:
    """Do one of the actions. Raises `UsageError`, and as they do."""
    check_action(args, ACTIONS, _OPTIONS, _SPELLED)
    set_defaults(args, _DEFAULTS)
    if args.action == "copy":
        from .chroma_copy import copy

        return copy(args, context)
    if args.action == "import":
        from .chroma_import import take_in

        return take_in(args, context)
    from .chroma_keeping import upgrade, vacuum

    return {"upgrade": upgrade, "vacuum": vacuum}[args.action](args, context)
