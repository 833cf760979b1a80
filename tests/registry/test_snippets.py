"""The snippets of the cards: each was run as it stands; those that need nothing are run here."""

import importlib.util
import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType

import pytest

from testing.registries import skill_text, write_card

ROOT = Path(__file__).parents[2]
REGISTRY = ROOT / "registry"
SCRIPT = ROOT / "scripts" / "snippets.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("snippets", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["snippets"] = module  # its dataclasses look for themselves there
    spec.loader.exec_module(module)
    return module


script = _load()
SNIPPETS = list(script.snippets_of(REGISTRY))


def place(snippet: "script.Snippet") -> str:  # type: ignore[name-defined]
    return f"{snippet.path}:{snippet.line}"


def test_every_snippet_was_run_as_it_stands() -> None:
    """After a change of one: scripts/snippets.py --venv …, see there."""
    lock = script.read_lock(REGISTRY)
    assert [place(snippet) for snippet in SNIPPETS if snippet.key not in lock] == []
    assert set(lock) == {snippet.key for snippet in SNIPPETS}
    for snippet in SNIPPETS:
        entry = lock[snippet.key]
        assert (entry["card"], entry["language"]) == (snippet.card, snippet.language)
        assert set(entry["packages"]) == set(snippet.packages), snippet.card


@pytest.mark.parametrize("snippet", [one for one in SNIPPETS if one.plain], ids=place)
def test_snippets_that_need_nothing_run(snippet: "script.Snippet") -> None:  # type: ignore[name-defined]
    assert script.run(snippet, None) == ""


def card_with(root: Path, language: str, code: str, **fields: object) -> None:
    fence = f"- made:\n  ```{language} run\n" + "".join(f"  {x}\n" for x in code.splitlines())
    write_card(root, "depot.code", skill=skill_text("depot.code", output=f"{fence}  ```"), **fields)


def ran(root: Path, *options: str) -> tuple[int, str]:
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as out:
        patch.setattr(sys, "argv", ["snippets.py", str(root), *options])
        return script.main(), out.getvalue()


def test_a_run_notes_what_passes(tmp_path: Path) -> None:
    card_with(
        tmp_path, "python", "import os, pytest\nassert os.listdir() == []\nopen('x', 'w')",
        metadata={"snippets": "pytest"},
    )  # fmt: skip
    first = "depot/code/SKILL.md:24"
    second = "depot/code/SKILL.md:63"
    assert ran(tmp_path, "--list-packages") == (0, "pytest\n")
    assert ran(tmp_path) == (0, f"passed {first}\npassed {second}\n")
    assert ran(tmp_path) == (0, "")
    entries = json.loads((tmp_path / "snippets.lock.json").read_text())["snippets"]
    assert [
        (entry["card"], entry["language"], entry["packages"]) for entry in entries.values()
    ] == [("depot.code", "python", {"pytest": pytest.__version__})] * 2
    skill = tmp_path / "depot" / "code" / "SKILL.md"
    skill.write_text(skill.read_text().replace("open('x', 'w')", "raise SystemExit('no')"))
    assert ran(tmp_path) == (1, f"FAILED {second}\n    exit 1\n    no\n")
    assert len(json.loads((tmp_path / "snippets.lock.json").read_text())["snippets"]) == 1


@pytest.mark.parametrize(
    ("language", "code", "said"),
    [
        ("sh", "false | true\ntest -z \"$(ls -A)\"\ngit init -q x", ""),
        ("sh", "echo a\n$nothing", "exit 127\n"),
        ("python", "assert 1 + 1 == 3", "exit 1\nTraceback"),
        ("python", "import time\nprint(1)\ntime.sleep(9)", "took more than 1 seconds"),
        ("python", "import socket\nsocket.create_connection(('192.0.2.1', 9), 0.2)", "exit 1\n"),
    ],
)  # fmt: skip
def test_how_snippets_are_run(language: str, code: str, said: str) -> None:
    snippet = script.Snippet("a.b", "a/b/SKILL.md", 1, language, code, ())
    found = script.run(snippet, None, 1 if "sleep" in code else 30)
    assert found == said if not said else found.startswith(said[:6])


def test_a_server_and_its_client_meet_without_a_network() -> None:
    code = (
        "import socket\nserver = socket.create_server(('127.0.0.1', 0))\n"
        "client = socket.create_connection(server.getsockname(), 5)\n"
    )
    assert script.run(script.Snippet("a.b", "", 1, "python", code, ()), None) == ""


@pytest.mark.parametrize(
    ("language", "code", "plain"),
    [
        ("python", "import os.path\nfrom json import loads", True),
        ("python", "def f():\n    import numpy", False),
        ("python", "import subprocess", False),
        ("sh", "git filter-repo --force", False),
        ("sh", "f() { git init; }\nf | sort > x", True),
        ("sh", "x=$(terraform version)", False),
        ("rust", "fn main() {}", False),
    ],
)
def test_what_needs_nothing(language: str, code: str, plain: bool) -> None:
    assert script.Snippet("a.b", "", 1, language, code, ()).plain is plain
