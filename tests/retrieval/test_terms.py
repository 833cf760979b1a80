"""Reading a query."""

import pytest

from git_skillmesh.index.documents import hash_term
from git_skillmesh.retrieval.terms import parse


@pytest.mark.parametrize(
    ("text", "stems", "wholes", "is_identifier"),
    [
        ("how is a session closed", ["session", "close"], [], False),
        ("parseDuration", ["pars", "durat"], ["parseduration"], True),
        (
            "HTTPServer.close_all()",
            ["http", "server", "close", "all"],
            ["httpserver", "close_all"],
            True,
        ),
        ("to be or not to be", ["to", "be", "or", "not"], [], False),
        ("open", ["open"], [], True),
        ("", [], [], False),
        ("?!", [], [], False),
    ],
)
def test_parse(text: str, stems: list[str], wholes: list[str], is_identifier: bool) -> None:
    query = parse(text)
    assert list(query.stems) == stems
    assert list(query.wholes) == wholes
    assert query.is_identifier is is_identifier
    assert query.stems == {stem: hash_term(stem) for stem in stems}
