"""From the memory to a data set: lines, each once, divided into splits, with a manifest and a card.

In: a repository, options. Out: files in a folder, and what became of everything. Two passes: lines
are made one at a time and put aside in a file without a name; when it is known which are alike and
which belong together, they are written. What is killed leaves the files of before.
"""

import hashlib
import json
import pickle
import tempfile
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import compress
from pathlib import Path
from typing import IO

from ...errors import ReadOnly, UsageError
from ...files import replace_file, replacing
from ...git.refs import read_ref
from ...index.locks import exclusive
from ...sessions import layout
from ...sessions.events import Event, Status
from ...sessions.redaction import Redactor
from ...sessions.store import MemoryStore
from ..model import Form, Pair, Verdict
from .card import Manifest, card_of
from .door import Door, TokenCounter
from .lines import LeftOut, Line, Writer
from .similar import Signatures
from .source import Progress, Source, Work, lines_of
from .splitting import LEFT_OUT, Groups, split

# From which similarity on two lines are one; two answers, or two prompts about the same file, may
# not be in two splits.
SAME_LINE, SAME_TEXT = 0.9, 0.8
# Words of a prompt below which it says nothing of its own ("go on", "commit this").
_TELLING = 6
_JUDGED = (Verdict.IMPLEMENTED, Verdict.IGNORED, Verdict.UNDECIDED)


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for. `since` is a time as stored, `date` eight digits."""

    form: Form
    output: Path
    date: str
    since: str = ""
    min_score: float = 0.0
    context_tokens: int = 2_000
    tokenizer: str = ""
    dry_run: bool = False


@dataclass(slots=True)
class Exported:
    """What came of it; the paths are None for a dry run."""

    manifest: Manifest
    data: Path | None = None
    manifest_path: Path | None = None
    card: Path | None = None
    unreadable: tuple[str, ...] = ()


@dataclass(slots=True)
class _Entry:
    """A line put aside: where it lies, and what decides about it."""

    offset: int
    time: str
    pairs: tuple[Pair, ...]
    paths: tuple[str, ...]
    ties: tuple[str, ...]
    score: float
    label: bool
    tokens: int
    verdict: str
    line_id: str
    applies: bool
    formula: int
    number: int = 0
    new: tuple[Pair, ...] = ()

    @property
    def order(self) -> tuple[str, str]:
        """When it was, then which it is."""
        return self.time, self.line_id


@dataclass(slots=True)
class _Aside:
    """Lines put aside, with what is compared of them."""

    file: IO[bytes]
    entries: list[_Entry] = field(default_factory=list)
    prompts: Signatures = field(default_factory=lambda: Signatures(_TELLING))
    answers: Signatures = field(default_factory=lambda: Signatures(_TELLING))
    texts: Signatures = field(default_factory=lambda: Signatures(_TELLING))
    exact: dict[bytes, int] = field(default_factory=dict)
    twins: list[tuple[int, int]] = field(default_factory=list)

    def put(self, line: Line, works: tuple[Work, ...], label: bool) -> None:
        """Put a line aside."""
        about = line.about
        paths = sorted({path for work in works for one in work.files for path in one.paths})
        commits = sorted({commit for work in works for commit in work.commits})
        ties = {lines_of(commit, path) for commit in commits for path in paths}
        entry = _Entry(
            self.file.tell(), about["time"], tuple(work.pair for work in works), tuple(paths),
            tuple(sorted(ties.union(*(work.linked for work in works)))),
            about["score"], label, about["tokens"], about["verdict"], line.line_id,
            about["applies"], about["formula"], len(self.entries),
            tuple(work.pair for work in works if not work.is_exported),
        )  # fmt: skip
        pickle.dump((line.line_id, line.body, about), self.file)
        both = " ".join(f"{line.asked}\n{line.told}".split())
        digest = hashlib.sha256(both.encode("utf-8", "surrogatepass")).digest()
        if (first := self.exact.setdefault(digest, entry.number)) != entry.number:
            self.twins.append((first, entry.number))
        self.prompts.add(line.asked)
        self.answers.add(line.told)
        self.texts.add(f"{line.asked}\n{line.told}")
        self.entries.append(entry)

    def read(self, entry: _Entry) -> Line:
        """Return a line that was put aside."""
        self.file.seek(entry.offset)
        line_id, body, about = pickle.load(self.file)  # noqa: S301  # written by `put`, unnamed
        return Line(line_id, body, about, "", "")


def export(
    store: MemoryStore, redactor: Redactor, repo_id: str, options: Options,
    progress: Progress = None,
) -> Exported:  # fmt: skip
    """Make a data set. Raises `UsageError`, `ReadOnly`, `Busy`, `Damaged`, `Unavailable`."""
    repository = store.repository
    if options.dry_run:
        with tempfile.TemporaryFile() as file:
            return _run(store, redactor, repo_id, options, progress, file)
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReadOnly(f"cannot write {options.output}", error.strerror or str(error)) from None
    lock = repository.state_dir / "dataset.lock"
    with exclusive(lock, what="a data set"):
        try:
            with tempfile.TemporaryFile(dir=options.output) as file:
                return _run(store, redactor, repo_id, options, progress, file)
        except (PermissionError, IsADirectoryError, NotADirectoryError) as error:
            reason = error.strerror or str(error)
            raise ReadOnly(f"cannot write {options.output}", reason) from None


def _run(
    store: MemoryStore, redactor: Redactor, repo_id: str, options: Options, progress: Progress,
    file: IO[bytes],
) -> Exported:  # fmt: skip
    repository = store.repository
    tip, head = read_ref(repository, layout.REF) or "", repository.head_commit()
    door, counter = Door(redactor), TokenCounter(options.tokenizer)
    writer = Writer(options.form, door, counter, options.context_tokens)
    source = Source(repository, head, options.since)
    aside = _Aside(file)
    if options.form is Form.DPO:
        _put_pairs(source, writer, aside, options, progress)
    else:
        _put_lines(source, writer, aside, options, progress)
    kept, repeated = _each_once(aside)
    for reason, count in repeated.items():
        source.skipped.counts[reason] = count
    roots = _roots(source.groups, kept)
    splits = split([entry.time for entry in kept], roots)
    if cut := splits.count(LEFT_OUT):
        source.skipped.counts["newer than what is held out, of a group that trains"] = cut
        stays = [name != LEFT_OUT for name in splits]
        kept, roots = list(compress(kept, stays)), list(compress(roots, stays))
        splits = list(compress(splits, stays))
    names: dict[Hashable, str] = {}
    for entry, root in zip(kept, roots, strict=True):
        names.setdefault(root, f"g-{entry.line_id[:12]}")
    manifest = Manifest(
        options.form, repo_id, head or "", tip, _shown_options(options), counter.name,
        dict(sorted(door.found.items())), door.controls, door.surrogates,
        dict(sorted(source.skipped.counts.items())), tuple(sorted({e.formula for e in kept})),
    )  # fmt: skip
    for entry, name in zip(kept, splits, strict=True):
        manifest.count(name, entry.verdict, entry.label, entry.tokens, entry.applies)
    manifest.groups = len(set(roots))
    found = Exported(manifest, unreadable=tuple(source.skipped.unreadable))
    lines = (
        aside.read(entry).encoded(name, names[root])
        for entry, name, root in zip(kept, splits, roots, strict=True)
    )
    if options.dry_run:
        manifest.sealed("", lines)
        return found
    _write(options, found, lines)
    _mark(store, kept)
    return found


def _put_lines(
    source: Source, writer: Writer, aside: _Aside, options: Options, progress: Progress
) -> None:
    verdicts = [Verdict.IMPLEMENTED] + [Verdict.IGNORED] * (options.form is Form.KTO)
    for work in source.works(verdicts, progress):
        label = work.reward.verdict is Verdict.IMPLEMENTED
        if label and work.reward.score < options.min_score:
            source.skipped.add("a lower score than asked for")
            continue
        try:
            aside.put(writer.line(work, label), (work,), label)
        except LeftOut as reason:
            source.skipped.add(str(reason))


def _put_pairs(
    source: Source, writer: Writer, aside: _Aside, options: Options, progress: Progress
) -> None:
    """Put aside works first: which of them are pairs is known when all were seen."""
    places: dict[Pair, int] = {}
    attempts: list[tuple[Pair, tuple[Pair, ...]]] = []
    with tempfile.TemporaryFile() as file:
        for work in source.works(_JUDGED, progress):
            is_good = work.reward.verdict is Verdict.IMPLEMENTED
            if work.reward.replaced_by:
                attempts.append((work.pair, work.reward.replaced_by))
            elif not is_good:
                continue
            places[work.pair] = file.tell()
            pickle.dump(work, file)

        def read(pair: Pair) -> Work:
            file.seek(places[pair])
            work: Work = pickle.load(file)  # noqa: S301  # written above, in a file without a name
            return work

        for pair, later in attempts:
            rejected = read(pair)
            chosen = next(filter(None, map(_stayed(read, places, rejected, options), later)), None)
            if chosen is None:
                source.skipped.add("replaced by nothing that stayed")
                continue
            source.groups.unite(("session", pair[0]), ("session", chosen.pair[0]))
            try:
                aside.put(writer.pair(rejected, chosen), (rejected, chosen), True)
            except LeftOut as reason:
                source.skipped.add(str(reason))


def _stayed(
    read: Callable[[Pair], Work], places: dict[Pair, int], rejected: Work, options: Options
) -> Callable[[Pair], Work | None]:
    def one(pair: Pair) -> Work | None:
        if pair not in places or pair == rejected.pair:
            return None
        work = read(pair)
        is_good = work.reward.verdict is Verdict.IMPLEMENTED
        better = work.reward.score > rejected.reward.score
        return work if is_good and better and work.reward.score >= options.min_score else None

    return one


def _each_once(aside: _Aside) -> tuple[list[_Entry], dict[str, int]]:
    """Return the entries in order, of those that are alike the one with the best score."""
    alike = Groups()
    for one, other in aside.twins:
        alike.unite(one, other)
    exact = {number: alike.root(number) for number in range(len(aside.entries))}
    copies = len(exact) - len(set(exact.values()))
    for one, other in aside.texts.pairs(SAME_LINE):
        alike.unite(one, other)
    best: dict[Hashable, _Entry] = {}
    for entry in sorted(aside.entries, key=lambda entry: entry.order):
        root = alike.root(entry.number)
        if root not in best or entry.score > best[root].score:
            best[root] = entry
    kept = sorted(best.values(), key=lambda entry: entry.order)
    near = len(aside.entries) - len(kept) - copies
    _tie_texts(aside, kept)
    counts = {"the same as another": copies, "nearly the same as another": near}
    return kept, {reason: count for reason, count in counts.items() if count}


def _tie_texts(aside: _Aside, kept: Iterable[_Entry]) -> None:
    """Note which answers are nearly the same, and which prompts that are about the same file.

    The same words about other files ("/review") ask for something else.
    """
    asked, told = Groups(), Groups()
    for groups, texts in ((asked, aside.prompts), (told, aside.answers)):
        for one, other in texts.pairs(SAME_TEXT):
            groups.unite(one, other)
    for entry in kept:
        prompt, answer = asked.root(entry.number), told.root(entry.number)
        near = (f"prompt {prompt} {path}" for path in entry.paths)
        entry.ties = (*entry.ties, f"answer {answer}", *near)


def _roots(groups: Groups, kept: Sequence[_Entry]) -> list[Hashable]:
    """Return what stands for the group of each entry, once all that ties them is known."""
    owns = [("session", entry.pairs[0][0]) for entry in kept]
    for own, entry in zip(owns, kept, strict=True):
        for pair in entry.pairs[1:]:
            groups.unite(("session", pair[0]), own)
        for tie in entry.ties:
            groups.unite(("tie", tie), own)
    return [groups.root(own) for own in owns]


def _shown_options(options: Options) -> dict[str, object]:
    return {
        "format": str(options.form), "since": options.since, "min_score": options.min_score,
        "context_tokens": options.context_tokens, "date": options.date,
    }  # fmt: skip


def _write(options: Options, found: Exported, lines: Iterator[bytes]) -> None:
    """Write data, manifest and card, each under another name first; the manifest is last."""
    stem = options.output / f"rl_dataset_{options.date}"
    data = stem.with_suffix(".jsonl")
    with replacing(data) as file:
        found.manifest.sealed(data.name, _copied(lines, file))
    found.data, found.card = data, stem.with_suffix(".md")
    replace_file(found.card, card_of(found.manifest).encode())
    found.manifest_path = stem.with_suffix(".manifest.json")
    text = json.dumps(found.manifest.document(), indent=1) + "\n"
    replace_file(found.manifest_path, text.encode())


def _copied(lines: Iterable[bytes], file: IO[bytes]) -> Iterator[bytes]:
    for line in lines:
        file.write(line)
        yield line


def _mark(store: MemoryStore, kept: Iterable[_Entry]) -> None:
    """Note which exchanges were used, those of which it is not known yet."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    fresh = sorted({pair for entry in kept for pair in entry.new})
    events: dict[str, list[Event]] = {}
    for session, exchange in fresh:
        events.setdefault(session, []).append(Event("status", Status.EXPORTED, exchange, now))
    store.append_to_many(events)


def check_date(text: str) -> str:
    """Return a date of eight digits. Raises `UsageError`."""
    try:
        if len(text) == 8 and text.isascii() and text.isdigit():
            datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)
            return text
    except ValueError:
        pass
    raise UsageError(f"not a date: {text}", "as in 20260221")
