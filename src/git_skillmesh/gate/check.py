"""The check of a change: rules of its base, held against what it brings in.

In: a `Change`. Out: a `Report`. The change has no say over the rules that it is checked with; what
it does to the learnings themselves is tried and told.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice

from ..errors import SkillmeshError, UsageError
from ..git.changes import ChangedFile
from ..git.objects import BlobReader
from ..learnings.model import FOLDER, Learning, id_of
from ..learnings.reading import Problem, ReadFile, read_learning
from .cached import Loaded, load, rule_problems
from .change import Change, cut_off, messages
from .excerpts import fingerprint
from .introduced import Introduced, finding, introduced
from .matchers.message import CommitMessage
from .matchers.model import TextFile
from .model import ChangedLearning, LearningNote, Place, Related, Report, Unchecked
from .rules import Rules

Tell = Callable[[int, int], None]
_SHOWN, _MOST_SHOWN = 1_000_000, 100  # bytes of a file, and files, of which lines are shown
# Learnings of a change that are held against the past: seconds each.
_MOST_TRIED = 10


def check(
    change: Change,
    *,
    only: Collection[str] = (),
    message: CommitMessage | None = None,
    content: bool = True,
    related: bool = False,
    tell: Tell | None = None,
) -> Report:
    """Check a change.

    `only` names learnings to look for, in whatever state. `message` is that of a commit which is
    not made yet; without `content` nothing else is looked at. `related` adds notes about the
    changed code. Raises `UsageError` for an id that the base does not have.
    """
    # A whole commit edits nothing: it is its own base.
    edited = content and (change.base or not change.head)
    touched = [file for file in change.files if _is_learning(file)] if edited else []
    with BlobReader(change.repository) as reader:
        loaded = load(change.repository, change.base_tree, reader)
        rules = Rules(_chosen(loaded, only), tried=True, needles=loaded.needles)
        edits = [_Edit(file, reader) for file in touched]
        found = Introduced()
        if content:
            known = frozenset(edit.after.learning_id for edit in edits if edit.after is not None)
            unasked = {one.learning_id for one in loaded.learnings} if only else frozenset()
            found = introduced(rules, change.files, reader.read, known=known | unasked, tell=tell)
        _messages(rules, change, [message] if message is not None else None, content, found)
        notes: tuple[Related, ...] = ()
        if related:
            from .related import related_to

            told = {one.learning_id for one in found.findings}
            notes = related_to(change, (x for x in loaded.learnings if x.learning_id not in told))
    mended = {path for edit in edits for path in edit.mended}
    # Of a message alone nobody knows what else the commit mends; the check of its content tells.
    problems = sorted({*loaded.problems, *rules.broken.values()}) if content else []
    return Report(
        base=change.base,
        head=change.head,
        findings=tuple(found.findings),
        suppressed=tuple(found.suppressed),
        unchecked=tuple(found.unchecked),
        broken=tuple(one for one in problems if one.path not in mended),
        related=notes,
        changed_learnings=tuple(_told(change, edits)),
        learnings=len(rules.learnings),
        files=found.files,
        about=tuple(_about(rules, found)),
    )


def lines_at_head(change: Change, report: Report) -> dict[str, Sequence[str]]:
    """Return the lines of the files in which something was found, as far as that is not too much.

    They are what a report shows around a finding.
    """
    wanted = dict.fromkeys(one.place.path for one in report.findings if one.place.line)
    files = {file.path: file for file in change.files if file.path in wanted}
    few = list(islice((path for path in wanted if files[path].size <= _SHOWN), _MOST_SHOWN))
    with BlobReader(change.repository) as reader:
        blobs = reader.read_many(files[path].blob for path in few)
        return {
            path: TextFile(path, data).lines
            for path, data in zip(few, blobs, strict=True)
            if data is not None
        }


def _chosen(loaded: Loaded, only: Collection[str]) -> Iterable[Learning]:
    if not only:
        return [one for one in loaded.learnings if one.state.enforced]
    by_id = {one.learning_id: one for one in loaded.learnings}
    broken = {id_of(one.path) for one in loaded.problems}
    for name in only:
        if name not in by_id and name not in broken:
            raise UsageError(
                f"no such learning at the base: {name}",
                "git skillmesh learnings lists them; a change is --staged, --worktree, BASE..HEAD",
            )
    return [by_id[name] for name in only if name in by_id]


def _messages(
    rules: Rules,
    change: Change,
    given: "list[CommitMessage] | None",
    content: bool,
    found: Introduced,
) -> None:
    """Add what the messages of commits bring in. They are read only if there is a rule for them."""
    if not rules.messages or (given is None and not content):
        return
    from .matchers.compiling import compile_message
    from .matchers.model import RuleError

    asked = given if given is not None else list(messages(change))
    if given is None and cut_off(change):
        why = "the clone is shallow: messages of older commits are not here"
        found.unchecked.append(Unchecked("", why))
    for learning in rules.messages:
        try:
            matcher = compile_message(learning)
        except RuleError as error:
            rules.note_broken(learning, error)
            continue
        numbers: Counter[str] = Counter()
        for match in matcher.matches(asked):
            # A rebase gives a commit another id, so that says nothing of what was found.
            key = " ".join(match.text.split())
            mark = fingerprint(learning.learning_id, "", key, numbers[key])
            numbers[key] += 1
            place = Place("")
            found.findings.append(
                finding(learning, place, match.text, mark, _why(match.why, learning), match.commit)
            )


def _why(why: str, learning: Learning) -> str:
    return why if learning.matcher.required else ""


def _about(rules: Rules, found: Introduced) -> "Iterable[tuple[str, LearningNote]]":
    names = {one.learning_id for one in found.findings}
    names |= {one.finding.learning_id for one in found.suppressed}
    for name in sorted(names & rules.learnings.keys()):
        one = rules.learnings[name]
        yield (
            name,
            LearningNote(
                title=one.title,
                description=one.description,
                path=one.path,
                source_chat_id=one.source_chat_id,
                source_commits=one.source_commits,
                tags=one.tags,
                category=one.category,
            ),
        )


class _Edit:
    """A file of a learning that the change adds, edits or removes."""

    def __init__(self, file: ChangedFile, reader: BlobReader) -> None:
        self.path = file.path
        old = new = None
        if file.old_blob and _is_place(file.old_path):
            old = _read(file.old_path, file.old_blob, reader)
        if file.blob and _is_place(file.path):
            new = _read(file.path, file.blob, reader)
        self.before = old.learning if old else None
        self.after = new.learning if new else None
        self.change = "removed" if new is None else "added" if old is None else "edited"
        self.problems = tuple(_tried(new)) if new else ()
        usable = new is None or not rule_problems(new)
        self.mended = {file.path, file.old_path} if usable else {file.old_path} - {file.path}

    def told(self, figures: str) -> ChangedLearning:
        after = self.after
        learning_id = next((one.learning_id for one in (after, self.before) if one), None)
        return ChangedLearning(
            learning_id=learning_id or id_of(self.path),
            change=self.change,
            state_before=self.before.state if self.before else None,
            state_after=after.state if after else None,
            problems=self.problems,
            backtest=figures,
        )


def _told(change: Change, edits: "Iterable[_Edit]") -> Iterator[ChangedLearning]:
    """Yield what is to be said of each edit.

    What a file says of its own backtest is a claim of whoever changed it, so a range of commits is
    held against the past again, as far as that is not too much to wait for.
    """
    left = _MOST_TRIED if change.head else 0
    for edit in edits:
        figures = _recorded(edit.after) if edit.after else ""
        if edit.after and left and not edit.problems:
            left -= 1
            figures = _measured(change, edit.after) or figures
        yield edit.told(figures)


def _measured(change: Change, learning: Learning) -> str:
    from .backtest import summary  # few changes edit a learning

    try:
        return summary(change.repository, learning, until=change.base)
    except SkillmeshError:
        return ""


def _tried(new: ReadFile) -> list[Problem]:
    from .trial import try_learning  # few changes edit a learning

    return try_learning(new)


def _recorded(learning: Learning) -> str:
    """Return what the file says of a backtest, in one line."""
    said = learning.backtest
    if said is None:
        return f"none, forced: {' '.join(learning.forced.split())}" if learning.forced else ""
    return (
        f"recorded: fired in {said.fired:,} of {said.commits:,} commits up to {said.until[:12]} "
        f"({said.date[:10]}), {said.mistaken:,} of them wrongly, {said.unknown:,} unknown"
    )


def _read(path: str, blob: str, reader: BlobReader) -> ReadFile:
    data = reader.read(blob)
    if data is None:
        return ReadFile(path, None, (Problem(path, 1, "git does not have its content"),))
    return read_learning(path, data)


def _is_learning(file: ChangedFile) -> bool:
    return not file.conflict and (_is_place(file.path) or _is_place(file.old_path))


def _is_place(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    if folder != FOLDER:
        return False
    from ..learnings.files import SUFFIXES  # few changes touch a learning

    return name.endswith(SUFFIXES)
