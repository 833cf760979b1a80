"""Segments against a plain dictionary, before and after merging and writing."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.errors import Damaged
from git_skillmesh.index.segment import (
    Field,
    Segment,
    SegmentBuilder,
    merge,
    open_segment,
    with_file_base,
    write_segment,
)
from testing.examples import examples

Document = tuple[int, int, int, dict[int, int], tuple[int, ...]]

_terms = st.dictionaries(st.integers(0, 2**64 - 1) | st.integers(0, 40), st.integers(1, 400))
_documents = st.lists(
    st.tuples(
        st.integers(0, 2**31 - 1),
        st.integers(0, 70_000),
        st.integers(0, 255),
        _terms,
        st.tuples(*[st.integers(0, 90_000)] * Field.COUNT),
    ),
    max_size=12,
)


def build(documents: list[Document]) -> Segment:
    builder = SegmentBuilder()
    for document in documents:
        builder.add(*document)
    assert len(builder) == len(documents)
    return builder.finish()


def read(segment: Segment) -> list[tuple[int, int, int, Mapping[int, int], tuple[int, ...]]]:
    """Return the documents of a segment as they were added, within the limits of the format."""
    terms: list[dict[int, int]] = [{} for _ in range(len(segment))]
    for place, key in enumerate(segment.keys.tolist()):
        span = slice(int(segment.starts[place]), int(segment.starts[place + 1]))
        numbers = segment.documents[span].tolist()
        assert numbers == sorted(set(numbers))
        for number, count in zip(numbers, segment.frequencies[span].tolist(), strict=True):
            terms[number][key] = count
    return [
        (
            int(segment.files[number]),
            int(segment.ordinals[number]),
            int(segment.kinds[number]),
            terms[number],
            tuple(segment.lengths[:, number].tolist()),
        )
        for number in range(len(segment))
    ]


def clipped(documents: list[Document]) -> list[Document]:
    return [
        (
            file,
            min(ordinal, 65_535),
            kind,
            {key: min(count, 255) for key, count in terms.items()},
            tuple(min(length, 65_535) for length in lengths),
        )
        for file, ordinal, kind, terms, lengths in documents
    ]


@given(_documents)
def test_a_segment_gives_back_what_was_added(documents: list[Document]) -> None:
    segment = build(documents)
    assert read(segment) == clipped(documents)
    assert segment.keys.tolist() == sorted({key for d in documents for key in d[3]})


@settings(max_examples=examples(30))
@given(st.lists(_documents, min_size=1, max_size=4), st.data())
def test_a_merge_equals_building_from_what_is_kept(
    parts: list[list[Document]], data: st.DataObject
) -> None:
    kept: list[Document] = []
    masked = []
    for documents in parts:
        mask = [data.draw(st.booleans()) for _ in documents]
        kept += [document for document, keep in zip(documents, mask, strict=True) if keep]
        masked.append((build(documents), np.array(mask, np.bool_)))
    assert read(merge(masked)) == read(build(kept))


@settings(max_examples=examples(15))
@given(_documents)
def test_a_written_segment_is_the_same_when_opened(
    tmp_path_factory: pytest.TempPathFactory, documents: list[Document]
) -> None:
    path = tmp_path_factory.mktemp("segment") / "1.lex"
    write_segment(build(documents), path)
    assert read(open_segment(path)) == clipped(documents)
    assert [entry.name for entry in path.parent.iterdir()] == ["1.lex"]


def test_file_ids_can_be_moved() -> None:
    moved = with_file_base(build([(0, 0, 0, {1: 1}, (1,) * 7), (4, 0, 0, {}, (1,) * 7)]), 10)
    assert moved.files.tolist() == [10, 14]


@pytest.mark.parametrize("cut", [0, 1, 30, 200, -1])
def test_a_truncated_file_is_damaged_and_says_how_to_mend_it(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "7.lex"
    write_segment(build([(1, 0, 0, {16: 2}, (3,) * 7)]), path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(Damaged) as error:
        open_segment(path)
    assert str(error.value) == "7.lex of the index is damaged: git skillmesh index --rebuild"


@given(st.binary(max_size=300))
def test_garbage_is_damaged_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("garbage") / "1.lex"
    path.write_bytes(b"skillmesh segment 1\n" + data)
    with pytest.raises(Damaged):
        open_segment(path)
