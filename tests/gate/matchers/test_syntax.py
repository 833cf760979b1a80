"""Matches by syntax: places, replacements, rules that ast-grep refuses, files it cannot bear."""

import os
import signal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.chunking.languages import extension_of
from git_skillmesh.gate.matchers import parser as parsers
from git_skillmesh.gate.matchers import syntax
from git_skillmesh.gate.matchers.compiling import compile_content
from git_skillmesh.gate.matchers.model import Match, NotLookedAt, RuleError, TextFile
from git_skillmesh.gate.matchers.parser import Parser
from git_skillmesh.gate.matchers.syntax import LANGUAGES, SyntaxMatcher
from git_skillmesh.learnings.model import Fix
from testing.examples import examples
from testing.learning_files import learning

TIMEOUT = {
    "pattern": "get($$$ARGS)",
    "not": {"has": {"kind": "keyword_argument", "stopBy": "end"}},
}


def matcher(*languages: str, rewrite: str = "", **fields: Any) -> SyntaxMatcher:
    return SyntaxMatcher(
        learning("ast", languages=languages or ("python",),
                 fields={"fix": Fix(rewrite=rewrite)}, **fields)
    )  # fmt: skip


def file(content: str | bytes, path: str = "a.py") -> TextFile:
    return TextFile(path, content.encode() if isinstance(content, str) else content)


def test_both_ways() -> None:
    timeouts = matcher(rule=TIMEOUT)
    assert timeouts.matches(file("get(u)\nget(u, timeout=3)\n# get(u)\n'get(u)'\n")) == [
        Match(1, 1, 1, 7)
    ]


def test_columns_are_characters_and_lines_end_with_a_line_feed_only() -> None:
    calls = matcher(rule={"pattern": "f($A)"})
    source = file("x = 'é€𝄞'; f(1)\r\n\tf(\n2)\r\nf(3); f(4) \f\n")
    assert calls.matches(source) == [
        Match(1, 1, 12, 16), Match(2, 3, 2, 3), Match(4, 4, 1, 5), Match(4, 4, 7, 11),
    ]  # fmt: skip
    assert [m.line for m in calls.matches(source, frozenset({3}))] == [2]
    assert calls.matches(source, frozenset({5})) == []


def test_a_node_that_takes_in_its_line_feed_ends_before_the_next_line() -> None:
    whole = matcher(rule={"kind": "module"})
    assert whole.matches(file("f(1)\né\n")) == [Match(1, 2, 1, 3)]
    assert whole.matches(file("f(1)\né\n"), frozenset({3})) == []


def test_bytes_that_are_no_text() -> None:
    assert matcher(rule={"pattern": "f($A)"}).matches(file(b"\xff\nf(1)\x00\n")) == [
        Match(2, 2, 1, 5)
    ]


def test_a_rewrite_is_filled_with_what_the_variables_stand_for() -> None:
    rewriting = matcher(
        rule={"pattern": "get($URL, $$$REST)"}, rewrite="fetch($$$REST, to=$URL, $NONE$)"
    )
    source = file("get('é', a, # why\n b)\nget(u,)\nget(get(x, 1), 2)")
    assert [m.replacement for m in rewriting.matches(source)] == [
        "fetch(a, # why\n b, to='é', $)",
        "fetch(, to=u, $)",
        "fetch(2, to=get(x, 1), $)",
        "fetch(1, to=x, $)",
    ]


def test_constraints_and_utils() -> None:
    rule = matcher(
        rule={"pattern": "f($A)", "inside": {"matches": "loop", "stopBy": "end"}},
        constraints={"A": {"regex": "^[0-9]+$"}},
        utils={"loop": {"any": [{"kind": "for_statement"}, {"kind": "while_statement"}]}},
    )
    source = file("f(1)\nfor x in y:\n    f(2)\n    f(z)\n")
    assert [m.line for m in rule.matches(source)] == [3]


def test_a_language_and_its_kin() -> None:
    script = matcher("javascript", rule={"pattern": "alert($A)"})
    assert len(script.matches(file("alert(1)", "a.js"))) == 1
    assert len(script.matches(file("x = <b>{alert(1)}</b>", "a.jsx"))) == 1
    assert script.matches(file("alert(1)", "a.ts")) == []
    assert script.matches(file("alert(1)", "a.txt")) == []
    assert len(script.matches(file("#!/usr/bin/env node\nalert(1)", "bin/tool"))) == 1


def test_every_language_that_is_offered_is_parsed() -> None:
    for language in sorted(LANGUAGES):
        kinds = matcher(language, rule={"regex": "a"})
        assert kinds.matches(TextFile(f"a.{extension_of(language)}", b"a\n")), language


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"rule": {}}, "rule: Rule must have one positive matcher."),
        ({"rule": {"pattern": ""}},
         "rule: No AST root is detected. Please check the pattern source ``."),
        ({"rule": {"pattern": "a b c"}},
         "rule: Multiple AST nodes are detected. Please check the pattern source `a b c`."),
        ({"rule": {"kind": "nope"}}, "rule: Kind `nope` is invalid."),
        ({"rule": {"regex": "("}}, "rule: regex parse error: ( ^ error: unclosed group"),
        ({"rule": {"matches": "other"}}, "rule: Rule `other` is not defined."),
        ({"rule": {"pattern": "f"}, "constraints": {"A": {"regex": "("}}},
         "constraints: regex parse error: ( ^ error: unclosed group"),
        ({"rule": {"matches": "a"}, "utils": {"a": {"matches": "a"}}},
         "utils: Rule `a` has a cyclic dependency in its `matches` sub-rule."),
        ({"rule": {"pattern": 3}}, "data did not match any variant of untagged enum PatternStyle"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_refused_in_one_line(
    fields: "dict[str, Any]", said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RuleError) as raised:
        compile_content(learning("ast", languages=("python",), **fields))
    assert (raised.value.what, raised.value.field) == (f"{said} (as python)", "matcher")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("languages", "said"),
    [
        ((), "an ast matcher needs languages"),
        (("perl",), "ast-grep does not parse perl; use regex"),
        (("python", "klingon"), "no such language: klingon"),
    ],
)
def test_languages_are_checked_first(languages: tuple[str, ...], said: str) -> None:
    with pytest.raises(RuleError) as raised:
        compile_content(learning("ast", languages=languages, rule={"pattern": "x"}))
    assert (raised.value.what, raised.value.field) == (said, "languages")


def test_a_rule_must_fit_each_of_its_languages() -> None:
    with pytest.raises(RuleError, match=r"Kind `call_expression` is invalid\. \(as python\)"):
        matcher("go", "python", rule={"kind": "call_expression"})


def test_a_panic_is_an_answer(capfd: pytest.CaptureFixture[str]) -> None:
    own = Parser()
    with pytest.raises(parsers.Refused, match="LanguageNotSupported"):
        own.find(file("x"), "klingon", {"rule": {"pattern": "x"}})
    assert own.find(file("x"), "python", {"rule": {"pattern": "x"}}) == [Match(1, 1, 1, 2)]
    own.stop()
    assert capfd.readouterr() == ("", "")


SHAPES = {
    "brackets": "x = " + "(" * 100_000 + "1" + ")" * 100_000,
    "open": "[" * 100_000,
    "operators": "x = 1" + "+1" * 100_000,
    "attributes": "x = a" + ".b" * 100_000,
    "calls": "x = f" + "()" * 100_000,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("language", ["python", "rust"])
def test_a_deep_file_does_no_harm(shape: str, language: str) -> None:
    source = TextFile(f"a.{extension_of(language)}", SHAPES[shape].encode())
    assert matcher(language, rule={"pattern": "zz($A)"}).matches(source) == []


def test_a_file_that_takes_too_long_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Parser(seconds=0)
    monkeypatch.setattr(syntax, "parser", lambda: own)
    slow = matcher(rule={"kind": "binary_operator", "has": {"pattern": "zz", "stopBy": "end"}})
    source = file("x = zz" + "+1" * 50_000)
    with pytest.raises(NotLookedAt, match="takes more than 0 s to match"):
        slow.matches(source)
    with pytest.raises(NotLookedAt, match="takes more than 0 s to match"):
        matcher(rule={"pattern": "zz"}).matches(source)  # without another try
    assert len(slow.matches(file("x = zz + 1"))) == 1
    own.stop()


def test_what_is_too_much_is_not_looked_at() -> None:
    with pytest.raises(NotLookedAt, match="larger than 1 MB"):
        matcher(rule={"pattern": "f"}).matches(file(b"f\n" * 600_000))
    with pytest.raises(NotLookedAt, match="more than 10,000 matches"):
        matcher(rule={"kind": "identifier"}).matches(file("f\n" * 10_001))


def test_a_parser_that_is_gone_is_started_again() -> None:
    own = Parser()
    source, config = file("f(1)"), {"rule": {"pattern": "f($A)"}}
    assert own.find(source, "python", config) == [Match(1, 1, 1, 5)]
    child = own._child
    assert child is not None
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert own.find(source, "python", config) == [Match(1, 1, 1, 5)]
    own.stop()


def test_a_forked_process_asks_a_parser_of_its_own() -> None:
    own = Parser()
    source, config = file("f(1)"), {"rule": {"pattern": "f($A)"}}
    assert len(own.find(source, "python", config)) == 1
    pid = os.fork()
    if not pid:
        try:
            os._exit(len(own.find(source, "python", config)))
        finally:
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    assert len(own.find(source, "python", config)) == 1
    own.stop()


def test_many_files_in_turn() -> None:
    calls = matcher(rule={"pattern": "f($A)"})
    files = [file("f(1)\n" * n) for n in range(80)]
    for _ in range(2):
        assert [len(calls.matches(one)) for one in files] == list(range(80))


CODE = st.lists(
    st.sampled_from(
        ["get(a)", "get(a, b=1)", "x.get(y)", "class A:\n    def m(self): return get(1)\n", "get",
         "for a in b: get(a)\n", "print('get')", "# get(a)", "other(get)", "return a", "import get"]
    ),
    max_size=5,
).map("\n".join)  # fmt: skip
RULES = st.recursive(
    st.sampled_from(
        [{"pattern": "get($A)"}, {"pattern": "$X.get($$$A)"}, {"pattern": "return $A"},
         {"pattern": "for $A in b: $$$B"}, {"kind": "call"}, {"regex": "^get"},
         {"pattern": {"context": "x.get", "selector": "identifier"}}, {"pattern": "get(a, b=1)"},
         {"pattern": {"context": "other(1)", "strictness": "signature"}}, {"matches": "one"}]
    ),
    lambda rules: st.one_of(
        st.lists(rules, min_size=1, max_size=3).map(lambda rs: {"all": rs}),
        st.lists(rules, min_size=1, max_size=3).map(lambda rs: {"any": rs}),
        st.tuples(rules, rules).map(lambda rs: {"all": [rs[0]], "not": rs[1]}),
        st.tuples(
            rules, st.sampled_from(["inside", "has", "precedes", "follows"]), rules
        ).map(lambda rs: {"all": [rs[0]], rs[1]: {**rs[2], "stopBy": "end"}}),
    ),
    max_leaves=4,
)  # fmt: skip
UTILS = {"one": {"any": [{"pattern": "import get"}, {"kind": "identifier"}]}}


@settings(max_examples=examples(80), deadline=None)
@given(rule=RULES, code=CODE)
def test_what_may_match_is_never_too_little(rule: "dict[str, Any]", code: str) -> None:
    one = matcher(rule=rule, utils=UTILS)
    assert not one.matches(file(code)) or one.may_match(file(code))


def test_what_cannot_match_is_not_parsed() -> None:
    one = matcher(
        rule={"pattern": "$X.get($$$A)", "inside": {"pattern": "class $N: $$$B", "stopBy": "end"}}
    )
    assert one.may_match(file("class A: get"))
    assert not one.may_match(file("x.get(1)"))
    assert matcher(rule={"any": [{"pattern": "get($A)"}]}).may_match(file(""))
    assert matcher(rule={"kind": "call"}).may_match(file(""))


def test_a_proven_rule_is_not_tried_again_and_still_does_no_harm() -> None:
    good = learning("ast", languages=("python",), rule={"pattern": "f($A)"})
    assert compile_content(good, proven=True).matches(file("f(1)")) == [Match(1, 1, 1, 5)]
    broken = learning("ast", languages=("python",), rule={"kind": "nope"})
    with pytest.raises(NotLookedAt, match="Kind `nope` is invalid"):
        compile_content(broken, proven=True).matches(file("f(1)"))
