"""The lines of a file as findings tell of them: as they stand, and without their white space.

In: a file. Out: text that is bounded however long its lines are, and fingerprints.
"""

import hashlib

from .matchers.model import Match, TextFile

_LONGEST, _MOST = 4_000, 100  # characters of a line, and lines, that are shown or compared


class Lines:
    """The lines of one file; each is cut and normalised once, however much is found in it."""

    def __init__(self, file: TextFile) -> None:
        self._file = file
        self._normalised: dict[tuple[int, int], str] = {}
        self._shown: dict[int, str] = {}

    def key(self, match: Match) -> str:
        """Return what tells whether two findings of a learning in a file are the same."""
        return self.normalised(match.line, match.end_line)

    def normalised(self, first: int, last: int) -> str:
        """Return the text of lines with single spaces; of a very long one a digest."""
        if (first, last) not in self._normalised:
            if first == last:
                text = " ".join(self._line(first).split())
                if len(text) > _LONGEST:
                    text = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
            else:
                end = min(last, first + _MOST - 1)
                parts = (self.normalised(number, number) for number in range(first, end + 1))
                text = " ".join(filter(None, parts))
            self._normalised[first, last] = text
        return self._normalised[first, last]

    def shown(self, first: int, last: int) -> str:
        """Return lines as they stand, without the carriage return of their ends."""
        end = min(last, first + _MOST - 1)
        return "\n".join(self._cut(number) for number in range(first, end + 1))

    def _cut(self, number: int) -> str:
        if number not in self._shown:
            self._shown[number] = self._line(number)[:_LONGEST].removesuffix("\r")
        return self._shown[number]

    def _line(self, number: int) -> str:
        lines = self._file.lines
        return lines[number - 1] if 0 < number <= len(lines) else ""


def fingerprint(learning_id: str, path: str, text: str, number: int) -> str:
    """Return what identifies a finding in every run and on every machine.

    `text` is normalised; `number` counts findings of the learning with this text in the file, those
    of the base first.
    """
    parts = "\0".join((learning_id, path, text, str(number)))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()
