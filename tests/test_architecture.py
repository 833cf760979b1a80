"""The arrows between the rooms, the light imports of hooks and queries, the size of modules.

Read from the source itself: what a module imports is in its syntax tree; what that drags in is
seen in a fresh interpreter.
"""

import ast
import gc
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest

import git_skillmesh
from git_skillmesh.registry.building import files_of
from git_skillmesh.registry.loading import load_registry
from testing.commands import call
from testing.fresh import Fresh
from testing.registries import skill_text, write_card
from testing.repos import make_repo

PACKAGE = Path(git_skillmesh.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
ALL = frozenset(
    "git chunking embedding index retrieval chroma registry sessions learnings gate hooks"  # noqa: SIM905
    " thinking briefing agents training monitoring mcp explorer cli config errors display"
    " yamlnodes arrays marked files machine loopback schedule backup settings".split()
)

# Who may import whom; a room may always import itself. Data flows one way:
# git → chunking, sessions → embedding → index → retrieval → cli. `chroma` mirrors the index.
ARROWS: dict[str, frozenset[str]] = {
    "errors": frozenset(),
    "display": frozenset(),
    "files": frozenset(),
    "machine": frozenset(),
    "yamlnodes": frozenset(),
    "marked": frozenset({"errors"}),
    "loopback": frozenset({"errors"}),
    "arrays": frozenset({"errors"}),
    "git": frozenset({"errors"}),
    "settings": frozenset(),
    "config": frozenset({"errors", "git", "settings"}),
    "chunking": frozenset(),
    "embedding": frozenset({"errors", "config"}),
    "index": frozenset(
        {
            "errors",
            "files",
            "arrays",
            "machine",
            "yamlnodes",
            "config",
            "git",
            "chunking",
            "embedding",
            "sessions",
            "learnings",
        }
    ),
    "retrieval": frozenset(
        {"errors", "config", "git", "chunking", "embedding", "index", "sessions", "learnings"}
    ),
    "chroma": frozenset(
        {
            "errors",
            "files",
            "config",
            "git",
            "chunking",
            "embedding",
            "index",
            "sessions",
            "learnings",
            "thinking",
        }
    ),
    "sessions": frozenset({"errors", "files", "config", "git", "chunking"}),
    "learnings": frozenset(
        {"errors", "files", "yamlnodes", "config", "git", "chunking", "sessions"}
    ),
    # Skills know nothing of a repository's index; vectors go through `chroma`'s one writer.
    "registry": frozenset(
        {
            "errors",
            "files",
            "display",
            "yamlnodes",
            "arrays",
            "marked",
            "config",
            "git",
            "embedding",
            "chroma",
        }
    ),
    "gate": frozenset(
        {"errors", "files", "display", "config", "git", "chunking", "sessions", "learnings"}
    ),
    "thinking": frozenset(
        {"errors", "display", "arrays", "config", "git", "embedding", "sessions"}
    ),
    # What is worth telling an agent for one prompt; reads everything, writes down what it has told.
    "briefing": ALL - {"hooks", "cli", "mcp", "agents", "monitoring", "briefing", "explorer"},
    "training": frozenset(
        {
            "errors",
            "display",
            "arrays",
            "files",
            "machine",
            "loopback",
            "marked",
            "config",
            "git",
            "chunking",
            "embedding",
            "sessions",
            "learnings",
            "index",
            "retrieval",
            "gate",
            "schedule",
        }
    ),
    # A command that runs every day; knows nothing of what it runs.
    "schedule": frozenset({"errors", "marked", "files", "git"}),
    # Everything that must not be lost in one file, and what takes how much.
    "backup": ALL - {"hooks", "cli", "mcp", "agents", "briefing", "gate"},
    # Told by hooks, commands and the server what was done; looks at what became of the work.
    "monitoring": frozenset(
        {
            "errors",
            "files",
            "machine",
            "display",
            "config",
            "git",
            "chunking",
            "index",
            "sessions",
            "learnings",
            "gate",
            "training",
        }
    ),
    # Looks into the memory for what has arrived; the plugin is written like one of skills.
    "agents": frozenset(
        {"errors", "files", "display", "marked", "config", "git", "sessions", "registry"}
    ),
    "hooks": ALL - {"cli", "mcp", "explorer"},
    "mcp": ALL - {"cli", "hooks", "explorer"},
    # Shows what all others know, and searches with what the server for agents keeps warm.
    "explorer": ALL - {"cli", "hooks"},
    "cli": ALL,
    "__main__": frozenset({"cli"}),
    "__init__": frozenset(),
}
# What one sitting reads.
LONGEST = 400

# What a hook may not load while the user waits, and what a query has no use for.
HEAVY = ("chromadb", "mcp", "numpy", "pydantic", "typer", "rich", "git")
TOO_MUCH_FOR_A_QUERY = (
    "chromadb", "mcp", "pydantic", "typer", "rich", "git", "multiprocessing.pool",
    "concurrent.futures.process", "dotenv", "tenacity", "sqlite3.dump", "asyncio", "unittest",
    "numpy.ma",
)  # fmt: skip


def module_id(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the syntax tree of a module says, which is too large to be kept."""

    docstring: str
    imports: list[ast.Import | ast.ImportFrom]
    called: set[str]
    starts_git: bool  # a list that begins with "git" is a command line


@cache
def facts_of(path: Path) -> Facts:
    gc.disable()  # hundreds of thousands of nodes, none of them garbage, are looked at in vain
    try:
        tree = ast.parse(path.read_bytes())
    finally:
        gc.enable()
    facts = Facts(ast.get_docstring(tree) or "", [], set(), False)
    starts_git = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            facts.imports.append(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            facts.called.add(node.func.id)
        elif isinstance(node, ast.List) and node.elts and isinstance(node.elts[0], ast.Constant):
            starts_git |= node.elts[0].value == "git"
    return replace(facts, starts_git=starts_git)


def imported_rooms(path: Path) -> Iterator[tuple[str, int]]:
    """Yield (room, line) of every import of this package, wherever in the module it stands."""
    folder = ("git_skillmesh", *path.relative_to(PACKAGE).parts[:-1])
    for node in facts_of(path).imports:
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        else:
            base = folder[: len(folder) - node.level + 1] if node.level else ()
            start = [*base, *(node.module.split(".") if node.module else ())]
            names = [start] if len(start) > 1 else [[*start, alias.name] for alias in node.names]
        for name in names:
            if name[0] == "git_skillmesh" and len(name) > 1:
                yield name[1], node.lineno


def test_every_room_is_known() -> None:
    assert {room_of(path) for path in MODULES} == set(ARROWS)


def test_arrows() -> None:
    wrong = [
        f"{module_id(path)}:{line} imports {found}"
        for path in MODULES
        for found, line in imported_rooms(path)
        if found not in ARROWS[room_of(path)] | {room_of(path)} and not found.startswith("__")
    ]
    assert wrong == []


def test_the_reader_of_imports_sees_them_all() -> None:
    found = {room for room, _ in imported_rooms(PACKAGE / "cli" / "prune.py")}
    assert found == {"cli", "errors", "index"}
    assert {room for room, _ in imported_rooms(PACKAGE / "config.py")} == {
        "errors", "git", "settings"
    }  # fmt: skip


def imported_names(path: Path) -> Iterator[str]:
    """Yield "module.name" or "module" of everything a module imports from elsewhere."""
    for node in facts_of(path).imports:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_chunking_is_pure() -> None:
    """Bytes in, chunks out: no files, no processes, no network, no chance, no numpy.

    A parse that runs away is ended by the CPU time of its thread: the one look at a clock.
    """
    forbidden = {
        "os", "subprocess", "socket", "tempfile", "shutil", "random", "time", "datetime", "numpy",
        "sqlite3", "urllib", "multiprocessing", "logging", "locale",
    }  # fmt: skip
    chunking = [path for path in MODULES if room_of(path) == "chunking"]
    impure = {
        name
        for path in chunking
        for name in imported_names(path)
        if name.split(".")[0] in forbidden
    }
    assert impure <= {"time.thread_time"}
    assert [path for path in chunking if "open" in facts_of(path).called] == []


def test_only_the_git_room_starts_git() -> None:
    found = {module_id(path) for path in MODULES if facts_of(path).starts_git}
    assert found == {"git/process.py"}


def test_nothing_but_the_command_line_prints() -> None:
    """`hooks/main.py` is a command line too: it prints its usage when it is asked for it."""
    rooms = [path for path in MODULES if room_of(path) != "cli"]
    found = {module_id(path) for path in rooms if "print" in facts_of(path).called}
    assert found <= {"hooks/main.py"}


def test_every_module_says_what_it_is_and_stays_short() -> None:
    silent = [module_id(path) for path in MODULES if not facts_of(path).docstring.strip()]
    assert silent == []
    long = {module_id(path): path.read_bytes().count(b"\n") for path in MODULES}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}


def test_no_personal_paths() -> None:
    personal = re.compile(r"/(?:home|Users|root)/\w|/(?:work)/(?:main|shared)|/tmp/\w+/|C:\\Users")
    root = PACKAGE.parents[1]
    found = [
        f"{path.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1}"
        for folder in ("src", "hooks", "testing", "scripts", "benchmarks")
        for path in sorted((root / folder).rglob("*"))
        if path.is_file() and path.suffix in (".py", ".sh", "") and "__pycache__" not in path.parts
        for text in [path.read_text("utf-8", "replace")]
        for match in personal.finditer(text)
    ]
    assert found == []


Loaded = Callable[..., list[str]]


@pytest.fixture(scope="module")
def loaded() -> Iterator[Loaded]:
    """Run code in a fresh interpreter and return the modules it has loaded at its end."""
    with Fresh() as fresh:
        yield fresh.modules_after


def heavy(modules: list[str], names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name in modules]


@pytest.mark.parametrize(
    "name",
    ["main", "worker", "shim", "install", "settings", "background", "sharing", "context", "agent"],
)
def test_hooks_load_nothing_heavy(loaded: Loaded, name: str) -> None:
    modules = loaded(f"import git_skillmesh.hooks.{name}")
    assert f"git_skillmesh.hooks.{name}" in modules
    assert heavy(modules, HEAVY) == []
    outside = {module.split(".")[0] for module in modules} - set(sys.stdlib_module_names)
    assert (
        not outside
        - {"git_skillmesh", "__main__", "__mp_main__", "sitecustomize"}
        - {module for module in outside if module.startswith(("_", "pywin", "usercustomize"))}
    )


def test_recording_loads_what_every_hook_has_loaded_anyway(loaded: Loaded) -> None:
    before = loaded("import __future__, fcntl, os, time")
    after = loaded("import __future__, fcntl, os, time, git_skillmesh.monitoring.record")
    more = {"git_skillmesh", "git_skillmesh.monitoring", "git_skillmesh.monitoring.record"}
    assert set(after) - set(before) == more


def test_storing_a_conversation_loads_nothing_heavy(loaded: Loaded) -> None:
    """A hook does it."""
    modules = loaded("import git_skillmesh.sessions.store, git_skillmesh.git.notes")
    assert heavy(modules, (*HEAVY, *TOO_MUCH_FOR_A_QUERY, "sqlite3", "tree_sitter")) == []


def test_the_command_line_loads_one_command(loaded: Loaded) -> None:
    modules = loaded(
        "import sys\nfrom git_skillmesh.cli.main import main\n"
        "assert main(['status', '-h']) == 0\nsys.stdout.flush()"
    )
    assert [m for m in modules if m.startswith("git_skillmesh.cli.")] == [
        "git_skillmesh.cli.context",
        "git_skillmesh.cli.main",
        "git_skillmesh.cli.status",
        "git_skillmesh.cli.terminal",
    ]
    assert heavy(modules, HEAVY) == []


def test_a_query_loads_only_what_it_needs(loaded: Loaded, tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.py": "def parse_header():\n    return 1\n"})
    assert call(repo.path, "index", "--chroma", "off", "-q").returncode == 0
    modules = loaded(
        "from git_skillmesh.cli.main import main\nassert main(['query', 'parse_header']) == 0",
        folder=repo.path,
    )
    assert "numpy" in modules
    assert heavy(modules, TOO_MUCH_FOR_A_QUERY) == []
    assert not [name for name in modules if name.startswith("tree_sitter")]


@pytest.fixture(scope="module")
def registry(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a registry of one card, whose file is built; its index is made once."""
    folder = tmp_path_factory.mktemp("registry")
    short = skill_text("depot.weighing", **dict.fromkeys(("execution", "decision", "when"), "1. A"))
    write_card(folder / "registry", "depot.weighing", skill=short, examples=["how heavy is it"])
    for path, text in files_of(load_registry(folder / "registry")).items():
        (folder / "registry" / path).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("action", ["retrieve", "emit", "list"])
def test_routing_to_skills_loads_only_what_it_needs(
    loaded: Loaded, action: str, registry: Path
) -> None:
    """The built file is read: no YAML, no Chroma, no masked arrays, and to list them no numpy."""
    words = [] if action == "list" else ["weigh parcels before dispatch"]
    arguments = ["skills", action, "--registry", "registry/tools.enriched.json", *words]
    modules = loaded(
        f"from git_skillmesh.cli.main import main\nassert main({arguments!r}) == 0", registry
    )
    assert ("numpy" in modules) is (action != "list")
    assert heavy(modules, (*TOO_MUCH_FOR_A_QUERY, "yaml", "difflib")) == []
    assert not [name for name in modules if name.startswith(("tree_sitter", "tantivy"))]


def test_errors_and_configuration_load_in_no_time(loaded: Loaded) -> None:
    modules = loaded("import git_skillmesh.config")
    assert heavy(modules, (*HEAVY, "dotenv", "tomllib", "logging")) == []
