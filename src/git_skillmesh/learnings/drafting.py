"""What somebody promotes that analysis did not propose: an exchange, a commit, a diff.

In: where it comes from, and how secrets are taken out of text. Out: a `Candidate`, so that there is
one way from there to a learning. Nothing is guessed: a matcher is proposed only where the change
itself says it, as `analysis_matchers` has it.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from ..errors import UsageError
from ..git.database import ObjectDatabase
from ..git.diffs import FileChange, commit_changes, patch_files
from ..git.repository import Repository
from ..sessions.links import read_links
from ..sessions.lookup import Lookup
from ..sessions.model import Exchange
from ..sessions.reading import MemoryReader
from ..sessions.summaries import cut, printable, summary_of_prompt
from .analysis_changes import Thread, Work
from .analysis_evidence import evidence_of
from .analysis_fates import commits_of_exchanges
from .analysis_grouping import candidates_of
from .analysis_matchers import Fits, first_fitting, proposals, replaced
from .candidates import Candidate, Change, Evidence, Kind, Scores, evidence_id
from .reading import TITLE_LENGTH

Clean = Callable[[str], str]
_MOST_PLACES, _MOST_LINES, _WIDTH = 12, 20, 300
_LONGEST_TEXT = 4_000
_UNKNOWN = Scores(0.0, 0.0, 0.0, 0.0)


def from_exchange(reader: MemoryReader, session: str, exchange: str) -> Candidate:
    """Return what an exchange says for a learning. Raises `UsageError`, `Damaged`.

    Its evidence is what analysis would find in it, so that a decision about the one holds for the
    other; where analysis would find nothing, it is the prompt as a whole.
    """
    thread, follows = Thread(), False
    for number, one in enumerate(reader.exchanges(session), 1):
        follows = thread.follows_edit
        work = thread.take(one)
        if one.exchange_id == exchange:
            head = reader.head(session)
            found = evidence_of(
                one, work, session=session, number=number, agent=head.agent,
                follows_edit=follows, by_person=not head.parent,
            )  # fmt: skip
            whole = [_whole(one, work, session, number, head.agent)]
            commits = commits_of_exchanges(reader.repository).get((session, exchange), ())
            best = candidates_of(replace(each, commits=commits) for each in found or whole)[0]
            return best if found else replace(best, scores=_UNKNOWN)
    raise UsageError(f"session {session} has no exchange {exchange}")


def from_commit(repository: Repository, commit: str, clean: Clean) -> Candidate:
    """Return what a commit (its whole id) says for a learning. Raises `UsageError`."""
    changes = next(iter(commit_changes(repository, [commit])), None)
    if changes is None:
        raise UsageError(f"git cannot read what {commit[:12]} changed", "git fetch, or: git fsck")
    text = repository.git.run(
        "log", "-1", "--no-show-signature", "--no-notes", "--encoding=UTF-8", "--format=%B", commit
    ).decode("utf-8", "replace")
    subject, _, body = clean(text[:_LONGEST_TEXT].strip()).partition("\n")
    made = _of_changes(subject, body, changes_in(changes.files, clean), (commit,))
    session, exchange, number = _made_by(repository, commit)
    evidence = replace(made.evidence[0], session=session, exchange=exchange, number=number)
    return replace(made, evidence=(evidence,))


def from_patch(data: bytes, clean: Clean) -> Candidate:
    """Return what a diff says for a learning. Raises `UsageError` for what is none."""
    changes = changes_in(patch_files(data), clean)
    if not changes:
        raise UsageError("this is no diff, or it changes nothing", "git diff | … --from-diff -")
    return _of_changes("", "", changes, ())


def changes_in(files: Iterable[FileChange], clean: Clean) -> tuple[Change, ...]:
    """Return the places of files, those first that replace lines by others."""
    places = [(file.path, hunk) for file in files for hunk in file.hunks]
    places.sort(key=lambda place: not (place[1].removed and place[1].added))
    return tuple(
        Change(path, _lines(hunk.removed, clean), _lines(hunk.added, clean), hunk.new)
        for path, hunk in places[:_MOST_PLACES]
    )


def with_matcher(candidate: Candidate, fits: Fits) -> Candidate:
    """Return a candidate with a matcher that its changes prove, if there is one.

    Whoever names a change means what it replaces: where that is one name, it need not be repeated
    in words or in a second line.
    """
    changes = [change for one in candidate.evidence for change in one.changes]
    swaps = {pair for change in changes for pair in replaced(change)}
    said = " ".join(one.excerpt for one in candidate.evidence)
    if len(swaps) == 1:
        said += f" `{next(iter(swaps))[0]}`"
    found = first_fitting(proposals(changes, said), fits)
    if found is None:
        return candidate
    titled = candidate
    if not candidate.title:
        titled = replace(candidate, title=found.fix.text.rstrip("."))
    return replace(titled, proposal=found)


def _of_changes(
    title: str, body: str, changes: tuple[Change, ...], commits: tuple[str, ...]
) -> Candidate:
    title = cut(printable(title), TITLE_LENGTH)
    paths = tuple(dict.fromkeys(change.path for change in changes))
    name = evidence_id("promoted", *commits, *(line for one in changes for line in one.after))
    evidence = Evidence(
        name, Kind.FOLLOW_UP, title, 0.0, changes=changes, paths=paths, commits=commits
    )
    description = body.strip() or title
    return Candidate(name, Kind.FOLLOW_UP, title, description, (evidence,), _UNKNOWN)


def _made_by(repository: Repository, commit: str) -> tuple[str, str, int]:
    """Return session, exchange and its number, where one exchange made the commit; else nothing."""
    links = read_links(repository, [commit]).get(commit, ())
    pairs = {(link.session, link.exchange) for link in links}
    if len(pairs) == 1:
        session, exchange = pairs.pop()
        with ObjectDatabase(repository) as db:
            number = Lookup(db).number(session, exchange)
        if number:
            return session, exchange, number
    return "", "", 0


def _whole(exchange: Exchange, work: Work, session: str, number: int, agent: str) -> Evidence:
    """Return an exchange as evidence because somebody says that it is."""
    return Evidence(
        evidence_id("promoted", session, exchange.exchange_id),
        Kind.CORRECTION,
        summary_of_prompt(exchange.prompt),
        0.0,
        exchange.started,
        session,
        exchange.exchange_id,
        number,
        agent,
        changes=work.changes,
        paths=work.paths,
    )


def _lines(lines: tuple[bytes, ...], clean: Clean) -> tuple[str, ...]:
    text = "\n".join(line.decode("utf-8", "replace")[:_WIDTH] for line in lines[:_MOST_LINES])
    return tuple(clean(text).split("\n")) if lines else ()
