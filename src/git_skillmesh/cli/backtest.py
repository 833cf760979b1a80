"""`git skillmesh backtest`: what learnings would have said of past commits, and how rightly."""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ExitCode, UsageError
from ..git.objects import BlobReader
from ..learnings.files import learnings_at, learnings_on_disk, write_text
from ..learnings.model import State
from ..learnings.reading import ReadFile, read_learning
from ..learnings.writing import set_field
from .columns import clip, local_day, plural
from .context import Context
from .terminal import progress_bar, safe_line

if TYPE_CHECKING:
    from ..gate.backtest import Judged, Makers, Tried
    from ..gate.estimate import Share
    from ..git.repository import Repository

SCHEMA = 1
COMMITS = 1_000


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "backtest",
        help="try learnings on past commits",
        description="Hold learnings against past commits as the gate would have: how often they "
        "fire, on whose lines, and whether the lines were changed later (a sign that it was "
        "right) or live on (a sign of noise).",
    )
    parser.add_argument("learnings", metavar="ID", nargs="*",
                        help="a learning, or a file of one; without any, all that are not retired"
                        )  # fmt: skip
    window = parser.add_mutually_exclusive_group()
    window.add_argument("--since", metavar="DATE", help="commits since a date, as git takes it")
    window.add_argument("--commits", metavar="N", default=str(COMMITS),
                        help=f"so many commits, or: all (default {COMMITS})")  # fmt: skip
    parser.add_argument("--until", metavar="REV", default="HEAD",
                        help="the newest commit, at which lines live on or not (default HEAD)"
                        )  # fmt: skip
    parser.add_argument("--first-parent", action="store_true",
                        help="take each merge as one commit, and leave out what it merged"
                        )  # fmt: skip
    parser.add_argument("--places", action="store_true",
                        help="show all commits and lines, also of several learnings")  # fmt: skip
    parser.add_argument("--record", action="store_true",
                        help="write the figures into the files of the learnings")  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing about the work")
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/backtest.md")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto",
                        help="when to use colour")  # fmt: skip


def run(args: argparse.Namespace, context: Context) -> int:
    """Replay, print, record. Raises `UsageError`."""
    from ..gate.backtest import backtest, today
    from ..gate.past import Window

    window = Window(args.until, args.since or "", _count(args), args.first_parent)
    if args.record and context.repository.is_bare:
        raise UsageError("a bare repository has no working tree", "record in a clone")
    reads = _chosen(args.learnings, context)
    usable = [read for read in reads if read.learning is not None]
    for problem in (problem for read in reads for problem in read.problems):
        context.note(f"git-skillmesh: {safe_line(str(problem))}")
    learnings = [read.learning for read in usable if read.learning is not None]
    repository = context.repository
    with progress_bar("commits", args.quiet or args.json) as progress:
        tested = backtest(repository, learnings, window, makers(repository), progress)
    if args.json:
        context.out_json(_document(tested, usable, window.first_parent))
    else:
        _print(tested, args.places or len(tested) == 1, context)
    if args.record:
        for read, each in zip(usable, tested, strict=True):
            _record(read, each, today(), context)
    return ExitCode.RULES_BROKEN if len(usable) < len(reads) else ExitCode.OK


def _count(args: argparse.Namespace) -> int:
    if args.since or args.commits == "all":
        return 0
    if not args.commits.isascii() or not args.commits.isdigit() or not int(args.commits):
        raise UsageError(f"--commits {args.commits}", "a number of commits, or: all")
    return min(int(args.commits), 2**31 - 1)


def _chosen(names: "list[str]", context: Context) -> "list[ReadFile]":
    """Return the learnings that are named, or all that may be enforced. Raises `UsageError`."""
    repository = context.repository
    bare = repository.is_bare
    known = learnings_at(repository, "HEAD") if bare else learnings_on_disk(repository)
    if names:
        found = [known.get(name) or _from_file(name, context) for name in dict.fromkeys(names)]
        ids = Counter(read.learning.learning_id for read in found if read.learning)
        for name, count in ids.items():
            if count > 1:
                raise UsageError(f"{count} of these learnings are called {name}")
        return found
    return [
        read
        for read in known.values()
        if read.learning is None or read.learning.state is not State.RETIRED
    ]


def _from_file(name: str, context: Context) -> ReadFile:
    place = (context.folder or Path()) / name
    if "/" not in name and not name.endswith((".yaml", ".yml")):
        raise UsageError(f"no learning {name}", "git skillmesh learnings list")
    try:
        return read_learning(name, place.read_bytes())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read {name}", reason) from None


def makers(repository: "Repository") -> "Makers":
    """Return what tells of commits which of their lines an agent made, as far as links say."""
    from ..sessions.links import read_links

    def of(commits: Iterable[str]) -> "Mapping[str, frozenset[tuple[str, int]]]":
        found: dict[str, set[tuple[str, int]]] = defaultdict(set)
        with BlobReader(repository) as reader:
            for commit, links in read_links(repository, sorted(commits)).items():
                blobs: dict[str, str] = {}
                for link in (each for each in links if each.path):
                    if link.path not in blobs:
                        there = reader.look_up(f"{commit}:{link.path}")
                        blobs[link.path] = there.oid if there else ""
                    # A note that was copied to another commit tells of another file.
                    if link.blob == blobs[link.path]:
                        lines = (n for first, last in link.ranges for n in range(first, last + 1))
                        found[commit].update((link.path, line) for line in lines)
        return {commit: frozenset(lines) for commit, lines in found.items()}

    return of


def _print(tested: "list[Tried]", places: bool, context: Context) -> None:
    from ..gate.backtest import one_line

    style = context.style
    if not tested:
        context.note("no learnings to try")
    for number, each in enumerate(tested):
        learning = each.learning
        context.out("\n" * bool(number) + f"{style.bold(learning.learning_id)} ({learning.state}) "
                    f"{clip(learning.title, context.width)}")  # fmt: skip
        context.out(f"  {one_line(each)}")
        for line in _figures(each) if each.lined and each.judged else ():
            context.out(f"  {line}")
        if places:
            for judged in each.judged:
                for line in _places(judged, context):
                    context.out(line)


def _figures(tried: "Tried") -> "Iterator[str]":
    from ..gate.backtest import percent, short

    yield _lines_told(tried)
    if tried.precision.total:
        yield f"right when it fires: {percent(tried.precision)} of commits"
    if tried.changed.total and tried.base.total:
        flagged, beside = percent(tried.changed), percent(tried.base)
        yield f"changed later: {flagged} of flagged lines, {beside} of lines beside them"
    if tried.corrected:
        value, most = map(short, tried.corrected)
        yield f"false positives if errors change as often: {value} %, at most {most} %"


def _lines_told(tested: "Tried") -> str:
    from ..gate.backtest import Whose
    from ..gate.fates import Fate

    fates = [f"{tested.fates[fate]:,} {fate}" for fate in Fate if tested.fates[fate]]
    told = {
        Whose.AGENT: "of agents",
        Whose.PERSON: "of people",
        Whose.UNKNOWN: "of unknown origin",
    }
    whose = [f"{tested.whose[who]:,} {told[who]}" for who in Whose if tested.whose[who]]
    return f"{plural(tested.fates.total(), 'flagged line')}: {', '.join(fates)}; {', '.join(whose)}"


def _places(judged: "Judged", context: Context) -> "Iterator[str]":
    commit, style = judged.fired.commit, context.style
    head = f"  {commit.oid[:9]} {local_day(commit.time)}"
    yield clip(f"{head} {judged.verdict:<8} {commit.subject}", context.width)
    if judged.lines:
        for each in judged.lines:
            line = each.line
            place = style.path(f"{safe_line(line.path)}:{line.number}")
            text = line.text.decode("utf-8", "replace").strip()
            yield f"    {place} {each.fate}: {clip(text, context.width)}"
        return
    for finding in judged.fired.findings:
        where = style.path(safe_line(finding.place.path)) if finding.place.path else "message"
        yield f"    {where} {clip(finding.message, context.width)}"


def _record(read: ReadFile, tested: "Tried", day: str, context: Context) -> None:
    if not tested.commits:
        context.note(f"{safe_line(read.path)}: nothing to record, there are no commits")
        return
    place = (context.repository.top or Path()) / read.path
    if not place.is_file():
        place = (context.folder or Path()) / read.path
    text = place.read_bytes().decode()
    write_text(place, set_field(text, "backtest", asdict(tested.record(day))))
    context.note(f"recorded in {safe_line(read.path)}")


def _document(
    tested: "list[Tried]", reads: "list[ReadFile]", first_parent: bool
) -> "dict[str, Any]":
    commits = tested[0].commits if tested else ()
    return {
        "schema": SCHEMA,
        "until": commits[0].oid if commits else "",
        "oldest": commits[-1].oid if commits else "",
        "commits": len(commits),
        "first_parent": first_parent,
        "learnings": [_learning(each, read.path) for each, read in zip(tested, reads, strict=True)],
    }


def _learning(tested: "Tried", path: str) -> "dict[str, Any]":
    from ..gate.backtest import Verdict, one_line
    from ..gate.fates import Fate

    return {
        "learning_id": tested.learning.learning_id,
        "path": path,
        "state": str(tested.learning.state),
        "summary": one_line(tested),
        "fired": len(tested.judged),
        "verdicts": {str(verdict): tested.count(verdict) for verdict in Verdict},
        "false_positives": _share(tested.false_positives) if tested.lined else None,
        "corrected": _corrected(tested),
        "precision": _share(tested.precision) if tested.lined else None,
        "flagged_lines": {str(fate): tested.fates[fate] for fate in Fate},
        "lines_beside": {str(fate): tested.others.get(fate, 0) for fate in Fate},
        "made_by": {str(who): count for who, count in sorted(tested.whose.items())},
        "flagged": [_judged(judged) for judged in tested.judged],
    }


def _share(share: "Share") -> "dict[str, float]":
    return {
        "share": round(share.value, 6), "low": round(share.low, 6), "high": round(share.high, 6),
    }  # fmt: skip


def _corrected(tested: "Tried") -> "dict[str, float] | None":
    if tested.corrected is None:
        return None
    value, most = tested.corrected
    return {"share": round(value, 6), "high": round(most, 6)}


def _judged(judged: "Judged") -> "dict[str, Any]":
    commit = judged.fired.commit
    return {
        "commit": commit.oid,
        "time": commit.time,
        "subject": commit.subject,
        "verdict": str(judged.verdict),
        "findings": [
            {
                "path": each.place.path, "line": each.place.line, "end_line": each.place.end_line,
                "message": each.message, "text": each.text,
            }
            for each in judged.fired.findings
        ],
        "lines": [
            {
                "path": each.line.path, "line": each.line.number,
                "text": each.line.text.decode("utf-8", "replace"), "fate": str(each.fate),
                "made_by": str(each.whose),
            }
            for each in judged.lines
        ],
    }  # fmt: skip
