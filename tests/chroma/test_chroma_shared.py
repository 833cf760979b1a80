"""Two clones and one server: whose rows are there, and that nobody undoes what another has done."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from git_skillmesh.chroma.directory import recorded
from git_skillmesh.chroma.mirror import Outcome
from git_skillmesh.chroma.moving import limits
from git_skillmesh.chroma.reader import ChromaReader
from git_skillmesh.chroma.shared import HeadRun, Mark
from git_skillmesh.chroma.target import Target
from git_skillmesh.errors import ConfigurationError
from git_skillmesh.git.repository import discover
from testing.conversations import remember
from testing.memory import make_session, open_memory
from testing.repos import make_repo
from testing.team import Team

FILES = {f"src/m{n}.py": f"def f{n}():\n    return {n}\n" for n in range(4)}


@pytest.fixture
def team(database: Callable[[str], Target], tmp_path: Path) -> Team:
    target = database(tmp_path.name)
    return Team(tmp_path, target.url, {"chroma.database": target.database})


def code(team: Team, name: str) -> Outcome:
    return team.code(team.clones[name])


def texts(team: Team) -> set[str]:
    rows = team.there(team.clones["ada"])["codebase_v1"].values()
    return {str(row["document"]) for row in rows}


def test_rows_follow_the_branch_that_clones_agree_on(team: Team) -> None:
    ada = team.start("ada", FILES)
    bob = team.clone("bob")
    cy = team.clone("cy")
    assert code(team, "ada") == Outcome(4, 0, 4)
    assert code(team, "bob") == Outcome(0, 0, 4)

    # Neither what is not pushed nor a branch of one's own comes to the server.
    ada.commit("not pushed", {"src/m0.py": "def f0():\n    return 'ada'\n"})
    bob.git("switch", "--quiet", "-c", "topic")
    bob.commit("topic", {"src/m1.py": "def f1():\n    return 'bob'\n", "src/m2.py": None})
    assert code(team, "ada") == code(team, "bob") == Outcome(0, 0, 4)
    assert texts(team) == {text.rstrip() for text in FILES.values()}

    # Pushed, it is there; who has not fetched it changes nothing and is told so.
    ada.git("push", "--quiet")
    assert code(team, "ada") == Outcome(1, 0, 4)
    bob.git("push", "--quiet", "origin", "topic")
    note = f"it has {ada.head[:12]}, which is newer than this clone's: git fetch"

    assert code(team, "cy") == Outcome(0, 0, 4, note)
    assert [one.kind for one in team.findings(cy)] == ["older"]

    # Who knows more writes what differs, and nothing else.
    bob.git("switch", "--quiet", "main")
    bob.git("pull", "--quiet", "--no-rebase")
    bob.git("merge", "--quiet", "--no-edit", "topic")
    bob.git("push", "--quiet")
    assert code(team, "bob") == Outcome(1, 1, 3)
    ada.git("fetch", "--quiet")  # Ada's HEAD stays where it is
    assert code(team, "ada") == Outcome(0, 0, 3)
    for repo in (ada, bob):
        assert team.findings(repo) == []
        assert team.wanted(repo) == team.there(repo)


def test_a_branch_that_was_replaced_with_force(team: Team) -> None:
    ada = team.start("ada", FILES)
    bob = team.clone("bob")
    ada.commit("wrong", {"src/m0.py": "wrong = 1\n"})
    ada.git("push", "--quiet")
    assert code(team, "ada").rows == 4
    ada.git("reset", "--quiet", "--hard", "HEAD~1")
    ada.commit("right", {"src/m0.py": "right = 1\n"})
    ada.git("push", "--quiet", "--force")
    # Bob never saw the commit that the server has; the remote says that his is what counts now.
    bob.git("pull", "--quiet")
    assert code(team, "bob") == Outcome(1, 1, 4)
    assert "right = 1" in texts(team)
    # Nobody knows who is right while the remote is away: the rows stay.
    team.hub.path.rename(team.hub.path.with_name("away"))
    bob.git("update-ref", "refs/remotes/origin/main", bob.commit("elsewhere", {"x.py": "x = 1\n"}))
    ada.git("update-ref", "refs/remotes/origin/main", ada.commit("too", {"x.py": "x = 2\n"}))
    assert code(team, "bob") == Outcome(1, 0, 5)
    assert code(team, "ada").note.startswith("it has ")
    assert "x = 1" in texts(team)


def test_a_mirror_that_was_cut_off_is_gone_over_by_whoever_comes_next(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = team.start("ada", FILES)
    bob = team.clone("bob")
    code(team, "ada")
    ada.commit("more", {f"src/n{n}.py": f"n = {n}\n" for n in range(3)})
    ada.git("push", "--quiet")
    with monkeypatch.context() as patch:
        patch.setattr(HeadRun, "_adopt", lambda *args: 1 / 0)  # rows are there, the mark is not
        with pytest.raises(ZeroDivisionError):
            code(team, "ada")
    # Who is older leaves alone what another is writing.
    assert code(team, "bob").note
    bob.git("pull", "--quiet")
    assert [one.kind for one in team.findings(bob)] == ["behind"]
    assert code(team, "bob") == Outcome(0, 0, 7)
    assert code(team, "ada") == Outcome(0, 0, 7)
    assert team.findings(ada) + team.findings(bob) == []


def test_who_wrote_at_the_same_time_says_so(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = team.start("ada", FILES)
    bob = team.clone("bob")
    code(team, "ada")
    ada.commit("one", {"src/m0.py": "one = 1\n", "src/m1.py": "one = 1\n"})
    ada.git("push", "--quiet")
    bob.git("pull", "--quiet")
    bob.commit("two", {"src/m0.py": "two = 2\n", "src/new.py": "new = 1\n"})
    bob.git("push", "--quiet")
    plain = HeadRun._pass

    def late(self: HeadRun, paths: set[str] | None) -> None:
        """Let Bob write all of his newer rows just before Ada writes hers."""
        monkeypatch.setattr(HeadRun, "_pass", plain)
        assert code(team, "bob").rows == 5
        plain(self, paths)

    monkeypatch.setattr(HeadRun, "_pass", late)
    code(team, "ada")
    assert team.wanted(bob) != team.there(bob)
    # The mark does not claim that these were Bob's rows, and he looks at all of them.
    assert [one.kind for one in team.findings(bob)] == ["behind"]
    bob.commit("three", {"src/m3.py": "three = 3\n"})
    bob.git("push", "--quiet")
    assert code(team, "bob").rows == 5
    assert team.wanted(bob) == team.there(bob)
    assert team.findings(bob) == []


def test_conversations_of_others_are_never_deleted(team: Team) -> None:
    ada = team.start("ada", FILES)
    bob = team.clone("bob")
    remember(ada, make_session("a", 2))
    remember(bob, make_session("b", 1))
    assert team.mirror(ada)["chat_history_v1"] == Outcome(2, 0, 2)
    assert team.mirror(bob)["chat_history_v1"] == Outcome(1, 0, 3)
    # Bob has not been told of Ada's conversation: his clone does not take it away, and says so.
    assert team.chats(bob) == Outcome(0, 0, 3)
    assert [(one.kind, len(one.ids)) for one in team.findings(bob)] == [("elsewhere", 2)]

    # Both go on with the same conversation; what each wrote stays until both know all.
    team.sync(ada)
    team.sync(bob)
    remember(bob, make_session("a", 3))
    assert team.chats(bob).rows == 4
    open_memory(ada).add([make_session("a", 2), make_session("c", 1)])
    assert team.chats(ada).rows == 5

    # What was forgotten goes, whoever wrote it and whoever hears of it first.
    team.sync(ada)
    open_memory(ada).forget("b")
    team.sync(ada)
    assert team.chats(ada).deleted == 1
    for repo in (bob, ada, bob):
        team.sync(repo)
        team.chats(repo)
    assert len(team.there(ada)["chat_history_v1"]) == 4
    for repo in (ada, bob):
        assert team.findings(repo) == []
        assert team.wanted(repo) == team.there(repo)


def test_an_id_that_only_a_clone_says_does_not_open_the_rows_of_another(
    team: Team, tmp_path: Path
) -> None:
    del team.settings["repoid"]
    said = {".skillmesh/config.toml": 'repoid = "team/project"\nreponame = "the project"\n'}
    ada = team.start("ada", FILES | said)
    team.mirror(ada)
    rows = texts(team)

    strange = make_repo(tmp_path, "strange", files={"evil.py": "evil = 1\n"} | said)
    strange.git("remote", "add", "origin", "https://example.org/strange.git")
    own = discover(strange.path).derive_id()
    with pytest.raises(ConfigurationError) as refused:
        team.code(strange)
    assert str(refused.value) == (
        "the repoid 'team/project', which only .skillmesh/config.toml says, is that of "
        "'the project' in this store: git config skillmesh.repoid team/project if it is the "
        f"same repository, {own} if it is another"
    )
    assert texts(team) == rows

    # A clone, also of a fork, has the remote; and who stands by an id need not prove it.
    bob = team.clone("bob")
    bob.git("remote", "rename", "origin", "upstream")
    bob.git("remote", "add", "origin", "https://example.org/fork.git")
    assert code(team, "bob").rows == len(rows)
    strange.git("config", "skillmesh.repoid", own)
    assert team.code(strange).rows == 2
    assert texts(team) == rows
    moved = team.clone("moved")
    moved.git("remote", "set-url", "origin", "https://example.org/moved.git")
    with pytest.raises(ConfigurationError):
        team.code(moved)
    moved.git("config", "skillmesh.repoid", "team/project")
    team.mirror(moved)
    moved.git("config", "--unset", "skillmesh.repoid")
    for ledger in moved.state_dir.glob("mirror.db*"):
        ledger.unlink()
    assert code(team, "moved").rows == len(rows)  # what a user has stood by stays known


def test_a_mark_fits_where_chroma_cloud_keeps_it() -> None:
    model = "openai:text-embedding-3-large@1536"
    state = json.dumps(["a" * 40, "b" * 16, model, "c" * 40, 12_345])
    mark = Mark("c" * 40, state, True, 1_234_567, "d" * 16)
    assert len(str(mark).encode()) <= limits.COLLECTION_VALUE_BYTES
    assert Mark.parse(str(mark), mark.token) == mark
    other = Mark.parse(str(mark), "another")
    assert other is not None
    assert (other.commit, other.state, other.whole) == (mark.commit, mark.state, False)
    # As it was written before.
    assert Mark.parse(json.dumps(asdict(mark)), mark.token) == mark
    begun = Mark("c" * 40, "", False, 0, "t")
    assert Mark.parse(str(begun), "t") == begun
    for broken in ("", "[]", "{}", "null", '["c","s",true,"many","t"]', "[1,2,3]"):
        assert Mark.parse(broken, "t") is None


def test_the_list_says_what_the_rows_describe(team: Team) -> None:
    ada = team.start("ada", FILES)
    bob = team.clone("bob")
    _, _, target = team.opened(ada)

    def listed() -> tuple[str, str, dict[str, int]]:
        with ChromaReader(target) as reader:
            [one] = recorded(reader)
        return one.branch, one.commit, {name: count for name, count in one.rows.items() if count}

    # Not where somebody stands, but the branch that is followed.
    pushed = ada.head
    ada.git("switch", "--quiet", "-c", "topic")
    ada.commit("not pushed", {"src/m0.py": None})
    remember(ada, make_session("a", 2))
    team.mirror(ada)
    rows = {"codebase_v1": 4, "chat_history_v1": 2}
    assert listed() == ("origin/main", pushed, rows)

    # Who has no conversations knows nothing of how many others have.
    team.mirror(bob)
    assert listed() == ("origin/main", pushed, rows)

    # Who has not fetched does not look at the code, or leaves it; so does what is said of it.
    ada.git("push", "--quiet", "origin", "topic:main")
    team.mirror(ada)
    remember(bob, make_session("b", 1))
    assert team.mirror(bob)["codebase_v1"].rows == 4
    rows = {"codebase_v1": 3, "chat_history_v1": 3}
    assert listed() == ("origin/main", ada.head, rows)
    cy = team.clone("cy")
    cy.git("update-ref", "refs/remotes/origin/main", pushed)
    assert team.mirror(cy)["codebase_v1"].note
    assert listed() == ("origin/main", ada.head, rows)
