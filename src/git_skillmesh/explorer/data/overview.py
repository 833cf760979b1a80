"""The overview: what there is, how much of it is known, and what would make it more.

In: a reading. Out: `Overview`.
"""

import os
from collections import Counter
from urllib.parse import urlsplit

from ... import __version__
from ...git.commitlog import Headline
from ...sessions.finding import HOW_TO_GET_SOME, NO_MEMORY
from ..backtests import tried_learnings
from ..learned import identity, learnings_of, skills_of
from ..parts import alive, commits, files, links, sessions
from ..sizes import known_lines, lines_by_path
from ..stores import Reading
from .refs import Document, line
from .sessions import pages_of
from .timeline import PAGE, order


def overview(reading: Reading, left_out: tuple[str, ...] | None = None) -> Document:
    """Return the overview; `left_out` is what an export leaves out, None for a server."""
    state = reading.state
    history, talks, noted = commits(reading), sessions(reading), links(reading)
    listed = order(reading)
    learned = learnings_of(reading)
    linked = sum(one in history.by_id for one in noted.by_commit)
    sizes, known = lines_by_path(reading), alive(reading)
    total = None if sizes is None else sum(sizes.values())
    tried = tried_learnings(reading) is not None
    return {
        "mode": "serve" if left_out is None else "export",
        "version": __version__,
        "repository": _name(reading),
        "repo_id": identity(reading),
        "head": {"sha": state.head, "branch": _branch(reading)} if state.head else None,
        "state": f"{state.name}{'l' * (total is not None)}{'b' * tried}",
        "counts": {
            "commits": len(history.listed),
            "linked_commits": linked,
            "sessions": len(talks.listed),
            "exchanges": sum(one.exchanges for one in talks.listed),
            "learnings": len(learned),
            "skills": skills_of(reading),
            "files": len(files(reading).blobs),
        },
        "lines": {"total": total, "known": known_lines(sizes, known)}
        if sizes is not None and known.is_known
        else None,
        "months": _months(reading),
        "agents": _agents(reading),
        "timeline_pages": listed.pages,
        "session_pages": pages_of(reading),
        "left_out": list(left_out or ()),
        "hints": _hints(reading),
    }


def _name(reading: Reading) -> str:
    """Return what people call the repository: the last part of its address, or its folder."""
    repository = reading.repository
    url = os.fsdecode(repository.git.run_unchecked("config", "--get", "remote.origin.url").stdout)
    url = url.strip().rstrip("/").removesuffix(".git")
    parts = [part for part in (urlsplit(url).path if "://" in url else url).split("/") if part]
    if "://" in url or (":" in url and not url.startswith(("/", "."))):
        return line("/".join(parts[-2:]).rpartition(":")[2])
    top = repository.top or repository.common_dir
    return line(top.name.removesuffix(".git") or "repository")


def _branch(reading: Reading) -> str | None:
    branch = reading.repository.branch()
    return line(branch) if branch else None


def _months(reading: Reading) -> list[Document]:
    listed, noted = order(reading), links(reading).by_commit
    found: dict[str, Document] = {}
    for place, (when, one) in enumerate(zip(listed.times, listed.entries, strict=True)):
        if not when:
            continue
        month = found.setdefault(
            when[:7],
            {"month": when[:7], "commits": 0, "linked": 0, "sessions": 0, "page": place // PAGE},
        )
        if isinstance(one, Headline):
            month["commits"] += 1
            month["linked"] += one.oid in noted
        else:
            month["sessions"] += 1
    return [found[name] for name in sorted(found)]


def _agents(reading: Reading) -> list[Document]:
    counts: Counter[str] = Counter()
    for one in sessions(reading).listed:
        counts[line(one.head.agent) or "unknown"] += one.exchanges
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [{"agent": agent, "exchanges": count} for agent, count in ordered]


def _hints(reading: Reading) -> list[str]:
    found = []
    known = alive(reading)
    if reading.state.head is None:
        found.append("no commits yet")
    if not sessions(reading).listed:
        found.append(f"{NO_MEMORY}: {HOW_TO_GET_SOME}")
    elif reading.state.notes is None:
        found.append("no commit is linked to a conversation yet: git skillmesh link")
    elif not known.is_known:
        found.append("which lines are whose is not indexed yet: git skillmesh index")
    elif not known.is_current:
        found.append("the index is behind HEAD or the links: git skillmesh index")
    if not learnings_of(reading):
        found.append("no learnings yet: git skillmesh analyze, then: git skillmesh review")
    return found
