"""Where registries lie: that of this program, and a repository's own.

In: nothing. Out: names and paths. Apart from loading.py for a hook that only looks there.
"""

from pathlib import Path

BUILT = "tools.enriched.json"
FOLDER = ".skillmesh/skills"  # a repository's own cards, from its top


def shipped() -> Path:
    """Return where the registry of this program is: the built file, or else its sources."""
    package = Path(__file__).parents[1]
    installed = package / "_shipped" / "registry"
    folder = installed if installed.is_dir() else package.parents[1] / "registry"
    return folder / BUILT if (folder / BUILT).is_file() else folder
