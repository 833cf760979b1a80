"""The cards that ship with the program, all of them, and the files that are built from them."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from git_skillmesh.registry import building, loading
from git_skillmesh.registry.lint import lint
from git_skillmesh.registry.loading import load_registry
from git_skillmesh.registry.schema import schema
from git_skillmesh.registry.validation import validate
from testing.registries import own_registry, write_card

ROOT = Path(__file__).parents[2]
REGISTRY = ROOT / "registry"
EXPERTS = frozenset(
    {
        "api.graphql", "chemistry.rdkit-cheminformatics", "cloud.aws-lambda", "cloud.aws-s3",
        "cloud.aws-vpc", "cloud.docker", "cloud.kubernetes", "cloud.terraform",
        "cv.opencv-image-processing", "data.dbt", "data.pandas-advanced",
        "data.schema-normalization", "data.spark", "data.sql-queries", "data.time-series",
        "db.postgresql-performance", "dl.langchain-agents", "dl.pytorch-training",
        "dl.transformers-finetuning", "docs.pdf-generation", "docs.slides-pptx",
        "fe.accessibility", "fe.css-architecture", "fe.nextjs", "fe.react", "fe.react-native",
        "fe.state-management", "finance.financial-modeling", "finance.quantitative",
        "geo.geopandas-spatial", "git.history-surgery", "git.hooks-and-automation",
        "graph.networkx-analytics", "infra.github-actions", "ml.feature-engineering",
        "ml.gradient-boosting", "ml.hyperparameter-tuning", "ml.model-export",
        "ml.sklearn-modeling", "nlp.spacy-transformers", "ops.incident-response",
        "ops.observability", "scipy.optimization-signal", "sec.container-security",
        "sec.dependency-scanning", "sec.iam-policies", "sec.owasp-web", "sec.penetration-testing",
        "sec.secrets-management", "stats.scipy-statsmodels", "sys.concurrency", "sys.cpp-modern",
        "sys.go", "sys.memory-management", "sys.rust", "sys.systems-design", "test.pytest",
        "viz.matplotlib-seaborn", "web.auth-jwt", "web.auth-oauth", "web.fastapi", "web.flask",
        "web.rest-design", "web.sqlalchemy",
    }
)  # fmt: skip
ROLES = frozenset(
    {
        "data-analyst", "ml-engineer", "data-engineer", "backend-engineer", "frontend-engineer",
        "devops-engineer", "security-engineer", "quant-analyst",
    }
)  # fmt: skip


def test_the_experts_and_roles() -> None:
    registry = own_registry()
    assert registry.name == "skillmesh"
    assert set(registry.by_id) == EXPERTS
    assert {role.id for role in registry.roles} == ROLES


def test_nothing_is_wrong() -> None:
    assert list(map(str, validate(REGISTRY, EXPERTS))) == []


def test_the_house_rules() -> None:
    assert list(map(str, lint(REGISTRY))) == []


def test_every_card_is_reviewed_and_licensed() -> None:
    for card in own_registry().cards:
        assert card.metadata["license"] == "Apache-2.0", card.id
        assert re.fullmatch(r"\d{4}-\d\d", card.metadata["reviewed"]), card.id


def test_what_is_built_is_up_to_date() -> None:
    """After a change of a card: scripts/registry.py build."""
    for name, text in building.files_of(own_registry()).items():
        assert (REGISTRY / name).read_text(encoding="utf-8") == text, name


def test_the_built_files_are_the_cards() -> None:
    registry = own_registry()
    for name in (loading.BUILT, loading.BUILT_YAML):
        built = load_registry(REGISTRY / name)
        assert built == registry
        assert validate(REGISTRY / name) == []
    assert loading.shipped() == REGISTRY / loading.BUILT
    assert loading.skills_of(None) == registry


def test_the_schema_fits_the_files_and_only_such() -> None:
    document: dict[str, Any] = building.document_of(own_registry())
    jsonschema.Draft202012Validator.check_schema(schema())
    checker = jsonschema.Draft202012Validator(schema())
    assert [error.message for error in checker.iter_errors(document)] == []
    assert json.loads((REGISTRY / "schema.json").read_text()) == schema()
    changes: list[dict[str, Any]] = [
        {"version": "1.0.0"}, {"experts": []}, {"tools": [{"id": "a.b"}]}, {"roles": [{"id": "A"}]},
        {"more": 1},
    ]  # fmt: skip
    for change in changes:
        assert not checker.is_valid(document | change)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "Viz"), ("tags", []), ("tags", ["a", "a"]), ("risk_level", "none"),
        ("instruction_file", "../x.md"), ("instruction_file", "/x.md"),
        ("instruction_file", "a\\x.md"), ("invocation", {}), ("metadata", {"a": 1}),
        ("composability", {"before": []}), ("description", "x" * 1025),
    ],
)  # fmt: skip
def test_the_schema_refuses_a_bad_card(tmp_path: Path, field: str, value: object) -> None:
    write_card(tmp_path, "depot.weighing")
    document = building.document_of(load_registry(tmp_path))
    checker = jsonschema.Draft202012Validator(schema())
    assert checker.is_valid(document)
    card = document["tools"][0] | {field: value}
    assert not checker.is_valid(document | {"tools": [card]})


def test_the_function_tools_are_such_as_providers_take() -> None:
    """The rules of OpenAI's tools and Anthropic's: names, lengths, parameters, how many."""
    tools = [card.invocation for card in own_registry().cards]
    names = [tool["function"]["name"] for tool in tools]
    assert len(set(names)) == len(tools) <= 128
    for tool in tools:
        assert set(tool) == {"type", "function"}
        function = tool["function"]
        assert set(function) == {"name", "description", "parameters"}
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", function["name"])
        assert 0 < len(function["description"]) <= 1024
        parameters = function["parameters"]
        jsonschema.Draft202012Validator.check_schema(parameters)
        assert parameters["type"] == "object"
        assert parameters["additionalProperties"] is False
        properties = parameters["properties"]
        assert parameters["required"][0] == "task"
        assert set(parameters["required"]) <= set(properties)
        for name, about in properties.items():
            assert re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name), name
            assert about["type"] == "string"
            assert about["description"]
        arguments = dict.fromkeys(parameters["required"], "x")
        jsonschema.Draft202012Validator(parameters).validate(arguments)
    # A request with all of them stays a part of what a model reads.
    assert len(json.dumps(tools)) < 120_000


def test_the_script_says_what_is_outdated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location("registry", ROOT / "scripts" / "registry.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    root = tmp_path / "cards"
    write_card(root, "depot.weighing", constraints=["indoors"])

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["registry.py", *arguments, str(root)])
        return script.main(), capsys.readouterr().out

    built = "cards/tools.enriched.json\ncards/experts.yaml\ncards/schema.json\n"
    assert run("check") == (1, built)
    assert run("build") == (0, built)
    assert run("check") == (0, "")
    assert run("lint") == (1, "depot/weighing/card.yaml:45: 1 constraints, not 2 to 5\n")
    write_card(root, "depot.labels")
    assert run("check") == (1, "cards/tools.enriched.json\ncards/experts.yaml\n")
