"""How right and how fast linking is: `python -m benchmarks.linking CLONE…`.

In: clones of repositories with conversations of Entire beside their commits. Out: precision and
recall against the commits that the conversations quote as made by them, with and without those
quotes; then what linking a commit of ten files costs when 10 to 2,000 sessions are stored.

Quality: a pair is a quoted commit that the clone has, and a conversation (a session with all its
subagents) that is linked to it by any link at all. It is right if that conversation quotes the
commit. --show lists pairs that are not, and commits without their pair, to be read by hand.
"""

import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost, in_turn, median
from benchmarks.program import Bench, common_arguments, workplace
from benchmarks.results import Recorder, milliseconds, table
from git_skillmesh.config import load
from git_skillmesh.git.database import ObjectDatabase
from git_skillmesh.git.diffs import CommitChange, commit_changes
from git_skillmesh.git.refs import list_refs
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.sessions.importers.source import read_source
from git_skillmesh.sessions.linking.assign import Assigner, window_of
from git_skillmesh.sessions.linking.cache import Cache
from git_skillmesh.sessions.linking.corpus import Corpus
from git_skillmesh.sessions.links import Link
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from git_skillmesh.sessions.redaction import Redactor
from git_skillmesh.sessions.redaction_policy import policy_of
from git_skillmesh.sessions.store import MemoryStore
from testing.repos import Repo

# What may be used: everything, all but quoted ids, and neither ids nor commands that commit.
METHODS = {
    "with quotes": (True, True),
    "without quotes": (False, True),
    "without quotes and commit commands": (False, False),
}
SIZES = (10, 50, 100, 1_000, 2_000)
_FILES, _CHANGED, _EXCHANGES, _EDITS = 60, 10, 6, 5
_DAYS = 90
_HEAD = ("repository, method", "commits", "right", "linked", "precision", "recall", "lines linked")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure quality on every clone, then speed."""
    parser = common_arguments("measure how right and how fast linking is")
    parser.add_argument("clones", nargs="*", type=Path, metavar="CLONE", help="with Entire's refs")
    parser.add_argument("--show", action="store_true", help="list what is to be read by hand")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="SESSIONS")
    parser.add_argument("--rounds", type=int, default=7, help="commits of each size (7)")
    args = parser.parse_args(argv)
    recorder = Recorder("linking", args.results)
    with workplace(args.scratch) as bench:
        quality = [_quality(bench, clone, args.show) for clone in args.clones]
        rows = [row for one in quality for row in _quality_rows(one)]
        print(table(_HEAD, rows), "\n")
        speed = _speed(bench, args.sizes, args.rounds)
    recorder.write(quality=quality, speed=speed)
    return 0


# -- quality ---------------------------------------------------------------------------------------


@dataclass
class _Judged:
    """Pairs of commit and conversation by one method."""

    linked: set[tuple[str, str]] = field(default_factory=set)
    lines: int = 0


def _quality(bench: Bench, clone: Path, show: bool) -> dict[str, Any]:
    name = clone.parent.name if clone.name == "repo" else clone.name
    repository = _with_memory(bench, clone, name)
    with Cache(repository) as cache, ObjectDatabase(repository) as db:
        cache.update()
        corpus = Corpus(cache)
        truth = _quoted(corpus, cache, db)
        changes = list(commit_changes(repository, truth))
        found: dict[str, Any] = {
            "repository": name,
            "commits": len(changes),
            "merges": sum(len(change.parents) > 1 for change in changes),
            "added_lines": sum(len(file.added) for c in changes for file in c.files),
        }
        for method, (quotes, commands) in METHODS.items():
            assigner = Assigner(corpus, db.reader.read, use_quotes=quotes, use_commands=commands)
            judged = _judge(assigner, corpus, db, changes)
            pairs = {(c.commit, family) for c in changes for family in truth[c.commit]}
            right = len(judged.linked & pairs)
            found[method] = {
                "right": right,
                "linked": len(judged.linked),
                "true": len(pairs),
                "lines": judged.lines,
            }
            if show and not (quotes or commands):
                _show(changes, judged.linked - pairs, pairs - judged.linked)
    return found


def _with_memory(bench: Bench, clone: Path, name: str) -> Repository:
    """Return a clone that shares the objects, with the conversations imported."""
    path = bench.folder / name
    if not path.exists():
        bench.git("clone", "--quiet", "--shared", "--no-checkout", str(clone), str(path))
        repository = discover(path, bench.env)
        for ref, commit in list_refs(repository, "refs/remotes/origin/entire/checkpoints").items():
            own = ref.replace("refs/remotes/origin/", "refs/heads/")
            bench.git("update-ref", own, commit, cwd=path)
        redactor = Redactor(policy_of(load(repository, environ=bench.env)))
        memory = MemoryStore(repository, lambda one: redactor.redact_exchange(one)[0])
        memory.add(read_source("entire", repository, bench.env).sessions)
    return discover(path, bench.env)


def _quoted(corpus: Corpus, cache: Cache, db: ObjectDatabase) -> dict[str, set[str]]:
    """Return commit → the conversations that quote it, for commits that are there."""
    truth: dict[str, set[str]] = defaultdict(set)
    rows = cache.db.execute("SELECT value, exchange FROM events WHERE kind = 'quoted'")
    for quoted, exchange in rows:
        tip = db.reader.look_up(quoted)
        if tip is not None and tip.kind == "commit":
            truth[tip.oid].add(corpus.source(exchange).family)
    return truth


def _judge(
    assigner: Assigner, corpus: Corpus, db: ObjectDatabase, changes: Sequence[CommitChange]
) -> _Judged:
    judged = _Judged()
    for change in changes:
        parent = db.tip(change.parents[0]) if change.parents else None
        window = window_of(change, parent.commit if parent else None, _DAYS)
        links = assigner.links(change, window, lambda moves: {})
        judged.linked |= {(change.commit, corpus.family_of(link.session)) for link in links}
        judged.lines += sum(map(_length, links))
    return judged


def _length(link: Link) -> int:
    return sum(last - first + 1 for first, last in link.ranges)


def _show(
    changes: Sequence[CommitChange], wrong: set[tuple[str, str]], missing: set[tuple[str, str]]
) -> None:
    merges = {change.commit for change in changes if len(change.parents) > 1}
    for kind, pairs in (("not quoted", wrong), ("missed", missing)):
        for commit, family in sorted(pairs):
            print(f"{kind}: {commit[:12]} {family[:12]}{' merge' * (commit in merges)}")


def _quality_rows(found: dict[str, Any]) -> Iterator[list[object]]:
    for name in METHODS:
        one = found[name]
        yield [
            f"{found['repository']}, {name}",
            found["commits"],
            one["right"],
            one["linked"],
            f"{one['right'] / max(one['linked'], 1):.3f}",
            f"{one['right'] / max(one['true'], 1):.3f}",
            f"{one['lines']} of {found['added_lines']}",
        ]


# -- speed -----------------------------------------------------------------------------------------


def _speed(bench: Bench, sizes: Sequence[int], rounds: int) -> list[dict[str, Any]]:
    """Return what a commit costs to link, for each number of stored sessions."""
    stocks = [_Stock.filled(bench, size) for size in sizes]
    cold = {stock.size: stock.with_new_cache() for stock in stocks}
    cases: dict[str, Callable[[], Cost]] = {str(one.size): one.commit_and_link for one in stocks}
    taken = in_turn(cases, rounds)
    found = [
        {
            "sessions": size,
            "cpu": median([cost.cpu for cost in taken[str(size)]]),
            "wall": median([cost.wall for cost in taken[str(size)]]),
            "first_cpu": cold[size].cpu,
        }
        for size in sizes
    ]
    head = ("stored sessions", "cpu", "ratio", "wall", "cpu, cache made anew")
    rows = [
        [
            f"{one['sessions']:,}", milliseconds(one["cpu"]),
            f"{one['cpu'] / found[0]['cpu']:.2f}", milliseconds(one["wall"]),
            milliseconds(one["first_cpu"]),
        ]
        for one in found
    ]  # fmt: skip
    print(table(head, rows))
    return found


@dataclass
class _Stock:
    """A repository with `size` sessions; `grown` counts the commits that were measured."""

    bench: Bench
    repo: Repo
    size: int
    grown: int = 0

    @classmethod
    def filled(cls, bench: Bench, size: int) -> "_Stock":
        """Make a repository, its sessions all open, packed."""
        folder = bench.folder / f"linking-{size}"
        folder.mkdir()
        for number in range(_FILES):
            (folder / f"file{number}.py").write_text(_text(random.Random(number), 40))
        repo = bench.new_repository(folder)
        stock = cls(bench, repo, size)
        sessions = (stock._session(number) for number in range(size))
        stock._memory().add(sessions)
        bench.git("gc", "--quiet", cwd=folder)
        return stock

    def _memory(self) -> MemoryStore:
        return MemoryStore(discover(self.repo.path, self.bench.env), lambda exchange: exchange)

    def _session(self, number: int) -> Session:
        chance = random.Random(number + 1000)
        began = datetime.now(UTC) - timedelta(minutes=number + 10)
        made = tuple(
            Exchange(f"{number}-{n}", "do", "done", _iso(began), _iso(began), "model", tools=tuple(
                _edit(f"file{chance.randrange(_FILES)}.py", _text(chance, 12), began)
                for _ in range(_EDITS)
            ))
            for n in range(_EXCHANGES)
        )  # fmt: skip
        return Session(f"session-{number}", "codex", made)

    def commit_and_link(self) -> Cost:
        """Let a session change ten files, commit, and return what linking the commit costs."""
        self.grown += 1
        chance = random.Random(-self.grown)
        now = datetime.now(UTC)
        calls = []
        for number in chance.sample(range(_FILES), _CHANGED):
            added = _text(chance, 20)
            path = self.repo.path / f"file{number}.py"
            path.write_text(path.read_text() + added)
            calls.append(_edit(path.name, added, now))
        done = Exchange(
            f"more-{self.grown}", "do", "done", _iso(now), _iso(now), tools=tuple(calls)
        )
        self._memory().add([Session("session-1", "codex", (done,))])
        self.bench.git("commit", "--quiet", "--all", "-m", "change", cwd=self.repo.path)
        cost = self.linked()
        links = self.bench.git("notes", "--ref=skillmesh", "show", cwd=self.repo.path).output
        assert links.count(b'"lines"') == _CHANGED
        return cost

    def with_new_cache(self) -> Cost:
        """Link once, delete the cache, and return what it costs to make it again."""
        self.linked()
        (self.repo.path / ".git" / "skillmesh" / "linking.db").unlink()
        return self.linked()

    def linked(self) -> Cost:
        """Run `git skillmesh link` as a whole process; the worker has one less to start."""
        return self.bench.skillmesh(self.repo, "link")


def _text(chance: random.Random, lines: int) -> str:
    """Return lines of which some are common and most are not."""
    made = []
    for _ in range(lines):
        name = f"{chance.choice(_WORDS)}_{chance.choice(_WORDS)}"
        value = f"{chance.choice(_WORDS)}({chance.randrange(10**5)})"
        made.append(chance.choice(("return None", "}", f"{name} = {value}", f"if {name}: {value}")))
    return "".join(f"    {line}\n" for line in made)


def _edit(path: str, text: str, time: datetime) -> ToolCall:
    edits = (Edit(path, None, text),)
    return ToolCall(
        os.urandom(8).hex(), "Edit", Act.EDIT, time=_iso(time), paths=(path,), edits=edits
    )


def _iso(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


_WORDS = Path(__file__).with_name("queries.txt").read_text().split()[:400]


if __name__ == "__main__":
    raise SystemExit(main())
