"""Stack traces, compiler errors and failures of tests, as people paste them.

In: the texts of an old version and of the one that is searched. Out: `Question`s. The lines in a
trace are those of the old version, the answers those of the searched one, so line numbers are off
by as much as the files really changed. Paths are those of another machine; frames of other
libraries and of a program that uses this one stand before, between and after (trace_forms.py).
"""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.annotations import Question, Target
from benchmarks.made_questions import extension, is_aside
from benchmarks.trace_forms import Frame, failed, written

Texts = Mapping[str, str]
_DEFINITIONS = {
    "py": r"^[ \t]*(?:async )?def (\w+)",
    "js": r"^(?:[ \t]*(?:export )?(?:default )?(?:async )?function\*? (\w+)"
    r"|[ \t]{2,}(?!if|for|while|switch|catch|function)(?:async |static |get |set )*(\w+) ?"
    r"\([^)\n]*\) ?(?::[^{\n]+)?\{$)",
    "java": r"^[ \t]+(?!return|else|new|throw)(?:[\w@]+ +)*[\w<>\[\],.?]+ (\w+)\([^;\n]*\{$",
    "kt": r"^[ \t]*(?:\w+ )*fun (?:<[^>\n]+> )?(?:[\w<>?]+\.)?(\w+)\(",
    "cs": r"^[ \t]+(?:public|private|protected|internal)[ \w<>\[\],.?]* (\w+)(?:<[^>\n]+>)?"
    r"\([^;\n]*$",
    "rb": r"^[ \t]*def (?:self\.)?([\w?!]+)",
    "go": r"^func (?:\(\w+ (\*?\w+)[^)\n]*\) )?(\w+)\(",
    "rs": r"^[ \t]*(?:pub(?:\([^)\n]*\))? )?(?:async |const |unsafe )*fn (\w+)",
    "php": r"function &?(\w+)\(",
    "ex": r"^[ \t]*defp? (\w+[?!]?)",
}
_SAME = {"ts": "js", "jsx": "js", "tsx": "js", "mjs": "js", "cjs": "js", "exs": "ex"}
_CLASS = re.compile(
    r"^[ \t]*(?:\w+ )*(?:class|interface|object|struct|trait|module|defmodule|impl(?:<[^>\n]*>)?) "
    r"([\w.:]+)",
    re.M,
)
_PACKAGE = re.compile(r"^(?:package|namespace) ([\w.\\]+)", re.M)


@dataclass(frozen=True)
class Spot:
    """A line within a function: `line` in the old version, `now` in the searched one."""

    path: str
    line: int
    now: int
    column: int
    function: str
    owner: str
    package: str
    code: str


def spots(old: Texts, new: Texts, aside: bool, rng: random.Random) -> dict[str, list[Spot]]:
    """Return family of languages → lines that a trace may name, some of each file."""
    names: dict[str, list[str]] = {}
    for path in new:
        names.setdefault(path.rpartition("/")[2], []).append(path)
    found: dict[str, list[Spot]] = {}
    for path, text in sorted(old.items()):
        family = _SAME.get(extension(path), extension(path))
        if family not in _DEFINITIONS or is_aside(path) is not aside or path.endswith(".d.ts"):
            continue
        namesakes = names.get(path.rpartition("/")[2], [])
        now = path if path in new else namesakes[0] if len(namesakes) == 1 else None
        if now is not None:
            here = list(_spots_of(path, text, now, new[now], family))
            found.setdefault(family, []).extend(rng.sample(here, min(len(here), 6)))
    return found


def _spots_of(path: str, text: str, now: str, later: str, family: str) -> Iterator[Spot]:
    pattern = re.compile(_DEFINITIONS[family], re.M)
    package = _PACKAGE.search(text)
    lines, after = text.split("\n"), later.split("\n")
    heads = [(text.count("\n", 0, m.end()), m) for m in pattern.finditer(text)]
    for (first, match), (end, _) in zip(heads, [*heads[1:], (len(lines), None)], strict=False):
        name = match[match.lastindex or 1]
        owner = next(iter(list(_CLASS.finditer(text, 0, match.start()))[::-1]), None)
        for number in range(first + 1, min(end, first + 60)):
            code = lines[number].strip()
            if len(code) < 12 or "(" not in code or re.match(r"[#/*@}\])\"'|-]|end\b", code):
                continue
            if lines.count(lines[number]) != 1 or after.count(lines[number]) != 1:
                continue
            there = after.index(lines[number])
            above = list(pattern.finditer("\n".join(after[: there + 1])))
            if not above or above[-1][above[-1].lastindex or 1] != name:
                continue
            receiver = match[1] if family == "go" and match[1] else owner[1] if owner else ""
            yield Spot(
                now if path == now else path, number + 1, there + 1,
                len(lines[number]) - len(code) + 1, name, receiver,
                package[1] if package else "", code,
            )  # fmt: skip
            break


def _frame(spot: Spot, path: str) -> Frame:
    return Frame(path, spot.line, spot.function, spot.owner, spot.package, spot.code, spot.column)


# Family → (prefixes of paths where it is installed or worked on, what of a path is not shown).
_SITE = ("/usr/local/lib/python3.9/site-packages/", "C:\\shop\\venv\\Lib\\site-packages\\")
_GEMS = (
    "/usr/local/bundle/gems/{name}-5.6.4/",
    "/opt/rvm/gems/ruby-2.7.2/gems/{name}-4.3.1/",
)
_MOD = (
    "/go/pkg/mod/github.com/acme/{name}@v2.42.0/",
    "/opt/go/src/github.com/acme/{name}/",
)
_CRATE = "/usr/local/cargo/registry/src/github.com-1ecc6299db9ec823/{name}-0.13.0/"
_PREFIXES = {
    "py": (_SITE, "^src/"),
    "js": (("/srv/shop/node_modules/{name}/", "file:///opt/work/{name}/"), "^$"),
    "java": (("",), "^$"),
    "kt": (("",), "^$"),
    "cs": (("/_/", "D:\\a\\{name}\\{name}\\", "C:\\projects\\{name}\\"), "^$"),
    "rb": (_GEMS, "^$"),
    "go": (_MOD, "^$"),
    "rs": ((_CRATE, "./"), "^crates/[^/]+/|^{name}[^/]*/"),
    "php": (("/var/www/html/vendor/acme/{name}/", "/opt/{name}/"), "^$"),
    "ex": (("({name} 2.11.0) ", ""), "^$"),
}


def traces(name: str, old: Texts, new: Texts, count: int) -> list[Question]:
    """Return up to `count` traces of the languages of a repository, each with one to four of its
    functions, the innermost first."""
    rng = random.Random(f"{name} traces")
    by_family = {f: s for f, s in spots(old, new, False, rng).items() if len(s) >= 20}
    made = []
    for _ in range(count if by_family else 0):
        most = max(map(len, by_family.values()))
        family = rng.choice([f for f in sorted(by_family) if len(by_family[f]) * 3 > most])
        chosen = _chain(by_family[family], rng)
        short = name.partition("+")[2].lower()
        prefixes, strip = _PREFIXES[family]
        prefix = rng.choice(prefixes).format(name=short)
        frames = [
            _frame(spot, prefix + re.sub(strip.format(name=short), "", spot.path))
            for spot in chosen
        ]
        if "\\" in prefix:
            for frame in frames:
                frame.path = frame.path.replace("/", "\\")
        targets = tuple(dict.fromkeys(Target(new_path(s, new), s.now, s.now) for s in chosen))
        made.append(Question(written(family, frames, rng), "trace", targets))
    return made


def new_path(spot: Spot, new: Texts) -> str:
    """Return where a spot's file is now."""
    if spot.path in new:
        return spot.path
    return next(path for path in new if path.endswith("/" + spot.path.rpartition("/")[2]))


def _chain(among: list[Spot], rng: random.Random) -> list[Spot]:
    first = rng.choice(among)
    near = [s for s in among if s.path == first.path and s is not first]
    chain = [first, *rng.sample(near, min(len(near), rng.randrange(2)))]
    return chain + rng.sample([s for s in among if s.path != first.path], rng.randrange(3))


def failures(name: str, old: Texts, new: Texts, count: int) -> list[Question]:
    """Return up to `count` errors of compilers and failures of tests."""
    rng = random.Random(f"{name} failures")
    made = []
    for number in range(count):
        aside = number % 2 == 1
        found = spots(old, new, aside, random.Random(name))
        by_family = {family: some for family, some in found.items() if len(some) > 9}
        if not by_family:
            continue
        family = max(sorted(by_family), key=lambda f: len(by_family[f]))
        spot = rng.choice(by_family[family])
        text = failed(family, _frame(spot, spot.path), aside, rng)
        made.append(Question(text, "failure", (Target(new_path(spot, new), spot.now, spot.now),)))
    return made
