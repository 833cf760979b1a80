"""The text in which an exchange is searched."""

from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.sessions.model import Act, Edit, Exchange, ToolCall
from git_skillmesh.sessions.text import search_text

RETRY = Exchange(
    "ask-1",
    "## Retry\n\nLost scans should be retried, three times.",
    "Done.\n\nThe pause doubles each time.",
    tools=(
        ToolCall("1", "Read", Act.READ, "src/scan.py", "def scan(): ...", paths=("src/scan.py",)),
        ToolCall(
            "2", "Edit", Act.EDIT, edits=(Edit("src/retry.py", "old = 1\n", "old = 1\nnew = 2\n"),)
        ),
        ToolCall("3", "Bash", Act.BASH, "pytest -q", "1 failed\nassert pause == 2", failed=True),
        ToolCall("4", "Edit", Act.EDIT, failed=True, edits=(Edit("src/never.py", "", "x\n"),)),
    ),
)


def test_the_whole_text() -> None:
    found = search_text(RETRY, "Lost scans")
    pieces = [(c.key, c.kind, c.symbol, c.start_line, c.text) for c in found.chunks]
    assert pieces == [
        ("prompt", "section", "Retry", 1,
         "## Retry\n\nLost scans should be retried, three times."),
        ("response", "text", "", 4, "Done.\n\nThe pause doubles each time."),
        ("edit src/retry.py", "block", "src/retry.py", 7, "src/retry.py\nnew = 2"),
        ("commands", "text", "", 9, "pytest -q"),
        ("failures", "text", "", 10, "1 failed\nassert pause == 2"),
    ]  # fmt: skip
    assert found.text == "\n".join(piece[4] for piece in pieces)
    assert found.paths == ("src/retry.py", "src/scan.py")
    assert {chunk.scope for chunk in found.chunks} == {"Lost scans"}


def test_nothing_said_is_no_text() -> None:
    assert search_text(Exchange("e", " \n\n", "")).chunks == ()


def test_what_is_long_is_cut_in_pieces_and_bounded() -> None:
    long = "\n".join(f"line {number} of a log" for number in range(40_000))
    found = search_text(Exchange("e", long, "x" * 5_000_000))
    assert len(found.text) < 80_000
    assert all(len(chunk.text) < 2_000 for chunk in found.chunks)
    assert len({chunk.key for chunk in found.chunks}) == len(found.chunks)
    assert "line 0 of a log" in found.text
    assert "line 39999 of a log" in found.text


TEXT = st.text(max_size=300) | st.lists(st.text(max_size=60), max_size=80).map("\n".join)


@given(TEXT, TEXT, st.lists(TEXT, max_size=4))
def test_chunks_are_whole_lines_of_the_text_in_order(
    prompt: str, response: str, after: list[str]
) -> None:
    calls = [
        ToolCall(str(n), "Edit", Act.EDIT, input=text, output=text, edits=(Edit("a", "", text),))
        for n, text in enumerate(after)
    ]
    found = search_text(Exchange("e", prompt, response, tools=tuple(calls)), "title")
    lines = found.text.split("\n")
    last = 0
    for chunk in found.chunks:
        assert chunk.start_line == last + 1
        assert chunk.text == "\n".join(lines[chunk.start_line - 1 : chunk.end_line])
        assert chunk.text.strip()
        last = chunk.end_line
    assert last == (len(lines) if found.chunks else 0)
