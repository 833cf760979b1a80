import importlib.util
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from git_skillmesh.embedding import static

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_static_model.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_static_model", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes((static.DATA / static.VOCABULARY).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 64)
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path, "--out", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"{tmp_path / 'model.safetensors'} is not the model.safetensors that this script knows\n"
    )
    assert not (tmp_path / "out").exists()


def test_gelu_is_x_times_the_normal_distribution(script: ModuleType) -> None:
    x = np.linspace(-6, 6, 241, dtype=np.float32)
    exact = [value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x.tolist()]
    np.testing.assert_allclose(script.gelu(x), exact, atol=2e-6)


def test_the_stored_frequencies_fit_the_shipped_vocabulary(script: ModuleType) -> None:
    pieces = (static.DATA / static.VOCABULARY).read_text("utf-8").split("\n")[:-1]
    frequency = script.stored_frequencies(len(pieces))
    assert abs(frequency.sum() - 1) < 1e-5
    share = dict(zip(pieces, frequency.tolist(), strict=True))
    assert share["return"] > share["socket"] > share["cathedral"]


def test_training_left_common_pieces_lighter_than_rare_ones(script: ModuleType) -> None:
    gains = np.load(static.DATA / static.GAINS)
    assert gains.max() == static.LARGEST_GAIN
    pieces = (static.DATA / static.VOCABULARY).read_text("utf-8").split("\n")[:-1]
    frequency = script.stored_frequencies(len(pieces))
    common, rare = frequency > 2 * script.RARE, frequency < 0.01 * script.RARE
    assert common.sum() > 10
    assert gains[common].mean() < 0.6 * gains[rare].mean()


def test_what_was_written_is_loaded_back(script: ModuleType, tmp_path: Path) -> None:
    vectors = np.random.default_rng(7).normal(size=(3, script.DIMENSION))
    script.write(tmp_path, ["parse", "json", "##s"], vectors, np.array([1.0, 0.5, 0.1]))
    model = static.StaticEmbedder.load(tmp_path)
    model.verify()
    wanted = vectors[0] + 0.5 * (1 + math.log(3)) * vectors[1]
    found = model.embed_bag({"json": 3, "parse": 1, "unknown": 5})
    assert found @ wanted / np.linalg.norm(wanted) > 0.9999
