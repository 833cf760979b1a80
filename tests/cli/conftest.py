"""Fixtures of the tests of commands."""

import pytest


@pytest.fixture(autouse=True)
def local_tier_only(hermetic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the Chroma tier, whose import takes longer than all the rest of a command."""
    monkeypatch.setenv("CHROMA_DB_IMPL", "off")
