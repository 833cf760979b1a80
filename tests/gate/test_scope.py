"""Which files a learning is about."""

from typing import Any

from git_skillmesh.gate.scope import Scope, unknown_languages
from git_skillmesh.learnings.model import FOLDER
from testing.learning_files import learning


def covers(path: str, head: bytes = b"", *, kind: str = "literal", **fields: Any) -> bool:
    return Scope(learning(kind, **fields)).covers(path, head)


def test_without_limits_every_file_but_the_learnings() -> None:
    assert covers("a")
    assert covers("src/a.py")
    assert covers(".skillmesh/config.toml")
    assert not covers(f"{FOLDER}/a.yaml")
    assert covers(f"{FOLDER}/a.yaml", kind="paths")


def test_languages() -> None:
    python: dict[str, Any] = {"languages": ("python", "typescript")}
    assert covers("a.py", **python)
    assert covers("b.tsx", **python)
    assert covers("b.ts", **python)
    assert not covers("a.js", **python)
    assert not covers("tool", **python)
    assert covers("tool", b"#!/usr/bin/env python3\n", **python)
    assert covers("a.jsx", languages=("javascript",))
    assert not covers("a.js", languages=("jsx",))


def test_paths_and_what_is_taken_away_wherever_it_stands() -> None:
    for globs in (("src/**", "!src/vendor/"), ("!src/vendor/", "src/**")):
        assert covers("src/a.py", paths=globs)
        assert not covers("src/vendor/a.py", paths=globs)
        assert not covers("a.py", paths=globs)
    assert covers("a.py", paths=("!tests/**",))
    assert not covers("tests/a.py", paths=("!tests/**",))


def test_languages_and_paths_must_both_fit() -> None:
    both: dict[str, Any] = {"languages": ("python",), "paths": ("src/**",)}
    assert covers("src/a.py", **both)
    assert not covers("src/a.go", **both)
    assert not covers("a.py", **both)


def test_unknown_languages() -> None:
    assert unknown_languages(learning("literal", languages=("python", "klingon"))) == ["klingon"]
