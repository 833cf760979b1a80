"""Regular expressions of strangers, in time that grows with the text and with nothing else.

In: a pattern in RE2's syntax. Out: a compiled expression over bytes of UTF-8, or `RuleError`.
"""

import re
from typing import Any

from .model import RuleError

_MEMORY = 8 << 20  # bytes of an expression and of its states
# What means the ends of the text and not of a line, or may switch (?m) off.
_ANCHORS = re.compile(r"\\[Az]|\(\?[A-Za-z]*-")


def by_lines(pattern: str) -> str:
    """Return an expression of which `^` and `$` are the ends of lines."""
    return f"(?m){pattern}"


def compile_expression(
    pattern: str, *, field: str, ignore_case: bool = False, lines: bool = False
) -> Any:
    """Return a compiled expression that searches bytes of UTF-8, of `lines` or of one.

    Raises `RuleError`.
    """
    import re2  # only where an expression is used

    try:
        whole = by_lines(pattern) if lines else pattern
        return re2.compile(whole.encode(), options(ignore_case))
    except re2.error as error:
        raise RuleError(f"{_reason(error)} in {shortened(pattern)}", field) from None
    except UnicodeEncodeError:
        raise RuleError("half a surrogate pair in the pattern", field) from None


def options(ignore_case: bool) -> Any:
    """Return RE2's options: silent and bounded."""
    import re2

    found = re2.Options()
    found.log_errors = False
    found.max_mem = _MEMORY
    found.case_sensitive = not ignore_case
    return found


def escaped(text: str) -> str:
    """Return an expression that finds a text as it stands."""
    import re2

    return str(re2.escape(text))


def tied_to_ends(pattern: str) -> bool:
    """Whether an expression may find other things in a line alone than in the text around it."""
    return _ANCHORS.search(pattern) is not None


def shortened(pattern: str) -> str:
    """Return a pattern as it is named in a complaint."""
    return pattern if len(pattern) <= 60 else pattern[:59] + "…"


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return " ".join(text.partition(": ")[0].split()) or "not a regular expression"
