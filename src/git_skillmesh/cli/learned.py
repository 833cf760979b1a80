"""How commands tell which learnings came of a conversation, a commit or a line.

In: `Sources` and what was asked. Out: lines for people, documents for machines.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..git.repository import Repository
from ..index.identity import chat_id, chunk_id
from ..learnings.model import Learning
from ..learnings.sources import Sources, Talk
from ..sessions.answering import Group, Told
from .columns import clip
from .context import Context

# A file that is longer is not divided into chunks to answer a question about one line.
_LONGEST = 1_000_000
_HEAD_BYTES = 8_192

# A learning, and why it is told of: "conversation", "commit" or "code".
Reasons = dict[str, tuple[Learning, list[str]]]


def talk_of(told: Told, repo: str) -> Talk:
    """Return an exchange as learnings may name it; `repo` is the identity of the repository."""
    key = chat_id(repo, told.session, told.exchange_id) if told.exchange_id else ""
    return Talk(told.session, told.exchange_id, told.number, key, told.parent)


def learned_of_group(
    sources: Sources, group: Group, repo: str, chunks: Sequence[tuple[int, int, str]]
) -> Reasons:
    """Return what came of the exchange, the commits and the code of some lines, with the reasons.

    `chunks` are (first line, last line, id) of the file.
    """
    found: Reasons = {}

    def add(learnings: Iterable[Learning], reason: str) -> None:
        for one in learnings:
            found.setdefault(one.learning_id, (one, []))[1].append(reason)

    if group.told is not None:
        add(sources.of_talk(talk_of(group.told, repo)), "conversation")
    commits = {commit.oid for commit in group.commits if not commit.is_uncommitted}
    add(sources.of_commits(commits.union(*(link.via for link in group.links))), "commit")
    lines = [line.blamed.number for line in group.lines]
    here = {name for first, last, name in chunks if any(first <= n <= last for n in lines)}
    add(sources.of_code(here), "code")
    return found


def chunks_of(
    repository: Repository, path: str, commit: str, repo: str
) -> list[tuple[int, int, str]]:
    """Return (first line, last line, id) of a file's chunks; none of one that is too long."""
    from ..chunking import chunk, language_of

    data = _bytes_of(repository, path, commit)
    if data is None or len(data) > _LONGEST:
        return []
    pieces = chunk(data, language_of(path, data[:_HEAD_BYTES]))
    return [(one.start_line, one.end_line, chunk_id(repo, path, one.key)) for one in pieces]


def _bytes_of(repository: Repository, path: str, commit: str) -> bytes | None:
    if not commit and repository.top is not None:
        try:
            return (repository.top / path).read_bytes()
        except OSError:
            return None
    return repository.git.run("cat-file", "blob", f"{commit}:{path}")


def learned_line(context: Context, learning: Learning, reasons: Sequence[str] = ()) -> str:
    """Return a learning in a line."""
    state = f"[{learning.state}]"
    name = f"{state} {learning.learning_id}  {learning.title}"
    because = f"  (of the {' and the '.join(reasons)})" if reasons else ""
    shown = clip(name, max(context.width - 12 - len(because), 40))
    return f"{shown}{context.style.dim(because)}"


def learned_lines(context: Context, found: Reasons) -> Iterator[str]:
    """Yield a line for each learning, the first of them with a label."""
    label = "learned"
    for learning, reasons in found.values():
        yield f"  {context.style.dim(f'{label:<10}')}{learned_line(context, learning, reasons)}"
        label = ""


def learning_document(learning: Learning) -> dict[str, Any]:
    """Return a learning as JSON has it beside something else."""
    return {
        "learning_id": learning.learning_id,
        "title": learning.title,
        "state": learning.state,
        "path": learning.path,
    }


def group_document(found: Reasons) -> list[dict[str, Any]]:
    """Return the learnings of some lines as JSON has them."""
    return [{**learning_document(one), "because": reasons} for one, reasons in found.values()]
