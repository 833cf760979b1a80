"""Links as lines of notes."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.links import (
    Link,
    format_ranges,
    lines_linked,
    parse_link,
    parse_ranges,
    ranges_of,
    read_links,
    write_links,
)
from testing.repos import make_repo

NUMBERS = st.sets(st.integers(1, 200)).map(ranges_of)
TEXTS = st.text(max_size=12)


@given(
    st.builds(
        Link,
        TEXTS,
        TEXTS,
        st.integers(0, 1000).map(lambda n: n / 1000),
        st.sampled_from(["edit", "content"]),
        path=TEXTS,
        blob=st.sampled_from(["", "a" * 40]),
        ranges=NUMBERS,
        via=st.lists(st.sampled_from(["b" * 40, "c" * 40])).map(tuple),
    )
)
def test_a_link_survives_its_line(link: Link) -> None:
    if link.session and link.exchange:
        assert parse_link(link.to_line()) == link
        assert "\n" not in link.to_line()


@given(st.sets(st.integers(1, 10**9), max_size=50))
def test_ranges_survive_their_text(lines: set[int]) -> None:
    ranges = ranges_of(lines)
    assert parse_ranges(format_ranges(ranges)) == ranges
    assert sum(last - first + 1 for first, last in ranges) == len(lines)


def test_what_no_link_is() -> None:
    good = Link("s", "e", 0.5, "edit", "a.py", "f" * 40, ((3, 7), (10, 10))).to_line()
    assert good == (
        '{"v":1,"session":"s","exchange":"e","confidence":0.5,"evidence":"edit","path":"a.py",'
        f'"blob":"{"f" * 40}","lines":"3-7,10"}}'
    )
    for line in (
        "reviewed by a person", "[]", "{}", good.replace('"v":1', '"v":2'), "[" * 100_000,
        good.replace("3-7", "7-3"), good.replace("3-7,10", "3-7,5"), good.replace("3-7", "0-7"),
        good.replace('"s"', "7"), good.replace("3-7,10", "1-9999999999"),
        good.replace("0.5", '"high"'), good.replace("3-7", "٣"),
    ):  # fmt: skip
        assert parse_link(line) is None, line[:80]


def test_the_most_confident_link_has_the_line() -> None:
    sure = Link("s", "sure", 0.9, "edit", "a.py", "new", ((2, 3),))
    vague = Link("s", "vague", 0.4, "content", "a.py", "new", ((1, 4),))
    stale = Link("s", "stale", 1.0, "edit", "a.py", "old", ((1, 9),))
    found = lines_linked([sure, stale, vague], "a.py", "new")
    assert {line: link.exchange for line, link in found.items()} == {
        1: "vague", 2: "sure", 3: "sure", 4: "vague",
    }  # fmt: skip


def test_notes_keep_what_others_wrote(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "x = 1\n"})
    head = repo.git("rev-parse", "HEAD").strip()
    repo.git("notes", "--ref=skillmesh", "add", "-m", "reviewed by a person", head)
    link = Link("s", "e", 0.5, "edit", "a.py", "f" * 40, ((1, 1),))
    repository = discover(repo.path)
    assert write_links(repository, {head: [link]})
    assert not write_links(repository, {head: [link]})
    assert read_links(repository, [head, "0" * 40]) == {head: (link,)}
    assert "reviewed by a person" in repo.git("notes", "--ref=skillmesh", "show", head)
