"""What speaks for a candidate besides the ranker's features: it is what was pasted, or asked for.

In: what a query asks (asked.py), the candidates with their features. Out: for each kind of evidence
one number a candidate, which is added to its score and shown among the reasons. The texts of chunks
are not stored; a bounded number of the most likely files is read to see whether words stand there
just so. Nothing is computed and nothing read for a query that has none of this.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from ..index.catalogue import FileRow
from ..index.segment import Field
from ..index.view import View
from .asked import Asked, Form
from .corpus import Corpus, Floats, Integers
from .features import NAMES
from .keypaths import lines_of_key
from .places import Place
from .ranker import weights

_COLUMN = {name: number for number, name in enumerate(NAMES)}
# Candidates and files that are read to look for words or keys in them.
_MOST_ROWS = 100
_MOST_READ = 40
# Of those that are alike, how many are looked at for an error that is made there.
_MOST_RAISED = 12
_MOST_BYTES = 200_000
# Where a trace leads is above all that is merely alike; frames keep their order.
_PLACE = 120.0
_DOUBTFUL_PLACE = 20.0
_EXACT = 14.0
_ALMOST = 12.0
_MESSAGE = 10.0
_RAISED = 2.0
_KEY = 12.0
_KEY_END = 8.0
# Shares of a message's pairs of words that have to stand next to each other in the source.
_LEAST_SHARE = 0.34
# What documentation gets for the form of a question, and times the share of the question's words
# in its heading. Set on half of the repositories of benchmarks/other_queries.py; the share, for a
# heading that says nothing else, counts for every query.
_TEXT = {Form.CODE: (0.0, 0.0), Form.TOPIC: (0.0, 3.0), Form.HOW_TO: (4.0, 4.0),
         Form.RELEASE: (4.0, 4.0)}  # fmt: skip
_HEADING = 1.0
_IS_LOG, _NO_LOG = 5.0, -1.0
_LOG = re.compile(
    r"(^|/)[^/]*(change|history|release|news|whats.?new|upgrad|migrat)[^/]*(/|$)", re.IGNORECASE
)
_RAISES = re.compile(
    r"\b(?:raise|throw|new \w*(?:Error|Exception)|panic|fail|abort|bail|die|error|fatal|warn)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
# What a message holds where its source has a placeholder.
_VALUE = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|(?<![\w])[/\\][\w/\\.-]+|\b\d[\w.]*\b")


class Evidence:
    """Collects the evidence for the candidates of one query."""

    def __init__(
        self,
        view: View,
        corpus: Corpus,
        rows: Integers,
        features: Floats,
        files: Mapping[int, FileRow],
        stems: int,
    ) -> None:
        self._view = view
        self._corpus = corpus
        self._rows = rows
        self._features = features
        self._files = files
        self._stems = stems

    def of(self, asked: Asked, places: Sequence[Place], scores: Floats) -> dict[str, Floats]:
        """Return name → what it adds to each candidate; `scores` are those without evidence."""
        found: dict[str, Floats] = {}
        self._text(asked.form, found)
        # Where a trace leads to, its message need not be looked for.
        if asked.phrases or (asked.message and not places):
            self._look_for_words(asked, found)
        if asked.keys:
            found["sets_key"] = self._keys(asked.keys)
        if places:
            found["trace_frame"] = self._places(places, scores + sum(found.values()))
        return {name: added for name, added in found.items() if added.any()}

    def _column(self, name: str) -> Floats:
        column: Floats = self._features[:, _COLUMN[name]]
        return column

    def _places(self, places: Sequence[Place], scores: Floats) -> Floats:
        """Lift the places above all else, in their order whatever else speaks for them."""
        added = np.zeros(len(self._rows))
        before: dict[int, int] = {}
        for number, place in enumerate(places):
            at = int(np.searchsorted(self._rows, place.document))
            if at == len(self._rows) or self._rows[at] != place.document:
                continue  # filtered out
            # The page pushes down the second hit of a file; here each is wanted, in this order.
            penalty = weights().second_hit_penalty
            again = before.get(place.file, 0)
            before[place.file] = again + 1
            base = _PLACE if place.certainty > 0.5 else _DOUBTFUL_PLACE
            wanted = base - number * (penalty + 1) + again * penalty
            added[at] = max(wanted - scores[at], 0.0)
        return added

    def _text(self, form: Form, found: dict[str, Floats]) -> None:
        """Let documentation compete: more, the more its heading says what is asked."""
        is_text = self._column("documentation")
        if not is_text.any():
            return
        coverage = self._column("symbol_coverage")
        heading = self._corpus.lengths[Field.SYMBOL][self._rows]
        precision = np.minimum(1.0, coverage * self._stems / np.maximum(heading, 1))
        found["heading"] = is_text * coverage * precision * _HEADING
        constant, covered = _TEXT[form]
        if not covered:
            return
        found["form_of_question"] = is_text * (constant + covered * coverage)
        owners = self._corpus.files[self._rows].tolist()
        paths = {number: bool(_LOG.search(row.path)) for number, row in self._files.items()}
        is_log = np.array([paths[number] for number in owners], np.float64)
        if form is not Form.TOPIC:
            found["release_notes"] = (
                is_text * is_log * (_IS_LOG if form is Form.RELEASE else _NO_LOG)
            )

    def _look_for_words(self, asked: Asked, found: dict[str, Floats]) -> None:
        exact, alike = np.zeros(len(self._rows)), np.zeros(len(self._rows))
        phrases = [(phrase, phrase.lower()) for phrase in asked.phrases]
        wanted = [pairs for text in (*asked.phrases, asked.message) if (pairs := _lasting(text))]
        likely = self._column("chunk_coverage") + 0.001 * self._column("body")
        read = dict(self._read(likely))
        for row, lines in read.items():
            text = " ".join(" ".join(lines).split())
            lower = text.lower()
            for phrase, in_lower in phrases:
                if phrase in text:
                    exact[row] += _EXACT
                elif in_lower in lower:
                    exact[row] += _ALMOST
            own = _pairs(lower)
            share = max((len(pairs & own) / len(pairs) for pairs in wanted), default=0.0)
            alike[row] = _MESSAGE * share if share >= _LEAST_SHARE else 0.0
        best = sorted(read, key=lambda row: -alike[row])[:_MOST_RAISED]
        for row in best:
            if alike[row] and any(_raises(read[row], pairs) for pairs in wanted):
                alike[row] += _RAISED
        found["has_phrase"] = exact
        found["has_message"] = np.where(exact > 0, np.minimum(alike, _RAISED), alike)

    def _keys(self, keys: Sequence[Sequence[str]]) -> Floats:
        added = np.zeros(len(self._rows))
        named = self._column("name_exact") + self._column("defined_exact")
        is_configuration = self._column("configuration")
        if len(keys[0]) == 1 and (named * (1 - is_configuration)).max(initial=0.0) > 0.5:
            return added  # the name of something in the code
        likely = is_configuration * (0.01 + self._column("file_coverage"))
        for row, lines in self._read(likely, whole=True):
            first, last = self._lines(row)
            for key in keys:
                for line, is_whole in lines_of_key(lines, key):
                    if first <= line + 1 <= last:
                        added[row] = max(added[row], _KEY if is_whole else _KEY_END)
        return added

    def _lines(self, row: int) -> tuple[int, int]:
        document = self._rows[row]
        file = int(self._corpus.files[document])
        chunk = self._view.chunk(file, int(self._corpus.ordinals[document]))
        return chunk.start_line, chunk.end_line

    def _read(self, likely: Floats, whole: bool = False) -> list[tuple[int, list[str]]]:
        """Return candidates of the most likely files with their lines, or all lines of the file."""
        owners = self._corpus.files[self._rows].tolist()
        ordinals = self._corpus.ordinals[self._rows].tolist()

        # Rounded, with places for ties: what is read must not depend on ids.
        def rank(n: int) -> tuple[float, str, int]:
            return -round(float(likely[n]), 9), self._files[owners[n]].path, ordinals[n]

        order = sorted(np.flatnonzero(likely > 0).tolist(), key=rank)
        chosen: dict[int, FileRow] = {}
        if not whole:
            order = order[:_MOST_ROWS]
        for n in order:
            row = self._files[owners[n]]
            if len(chosen) < _MOST_READ and row.bytes <= _MOST_BYTES:
                chosen[row.id] = row
        texts = self._view.texts(list(chosen.values()))
        split = {
            number: data.decode(errors="replace").split("\n") for number, data in texts.items()
        }
        found = []
        for n in order:
            lines = split.get(owners[n])
            if lines is not None:
                first, last = self._lines(n)
                found.append((n, lines if whole else lines[first - 1 : last]))
        return found


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    """Return the pairs of words that stand next to each other."""
    words = _WORD.findall(text.lower())
    return frozenset(pairwise(words))


def _lasting(message: str) -> frozenset[tuple[str, str]]:
    """Return the pairs of words of a message that are likely to stand in its source too."""
    pairs = frozenset(pair for part in _VALUE.split(message) for pair in _pairs(part))
    return pairs if len(pairs) > 1 else _pairs(message)


def _raises(lines: Sequence[str], pairs: frozenset[tuple[str, str]]) -> bool:
    """Whether the words stand where an error is made: on such a line, or up to two below it."""
    for number, line in enumerate(lines):
        if pairs & _pairs(line) and any(
            map(_RAISES.search, lines[max(number - 2, 0) : number + 1])
        ):
            return True
    return False
