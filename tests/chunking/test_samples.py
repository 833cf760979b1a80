"""What a real-looking snippet of every language becomes, chunk by chunk."""

import pytest

from git_skillmesh.chunking import KINDS, chunk, language_of
from git_skillmesh.chunking.chunker import chunk_sized
from tests.chunking.sample_files import SAMPLES, SMALL, Sample, broken_rules, rendered

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.path)


@each_sample
def test_chunks_of_a_sample(sample: Sample) -> None:
    chunks = chunk_sized(sample.source, sample.language, SMALL)
    assert [rendered(c) for c in chunks] == sample.expected
    assert broken_rules(sample.source, chunks) == []
    assert {c.kind for c in chunks} <= set(KINDS)


@each_sample
def test_language_of_a_sample(sample: Sample) -> None:
    assert language_of(sample.path, sample.source) == sample.language


@each_sample
def test_small_definitions_are_merged_and_none_is_lost(sample: Sample) -> None:
    merged = chunk(sample.source, sample.language)
    divided = chunk_sized(sample.source, sample.language, SMALL)
    assert len(merged) <= len(divided)
    assert {n for c in merged for n in c.defines} == {n for c in divided for n in c.defines}


def test_samples_show_more_than_fifty_languages() -> None:
    assert len({sample.language for sample in SAMPLES}) > 50


def test_a_scope_is_the_symbol_of_what_encloses() -> None:
    source = next(s for s in SAMPLES if s.path == "lib/invoice.rb")
    scopes = [(c.symbol, c.scope) for c in chunk_sized(source.source, "ruby", SMALL)]
    assert scopes == [
        ("", ""),
        ("Billing", ""),
        ("Billing.Invoice", "Billing"),
        ("Billing.Invoice.initialize", "Billing.Invoice"),
        ("Billing.Invoice.total", "Billing.Invoice"),
        ("Billing.Invoice.parse", "Billing.Invoice"),
    ]
