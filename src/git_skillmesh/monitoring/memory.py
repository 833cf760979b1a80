"""What the memory holds: conversations captured, exchanges linked to commits, lines kept.

In: a repository, a time. Out: `Memory`, counted as `sessions`, `rewards` and the notes have them.
Of lines the last verdicts are counted: nothing is judged here.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ..gate.estimate import Share
from ..git.notes import all_notes
from ..git.repository import Repository
from ..sessions.links import parse_link
from ..sessions.reading import MemoryReader
from ..training.model import Pair, Reward
from ..training.rewards.stored import stored_rewards


@dataclass(frozen=True, slots=True)
class Memory:
    """Counts of one memory. `since` limits conversations to those that went on after it.

    `conversations` are without those of subagents, as `sessions` lists them. `linked` exchanges
    have a link to a commit, to `commits` in all. `verdicts` are those of the last judging, which
    was at `judged_at`; `lines` of commits are linked to judged exchanges, `alive` of them stood
    then as they were, `in_substance` otherwise written.
    """

    conversations: int
    subagents: int
    exchanges: int
    linked: int
    commits: int
    verdicts: Mapping[str, int]
    lines: int
    alive: int
    in_substance: int
    judged_at: str

    @property
    def kept(self) -> Share:
        """The share of linked lines that stood, in substance included."""
        return Share(self.alive + self.in_substance, self.lines)

    @property
    def fates(self) -> dict[str, int]:
        """What became of the linked lines."""
        gone = max(self.lines - self.alive - self.in_substance, 0)
        return {"alive": self.alive, "in_substance": self.in_substance, "gone": gone}


def memory_of(repository: Repository, since: str = "") -> Memory:
    """Count. Raises `Damaged`."""
    heads = [
        one for one in MemoryReader(repository).sessions()
        if not since or (one.head.ended or one.head.started) >= since
    ]  # fmt: skip
    wanted = {one.head.session_id for one in heads}
    linked: set[Pair] = set()
    commits = set()
    for commit, lines in all_notes(repository).items():
        for link in filter(None, map(parse_link, lines)):
            if link.session in wanted:
                linked.add((link.session, link.exchange))
                commits.add(commit)
    rewards = [one for pair, one in stored_rewards(repository).items() if pair[0] in wanted]
    return Memory(
        conversations=sum(not one.head.parent for one in heads),
        subagents=sum(bool(one.head.parent) for one in heads),
        exchanges=sum(one.exchanges for one in heads),
        linked=len(linked),
        commits=len(commits),
        verdicts=dict(sorted(Counter(one.verdict.value for one in rewards).items())),
        lines=sum(one.linked for one in rewards),
        alive=sum(one.alive for one in rewards),
        in_substance=sum(one.in_substance for one in rewards),
        judged_at=_latest(rewards),
    )


def _latest(rewards: "list[Reward]") -> str:
    last = max(rewards, key=lambda one: (one.time, one.commit), default=None)
    return last.commit if last else ""
