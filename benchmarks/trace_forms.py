"""How each language writes a trace, a compiler its error and a test its failure.

In: frames. Out: text as people paste it. The forms are those of traces in public issues.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Frame:
    """What a form shows of a place in a program."""

    path: str
    line: int
    function: str
    owner: str
    package: str
    code: str
    column: int


# Frames of other programs as (path, line, function): the first may stand innermost, the second
# between, the others are outermost.
_GO, _RUST = (
    "/go/pkg/mod/github.com/valyala/fasthttp@v1.45.0",
    "/rustc/9fc6b43126469e3858e2fe86",
)
_PHP = "/var/www/html"
_AROUND = {
    "py": [
        ("/usr/lib/python3.9/json/decoder.py", 355, "raw_decode"),
        ("/usr/lib/python3.9/threading.py", 980, "run"),
        ("/srv/shop/views/orders.py", 41, "create_order"),
        ("/srv/shop/main.py", 12, "<module>"),
    ],
    "js": [
        ("node:internal/process/task_queues", 95, "processTicksAndRejections"),
        ("/srv/shop/node_modules/express/lib/router/layer.js", 95, "Layer.handle"),
        ("node:events", 513, "Socket.emit"),
        ("/srv/shop/src/orders.js", 41, "createOrder"),
    ],
    "java": [
        ("java.util.ArrayList.java", 657, "java.base/java.util.ArrayList.rangeCheck"),
        ("ThreadPoolExecutor.java", 1128, "java.util.concurrent.ThreadPoolExecutor.runWorker"),
        ("Thread.java", 829, "java.base/java.lang.Thread.run"),
        ("OrderService.java", 41, "com.acme.shop.OrderService.create"),
    ],
    "cs": [
        ("", 0, "System.Collections.Generic.Dictionary`2.get_Item(TKey key)"),
        ("", 0, "System.Threading.Tasks.Task.Execute()"),
        (r"C:\work\Shop\OrderService.cs", 41, "Shop.Orders.OrderService.Create(Order order)"),
    ],
    "rb": [
        ("/bundle/gems/activesupport-7.0.4/lib/active_support/callbacks.rb", 118, "run_callbacks"),
        ("/usr/local/lib/ruby/3.1.0/socket.rb", 227, "connect"),
        ("/srv/shop/app/models/order.rb", 41, "create_order"),
        ("/srv/shop/config.ru", 3, "<main>"),
    ],
    "go": [
        ("/usr/local/go/src/runtime/panic.go", 884, "panic"),
        ("/usr/local/go/src/net/http/server.go", 2936, "net/http.(*conn).serve"),
        (f"{_GO}/workerpool.go", 224, "github.com/valyala/fasthttp.(*workerPool).workerFunc"),
        ("/srv/shop/main.go", 41, "main.main"),
    ],
    "rs": [
        (f"{_RUST}/library/std/src/panicking.rs", 665, "rust_begin_unwind"),
        (f"{_RUST}/library/core/src/option.rs", 1985, "core::option::unwrap_failed"),
        ("./src/main.rs", 41, "shop::main"),
    ],
    "php": [
        (f"{_PHP}/vendor/laravel/src/Pipeline.php", 180, "Illuminate\\Pipeline\\Pipeline->then"),
        (f"{_PHP}/app/Orders.php", 41, "App\\Orders->create"),
        (f"{_PHP}/public/index.php", 12, "require"),
    ],
    "ex": [
        ("(elixir 1.14.2) lib/enum.ex", 1658, 'Enum."-map/2-lists^map/1-0-"/2'),
        ("(stdlib 4.2) gen_server.erl", 1123, ":gen_server.try_dispatch/4"),
        ("(shop 0.1.0) lib/shop/orders.ex", 41, "Shop.Orders.create/1"),
    ],
}
_AROUND["kt"] = _AROUND["java"]


def _with_others(mine: list[str], others: list[str], rng: random.Random) -> list[str]:
    """Mix lines of other frames in: sometimes innermost, one between, some outermost."""
    innermost = others[:1] if rng.random() < 0.35 else []
    between = others[1:2] if rng.random() < 0.4 else []
    return [*innermost, *mine[:1], *between, *mine[1:], *others[2:]]


def _python(f: Frame) -> str:
    return f'  File "{f.path}", line {f.line}, in {f.function}\n    {f.code}'


def _node(f: Frame) -> str:
    name = f"{f.owner}.{f.function}" if f.owner else f.function
    return f"    at {name} ({f.path}:{f.line}:{f.column})"


def _java(f: Frame) -> str:
    file = f.path.rpartition("/")[2]
    owner = f.owner or file.partition(".")[0] + "Kt"
    return f"\tat {f.package}.{owner}.{f.function}({file}:{f.line})"


def _csharp(f: Frame) -> str:
    name = f"{f.package}.{f.owner}.{f.function}".lstrip(".")
    place = f" in {f.path}:line {f.line}" if f.path else ""
    return f"   at {name}(String name, Object value){place}"


def _ruby(f: Frame) -> str:
    return f"\tfrom {f.path}:{f.line}:in `{f.function}'"


def _go(f: Frame) -> str:
    owner = f.owner.lstrip("*")
    name = f"(*{owner}).{f.function}" if f.owner.startswith("*") else f.function
    called = f"github.com/acme/{f.package}.{name}(0xc000243080, {{0x159d161, 0x5}})"
    return f"{called}\n\t{f.path}:{f.line} +0x45"


def _rust(f: Frame) -> str:
    module = f.path.rpartition("/src/")[2].removesuffix(".rs").replace("/", "::")
    owner = f"{f.owner.partition('<')[0]}::" if f.owner else ""
    name = f"{module}::{owner}{f.function}"
    return f"  12: {name}\n             at {f.path}:{f.line}:{f.column}"


def _elixir(f: Frame) -> str:
    return f"    {f.path}:{f.line}: {f.owner}.{f.function}/2"


def _other(family: str, path: str, line: int, name: str) -> str:
    if family == "py":
        return f'  File "{path}", line {line}, in {name}\n    return self.run()'
    if family == "js":
        return f"    at {name} ({path}:{line}:5)"
    if family in ("java", "kt"):
        return f"\tat {name}({path.rpartition('.java')[0].rpartition('.')[2]}.java:{line})"
    if family == "cs":
        return f"   at {name}" + (f" in {path}:line {line}" if path else "")
    if family == "rb":
        return f"\tfrom {path}:{line}:in `{name}'"
    if family == "go":
        return f"{name}(0x9b5360, 0xd99230)\n\t{path}:{line} +0x24a"
    if family == "rs":
        return f"  13: {name}\n             at {path}:{line}:9"
    return f"    {path}:{line}: {name}"


def _php(mine: list[Frame], others: list[tuple[str, int, str]]) -> str:
    """PHP names the function that was called at each place, not the one that the place is in."""
    top = mine[0]
    head = "PHP Fatal error:  Uncaught TypeError: Unsupported operand types in"
    lines = [f"{head} {top.path}:{top.line}", "Stack trace:"]
    called = f"{top.package}\\{top.owner}->{top.function}(Array, NULL)"
    rest = [(f.path, f.line, f"{f.package}\\{f.owner}->{f.function}('abc')") for f in mine[1:]]
    for number, (path, line, name) in enumerate([*rest, *others]):
        lines.append(f"#{number} {path}({line}): {called}")
        called = name if name.endswith(")") else name + "()"
    lines.append(f"#{len(rest) + len(others)} {{main}}")
    lines.append(f"  thrown in {top.path} on line {top.line}")
    return "\n".join(lines)


_FORMS: dict[str, Callable[[Frame], str]] = {
    "py": _python, "js": _node, "java": _java, "kt": _java, "cs": _csharp, "rb": _ruby, "go": _go,
    "rs": _rust, "ex": _elixir,
}  # fmt: skip
_HEADS = {
    "js": "TypeError: Cannot read properties of undefined (reading 'length')",
    "java": 'Exception in thread "main" java.lang.NullPointerException: value',
    "kt": "java.lang.IllegalStateException: closed",
    "cs": "Unhandled exception. System.NullReferenceException: Object reference not set to an "
    "instance of an object.",
    "go": "panic: runtime error: invalid memory address or nil pointer dereference\n"
    "[signal SIGSEGV: segmentation violation code=0x1 addr=0x38 pc=0x675de5]\n\n"
    "goroutine 36 [running]:",
    "ex": "** (FunctionClauseError) no function clause matching",
}


def written(family: str, frames: list[Frame], rng: random.Random) -> str:
    """Return the trace of some frames, the innermost first."""
    around = _AROUND[family]
    if family == "php":
        return _php(frames, around)
    others = [_other(family, *place) for place in around]
    mine = [_FORMS[family](frame) for frame in frames]
    lines = _with_others(mine, others, rng)
    if family == "py":
        lines = ["Traceback (most recent call last):", *lines[::-1],
                 "AttributeError: 'NoneType' object has no attribute 'get'"]  # fmt: skip
    elif family == "rb":
        first = (
            lines[0].replace("\tfrom ", "", 1)
            + ": undefined method `size' for nil:NilClass (NoMethodError)"
        )
        lines = [first, *lines[1:]]
    elif family == "rs":
        place = lines[0].rpartition("at ")[2]
        head = "thread 'main' panicked at 'called `Option::unwrap()` on a `None` value'"
        lines = [f"{head}, {place}", "stack backtrace:", *lines]
    else:
        lines = [_HEADS[family], *lines]
    said = "\n".join(lines)
    if rng.random() < 0.2:
        said = "why does this happen?\n\n" + said
    return said


# Family → what a test says that failed, and a compiler.
_FAILED = {
    "py": (
        "FAILED {path}::{function} - AssertionError: assert 3 == 4",
        "{path}:{line}: AssertionError",
    ),
    "js": (
        "  1) {owner}\n     AssertionError: expected 3 to equal 4\n"
        "      at Context.<anonymous> ({path}:{line}:{column})",
    ),
    "java": ("[ERROR]   {owner}.{function}:{line} expected: <3> but was: <4>",),
    "kt": ("{owner} > {function} FAILED\n    java.lang.AssertionError at {file}:{line}",),
    "cs": (
        "  Failed {owner}.{function} [12 ms]\n  Error Message:\n   Assert.Equal() Failure\n"
        "  Stack Trace:\n     at {package}.{owner}.{function}() in /_/{path}:line {line}",
    ),
    "rb": ("  1) Failure:\n{owner}#{function} [{path}:{line}]:\nExpected: 3\n  Actual: 4",),
    "go": ("--- FAIL: {function} (0.00s)\n    {file}:{line}: expected 3, got 4",),
    "rs": (
        "---- {function} stdout ----\nthread '{function}' panicked at {path}:{line}:{column}:\n"
        "assertion failed: left == right",
    ),
    "php": (
        "1) {package}\\{owner}::{function}\nFailed asserting that 3 matches expected 4.\n\n"
        "/opt/work/{path}:{line}",
    ),
    "ex": ("     Assertion with == failed\n     stacktrace:\n       {path}:{line}: (test)",),
}
_COMPILED = {
    "py": "{path}:{line}: error: Incompatible return value type  [return-value]",
    "js": "{path}({line},{column}): error TS2345: Argument of type 'string' is not assignable.",
    "java": "/opt/work/{path}:[{line},{column}] error: incompatible types: String",
    "kt": "e: file:///opt/work/{path}:{line}:{column} Unresolved reference: foo",
    "cs": "C:\\work\\{path}({line},{column}): error CS0029: Cannot implicitly convert type",
    "rb": "{path}:{line}: syntax error, unexpected end-of-input",
    "go": "./{path}:{line}:{column}: cannot use x (variable of type int) as string value",
    "rs": "error[E0308]: mismatched types\n   --> {path}:{line}:{column}\n    |\n"
    "{line} |     {code}",
    "php": "PHP Parse error:  syntax error, unexpected token in /opt/{path} on line {line}",
    "ex": "warning: variable is unused\n  {path}:{line}: {owner}.{function}/2",
}


def failed(family: str, frame: Frame, is_test: bool, rng: random.Random) -> str:
    """Return what a test or a compiler says of a place."""
    form = rng.choice(_FAILED[family]) if is_test else _COMPILED[family]
    return form.format(**vars(frame), file=frame.path.rpartition("/")[2])
