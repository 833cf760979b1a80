"""The file of a learning that somebody is about to write, with what belongs where.

In: an id, a title, a kind of matcher. Out: the text of a file. What must be filled in is missing,
so that `learnings test` names it.
"""

from collections.abc import Sequence

from .model import MatcherKind
from .writing import dump

_MATCHERS = {
    MatcherKind.AST: """\
  # A rule of ast-grep: code with $NAME for one node and $$$NAME for any number of them.
  # rule:
  #   pattern: requests.get($$$ARGS)
  #   not:
  #     has: {field: arguments, has: {kind: keyword_argument}}
  rule:
""",
    MatcherKind.REGEX: """\
  # RE2, held against each added line; `scope: file` searches the whole file.
  # regex: '\\bprint\\('
  # unless: '# noqa'       takes back a match in such a line
  regex:
""",
    MatcherKind.LITERAL: """\
  # Text as it stands, looked for in each added line; `ignore_case: true` helps.
  text:
""",
    MatcherKind.MESSAGE: """\
  # RE2, held against the message of a commit, which must not match; `required: true`: must.
  regex:
""",
    MatcherKind.PATHS: """\
  # One of these, about files that `paths` name:
  # accompany: [CHANGELOG.md]    a change of them wants a change of this one too
  # untouchable: true            they are not to be changed
  # max_bytes: 500000            they are not to be larger
""",
}
_EXAMPLES = {
    MatcherKind.MESSAGE: """\
# Messages that must be found (bad), and that must not (good).
""",
    MatcherKind.PATHS: """\
# Changes that must be found (bad), and that must not (good), each a list of the files that are
# changed together: "PATH", or "PATH SIZE".
#   bad:
#     - files: [src/a.py]
""",
}
_CODE_EXAMPLES = """\
# Code that must be found (bad), and that must not (good). `warn` needs one of each, `block` two.
#   bad:
#     - |
#       code
#     - path: tests/test_a.py     where it stands, if that matters
#       code: |
#         code
"""


def skeleton(
    learning_id: str,
    title: str,
    kind: MatcherKind,
    *,
    languages: Sequence[str] = (),
    paths: Sequence[str] = (),
    author: str = "",
    created: str = "",
) -> str:
    """Return the text of a file that says what to fill in."""
    scope = "".join(
        dump({name: list(value)}) if value else f"# {name}: {hint}\n"
        for name, value, hint in (
            ("languages", languages, "[python]"),
            ("paths", paths, "['src/**', '!tests/**']"),
        )
    )
    origin = {name: text for name, text in (("author", author), ("created", created)) if text}
    return (
        f"{dump({'learning_id': learning_id, 'title': title})}"
        "# What goes wrong, and why it matters: people and agents are shown this.\n"
        "description:\n"
        "# category: reliability\n"
        "# tags: [http]\n"
        f"{scope if kind is not MatcherKind.MESSAGE else ''}"
        "severity: warning    # note, warning, error: how it is shown\n"
        "state: proposed      # proposed, warn (shown), block (stops a merge), retired\n"
        "matcher:\n"
        f"  kind: {kind}\n"
        f"{_MATCHERS[kind]}"
        "# fix:\n"
        "#   text: What to do instead.\n"
        f"{'#   rewrite: requests.get($$$ARGS, timeout=10)' + chr(10) if kind == 'ast' else ''}"
        f"{_EXAMPLES.get(kind, _CODE_EXAMPLES)}"
        "examples:\n"
        "  bad:\n"
        "  good:\n"
        f"{dump(origin) if origin else ''}"
    )
