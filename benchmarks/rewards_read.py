"""How often verdicts agree with a reader: `python -m benchmarks.rewards_read CLONE…`.

In: clones with transcripts, imported and linked. Out: for each sample of rewards_read.json the
verdicts that agree with the reader, of those that say implemented or ignored. "Cannot tell" is
disagreement. What was read is named by session and exchange alone.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import table
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.store import MemoryStore
from git_skillmesh.training.model import Verdict
from git_skillmesh.training.rewards.running import reward

READ = Path(__file__).with_suffix(".json")
_WORDS = {Verdict.IMPLEMENTED: "implemented", Verdict.IGNORED: "ignored"}


def main(argv: Sequence[str] | None = None) -> int:
    """Judge and compare."""
    parser = argparse.ArgumentParser(description="compare verdicts with what a reader said")
    parser.add_argument("clones", nargs="+", metavar="CLONE")
    found: dict[tuple[str, str], Verdict] = {}
    for name in parser.parse_args(argv).clones:
        repository = discover(Path(name))
        store = MemoryStore(repository, lambda exchange: exchange)
        judged = reward(store, repository.head_commit() or "", write=False).judged
        found |= {pair: one.reward.verdict for pair, one in judged.items()}
    counts: Counter[tuple[int, str]] = Counter()
    agreed: Counter[tuple[int, str]] = Counter()
    for one in json.loads(READ.read_text())["judgements"]:
        said = _WORDS.get(found.get((one["session"], one["exchange"]), Verdict.UNDECIDED))
        if said:
            counts[one["sample"], said] += 1
            agreed[one["sample"], said] += said == one["reader"]
    rows = [(str(n), said, f"{agreed[n, said]} of {counts[n, said]}") for n, said in sorted(counts)]
    print(table(("sample", "verdict", "agrees"), rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
