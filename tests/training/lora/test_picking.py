"""Which lines are trained on: never the test, new ones always, known ones by their share."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.errors import UsageError
from git_skillmesh.training.lora.picking import NothingToTrain, as_method, pick, shuffled
from git_skillmesh.training.lora.reading import Data, read
from git_skillmesh.training.model import Form, Sample
from testing.trained import write_data

_USER, _YES, _NO = ({"role": "user", "content": text} for text in ("do", "yes", "no"))


def data_of(form: Form, splits: list[str]) -> Data:
    lines = (
        Sample(
            f"id-{n}", form, split, (_USER,), ({**_YES, "content": f"yes {n}"},), (_NO,), n % 3 > 0
        )
        for n, split in enumerate(splits)
    )  # fmt: skip
    return Data(Path("d.jsonl"), form, "", tuple(lines), {})


@given(
    st.lists(st.sampled_from(["train", "validation", "test"]), max_size=30),
    st.sets(st.integers(0, 29)), st.floats(0, 1),
)  # fmt: skip
def test_new_lines_always_and_a_share_of_the_others(
    splits: list[str], known: set[int], share: float
) -> None:
    data = data_of(Form.SFT, splits)
    ids = {f"id-{n}" for n in known}
    train = [line.sample_id for line in data.split("train")]
    fresh = [name for name in train if name not in ids]
    if not fresh:
        with pytest.raises(NothingToTrain):
            pick(data, Form.SFT, ids, share, "p")
        return
    found = pick(data, Form.SFT, ids, share, "p")
    names = [line.sample_id for line in found.train]
    assert names[: len(fresh)] == fresh
    again = names[len(fresh) :]
    assert len(again) == found.replayed
    assert set(again) <= ids & set(train)
    assert all(line.split == "validation" for line in found.validation)
    more = pick(data, Form.SFT, ids, 1.0, "p")
    assert set(again) <= {line.sample_id for line in more.train} == set(train)


def test_older_data_bring_their_lines_again(tmp_path: Path) -> None:
    older = read(write_data(tmp_path / "1.jsonl", Form.SFT, {"train": range(40)}, ["weigh"]))
    data = read(write_data(tmp_path / "2.jsonl", Form.SFT, {"train": range(5)}, ["stamp"]))
    known = [line.sample_id for line in older.lines]
    assert pick(data, Form.SFT, known, 1.0, "p", older).replayed == 40
    one = pick(data, Form.SFT, known, 0.3, "p", older)
    other = pick(data, Form.SFT, known, 0.3, "q", older)
    assert 5 < one.replayed < 20
    assert one == pick(data, Form.SFT, known, 0.3, "p", older)
    assert one.train != other.train
    assert pick(data, Form.SFT, known, 0.0, "p", older).train == data.lines


def test_what_moved_to_another_split_is_not_replayed(tmp_path: Path) -> None:
    older = read(write_data(tmp_path / "1.jsonl", Form.SFT, {"train": range(4)}))
    now = {"train": range(4, 6), "test": range(3)}
    data = read(write_data(tmp_path / "2.jsonl", Form.SFT, now))
    known = [line.sample_id for line in older.lines]
    found = pick(data, Form.SFT, known, 1.0, "p", older)
    assert [line.sample_id for line in found.train] == [
        "sft-check-4", "sft-check-5", "sft-check-3"
    ]  # fmt: skip


@pytest.mark.parametrize("form", list(Form))
def test_any_form_serves_what_stayed(form: Form) -> None:
    data = data_of(form, ["train"] * 6)
    found = as_method(data.lines, Form.SFT)
    if form is Form.SFT:
        assert found == data.lines
        return
    assert [line.sample_id for line in found] == ["id-1", "id-2", "id-4", "id-5"]
    assert {(line.form, line.rejected) for line in found} == {(Form.SFT, ())}
    other = Form.DPO if form is Form.KTO else Form.KTO
    with pytest.raises(UsageError, match=f"data of format {form} cannot train {other}"):
        as_method(data.lines, other)


@given(st.integers(2, 40), st.integers(0, 5))
def test_a_control_keeps_everything_but_what_belongs_together(size: int, seed: int) -> None:
    sft = data_of(Form.SFT, ["train"] * size).lines
    found = shuffled(sft, seed)
    assert found == shuffled(sft, seed)
    assert sorted(line.completion[0]["content"] for line in found) == sorted(
        line.completion[0]["content"] for line in sft
    )
    assert all(a.completion != b.completion for a, b in zip(sft, found, strict=True))
    kto = shuffled(data_of(Form.KTO, ["train"] * size).lines, seed)
    assert sum(line.label for line in kto) == sum(n % 3 > 0 for n in range(size))
    dpo = shuffled(data_of(Form.DPO, ["train"] * size).lines, seed)
    assert sum(line.completion == (_NO,) for line in dpo) == size // 2
