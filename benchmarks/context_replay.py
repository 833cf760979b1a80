"""What an agent would have been told, against what it then went on to read and edit.

    python -m benchmarks.context_replay CLONE…

In: clones with real conversations beside their commits: those of Entire, or files of SpecStory or
Aider in the tree. They are replayed in the order of time: before a session begins, all that was
said earlier is stored, the tree is that of its time, links and indexes are made as the worker makes
them. Then every prompt is put to the brief, part by part. Out: how often it speaks, and how often
the files that it shows are among those that the agent read or edited in that exchange, files that
the prompt itself names left out; beside it the files changed last, and files drawn at random, as
many as were shown.
"""

import os
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

from benchmarks.measure import percentile
from benchmarks.program import common_arguments, workplace
from benchmarks.results import Recorder, table
from git_skillmesh.briefing.block import Block
from git_skillmesh.briefing.brief import PARTS, Memory, brief_for_prompt
from git_skillmesh.briefing.places import spots_of
from git_skillmesh.briefing.prompts import read_prompt
from git_skillmesh.config import load
from git_skillmesh.display import tokens
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.git.trees import list_tree
from git_skillmesh.index.glance import Glance
from git_skillmesh.index.update import update, update_exchanges, update_provenance
from git_skillmesh.sessions.importers.source import read_source
from git_skillmesh.sessions.linking.linker import link_new_commits
from git_skillmesh.sessions.model import Act, Exchange, Session
from git_skillmesh.sessions.store import MemoryStore

# Thresholds were chosen on these, by hand; all figures are of the others.
TUNED_ON = frozenset(("FSM1+cipher-box", "specstoryai+tnyOffice", "specstoryai+getspecstory"))
_SEED = 11
_TRANSCRIPTS = (".specstory/history", ".aider.chat.history.md")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a part showed for a prompt, and what of it was right.

    `new` files are those that the prompt does not name; `recent` and `chance` say how many of as
    many files changed last, or drawn at random, would have been right.
    """

    part: str
    tokens: int
    files: int
    new: int
    hits: int
    recent: int
    chance: float


@dataclass(slots=True)
class Tally:
    """What was counted in one repository."""

    name: str
    sessions: int = 0
    prompts: int = 0
    idle: int = 0
    working: int = 0  # prompts upon which the agent read or edited a file of the tree
    told: list[Shown] = field(default_factory=list)
    spoke: int = 0
    tokens: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    skills: list[str] = field(default_factory=list)


class Replay:
    """One repository on its way through time."""

    def __init__(self, mirror: Path, folder: Path, only: int) -> None:
        self.name = mirror.parent.name if mirror.name == "repo" else mirror.name
        self._mirror = mirror
        self.tally = Tally(self.name)
        path = folder / "replay"
        _git("clone", "--quiet", "--shared", "--no-checkout", str(mirror), str(path), cwd=folder)
        sessions = sessions_of(mirror, path, folder)
        for ref in _git("for-each-ref", "--format=%(refname)", cwd=path).split():
            _git("update-ref", "-d", ref, cwd=path)
        for name, value in (("chroma.impl", "off"), ("repoid", "replay"), ("link.days", "36500")):
            _git("config", f"skillmesh.{name}", value, cwd=path)
        self.repository: Repository = discover(path)
        self._config = load(self.repository, environ={})
        self._memory = MemoryStore(self.repository, lambda exchange: exchange)
        timed = (one for one in sessions if _start(one))
        self._sessions = sorted(timed, key=_start)
        main = [n for n, one in enumerate(self._sessions) if not one.parent]
        step = max(len(main) / only, 1.0) if only else 1.0
        self._chosen = {main[int(n * step)] for n in range(int(len(main) / step))}
        self._stored: dict[str, int] = {}
        self._random = random.Random(_SEED)

    def run(self, show: bool, parts: Sequence[str]) -> Tally:
        """Replay all, asking at the chosen sessions."""
        for number, session in enumerate(self._sessions):
            if number in self._chosen:
                self._go_to(session)
                self._ask(session, show, parts)
        return self.tally

    def at_the_end(self) -> list[str]:
        """Go to where everything but the last session is stored; return all prompts of people."""
        self._go_to(self._sessions[-1])
        return [e.prompt for one in self._sessions if not one.parent for e in one.exchanges]

    def _go_to(self, session: Session) -> None:
        """Make repository, memory, links and indexes what they were when a session began."""
        now = _start(session)
        wanted = f"refs/heads/{session.branch}" if session.branch else ""
        known = wanted and _git(
            "rev-parse", "--verify", "-q", wanted, cwd=self._mirror, check=False
        )
        for scope in ([wanted] if known else []) + ["HEAD", "--all"]:
            head = _git("rev-list", "-1", f"--before={now}", scope, cwd=self._mirror).strip()
            if head:
                _git("update-ref", "--no-deref", "HEAD", head, cwd=self.repository.common_dir)
                break
        grown = []
        for one in self._sessions:
            if _start(one) >= now:
                break
            past = tuple(e for e in one.exchanges if not e.started or e.started < now)
            if len(past) > self._stored.get(one.session_id, 0):
                self._stored[one.session_id] = len(past)
                grown.append(replace(one, exchanges=past))
        self._memory.add(grown)
        link_new_commits(self.repository, self._config)
        outcome = update(self.repository, self._config)
        update_provenance(self.repository, outcome)
        update_exchanges(self.repository, self._config)

    def _ask(self, session: Session, show: bool, parts: Sequence[str]) -> None:
        tally = self.tally
        tally.sessions += 1
        tree = frozenset(list_tree(self.repository, self.repository.head_tree()[1]))
        recent = self._recent(tree)
        for exchange in session.exchanges:
            tally.prompts += 1
            prompt = read_prompt(exchange.prompt)
            tally.idle += prompt.is_idle
            touched = frozenset(_touched(exchange)) & tree
            tally.working += bool(touched)
            started = process_time()
            memory = Memory(self.repository.top or Path(), self.repository.state_dir)
            brief = brief_for_prompt(memory, exchange.prompt, session.session_id, parts)
            tally.seconds.append(process_time() - started)
            if not brief.text:
                continue
            tally.spoke += 1
            tally.tokens.append(tokens(brief.text))
            with Glance(self.repository.state_dir) as glance:
                spots = spots_of(prompt, glance, os.fspath(self.repository.top or "/"))
            named = frozenset(spot.path for spot in spots)
            for part in PARTS:
                blocks = [block for block in brief.blocks if block.part == part]
                if blocks:
                    tally.told.append(self._judge(part, blocks, named, touched, tree, recent))
            if show:
                _show(exchange, brief.blocks, touched, brief.problems)

    def _judge(
        self, part: str, blocks: Sequence[Block], named: frozenset[str],
        touched: frozenset[str], tree: frozenset[str], recent: Sequence[str],
    ) -> Shown:  # fmt: skip
        files = dict.fromkeys(file for block in blocks for file in block.files if file in tree)
        new = [file for file in files if file not in named]
        wanted = touched - named
        others = [file for file in recent if file not in named][: len(new)]
        share = len(wanted) / max(len(tree - named), 1)
        return Shown(
            part, sum(tokens(block.text) for block in blocks), len(files), len(new),
            len(wanted.intersection(new)), len(wanted.intersection(others)), share * len(new),
        )  # fmt: skip

    def _recent(self, tree: frozenset[str]) -> list[str]:
        """Return the files of the tree, those changed last first, as far as ten commits go."""
        out = _git("log", "-10", "--format=", "--name-only", "-z", "HEAD",
                   cwd=self.repository.common_dir, check=False)  # fmt: skip
        return [path for path in dict.fromkeys(out.replace("\n", "").split("\0")) if path in tree]


def sessions_of(mirror: Path, clone: Path, folder: Path) -> list[Session]:
    """Return the conversations of a clone; `clone` is a copy of it, `folder` one for scratch."""
    for line in _git("for-each-ref", "--format=%(refname) %(objectname)", cwd=mirror).splitlines():
        ref, oid = line.split()
        if "entire/checkpoints" in ref:
            own = ref.replace("refs/remotes/origin/", "refs/heads/")
            _git("update-ref", own, oid, cwd=clone)
    repository = discover(clone)
    sessions = list(read_source("entire", repository).sessions)
    tree = folder / "transcripts"
    for path in _TRANSCRIPTS:
        if _git("ls-tree", "HEAD", path, cwd=clone):
            _git("worktree", "add", "--quiet", "--detach", "--no-checkout", str(tree), "HEAD",
                 cwd=clone)  # fmt: skip
            _git("checkout", "--quiet", "HEAD", "--", path, cwd=tree)
            sessions += read_source(tree / path, repository).sessions
            _git("worktree", "remove", "--force", str(tree), cwd=clone)
            _git("worktree", "prune", cwd=clone)
    return sessions


def _start(session: Session) -> str:
    times = [one.started for one in session.exchanges if one.started]
    return min(times, default=session.started)


def _touched(exchange: Exchange) -> Iterator[str]:
    """Yield the files that were read or edited in an exchange."""
    for call in exchange.tools:
        yield from (edit.path for edit in call.edits)
        if call.act in (Act.READ, Act.EDIT):
            yield from call.paths


def _show(
    exchange: Exchange, blocks: Sequence[Block], touched: frozenset[str], problems: Sequence[str]
) -> None:
    print("=" * 100, "\nPROMPT", " ".join(exchange.prompt.split())[:400])
    print("TOUCHED", sorted(touched)[:8], *problems)
    for block in blocks:
        print(f"-- {block.part} {block.key}\n{block.text[:900]}")


def _git(*words: str, cwd: Path, check: bool = True) -> str:
    done = subprocess.run(["git", *words], cwd=cwd, capture_output=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"git {words[0]}: {done.stderr.decode(errors='replace')}")
    return os.fsdecode(done.stdout)


def rows_of(tally: Tally) -> list[list[object]]:
    """Return a line for each part of one repository."""
    rows: list[list[object]] = []
    for part in PARTS:
        told = [one for one in tally.told if one.part == part]
        judged = [one for one in told if one.new]
        shown = sum(one.new for one in judged)
        rows.append([
            tally.name, part, tally.prompts, _share(len(told), tally.prompts), len(judged),
            _share(sum(one.hits > 0 for one in judged), len(judged)),
            _share(sum(one.recent > 0 for one in judged), len(judged)),
            _share(sum(one.hits for one in judged), shown),
            _share(sum(one.recent for one in judged), shown),
            _share(sum(one.chance for one in judged), shown),
            round(sum(one.tokens for one in told) / len(told)) if told else "",
        ])  # fmt: skip
    return rows


_HEAD = ("repository", "part", "prompts", "speaks", "with new files", "one right", "one recent",
         "files right", "recent right", "random right", "tokens")  # fmt: skip


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


def main(argv: Sequence[str] | None = None) -> int:
    """Replay all clones and print."""
    parser = common_arguments("replay real conversations against the brief")
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    parser.add_argument("--sessions", type=int, default=0, help="ask at so many, evenly spread")
    parser.add_argument("--parts", default=",".join(PARTS), help="of the brief")
    parser.add_argument("--show", action="store_true", help="print what would be told")
    args = parser.parse_args(argv)
    recorder = Recorder("context-replay", args.results)
    tallies = []
    with workplace(args.scratch) as bench:
        os.environ.update(bench.env)
        for clone in args.clones:
            folder = Path(tempfile.mkdtemp(dir=bench.folder))
            tallies.append(
                Replay(clone, folder, args.sessions).run(args.show, args.parts.split(","))
            )
            shutil.rmtree(folder, ignore_errors=True)
    print(table(_HEAD, [row for tally in tallies for row in rows_of(tally)]))
    print(table(("repository", "sessions", "prompts", "idle", "working", "spoke", "tokens p50, p95",
                 "CPU inside p50, p95"), [_summary(tally) for tally in tallies]))  # fmt: skip
    recorder.write(when=datetime.now(UTC).isoformat(), tallies=[_document(one) for one in tallies])
    return 0


def _summary(tally: Tally) -> list[object]:
    told = tally.tokens or [0]
    return [
        tally.name, tally.sessions, tally.prompts, _share(tally.idle, tally.prompts),
        _share(tally.working, tally.prompts), _share(tally.spoke, tally.prompts),
        f"{percentile(told, 0.5):.0f}, {percentile(told, 0.95):.0f}",
        f"{1000 * percentile(tally.seconds, 0.5):.0f}, "
        f"{1000 * percentile(tally.seconds, 0.95):.0f} ms",
    ]  # fmt: skip


def _document(tally: Tally) -> dict[str, object]:
    return {
        "repository": tally.name, "tuned": tally.name in TUNED_ON, "sessions": tally.sessions,
        "prompts": tally.prompts, "idle": tally.idle, "working": tally.working,
        "spoke": tally.spoke, "parts": dict(Counter(one.part for one in tally.told)),
        "rows": [list(map(str, row)) for row in rows_of(tally)],
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
