"""How Chroma is imported: without its checks of itself, and with everything else as it was."""

import gc

import overrides
import pytest

from git_skillmesh.chroma.loading import _without_checks, load


class Base:
    def speak(self, word: str) -> None:
        raise NotImplementedError


def test_signatures_are_not_compared_for_so_long() -> None:
    with _without_checks():

        class Unlike(Base, overrides.EnforceOverrides):
            @overrides.override
            def speak(self) -> None:  # type: ignore[override]
                raise NotImplementedError

            @overrides.overrides(check_signature=True)
            def other(self) -> None:
                raise NotImplementedError

    assert issubclass(Unlike, Base)
    with pytest.raises(TypeError):

        class Checked(Base):
            @overrides.override
            def speak(self) -> None:  # type: ignore[override]
                raise NotImplementedError


def test_loading_leaves_the_process_as_it_was() -> None:
    before = {name: id(value) for name, value in vars(overrides).items()}
    load()
    assert {name: id(value) for name, value in vars(overrides).items()} == before
    assert gc.isenabled()
