"""Judging without a model: intervals, the rule, lines that are held out, edits that are alike."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.errors import UsageError
from git_skillmesh.sessions.redaction import Redactor
from git_skillmesh.training.adapters.judgements import Judged, read_judgement, write_judgement
from git_skillmesh.training.dataset.export import Options as ExportOptions
from git_skillmesh.training.dataset.export import export
from git_skillmesh.training.evaluation import Options, decided, unseen
from git_skillmesh.training.heldout import Held, likeness, read_held_out, some
from git_skillmesh.training.intervals import interval
from git_skillmesh.training.model import Form, Interval, Judgement
from testing.adapters import judge, marks, name_of, write_adapter
from testing.datasets import tell_the_depots
from testing.memory import open_memory

NAME = name_of(1)


def test_an_interval_draws_groups() -> None:
    found = interval([2.0, 4.0, 30.0], [1, 1, 10], ["a", "a", "b"])
    assert found.mean == 3.0
    assert found.low == found.high == 3.0  # each group has the same mean
    one = interval([1.0, 2.0], [1, 1], ["a", "a"])
    assert one == Interval(1.5, 1.5, 1.5)
    spread = interval([float(n) for n in range(100)], [1] * 100, [str(n) for n in range(100)])
    assert spread.mean == 49.5
    assert 42 < spread.low < 46 < 53 < spread.high < 57  # 1.96 standard errors: 43.8 to 55.2
    assert interval([1.0, 5.0], [1, 1], ["a", "b"]) == interval([1.0, 5.0], [1, 1], ["a", "b"])
    with pytest.raises(ValueError, match="nothing was counted"):
        interval([], [], [])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-50, 50), st.integers(1, 100), st.sampled_from("abcdef")),
                min_size=1, max_size=30))  # fmt: skip
def test_a_mean_is_within_its_interval_of_group_means(
    lines: list[tuple[float, int, str]],
) -> None:
    sums, counts, groups = zip(*lines, strict=True)
    found = interval(sums, counts, groups)
    means = [
        sum(one[0] for one in lines if one[2] == group)
        / sum(one[1] for one in lines if one[2] == group)
        for group in set(groups)
    ]
    assert min(means) - 1e-9 <= found.low <= found.high <= max(means) + 1e-9


GOOD, CALM = Interval(-0.2, -0.3, -0.1), Interval(0.01, 0.0, 0.02)


@pytest.mark.parametrize(
    ("base", "active", "general", "groups", "better", "against"),
    [
        (GOOD, None, CALM, 5, True, []),
        (GOOD, Interval(-0.01, -0.1, 0.1), CALM, 5, True, []),
        (Interval(-0.2, -0.4, 0.0), None, CALM, 5, False, ["against the base"]),
        (GOOD, Interval(0.01, -0.1, 0.1), CALM, 5, False, ["against lora_x"]),
        (GOOD, None, Interval(0.051, 0.0, 0.1), 5, False, ["on general code"]),
        (GOOD, None, CALM, 4, False, ["4 groups of lines"]),
        (CALM, CALM, Interval(1, 1, 1), 1, False,
         ["against the base", "on general code", "against lora_x", "1 groups"]),
    ],
)  # fmt: skip
def test_the_rule(
    base: Interval, active: Interval | None, general: Interval, groups: int, better: bool,
    against: list[str],
) -> None:  # fmt: skip
    found, reasons = decided(base, active, general, groups, Options(), "lora_x")
    assert found is better
    speaks = [one.removeprefix("against: ") for one in reasons if one.startswith("against: ")]
    assert [said.startswith(start) for said, start in zip(speaks, against, strict=True)] == [
        True
    ] * len(against)


def test_a_reason_has_the_numbers() -> None:
    _, reasons = decided(GOOD, None, CALM, 9, Options(), "")
    assert reasons == (
        "for: against the base -0.200 nats a token (95 %: -0.300 to -0.100)",
        "for: on general code +0.010 nats a token (95 %: +0.000 to +0.020), of which 0.05 are "
        "allowed",
    )


def test_a_judgement_comes_back_as_it_was(tmp_path: Path) -> None:
    write_adapter(tmp_path, NAME)
    assert read_judgement(tmp_path, NAME) is None
    one = Judgement(
        NAME, marks(1.0), marks(2.0), marks(1.5), GOOD, CALM, True, ("for: x",), "d" * 64, "now",
        name_of(2), CALM, 7,
    )  # fmt: skip
    judged = Judged(one, "1" * 64, "2" * 64, {"seed": 0})
    write_judgement(tmp_path, judged)
    assert read_judgement(tmp_path, NAME) == judged
    judge(tmp_path, NAME)
    found = read_judgement(tmp_path, NAME)
    assert found is not None
    assert found.judgement.active is None


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("depots")
    repo = tell_the_depots(folder / "repo", 30)
    options = ExportOptions(Form.SFT, folder, "20261101", "", 0.0, 500, "", False)
    found = export(open_memory(repo), Redactor(), "r", options, None)
    assert found.data is not None
    return Path(found.data)


def test_lines_that_are_held_out_are_read(data: Path) -> None:
    found = read_held_out(data)
    told = [json.loads(line) for line in data.read_text().splitlines()]
    kept = [one for one in told if one["split"] == "test"]
    assert [one.line_id for one in found.lines] == [one["id"] for one in kept]
    first = found.lines[0]
    assert [each["role"] for each in (*first.prompt, *first.completion)] == [
        "system", "user", "assistant"
    ]  # fmt: skip
    assert first.group == kept[0]["about"]["group"]
    assert some(found.lines, 1) == some(list(reversed(found.lines)), 1)
    assert len(some(found.lines, 99)) == len(found.lines)


def test_lines_that_an_adapter_was_trained_on_do_not_judge(data: Path, tmp_path: Path) -> None:
    found = read_held_out(data)
    mine, plain = (write_adapter(tmp_path, name_of(day)) for day in (1, 2))
    (mine / "trained_ids.txt").write_text(f"{found.lines[0].line_id}\nelsewhere\n")
    (plain / "trained_ids.txt").unlink(missing_ok=True)
    assert unseen(found, [plain]) == (found, 0)
    left, count = unseen(found, [mine, plain])
    assert (left.lines, count) == (found.lines[1:], 1)
    assert left.data_sha256 == found.data_sha256
    (mine / "trained_ids.txt").write_text("\n".join(one.line_id for one in found.lines))
    with pytest.raises(UsageError, match="every line of the test was trained on"):
        unseen(found, [mine])


def test_other_forms_tell_of_good_answers_only(data: Path, tmp_path: Path) -> None:
    told = [json.loads(line) for line in data.read_text().splitlines()]
    lines: list[dict[str, Any]] = []
    for number, one in enumerate(told):
        *prompt, answer = one.pop("messages")
        if number % 2:
            lines.append({**one, "prompt": prompt, "completion": [answer], "label": number % 4 > 1})
        else:
            lines.append({**one, "prompt": prompt, "chosen": [answer], "rejected": [answer]})
        lines[-1]["split"] = "test"
    path = tmp_path / "mixed.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    assert len(read_held_out(path).lines) == sum(one.get("label", True) for one in lines)
    path.write_text(json.dumps({**lines[0], "split": "train"}) + "\n")
    with pytest.raises(UsageError, match=r"mixed\.jsonl has no lines for judging"):
        read_held_out(path)
    path.write_text("{}\n")
    with pytest.raises(UsageError, match=r"mixed\.jsonl:1 keys  are no format"):
        read_held_out(path)
    with pytest.raises(UsageError, match="cannot read"):
        read_held_out(tmp_path)


_PROMPT = (
    "Wait longer.\n\n*** begin context\n*** file a.py\n<<<<<<< TEXT\nx = 1\ny = 2\n>>>>>>> TEXT\n"
    "*** end context"
)
_EDIT = (
    "*** begin edits\n*** edit a.py\n<<<<<<< SEARCH\nx = 1\n=======\nx = 3\n>>>>>>> REPLACE\n"
    "*** end edits"
)
_WHOLE = (
    "Done.\n*** begin edits\n*** write a.py\n<<<<<<< TEXT\nx = 3\ny = 2\n>>>>>>> TEXT\n"
    "*** end edits"
)


@pytest.mark.parametrize(
    ("text", "exact", "low", "high"),
    [
        (_EDIT, True, 1.0, 1.0),
        (f"I did it.\n{_EDIT}\nBye.", True, 1.0, 1.0),
        (_WHOLE, True, 1.0, 1.0),
        (_EDIT.replace("x = 3", "x = 4"), False, 0.9, 0.99),
        (_EDIT.replace("x = 1", "z = 1"), False, 0.9, 0.99),
        ("*** begin edits\n*** delete b.py\n*** end edits", False, 0.1, 0.7),
        (_EDIT[:-20], False, 0.0, 0.0),
        ("I would set x to 3.", False, 0.0, 0.0),
        ("", False, 0.0, 0.0),
    ],
)
def test_edits_are_alike(text: str, exact: bool, low: float, high: float) -> None:
    prompt = ({"role": "system", "content": "s"}, {"role": "user", "content": _PROMPT})
    line = Held("1", "g", prompt, ({"role": "assistant", "content": _EDIT},))
    found, similar = likeness(line, text)
    assert found is exact
    assert low <= similar <= high
