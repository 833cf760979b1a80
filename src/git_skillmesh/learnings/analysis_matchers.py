"""A matcher taken from the lines that went and the lines that came.

In: changes with their lines before and after, and what the person said. Out: `Proposal`s, the
narrowest first, each with its examples. Only what can be said for sure is proposed: one token, or
dotted name, that went everywhere and that stands in no line that came. Whether a proposal really
fits is for whoever can run it: `fits` is given the learning that it would make.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from ..chunking import language_of
from .candidates import Change, Proposal
from .model import Example, Fix, Matcher, MatcherKind, Scope

Fits = Callable[[Proposal], bool]
# In these a call can be written as a pattern that means a call and nothing else.
_CALLS = frozenset({"python", "javascript", "typescript", "tsx", "jsx", "rust", "java", "ruby"})
_NAME = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|::|->)[A-Za-z_$][\w$]*)*")
_CODE = re.compile(
    r"`([^`\n]{2,80})`|(?<![\w.])([A-Za-z_][\w.:]*(?:\.\w+|_\w+|::\w+|[a-z][A-Z]\w*|\(\)))"
)
_SHORTEST, _LONGEST = 3, 80
_MOST_EXAMPLES = 3
_COMMON = frozenset(
    """if else for while return import from def class func function const let var true false none
    null self this nil err string int bool new not and the with async await public private
    static void type interface struct map list dict str len name value data error test
    expect assert in is as todo fixme note""".split()  # noqa: SIM905
)


def proposals(changes: Sequence[Change], said: str = "") -> Iterator[Proposal]:
    """Yield matchers for what was replaced, those of names that the person said first.

    A name that nobody said has to look like one of code, and to have been replaced twice.
    """
    gone = Counter[tuple[str, str]]()
    kept = {name for change in changes for line in change.after for name in names_in(line)}
    for change in changes:
        for old, new in replaced(change):
            if old not in kept and _tells(old):
                gone[old, new] += 1
    spoken = {word.lower() for word in code_in(said)}

    def worth(pair: tuple[str, str]) -> tuple[bool, int, int, str]:
        named = bool({pair[0].lower(), pair[1].lower()} & spoken) or _is_said(pair[0], said)
        return named, gone[pair], len(pair[0]), pair[0]

    for old, new in sorted(gone, key=worth, reverse=True):
        named, count, _, _ = worth((old, new))
        if named or (count >= 2 and _is_code(old) and old.lower() != new.lower()):
            yield from _for_name(old, new, changes)


def first_fitting(found: Iterable[Proposal], fits: Fits) -> Proposal | None:
    """Return the first proposal whose own examples hold."""
    return next((one for one in found if fits(one)), None)


def replaced(change: Change) -> Iterator[tuple[str, str]]:
    """Yield (what went, what came in its place) for lines that differ in one name each."""
    before, after = list(change.before), list(change.after)
    if len(before) != len(after):
        return
    for old, new in zip(before, after, strict=True):
        left, right = names_in(old), names_in(new)
        if len(left) != len(right) or not left:
            continue
        pairs = {(one, other) for one, other in zip(left, right, strict=True) if one != other}
        if len(pairs) == 1:
            yield next(iter(pairs))


def names_in(line: str) -> list[str]:
    """Return the names of a line of code, dotted ones whole."""
    return _NAME.findall(line)


def code_in(said: str) -> Iterator[str]:
    """Yield what a person wrote as code, or what looks like it."""
    for match in _CODE.finditer(said):
        yield (match[1] or match[2]).strip().removesuffix("()")


def _is_said(name: str, said: str) -> bool:
    return bool(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w])", said))


def _tells(name: str) -> bool:
    return _SHORTEST <= len(name) <= _LONGEST and name.lower() not in _COMMON


def _is_code(name: str) -> bool:
    """Return whether a name could not be a word of prose."""
    return bool(re.search(r"[._$:]|[a-z][A-Z]|->", name))


def _for_name(old: str, new: str, changes: Sequence[Change]) -> Iterator[Proposal]:
    pattern = re.compile(rf"(?:^|[^\w.$]){re.escape(old)}(?:$|[^\w$])")
    bad = [
        (change.path, line) for change in changes for line in change.before if pattern.search(line)
    ]
    good = [
        (change.path, line)
        for change in changes
        for line in change.after
        if re.search(rf"(?:^|[^\w.$]){re.escape(new)}(?:$|[^\w$])", line)
    ]
    if not bad or not good:
        return
    languages = tuple(dict.fromkeys(language_of(path) for path, _ in bad))
    examples = _examples(bad), _examples(good)
    fix = Fix(f"Use {new} instead of {old}.")
    called = all(re.search(rf"{re.escape(old)}\s*\(", line) for _, line in bad)
    if called and len(languages) == 1 and languages[0] in _CALLS:
        rule = {"pattern": f"{old}($$$ARGUMENTS)"}
        ast = Matcher(MatcherKind.AST, Scope.FILE, rule=rule)
        yield Proposal(ast, *examples, f"a call of {old}", fix, languages)
    regex = rf"(?:^|[^\w.$]){_escaped(old)}(?:$|[^\w$])"
    words = f"the name {old}"
    yield Proposal(Matcher(MatcherKind.REGEX, regex=regex), *examples, words, fix, languages)
    if not any(old in line for _, line in good):
        yield Proposal(Matcher(MatcherKind.LITERAL, text=old), *examples, words, fix, languages)


def _examples(lines: Sequence[tuple[str, str]]) -> tuple[Example, ...]:
    unique = dict.fromkeys((path, line.strip() + "\n") for path, line in lines)
    return tuple(Example(line, path) for path, line in list(unique)[:_MOST_EXAMPLES])


def _escaped(text: str) -> str:
    """Return a text for RE2, which knows fewer escapes than Python writes."""
    return re.sub(r"([.\\+*?()|\[\]{}^$])", r"\\\1", text)


def holds(proposal: Proposal) -> bool:
    """Return whether a proposal of text matches its bad examples and none of the good ones.

    One of syntax is not judged here: that takes the gate.
    """
    matcher = proposal.matcher
    if matcher.kind is MatcherKind.AST:
        return False
    if matcher.kind is MatcherKind.LITERAL:
        found = [matcher.text in one.code for one in (*proposal.bad, *proposal.good)]
    else:
        import re2  # only where a pattern is tried

        options = re2.Options()
        options.log_errors = False
        pattern = re2.compile(matcher.regex, options)
        found = [bool(pattern.search(one.code)) for one in (*proposal.bad, *proposal.good)]
    expected = [True] * len(proposal.bad) + [False] * len(proposal.good)
    return found == expected
