"""From evidence to candidates: near-duplicates are one, each gets words and a score.

In: evidence of conversations and commits. Out: `Candidate`s, the best first. A function of the
set: the order in which it comes is immaterial, and what comes later never moves what came before
to another group, because a group is known by its first evidence in time.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from ..chunking import language_of
from ..sessions.summaries import cut
from .analysis_matchers import code_in, replaced
from .candidates import Candidate, Evidence, Fate, Kind, Scores
from .reading import TITLE_LENGTH

# What a kind of evidence is worth for being a learning, before anything else is known.
WORTH = {
    Kind.CORRECTION: 0.75,
    Kind.RULE: 0.8,
    Kind.REVERT: 0.6,
    Kind.FIX: 0.4,
    Kind.REDONE: 0.35,
    Kind.FOLLOW_UP: 0.3,
}
# What happened to the code that answered a correction.
_HELD = {Fate.KEPT: 1.1, Fate.REPLACED: 0.7, Fate.REVERTED: 0.6}
# Signs of a remark on one place in the code, and of a word on how things are done.
_OF_ONE_PLACE = frozenset({"flaw", "dead", "omits"})
_ONE_PLACE = 0.75
_IN_GENERAL = frozenset(
    {"always", "in this project", "we use", "whenever", "from now on", "convention", "do not",
     "do not forget", "never again", "immer"}
)  # fmt: skip
_FACTS = {"lines taken back": 0.2, "tests passed after": 0.15, "edited after": 0.1}
_NO_TAG = ("", "unknown")
_AGAIN = 0.5  # of what evidence counts in a session that has said the same before
_CERTAIN = 0.98
_SIMILAR = 0.5
_CONTAINED = 0.8
_LEAST_CONTAINED = 4
_MOST_PATHS = 6
_FIRM = re.compile(r"\b(always|never|must|every|whenever|from now on)\b", re.I)
_REASON = re.compile(
    r"\b(because|since|otherwise|so that|as it|as we|weil|denn|porque|parce que)\b", re.I
)
_WORD = re.compile(r"[^\W\d_]{3,}|[^\x00-\x7f]{2}")
_EMPTY = frozenset(
    """the and for that this with you your are was were has have had not but its our from they them
    then than there here what when where which who how why can could would should will shall may
    might must just only also all any some one two into out over about again still more very too
    instead use using used make made like want need please okay yes yeah sure does did don doesn
    isn aren didn now let get got put see think know really actually maybe being been because
    rather never always""".split()  # noqa: SIM905
)
_OPENING = re.compile(
    r"^\W*(?:(?:no|nope|nah|ok(?:ay)?|hm+|yes|yeah|well|but|and|so|also|actually|wait|right|oh|ah"
    r"|please|sorry)\b[\s,.:;!-]+)+(?=\w)", re.I,
)  # fmt: skip


def candidates_of(evidence: Iterable[Evidence]) -> list[Candidate]:
    """Return the candidates, the best first."""
    unique: dict[str, Evidence] = {}
    for one in sorted(evidence, key=_order):
        unique.setdefault(one.id, one)
    found = [_candidate(group) for group in grouped(list(unique.values()))]
    return sorted(found, key=lambda one: (-one.scores.total, one.id))


def grouped(evidence: Sequence[Evidence]) -> list[list[Evidence]]:
    """Return evidence in groups that say the same; the first of each is what others are held to."""
    groups: list[list[Evidence]] = []
    leaders: list[frozenset[str]] = []
    by_word: defaultdict[str, list[int]] = defaultdict(list)
    by_change: dict[str, int] = {}
    for one in evidence:
        words = words_of(one.excerpt) if one.kind in (Kind.CORRECTION, Kind.RULE) else frozenset()
        changes = [f"{old}\0{new}" for old, new in _swaps(one)]
        place = next((by_change[swap] for swap in changes if swap in by_change), None)
        if place is None and words:
            shared = Counter(at for word in words for at in by_word[word])
            near = (at for at in sorted(shared) if similar(words, leaders[at]))
            place = next(near, None)
        if place is None:
            place = len(groups)
            groups.append([])
            leaders.append(words)
            for word in words:
                by_word[word].append(place)
        for swap in changes:
            by_change.setdefault(swap, place)
        groups[place].append(one)
    return groups


def similar(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return whether two sets of words say the same: most of both, or nearly all of the smaller."""
    shared = len(one & other)
    if not shared:
        return False
    smaller = min(len(one), len(other))
    contained = smaller >= _LEAST_CONTAINED and shared >= _CONTAINED * smaller
    return contained or (smaller > 1 and shared >= _SIMILAR * len(one | other))


def words_of(text: str) -> frozenset[str]:
    """Return the words that carry meaning, without their endings."""
    found = (word.lower() for word in _WORD.findall(text))
    return frozenset(_stem(word) for word in found if word not in _EMPTY)


def _stem(word: str) -> str:
    for end in ("ing", "ed", "es", "s"):
        if word.endswith(end) and len(word) - len(end) >= 3:
            return word[: -len(end)]
    return word


def _swaps(one: Evidence) -> list[tuple[str, str]]:
    """Return names that were replaced, where that tells the evidence from others."""
    found = {pair for change in one.changes for pair in replaced(change)}
    return sorted(pair for pair in found if min(map(len, pair)) >= 6 and len(found) <= 3)


def _order(one: Evidence) -> tuple[str, str, str]:
    return one.time, one.session, one.id


def _candidate(group: Sequence[Evidence]) -> Candidate:
    best = max(group, key=lambda one: (worth_of(one), one.id))
    paths = Counter(path for one in group for path in dict.fromkeys(one.paths))
    ordered = sorted(paths, key=lambda path: (-paths[path], path))
    languages = Counter(language_of(path) for path in ordered)
    languages.pop("text", None)
    return Candidate(
        group[0].id,
        best.kind,
        title_of(best),
        _description(best, group),
        tuple(group),
        scores_of(group),
        None,
        tuple(name for name, _ in languages.most_common(3)),
        tuple(ordered[:_MOST_PATHS]),
        tuple(dict.fromkeys(one.modification for one in group if one.modification not in _NO_TAG)),
    )


def title_of(one: Evidence) -> str:
    """Return the sentence that says most, without how it begins."""
    if one.kind is Kind.FIX and "tests failed before" in one.signs:
        return cut(f"Tests failed before an edit of {_named(one)}, and passed after", TITLE_LENGTH)
    text = _OPENING.sub("", one.excerpt).strip()
    text = next(iter(re.split(r"(?<=[.!?])\s+(?=[A-Z])", text)), text) if len(text) > 80 else text
    text = cut(text or one.excerpt or f"{one.kind} in {_named(one)}", TITLE_LENGTH)
    return text[:1].upper() + text[1:]


def _named(one: Evidence) -> str:
    return one.paths[0] if one.paths else (one.commits[0][:12] if one.commits else "no file")


def _description(best: Evidence, group: Sequence[Evidence]) -> str:
    """Return what was said, by whom it was seen, and what changed."""
    said = list(dict.fromkeys(one.excerpt for one in (best, *group) if one.excerpt))
    parts = ["\n".join(said[:3])] if said else []
    sessions = len({one.session for one in group if one.session})
    seen = [_count(len(group), "time")]
    if sessions:
        seen.append(f"in {_count(sessions, 'conversation')}")
    parts.append(f"Seen {' '.join(seen)}: {', '.join(_what(group))}.")
    return "\n\n".join(parts)


def _what(group: Sequence[Evidence]) -> Iterator[str]:
    for kind, count in Counter(one.kind for one in group).most_common():
        yield _count(count, str(kind))


def _count(number: int, what: str) -> str:
    plural = {"fix": "fixes", "redone": "redone"}.get(what, f"{what}s")
    return f"{number} {what if number == 1 else plural}"


def scores_of(group: Sequence[Evidence]) -> Scores:
    """Return the parts and the total; docs/analysis.md explains each."""
    parts = confidence_of(group), impact_of(group), richness_of(group)
    confidence, impact, richness = (round(part, 3) for part in parts)
    return Scores(
        confidence, impact, richness, round(0.5 * confidence + 0.3 * impact + 0.2 * richness, 3)
    )


def confidence_of(group: Iterable[Evidence]) -> float:
    """Return how likely it is a learning at all: one minus the product of all doubts.

    What a session says again counts half.
    """
    doubt = 1.0
    seen: set[str] = set()
    for one in group:
        again = one.session in seen and bool(one.session)
        doubt *= 1 - worth_of(one) * (_AGAIN if again else 1.0)
        seen.add(one.session)
    return min(1 - doubt, _CERTAIN)


def worth_of(one: Evidence) -> float:
    """Return what one piece of evidence is worth: words, facts, and whether the answer held."""
    said = one.strength * WORTH[one.kind]
    if one.kind is Kind.CORRECTION and set(one.signs) & _OF_ONE_PLACE:
        said *= _ONE_PLACE
    doubt = 1 - said
    if one.kind in (Kind.CORRECTION, Kind.RULE):
        for sign in one.signs:
            doubt *= 1 - _FACTS.get(sign, 0.0)
    return min((1 - doubt) * _HELD.get(one.fate, 1.0), 0.95)


def impact_of(group: Sequence[Evidence]) -> float:
    """Return how much would follow from it: points / (points + 4)."""
    sessions = {one.session for one in group if one.session}
    points = 2.0 * max(len(sessions) - 1, 0)
    points += min(len({path for one in group for path in one.paths}), 5) * 0.5
    points += 1.5 * any(_FIRM.search(one.excerpt) for one in group)
    points += 1.0 * any(_IN_GENERAL & set(one.signs) for one in group)
    points += 1.0 * any("tests passed after" in one.signs for one in group)
    points += 1.0 * any("written down" in one.signs for one in group)
    points += 1.0 * any(one.kind is Kind.REVERT for one in group)
    return points / (points + 4)


def richness_of(group: Sequence[Evidence]) -> float:
    """Return the share of what a reviewer wants to see that is there."""
    changes = [change for one in group for change in one.changes]
    there = (
        any(len(one.excerpt) >= 30 for one in group),
        any(_REASON.search(one.excerpt) for one in group),
        any(True for one in group for _ in code_in(one.excerpt)),
        any(change.before for change in changes),
        any(change.before and change.after for change in changes),
        any(one.commits for one in group),
    )
    return sum(there) / len(there)
