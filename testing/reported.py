"""A repository of which it is known what a report has to say.

In: a folder. Out: `Reported`: an agent and a person write lines, a learning comes, grows stronger
and goes, days pass. Times count from one noon, as in `testing.linking`.
"""

from dataclasses import replace
from pathlib import Path

from git_skillmesh.learnings.model import Learning, State
from testing.learnings import files_of, literal, with_examples
from testing.linking import commit, link
from testing.repos import Repo
from testing.rewards import DAY, Deeds

NO_PRINT = with_examples(
    literal("no-print", "print(", State.WARN, languages=("python",), source_chat_id="talk-0/1"),
    ["print(1)\n", "print(x)\n"], ["log(1)\n", "log(x)\n"],
)  # fmt: skip
NO_TODO = literal("no-todo", "TODO", State.PROPOSED)
LINES = 10


def agent_file(number: int, kept: int = LINES) -> str:
    """Return a file of an agent; only so many of its lines are as it wrote them."""
    mine = [f"result_{number}_{n} = compute_{number}({n})" for n in range(kept)]
    rest = [f"changed_{number}_{n} = other({n})" for n in range(kept, LINES)]
    return "".join(f"{line}\n" for line in mine + rest)


def person_file(number: int, kept: int = LINES) -> str:
    """Return a file of a person."""
    return agent_file(number, kept).replace("compute", "by_hand").replace("result", "total")


class Reported(Deeds):
    """Sessions talk-0 to talk-11 each bring a file on day 0, a person as many in 12 commits.

    On day 3 the person changes three lines of each of four of the agents' files; on day 20 four
    lines of another four. Half a line of every person's file is never touched.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for number in range(12):
            day = number / 100
            self.write(
                f"ask-{number}", day, f"src/agent{number}.py", agent_file(number),
                session=f"talk-{number}",
            )  # fmt: skip
            commit(self.repo, (day + 0.001) * DAY, None, "by an agent")
            commit(
                self.repo, (day + 0.002) * DAY,
                {f"lib/person{number}.py": person_file(number)}, "by hand",
            )  # fmt: skip
        self.learn(1, "learn", NO_PRINT, NO_TODO)
        self.change(3, range(4), 7)
        self.learn(10, "promote", replace(NO_PRINT, state=State.BLOCK))
        self.change(20, range(4, 8), 6)
        retired = replace(NO_TODO, state=State.RETIRED, retired="nobody wrote one")
        self.learn(21, "retire\n\nReviewed-by: Rea Viewer <rea@example.org>", retired)
        self.quiet(45)
        link(self.repo)

    def learn(self, day: float, message: str, *learnings: Learning) -> None:
        """Commit files of learnings."""
        commit(self.repo, day * DAY, files_of(*learnings), message)

    def change(self, day: float, numbers: range, kept: int) -> None:
        """Change lines of the agents' files."""
        files: dict[str, str | bytes | None] = {
            f"src/agent{number}.py": agent_file(number, kept) for number in numbers
        }
        commit(self.repo, day * DAY, files, "change")


def reported(folder: Path) -> Repo:
    """Return the repository."""
    return Reported(folder).repo
