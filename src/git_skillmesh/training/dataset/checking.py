"""Check a data set that exists: every line, the splits, and the manifest beside it.

In: a file. Out: problems with their line, 0 for the whole.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import UsageError
from .blocks import parse_edits
from .lines import problems_of
from .source import lines_of
from .splitting import leaks

_MOST = 10_000


@dataclass(slots=True)
class Checked:
    """How many lines there are, and what is wrong."""

    lines: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)


def check_file(path: Path) -> Checked:
    """Check a data set. Raises `UsageError` when it cannot be read."""
    found, digest = Checked(), hashlib.sha256()
    splits, times, keys, seen = [], [], [], set()
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                digest.update(line)
                found.lines = number
                document = _parsed(line)
                problems = problems_of(document)
                if not problems and document["id"] in seen:
                    problems = [f"id {document['id']} is there twice"]
                found.problems += [(number, problem) for problem in problems]
                if len(found.problems) > _MOST:
                    return found
                if not problems:
                    seen.add(document["id"])
                    splits.append(document["split"])
                    times.append(document["about"]["time"])
                    keys.append(keys_of(document))
    except OSError as error:
        raise UsageError(f"cannot read {path}", error.strerror or str(error)) from None
    found.problems += [(0, problem) for problem in leaks(splits, times, keys)]
    beside = path.with_suffix(".manifest.json")
    if beside.is_file():
        try:
            told = json.loads(beside.read_bytes())
            if told["sha256"] != digest.hexdigest() or told["lines"] != found.lines:
                found.problems.append((0, f"{beside.name} is of another file"))
        except (ValueError, KeyError, TypeError):
            found.problems.append((0, f"{beside.name} is no manifest"))
    return found


def keys_of(document: dict[str, Any]) -> list[str]:
    """Return what a line may not share with one of another split."""
    about = document["about"]
    sessions = {about["session"], about["other_session"]} - {""}
    commits = filter(None, about["commits"].split(","))
    answers = [
        message["content"]
        for key in ("messages", "completion", "chosen", "rejected")
        for message in document.get(key, ())
        if message["role"] == "assistant"
    ]
    blocks = [block for text in answers for block in parse_edits(text)]
    paths = {path for block in blocks for path in (block.path, block.target) if path}
    return [
        *(f"session {one}" for one in sorted(sessions)),
        *(lines_of(commit, path) for commit in commits for path in sorted(paths)),
        f"group {about['group']}",
    ]


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
