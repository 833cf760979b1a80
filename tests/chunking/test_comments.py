"""Comment markers of many languages, removed."""

import pytest

from git_skillmesh.chunking.comments import (
    is_documentation,
    join_comments,
    words_of_comment,
    words_of_docstring,
)

COMMENTS = [
    ("# Adds one.", "Adds one."),
    ("#: Adds one.", "Adds one."),
    ("// Adds one.", "Adds one."),
    ("/// Adds one.\n/// Never fails.", "Adds one.\nNever fails."),
    ("//! Adds one.", "Adds one."),
    ("/** Adds one. */", "Adds one."),
    ("/**\n * Adds one.\n *\n * @param n count\n */", "Adds one.\n\n@param n count"),
    ("/* Adds one.\n   Never fails. */", "Adds one.\nNever fails."),
    ("-- | Adds one.", "Adds one."),
    ("--- Adds one.", "Adds one."),
    ("{-| Adds one. -}", "Adds one."),
    (";; Adds one.", "Adds one."),
    ("%% Adds one.", "Adds one."),
    ("(** Adds one. *)", "Adds one."),
    ("<!-- Adds one. -->", "Adds one."),
    ('" Adds one.', "Adds one."),
    ("! Adds one.", "Adds one."),
    ("", ""),
]


@pytest.mark.parametrize(("source", "words"), COMMENTS)
def test_words_of_a_comment(source: str, words: str) -> None:
    assert words_of_comment(source) == words


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('"""Adds one.\n\n    Never fails.\n    """', "Adds one.\n\nNever fails."),
        ("r'''Adds one.'''", "Adds one."),
        ("'Adds one.'", "Adds one."),
        ('@doc """\nAdds one.\n"""', "Adds one."),
        ('@doc "Adds one."', "Adds one."),
        ("@spec add(t()) :: t()", ""),
    ],
)
def test_words_of_a_docstring(source: str, words: str) -> None:
    assert words_of_docstring(source) == words


def test_a_licence_is_no_documentation() -> None:
    assert is_documentation("/** Reads files. */")
    assert is_documentation("//! Reads files.")
    assert not is_documentation("/** Copyright somebody */")
    assert not is_documentation("// plain")


def test_joined_comments_are_bounded_and_say_nothing_twice() -> None:
    assert join_comments(["a", "", "b", "a"]) == "a\nb"
    assert len(join_comments(["word " * 1_000])) <= 1_000
