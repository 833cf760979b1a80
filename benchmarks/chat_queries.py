"""How well conversations are found by what came of them.

    python -m benchmarks.chat_queries CLONE…

In: clones whose `entire/checkpoints` branches hold real conversations. The query is the subject of
a commit, the answer the conversation (or the very exchange) in which an agent made that commit, as
the output of its `git commit` says. Titles, subjects and commands that commit are taken out of what
is searched, so that nothing is found by itself. Out: MRR and success at 10, by the real search.
"""

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.program import common_arguments
from benchmarks.results import Recorder, table
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.index.exchange_view import ExchangeView, open_exchanges
from git_skillmesh.index.exchanges import sync_exchanges
from git_skillmesh.index.vectors import BuiltinSource, builtin_source
from git_skillmesh.retrieval.chats import ChatOptions, ChatSearcher
from git_skillmesh.retrieval.features import NAMES
from git_skillmesh.retrieval.search import Candidates, Options, Searcher
from git_skillmesh.sessions.importers.source import read_source
from git_skillmesh.sessions.model import Exchange, Session
from git_skillmesh.sessions.store import MemoryStore
from testing.repos import make_repo

_SHORTEST = 13
Pair = tuple[str, str]


class Question(NamedTuple):
    """A subject, and the (session, exchange) pairs that made the commit."""

    subject: str
    answers: frozenset[Pair]


def questions_of(repository: Repository, sessions: Sequence[Session]) -> list[Question]:
    """Return a question for each commit that a conversation quotes and the clone has."""
    log = repository.git.run("log", "--all", "--no-merges", "--format=%H%x09%s").decode()
    subjects = dict(line.split("\t", 1) for line in log.splitlines())
    by_start: dict[str, str] = {}
    for commit in subjects:
        by_start.setdefault(commit[:7], commit)
    answers: dict[str, set[Pair]] = {}
    for session in sessions:
        for exchange in session.exchanges:
            for quoted in (sha for call in exchange.tools for sha in call.commits):
                commit = by_start.get(quoted[:7], "")
                if commit.startswith(quoted) and len(subjects.get(commit, "")) >= _SHORTEST:
                    pair = session.session_id, exchange.exchange_id
                    answers.setdefault(commit, set()).add(pair)
    return [Question(subjects[commit], frozenset(pairs)) for commit, pairs in answers.items()]


def masked(questions: Sequence[Question]) -> Callable[[Exchange], Exchange]:
    """Return what takes the subjects, and the commands that committed, out of an exchange."""
    longest_first = sorted({q.subject for q in questions}, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))

    def mask(exchange: Exchange) -> Exchange:
        tools = tuple(
            replace(
                call,
                input="" if "git commit" in call.input else pattern.sub(" ", call.input),
                output=pattern.sub(" ", call.output),
            )
            for call in exchange.tools
        )
        prompt, response = (pattern.sub(" ", t) for t in (exchange.prompt, exchange.response))
        return replace(exchange, prompt=prompt, response=response, tools=tools)

    return mask


Ranking = Callable[[str], list[Pair]]


def rankings(view: ExchangeView, source: BuiltinSource) -> dict[str, Ranking]:
    """Return name → how exchanges are ranked, the best first: ours, and single signals."""
    chats, searcher = ChatSearcher(view), Searcher(view, "")
    infos = {info.file: (info.session, info.exchange) for info in view.live_infos()}

    def ours(text: str) -> list[Pair]:
        answer = chats.answer(text, ChatOptions(limit=100), source.embed_query(text))
        return [(hit.session, hit.exchange) for hit in answer.hits]

    def by(*columns: str) -> Ranking:
        wanted = [NAMES.index(name) for name in columns]

        def ranked(text: str) -> list[Pair]:
            found: Candidates = searcher.candidates(text, Options(), source.embed_query(text))
            owners, _ = searcher.places(found)
            order = np.argsort(-found.features[:, wanted].sum(axis=1), kind="stable").tolist()
            return [infos[owner] for owner in dict.fromkeys(owners[n] for n in order)]

        return ranked

    return {
        "query --in chats": ours,
        "BM25 of pieces": by("body"),
        "BM25 of exchanges": by("file_body"),
        "vectors of pieces": by("dense"),
    }


def measured(questions: Sequence[Question], ranking: Ranking) -> dict[str, float]:
    """Return MRR and success at 10, of conversations and of exchanges."""
    sums = dict.fromkeys(_MEASURES, 0.0)
    for question in questions:
        found = ranking(question.subject)
        sessions = {session for session, _ in question.answers}
        # A conversation counts at the place of its first exchange.
        by_session = list(dict.fromkeys(session for session, _ in found))
        for name, place in (
            ("session", next((n for n, s in enumerate(by_session, 1) if s in sessions), 0)),
            ("exchange", next((n for n, p in enumerate(found, 1) if p in question.answers), 0)),
        ):
            sums[f"{name} mrr"] += 1 / place if place else 0.0
            sums[f"{name} in 10"] += 0 < place <= 10
    return {name: round(value / len(questions), 3) for name, value in sums.items()}


_MEASURES = ("session mrr", "session in 10", "exchange mrr", "exchange in 10")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = common_arguments("measure the search of conversations")
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    args = parser.parse_args(argv)
    recorder = Recorder("chat-queries", args.results)
    source, rows = builtin_source(), []
    for clone in args.clones:
        repository = discover(clone)
        sessions = read_source("entire", repository).sessions
        questions = questions_of(repository, sessions)
        with tempfile.TemporaryDirectory() as folder:
            copy = discover(make_repo(Path(folder)).path)
            untitled = (replace(session, title="") for session in sessions)
            MemoryStore(copy, masked(questions)).add(untitled)
            sync_exchanges(copy, source)
            view = open_exchanges(copy, source)
            for name, ranking in rankings(view, source).items():
                about = {"clone": clone.name, "questions": len(questions), "method": name}
                rows.append(about | measured(questions, ranking))
            view.close()
    head = ("clone", "questions", "method", *_MEASURES)
    print(table(head, [[row[name] for name in head] for row in rows]))
    recorder.write(rows=rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
