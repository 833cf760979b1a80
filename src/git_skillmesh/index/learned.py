"""Which learnings came of a conversation, a commit or lines of code.

In: `Sources` and groups of lines. Out: learnings, each with the reasons why it is told of.
"""

from collections.abc import Callable, Iterable, Sequence

from ..config import Config
from ..git.repository import Repository
from ..learnings.model import Learning
from ..learnings.sources import Sources, Talk
from ..sessions.answering import Group, Told
from .identity import chat_id, chunk_id, repo_id

# A file that is longer is not divided into chunks to answer a question about one line.
_LONGEST = 1_000_000
_HEAD_BYTES = 8_192

# A learning, and why it is told of: "conversation", "commit" or "code".
Reasons = dict[str, tuple[Learning, list[str]]]


def learned_of(
    repository: Repository, config: Callable[[], Config], path: str, commit: str,
    groups: Sequence[Group], sources: Sources,
) -> list[Reasons]:  # fmt: skip
    """Return the learnings that came of each group of lines of a file."""
    if not sources:
        return [{} for _ in groups]
    repo = repo_id(repository, config())
    chunks = chunks_of(repository, path, commit, repo) if sources.has_references else []
    return [learned_of_group(sources, group, repo, chunks) for group in groups]


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
    from ..chunking import chunk, language_of  # slow to load, and seldom needed

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
