"""Files by chance and good files with damage: loading, validating and linting say so and go on."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.errors import UsageError
from git_skillmesh.registry import building
from git_skillmesh.registry.lint import lint
from git_skillmesh.registry.loading import load_registry, read_registry
from git_skillmesh.registry.validation import validate
from git_skillmesh.yamlnodes import Unreadable
from testing.registries import write_card, write_roles

PIECES = [
    b"---\n", b"\n---\n", b"```", b"```python run\n", b"{", b"}", b"[", b"]", b": ", b"- ", b"\x00",
    b"\xff", b"&a ", b"*a", b"!!python/object:os.system ", b"\r", b"\r\n", b"\xef\xbb\xbf", b"'",
    b'"', b"\t", b"|\n", b">", b"#", b"`a.b`", b"](../../x)", b"NEVER ", "→".encode(), b"\\ud800",
    b"\xe2\x80\xae", b"1e999", b"~", b"? ", b"<<: ", b"%", b"@", b"`", b"a: b: c", b"-" * 3000,
]  # fmt: skip


def damaged(data: bytes, damage: "list[tuple[float, int, bytes]]") -> bytes:
    for place, length, piece in damage:
        at = int(place * len(data))
        data = data[:at] + piece + data[at + length :]
    return data


DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(PIECES)), min_size=1, max_size=4
)


def use(path: Path) -> None:
    """Do with a registry all that its readers do."""
    registry = read_registry(path).registry
    for card in registry.cards:
        try:
            card.instructions.encode()
        except Unreadable:
            continue
    building.as_json(registry).encode()
    building.as_yaml(registry).encode()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    root = tmp_path_factory.mktemp("good")
    write_card(root, "depot.weighing")
    write_roles(root, {"id": "a", "title": "A", "description": "x", "experts": ["depot.weighing"]})
    registry = load_registry(root)
    (root / "tools.json").write_text(building.as_json(registry))
    (root / "experts.yaml").write_text(building.as_yaml(registry))
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


@given(name=st.sampled_from(["SKILL.md", "card.yaml", "roles.yaml"]), damage=DAMAGE)
def test_damage_in_a_tree(
    tmp_path_factory: pytest.TempPathFactory,
    good: dict[str, bytes],
    name: str,
    damage: list[tuple[float, int, bytes]],
) -> None:
    root = tmp_path_factory.mktemp("tree")
    (root / "depot" / "weighing").mkdir(parents=True)
    for path, data in good.items():
        if path.startswith("depot") or path == "roles.yaml":
            broken = damaged(data, damage) if path.endswith(name) else data
            (root / path).write_bytes(broken)
    use(root)
    for problem in [*validate(root), *lint(root)]:
        assert problem.line >= 1
        str(problem).encode()


@given(name=st.sampled_from(["tools.json", "experts.yaml"]), damage=DAMAGE)
def test_damage_in_a_file(
    tmp_path_factory: pytest.TempPathFactory,
    good: dict[str, bytes],
    name: str,
    damage: list[tuple[float, int, bytes]],
) -> None:
    path = tmp_path_factory.mktemp("file") / name
    path.write_bytes(damaged(good[name], damage))
    try:
        use(path)
    except UsageError:
        assert validate(path)
    for problem in validate(path):
        assert problem.line >= 1
        str(problem).encode()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["id", "name", "title", "tags", "input_contract", "composability", "metadata", "invocation",
     "risk_level", "instruction_file", "description", "examples", "domain", "experts"]
)  # fmt: skip


@given(st.lists(st.dictionaries(FIELDS, VALUES, max_size=6) | VALUES, max_size=4), VALUES)
def test_values_of_any_kind(
    tmp_path_factory: pytest.TempPathFactory, tools: list[object], roles: object
) -> None:
    path = tmp_path_factory.mktemp("values") / "tools.json"
    path.write_text(json.dumps({"tools": tools, "roles": roles, "registry_name": roles}))
    use(path)
    validate(path)


def test_invocations_that_are_too_deep_are_replaced(tmp_path: Path) -> None:
    deep: object = 1
    for _ in range(500):
        deep = {"a": deep}
    function = {"name": "x", "description": "y", "parameters": {"type": "object", "p": deep}}
    document = [{"id": "a.b", "invocation": {"type": "function", "function": function}}]
    (tmp_path / "a.json").write_text(json.dumps(document))
    (card,) = load_registry(tmp_path / "a.json").cards
    assert card.invocation["function"]["name"] == "a_b"
    use(tmp_path / "a.json")
