"""Resources and prompts, asked by a client."""

from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError

from git_skillmesh.display import tokens
from testing.conversations import FIRST, SECOND, THIRD, remember
from testing.memory import make_session
from testing.registries import write_card
from testing.repos import Repo, make_repo
from testing.serving import Served

TRACKING = "src/parcels/tracking.py"


def test_what_is_recent_is_listed(own: Repo) -> None:
    write_card(own.path / ".skillmesh" / "skills", "depot.weighing", title="Weighing")
    served = Served(own.path)
    assert served.resources() == [
        (f"skillmesh://session/{THIRD}", "Scans"),
        (f"skillmesh://session/{FIRST}", "Retry lost scans"),
        (f"skillmesh://session/{SECOND}", "Add a section on deployment to the README."),
        ("skillmesh://learning/use-the-shared-client", "[block] Go through the shared client"),
        ("skillmesh://skill/depot.weighing", "Weighing"),
    ]
    remember(own, *(make_session(f"later {n}?\x1b") for n in range(70)))
    listed = served.resources()
    assert len(listed) == 22
    for address, _ in (listed[0], *listed[-2:]):
        said = served.read(address)
        assert tokens(said) <= 8_000
        assert "\x1b" not in said


def test_the_same_text_as_tools(served: Served) -> None:
    said = served.read(f"skillmesh://session/{FIRST}")
    assert said == served.ask("session", name=FIRST).text
    one = served.read(f"skillmesh://session/{FIRST}/2")
    assert one == served.ask("session", name=f"{FIRST}/2").text
    assert served.read("skillmesh://skill/cloud.terraform").startswith(
        served.ask("skill", name="cloud.terraform", budget=1_000).text.split("\n\n(")[0]
    )


def test_a_learning(served: Served) -> None:
    said = served.read("skillmesh://learning/use-the-shared-client")
    assert said.startswith(
        "# Learning use-the-shared-client\n\n"
        '<retrieved from=".skillmesh/learnings/use-the-shared-client.yaml" state="block" '
        'severity="warning">\nlearning_id: use-the-shared-client\n'
    )
    assert said.endswith("</retrieved>")
    assert "text: requests.get(" in said


@pytest.mark.parametrize(
    "address",
    [
        "skillmesh://session/nope-at-all",
        "skillmesh://session/",
        "skillmesh://learning/../../etc/passwd",
        "skillmesh://learning/nope",
        "skillmesh://skill/..%2F..%2Fx",
        "skillmesh://skill/a%00b",
        "skillmesh://other/x",
        "file:///etc/passwd",
    ],
)
def test_what_there_is_not(served: Served, address: str) -> None:
    with pytest.raises(MCPError) as error:
        served.read(address)
    assert error.value.error.code == -32602
    assert "Traceback" not in error.value.error.message


def test_explaining_a_line(served: Served) -> None:
    said = served.prompt("explain-this-line", file=TRACKING, line="17")
    asked, _, facts = said.partition("\n\n")
    assert asked.startswith(f"Explain why {TRACKING}:17 is as it is")
    assert facts == served.ask("why", file=TRACKING, lines="17").text


def test_reviewing(own: Repo) -> None:
    own.write(TRACKING, own.read(TRACKING).replace("delay = 0.5", "delay = requests.get(1)"))
    served = Served(own.path)
    said = served.prompt("review-with-our-learnings")
    assert said.startswith("Review the working tree with what this team has learned.")
    assert 'learning="use-the-shared-client" state="block"' in said
    assert '<retrieved from="conversation 9d2e-2" about="src/parcels/tracking.py:12">' in said
    own.commit("x")
    assert 'state="block"' in served.prompt("review-with-our-learnings", range="HEAD~1..HEAD")


def test_prompts_that_cannot_be_filled(served: Served, tmp_path: Path) -> None:
    with pytest.raises(MCPError, match=r"no such file: nope\.py"):
        served.prompt("explain-this-line", file="nope.py", line="1")
    with pytest.raises(MCPError, match="nothing to check: x"):
        served.prompt("review-with-our-learnings", range="x")
    with pytest.raises(MCPError):
        Served(tmp_path).prompt("review-with-our-learnings")


def test_without_anything(tmp_path: Path) -> None:
    assert Served(tmp_path).resources() == []
    assert Served(make_repo(tmp_path).path).resources() == []
