"""From the source of a comment or a docstring to its words: markers and indentation removed."""

import re

_LIMIT = 1000

_STARTS = re.compile(
    r"""\s*(?:
        /\*+!? | //+[!<]? | \#\| | \#+[!:|]? | --+\s?\|? | ;+ | %+ | !+[<>]? |
        \(\*+ | <!--+ | \{-\s?\|? | \*+(?!\w) | "(?=\s)
    )?\s?""",
    re.X,
)
_ENDS = re.compile(r"\s*(?:\*+/|\*+\)|--+>|-\}|\|\#)\s*$")
_QUOTES = re.compile(r"""^(?:@\w+|[rbufRBUF@$]{0,2}|~[sS])?\s*(\"{3}|'{3}|["'])""")
_LEGAL = re.compile(r"licen[sc]e|copyright|SPDX-", re.I)
_DOC = re.compile(r"\s*(?://[/!]|/\*[*!]|\(\*\*|\{-\s?\||--\s?\||\"\"\"|##|%%|;;;)")


def words_of_comment(source: str) -> str:
    """The text of a comment as written in any language, without its markers."""
    lines = (_STARTS.sub("", _ENDS.sub("", line), count=1) for line in source.splitlines())
    return "\n".join(line.rstrip() for line in lines).strip()


def words_of_docstring(source: str) -> str:
    """The text of a string literal, without quotes; "" when it is none."""
    match = _QUOTES.match(source)
    if not match:
        return ""
    text = source[match.end() :].rstrip().removesuffix(match[1])
    return "\n".join(line.strip() for line in text.strip().splitlines())


def is_documentation(source: str) -> bool:
    """Whether a comment that stands alone is worth keeping: a doc comment, and no licence."""
    return bool(_DOC.match(source)) and not _LEGAL.search(source)


def join_comments(parts: list[str]) -> str:
    """All comments of one chunk as one text of at most about 1,000 characters."""
    parts = [part for part in parts if part]
    if not parts:
        return ""
    return "\n".join(dict.fromkeys(parts))[:_LIMIT].rstrip()
