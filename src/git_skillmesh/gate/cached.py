"""The learnings of a commit, kept parsed: a hook has no time to read hundreds of YAML files.

In: a commit or tree. Out: `Loaded`. What was read is kept as JSON under `.git/skillmesh/rules/`, by
the id of the tree of the folder of learnings, so it can never be out of date. Where nothing can be
written everything works, more slowly.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .. import __version__
from ..files import replace_file
from ..git.objects import BlobReader
from ..git.repository import Repository
from ..learnings.model import (
    FOLDER,
    Backtest,
    Fix,
    Learning,
    Matcher,
    MatcherKind,
    Scope,
    Severity,
    State,
)
from ..learnings.reading import Problem, ReadFile

_FORM = f"2 {__version__}"
_KEPT = 8  # files: the branches that somebody works on
_LISTS = ("tags", "languages", "paths", "source_commits")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Learnings without their examples, in every state, and what is wrong with the other files.

    A learning that the gate looks for is here only if its matcher can be built. `needles` are those
    of its learnings, by id.
    """

    learnings: tuple[Learning, ...] = ()
    problems: tuple[Problem, ...] = ()
    needles: "Mapping[str, tuple[str, ...]]" = field(default_factory=dict)


def load(repository: Repository, commit: str, reader: BlobReader) -> Loaded:
    """Return the learnings of a commit or tree."""
    folder = reader.look_up(f"{commit}:{FOLDER}")
    if folder is None or folder.kind != "tree":
        return Loaded()
    path = repository.state_dir / "rules" / f"{folder.oid}.json"
    kept = _kept(path)
    if kept is None:
        kept = _read(repository, commit)
        _keep(path, kept)
    return kept


def _read(repository: Repository, commit: str) -> Loaded:
    from ..learnings.files import learnings_at  # YAML, which a hook has no time for
    from .needles import needles_of

    learnings: list[Learning] = []
    problems: list[Problem] = []
    for read in learnings_at(repository, commit).values():
        found = rule_problems(read)
        problems += found
        if read.learning is not None and not found:
            learnings.append(read.learning)
    # As it comes back from where it is kept, so that it makes no difference.
    needles = {one.learning_id: needles_of(one) for one in learnings if one.state.enforced}
    return _loaded(_plain(Loaded(tuple(learnings), tuple(problems), needles)))


def rule_problems(read: ReadFile) -> list[Problem]:
    """Return why the gate cannot use the file of a learning; examples are not looked at."""
    from .matchers.model import RuleError

    if read.learning is None:
        return list(read.problems)
    if read.learning.state.enforced:
        try:
            _build(read.learning)
        except RuleError as error:
            nested = f"matcher.{error.field}"
            return [read.problem(nested if nested in read.lines else error.field, error.what)]
    return []


def _build(learning: Learning) -> None:
    from .matchers.compiling import compile_content, compile_message, compile_paths

    if learning.matcher.kind is MatcherKind.PATHS:
        compile_paths(learning)
    elif learning.matcher.kind is MatcherKind.MESSAGE:
        compile_message(learning)
    else:
        compile_content(learning)


def _kept(path: Path) -> Loaded | None:
    try:
        document = json.loads(path.read_bytes())
        return _loaded(document) if document["form"] == _FORM else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _keep(path: Path, loaded: Loaded) -> None:
    text = json.dumps(_plain(loaded), separators=(",", ":"))
    with suppress(OSError):
        replace_file(path, text.encode(), 0o600, durable=False)
        _forget_old(path.parent)


def _forget_old(folder: Path) -> None:
    ages = {}
    for file in folder.glob("*.json"):
        with suppress(OSError):  # another check may be at it
            ages[file] = file.stat().st_mtime
    for file in sorted(ages, key=lambda file: -ages[file])[_KEPT:]:
        file.unlink(missing_ok=True)


def _plain(loaded: Loaded) -> dict[str, Any]:
    learnings = []
    for learning in loaded.learnings:
        fields = asdict(learning)
        del fields["bad"], fields["good"]
        learnings.append({name: value for name, value in fields.items() if value})
    return {
        "form": _FORM,
        "learnings": learnings,
        "needles": {name: list(texts) for name, texts in loaded.needles.items()},
        "problems": [[one.path, one.line, one.what] for one in loaded.problems],
    }


def _loaded(document: Mapping[str, Any]) -> Loaded:
    return Loaded(
        tuple(_learning(fields) for fields in document["learnings"]),
        tuple(Problem(path, int(line), what) for path, line, what in document["problems"]),
        {name: tuple(texts) for name, texts in document["needles"].items()},
    )


def _learning(fields: Mapping[str, Any]) -> Learning:
    given = dict(fields)
    matcher = dict(given.pop("matcher"))
    matcher["kind"] = MatcherKind(matcher["kind"])
    matcher["scope"] = Scope(matcher["scope"])
    matcher["accompany"] = tuple(matcher["accompany"])
    for name in _LISTS:
        given[name] = tuple(given.get(name, ()))
    backtest = given.pop("backtest", None)
    return Learning(
        **{
            **given,
            "matcher": Matcher(**matcher),
            "state": State(given["state"]),
            "severity": Severity(given["severity"]),
            "fix": Fix(**given.get("fix", {})),
            "backtest": Backtest(**backtest) if backtest else None,
        }
    )
