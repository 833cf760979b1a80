"""What thirty learnings would have said of the history of three repositories, and how rightly.

    python -m benchmarks.backtests CLONE…

A clone is told by its tip, which must be in it (TIPS). The learnings are in `learnings/NAME/`;
those in `first/` are as they were written before anybody saw what they find. `learnings/read.json`
says of flagged commits, read by hand, whether a reviewer who knows the learning would have agreed.

Then what it costs: one learning and ten, over more and more commits.
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.program import Bench, common_arguments, workplace
from benchmarks.results import RESULTS, Recorder, milliseconds, table
from git_skillmesh.gate.backtest import Tried, Verdict, backtest, short
from git_skillmesh.gate.estimate import Share
from git_skillmesh.gate.fates import Fate
from git_skillmesh.gate.past import Window
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.learnings.model import Learning
from git_skillmesh.learnings.reading import read_learning

LEARNINGS = Path(__file__).with_name("learnings")
TIPS = {
    "pytest": "df87db7b0462fb764ef73fa00561adf8ad047572",
    "fastify": "83e69762aff047940b376fc2a266d143499ef727",
    "clap": "6982fb1c98c7247e38a6d4f04191b94e30497e7b",
}
_GROWTH = (300, 1_000, 3_000, 10_000)
_ONE = {"pytest": "docs-links", "fastify": "node-prefix", "clap": "try-macro"}


def main(argv: Sequence[str] | None = None) -> int:
    """Replay, compare with what was read, measure; exit code 1 if a block learning is too noisy."""
    parser = common_arguments("backtest learnings on the history of real repositories")
    parser.add_argument("clones", metavar="CLONE", type=Path, nargs="*", help="whole histories")
    parser.add_argument("--cost", metavar="NAME", help="measure time on this one only")
    parser.add_argument("--table", action="store_true", help="print what docs/backtest.md shows")
    args = parser.parse_args(argv)
    if args.table:
        print(markdown(json.loads((RESULTS / "backtests.json").read_text())), end="")
        return 0
    recorder = Recorder("backtests", args.results)
    repositories: dict[str, Any] = {}
    with workplace(args.scratch) as bench:
        for clone in args.clones:
            repository = discover(clone)
            name = _name(repository)
            repositories[name] = _tried(repository, name)
            if args.cost in (None, name):
                repositories[name]["cost"] = _costs(bench, clone, name)
            _show(name, repositories[name])
    recorder.write(repositories=repositories)
    noisy = [
        row["learning_id"]
        for found in repositories.values()
        for row in found["learnings"]
        if row["state"] == "block" and row["false_positives"]["share"] >= 0.01
    ]
    print(f"block learnings of 1 % or more: {', '.join(noisy) or 'none'}")
    return 1 if noisy else 0


def _name(repository: Repository) -> str:
    for name, tip in TIPS.items():
        if repository.git.run_unchecked("cat-file", "-e", tip).returncode == 0:
            return name
    sys.exit(f"{repository.git.cwd}: has none of the commits that the results are about")


def _tried(repository: Repository, name: str) -> "dict[str, Any]":
    window = Window(TIPS[name])
    tell = None
    if sys.stderr.isatty():
        tell = lambda done, total: print(f"{name} {done}/{total}", end="\r", file=sys.stderr)  # noqa: E731
    now = backtest(repository, read(LEARNINGS / name), window, progress=tell)
    changed = read(LEARNINGS / name / "first")
    was = backtest(repository, changed, window, progress=tell)
    first = {each.learning.learning_id: each for each in (*now, *was)}
    return {
        "tip": TIPS[name],
        "commits": len(now[0].commits),
        "learnings": [_row(each) for each in now],
        "before_looking": [_row(each) for each in was],
        "read_by_hand": agreement(name, first),
    }


def read(folder: Path) -> "list[Learning]":
    """Return the learnings of a folder, by name."""
    found = []
    for place in sorted(folder.glob("*.yaml")):
        learning = read_learning(place.name, place.read_bytes()).learning
        if learning is None:
            sys.exit(f"{place} cannot be read")
        found.append(learning)
    return found


def _row(tried: Tried) -> "dict[str, Any]":
    half = len(tried.commits) // 2
    return {
        "learning_id": tried.learning.learning_id,
        "kind": str(tried.learning.matcher.kind),
        "state": str(tried.learning.state),
        **_figures(tried),
        "false_positives": _share(tried.false_positives),
        "precision": _share(tried.precision),
        "corrected": tried.corrected,
        "lines_changed": _share(tried.changed),
        "beside_changed": _share(tried.base),
        "fates": {str(fate): tried.fates[fate] for fate in Fate},
        "newer_half": _figures(part(tried, 0, half)),
        "older_half": _figures(part(tried, half, len(tried.commits))),
        "newest_thousand": _figures(part(tried, 0, 1_000)),
        "since_learned": _figures(part(tried, 0, _learned(tried))),
    }


def _figures(tried: Tried) -> "dict[str, Any]":
    return {
        "commits": len(tried.commits),
        "fired": len(tried.judged),
        **{str(verdict): tried.count(verdict) for verdict in Verdict},
    }


def _share(share: Share) -> "dict[str, float]":
    return {"hits": share.hits, "total": share.total, "share": share.value, "low": share.low,
            "high": share.high}  # fmt: skip


def part(tried: Tried, start: int, end: int) -> Tried:
    """Return the same for some of the commits, counted from the newest."""
    judged = tuple(each for each in tried.judged if start <= each.fired.commit.age < end)
    return replace(tried, commits=tried.commits[start:end], judged=judged)


def _learned(tried: Tried) -> int:
    """Return how many commits came after the last one that the learning was taken from."""
    sources = tried.learning.source_commits
    for commit in tried.commits:
        if commit.oid.startswith(sources):
            return commit.age
    return 0


def agreement(name: str, tried: "dict[str, Tried]") -> "dict[str, int]":
    """Return how often a verdict of history goes with a judgement: "right, wrongly" → count."""
    judgements = json.loads((LEARNINGS / "read.json").read_text())[name]
    found: Counter[str] = Counter()
    for learning_id, said in judgements.items():
        verdicts = {j.fired.commit.oid[:9]: j.verdict for j in tried[learning_id].judged}
        for judgement, commits in said.items():
            found.update(f"{verdicts[commit]}, {judgement}" for commit in commits)
    return dict(sorted(found.items()))


def _costs(bench: Bench, clone: Path, name: str) -> "list[dict[str, Any]]":
    repo = bench.repository(clone, name)
    for learning in read(LEARNINGS / name):
        source = LEARNINGS / name / f"{learning.learning_id}.yaml"
        repo.write(learning.path, source.read_bytes())
    found = []
    for count in _GROWTH:
        window = ("--commits", str(count), "--until", TIPS[name], "--json")
        one = bench.skillmesh(repo, "backtest", _ONE[name], *window)
        ten = bench.skillmesh(repo, "backtest", *window)
        commits = json.loads(one.output)["commits"]
        found.append({"commits": commits, "one": one.cpu, "one_wall": one.wall,
                      "ten": ten.cpu, "ten_wall": ten.wall})  # fmt: skip
        if commits < count:
            break
    return found


def markdown(results: "dict[str, Any]") -> str:
    """Return the tables of docs/backtest.md."""
    parts = []
    for name, found in results["repositories"].items():
        parts.append(f"**{name}**, {found['commits']:,} commits up to `{found['tip'][:9]}`\n\n")
        parts.append(
            "| learning | kind | state | fired | right | mistaken | unknown | false positives, % |"
            " errors hidden: at most, % | changed, % | beside, % | since it was learned |\n"
        )
        parts.append("| --- " * 3 + "| ---: " * 8 + "| --- |\n")
        parts += [_markdown_row(row) for row in found["learnings"]]
        parts.append("\n")
    return "".join(parts)


def _markdown_row(row: "dict[str, Any]") -> str:
    cells = [f"`{row['learning_id']}`", row["kind"], row["state"], f"{row['fired']:,}"]
    after = row["since_learned"]
    since = (
        f"{after['commits']:,} commits: {after['fired']:,} fired, {after['mistaken']:,} mistaken"
    )
    if row["kind"] in ("paths", "message"):
        cells += ["", "", "", "", "", "", "", since.rpartition(",")[0]]
    else:
        share = row["false_positives"]
        rate = f"{short(share['share'])} ({short(share['low'])} to {short(share['high'])})"
        hidden = short(row["corrected"][1]) if row["corrected"] else ""
        cells += [f"{row[str(verdict)]:,}" for verdict in Verdict]
        cells += [rate, hidden, _percent(row["lines_changed"]), _percent(row["beside_changed"])]
        cells.append(since)
    return f"| {' | '.join(cells)} |\n"


def _percent(share: "dict[str, float]") -> str:
    return f"{100 * share['share']:.0f}" if share["total"] else ""


def _show(name: str, found: "dict[str, Any]") -> None:
    print(f"\n{name}: {found['commits']:,} commits")
    head = ("learning", "state", "fired", *Verdict, "FP %", "at most", "corrected", "after")
    print(table(head, [_line(row) for row in (*found["learnings"], *found["before_looking"])]))
    print("read by hand:", found["read_by_hand"])
    for cost in found.get("cost", ()):
        print(f"{cost['commits']:,} commits: one {milliseconds(cost['one'])} CPU, "
              f"ten {milliseconds(cost['ten'])} CPU")  # fmt: skip


def _line(row: "dict[str, Any]") -> "list[object]":
    share, after = row["false_positives"], row["since_learned"]
    corrected = 100 * row["corrected"][1] if row["corrected"] else None
    return [
        row["learning_id"], row["state"], row["fired"], *(row[str(each)] for each in Verdict),
        100 * share["share"], 100 * share["high"], corrected,
        f"{after['mistaken']}/{after['fired']}/{after['commits']}",
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
