"""Search in thoughts: is the right one found, is nothing said in vain, what does it cost.

Run: python -m benchmarks.thought_queries [--thoughts N]

Questions and thoughts are made up (testing/thoughts.py). The least score was chosen on the first
half of the questions. Costs are processor seconds, with those of `import numpy` beside them.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.thinking.model import Thought
from git_skillmesh.thinking.search import Finder
from testing.repos import make_repo
from testing.thoughts import QUESTIONS, SESSIONS, UNRELATED, record_sessions

QUESTION = "why does the upload test sometimes break"


def main() -> None:
    """Print quality, then costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--thoughts", type=int, default=5_000, help="how many to search")
    count = parser.parse_args().thoughts
    with tempfile.TemporaryDirectory() as folder:
        repo = make_repo(Path(folder))
        store = record_sessions(repo)
        repository = discover(repo.path)
        finder, config = Finder(repository), load(repository)
        for half in (0, 1):
            print(_quality(half, lambda text: [
                (hit.thought.session_id, hit.thought.number)
                for hit in finder.find(text, config).hits
            ]))  # fmt: skip
        chance = random.Random(1)
        words = " ".join(text for texts in SESSIONS.values() for text in texts).split()
        texts = [" ".join(chance.choices(words, k=60)) for _ in range(count)]
        store.record_all([Thought(f"s{n // 10}", 0, text) for n, text in enumerate(texts)])
        search = ["-m", "git_skillmesh", "-C", str(repo.path), "think", "search", QUESTION]
        print(f"first search of {count:,}: {_cost(search):.2f} s")
        for _ in range(2):
            numpy, bare = _cost(["-c", "import numpy"]), _cost(["-c", "pass"])
            print(f"search {_cost(search):.2f} s, import numpy {numpy:.2f} s, python {bare:.2f} s")
        finder.find(QUESTION, config)
        before = os.times()
        for _ in range(50):
            finder.find(QUESTION, config)
        print(f"in one process {sum(os.times()[:4]) / 50 - sum(before[:4]) / 50:.4f} s")
        before = os.times()
        for number in range(20):
            store.record(Thought("bench", 0, f"one more thought, {number}"))
        print(f"record {sum(os.times()[:4]) / 20 - sum(before[:4]) / 20:.4f} s")


def _quality(half: int, ask: Callable[[str], list[tuple[str, int]]]) -> str:
    questions = list(QUESTIONS.items())[half::2]
    first = among = 0
    for question, (session, numbers) in questions:
        hits, right = ask(question), {(session, number) for number in numbers}
        first += bool(hits) and hits[0] in right
        among += bool(right & set(hits))
    others = UNRELATED[half::2]
    wrong = sum(bool(ask(question)) for question in others)
    return (
        f"half {half + 1}: first {first} of {len(questions)}, among five {among}, "
        f"unrelated answered {wrong} of {len(others)}"
    )


def _cost(arguments: list[str]) -> float:
    before = os.times()
    subprocess.run(
        [sys.executable, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    after = os.times()
    return after.children_user + after.children_system - before[2] - before[3]


if __name__ == "__main__":
    main()
