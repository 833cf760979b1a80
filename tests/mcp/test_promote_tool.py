"""The tool `promote`, asked by a client: it proposes, and no more."""

from pathlib import Path

import pytest

from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.files import learnings_on_disk
from git_skillmesh.learnings.model import State
from testing.repos import Repo
from testing.serving import Served, shared_client

FOLDER = ".skillmesh/learnings"
WORDS = {
    "title": "Close what you open",
    "description": "Handles ran out once.",
    "regex": r"\bopen\(",
    "bad": ["f = open(name)"],
    "good": ["with opened(name) as f:"],
    "languages": ["python"],
    "paths": ["src/**"],
    "fix": "Use a with block.",
}


def test_a_proposal(own: Repo) -> None:
    served = Served(own.path)
    would = served.ask("promote", **WORDS, dry_run=True).text
    counts = "(regex, 1 bad and 1 good examples), for people to review and commit."
    assert would.startswith(f"It would be {FOLDER}/close-what-you-open.yaml {counts}\n\n<retrieved")
    assert own.git("status", "--porcelain") == ""
    assert served.ask("promote", **WORDS).text == (
        f"Proposed: {FOLDER}/close-what-you-open.yaml {counts}"
    )
    made = learnings_on_disk(discover(own.path))["close-what-you-open"].learning
    assert made is not None
    assert (made.state, made.title, made.fix.text) == (
        State.PROPOSED, "Close what you open", "Use a with block.",
    )  # fmt: skip
    assert (made.languages, made.paths) == (("python",), ("src/**",))
    assert served.went_on == 1


def test_what_it_is_like_is_not_written(own: Repo) -> None:
    said = Served(own.path).ask("promote", title="Get it over HTTP", text="http.get(").text
    assert said == (
        "Not written: get-it-over-http is like another learning, or against.\n\n"
        "Missing: examples, at least one bad and one good, that prove the matcher.\n\n"
        '<retrieved from="learning use-the-shared-client" state="block" relation="against it">\n'
        "it finds its good example: http.get(url)\n</retrieved>\n\n"
        "What exists already is changed by review, not proposed again."
    )
    assert own.git("status", "--porcelain") == ""


def test_no_learning_is_touched_and_no_state_is_given(own: Repo) -> None:
    path = own.path / shared_client().path
    before = path.read_text()
    served = Served(own.path)
    said = served.ask("promote", title="Use the shared client", text="urllib.request").text
    assert f"{FOLDER}/use-the-shared-client-2.yaml" in said
    assert path.read_text() == before
    assert "state: proposed" in (own.path / FOLDER / "use-the-shared-client-2.yaml").read_text()
    (schema,) = [one["inputSchema"] for one in served.tools() if one["name"] == "promote"]
    assert not {"state", "severity", "id", "force", "anyway"} & set(schema["properties"])


def test_from_an_exchange_and_a_commit(own: Repo) -> None:
    (own.path / shared_client().path).unlink()
    served = Served(own.path)
    said = served.ask("promote", title="Go through our client", source="5d20a6f8/2").text
    assert said.startswith(f"Proposed: {FOLDER}/go-through-our-client.yaml (")
    assert "learning_id: go-through-our-client" in said
    assert "title: Go through our client" in said
    assert "state: proposed" in said
    own.git("branch", "feature/depots", "HEAD~1")
    for name in ("HEAD~1", "feature/depots"):
        again = served.ask("promote", title="Once more", source=name, dry_run=True).text
        assert again.startswith(("It would be", "Not written"))


def test_examples_that_do_not_hold(own: Repo) -> None:
    said = Served(own.path).ask("promote", **{**WORDS, "bad": ["close(name)"]}).text
    assert said.startswith("Proposed: ")
    assert "\n\nProblem: " in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"title": " ", "text": "x"}, "a learning needs a title: one line that says what to do"),
        ({"title": "A"}, "nothing says what is looked for: regex, text, rule, or a source"),
        ({"title": "A", "text": "x", "regex": "x"}, "a learning has one matcher"),
        ({"title": "A", "rule": "["}, "rule:"),
        ({"title": "A", "rule": "- a"}, "rule is no ast-grep rule"),
        ({"title": "A", "source": "nope"}, "no such exchange: nope"),
        ({"title": "A", "source": "c-000000000000"}, "no such candidate: c-000000000000"),
        ({"title": "A", "source": "a\0b"}, "not a source: it has a NUL"),
        ({"title": "A", "text": "x" * 20_001}, "a learning is not longer than 20,000 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_proposed(own: Repo, arguments: dict[str, object], said: str) -> None:
    served = Served(own.path)
    answer = served.ask("promote", **arguments)
    assert answer.is_error
    assert answer.text.startswith(said)
    assert own.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    "more", [{"regex": "("}, {"text": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"}]
)
def test_what_no_gate_could_use_or_should_see(own: Repo, more: dict[str, str]) -> None:
    said = Served(own.path).ask("promote", title="A", **more).text
    assert said.startswith("Not written: ")
    assert own.git("status", "--porcelain") == ""


def test_a_bare_repository(story: Repo, tmp_path: Path) -> None:
    bare = story.clone(tmp_path / "bare.git", "--bare")
    answer = Served(bare.path).ask("promote", title="A b c", text="x")
    assert (answer.is_error, answer.text) == (
        True, "a bare repository has no working tree: promote in a clone",
    )  # fmt: skip
