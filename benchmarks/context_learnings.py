"""Which learnings a prompt is told of: those that it is about, and not those that it is not.

    python -m benchmarks.context_learnings CLONE…

In: the thirty made learnings, each with a question that means it in other words, and, from clones
with conversations, prompts of real people about other things. No real repository with conversations
has learnings yet, so these are made. Out: how many questions lead to their learning, with no file
in play and with a file of its language named or in work; how many real prompts are told of any
learning, and of how many, when a file of that language is named or in work.
"""

import tempfile
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.context_replay import sessions_of
from benchmarks.made_learnings import CASES, TUNED_ON
from benchmarks.program import common_arguments, workplace
from benchmarks.results import Recorder, table
from git_skillmesh.briefing.learned import applying
from git_skillmesh.briefing.prompts import Prompt, read_prompt
from git_skillmesh.embedding.sentence import SentenceEmbedder
from git_skillmesh.learnings.text import places_of
from testing.repos import run

_FILES = {
    "python": "src/depot/client.py", "sql": "db/migrations/0007.sql",
    "typescript": "web/src/app.ts", "tsx": "web/src/app.tsx", "jsx": "web/src/app.jsx",
    "javascript": "web/src/app.js",
    "go": "cmd/depot/main.go", "rust": "src/main.rs", "java": "src/Depot.java", "bash": "run.sh",
    "dockerfile": "Dockerfile", "yaml": "deploy.yaml", "css": "web/app.css", "c": "src/depot.c",
    "cpp": "src/depot.cpp", "html": "web/page.html", "php": "www/index.php",
    "ruby": "app/depot.rb",
}  # fmt: skip
WAYS = ("no file", "in work", "named")
LEARNINGS = tuple(case.learning() for case in CASES)


MODEL = SentenceEmbedder.load()
# As the index has them.
ROWS = MODEL.embed_documents(
    ["\n".join((o.title, o.description, o.pattern, places_of(o))) for o in LEARNINGS]
)


@cache
def vector_of(text: str) -> NDArray[np.float32]:
    """Return the vector of a prompt."""
    return MODEL.embed_query(text)


def told(prompt: Prompt, way: str, file: str) -> list[str]:
    """Return the ids of the learnings that a prompt is told of."""
    named, touched = ([file] if way == one else [] for one in ("named", "in work"))

    def like(paths: Collection[str]) -> dict[str, float]:
        cosines = (ROWS @ vector_of(prompt.plain)).tolist()
        return {o.path: c for o, c in zip(LEARNINGS, cosines, strict=True) if o.path in paths}

    return [one.learning.learning_id for one in applying(LEARNINGS, named, touched, like)]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = common_arguments("measure which learnings a prompt is told of")
    parser.add_argument("clones", nargs="*", type=Path, metavar="CLONE")
    args = parser.parse_args(argv)
    recorder = Recorder("context-learnings", args.results)
    rows: list[list[object]] = []
    of = {case.learning_id: case for case in CASES}
    meant = {"tuned on": dict(TUNED_ON), "others": {c.learning_id: c.question for c in CASES}}
    for name, questions in meant.items():
        for way in WAYS:
            found = {
                one: told(read_prompt(question), way, _file_of(of[one].languages))
                for one, question in questions.items()
            }
            right = sum(one in ids for one, ids in found.items())
            others = sum(len(set(ids) - {one}) for one, ids in found.items())
            rows.append([f"questions, {name}", way, len(found), right, others, ""])
    with workplace(args.scratch) as bench:
        for clone in args.clones:
            folder = Path(tempfile.mkdtemp(dir=bench.folder))
            copy = folder / "clone"
            run(
                "git", "clone", "-q", "--shared", "--no-checkout", str(clone), str(copy), cwd=folder
            )
            sessions = sessions_of(clone, copy, folder)
            prompts = [read_prompt(e.prompt) for s in sessions if not s.parent for e in s.exchanges]
            for way in WAYS:
                every = [told(one, way, _FILES["typescript"]) for one in prompts if not one.is_idle]
                spoke = [ids for ids in every if ids]
                many = sum(map(len, spoke)) / len(spoke) if spoke else 0
                share = f"{100 * len(spoke) / max(len(prompts), 1):.1f} %"
                rows.append([clone.parent.name, way, len(prompts), "", share, f"{many:.1f}"])
    head = ("prompts", "files", "count", "right", "others told", "at once")
    print(table(head, rows))
    recorder.write(rows=[list(map(str, row)) for row in rows])
    return 0


def _file_of(languages: Sequence[str]) -> str:
    return _FILES.get(languages[0] if languages else "python", "src/main.txt")


if __name__ == "__main__":
    raise SystemExit(main())
