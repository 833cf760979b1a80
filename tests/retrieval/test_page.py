"""The page: neighbours merge, places are filled, a hit points at what answers."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.config import load
from git_skillmesh.git.repository import discover
from git_skillmesh.index.store import Store
from git_skillmesh.index.vectors import source_of
from git_skillmesh.retrieval.page import MOST_CHUNKS, Span, merge
from git_skillmesh.retrieval.results import Extent, Hit
from git_skillmesh.retrieval.search import Options, Searcher
from testing.indexing import WORKING_TREE, ask, index, view_of
from testing.repos import Repo, make_repo

Files = dict[str, str | bytes | None]
Make = Callable[[Files], Repo]


def lines(count: int, word: str, indent: str = "    ") -> str:
    return "".join(f"{indent}{word}_{n} = measure_{word}({n}, scale=scale)\n" for n in range(count))


def function(name: str, count: int = 20) -> str:
    return f"def {name}(scale):\n{lines(count, name)}\n\n"


@pytest.fixture
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    def indexed(files: Files) -> Repo:
        repo = make_repo(tmp_path_factory.mktemp("page"), files=files)
        index(repo)
        return repo

    return indexed


def hits(repo: Repo, text: str, **options: object) -> tuple[Hit, ...]:
    return ask(repo, text, options=Options(**options)).hits  # type: ignore[arg-type]


def spans(*chunks: tuple[int, int]) -> list[Span]:
    return [Span(row, -row, file, n, n) for row, (file, n) in enumerate(chunks)]


def shown(page: list[Span]) -> list[tuple[int, int, int, int]]:
    return [(span.row, span.file, span.first, span.last) for span in page]


def never(_: Span) -> bool:
    return False


def test_neighbours_share_a_place_and_the_next_moves_up() -> None:
    ranked = spans((1, 5), (2, 0), (1, 6), (1, 4), (1, 9), (3, 0))
    assert shown(merge(ranked, 4, never)) == [
        (0, 1, 4, 6),
        (1, 2, 0, 0),
        (4, 1, 9, 9),
        (5, 3, 0, 0),
    ]
    assert shown(merge(ranked, 2, never)) == [(0, 1, 5, 5), (1, 2, 0, 0)]


def test_the_gap_between_two_is_closed_by_what_lies_there() -> None:
    assert shown(merge(spans((1, 3), (1, 5), (1, 4), (2, 0)), 3, never)) == [
        (0, 1, 3, 5), (3, 2, 0, 0),
    ]  # fmt: skip


def test_a_span_does_not_grow_without_end() -> None:
    page = merge(spans(*((1, n) for n in range(7))), 10, never)
    assert shown(page) == [(0, 1, 0, 2), (3, 1, 3, 5), (6, 1, 6, 6)]


def test_parts_of_one_definition_merge_over_what_lies_between() -> None:
    ranked = spans((1, 3), (1, 5), (1, 8))
    assert shown(merge(ranked, 5, lambda span: True)) == [(0, 1, 3, 5), (2, 1, 8, 8)]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12)), unique=True), st.integers(1, 9))
def test_every_page_keeps_its_promises(chunks: list[tuple[int, int]], size: int) -> None:
    page = merge(spans(*chunks), size, never)
    rows = [span.row for span in page]
    assert rows == sorted(rows)
    assert len(page) <= size
    assert all(1 <= span.count <= MOST_CHUNKS for span in page)
    places = [(span.file, n) for span in page for n in range(span.first, span.last + 1)]
    assert len(places) == len(set(places))
    assert set(places) <= set(chunks)
    if len(page) < size:
        assert set(places) == set(chunks)


def test_adjacent_functions_are_one_hit_that_names_the_best(make: Make) -> None:
    repo = make({"a.py": function("weigh_parcel") + function("parcel_weigh"), "b.py": "x = 1\n"})
    (hit,) = hits(repo, "weigh parcel")
    alone = {h.symbol: h for name in ("weigh_parcel", "parcel_weigh") for h in hits(repo, name)[:1]}
    assert (hit.path, hit.start_line, hit.end_line) == ("a.py", 1, 44)
    assert hit.chunk_ids == (
        alone["weigh_parcel"].chunk_id, alone["parcel_weigh"].chunk_id,
    )  # fmt: skip
    assert hit.chunk_id in hit.chunk_ids
    assert hit.score == pytest.approx(sum(hit.features.values()), abs=0.01)
    assert hit.text == (function("weigh_parcel") + function("parcel_weigh")).rstrip("\n")
    assert {line.number for line in hit.lines} <= set(range(1, 45))


def test_places_that_become_free_are_filled(make: Make) -> None:
    files: Files = {f"other{n}.py": f"# parcel\nother{n} = 'a parcel of {n}'\n" for n in range(6)}
    repo = make({"a.py": function("weigh_parcel") + function("parcel_weigh"), **files})
    for size in (2, 3, 5, 7):
        found = hits(repo, "weigh parcel", limit=size)
        assert len(found) == size
        assert [hit.rank for hit in found] == list(range(1, size + 1))
        assert all(one.score >= other.score for one, other in pairwise(found))


def test_a_function_cut_into_pieces_is_shown_from_its_name(make: Make) -> None:
    repo = make({"a.py": "import scale\n\n\n" + function("weigh", 80)})
    hit = hits(repo, "weigh")[0]
    assert len(hit.chunk_ids) == MOST_CHUNKS
    assert (hit.symbol, hit.kind, hit.line, hit.start_line) == ("weigh", "function", 4, 4)
    assert hit.definition == Extent(4, hit.end_line)
    assert hit.lines[0].text == "def weigh(scale):"


def test_a_piece_alone_says_what_it_is_part_of(make: Make) -> None:
    repo = make({"a.py": f"def weigh(scale):\n{lines(40, 'grams')}\n{lines(40, 'stamps')}"})
    found = hits(repo, "stamps 39", limit=1)
    (hit,) = found
    assert (hit.symbol, hit.kind, hit.definition) == ("weigh", "function", None)
    assert hit.line == hit.start_line > 40


def test_the_definition_further_down_is_named(make: Make) -> None:
    source = (
        "# Tools.\n\ndef put(p):\n    return p\n\n\n# In grams.\ndef weigh(p):\n    return p.g\n"
    )
    repo = make({"tools.py": source})
    for text in ("weigh", "how many grams"):
        (hit,) = hits(repo, text)
        assert (hit.line, hit.symbol, hit.definition) == (8, "weigh", Extent(7, 9)), text
        assert (hit.start_line, hit.end_line) == (1, 9)
        assert [line.number for line in hit.lines][-1] >= 8
        assert all(7 <= line.number <= 9 for line in hit.lines)
    (hit,) = hits(repo, "put")
    assert (hit.line, hit.symbol) == (3, "put")


def test_a_filter_by_kind_points_at_nothing_else(make: Make) -> None:
    repo = make({"a.py": "def put(p):\n    return p\n\n\nWEIGH = 'weigh'\n"})
    assert hits(repo, "weigh")[0].symbol == "WEIGH"
    (hit,) = hits(repo, "weigh", kinds=("function",))
    assert (hit.symbol, hit.kind) == ("put", "function")


def test_text_has_no_definition(make: Make) -> None:
    (hit,) = hits(make({"notes.txt": "Some words.\n"}), "words")
    assert (hit.symbol, hit.definition, hit.line) == ("", None, 1)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_odd_bytes_do_not_move_the_line(make: Make, end: bytes, mark: bytes) -> None:
    rows = [
        b"# caf\xe9 \xff",
        b"def put(p):",
        b"    return p",
        b"",
        b"def weigh(p):",
        b"    pass",
        b"",
    ]
    (hit,) = hits(make({"a.py": mark + end.join(rows)}), "weigh")
    assert (hit.line, hit.symbol) == (5, "weigh")
    assert [(line.number, line.text) for line in hit.lines] == [(5, "def weigh(p):")]
    assert hit.text.split("\n")[0] == "# caf\ufffd \ufffd"


@pytest.mark.parametrize("change", ["rewrite", "delete"])
def test_a_file_that_changes_while_it_is_searched(make: Make, change: str) -> None:
    repo = make({"a.py": "x = 1\n"})
    repo.write("a.py", "def put(p):\n    return p\n\n\ndef weigh(p):\n    return p.grams\n")
    repository = discover(repo.path)
    source = source_of(load(repository), Store(repository).embeddings_path)
    view = view_of(repo, WORKING_TREE)
    try:
        if change == "delete":
            (repo.path / "a.py").unlink()
        else:
            repo.write("a.py", "weigh\n")
        answer = Searcher(view, "repo").answer("weigh", Options(), source.embed_query("weigh"))
    finally:
        view.close()
    # What was indexed is still true of the version that was searched; its text is gone.
    (hit,) = answer.hits
    assert (hit.line, hit.symbol, hit.text, hit.lines) == (5, "weigh", "", ())
