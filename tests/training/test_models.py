"""Models asked: ids of a chat, cut where they must be, losses and answers."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from git_skillmesh.errors import Damaged, UsageError
from git_skillmesh.training import models
from testing.trained import random_base

pytest.importorskip("transformers", reason="needs git-skillmesh[train]: run scripts/test-training")

_SYSTEM = {"role": "system", "content": "Change it."}
_ANSWER = [{"role": "assistant", "content": "Done, é.\n"}]


def asked(text: str) -> list[dict[str, str]]:
    return [_SYSTEM, {"role": "user", "content": text}]


@pytest.fixture(scope="module", params=[False, True])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    base = random_base(tmp_path_factory.mktemp("base") / "b", template=request.param)
    return models.load(str(base), device="cpu")


def text_of(loaded: Any, ids: Sequence[int]) -> str:
    text: str = loaded.tokenizer.decode(ids)
    return text


def test_a_chat_that_fits(loaded: Any) -> None:
    ids, begin = models.encoded(loaded.tokenizer, asked("Wait."), _ANSWER, 1_000)
    assert text_of(loaded, ids[begin:]).rstrip("\n") == "Done, é.\n</s>"
    prompt = text_of(loaded, ids[:begin])
    assert prompt.rstrip().endswith(("<|assistant|>", "assistant:"))
    assert "Wait." in prompt


def test_a_long_prompt_is_cut_between_its_beginning_and_its_end(loaded: Any) -> None:
    text = "First. " + "é middle " * 200 + "Last."
    for longest in range(120, 1_200, 77):
        ids, begin = models.encoded(loaded.tokenizer, asked(text), _ANSWER, longest)
        prompt = text_of(loaded, ids[:begin])
        assert len(ids) <= longest
        assert text_of(loaded, ids[begin:]).rstrip("\n") == "Done, é.\n</s>"
        assert "Change it." in prompt
        assert models.CUT in prompt
        assert "First." in prompt
        assert "Last." in prompt


def test_a_long_answer_leaves_half_to_the_prompt(loaded: Any) -> None:
    answer = [{"role": "assistant", "content": "x" * 2_000}]
    ids, begin = models.encoded(loaded.tokenizer, asked("y" * 2_000), answer, 400)
    assert len(ids) == 400
    assert 160 < begin <= 200


def test_losses_do_not_depend_on_neighbours(loaded: Any) -> None:
    lines = [
        (f"l{n}", *models.encoded(loaded.tokenizer, asked("a" * n * 7), _ANSWER, 1_000))
        for n in (9, 1, 5)
    ]
    alone = [models.losses(loaded, [line], 1)[0] for line in lines]
    together = models.losses(loaded, lines, 3)
    assert [name for name, _, _ in together] == ["l9", "l1", "l5"]
    for one, other in zip(alone, together, strict=True):
        assert one[2] == other[2]
        assert math.isclose(one[1], other[1], rel_tol=1e-5)
    # Random weights know nothing: about the logarithm of the vocabulary for each token.
    assert all(abs(nats / count - math.log(258)) < 1 for _, nats, count in together)


def test_what_is_written_is_the_likeliest(loaded: Any) -> None:
    ids, begin = models.encoded(loaded.tokenizer, asked("Wait."), _ANSWER, 1_000)
    once = models.written(loaded, ids[:begin], 8)
    assert once == models.written(loaded, ids[:begin], 8)


def test_what_cannot_be_loaded(tmp_path: Path) -> None:
    base = random_base(tmp_path / "b")
    with pytest.raises(UsageError, match="there is no adapter_model"):
        models.load(str(base), tmp_path, device="cpu")
    (tmp_path / "training.json").write_text('{"base_sha256": "other"}')
    with pytest.raises(UsageError, match="the base has another hash"):
        models.load(str(base), tmp_path, device="cpu")
    (base / "model.safetensors").write_bytes(b"\0" * 40)
    with pytest.raises(Damaged, match="cannot load the model at"):
        models.load(str(base), device="cpu")
