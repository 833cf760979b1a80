"""The Chroma server of the tests of the other room."""

from tests.chroma.conftest import database, one_server, server

__all__ = ["database", "one_server", "server"]
