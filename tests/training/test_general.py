"""Code to learn from and code to be judged on, and the chats that a tiny base is made of."""

import random
import re
import sysconfig
from itertools import islice
from pathlib import Path

import pytest

from git_skillmesh.errors import Unavailable
from git_skillmesh.training.dataset.blocks import applied, parse_context, parse_edits
from git_skillmesh.training.general import general_code, is_held_out, learnable, library
from training.tiny_base import chats, texts_of


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


def test_a_python_without_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone.py").symlink_to(tmp_path / "not there")
    assert list(library(tmp_path)) == []
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"stdlib": str(tmp_path)})
    with pytest.raises(Unavailable, match="no sources of its standard library"):
        general_code()


def test_a_folder_of_code_is_about_half_of_what_a_base_reads(tmp_path: Path) -> None:
    for name in ("main.go", "cmd/run.go", ".git/hidden.go", "image.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"package {name}\n")
    texts = texts_of([tmp_path])
    given = [name for name, text in texts if text.startswith("package ")]
    assert set(given) == {"main.go", "cmd/run.go"}
    assert 0.49 < len(given) / len(texts) <= 0.5


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
