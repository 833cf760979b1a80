"""`git skillmesh size`: what takes how much room, and what would give some of it back."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..errors import ExitCode
from .columns import bytes_word, plural
from .context import Context
from .terminal import safe_line

if TYPE_CHECKING:
    from ..backup.measuring import Sizes
    from ..backup.reclaiming import Offer

SCHEMA = 1
_HEADINGS = {
    "cache": "caches, made again by git skillmesh index",
    "kept": "files, made again by nothing",
    "git": "objects of git, cloned and pushed with it",
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "size",
        help="show what takes how much room, and what would give some back",
        description="Show the bytes that caches, files and objects take, and what prune, vacuum "
        "and gc would give back. Nothing is changed.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/backup.md")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Measure and print."""
    from ..backup.measuring import backup_estimate, measure
    from ..backup.reclaiming import offers

    sizes = measure(context.repository, context.config)
    gains = offers(context.repository, context.config)
    estimate = backup_estimate(sizes)
    if context.json:
        context.out_json(
            {
                "schema": SCHEMA,
                "items": [asdict(item) for item in sizes.items],
                "caches": sizes.caches,
                "total": sum(item.size for item in sizes.items),
                "collections": [asdict(one) for one in sizes.collections],
                "backup": estimate,
                "gives_back": [asdict(one) for one in gains],
            }
        )
    else:
        _print(context, sizes, gains, estimate)
    return ExitCode.OK


def _print(context: Context, sizes: "Sizes", gains: "list[Offer]", estimate: int) -> None:
    style, out = context.style, context.out
    for kind, heading in _HEADINGS.items():
        items = [item for item in sizes.items if item.kind == kind]
        if not items:
            continue
        out(f"{_column(sum(item.size for item in items))}  {style.bold(heading)}")
        for item in sorted(items, key=lambda one: -one.size):
            note = style.dim(f"  {safe_line(item.note)}") if item.note else ""
            out(f"{_column(item.size)}    {item.name}{note}")
            if item.name == "Chroma":
                for one in sizes.collections:
                    mine = ", your own" if one.own else ""
                    line = f"{one.name}: {plural(one.rows, 'row')}{mine}"
                    out(style.dim(safe_line(f"{_column(one.vector_bytes)}      {line}")))
    out(f"{_column(sum(item.size for item in sizes.items))}  {style.bold('all of it')}")
    out(f"{_column(estimate)}  a backup, at most about")
    if gains:
        out()
    for offer in gains:
        least = "at least " if offer.least else "about "
        said = f"{offer.command} gives back {least}{bytes_word(offer.size)}: {offer.what}"
        out(safe_line(said))


def _column(size: int) -> str:
    return f"{bytes_word(size):>9}"
