"""Code to learn from and code to be judged on, and the chats that a tiny base is made of."""

import random
import re
from itertools import islice

from git_skillmesh.training.dataset.blocks import applied, parse_context, parse_edits
from git_skillmesh.training.general import general_code, is_held_out, learnable, library
from training.tiny_base import chats


def test_what_is_judged_on_is_not_learned() -> None:
    names = [name for name, _ in library()]
    held = [name for name in names if is_held_out(name)]
    assert names == sorted(names)
    assert 0.03 < len(held) / len(names) < 0.2
    learned = dict(learnable())
    assert set(learned) == set(names) - set(held)
    texts = general_code(8, 2_000)
    assert texts == general_code(8, 2_000)
    assert len(texts) == 8
    assert all(100 < len(text) <= 2_000 for text in texts)
    assert not set(texts) & {text[: len(texts[0])] for text in learned.values()}


def test_chats_have_the_form_of_data_sets() -> None:
    code = [(name, text) for name, text in islice(learnable(), 40)]
    found = list(islice(chats(code, random.Random(0)), 60))
    assert found == list(islice(chats(code, random.Random(0)), 60))
    for chat in found:
        asked, answer = re.findall(
            r"<\|im_start\|>(?:user|assistant)\n(.*?)<\|im_end\|>", chat, re.DOTALL
        )
        (shown,) = parse_context(asked)
        edits = parse_edits(answer)
        assert edits
        assert applied({shown.path: shown.text}, edits)[shown.path] != shown.text
