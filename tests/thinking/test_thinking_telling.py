"""A session for people: the tree as Markdown, and what it came to."""

from git_skillmesh.thinking.history import History, history
from git_skillmesh.thinking.model import Thought
from git_skillmesh.thinking.summaries import summary_of
from git_skillmesh.thinking.telling import facts_of, markdown, summary_lines, tree_of

MARKDOWN = """\
# lamp

closed, 7 thoughts, 2 branches, 2 revisions

2026-03-01 09:00:00 to 2026-03-01 09:00:09 UTC

- **1** Light the shed.
- **2 \u00b7 revised by 4 \u00b7 revision 1** Decision: a lamp with a battery
  and a switch.
  - *at first* A lamp with a cable.
  - **branch solar (from 2)**
    - **3** A panel on the roof.
    - **4 \u00b7 no more needed** The roof lies in the shade.
- **3** We will use the old battery.
- **4 \u00b7 revises 2 \u00b7 no more needed** The switch is at the door.\u241b[31m
- **branch elsewhere (from 9)**
  - **10** Nothing of this.
"""


def lamp() -> History:
    def at(second: int, number: int, text: str, **more: object) -> Thought:
        time = f"2026-03-01T09:00:{second:02}.000000Z"
        return Thought("lamp", number, text, time=time, **more)  # type: ignore[arg-type]

    return history("lamp", [
        at(0, 1, "Light the shed."),
        at(1, 2, "A lamp with a cable."),
        at(2, 2, "Decision: a lamp with a battery\nand a switch."),
        at(3, 3, "We will use the old battery."),
        at(4, 3, "A panel on the roof.", branch="solar", branched_from=2),
        at(5, 4, "The roof lies in the shade.", branch="solar", needs_more=False),
        at(7, 10, "Nothing of this.", branch="elsewhere", branched_from=9),
        at(9, 4, "The switch is at the door.\x1b[31m", revises=2, needs_more=False),
    ])  # fmt: skip


def test_markdown() -> None:
    assert markdown(lamp()) == MARKDOWN


def test_the_order_in_which_files_are_read_does_not_matter() -> None:
    found = lamp()
    assert history("lamp", found.told[::-1]) == found
    assert list(tree_of(history("lamp", [*found.told, *found.told]))) == list(tree_of(found))


def test_a_summary_has_the_beginning_what_changed_decisions_and_ends() -> None:
    found = lamp()
    assert facts_of(found.session()) == "closed, 7 thoughts, 2 branches, 2 revisions"
    assert list(summary_lines(summary_of(found))) == [
        ("first, 1", "Light the shed."),
        ("revised by 4, 2", "Decision: a lamp with a battery and a switch."),
        ("at first, 2", "A lamp with a cable."),
        ("decided, 3", "We will use the old battery."),
        ("last, 4", "The switch is at the door."),
        ("last, 4 of branch solar", "The roof lies in the shade."),
        ("last, 10 of branch elsewhere", "Nothing of this."),
    ]


def test_a_summary_of_a_session_without_sentences() -> None:
    found = history("s", [Thought("s", 1, "{};")])
    assert list(summary_lines(summary_of(found))) == [("first, 1", "{};")]
