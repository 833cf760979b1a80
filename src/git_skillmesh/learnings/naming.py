"""Ids for learnings, from their titles.

In: a title and the ids that are taken. Out: an id that says what it is about, and is free.
"""

import hashlib
import re
import unicodedata
from collections.abc import Collection

_LONGEST = 48
_LONGEST_WITH_NUMBER = 64


def free_id(title: str, taken: Collection[str]) -> str:
    """Return the id for a title; with a number where another learning has it."""
    slug = slug_of(title)
    number = 1
    name = slug
    while name in taken:
        number += 1
        name = f"{slug[: _LONGEST_WITH_NUMBER - len(str(number)) - 1]}-{number}"
    return name


def slug_of(title: str) -> str:
    """Return the words of a title joined by `-`, cut between words.

    A title of which nothing can be written in ASCII gets a name from its hash.
    """
    plain = unicodedata.normalize("NFKD", title.replace("\u00df", "ss")).encode("ascii", "ignore")
    words = re.findall(r"[a-z0-9]+", plain.decode().lower().replace("'", ""))
    letters = sum(character.isalpha() for character in title)
    if 2 * sum(map(len, words)) < letters:  # most of it is in another script
        return f"learning-{hashlib.sha256(title.encode('utf-8', 'replace')).hexdigest()[:8]}"
    slug = ""
    for word in words:
        if slug and len(slug) + 1 + len(word) > _LONGEST:
            break
        slug = f"{slug}-{word}" if slug else word[:_LONGEST]
    return slug or "learning"
