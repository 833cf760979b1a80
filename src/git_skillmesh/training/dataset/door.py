"""The door that every text of a data set passes: harmless, redacted by today's rules, counted.

In: text as the memory and the commits have it. Out: the text that may leave, and what was found.
What replaces a character depends on that character alone, so what equal texts become is equal, and
an edit still fits the lines it was made for.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from ...display import safe, tokens
from ...errors import Unavailable, UsageError
from ...sessions.redaction import Redactor

_SURROGATES = re.compile("[\ud800-\udfff]")
# Controls but tab, line feed, carriage return and form feed, which code has; what reorders text.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


class Door:
    """Lets text out, and counts what was found by rule, and the characters replaced."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.found: Counter[str] = Counter()
        self.controls = 0
        self.surrogates = 0

    def let_out(self, text: str) -> str:
        """Return a text as it may leave."""
        text, broken = _SURROGATES.subn("\ufffd", text)
        text, controls = _CONTROLS.subn(lambda match: safe(match[0]), text)
        self.surrogates += broken
        self.controls += controls
        result = self._redactor.redact(text)
        self.found.update(finding.rule for finding in result.findings)
        return result.text


class TokenCounter:
    """Counts tokens: an estimate, or as a tokenizer on this machine does."""

    def __init__(self, path: str = "") -> None:
        self.name = "3.5 bytes a token"
        self._tokenizer: Any = None
        if not path:
            return
        file = Path(path) / "tokenizer.json" if Path(path).is_dir() else Path(path)
        if not file.is_file():
            raise UsageError(f"no tokenizer: {path}", "name a tokenizer.json or its folder")
        try:
            from tokenizers import Tokenizer
        except ImportError:
            mend = "pip install 'git-skillmesh[train]'"
            raise Unavailable("--tokenizer needs the package tokenizers", mend) from None
        try:
            self._tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # what the library raises has no class of its own
            raise UsageError(f"{path} is no tokenizer", str(error)[:200]) from None
        self.name = file.name

    def count(self, text: str) -> int:
        """Return the tokens of a text."""
        if self._tokenizer is None:
            return tokens(text)
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)
