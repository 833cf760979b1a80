#!/usr/bin/env python3
"""Check the cards of a registry, and build from them what is built.

In: registry/**/SKILL.md, card.yaml and roles.yaml. Out: with `build` registry/experts.yaml,
tools.enriched.json and schema.json; with `check` the exit code 1 where one of them is outdated;
with `lint` everything that is wrong with the cards, and the exit code 1 if there is anything.
"""

import argparse
import sys
from pathlib import Path

from git_skillmesh.registry import building
from git_skillmesh.registry.lint import lint
from git_skillmesh.registry.loading import load_registry
from git_skillmesh.registry.validation import validate

REGISTRY = Path(__file__).parents[1] / "registry"


def outdated(root: Path) -> dict[Path, str]:
    """Return the files that are not what the cards say, and what they should be."""
    files = building.files_of(load_registry(root))
    return {
        root / name: text
        for name, text in files.items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("action", choices=("lint", "build", "check"))
    parser.add_argument("registry", nargs="?", type=Path, default=REGISTRY)
    parser.add_argument("--partial", action="store_true", help="other cards may be elsewhere")
    parser.add_argument("--only", default="", help="cards whose path begins so")
    arguments = parser.parse_intermixed_args()
    root: Path = arguments.registry
    if arguments.action == "lint":
        problems = sorted({*validate(root), *lint(root)})
        shown = [problem for problem in problems if problem.path.startswith(arguments.only)]
        if arguments.partial:
            shown = [problem for problem in shown if "there is no such card" not in problem.what]
        for problem in shown:
            print(problem)
        return 1 if shown else 0
    stale = outdated(root)
    for path, text in stale.items():
        print(path.relative_to(root.parent))
        if arguments.action == "build":
            path.write_text(text, encoding="utf-8")
    return 1 if stale and arguments.action == "check" else 0


if __name__ == "__main__":
    sys.exit(main())
