"""What the report says, in words and numbers: from what was gathered to a document.

In: `Told`. Out: `Document`. A share comes with its interval and what it was counted on; where that
is too little, it says so and shows the counts alone. Nothing here says why something happened.
"""

from collections.abc import Iterator, Mapping, Sequence

from ...display import clip, plural
from ...gate.backtest import Tried
from ...gate.estimate import Share
from ...training.model import Interval, Verdict
from ..journal import day_of
from ..words import LEAST, interval_words, percent
from .blocks import Bars, Block, Cell, Code, Document, Estimate, Items, Mark, Ranges, Section, Text
from .blocks import Table as Rows
from .gathering import Told
from .learned import NEW, Change
from .prevented import COMMITS
from .survival import LEAST_GROUPS, LEAST_LINES, MOST_LINES, Kept, Survival

_SHORT = 12
_MOST_ROWS = 20
_TITLE = 120
_AGENTS, _OTHERS = "linked to agents' conversations", "others"
# What a reader has to know, whatever the numbers are.
_CAVEATS = (
    "Nothing here says why. That lines of agents stand more or less often than others says nothing "
    "about who writes better code: they are written for other purposes, in other files, by people "
    "who use agents.",
    "Lines survive in files that nobody touches. To stand is not to be good.",
    '"Others" are lines that no stored conversation is linked to. They are of people, and of '
    "agents whose conversations are not in this memory; so the two groups look more alike than "
    "they are.",
    "A line counts as gone when it was changed in more than white space; one that a commit took to "
    "another place has moved. Verdicts also know what stands in substance: they are milder.",
    "Only lines of code with six characters or more are followed, on the first-parent line of the "
    f"branch, and no file that gets more than {MOST_LINES:,} lines at once.",
    "Intervals of lines are a bootstrap over conversations, or commits of the branch for the "
    "others: lines that came together live and die together. Where all lines stood, these groups "
    "are counted instead, by Wilson's interval. With fewer than "
    f"{LEAST_GROUPS} of them or fewer than {LEAST_LINES} lines there is none. Other shares have "
    f"Wilson intervals, from {LEAST} cases on.",
    "What fired and was fixed is of this clone alone. A fixed finding need not have become a "
    "defect, and it may have been fixed for another reason.",
)
_VERDICTS = {
    Verdict.IMPLEMENTED: "kept: its lines stand, or stood long",
    Verdict.IGNORED: "gone: none of its lines is there or lasted",
    Verdict.UNDECIDED: "old enough, and neither for certain",
    Verdict.TOO_YOUNG: "too young to judge",
    Verdict.NO_CODE: "left no line of code",
}


def document_of(told: Told) -> Document:
    """Return the report."""
    first, last = day_of(told.since), day_of(told.until)
    branch = ("branch ", Code(told.branch), " at ") if told.branch else ("at ",)
    about = (f"{first} to {last} (UTC), ", *branch, Code(told.commit[:_SHORT]))
    return Document(
        f"What {told.repository} learned and kept",
        about,
        tuple(_figures(told)),
        (
            Section("What was learned", tuple(_learned(told))),
            Section("What it prevented", tuple(_prevented(told))),
            Section("What agents' code survived", tuple(_survived(told))),
            Section("Where the reasons are known", tuple(_known(told))),
            Section("How to read this", tuple(_reading(told))),
        ),
    )


def _figures(told: Told) -> Iterator[tuple[str, str, str]]:
    new = sum(one.what == NEW for one in told.learned)
    enforced = told.states.get("warn", 0) + told.states.get("block", 0)
    yield "new learnings", f"{new:,}", f"{enforced:,} looked for now"
    fired = sum(one.fired for one in told.recorded.caught)
    fixed = sum(one.fixed for one in told.recorded.caught)
    yield "findings fixed", f"{fixed:,}", f"of {fired:,} that fired in this clone"
    kept = told.survival.agents[0]
    if kept.share is not None:
        value = percent(kept.share.mean)
        about = f"{percent(kept.share.low)} to {percent(kept.share.high)}"
        yield f"agents' lines after {kept.days} days", value, f"standing, interval {about}"
    else:
        few = f"{plural(kept.lines, 'line')}: too few"
        yield f"agents' lines after {kept.days} days", "?", few
    judged = _judged(told.verdicts)
    young = told.verdicts.get(Verdict.TOO_YOUNG, 0)
    yield "exchanges judged", f"{judged:,}", f"{young:,} too young"


def _learned(told: Told) -> Iterator[Block]:
    if told.learned:
        yield Rows(
            ("day", "learning", "what happened", "written and reviewed by", "came of"),
            [_learned_row(one) for one in told.learned[-_MOST_ROWS:]],
        )
        hidden = len(told.learned) - _MOST_ROWS
        if hidden > 0:
            yield Text(f"{plural(hidden, 'earlier change')} of this period not shown.", aside=True)
    else:
        yield Text("No learning was added, changed or retired on this branch in this period.")
    if told.states:
        counts = ", ".join(f"{count:,} {state}" for state, count in told.states.items())
        yield Text(f"At the end of it the branch has these learnings: {counts}.")
    reverted = [one for one in told.learned if one.reverts]
    if reverted:
        names = dict.fromkeys(one.learning_id for one in reverted)
        yield Text(
            f"Taken back: {plural(len(names), 'learning')} weakened, retired or removed.",
            aside=True,
        )


def _learned_row(one: Change) -> Sequence[Cell]:
    states = f" ({one.before or 'none'} → {one.after or 'none'})" if one.before != one.after else ""
    title = f": {one.learning.title}" if one.learning else ""
    people = one.author + (f"; reviewed by {', '.join(one.reviewers)}" if one.reviewers else "")
    why = f": {one.learning.retired}" if one.learning and one.learning.retired else ""
    return (
        day_of(one.time), (Code(one.learning_id), title), f"{one.what}{states}{why}",
        people, _source(one),
    )  # fmt: skip


def _source(one: Change) -> Cell:
    learning = one.learning
    if learning is None:
        return ""
    if learning.source_chat_id:
        return ("conversation ", Code(learning.source_chat_id))
    if learning.source_commits:
        return ("commit ", Code(learning.source_commits[0][:_SHORT]))
    return "not said"


def _prevented(told: Told) -> Iterator[Block]:
    caught = [one for one in told.recorded.caught if one.fired or one.fixed or one.suppressed]
    if caught:
        yield Text(
            "Findings that checks in this clone recorded. Fixed is a finding that a later check of "
            "the same change did not find again in the same file."
        )
        yield Rows(
            ("learning", "fired", "fixed", "share fixed", "excused in the code"),
            [
                (Code(one.learning), f"{one.fired:,}", f"{one.fixed:,}",
                 interval_words(Share(min(one.fixed, one.fired), one.fired)),
                 f"{one.suppressed:,}")
                for one in sorted(caught, key=lambda one: (-one.fired, one.learning))[:_MOST_ROWS]
            ],
            frozenset({1, 2, 4}),
        )  # fmt: skip
    else:
        yield Text(
            "Checks in this clone recorded no finding in this period. Findings of other clones and "
            "of CI are not known here."
        )
    if told.excuses:
        yield Text(f"Excuses that stand in the code: {told.excuse_count:,}.")
        yield Rows(
            ("since", "place", "learnings", "reason"),
            [
                (day_of(one.time) if one.time else "?", Code(f"{one.path}:{one.line}"),
                 tuple(part for name in one.learnings for part in (Code(name), " ")),
                 one.reason)
                for one in sorted(told.excuses, key=lambda one: (-one.time, one.path, one.line))
            ][:_MOST_ROWS],
        )  # fmt: skip
    yield from _estimates(told)


def _estimates(told: Told) -> Iterator[Block]:
    if not told.estimates:
        return
    replayed = [one for one in told.estimates if one.tried is not None]
    if replayed:
        yield Text(
            "Estimates: each learning held against the last commits as if it had been there. "
            "Right is a finding whose line was changed later, wrong one whose line lives on."
        )
        yield Rows(
            ("learning", "state", "commits", "fired on", "right when it fires", "wrongly stopped"),
            [
                (Code(one.learning.learning_id), one.learning.state.value, *_tried(one.tried))
                for one in replayed[:_MOST_ROWS]
                if one.tried
            ],
            frozenset({2, 3}),
        )
        yield Text(f"The last {COMMITS:,} commits without merges, at most.", aside=True)
    rest = [one for one in told.estimates if one.tried is None and one.learning.backtest]
    if rest:
        yield Text("Figures that files of learnings record from when they were promoted:")
        yield Rows(
            ("learning", "commits", "fired on", "wrong of those known"),
            [
                (Code(one.learning.learning_id), f"{tested.commits:,}", f"{tested.fired:,}",
                 interval_words(Share(tested.mistaken, max(tested.fired - tested.unknown, 0))))
                for one in rest[:_MOST_ROWS]
                if (tested := one.learning.backtest)
            ],
            frozenset({1, 2}),
        )  # fmt: skip


def _tried(tried: Tried) -> Sequence[Cell]:
    count, fired = len(tried.commits), len(tried.judged)
    if not tried.lined:
        return f"{count:,}", f"{fired:,}", "lines cannot tell", "lines cannot tell"
    return (
        f"{count:,}", f"{fired:,}", interval_words(tried.precision),
        interval_words(tried.false_positives),
    )  # fmt: skip


def _survived(told: Told) -> Iterator[Block]:
    survival = told.survival
    if not told.conversations:
        yield Text("No conversation is stored: git skillmesh import.")
    yield Text(
        f"In this period {plural(survival.commits, 'commit')} of the branch brought "
        f"{plural(survival.agents_new, 'new line')} of code {_AGENTS}, {survival.young:,} of them "
        f"too young for any horizon, and {plural(survival.others_new, 'other')}. Below: lines that "
        "became 7, 30 or 90 days old in this period, and how many of them stood then."
    )
    yield from _shares(survival)
    judged = _judged(told.verdicts)
    yield Text(
        f"Exchanges that ended in this period and have edits: {sum(told.verdicts.values()):,}, of "
        f"which {judged:,} are judged and {told.verdicts.get(Verdict.TOO_YOUNG, 0):,} too young."
    )
    if told.all_verdicts:
        yield Rows(
            ("verdict", "means", "in this period", "ever"),
            [
                (Code(verdict), _VERDICTS[verdict], f"{told.verdicts.get(verdict, 0):,}",
                 f"{told.all_verdicts.get(verdict, 0):,}")
                for verdict in Verdict
            ],
            frozenset({2, 3}),
        )  # fmt: skip
        decided = [told.verdicts.get(one, 0) for one in (Verdict.IMPLEMENTED, Verdict.IGNORED)]
        yield Text(
            f"Kept of those that are decided: {interval_words(Share(decided[0], sum(decided)))}."
        )
    if told.talks:
        yield Text(
            "Conversations with the most lines in commits, lines of all files, as rewards count "
            "them:"
        )
        yield Rows(
            ("conversation", "agent", "exchanges", "lines", "stand", "title"),
            [
                (Code(one.session), one.agent, f"{one.exchanges:,}", f"{one.lines:,}",
                 f"{one.standing:,}", clip(one.title, _TITLE))
                for one in told.talks
            ],
            frozenset({2, 3, 4}),
        )  # fmt: skip


def _shares(survival: Survival) -> Iterator[Block]:
    if not any(one.lines for one in (*survival.agents, *survival.others)):
        yield Text("No line got that old in this period.")
        return
    yield Ranges(
        "Lines that stood, with 95 % intervals",
        (_AGENTS, _OTHERS),
        [
            _mark(one, group, name)
            for pair in zip(survival.agents, survival.others, strict=True)
            for group, (one, name) in enumerate(zip(pair, ("agents", "others"), strict=True))
        ],
    )
    yield Rows(
        ("after", "whose", "lines", "stood", "share (95 % interval)", "drawn over"),
        list(_kept_rows(survival)),
        frozenset({2, 3}),
    )


def _mark(one: Kept, group: int, name: str) -> Mark:
    label = f"{one.days} days, {name}"
    if one.share is None:
        return Mark(label, group, None, _too_little(one))
    share = _estimate(one.share)
    return Mark(label, group, share, percent(share.value))


def _kept_rows(survival: Survival) -> Iterator[Sequence[Cell]]:
    for pair in zip(survival.agents, survival.others, strict=True):
        for one, whose, groups in zip(
            pair, (_AGENTS, _OTHERS), ("conversation", "commit"), strict=True
        ):
            share = _too_little(one)
            if one.share is not None:
                low, high = percent(one.share.low), percent(one.share.high)
                share = f"{percent(one.share.mean)} ({low} to {high})"
            yield (
                f"{one.days} days", whose, f"{one.lines:,}", f"{one.alive:,}", share,
                plural(one.groups, groups),
            )  # fmt: skip


def _too_little(one: Kept) -> str:
    return "too little to say" if one.lines else "no lines that old"


def _estimate(one: Interval) -> Estimate:
    return Estimate(one.mean, one.low, one.high)


def _known(told: Told) -> Iterator[Block]:
    survival = told.survival
    if not survival.areas:
        yield Text("No new line of code of this period stands at its end.")
        return
    lines, known = sum(one.lines for one in survival.areas), sum(x.known for x in survival.areas)
    yield Text(
        f"Of {plural(lines, 'line')} of code that came in this period and stand at its end, "
        f"{known:,} ({percent(known / lines)}) are linked to a conversation that tells why."
    )
    yield Bars(
        "Lines of this period by folder",
        ("the conversation is known", "nothing is known"),
        [(one.folder or "(root)", one.known, one.lines) for one in survival.areas[:_MOST_ROWS]],
    )


def _reading(told: Told) -> Iterator[Block]:
    items: list[Cell] = [*_CAVEATS]
    lag = (told.until - told.commit_time) // 86_400
    if lag >= 2:
        items.append(
            f"The last commit is {plural(lag, 'day')} older than the end of the period. Lines are "
            "followed up to it."
        )
    if told.lacking:
        items.append(told.lacking)
    if told.unreadable:
        items.append(f"{plural(told.unreadable, 'conversation')} cannot be read: git fsck.")
    yield Items(items)


def _judged(verdicts: Mapping[str, int]) -> int:
    return sum(verdicts.values()) - verdicts.get(Verdict.TOO_YOUNG, 0)
