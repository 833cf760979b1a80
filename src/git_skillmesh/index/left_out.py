"""What is not searched, and why: a tree and the working tree over it in, path → reason out."""

from ..chunking.exclusion import Skip, skip_content
from ..config import Config
from ..git.repository import Repository
from ..git.trees import WorkingTree, list_links
from .rules import Rules
from .store import Store
from .sync import resolve
from .view import read_regular


def left_out(
    repository: Repository, config: Config, tree: str, state: WorkingTree
) -> dict[str, Skip]:
    """Return the files that a query of the working tree passes over, by path.

    What only their content tells of committed files is known once they have been indexed.
    """
    catalogue = Store(repository).reader_if_any()
    try:
        resolution = resolve(repository, catalogue, config, tree, full=True)
        found = dict(resolution.left_out)
        for path, is_submodule in list_links(repository, tree).items():
            found[path] = Skip.SUBMODULE if is_submodule else Skip.SYMLINK
        if catalogue is not None:
            rows = catalogue.files(resolution.members.tolist()).values()
            found |= {row.path: Skip(row.skip) for row in rows if row.skip}
    finally:
        if catalogue is not None:
            catalogue.close()
    for path in (*state.changed, *state.deleted):
        found.pop(path, None)
    found |= _on_disk(repository, resolution.rules, [*state.changed, *state.untracked])
    return dict(sorted(found.items()))


def _on_disk(repository: Repository, rules: Rules, paths: list[str]) -> dict[str, Skip]:
    """Judge changed and untracked files as a query does that reads them."""
    if repository.top is None:
        return {}
    found: dict[str, Skip] = {}
    for path, verdict in rules.verdicts(repository, paths).items():
        file = repository.top / path
        data = None if verdict.skip else read_regular(file, rules.max_bytes)
        if verdict.skip:
            found[path] = verdict.skip
        elif data is None:
            if file.is_symlink():
                found[path] = Skip.SYMLINK
            elif file.is_file():
                found[path] = Skip.OVERSIZED
        elif skip := skip_content(path, data, rules.max_bytes, forced=verdict.forced):
            found[path] = skip
    return found
