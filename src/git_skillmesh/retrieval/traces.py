"""Read what a program said when it failed: text in, the places that it names out.

Stack traces of Python, JavaScript, Java, Kotlin, Scala, C#, Ruby, Go, Rust, PHP and Elixir, errors
of compilers, failures of tests, and `path:line` wherever it stands. Lines may carry what a logger
puts before them. The time is linear in the text: every pattern is anchored where it is tried, and
of a long line or a long text only the ends that tell something are read.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

_MOST_FRAMES = 100
_MOST_LINES = 2_000  # at the start, and as many at the end
_LONGEST_LINE = 1_000


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in a program, as it was on another machine.

    path    with forward slashes, absolute or not; may lack the extension
    line    1-based, 0 when it is not known
    symbol  name of the function without its class, "" when it is not known or has none
    guessed the path was made of the name of a class
    """

    path: str
    line: int = 0
    symbol: str = ""
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """Frames, the innermost first; `message` is what stands around them."""

    frames: tuple[Frame, ...] = ()
    message: str = ""


_HINT = re.compile(r"[:(\[]\d|line \d|at [\w<]|\.py::\w|FAIL|\w#\w")
_PYTHON = re.compile(r'File "([^"]+)", line (\d{1,7})(?:, in ([\w<>.]+))?')
_AT = re.compile(r"(?:^|[\s\]|])at (?=\S)")
_NODE = re.compile(
    r"at (?:async )?(?:new )?([^\s(]+)(?: \[as [\w$]+\])? "
    r"\((?:\w+:/{2,3})?((?:[A-Za-z]:)?[^():]+):(\d{1,7}):\d{1,7}\)"
)
_BARE_AT = re.compile(
    r"at (?:async )?(?:\w+:/{2,3})?((?:[A-Za-z]:)?[^\s():]+):(\d{1,7})(?::\d{1,7})?$"
)
_JAVA = re.compile(
    r"at (?:[^\s/()]*/)*([\w.$<>-]+)\.([\w$<>-]+)"
    r"\((?:([\w.$-]+\.(?:java|kts?|scala|groovy|clj)):(\d{1,7})|Unknown Source|Native Method)\)"
)
_CSHARP = re.compile(
    r"at ([\w.`+<>|$\[\],]+?)[.:]+(\.?ctor|[\w<>|$]+)(?:`\d+)?(?:\[[^\]()]*\])? ?\([^()]*\)"
    r"(?: \[0x\w+\])?(?: in (.+?):(?:line )?(\d{1,7}))?\s*$"
)
_RUBY = re.compile(r"(?<!\S)((?:[A-Za-z]:)?[^\s:]+):(\d{1,7}):in [`'\u2018]([^'\u2019]{1,200})")
_GO = re.compile(r"\s*((?:[A-Za-z]:)?[^\s:]+\.go):(\d{1,7})(?: \+0x[0-9a-f]+)?$")
_GO_CALL = re.compile(r"(?:created by )?(\S*?\w)(?:\((?!\*)|\[|$| in goroutine)")
_RUST_CALL = re.compile(r"\s*\d{1,4}: +(?:0x[0-9a-f]+ - )?(\S.*)$")
_PHP = re.compile(r"#\d{1,4} ((?:[A-Za-z]:)?[^\s:()]+)\((\d{1,7})\): (.*)$")
_PHP_HEAD = re.compile(r"(?:^| )in ((?:[A-Za-z]:)?[^\s:()]+\.\w+)(?::| on line )(\d{1,7})\b")
_ELIXIR = re.compile(
    r"\s*(?:\([\w.]+(?: [\w.+-]+)?\) )?([\w./-]+\.(?:exs?|erl)):(\d{1,7}): "
    r"(?:anonymous fn/\d+ in )?(?::?[\w.]*[.])?\"?(?:-)?([\w!?]+)"
)
_PYTEST = re.compile(r"(?<!\S)([^\s:]+\.py)::(?:\w+::)*(\w+)")
_TEST_NAMES = re.compile(r"--- FAIL: (?P<go>\w+)|(?:^|\s)(?P<owner>\w+)(?:\.| > )(?P<method>\w+)"
                         r"(?::(?P<line>\d{1,7})\b| FAILED\b|(?=\(\) FAILED\b))"
                         r"|^(?P<type>\w+)#(?P<test>\w+) \["
                         r"|^thread '(?:\w+::)*(?P<rust>\w+)' panicked")  # fmt: skip
_SPLIT = re.compile(r"[\s\"'`<>|,;]+(?!\d+[\])])")
_PLACE = re.compile(
    r"\(?\[?(?:\w+:/{2,3})?((?:[A-Za-z]:)?[^:()\[\]]*\.[A-Za-z]\w{0,9})"
    r"(?::(\d{1,7})|\((\d{1,7})(?:,\d{1,7})?\)|:?\[(\d{1,7})(?:,\d{1,7})?\])"
)
_ON_LINE = re.compile(
    r"(?<!\S)([^\s:()\"']+\.[A-Za-z]\w{0,9})[\"']?,? (?:on |at )?line (\d{1,7})\b"
)
_NO_NAME = re.compile(r"^(?:<.*>|anonymous|main|\{closure\}|\d+|func\d+|_?invoke\w*|lambda|apply)$")


def read_trace(text: str) -> Trace:
    """Return the places that a text names; no frames if it names none."""
    if not _HINT.search(text, 0, 200_000):
        return Trace()
    lines = _lines(text)
    found = _Reader()
    for number, line in enumerate(lines):
        found.read(line, lines[number - 1] if number else "")
    frames = _merged([*reversed(found.python), *found.others])[:_MOST_FRAMES]
    return Trace(tuple(frames), "\n".join(found.rest)) if frames else Trace()


def _merged(frames: list[Frame]) -> list[Frame]:
    """Return each place once, with its function where any mention names it.

    The name of a test stands above the place where it failed.
    """
    places: dict[tuple[str, int, str], Frame] = {}
    test: Frame | None = None
    for frame in frames:
        if test is not None and not frame.symbol and not frame.guessed:
            places.pop((test.path, test.line, test.symbol), None)
            frame = replace(frame, symbol=test.symbol)
        test = frame if frame.guessed and not frame.line else None
        key = (frame.path, frame.line, "" if frame.line and frame.path else frame.symbol)
        known = places.get(key)
        if known is None or not known.symbol:
            places[key] = frame
    return list(places.values())


def _lines(text: str) -> list[str]:
    """Return the lines worth reading. A text within JSON or a log has its line breaks escaped."""
    if "\n" not in text and text.count("\\n") > 1:
        text = text.replace("\\n", "\n").replace("\\t", "\t")
    lines = text.splitlines()
    if len(lines) > 2 * _MOST_LINES:
        lines = lines[:_MOST_LINES] + lines[-_MOST_LINES:]
    return [line[:_LONGEST_LINE] for line in lines]


class _Reader:
    """Takes line after line, keeps frames in the order in which they stand."""

    def __init__(self) -> None:
        self.python: list[Frame] = []
        self.others: list[Frame] = []
        self.rest: list[str] = []
        self._php_waits = False

    def read(self, line: str, before: str) -> None:
        """Read one line; `before` is the one above it."""
        at = _AT.search(line)
        if at is not None and self._read_at(line[at.end() - 3 :].rstrip(), before):
            return
        if 'File "' in line and (match := _PYTHON.search(line)):
            self.python.append(_frame(match[1], match[2], match[3] or ""))
            return
        for hint, reader in _READERS:
            if hint in line and (frames := list(reader(line, before))):
                self.others += frames
                if reader is _read_go or reader is _read_ruby or reader is _read_elixir:
                    return
                break
        if "#" in line and (match := _PHP.search(line)):
            self._read_php(match)
            return
        if ":" in line or "(" in line or " line " in line or "[" in line:
            self.others += _places(line)
        if len(self.rest) < 20 and not line.startswith(("goroutine ", "stack backtrace")):
            self.rest.append(line)

    def _read_at(self, line: str, before: str) -> bool:
        if "(node:" in line or line.startswith("at node:"):
            return True  # of the runtime itself
        match: re.Match[str] | None
        if match := _JAVA.match(line):
            self.others.append(_java(match))
        elif match := _NODE.match(line):
            self.others.append(_frame(match[2], match[3], match[1].rpartition(".")[2]))
        elif match := _BARE_AT.match(line):
            call = _RUST_CALL.match(before)
            self.others.append(_frame(match[1], match[2], _rust_name(call[1]) if call else ""))
        elif match := _CSHARP.match(line):
            self.others.append(_csharp(match))
        return match is not None

    def _read_php(self, match: "re.Match[str]") -> None:
        """The function named is the one called there: it is where the frame before stopped."""
        name = re.split(r"->|::|\\", match[3].partition("(")[0])[-1]
        if self.others and not self.others[-1].symbol:
            self.others[-1] = replace(self.others[-1], symbol=_plain(name))
        self.others.append(_frame(match[1], match[2], ""))


def _frame(path: str, line: str, symbol: str, guessed: bool = False) -> Frame:
    return Frame(path.strip().replace("\\", "/"), int(line), _plain(symbol), guessed)


def _plain(name: str) -> str:
    """Return the name of a function that a person wrote, "" for what the compiler made."""
    if "$" in name:  # lambda$run$0, $anonfun$run$1, access$run, run$default
        parts = [part for part in name.split("$") if part and not part.isdigit()]
        parts = [p for p in parts if p not in ("lambda", "anonfun", "access", "default", "adapted")]
        name = parts[0] if parts else ""
    if name.startswith("<") and ">" in name[2:] and name[1] != ">":  # <SendAsync>d__5
        inner = name[1 : name.index(">")]
        name = inner if name.index(">") < len(name) - 1 else name
    return "" if _NO_NAME.match(name) else name


def _java(match: "re.Match[str]") -> Frame:
    """Return the frame of `package.Outer$Inner.method(File.java:12)`."""
    packages = [part for part in match[1].split(".")[:-1] if not part[:1].isupper()]
    last = match[1].rpartition(".")[2]
    outer, *inner = last.split("$")
    symbol = _plain(match[2])
    if match[2] == "<init>":
        symbol = (inner or [outer])[-1] if not (inner or [outer])[-1].isdigit() else ""
    elif not symbol:  # Outer$run$1.invokeSuspend
        symbol = next((part for part in inner if part[:1].islower()), "")
    file = match[3] or outer
    return Frame("/".join([*packages, file]), int(match[4] or 0), symbol, guessed=not match[3])


def _csharp(match: "re.Match[str]") -> Frame:
    """Return the frame of `Space.Type.Method(args) in path:line 12`."""
    owner = re.sub(r"`\d+|\[[^\]]*\]", "", match[1])
    parts = [part for part in re.split(r"[.+]", owner) if part]
    symbol = match[2]
    while parts and parts[-1].startswith("<"):  # what the compiler made of a lambda or of async
        made = parts.pop()
        if symbol == "MoveNext":
            symbol = made
    symbol = _plain(symbol)
    if match[2].endswith("ctor"):
        symbol = parts[-1] if parts else ""
    if match[3]:
        return _frame(match[3], match[4], symbol)
    return Frame("/".join(parts), 0, symbol, guessed=True)


def _rust_name(call: str) -> str:
    """Return the last name of `crate::module::Type<T>::name::{{closure}}::h1a2b`."""
    parts = [part for part in re.split(r"::", re.sub(r"<[^<>]*>", "", call)) if part]
    parts = [p for p in parts if re.fullmatch(r"\w+", p) and not re.fullmatch(r"h[0-9a-f]{16}", p)]
    return parts[-1] if parts else ""


def _read_ruby(line: str, before: str) -> Iterator[Frame]:
    match = _RUBY.search(line)
    if match:
        name = re.sub(r"^(?:(?:block|rescue|ensure)(?: \(\d+ levels\))? in )+", "", match[3])
        name = re.split(r"[#.]", name.partition("/")[0] if name[:1] != "/" else name)[-1]
        yield _frame(match[1], match[2], name)


def _read_go(line: str, before: str) -> Iterator[Frame]:
    match = _GO.match(line)
    if match:
        call = _GO_CALL.match(before.strip()) if before else None
        names = call[1].rpartition("/")[2].split(".")[1:] if call else []
        names = [name for name in names if re.fullmatch(r"\w+", name)]
        names = [name for name in names if not re.fullmatch(r"func\d+|\d+", name)]
        yield _frame(match[1], match[2], names[-1] if names else "")


def _read_elixir(line: str, before: str) -> Iterator[Frame]:
    match = _ELIXIR.match(line)
    if match:
        yield _frame(match[1], match[2], match[3])


def _read_pytest(line: str, before: str) -> Iterator[Frame]:
    for match in _PYTEST.finditer(line):
        yield _frame(match[1], "0", match[2])


def _read_php_head(line: str, before: str) -> Iterator[Frame]:
    match = _PHP_HEAD.search(line)
    if match:
        yield _frame(match[1], match[2], "")


def _read_test_name(line: str, before: str) -> Iterator[Frame]:
    match = _TEST_NAMES.search(line)
    symbol = match and _plain(match["go"] or match["test"] or match["rust"] or "")
    if symbol:
        yield Frame("", 0, symbol, guessed=True)
    elif match and match["owner"]:
        yield Frame(match["owner"], int(match["line"] or 0), match["method"], guessed=True)


# What a line has to hold before its reader is tried.
_READERS: tuple[tuple[str, Callable[[str, str], Iterator[Frame]]], ...] = (
    (":in ", _read_ruby),
    (".go:", _read_go),
    (".ex", _read_elixir),
    (".erl:", _read_elixir),
    (".py::", _read_pytest),
    ("FAIL", _read_test_name),
    ("[ERROR]", _read_test_name),
    ("#", _read_test_name),
    (" panicked at ", _read_test_name),
    (" in ", _read_php_head),
)


def _places(line: str) -> Iterator[Frame]:
    """Yield every `path:line`, `path(line,column)` and `path on line 12` of a line."""
    if " line " in line:
        for match in _ON_LINE.finditer(line):
            yield _frame(match[1], match[2], "")
    for word in _SPLIT.split(line):
        place = _PLACE.match(word)
        if place:
            yield _frame(place[1], place[2] or place[3] or place[4], "")
