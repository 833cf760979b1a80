"""The modules of the action, which lie outside of the package."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ACTION = Path(__file__).parents[2] / ".github" / "actions" / "merge-gate"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ACTION / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def modules() -> Iterator[dict[str, ModuleType]]:
    loaded = {name: _load(name) for name in ("choice", "telling")}
    yield loaded
    for name in loaded:
        del sys.modules[name]


@pytest.fixture
def choice(modules: dict[str, ModuleType]) -> ModuleType:
    return modules["choice"]


@pytest.fixture
def telling(modules: dict[str, ModuleType]) -> ModuleType:
    return modules["telling"]
