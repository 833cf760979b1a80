"""Questions that nobody asked, made of what a repository holds: its documentation, keys, messages.

In: the texts of a tree. Out: `Question`s with the lines that answer them. The same tree gives the
same questions: what is drawn is drawn with a seed. `category` is the kind of question.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from benchmarks.annotations import Question, Target
from benchmarks.config_keys import keys_of
from git_skillmesh.embedding.tokens import STOP_WORDS

CODE = frozenset(re.findall(r"\w+", "py js ts java kt scala cs rb go rs php ex exs c h cc cpp"))
_CONFIGURATION = ("json", "yml", "yaml", "toml", "ini", "cfg", "properties")
_ASIDE = re.compile(
    r"(^|/)(tests?|specs?|__tests__|testdata|fixtures?|examples?|samples?|vendor|test-\w+|[\w.]+Tests?"
    r"|[\w-]*[tT]est)(/|$)|[._](test|spec)\.\w+$|Tests?\.\w+$|(^|/)test_|lock\.\w+$"
)
_VALUES = ("foo", "42", "/srv/data.txt", "Widget", "user_id", "1.5")
_RAISED = re.compile(
    r"(?:raise|throw|[eE]rror|Exception|Errorf|panic|fail|abort|bail|die)\w*!?[^\n\"'`]{0,50}[(\s,{]\s*"
    r"[$f@]?([\"'`])((?:(?!\1)[^\\\n]){15,160})\1(\s*[+.]\s*\$?\w)?"
)
_PLACEHOLDER = re.compile(r"\$\{[^{}]*\}|#\{[^{}]*\}|\{[^{}]*\}|%[-+\d.]*[sdvqrwxTfip]\b|\$\w+")
_WORDS = re.compile(r"[A-Za-z]{2,}")
_HEADING = re.compile(r"^#{1,5} +(.+?)[ #]*$")
_UNDERLINE = re.compile(r"^([=~^\-\"'*#+])\1{2,} *$")
_SYNONYMS = {
    "install": "set up", "installation": "setting up", "configure": "set", "delete": "remove",
    "configuration": "settings", "options": "settings", "usage": "using", "creating": "making",
    "create": "make", "add": "include", "adding": "including", "errors": "failures",
    "error": "failure", "custom": "own", "default": "standard", "test": "check", "start": "begin",
    "testing": "checking",
    "build": "compile", "building": "compiling", "run": "execute", "running": "executing",
    "getting": "get", "customizing": "changing", "multiple": "several", "migrating": "moving",
    "handling": "dealing with", "requirements": "what is needed", "upgrading": "moving up",
    "deprecated": "obsolete", "files": "documents", "contributing": "helping",
    "using": "working with",
}  # fmt: skip
Texts = Mapping[str, str]


def extension(path: str) -> str:
    """Return what stands after the last dot, in lower case."""
    return path.rpartition(".")[2].lower()


def is_aside(path: str) -> bool:
    """Whether a file is a test, an example or somebody else's."""
    return bool(_ASIDE.search(path))


def questions(name: str, texts: Texts, count: int) -> list[Question]:
    """Return up to `count` questions of each kind."""
    made = []
    for kind, source in (
        ("message", _messages),
        ("phrase", _phrases),
        ("key", _keys),
        ("heading", _headings),
        ("sentence", _sentences),
        ("change", _changes),
    ):
        found = list(source(texts, random.Random(f"{name} {kind}")))
        random.Random(f"{name} {kind} choice").shuffle(found)
        made += [Question(text, kind, targets) for text, targets in found[:count]]
    return made


_Found = Iterator[tuple[str, tuple[Target, ...]]]


def _messages(texts: Texts, rng: random.Random) -> _Found:
    """Messages of errors as a user sees them, with values where the source has placeholders."""
    everywhere = Counter[str]()
    found = []
    for path, text in sorted(texts.items()):
        if extension(path) not in CODE or is_aside(path):
            continue
        for match in _RAISED.finditer(text):
            line = text.count("\n", 0, match.start(2)) + 1
            everywhere[match[2]] += 1
            found.append((path, line, match[2], bool(match[3])))
    for path, line, template, goes_on in found:
        bare = _PLACEHOLDER.sub(" ", template)
        if everywhere[template] > 1 or len(re.findall(r"(?<!\S)[A-Za-z]{2,}", bare)) < 4:
            continue
        text = _PLACEHOLDER.sub(lambda _: rng.choice(_VALUES), template)
        text = text.replace("\\", "") + (rng.choice(_VALUES) if goes_on else "")
        form = rng.randrange(4)
        if form == 1:
            text = '"' + text.replace('"', "'") + '"'
        elif form == 2:
            text = f"{rng.choice(('Error', 'fatal', 'ValueError', 'RuntimeException'))}: {text}"
        elif form == 3:
            text = 'where does "' + text.replace('"', "'") + '" come from'
        yield text, (Target(path, line, line),)


def _phrases(texts: Texts, rng: random.Random) -> _Found:
    """A few words that stand next to each other just once in the whole tree, in quotes."""
    everything = "\n".join(texts.values())
    for path in rng.sample(sorted(texts), min(len(texts), 120)):
        lines = texts[path].split("\n")
        if len(lines) < 5 or re.search(r"\.(svg|lock|sum)$|LICEN[CS]E|COPYING", path):
            continue
        number = rng.randrange(len(lines))
        tokens = lines[number].split()
        size = rng.randint(3, 6)
        if len(tokens) < size or len(lines[number]) > 300:
            continue
        start = rng.randrange(len(tokens) - size + 1)
        phrase = " ".join(tokens[start : start + size])
        if '"' in phrase or len(_WORDS.findall(phrase)) < 3 or everything.count(phrase) != 1:
            continue
        about = path.rpartition("/")[2].partition(".")[0]
        form = rng.choice(('"{}"', '"{}"', 'where is "{}"', 'code that says "{}"', '{about} "{}"'))
        yield form.format(phrase, about=about), (Target(path, number + 1, number + 1),)


def _keys(texts: Texts, rng: random.Random) -> _Found:
    """Keys of configuration files: the whole path, or the last name where it is rare."""
    places: dict[str, list[Target]] = {}
    last = Counter[str]()
    code = {p: t for p, t in texts.items() if extension(p) in CODE and not is_aside(p)}
    for path, text in sorted(texts.items()):
        kind = extension(path)
        if kind in _CONFIGURATION and not is_aside(path) and "lock" not in path:
            seen = set()
            for key, line in keys_of(text, kind):
                name = ".".join(key)
                if name not in seen and all(re.fullmatch(r"[\w@/-]{2,40}", part) for part in key):
                    seen.add(name)
                    places.setdefault(name, []).append(Target(path, line, line))
                    last[key[-1]] += 1
    for name, targets in sorted(places.items()):
        own = name.rpartition(".")[2]
        wanted = list(targets)
        form = rng.choice(("{}", "{}", "where is {} set", "what is `{}`"))
        if last[own] == 1 and len(own) > 6 and rng.random() < 0.5:
            name = own
            quoted = re.compile(rf"[\"'`]{re.escape(own)}[\"'`]")
            readers = [(p, m.start()) for p, t in code.items() for m in quoted.finditer(t)]
            if len(readers) <= 2:
                lines = [(p, texts[p].count("\n", 0, at) + 1) for p, at in readers]
                wanted += [Target(p, line, line) for p, line in lines]
        elif "." not in name:
            continue
        if len(wanted) <= 3:
            yield form.format(name), tuple(wanted)


def _sections(texts: Texts) -> Iterator[tuple[str, str, int, int, str]]:
    """Yield (path, heading, first line, last line, body) of every section of the documentation."""
    for path, text in sorted(texts.items()):
        if extension(path) not in ("md", "rst") or is_aside(path):
            continue
        lines = text.split("\n")
        heads = []
        fenced = False
        for number, line in enumerate(lines):
            fenced ^= line.lstrip().startswith(("```", "~~~"))
            match = _HEADING.match(line)
            if match and not fenced and extension(path) == "md":
                heads.append((number, match[1]))
            elif number and not fenced and _UNDERLINE.match(line) and lines[number - 1].strip():
                title = lines[number - 1].strip()
                if len(line.strip()) >= len(title) and not title.startswith(("|", "-", "=")):
                    heads.append((number - 1, title))
        for (first, title), after in zip(heads, [*heads[1:], (len(lines), "")], strict=False):
            body = "\n".join(lines[first + 1 : after[0]])
            yield path, _plain(title), first + 1, after[0], body


def _plain(text: str) -> str:
    text = re.sub(r"!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])", r"\1", text)
    text = re.sub(r":\w+:`([^`<]*)[^`]*`|<[^>]*>|\{[^}]*\}", r"\1", text)
    return " ".join(re.sub(r"[`*\\]|__|\(?#\d+\)?", "", text).split())


def _is_log(path: str) -> bool:
    return bool(re.search(r"change|history|release|upgrad|migrat|news|whats", path, re.IGNORECASE))


def _headings(texts: Texts, rng: random.Random) -> _Found:
    """The heading asked for, as it is or in other words."""
    found = [s for s in _sections(texts) if not _is_log(s[0]) and len(s[4].split()) >= 25]
    often = Counter(title.lower() for _, title, *_ in found)
    for path, title, first, last, _ in found:
        words = title.split()
        if not 2 <= len(words) <= 9 or often[title.lower()] > 1 or not title.isascii():
            continue
        lower = [word if word[1:] != word[1:].lower() else word.lower() for word in words]
        said = " ".join(lower)
        if rng.random() < 0.5:
            said = " ".join(_SYNONYMS.get(word, word) for word in lower)
        if title.endswith("?"):
            yield said, (Target(path, first, last),)
            continue
        if lower[0] in ("how", "what", "why", "when"):
            form = "{}?"
        elif lower[0].endswith("ing"):
            form = rng.choice(("how do I go about {}", "guide for {}", "{}"))
        elif lower[0] in _SYNONYMS or lower[0] in ("use", "set", "get", "write", "make", "enable"):
            form = rng.choice(("how do I {}", "how to {}"))
        else:
            form = rng.choice(("what is {}", "what are {}", "documentation of {}", "{}"))
        yield form.format(said), (Target(path, first, last),)


def _sentences(texts: Texts, rng: random.Random) -> _Found:
    """The first sentence of a section without the words of its heading."""
    for path, title, first, last, body in _sections(texts):
        if (
            _is_log(path)
            or len(body.split()) < 25
            or body.lstrip().startswith(("```", "..", "    "))
        ):
            continue
        paragraph = _plain(body.strip().split("\n\n")[0])
        sentence = re.split(r"(?<=[.!?])\s", paragraph)[0].rstrip(".:")
        own = {word.lower().rstrip("s") for word in _WORDS.findall(title)}
        kept = [w for w in sentence.split() if w.lower().strip(".,:;()'\"").rstrip("s") not in own]
        telling = [w for w in kept if w.isascii() and w.strip(".,").isalpha()]
        telling = [word for word in telling if word.lower() not in STOP_WORDS]
        if len(telling) >= 5 and len(kept) <= 30 and not sentence.startswith((".", "|", "-", "!")):
            yield (
                rng.choice(("{}", "{}", "why {}", "is it true that {}")).format(" ".join(kept)),
                (Target(path, first, last),),
            )


def _changes(texts: Texts, rng: random.Random) -> _Found:
    """What a line of a change log or of a migration guide is about."""
    for path, text in sorted(texts.items()):
        if extension(path) not in ("md", "rst") or not _is_log(path) or is_aside(path):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            bullet = re.match(r"\s*[-*] +(.*)", line)
            words = _plain(bullet[1]).split() if bullet else []
            words = [word for word in words if word.isascii() and not re.search(r"[@#]|://", word)]
            if len(words) < 6 or text.count(line) > 1:
                continue
            said = " ".join(words[:12]).rstrip(".,:;(")
            form = rng.choice(("{}", "which release: {}", "what changed: {}", "since when {}"))
            yield form.format(said), (Target(path, number, number),)
