"""`git skillmesh collections --repos`: whose rows a shared store has.

In: the configured store. Out: a line for each repository, or JSON.
"""

from typing import TYPE_CHECKING

from ..errors import ConfigurationError, ExitCode
from .columns import fit, width_of
from .context import Context
from .terminal import safe_line

if TYPE_CHECKING:
    from ..chroma.directory import Listed

_SCHEMA_VERSION = 1
_WIDEST_NAME = 40
_HEADS = ("code", "chats", "learnings", "thoughts")


def run(context: Context) -> int:
    """List the repositories. Raises `ConfigurationError`, and what reading a store raises."""
    from ..chroma.directory import MIRRORED, listed
    from ..chroma.reader import ChromaReader
    from ..chroma.target import target_of
    from ..index.identity import repo_id

    repository, config = context.repository, context.config
    target = target_of(config, repository)
    if target is None:
        raise ConfigurationError(
            "the Chroma tier is off", "git config skillmesh.chroma.impl persistent"
        )
    with ChromaReader(target) as reader:
        found = listed(reader)
    here = repo_id(repository, config)
    if context.json:
        repositories = [
            {
                "repo_id": one.repo_id,
                "name": one.name,
                "here": one.repo_id == here,
                "commit": one.commit,
                "branch": one.branch,
                "time": one.time,
                "rows": {name: one.rows.get(name, 0) for name in MIRRORED},
            }
            for one in found
        ]
        context.out_json(
            {
                "schema": _SCHEMA_VERSION,
                "target": target.describe(),
                "repositories": repositories,
            }
        )
        return ExitCode.OK
    context.out(target.describe())
    for line in _table(context, found, here):
        context.out(line)
    if not found:
        context.note("no repository has rows in it; run: git skillmesh index --chroma wait")
    return ExitCode.OK


def _table(context: Context, found: "list[Listed]", here: str) -> list[str]:
    from ..chroma.directory import MIRRORED

    names = [safe_line(one.name or "(no name)") for one in found]
    ids = [safe_line(one.repo_id) for one in found]
    width = min(max(map(width_of, names), default=0), _WIDEST_NAME)
    wide = max(map(width_of, ids), default=0)
    lines = []
    if found:
        counts = "".join(f"{name:>11}" for name in _HEADS)
        lines.append(
            context.style.dim(f"  {'name':<{width}}  {'id':<{wide}}{counts}  as of").rstrip()
        )
    for one, name, number in zip(found, names, ids, strict=True):
        rows = "".join(f"{one.rows.get(collection, 0):>11,}" for collection in MIRRORED)
        as_of = " ".join(safe_line(part) for part in (one.time, one.branch, one.commit[:9]) if part)
        mark = "*" if one.repo_id == here else " "
        lines.append(f"{mark} {fit(name, width)}  {fit(number, wide)}{rows}  {as_of}".rstrip())
    return lines
