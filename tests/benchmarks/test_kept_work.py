"""What was kept is told from the repository, and the area counts pairs."""

from pathlib import Path

import numpy as np

from benchmarks.kept_work import Asked, History, area, ask, with_interval
from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.model import Act, Edit, Exchange, Session, ToolCall
from testing.repos import make_repo


def test_lines_at_head_are_kept(tmp_path: Path) -> None:
    kept = "first telling line\nsecond telling line\nthird telling line\n"
    repo = make_repo(tmp_path, files={"a.py": kept.replace("third", "other")})
    history = History(discover(repo.path))

    def asked(path: str, text: str) -> Asked | None:
        call = ToolCall("c", "Write", Act.EDIT, edits=(Edit(path, "", text, whole=True),))
        exchange = Exchange("x", "", "", tools=(call,))
        return ask(Session("s", "codex", (exchange,)), exchange, history)

    found = asked("a.py", kept)
    assert found is not None
    assert found.kept
    assert found.with_commits > found.alone
    lost = asked("b.py", kept)
    assert lost is not None
    assert not lost.kept
    assert lost.with_commits < lost.alone
    assert asked("a.py", "short\n" * 9) is None
    assert asked("/elsewhere/a.py", kept) is None


def test_the_area_counts_pairs() -> None:
    kept = np.array([True, True, False, False])
    assert area(kept, np.array([0.9, 0.8, 0.2, 0.1])) == 1.0
    assert area(kept, np.array([0.9, 0.1, 0.5, 0.1])) == 0.625
    middle, low, high = with_interval(kept, np.array([0.9, 0.8, 0.2, 0.1]))
    assert (low, middle, high) == (1.0, 1.0, 1.0)
