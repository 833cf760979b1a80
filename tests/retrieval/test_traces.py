"""What a pasted text names: traces of every language, compilers, tests, and hostile text."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from git_skillmesh.retrieval.traces import Frame, Trace, read_trace

PYTHON = """\
Traceback (most recent call last):
  File "/srv/shop/main.py", line 12, in <module>
    run()
  File "C:\\venv\\Lib\\site-packages\\parcels\\scales.py", line 40, in weigh
    return self.grams
AttributeError: 'NoneType' object has no attribute 'grams'
"""
NODE = """\
TypeError: Cannot read properties of undefined (reading 'length')
    at Reply.send (/srv/node_modules/fast/lib/reply.js:120:7)
    at async file:///opt/fast/lib/hooks.js:33:5
    at new Router (C:\\app\\fast\\router.ts:8:1)
    at node:internal/main/run_main_module:23:47
"""
JAVA = """\
Exception in thread "main" java.lang.NullPointerException: value
\tat java.base/java.util.ArrayList.rangeCheck(ArrayList.java:657)
\tat com.acme.Label$Printer.lambda$print$0(Label.java:31)
\tat com.acme.LabelKt$flow$1.invokeSuspend(Label.kt:7)
\tat com.acme.Label.<init>(Unknown Source)
"""
CSHARP = """\
System.NullReferenceException: Object reference not set to an instance of an object.
   at Acme.Label.<PrintAsync>d__5.MoveNext() in D:\\a\\acme\\src\\Label.cs:line 31
   at Acme.Label.Printer`1..ctor(String name)
[18:25:37]   at Acme.Json.Text.Writer.Write(JsonWriter writer, Object value)
"""
RUBY = """\
/gems/acme-1.2/lib/acme/label.rb:12:in `block (2 levels) in print': no size (NoMethodError)
\tfrom /gems/acme-1.2/lib/acme/queue.rb:7:in 'Acme::Queue#push'
"""
GO = """\
panic: runtime error: invalid memory address or nil pointer dereference

goroutine 36 [running]:
github.com/acme/label/v2.(*Ctx).Query(0xc000243080, {0x159d161, 0x5})
\t/go/pkg/mod/github.com/acme/label/v2@v2.42.0/ctx.go:1105 +0x45
github.com/acme/label.Print.func1.2()
\t/src/label/print.go:7
created by main.main
\t/srv/main.go:41 +0x18a
"""
RUST = """\
thread 'queue_is_empty' panicked at src/pool.rs:659:42:
stack backtrace:
  12: acme::pool::Checkout<T>::poll::{{closure}}::h1a8d6e1f8cb3f5d4
             at /usr/local/cargo/registry/src/acme-0.13.0/src/pool.rs:640:9
"""
PHP = """\
PHP Fatal error:  Uncaught TypeError: no in /var/www/vendor/acme/src/Label.php:25
Stack trace:
#0 /var/www/vendor/acme/src/Queue.php(113): Acme\\Label->print('a', NULL)
#1 /var/www/index.php(3): Acme\\Queue::push()
#2 {main}
  thrown in /var/www/vendor/acme/src/Label.php on line 25
"""
ELIXIR = """\
** (FunctionClauseError) no function clause matching
    (acme 2.1.0) lib/acme/label.ex:44: anonymous fn/3 in Acme.Label.print/2
    (stdlib 4.2) gen_server.erl:1123: :gen_server.try_dispatch/4
"""


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        (PYTHON, [("C:/venv/Lib/site-packages/parcels/scales.py", 40, "weigh"),
                  ("/srv/shop/main.py", 12, "")]),
        (NODE, [("/srv/node_modules/fast/lib/reply.js", 120, "send"),
                ("opt/fast/lib/hooks.js", 33, ""), ("C:/app/fast/router.ts", 8, "Router")]),
        (JAVA, [("java/util/ArrayList.java", 657, "rangeCheck"),
                ("com/acme/Label.java", 31, "print"), ("com/acme/Label.kt", 7, "flow"),
                ("com/acme/Label", 0, "Label")]),
        (CSHARP, [("D:/a/acme/src/Label.cs", 31, "PrintAsync"),
                  ("Acme/Label/Printer", 0, "Printer"), ("Acme/Json/Text/Writer", 0, "Write")]),
        (RUBY, [("/gems/acme-1.2/lib/acme/label.rb", 12, "print"),
                ("/gems/acme-1.2/lib/acme/queue.rb", 7, "push")]),
        (GO, [("/go/pkg/mod/github.com/acme/label/v2@v2.42.0/ctx.go", 1105, "Query"),
              ("/src/label/print.go", 7, "Print"), ("/srv/main.go", 41, "")]),
        (RUST, [("src/pool.rs", 659, "queue_is_empty"),
                ("/usr/local/cargo/registry/src/acme-0.13.0/src/pool.rs", 640, "poll")]),
        (PHP, [("/var/www/vendor/acme/src/Label.php", 25, "print"),
               ("/var/www/vendor/acme/src/Queue.php", 113, "push"), ("/var/www/index.php", 3, "")]),
        (ELIXIR, [("lib/acme/label.ex", 44, "print"), ("gen_server.erl", 1123, "try_dispatch")]),
        ("src/a.ts(12,5): error TS2345: no", [("src/a.ts", 12, "")]),
        ("error[E0308]: mismatched types\n   --> src/a.rs:12:5", [("src/a.rs", 12, "")]),
        ("/w/A.java:[3,5] error: no symbol", [("/w/A.java", 3, "")]),
        ("syntax error in /opt/a.php on line 9", [("/opt/a.php", 9, "")]),
        ("FAILED tests/test_a.py::TestA::test_b - assert", [("tests/test_a.py", 0, "test_b")]),
        ("--- FAIL: TestA (0.00s)\n    a_test.go:7: no", [("a_test.go", 7, "TestA")]),
        ("what does src/a.py:42 do", [("src/a.py", 42, "")]),
    ],
)  # fmt: skip
def test_the_places_that_a_text_names(text: str, frames: list[tuple[str, int, str]]) -> None:
    found = read_trace(text).frames
    assert [(frame.path, frame.line, frame.symbol) for frame in found] == frames


def test_a_trace_in_one_line_of_json() -> None:
    assert read_trace(PYTHON.replace("\n", "\\n")).frames == read_trace(PYTHON).frames


def test_the_message_is_what_stands_around_the_frames() -> None:
    assert read_trace(JAVA).message == (
        'Exception in thread "main" java.lang.NullPointerException: value'
    )


@pytest.mark.parametrize(
    "text",
    ["", "how is a header parsed", "parse_header", "HTTPServer.close_all()", "localhost:8080",
     "at startup", "10:30 in the log", "rack 3.0:1", "look at Router.add"],
)  # fmt: skip
def test_no_trace(text: str) -> None:
    assert read_trace(text) == Trace()


_PIECES = st.sampled_from(
    ["at ", "a.b", "(", ")", ":12", ":in `", "'", 'File "', '", line 3, in f', "\n", "\\n", "#0 ",
     "/x/y.py", ".go:1", " line ", "::", "$", "<a>d__1", "FAIL", "--- FAIL: T", "C:\\", "\0", "é",
     "thread 'a' panicked at ", "[1,2]", " in ", "  1: a::b"]
)  # fmt: skip


@given(st.lists(_PIECES | st.text(max_size=5), max_size=60).map("".join))
@example("\\n\\n\\n at :1")
def test_any_text_gives_frames_that_can_be_looked_up(text: str) -> None:
    trace = read_trace(text)
    for frame in trace.frames:
        assert isinstance(frame, Frame)
        assert frame.line >= 0
        assert "\\" not in frame.path
        assert "\n" not in frame.path + frame.symbol
    assert len(trace.frames) <= 100
    assert bool(trace.frames) or trace.message == ""


@pytest.mark.parametrize(
    "piece",
    ["at ", ":", "a/", "at a.b(", "at a.b(\n", "a.", "\"'`<", "Error", " in a", "  1: <", "a\\",
     ":in ", "a.py::b::", "#1 a", "(node:", "\n", "[1", "a:1 ", "x FAIL\n"],
)  # fmt: skip
def test_a_megabyte_of_anything_takes_a_moment(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    begun = time.process_time()
    read_trace(text)
    read_trace("at x " + text)
    assert time.process_time() - begun < 5
