"""What commits say for a learning: reverts, fixes of what had just been written, written rules.

In: a repository, HEAD, and how many commits back. Out: `Evidence` without a session, and which
commits were taken back. Three git processes whatever the number; text is redacted by `clean`, as
nobody has done so before it was committed. Merges are left out, and so are commits of thousands of
lines, which were not written one by one.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from ..chunking import skip_path
from ..git.commitlog import LoggedCommit, commit_log
from ..git.diffs import CommitChange, FileChange, Hunk, commit_changes
from ..git.repository import Repository
from ..sessions.summaries import cut, printable
from .analysis_changes import is_code
from .analysis_evidence import RULE_FILES, rules_in
from .candidates import Change, Evidence, Kind, evidence_id

Clean = Callable[[str], str]
MOST_COMMITS = 500
_SOON = 14 * 86_400  # seconds between what was written and its fix
_LEAST = 2  # lines of the earlier commit that a fix takes away
_TELLING = 8
_SHOWN, _WIDTH, _MOST_CHANGES = 12, 300, 6
_EXCERPT = 300
_MOST_ADDED = 2_000
_MOST_FILES = 40  # a fix of more is no fix
_REVERTS = re.compile(r"This reverts commit ([0-9a-f]{7,64})")
_REVERT_SUBJECT = re.compile(r'^Revert "(.*)"')
_REASON = re.compile(r"^(?!This reverts commit|Revert |[\w-]+: |\(cherry)(?=.*\w{3}).{12,}", re.M)
_FIX = re.compile(r"^(?:fix|bugfix|hotfix)(?:\([^)]*\))?!?:|^(?:fix(?:es|ed)?|correct)\b", re.I)


@dataclass(frozen=True, slots=True)
class Commits:
    """Evidence of commits, and the commits that later ones took back."""

    evidence: tuple[Evidence, ...] = ()
    reverted: frozenset[str] = frozenset()


def commits_say(
    repository: Repository, head: str, clean: Clean, most: int = MOST_COMMITS
) -> Commits:
    """Return what the last commits of a branch say. Raises `Damaged`."""
    messages = list(_messages(repository, head, most))
    ids = {oid for oid, _, _ in messages}
    reverted: set[str] = set()
    found: list[Evidence] = []
    reverts: dict[str, str] = {}
    for oid, subject, body in messages:
        target = _REVERTS.search(body)
        # A squash quotes the messages of what it unites: only a message of its own counts.
        if not (_REVERT_SUBJECT.match(subject) or _REVERTS.match(body.lstrip())):
            continue
        full = _full(target[1], ids) if target else ""
        if full:
            reverted.add(full)
        reverts[oid] = full
    written: dict[tuple[str, bytes], tuple[str, int]] = {}
    texts = {oid: (subject, body) for oid, subject, body in messages}
    for change in commit_changes(repository, _patches(repository, head, most)):
        files = [file for file in change.files if not skip_path(file.path)]
        subject, body = texts.get(change.commit, (change.subject, ""))
        if change.commit in reverts:
            found.append(_revert(change, files, subject, body, reverts[change.commit], clean))
        elif _FIX.match(subject) and len(files) <= _MOST_FILES:
            found += _follow_up(change, files, subject, written, clean)
        found += _rules(change, files, clean)
        _remember(change, files, written)
    return Commits(tuple(found), frozenset(reverted))


def _messages(repository: Repository, head: str, most: int) -> Iterator[tuple[str, str, str]]:
    """Yield id, subject and body, the newest first."""
    command = ("log", "-z", f"--max-count={most}", "--no-merges", "--no-show-signature")
    form = ("--no-notes", "--no-color", "--encoding=UTF-8", "--format=%H%n%s%n%b")
    out = repository.git.run(*command, *form, "--end-of-options", head, "--")
    for record in out.split(b"\0"):
        oid, _, rest = record.decode("utf-8", "replace").partition("\n")
        subject, _, body = rest.partition("\n")
        if oid:
            yield oid, subject, body


def _patches(repository: Repository, head: str, most: int) -> list[str]:
    """Return the commits that are looked into, the oldest first."""
    with closing(commit_log(repository, [head], (), most)) as log:
        chosen = [one.oid for one in log if one.files and one.added <= _most_added(one)]
    return chosen[::-1]


def _most_added(commit: LoggedCommit) -> int:
    """Return how many lines a commit may add to be looked into; more where it writes rules."""
    names = {file.path.rpartition("/")[2].lower() for file in commit.files}
    return _MOST_ADDED * (10 if names & RULE_FILES else 1)


def _full(short: str, ids: "set[str]") -> str:
    if short in ids:
        return short
    fitting = [oid for oid in ids if oid.startswith(short)]
    return fitting[0] if len(fitting) == 1 else ""


def _revert(
    change: CommitChange, files: "list[FileChange]", subject: str, body: str, target: str,
    clean: Clean,
) -> Evidence:  # fmt: skip
    named = _REVERT_SUBJECT.match(subject)
    reason = _REASON.search(body)
    text = f'Reverted "{named[1]}"' if named else subject
    said = f"{text}: {reason[0]}" if reason else text
    signs = ("revert", *(("reason given",) if reason else ()))
    commits = (change.commit, *((target,) if target else ()))
    return _evidence(
        Kind.REVERT, change, said, 0.8 if reason else 0.6, signs, files, commits, clean
    )


def _follow_up(
    change: CommitChange, files: "list[FileChange]", subject: str,
    written: "dict[tuple[str, bytes], tuple[str, int]]", clean: Clean,
) -> Iterator[Evidence]:  # fmt: skip
    """Yield a fix that takes away lines which an earlier commit had brought shortly before."""
    culprits: dict[str, int] = {}
    touched: list[FileChange] = []
    for file in files:
        if not is_code(file.path):
            continue
        for hunk in file.hunks:
            if not hunk.added:
                continue
            for line in hunk.removed:
                oid, time = written.get((file.old_path, line.strip()), ("", 0))
                if oid and change.authored - time <= _SOON:
                    culprits[oid] = culprits.get(oid, 0) + 1
                    if file not in touched:
                        touched.append(file)
    if not culprits:
        return
    worst = max(culprits, key=lambda oid: (culprits[oid], oid))
    if culprits[worst] >= _LEAST:
        strength = min(0.4 + 0.02 * culprits[worst], 0.7)
        commits = (change.commit, worst)
        yield _evidence(
            Kind.FOLLOW_UP, change, subject, strength, ("fixed soon",), touched, commits, clean
        )


def _rules(change: CommitChange, files: "list[FileChange]", clean: Clean) -> Iterator[Evidence]:
    for file in files:
        if file.path.rpartition("/")[2].lower() not in RULE_FILES:
            continue
        added = [line.decode("utf-8", "replace") for hunk in file.hunks for line in hunk.added]
        for text, statement in rules_in(file.path, added):
            said = clean(text)
            yield Evidence(
                evidence_id(str(Kind.RULE), file.path, " ".join(said.lower().split())),
                Kind.RULE,
                said,
                statement.rule,
                _time(change),
                signs=("written down", *statement.signs),
                paths=(file.path,),
                commits=(change.commit,),
            )


def _remember(
    change: CommitChange, files: "list[FileChange]",
    written: "dict[tuple[str, bytes], tuple[str, int]]",
) -> None:  # fmt: skip
    for file in files:
        if is_code(file.path):
            for hunk in file.hunks:
                for line in hunk.added:
                    bare = line.strip()
                    if len(bare) >= _TELLING:
                        written[file.path, bare] = change.commit, change.authored


def _evidence(
    kind: Kind, change: CommitChange, said: str, strength: float, signs: "tuple[str, ...]",
    files: "list[FileChange]", commits: "tuple[str, ...]", clean: Clean,
) -> Evidence:  # fmt: skip
    hunks = [(file, hunk) for file in files for hunk in file.hunks]
    hunks.sort(key=lambda pair: not (pair[1].removed and pair[1].added))
    shown = [_shown(file.path, hunk, clean) for file, hunk in hunks[:_MOST_CHANGES]]
    return Evidence(
        evidence_id(str(kind), change.commit),
        kind,
        cut(printable(clean(said)), _EXCERPT),
        strength,
        _time(change),
        signs=signs,
        changes=tuple(shown),
        paths=tuple(dict.fromkeys(file.path for file in files))[:_MOST_FILES],
        commits=commits,
    )


def _shown(path: str, hunk: Hunk, clean: Clean) -> Change:
    removed, added = _text(hunk.removed, clean), _text(hunk.added, clean)
    return Change(path, removed, added, hunk.new)


def _text(lines: "tuple[bytes, ...]", clean: Clean) -> tuple[str, ...]:
    text = "\n".join(line.decode("utf-8", "replace")[:_WIDTH] for line in lines[:_SHOWN])
    return tuple(clean(text).split("\n")) if lines else ()


def _time(change: CommitChange) -> str:
    try:
        return datetime.fromtimestamp(change.authored, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, OSError, ValueError):
        return ""
