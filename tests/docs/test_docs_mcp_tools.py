"""docs/mcp-tools.md and docs/prompting_strategy.md: what they ask the server, asked as they ask it.

A heading `name` begins a tool; its JSON block holds the arguments, the text block after it the
answer, in the repository of the examples with its conversations and a learning. A Python block that
begins with a path is written there.
"""

import itertools
import json
import re
from pathlib import Path

import pytest

from git_skillmesh.display import BYTES_PER_TOKEN
from testing.docs_pages import ROOT, Block, blocks, matches
from testing.serving import Served, make_story

PAGE = ROOT / "docs" / "mcp-tools.md"
STRATEGY = ROOT / "docs" / "prompting_strategy.md"
_SECTION = re.compile(r"^###? `([a-z_]+)`$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_TOOL = re.compile(r"^###? `([a-z_]+)`$", re.MULTILINE)
_ARGUMENT = re.compile(r"^\| `([a-z_]+)` \|(?: `(.*?)`)? *\|", re.MULTILINE)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, sealed_session: None) -> Served:
    repo = make_story(tmp_path_factory.mktemp("tools"))
    repo.write("src/parcels/prices.py", "price = requests.get(PRICES)\n")
    return Served(repo.path)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory, sealed_session: None) -> Served:
    return Served(make_story(tmp_path_factory.mktemp("strategy")).path)


def asked(page: Path) -> list[tuple[str, Block, Block]]:
    """Return tool, question and answer of each example; "" as the tool of a file to write."""
    text = page.read_text(encoding="utf-8")
    starts = [(text.count("\n", 0, one.start()) + 1, one[1]) for one in _TOOL.finditer(text)]
    found = []
    for question, answer in itertools.pairwise(blocks(page)):
        if question.info == "python":
            found.append(("", question, question))
        if question.info == "json" and answer.info == "text":
            name = [tool for line, tool in starts if line < question.line][-1]
            found.append((name, question, answer))
    return found


@pytest.mark.parametrize("page", [PAGE, STRATEGY], ids=lambda page: page.name)
def test_the_answers_are_what_the_server_says(page: Path, request: pytest.FixtureRequest) -> None:
    served = request.getfixturevalue("served" if page == PAGE else "untouched")
    size = 0.0
    for tool, question, answer in asked(page):
        if not tool:
            path, _, text = question.text.removeprefix("# ").partition("\n")
            (served.folder / path).write_text(f"\n{text}")
            continue
        said = served.ask(tool, **json.loads(question.text)).text
        assert matches(answer.text, said), f"{page.name}:{question.line}\n{said}"
        size += len(said.encode()) / BYTES_PER_TOKEN
    if page == STRATEGY:
        assert "seven answers up to here are some 700 tokens" in page.read_text(encoding="utf-8")
        assert 600 < size < 800


def test_the_strategy_names_tools_and_prompts_that_exist(served: Served) -> None:
    tools = {one["name"] for one in served.tools()}
    text = STRATEGY.read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)))
    arguments = {name for one in served.tools() for name in one["inputSchema"]["properties"]}
    others = {"code", "http", "skillmesh"}  # a value, a module, the model of `adapters serve`
    assert named - arguments - others == tools
    served.prompt("review-with-our-learnings")
    assert "review-with-our-learnings" in text


def test_every_argument_is_told_with_its_default(served: Served) -> None:
    tools = {one["name"]: one["inputSchema"]["properties"] for one in served.tools()}
    told = {
        one[1]: {name: default or None for name, default in _ARGUMENT.findall(one[2])}
        for one in _SECTION.finditer(PAGE.read_text(encoding="utf-8"))
    }
    assert {tool for tool, _, _ in asked(PAGE)} == set(told)
    for tool, arguments in told.items():
        assert arguments == {
            name: json.dumps(schema["default"]) if "default" in schema else None
            for name, schema in tools[tool].items()
        }, tool


def test_resources_and_prompts_are_there(served: Served) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for address in re.findall(r"`(skillmesh://[a-z]+/)ID`", text):
        with pytest.raises(Exception, match=r"no such|no skill"):
            served.read(f"{address}none-of-these")
    assert served.prompt("explain-this-line", file="README.md", line="1")
    assert {"`explain-this-line`", "`review-with-our-learnings`"} <= set(
        re.findall(r"`[a-z-]+`", text)
    )
