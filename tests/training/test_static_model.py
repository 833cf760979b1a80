"""Training on a few pairs: the fields of the code, and a loss that falls."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from git_skillmesh.embedding.static import StaticEmbedder

pytest.importorskip("torch")
from training.bags import FIELDS, KINDS, read_pairs
from training.static_model import Table, batches, files_of, held_out, train

MODEL = StaticEmbedder.load()
CODE = {
    "parse a date": ("src/dates/parser.py", "def read(text): return calendar.strptime(text)"),
    "send the mail": ("src/mail/client.py", "def deliver(self, message): smtp.push(message)"),
    "draw a circle": ("shapes.py", "canvas.arc(radius, centre)"),
}


def write(path: Path, copies: int) -> None:
    with gzip.open(path, "wt") as lines:
        for number in range(copies):
            for kind in KINDS:
                for query, (place, code) in CODE.items():
                    entry = {"kind": kind, "language": "python", "path": place,
                             "query": f"{query} {number}", "code": f"{code} {number}"}  # fmt: skip
                    lines.write(json.dumps(entry) + "\n")


def test_a_pair_becomes_bags_of_its_query_and_of_three_fields(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl.gz", 2)
    pairs = read_pairs([tmp_path / "a.jsonl.gz"], MODEL)
    assert len(pairs) == 18
    assert list(FIELDS) == list(pairs.code) == ["body", "file", "folders"]
    assert pairs.kind.tolist() == ([0] * 3 + [1] * 3 + [2] * 3) * 2
    row = pairs.code["body"][0].toarray()[0]
    assert {MODEL.pieces_of("text")[0]: 1 + np.log(2)}.items() <= {
        n: pytest.approx(row[n], abs=1e-6) for n in np.flatnonzero(row).tolist()
    }.items()
    assert set(pairs.code["file"][0].indices) == set(MODEL.pieces_of("parser"))
    assert set(pairs.code["folders"][0].indices) == {
        *MODEL.pieces_of("src"), *MODEL.pieces_of("dates")}  # fmt: skip
    assert pairs.code["folders"][2].nnz == 0


def test_a_batch_is_of_all_pairs_once(tmp_path: Path) -> None:
    for name in "abcdefgh":
        write(tmp_path / name, 40)
    pairs = read_pairs(sorted(tmp_path.iterdir()), MODEL)
    found = list(batches(pairs, np.random.default_rng(0)))
    assert sorted(np.concatenate(found).tolist()) == list(range(len(pairs)))
    assert max(map(len, found)) <= 512
    assert max(len(set(pairs.repository[chosen].tolist())) for chosen in found) <= 4


def test_what_belongs_together_moves_together(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl.gz", 8)
    pairs = read_pairs([tmp_path / "a.jsonl.gz"], MODEL)
    stored, gains = MODEL.table()

    def trained() -> tuple[list[float], Table]:
        table = Table(stored, gains)
        return list(train(table, pairs, 6, 0)), table

    losses, table = trained()
    assert losses == sorted(losses, reverse=True)
    assert table.rows.value.numpy().tobytes() == trained()[1].rows.value.numpy().tobytes()
    seen = {*pairs.queries.indices.tolist(), *(n for m in pairs.code.values() for n in m.indices)}
    untouched = [n for n in range(len(stored)) if n not in seen][:5]
    np.testing.assert_allclose(table.rows.value[untouched] * 127, stored[untouched], atol=1e-4)
    ranks = held_out(table, pairs)
    assert list(ranks) == list(KINDS)
    assert all(0 < value <= 1 for value in ranks.values())


def test_repositories_marked_held_out_are_only_measured(tmp_path: Path) -> None:
    entries = [{"repo": "a/b"}, {"repo": "c/d", "held_out": True}]
    (tmp_path / "list.json").write_text(json.dumps(entries))
    assert files_of(tmp_path / "list.json", tmp_path) == (
        [tmp_path / "a+b.jsonl.gz"], [tmp_path / "c+d.jsonl.gz"])  # fmt: skip
