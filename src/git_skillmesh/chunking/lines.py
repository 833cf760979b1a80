"""The lines of a file as git counts them: bytes in; sizes, blankness and decoded text out."""

from itertools import accumulate

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\x0b\x0c"


class Lines:
    """Rows are 0-based; only "\\n" ends a line; sizes are bytes that are not white space."""

    def __init__(self, data: bytes) -> None:
        self.data = data[3:] if data.startswith(_BOM) else data
        self.rows = self.data.split(b"\n")
        dense = self.data.translate(None, _SPACE).split(b"\n")
        self._until = list(accumulate(map(len, dense), initial=0))
        self._has_return = b"\r" in self.data

    def __len__(self) -> int:
        return len(self.rows)

    def size(self, first: int, last: int) -> int:
        """Bytes that are not white space in the rows first..last, both included."""
        return self._until[last + 1] - self._until[first]

    def is_blank(self, row: int) -> bool:
        """Whether a row holds nothing but white space."""
        return self._until[row + 1] == self._until[row]

    def trim(self, first: int, last: int) -> tuple[int, int]:
        """The same span without blank rows at either end; (1, 0) shaped when all are blank."""
        while first <= last and self.is_blank(first):
            first += 1
        while first <= last and self.is_blank(last):
            last -= 1
        return first, last

    def text(self, first: int, last: int) -> str:
        """The decoded rows first..last, joined by "\\n", each without its carriage return."""
        text = b"\n".join(self.rows[first : last + 1]).decode("utf-8", "replace")
        if self._has_return:
            text = text.replace("\r\n", "\n").removesuffix("\r")
        return text
