"""What holds for every file, whatever its bytes: found by hypothesis on cuts of the samples."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.chunking import KINDS, LANGUAGES, chunk
from git_skillmesh.chunking.chunker import chunk_sized
from testing.examples import examples
from tests.chunking.sample_files import SAMPLES, SMALL, Sample, broken_rules

JUNK = [
    *(b"\n", b"\r\n", b"\0", b"\xff", b"\x0c", b"\t", b"\\", b"\xe2\x80\xa8"),
    *(b"{", b"}", b"(", b")", b"<", b'"', b"'''", b"/*", b"*/", b"#"),
    *(b"```\n", b"def x(", b"class A {", b"end\n", b"---\n"),
]
ROWS = [
    *("# One", "## Two", "### Three #", "```", "~~~", "Title", "===", "---", "- item", "text", ""),
    *("key: value", "  nested: 1", "- a: b", "# note", "    code", "key: >", "...", ">"),
    *("[table]", "name = 1"),
]


@st.composite
def damaged(draw: st.DrawFn) -> tuple[bytes, str]:
    """A sample with parts cut out, doubled, or replaced by junk."""
    sample: Sample = draw(st.sampled_from(SAMPLES))
    data = sample.source
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 60)))
        insert = draw(st.one_of(st.sampled_from(JUNK), st.just(b""), st.just(data[at:end] * 2)))
        data = data[:at] + insert + data[end:]
    return data, sample.language


@settings(max_examples=examples(120), deadline=None)
@given(damaged())
def test_damaged_code_keeps_every_promise(case: tuple[bytes, str]) -> None:
    data, language = case
    for chunks in (chunk(data, language), chunk_sized(data, language, SMALL)):
        assert broken_rules(data, chunks) == []
        assert {c.kind for c in chunks} <= set(KINDS)
    assert chunk(data, language) == chunk(bytes(data), language)


@settings(max_examples=examples(80), deadline=None)
@given(st.binary(max_size=400), st.sampled_from(sorted(LANGUAGES)))
def test_arbitrary_bytes_keep_every_promise(data: bytes, language: str) -> None:
    chunks = chunk_sized(data, language, SMALL)
    assert broken_rules(data, chunks) == []
    assert bool(chunks) == bool(data.removeprefix(b"\xef\xbb\xbf").strip())


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.sampled_from(ROWS), max_size=40),
    st.sampled_from(["markdown", "rst", "yaml", "toml", "ini", "text"]),
)
def test_documents_keep_every_promise(lines: list[str], language: str) -> None:
    data = "\n".join(lines).encode()
    assert broken_rules(data, chunk_sized(data, language, SMALL)) == []


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.path)
def test_every_cut_of_a_sample_keeps_every_promise(sample: Sample) -> None:
    step = max(1, len(sample.source) // 12)
    for end in range(1, len(sample.source), step):
        data = sample.source[:end]
        assert broken_rules(data, chunk_sized(data, sample.language, SMALL)) == []
