"""Learnings: the list, and one of them with where it came from and what it says of past commits.

In: a reading, the key of a learning. Out: `Learnings`, `Learning`.
"""

import os
from collections import Counter
from itertools import islice
from pathlib import Path

from ...display import writable
from ...gate.backtest import Tried, Verdict
from ...git.commitlog import commit_log
from ...git.objects import BlobReader
from ...learnings.model import Example, Learning
from ...learnings.reading import ReadFile
from ...learnings.writing import dump, fields_of
from ...yamlnodes import LONGEST
from ..backtests import tried_learnings
from ..keys import key_of_id
from ..learned import learnings_of, origins
from ..parts import commits
from ..stores import Reading
from .learned import of_source
from .refs import Document, commit_ref, exchange_ref, file_ref, learning_ref, line, moment

_MOST_CHANGES = 50
_MOST_RELATED = 20


def learnings(reading: Reading) -> Document:
    """Return the list, by id, and what is wrong with those that cannot be used."""
    listed, problems = [], []
    known = origins(reading)
    for name, read in learnings_of(reading).items():
        problems += [line(str(problem)) for problem in read.problems]
        learning = read.learning
        if learning is None:
            continue
        pair = known.get(name)
        listed.append(
            {
                **learning_ref(learning),
                "tags": [line(tag) for tag in learning.tags],
                "origin": exchange_ref(reading, pair) if pair else None,
                "findings": learning.backtest.fired if learning.backtest else None,
            }
        )
    return {"learnings": listed, "problems": problems}


def learning(reading: Reading, key: str) -> Document | None:
    """Return a learning, None if there is none of this key that can be used."""
    by_key = {key_of_id(name): read for name, read in learnings_of(reading).items()}
    read = by_key.get(key)
    if read is None or read.learning is None:
        return None
    one = read.learning
    pair = origins(reading).get(one.learning_id)
    commit = _source_commit(reading, one)
    return {
        "ref": learning_ref(one),
        "description": one.description,
        "why": one.retired or one.forced or None,
        "instead": one.fix.text or None,
        "tags": [line(tag) for tag in one.tags],
        "languages": list(one.languages),
        "paths": [line(path) for path in one.paths],
        "source": _text(reading, read),
        "file": file_ref(read.path),
        "matcher": dump(fields_of(one)["matcher"]),
        "good": [_example(each) for each in one.good],
        "bad": [_example(each) for each in one.bad],
        "origin": {
            "exchange": exchange_ref(reading, pair) if pair else None,
            "commit": commit,
            "text": line(one.source_chat_id or " ".join(one.source_commits)) or None,
        },
        "changes": _changes(reading, read.path),
        "backtest": _backtest(reading, one),
        "related": _related(reading, one),
    }


def _source_commit(reading: Reading, one: Learning) -> Document | None:
    for short in one.source_commits:
        for oid, commit in commits(reading).by_id.items():
            if oid.startswith(short):
                return commit_ref(commit)
    return None


def _text(reading: Reading, read: ReadFile) -> str:
    """Return the file as it is; its path is one that was listed."""
    top = reading.repository.top
    if top is None:
        with BlobReader(reading.repository) as reader:
            found = reader.look_up(f"{reading.state.tree}:{read.path}")
            return found.data.decode("utf-8", "replace") if found else ""
    try:
        descriptor = os.open(Path(top, read.path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(LONGEST).decode("utf-8", "replace")
    except OSError:
        return ""


def _example(one: Example) -> str:
    shown = "\n".join(one.files) if one.files else one.code
    return f"{writable(one.path)}\n{shown}" if one.path and not one.files else shown


def _changes(reading: Reading, path: str) -> list[Document]:
    if reading.state.head is None:
        return []
    found = commit_log(reading.repository, [reading.state.head], [path], _MOST_CHANGES)
    return [commit_ref(one) for one in islice(found, _MOST_CHANGES)]


def _backtest(reading: Reading, one: Learning) -> Document | None:
    """Return what a replay says; what was recorded at its promotion while that goes on."""
    tried = tried_learnings(reading)
    found = tried.get(one.learning_id) if tried else None
    if found is not None and found.commits:
        newest = found.commits[0]
        return {
            "commits": len(found.commits),
            "points": _points(found),
            "estimate": _estimate(found),
            "at": moment(newest.time),
        }
    kept = one.backtest
    if kept is None:
        return None
    return {"commits": kept.commits, "points": [], "estimate": None, "at": kept.date or None}


def _points(found: Tried) -> list[Document]:
    """Return the months of the window, the oldest first, those without a hit too."""
    fired: Counter[str] = Counter()
    fixed: Counter[str] = Counter()
    for each in found.judged:
        month = moment(each.fired.commit.time)[:7]
        fired[month] += 1
        fixed[month] += each.verdict is Verdict.RIGHT
    months = sorted({moment(one.time)[:7] for one in found.commits})
    return [{"month": one, "fired": fired[one], "fixed": fixed[one]} for one in months]


def _estimate(found: Tried) -> Document | None:
    share = found.precision
    if not found.lined or not share.total:
        return None
    return {
        "low": round(share.low, 4), "high": round(share.high, 4), "mean": round(share.value, 4),
    }  # fmt: skip


def _related(reading: Reading, one: Learning) -> list[Document]:
    """Return learnings of the same source, then those that share tags, the most of them first."""
    others = [
        read.learning
        for read in learnings_of(reading).values()
        if read.learning and read.learning.learning_id != one.learning_id
    ]
    same = [other for other in others if of_source(one, other)]
    shared = sorted(
        (other for other in others if other not in same and set(other.tags) & set(one.tags)),
        key=lambda other: (-len(set(other.tags) & set(one.tags)), other.learning_id),
    )
    return [learning_ref(other) for other in (*same, *shared)[:_MOST_RELATED]]
