"""Files before and after an exchange: applying the edits of an answer gives the state after."""

from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.sessions.model import Act, Edit, Exchange, ToolCall
from git_skillmesh.training.dataset.blocks import applied
from git_skillmesh.training.dataset.states import FileWork, work_of
from testing.examples import examples

TEXT = st.lists(st.sampled_from(["a", "b", "", "return x", "def f():"]), max_size=12).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


def exchange(*edits: Edit, failed: bool = False) -> Exchange:
    calls = (ToolCall("c", "Edit", Act.EDIT, edits=edits, failed=failed),)
    return Exchange("e", "p", "r", tools=calls)


@settings(max_examples=examples(100), deadline=None)
@given(TEXT, st.data())
def test_edits_of_parts_come_to_what_they_did(before: str, data: st.DataObject) -> None:
    """Each edit replaces some lines, told by where they stood, as an agent does."""
    text, edits = before, []
    for _ in range(data.draw(st.integers(1, 4))):
        lines = text.splitlines(keepends=True)
        low = data.draw(st.integers(0, len(lines)))
        high = data.draw(st.integers(low, len(lines)))
        old, new = "".join(lines[low:high]), data.draw(TEXT)
        edits.append(Edit("f", old, new, line=low + 1))
        text = "".join((*lines[:low], new, *lines[high:]))
    for one in work_of(exchange(*edits), {}, [lambda path: before]):
        if one.exact and one.before == before:
            assert (one.after or "") == text
            assert applied({"f": before}, one.blocks()) == {"f": text}


def test_a_text_that_does_not_fit_is_not_taken() -> None:
    edit = Edit("f", "x = 1", "x = 2")
    fits = FileWork("f", "x = 1\ny\n", "x = 2\ny\n")
    assert work_of(exchange(edit), {"f": "z\n"}, [lambda path: "x = 1\ny\n"]) == (fits,)
    assert work_of(exchange(edit), {}, [lambda path: "x = 1\nx = 1\n"]) == (
        FileWork("f", None, None, False, pieces=(("x = 1\n", "x = 2\n", 0),)),
    )


def test_failed_edits_did_nothing() -> None:
    assert work_of(exchange(Edit("f", "a", "b"), failed=True), {}, []) == ()


def test_new_deleted_and_moved_files() -> None:
    edits = (
        Edit("new", None, "text\n", whole=True),
        Edit("gone", "old\n", None, whole=True),
        Edit("to", "old\n", "now\n", whole=True, moved_from="from"),
    )
    blocks = [block for one in work_of(exchange(*edits), {}, []) for block in one.blocks()]
    assert applied({"gone": "old\n", "from": "old\n"}, blocks) == {"new": "text\n", "to": "now\n"}
