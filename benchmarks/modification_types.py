"""How well kinds of changes are told: `python -m benchmarks.modification_types CLONE…`.

In: clones whose commits name their type, as conventionalcommits.org has it. Out: accuracy, macro F1
and confusion, cross-validated by repository: what is said of a commit comes from weights that were
fitted without any commit of its repository. The subject without its type stands in for the prompt.
With --entire, the exchanges kept in a clone by Entire are asked as well: those whose own commits
name their type, by weights fitted on the other clones.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.results import Recorder, table
from git_skillmesh.git.process import GitFailed
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.edits_as_diff import FileChange, Place, changes_of
from git_skillmesh.sessions.importers.source import read_source
from git_skillmesh.sessions.modification import (
    KINDS,
    OF_TYPE,
    Modification,
    Weights,
    features_of,
    likely,
    told_type,
)
from git_skillmesh.sessions.modification_features import (
    diff_features,
    kind_of_path,
    text_features,
)
from git_skillmesh.sessions.summaries import summary_of_prompt, summary_of_response

_SUBJECT = re.compile(r"([a-z]+)(?:\([^)]*\))?!?: +(.+)")
_NUMBER = re.compile(r"\s*\(?#\d+\)?\s*$")
_HUNK = re.compile(rb"@@ -\d+(?:,\d+)? \+(\d+)")
_BOT = re.compile(r"\[bot\]|dependabot|renovate|greenkeeper|release-please", re.IGNORECASE)
_MOST_LINES = 5_000
_NAMES = {"both": "words and change", "diff": "change alone", "text": "words alone"}
_KEYWORDS = (
    ("test", Modification.TEST), ("document", Modification.DOCUMENTATION),
    ("fast", Modification.OPTIMISATION), ("look", Modification.STYLE),
    ("repair", Modification.BUGFIX), ("problem", Modification.BUGFIX),
    ("restructure", Modification.REFACTOR), ("rename", Modification.REFACTOR),
    ("remove", Modification.REFACTOR), ("setup", Modification.CONFIG),
    ("release", Modification.CONFIG), ("add", Modification.FEATURE),
    ("support", Modification.FEATURE), ("guard", Modification.BUGFIX),
)  # fmt: skip
_START = b"\x01commit "


@dataclass(frozen=True, slots=True)
class Labelled:
    """A commit: what kind of change its author says it is, in which words, and the change."""

    project: str
    label: Modification
    text: str
    changes: tuple[FileChange, ...]


def labelled(clone: Path, most: int) -> list[Labelled]:
    """Return the latest changes of a clone that name their type, those of bots left out."""
    repository = discover(clone)
    out = repository.git.run(
        "log", f"--max-count={4 * most}", "--no-merges", "--no-color", "--no-ext-diff",
        "--no-textconv", "-p", "-U0", "-M", "--format=%x01commit %an%x00%s",
    )  # fmt: skip
    found: list[Labelled] = []
    for entry in out.split(b"\n" + _START):
        head, _, patch = entry.removeprefix(_START).partition(b"\n")
        author, _, subject = head.decode("utf-8", "replace").partition("\0")
        match = _SUBJECT.match(subject)
        kind = OF_TYPE.get(match[1]) if match else None
        if match is None or kind is None or _BOT.search(author):
            continue
        changes = tuple(changes_in(patch))
        if changes:
            found.append(Labelled(name_of(clone), kind, _NUMBER.sub("", match[2]), changes))
        if len(found) == most:
            break
    return found


def labelled_in(clones: Iterable[Path], most: int = 500) -> list[Labelled]:
    """Return the labelled changes of clones; one whose objects are not all there is left out."""
    found: list[Labelled] = []
    for clone in clones:
        try:
            found += labelled(clone, most)
        except GitFailed as error:
            print(f"left out: {name_of(clone)} ({error})", file=sys.stderr)
    return found


def name_of(clone: Path) -> str:
    """Return how a clone is called in tables."""
    return (clone.parent.name if clone.name == "repo" else clone.name).replace("+", "/")


def changes_in(patch: bytes) -> Iterator[FileChange]:
    """Yield the change of each file in a patch without context."""
    for part in re.split(rb"(?m)^diff --git ", patch)[1:]:
        yield _change(part.decode("utf-8", "replace").split("\n")[: _MOST_LINES + 20])


def _change(lines: list[str]) -> FileChange:
    path = lines[0].rpartition(" b/")[2].rstrip('"')
    moved_from, is_new, is_gone = "", False, False
    places: list[tuple[list[str], list[str], int]] = []
    for line in lines[1:]:
        if line.startswith("@@"):
            match = _HUNK.match(line.encode())
            places.append(([], [], int(match[1]) if match else 0))
        elif places and line.startswith("-"):
            places[-1][0].append(line[1:])
        elif places and line.startswith("+"):
            places[-1][1].append(line[1:])
        elif not places:
            is_new |= line.startswith("new file")
            is_gone |= line.startswith("deleted file")
            if line.startswith("rename from "):
                moved_from = line.removeprefix("rename from ")
    made = tuple(Place(tuple(old), tuple(new), line) for old, new, line in places)
    added, removed = sum(len(one.added) for one in made), sum(len(one.removed) for one in made)
    return FileChange(path, added, removed, made, moved_from, is_new, is_gone)


def by_keywords(text: str) -> Modification | None:
    """Return the kind that the first telling word stands for."""
    found = text_features(text)
    return next((kind for hint, kind in _KEYWORDS if f"~{hint}" in found), None)


def by_rules(text: str, changes: Sequence[FileChange]) -> Modification:
    """Return what a person would write down as rules: paths, then looks, words, definitions."""
    kinds = {kind_of_path(change.path) for change in changes}
    if len(kinds) == 1 and kinds != {"code"}:
        return Modification(kinds.pop())
    found = diff_features(changes)
    if found.get("all cosmetic", 0) > 0.9:
        return Modification.STYLE
    grows = "defines public" in found or "new definitions" in found
    return by_keywords(text) or (Modification.FEATURE if grows else Modification.BUGFIX)


def quality(right: Sequence[Modification], said: Sequence[Modification]) -> dict[str, Any]:
    """Return accuracy, macro F1, F1 by kind, and the confusion: right → said → count."""
    pairs = Counter(zip(right, said, strict=True))
    scores = {}
    for kind in KINDS:
        hits = pairs[kind, kind]
        named = sum(count for (_, one), count in pairs.items() if one == kind)
        there = sum(count for (one, _), count in pairs.items() if one == kind)
        scores[str(kind)] = round(2 * hits / (named + there), 3) if named + there else 0.0
    hits = sum(pairs[kind, kind] for kind in KINDS)
    return {
        "accuracy": round(hits / len(right), 3),
        "macro_f1": round(sum(scores.values()) / len(scores), 3),
        "f1": scores,
        "confusion": {str(a): {str(b): pairs[a, b] for b in KINDS} for a in KINDS},
    }


def thresholds(right: Sequence[Modification], chances: Sequence[Sequence[float]]) -> list[Any]:
    """Return (least, share of changes with an answer, how many of these are right)."""
    found = []
    for least in (0.0, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.8):
        said = [
            (kind, KINDS[row.index(max(row))])
            for kind, row in zip(right, map(list, chances), strict=True)
            if max(row) >= least
        ]
        hits = sum(one == other for one, other in said)
        found.append([least, round(len(said) / len(right), 3), round(hits / (len(said) or 1), 3)])
    return found


def on_exchanges(clone: Path, weights: Weights) -> dict[str, Any]:
    """Return how often the kind of real exchanges is told, and told right.

    Asked are those with edits whose own commits name a type; their messages are not looked at.
    """
    imported = read_source("entire", discover(clone))
    found: list[tuple[Modification, Modification]] = []
    for exchange in (one for session in imported.sessions for one in session.exchanges):
        right, changes = told_type(exchange), changes_of(exchange)
        if right and changes:
            asked = summary_of_prompt(exchange.prompt)
            answered = summary_of_response(exchange.response)
            found.append((right, likely(features_of(asked, answered, changes), weights)))
    said = [(one, other) for one, other in found if other != Modification.UNKNOWN]
    hits = sum(one == other for one, other in said)
    return {"clone": name_of(clone), "exchanges": len(found), "answered": len(said), "right": hits}


def main() -> int:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(description="how well kinds of changes are told")
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    parser.add_argument("--most", type=int, default=500, help="commits of each clone")
    parser.add_argument("--entire", nargs="*", type=Path, default=[], metavar="CLONE")
    args = parser.parse_args()
    # Imported here: it imports this module for its data.
    from training.fit_modification import SHARES, cross_validate, fit, sample_of

    recorder = Recorder("modification_types", None)
    commits = labelled_in(args.clones, args.most)
    samples = [sample_of(one) for one in commits]
    right = [one.label for one in commits]
    frequent = Counter(right).most_common(1)[0][0]
    chances = cross_validate(samples, list(SHARES))
    ways: dict[str, list[Modification]] = {
        "always the most frequent": [frequent] * len(right),
        "keywords only": [by_keywords(one.text) or frequent for one in commits],
        "rules": [by_rules(one.text, one.changes) for one in commits],
        **{
            _NAMES[view]: [KINDS[row.index(max(row))] for row in rows]
            for view, rows in chances.items()
        },
    }
    found = {name: quality(right, said) for name, said in ways.items()}
    summary = [[name, one["accuracy"], one["macro_f1"]] for name, one in found.items()]
    print(table(["way", "accuracy", "macro F1"], summary))
    best = found[_NAMES["both"]]
    print("\nrows: what the author says; columns: what is said here")
    confusion = [[kind, *best["confusion"][kind].values(), best["f1"][kind]] for kind in KINDS]
    print(table(["", *KINDS, "F1"], confusion))
    least = {_NAMES[view]: thresholds(right, rows) for view, rows in chances.items()}
    for name, rows in least.items():
        print(f"\n{name}")
        print(table(["at least", "answered", "right"], rows))
    by_project: dict[str, list[bool]] = {}
    for one, said in zip(commits, ways[_NAMES["both"]], strict=True):
        by_project.setdefault(one.project, []).append(one.label == said)
    shares = {name: [len(hits), round(mean(hits), 3)] for name, hits in sorted(by_project.items())}
    print("\n" + table(["repository", "commits", "right"], [[k, *v] for k, v in shares.items()]))
    real = []
    for clone in args.entire:
        others = [one for one in samples if one.project != name_of(clone)]
        real.append(on_exchanges(clone, fit(others)))
        print(f"\n{real[-1]}")
    recorder.write(commits=len(commits), ways=found, thresholds=least, repositories=shares,
                   exchanges=real)  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
