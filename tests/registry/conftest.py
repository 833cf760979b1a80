"""The Chroma server of the tests of the other room."""

from tests.chroma.conftest import database

__all__ = ["database"]
