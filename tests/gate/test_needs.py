"""What a rule of syntax needs in a file: never more than what every match has."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.gate.matchers.model import TextFile
from git_skillmesh.gate.matchers.needs import needs
from git_skillmesh.gate.matchers.syntax import SyntaxMatcher
from git_skillmesh.learnings.model import Learning, Matcher, MatcherKind, Scope

Rule = dict[str, Any]
UTILS: dict[str, Any] = {"timed": {"pattern": "time.time()"}}
RULES: list[Rule] = [
    {"pattern": "time.time()"},
    {"any": [{"pattern": "time.time()"}, {"pattern": "Path.cwd()"}]},
    {"any": [{"pattern": "time.time()"}, {"kind": "lambda"}]},
    {"all": [{"kind": "call"}, {"regex": "^time"}]},
    {"kind": "identifier", "regex": r"^[tT]ime\b"},
    {"kind": "identifier", "regex": r"^\w+é$"},
    {"kind": "identifier", "regex": r"^(?i)TIME$"},
    {"kind": "string", "regex": r"a\s+b"},
    {"kind": "comment", "regex": "^#$"},
    {"kind": "call", "not": {"regex": "time"}},
    {"kind": "call", "has": {"field": "function", "regex": r"cwd$"}},
    {"kind": "identifier", "inside": {"pattern": "print($$$A)", "stopBy": "end"}},
    {"kind": "call", "follows": {"kind": "comment", "stopBy": "end"}},
    {"matches": "timed"},
    {"pattern": "# time"},
]
CODE = (
    "time.time()\n", "Time = time\n", "Path.cwd()\n", "f = lambda: 0\n", "# time\n", "#\n",
    "naïvé = 1\n", 'x = "a \u00a0b"\n', 'x = "a\r\nb"\n', "print(Path, time)\n", "TIME()\n",
    "retimed = xtime(a)\n", "'''a\n  b'''\n",
)  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=str)
@settings(max_examples=10, deadline=None)
@given(code=st.lists(st.sampled_from(CODE), max_size=4).map("".join))
def test_what_matches_has_all_that_is_needed(rule: Rule, code: str) -> None:
    matcher = Matcher(MatcherKind.AST, Scope.FILE, rule=rule, utils=UTILS)
    found = SyntaxMatcher(Learning("x", "x", "x", matcher, languages=("python",)))
    file = TextFile("a.py", code.encode())
    if list(found.matches(file)):
        assert b"\r" in file.data or all(one.search(file.searched) for one in needs(rule, UTILS))


@pytest.mark.parametrize(
    ("rule", "code", "needed"),
    [
        ({"pattern": "time.time()"}, "time.monotonic()", True),
        ({"pattern": "time.time()"}, "print(1)", False),
        ({"any": [{"pattern": "time.time()"}, {"pattern": "Path.cwd()"}]}, "cwd", False),
        ({"any": [{"pattern": "a()"}, {"pattern": "b()"}]}, "x = b", True),
        ({"any": [{"pattern": "a()"}, {"kind": "lambda"}]}, "x", True),
        ({"kind": "identifier", "regex": "^hasOwn$"}, "x.hasOwnProperty", True),
        ({"kind": "identifier", "regex": "^hasOwn$"}, "x.has", False),
        ({"kind": "identifier", "regex": r"^\w$"}, "!", False),
        ({"kind": "identifier", "regex": "[["}, "x", True),
        ({"matches": "timed"}, "x", False),
        (None, "x", True),
    ],
    ids=str,
)
def test_most_files_are_spared(rule: "Rule | None", code: str, needed: bool) -> None:
    assert all(one.search(code.encode()) for one in needs(rule, UTILS)) is needed
