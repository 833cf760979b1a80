"""docs/mcp-tools.md: every tool, resource and prompt of it, asked as the page asks.

A heading `name` begins a tool; its JSON block holds the arguments, the text block after it the
answer, in the repository of the examples with its conversations and a learning.
"""

import itertools
import json
import re

import pytest

from testing.docs_pages import ROOT, Block, blocks, matches
from testing.serving import Served, make_story

PAGE = ROOT / "docs" / "mcp-tools.md"
_SECTION = re.compile(r"^## `([a-z_]+)`$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_ARGUMENT = re.compile(r"^\| `([a-z_]+)` \|(?: `(.*?)`)? *\|", re.MULTILINE)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, sealed_session: None) -> Served:
    repo = make_story(tmp_path_factory.mktemp("tools"))
    repo.write("src/parcels/prices.py", "price = requests.get(PRICES)\n")
    return Served(repo.path)


def asked() -> list[tuple[str, Block, Block]]:
    """Return tool, arguments and answer of every example."""
    text = PAGE.read_text(encoding="utf-8")
    starts = [(text.count("\n", 0, one.start()) + 1, one[1]) for one in _SECTION.finditer(text)]
    listed = blocks(PAGE)
    found = []
    for question, answer in itertools.pairwise(listed):
        if question.info == "json" and answer.info == "text":
            name = [tool for line, tool in starts if line < question.line][-1]
            found.append((name, question, answer))
    return found


def test_the_answers_are_what_the_server_says(served: Served) -> None:
    for tool, question, answer in asked():
        said = served.ask(tool, **json.loads(question.text)).text
        assert matches(answer.text, said), f"{PAGE.name}:{question.line}\n{said}"


def test_every_argument_is_told_with_its_default(served: Served) -> None:
    tools = {one["name"]: one["inputSchema"]["properties"] for one in served.tools()}
    told = {
        one[1]: {name: default or None for name, default in _ARGUMENT.findall(one[2])}
        for one in _SECTION.finditer(PAGE.read_text(encoding="utf-8"))
    }
    assert {tool for tool, _, _ in asked()} == set(told)
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
