"""Blank lines go with the lines around them."""

from git_skillmesh.git.diffs import FileChange, Hunk
from git_skillmesh.sessions.linking.blanks import with_blank_lines
from git_skillmesh.sessions.links import Link, Ranges


def change(*hunks: tuple[int, list[bytes]]) -> FileChange:
    made = tuple(Hunk(first - 1, (), first, tuple(lines)) for first, lines in hunks)
    return FileChange("a.py", "a.py", "old", "new", made)


def link(exchange: str, *ranges: tuple[int, int], evidence: str = "edit") -> Link:
    return Link("s", exchange, 0.9, evidence, "a.py", "new", tuple(ranges))


def ranges(links: list[Link]) -> list[Ranges]:
    return [each.ranges for each in links]


CODE = [b"def a():", b"    x", b"", b"  \t", b"def b():", b""]


def test_between_the_lines_of_one_exchange() -> None:
    links = [link("ask-1", (3, 4), (7, 7))]
    assert ranges(with_blank_lines(change((3, CODE)), links)) == [((3, 7),)]


def test_whatever_the_evidence() -> None:
    links = [link("ask-1", (4, 4)), link("ask-1", (6, 6), evidence="content")]
    found = with_blank_lines(change((3, [b"", b"a", b"", b"b"])), links)
    assert ranges(found) == [((4, 5),), ((6, 6),)]


def test_not_between_two_exchanges_nor_beside_a_person() -> None:
    links = [link("ask-1", (3, 4)), link("ask-2", (7, 7))]
    assert ranges(with_blank_lines(change((3, CODE)), links)) == [((3, 4),), ((7, 7),)]
    assert ranges(with_blank_lines(change((3, CODE)), links[:1])) == [((3, 4),)]


def test_not_in_a_hunk_of_blank_lines_alone() -> None:
    links = [link("ask-1", (3, 3))]
    assert with_blank_lines(change((3, [b"a"]), (9, [b"", b""])), links) == links
    assert with_blank_lines(change((9, [b"", b""])), []) == []


def test_links_about_the_whole_file_stay() -> None:
    whole = link("ask-3")
    found = with_blank_lines(change((3, CODE)), [whole, link("ask-1", (3, 4), (7, 7))])
    assert found[0] == whole
