"""Build what is shipped so that the first question need not wait for the sentence model.

    python scripts/routing_index.py          # only what changed is read again
    python scripts/routing_index.py --check  # exit 1 where something is outdated

In: registry/, registry/data/*.txt. Out: registry/experts.routing, the index of the shipped cards,
and src/git_skillmesh/registry/data/elsewhere.vec.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from git_skillmesh.embedding.sentence import SentenceEmbedder
from git_skillmesh.registry.elsewhere import is_made_by, write_elsewhere
from git_skillmesh.registry.index import digests_of, update
from git_skillmesh.registry.loading import load_registry
from git_skillmesh.registry.storage import SHIPPED, load, save

ROOT = Path(__file__).parents[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Build or check."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args(argv)
    model = SentenceEmbedder.load()
    path = ROOT / "registry" / SHIPPED
    cards = sorted(load_registry(ROOT / "registry").cards, key=lambda card: card.id)
    old = load(path, model)
    outdated = not is_made_by(model)
    if args.check:
        known = {row.tobytes() for row in old.digests}
        rows = (row.tobytes() for row in digests_of(cards))
        stale = [card.id for card, row in zip(cards, rows, strict=True) if row not in known]
        for name in [*stale, *(["elsewhere.vec"] if outdated else [])]:
            print(f"outdated: {name}", file=sys.stderr)
        return int(bool(stale) or outdated or len(old) != len(cards))
    if outdated:
        write_elsewhere(model)
    fresh = update(old, cards, model)
    if fresh is not old or not path.is_file():
        save(fresh, path, model)
    print(f"{len(fresh)} cards, {len(fresh.rows)} vectors, {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
