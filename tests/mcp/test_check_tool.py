"""The tool `check`, asked by a client."""

from pathlib import Path

import pytest

from git_skillmesh.display import tokens
from git_skillmesh.learnings.model import State
from testing.learnings import files_of
from testing.repos import Repo, make_repo
from testing.serving import Served, shared_client

BAD = 'import requests\n\n\ndef label(parcel):\n    return requests.get(f"https://x/{parcel}")\n'
PATCH = (
    "diff --git a/src/new.py b/src/new.py\nnew file mode 100644\n--- /dev/null\n"
    "+++ b/src/new.py\n@@ -0,0 +1,5 @@\n" + "".join(f"+{line}\n" for line in BAD.splitlines())
)
FINDING = (
    '<retrieved from="src/new.py:5:12" learning="use-the-shared-client" state="block">\n'
    "Go through the shared client\nfix: Use http.get, it has our timeouts.\n"
    '    return requests.get(f"https://x/{parcel}")\n</retrieved>'
)


def found(repo: Repo, called: str, base: str = "HEAD") -> str:
    oid = repo.git("rev-parse", base)[:12]
    return f"{called} against {oid}: 1 finding, 1 blocking (1 learning on 1 file).\n\n{FINDING}"


def test_what_is_changed(own: Repo) -> None:
    served = Served(own.path)
    head = own.head[:12]
    assert served.ask("check").text == (
        f"The working tree against {head}: nothing found (1 learning on 0 files)."
    )
    own.write("src/new.py", BAD)
    assert served.ask("check").text == found(own, "The working tree")
    assert served.ask("check", what="staged").text == (
        f"What is staged against {head}: nothing found (1 learning on 0 files)."
    )
    own.git("add", "--all")
    assert served.ask("check", what="staged").text == found(own, "What is staged")
    own.commit("new")
    assert served.ask("check", what="HEAD~1..HEAD").text == found(own, "HEAD~1..HEAD", "HEAD~1")
    assert served.ask("check", what="HEAD~1..").text.endswith(FINDING)


def test_a_patch_before_it_is_applied(own: Repo) -> None:
    served = Served(own.path)
    before = own.git("status", "--porcelain"), own.git("count-objects")
    assert served.ask("check", diff=PATCH).text == found(own, "The patch")
    assert (own.git("status", "--porcelain"), own.git("count-objects")) == before
    miscounted = PATCH.replace("+1,5 @@", "+1,3 @@")
    assert served.ask("check", diff=miscounted).text == found(own, "The patch")
    plain = PATCH.partition("100644\n")[2].replace("b/src", "src")
    assert served.ask("check", what="diff", diff=plain).text == found(own, "The patch")
    (own.path / "src" / "deeper").mkdir()
    inside = Served(own.path / "src" / "deeper")
    assert inside.ask("check", diff=PATCH).text == found(own, "The patch")


def test_a_patch_of_what_is_not_committed(own: Repo) -> None:
    own.write("src/new.py", BAD)
    patch = (
        "--- a/src/new.py\n+++ b/src/new.py\n@@ -4,2 +4,3 @@\n def label(parcel):\n"
        '+    requests.get("b")\n     return requests.get(f"https://x/{parcel}")\n'
    )
    said = Served(own.path).ask("check", diff=patch).text
    # What was there before the patch is not the patch's.
    assert said.startswith(f"The patch against {own.head[:12]}: 1 finding, 1 blocking")
    assert 'from="src/new.py:5:5"' in said


def test_messages_and_learnings(own: Repo) -> None:
    text = (own.path / shared_client().path).read_text()
    own.write(".skillmesh/learnings/other.yaml", text)
    own.commit("x", files_of(shared_client(State.WARN)))
    own.write(".skillmesh/learnings/broken.yaml", "a: [")
    said = Served(own.path).ask("check", message="fix").text
    assert (
        '<retrieved from="a learning that cannot be used">\n.skillmesh/learnings/other.yaml' in said
    )
    assert '<retrieved from="learning broken (added)">\n.skillmesh/learnings/broken.yaml:' in said


def test_many_findings_in_pages(own: Repo) -> None:
    own.write("src/many.py", "".join(f"a{n} = requests.get({n})\n" for n in range(60)))
    served, offset, seen = Served(own.path), 0, []
    while True:
        said = served.ask("check", budget=1, offset=offset).text
        assert tokens(said) <= 1_000
        seen += [line for line in said.split("\n") if line.startswith("a")]
        if "ask again" not in said:
            break
        offset = int(said.rpartition("offset=")[2].rstrip(")"))
    assert seen == [f"a{n} = requests.get({n})" for n in range(60)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"what": "yesterday"}, "nothing to check: yesterday: worktree, staged, A..B, or a diff"),
        ({"what": "nope..HEAD"}, "not a commit of this repository: nope"),
        ({"what": "a\0..b"}, "not a commit of this repository: a␀"),
        ({"what": "diff"}, "the patch cannot be applied: "),
        ({"diff": "nonsense"}, "the patch cannot be applied: "),
        ({"diff": PATCH.replace("b/src/new.py", "b/../x.py")}, "the patch cannot be applied: "),
        ({"diff": PATCH.replace("src/new.py", ".git/config")}, "the patch cannot be applied: "),
        (
            {"diff": "--- a/README.md\n+++ b/README.md\n@@ -1,1 +1,1 @@\n-not there\n+x\n"},
            "the patch cannot be applied: patch failed: README.md:1",
        ),
        ({"diff": "x" * 5_000_001}, "the diff is longer than 5,000,000 characters: divide it"),
        ({"offset": -1}, "no such offset: -1"),
    ],
)  # fmt: skip
def test_what_cannot_be_checked(served: Served, arguments: dict[str, object], said: str) -> None:
    answer = served.ask("check", **arguments)
    assert answer.is_error
    assert answer.text.startswith(said)


def test_empty_and_bare_repositories(story: Repo, tmp_path: Path) -> None:
    empty = make_repo(tmp_path, "empty")
    assert Served(empty.path).ask("check", diff=PATCH).text == (
        "The patch: nothing found (0 learnings on 1 file)."
    )
    bare = story.clone(tmp_path / "bare.git", "--bare")
    assert Served(bare.path).ask("check", diff=PATCH).text == found(story, "The patch")
    assert Served(bare.path).ask("check").text.startswith("a bare repository has nothing staged")
