"""An afternoon of two people, an agent each, a remote and a server, both of which fail at times.

In: a team, a seed. Out: `Afternoon`: `work` does one step after the other, `settle` lets everything
that was left undone be done, and `check` compares both clones, the server, and a third clone that
is made from git alone.
"""

import random
from collections.abc import Callable
from pathlib import Path

from git_skillmesh.errors import Busy, ExitCode, Unavailable
from git_skillmesh.git.notes import all_notes
from git_skillmesh.git.repository import discover
from git_skillmesh.thinking.model import Thought

from .commands import call
from .conversations import link, remember
from .hostile import HostileProxy, always
from .learnings import files_of, learning
from .memory import make_session, open_memory
from .repos import Repo
from .team import Team
from .thoughts import open_thoughts

WORDS = ("parcel", "depot", "invoice", "retry", "route", "label", "courier", "scan", "refund")
FILES = {
    f"src/{word}.py": f"def {word}(item):\n    return find_{word}(item)\n" for word in WORDS[:5]
}
# As often as it stands here.
STEPS = (
    "edit", "edit", "edit", "delete", "branch", "merge", "rebase", "push", "push", "pull", "pull",
    "talk", "talk", "talk", "grow", "learn", "think", "forget", "amend",
    "sync", "sync", "worker", "worker", "worker", "worker",
)  # fmt: skip
# What a server that is in trouble does with a request.
TROUBLE = ("lost", "lose", "502", "half", "garbage", "503/1", "500")
QUESTIONS = ("find a parcel", "retry the depot", "refund an invoice")


class Afternoon:
    """Two clones at work; `log` gets a line for each step."""

    def __init__(
        self,
        team: Team,
        proxy: HostileProxy,
        seed: int,
        log: Callable[[str], None] = lambda s: None,
    ) -> None:
        self.team = team
        self.proxy = proxy
        self.chance = random.Random(seed)
        self.log = log
        self.failures = self.steps = 0
        self._number = 0
        self._talked: list[str] = []
        self._forgotten: set[str] = set()
        self._hub_away = False
        team.start("ada", FILES)
        team.clone("bob")

    @property
    def people(self) -> tuple[Repo, Repo]:
        """The clones that are worked in."""
        return self.team.clones["ada"], self.team.clones["bob"]

    def work(self, steps: int) -> None:
        """Do so many steps, each by one of them, with outages in between."""
        for _ in range(steps):
            self._weather()
            name = self.chance.choice(("ada", "bob"))
            what = self.chance.choice(STEPS)
            repo = self.team.clones[name]
            done = ""
            try:
                getattr(self, f"_{what}")(repo)
            except (Unavailable, Busy) as error:
                self.failures += 1
                done = f": {error.what}"
            self.steps += 1
            self.log(f"{self.steps:>3} {name} {what}{done}")

    def _weather(self) -> None:
        if self.chance.random() < 0.12:
            trouble = self.chance.choice((*TROUBLE, "pass", "pass"))
            share = self.chance.choice((0.2, 1.0))
            self.proxy.plan = lambda method, path, n: (
                trouble if random.Random(n).random() < share else "pass"
            )
            self.log(f"    the server does: {trouble} ({share:.0%})")
        if self.chance.random() < 0.08:
            self._move_hub(not self._hub_away)
            self.log(f"    the remote is {'away' if self._hub_away else 'back'}")

    def _move_hub(self, away: bool) -> None:
        if away is self._hub_away:
            return
        here, there = self.team.hub.path, self.team.hub.path.with_suffix(".away")
        (here if away else there).rename(there if away else here)
        self._hub_away = away

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _file(self, repo: Repo) -> str:
        return self.chance.choice(sorted(p.name for p in (repo.path / "src").glob("*.py")))

    def _edit(self, repo: Repo) -> None:
        number, word = self._next(), self.chance.choice(WORDS)
        body = "".join(f"    step_{k} = {word}_{number}({k})\n" for k in range(3))
        repo.commit(f"edit {number}", {f"src/{word}.py": f"def {word}_{number}(item):\n{body}"})

    def _delete(self, repo: Repo) -> None:
        files = sorted((repo.path / "src").glob("*.py"))
        if len(files) > 2:
            repo.commit("delete", {f"src/{self.chance.choice(files).name}": None})

    def _amend(self, repo: Repo) -> None:
        ahead = repo.git("rev-list", "--count", "HEAD", "--not", "--remotes")
        if int(ahead):
            repo.write(f"src/{self._file(repo)}", f"amended = {self._next()}\n")
            repo.git("commit", "--quiet", "--all", "--amend", "--no-edit")

    def _branch(self, repo: Repo) -> None:
        repo.git("switch", "--quiet", "-c", f"topic-{self._next()}")

    def _topics(self, repo: Repo) -> list[str]:
        out = repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads/topic-*")
        return out.split()

    def _merge(self, repo: Repo) -> None:
        topics = self._topics(repo)
        if topics:
            topic = self.chance.choice(topics)
            repo.git("switch", "--quiet", "main")
            repo.git("merge", "--quiet", "--no-edit", "-X", "ours", topic)
            repo.git("branch", "--quiet", "-D", topic)

    def _rebase(self, repo: Repo) -> None:
        topics = self._topics(repo)
        if topics:
            repo.git("switch", "--quiet", self.chance.choice(topics))
            if repo.run("rebase", "--quiet", "-X", "theirs", "main").returncode != 0:
                repo.run("rebase", "--abort")

    def _pull(self, repo: Repo) -> None:
        if repo.run("fetch", "--quiet").returncode != 0:
            raise Unavailable("the remote is away")
        if repo.git("branch", "--show-current") == "main":
            merged = repo.run("merge", "--quiet", "--no-edit", "-X", "theirs", "origin/main")
            if merged.returncode != 0:  # one deleted what the other has changed
                repo.git("add", "--all")
                repo.git("commit", "--quiet", "--no-edit")

    def _push(self, repo: Repo) -> None:
        if repo.run("push", "--quiet", "origin", "main").returncode != 0:
            raise Unavailable("the push was refused")

    def _talk(self, repo: Repo) -> None:
        name = f"talk-{self._next()}"
        remember(repo, make_session(name, self.chance.randint(1, 3)))
        self._talked.append(name)
        path = f"src/{self._file(repo)}"
        repo.write(path, f"# by {name}\nasked = {self._number}\n")
        commit = repo.commit(f"by {name}")
        link(repo, commit, path, [1, 2], name, f"{name}-1")

    def _grow(self, repo: Repo) -> None:
        if self._talked:
            name = self.chance.choice(self._talked)
            remember(repo, make_session(name, self.chance.randint(2, 5)))

    def _learn(self, repo: Repo) -> None:
        number = self._next()
        repo.commit("learn", files_of(learning(f"rule-{number}", f"Call no rule {number}")))

    def _think(self, repo: Repo) -> None:
        name, number = f"plan-{self._next()}", self.chance.randint(1, 3)
        thoughts = [Thought(name, n, f"{name}: step {n}", number) for n in range(1, number + 1)]
        open_thoughts(repo).record_all(thoughts)

    def _forget(self, repo: Repo) -> None:
        known = {found.head.session_id for found in open_memory(repo).sessions()}
        if known:
            name = self.chance.choice(sorted(known))
            open_memory(repo).forget(name)
            self._forgotten.add(name)

    def _sync(self, repo: Repo) -> None:
        self.team.sync(repo)

    def _worker(self, repo: Repo) -> None:
        self.team.mirror(repo)

    def settle(self) -> None:
        """Bring both clones and the server together. Raises what still fails then."""
        self.proxy.plan = always("pass")
        self._move_hub(False)
        for repo in self.people:
            repo.git("switch", "--quiet", "main")
            for topic in self._topics(repo):
                repo.git("switch", "--quiet", topic)
                self._merge(repo)
        for repo in (*self.people, *self.people):
            self._pull(repo)
            self._push(repo)
            self.team.sync(repo)
        for repo in (*self.people, *self.people):
            self._pull(repo)
            self.team.sync(repo)
            self.team.mirror(repo)

    def check(self) -> dict[str, int]:
        """Compare everything; return how many rows there are. Raises AssertionError."""
        ada, bob = self.people
        assert ada.head == bob.head
        for repo in self.people:
            assert self.team.findings(repo) == [], f"doctor in {repo.path.name}"
        wanted, there = self.team.wanted(ada), self.team.there(ada)
        assert self.team.wanted(bob) == wanted, "the clones differ"
        assert there == wanted, "the server differs"
        sessions = {row["session_id"] for row in there["chat_history_v1"].values()}
        assert not sessions & self._forgotten
        self._check_third(ada, wanted)
        return {name: len(rows) for name, rows in there.items()}

    def _check_third(self, ada: Repo, wanted: object) -> None:
        """A clone made from git alone knows everything."""
        third = self.team.clone("third")
        off = {"CHROMA_DB_IMPL": "off"}
        for command in (("init", "--no-index"), ("sync",), ("index", "-q", "--chroma", "off")):
            done = call(third.path, *command, env=off)
            assert done.returncode == 0, done.stderr
        assert self.team.wanted(third) == wanted, "the third clone differs"
        assert all_notes(discover(third.path)) == all_notes(discover(ada.path))
        for one, other in ((open_memory(third), open_memory(ada)),):
            assert one.sessions() == other.sessions()
        for question in QUESTIONS:
            for kind in ("code", "chats", "learnings"):
                said = [_answer(repo.path, question, kind, off) for repo in (third, ada)]
                assert said[0] == said[1], question


def _answer(folder: Path, question: str, kind: str, env: dict[str, str]) -> object:
    done = call(folder, "query", "--json", "--in", kind, question, env=env)
    assert done.returncode in (ExitCode.OK, ExitCode.NOTHING_FOUND), done.stderr
    return done.stdout
