"""How well questions find the skill they mean, and how quickly.

    python -m benchmarks.skills [--half tune|test] [--backend memory|chroma]
    python -m benchmarks.skills --speed [--public FILE]

In: the registry, skills/*.yaml and, for the large registries, a file of public skills (a JSON
object with name, description and body a line), which is not part of this repository. Out: results.
The half `test` is for the report: nothing is tuned on it, and nothing but sums is printed.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from benchmarks.program import common_arguments
from benchmarks.results import Recorder, megabytes, milliseconds, table
from git_skillmesh.embedding import static
from git_skillmesh.registry.loading import load_registry
from git_skillmesh.registry.model import Card
from git_skillmesh.registry.retriever import Backend, SkillRetriever
from git_skillmesh.registry.router import Options, Routing
from git_skillmesh.registry.routing import Field, routed
from git_skillmesh.registry.words import asked

FOLDER = Path(__file__).parent / "skills"
REGISTRY = Path(__file__).parents[1] / "registry"
# From the issue: each has to be answered in the first place.
SEVEN = {
    "build matplotlib seaborn heatmap": "viz.matplotlib-seaborn",
    "sklearn pipeline cross validation leakage safe": "ml.sklearn-modeling",
    "pytorch training loop cuda mixed precision checkpoint": "dl.pytorch-training",
    "create s3 bucket with lifecycle and presigned urls": "cloud.aws-s3",
    "kubernetes deployment with rbac and resource limits": "cloud.kubernetes",
    "terraform state management modules and drift detection": "cloud.terraform",
    "opencv contour detection": "cv.opencv-image-processing",
}
# A word is rare if so few cards have it, and it is not among the commonest word pieces, which the
# vocabulary of the models lists by how common they are.
RARE = 3
COMMON = 8_000
SIZES = (64, 1_000, 10_000)
QUERIES = 40

Route = Callable[[str, int], Routing]


def questions(name: str, half: str) -> list[dict[str, str]]:
    """Return the questions of a half of a file."""
    found: list[dict[str, str]] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return [question for question in found if question["half"] == half]


def asked_by_authors() -> dict[str, str]:
    """Return question → card, as the authors of the cards wrote them."""
    found = {}
    for path in sorted((FOLDER / "asked").glob("*.yaml")):
        for card, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            found.update(dict.fromkeys(texts, card))
    return found


def rare_words(cards: Sequence[Card]) -> set[str]:
    """Return the terms that at most `RARE` cards have and that are no everyday words."""
    counts: Counter[str] = Counter()
    for card in cards:
        terms = routed(card).terms[: Field.EVERYDAY]
        counts.update(set().union(*terms))
    text = (static.DATA / static.VOCABULARY).read_text(encoding="utf-8")
    common = {word.term for piece in text.split("\n")[:COMMON] for word in asked(piece)}
    return {term for term, count in counts.items() if count <= RARE and term not in common}


def measured(route: Route, wanted: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Return the shares answered in the first place, in the first three and at all."""
    first = three = answered = 0
    for text, card in wanted:
        found = [hit.card.id for hit in route(text, 3).hits]
        answered += bool(found)
        first += found[:1] == [card]
        three += card in found
    count = max(len(wanted), 1)
    return {
        "questions": len(wanted), "first": round(first / count, 4), "in 3": round(three / count, 4),
        "answered": round(answered / count, 4),
    }  # fmt: skip


def quality(backend: Backend, half: str, recorder: Recorder, registry: Path) -> int:
    """Measure what is found."""
    cards = load_registry(registry).cards
    known = {card.id for card in cards}
    rare = rare_words(cards)
    with tempfile.TemporaryDirectory() as folder:
        retriever = SkillRetriever(cards, backend, folder=Path(folder))
        modes: dict[str, Route] = {
            "as shipped": retriever.route,
            "rrf": lambda text, k: retriever.route(text, k, Options(mode="rrf")),
            "words only": lambda text, k: retriever.route(text, k, Options(dense=False)),
            "as shipped, no threshold": lambda text, k: retriever.route(
                text, k, Options(everything=True)
            ),
        }
        by_author = [(text, card) for text, card in asked_by_authors().items() if card in known]
        meant = [(q["text"], q["expert"]) for q in questions("paraphrases.yaml", half)
                 if q["expert"] in known]  # fmt: skip
        plain = [
            (text, card) for text, card in meant if not any(w.term in rare for w in asked(text))
        ]
        rows = [
            {"set": name, "mode": mode, **measured(route, wanted)}
            for name, wanted in (
                ("the issue's seven", list(SEVEN.items())),
                ("asked by the authors", by_author),
                (f"paraphrases, {half}", meant),
                (f"paraphrases, {half}, no rare word", plain),
            )
            for mode, route in modes.items()
            if mode == "as shipped" or name.startswith("paraphrases")
        ]
        off = questions("off-topic.yaml", half)
        wrong = Counter(q["kind"] for q in off if retriever.route(q["text"], 1).hits)
        said = Counter(q["kind"] for q in off)
        strange = [
            {"kind": kind, "questions": count, "answered": wrong[kind]}
            for kind, count in said.items()
        ]
        answered = sum(wrong.values()) / len(off)
        missed = [
            f"{card}: {text}"
            for text, card in [*SEVEN.items(), *by_author]
            if card in known and [h.card.id for h in retriever.route(text, 1).hits] != [card]
        ]
    head = ("set", "mode", "questions", "first", "in 3", "answered")
    print(f"{len(cards)} cards, {backend}\n")
    print(table(head, [[row[name] for name in head] for row in rows]), "\n")
    print(table(("off-topic", "questions", "answered"), [list(row.values()) for row in strange]))
    print(f"{'all':10} {answered:.3f}")
    for line in missed:
        print(f"not first: {line}")
    recorder.write(
        cards=len(cards), backend=backend, half=half, rows=rows, off_topic=strange,
        off_topic_answered=round(answered, 4), not_first=len(missed),
    )  # fmt: skip
    return 0


def public_cards(path: Path) -> Iterator[Card]:
    """Yield a card for each public skill, and then variations of them without end."""
    with path.open(encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    step = 0
    while True:
        for number, skill in enumerate(found):
            title = skill["name"].replace("-", " ").replace("_", " ")
            other = found[(number * 7 + step * 31) % len(found)]
            yield Card(
                id=f"public{step}.s{number}",
                title=title if not step else f"{title} {other['name']}",
                domain=f"public{step}",
                instruction_file=f"{number}/SKILL.md",
                description=skill["description"][:1024] + (other["description"] if step else ""),
                body=skill["body"][:8_000],
            )
        step += 1


def speed(recorder: Recorder, registry: Path, public: Path | None) -> int:
    """Measure how long an index and a query take, by the size of the registry."""
    ours = list(load_registry(registry).cards)
    texts = [q["text"] for q in questions("paraphrases.yaml", "tune")][:QUERIES]
    rows: list[dict[str, Any]] = []
    for size in SIZES if public else SIZES[:1]:
        cards = list(ours)
        if public and size > len(ours):
            more = public_cards(public)
            cards += [next(more) for _ in range(size - len(ours))]
        for backend in ("memory", "chroma"):
            if backend == "chroma" and size > 1_000:
                continue
            rows.append(speed_of(cards, "memory" if backend == "memory" else "chroma", texts))
            print(rows[-1], flush=True)
    rows.append({"cold": cold_query(registry)})
    print(rows[-1])
    recorder.write(speed=rows)
    return 0


def speed_of(cards: Sequence[Card], backend: Backend, texts: Sequence[str]) -> dict[str, Any]:
    """Measure one size and backend."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started, spent = time.perf_counter(), time.process_time()
        SkillRetriever(cards, backend, folder=folder)
        indexed, index_cpu = time.perf_counter() - started, time.process_time() - spent
        changed = [replace(cards[0], title=cards[0].title + " once more"), *cards[1:]]
        started = time.perf_counter()
        SkillRetriever(changed, backend, folder=folder)
        again = time.perf_counter() - started
        started = time.perf_counter()
        retriever = SkillRetriever(changed, backend, folder=folder)
        opened = time.perf_counter() - started
        retriever.route(texts[0], 5)
        times, cpus = [], []
        for text in texts:
            started, spent = time.perf_counter(), time.process_time()
            retriever.route(text, 5)
            times.append(time.perf_counter() - started)
            cpus.append(time.process_time() - spent)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    times.sort()
    cpus.sort()
    return {
        "cards": len(cards), "backend": backend,
        "index": milliseconds(indexed), "index cpu": milliseconds(index_cpu),
        "one card changed": milliseconds(again), "opened": milliseconds(opened),
        "query p50": milliseconds(times[len(times) // 2]),
        "query p95": milliseconds(times[math.ceil(0.95 * len(times)) - 1]),
        "query cpu p50": milliseconds(cpus[len(cpus) // 2]),
        "on disk": megabytes(size),
        "peak memory": megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024),
    }  # fmt: skip


_COLD = """
import sys
from pathlib import Path
from git_skillmesh.registry.loading import load_registry
from git_skillmesh.registry.retriever import SkillRetriever
path = Path(sys.argv[1])
built = path / "tools.enriched.json"
cards = load_registry(built if built.is_file() else path).cards
SkillRetriever(cards).route("names under the bars of my chart overlap")
assert "chromadb" not in sys.modules
"""


def cold_query(registry: Path) -> dict[str, Any]:
    """Return the processor seconds of a new process that answers one question."""
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", _COLD, str(registry)], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {"cpu s": round(sorted(spent)[2], 3), "best": round(min(spent), 3)}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser: argparse.ArgumentParser = common_arguments("measure the routing of skills")
    parser.add_argument("--half", choices=("tune", "test"), default="tune")
    parser.add_argument("--backend", choices=("memory", "chroma"), default="memory")
    parser.add_argument("--registry", type=Path, default=REGISTRY)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--public", type=Path, help="public skills, a JSON object a line")
    args = parser.parse_args(argv)
    if args.speed:
        return speed(Recorder("skills-speed", args.results), args.registry, args.public)
    recorder = Recorder(f"skills-{args.half}-{args.backend}", args.results)
    return quality(args.backend, args.half, recorder, args.registry)


if __name__ == "__main__":
    raise SystemExit(main())
