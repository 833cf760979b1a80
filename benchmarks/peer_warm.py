"""Search semble's index many times in one process; run it with the Python that has semble.

In: a tree that was searched before, a file of queries. Out: JSON, seconds a query.
"""

import json
import sys
import time
from pathlib import Path


def main() -> None:
    """Load the index once, then search."""
    from semble.index import SembleIndex  # type: ignore[import-not-found,unused-ignore]
    from semble.types import ContentType  # type: ignore[import-not-found,unused-ignore]

    tree, queries = sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8").splitlines()
    index = SembleIndex.from_path(tree, content=list(ContentType))
    index.search("warm up", top_k=10)
    wall, cpu = [], []
    for query in queries:
        begun, used = time.perf_counter(), time.process_time()
        index.search(query, top_k=10)
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
    json.dump({"wall": wall, "cpu": cpu}, sys.stdout)


if __name__ == "__main__":
    main()
