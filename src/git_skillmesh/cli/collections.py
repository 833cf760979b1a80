"""`git skillmesh collections`: create and check the Chroma collections."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..errors import ConfigurationError, ExitCode
from .context import Context
from .terminal import safe_line

if TYPE_CHECKING:
    from ..index.vectors import VectorSource


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "collections",
        help="create and check the Chroma collections",
        description="Create the collections that are missing, check the others against their "
        "schemas, upgrade older ones in place. Nothing stored is lost.",
    )
    parser.add_argument("--check", action="store_true", help="only look, change nothing")
    parser.add_argument("--schema", action="store_true", help="print the metadata fields and stop")
    parser.add_argument(
        "--repos", action="store_true", help="list the repositories that have rows in the store"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Create or check, and print a line for each collection."""
    if args.schema:
        return _print_schemas(context)
    if args.repos:
        from .collections_repos import run as list_repositories

        return list_repositories(context)
    from ..chroma.collections import check_collections, ensure_collections
    from ..chroma.schemas import COLLECTIONS, PROSE
    from ..chroma.target import target_of
    from ..index.store import Store
    from ..index.vectors import prose_source_of, source_of

    repository, config = context.repository, context.config
    target = target_of(config, repository)
    if target is None:
        raise ConfigurationError(
            "the Chroma tier is off", "git config skillmesh.chroma.impl persistent"
        )
    if args.check:
        reports = check_collections(target, repository.state_dir)
    else:
        cache = Store(repository).embeddings_path
        code, prose = (_embedding(of(config, cache)) for of in (source_of, prose_source_of))
        embeddings = {name: prose if name in PROSE else code for name in COLLECTIONS}
        reports = ensure_collections(target, repository.state_dir, embeddings)
    if context.json:
        context.out_json({"target": target.describe(), "collections": [asdict(r) for r in reports]})
    else:
        context.out(target.describe())
        for report in reports:
            context.out(f"  {report.name:<22} {report.status:<10} {report.rows:>8} rows")
            for problem in report.problems:
                context.out(f"      {context.style.bad(safe_line(problem))}")
    return ExitCode.OK if not any(report.problems for report in reports) else ExitCode.DAMAGED


def _embedding(source: "VectorSource") -> dict[str, str]:
    dimension = len(source.embed_query("dimension"))
    return {"model_id": source.model_id, "dimension": str(dimension)}


def _print_schemas(context: Context) -> int:
    from ..chroma.schemas import COLLECTIONS

    if context.json:
        context.out_json({name: asdict(schema) for name, schema in COLLECTIONS.items()})
        return ExitCode.OK
    for schema in COLLECTIONS.values():
        context.out(f"{context.style.bold(schema.name)}  {schema.description}")
        for name, (kind, about) in schema.fields.items():
            context.out(f"  {name:<24} {kind:<6} {about}")
    return ExitCode.OK
