"""The places of a change as they are shown, compared with what git says of them."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.gate.change import between
from git_skillmesh.git.repository import discover
from git_skillmesh.training.advising.parts import cost, packed, pieces_of, rows_of, shown
from testing.repos import Repo, make_repo

TEXTS = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=30)


def lines_of(text: str) -> list[str]:
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(TEXTS, TEXTS)
def test_rows_are_the_change(tmp_path: Path, before: list[str], after: list[str]) -> None:
    there = (tmp_path / "repo").exists()
    repo = Repo(tmp_path / "repo") if there else make_repo(tmp_path)
    old, new = "".join(f"{line}\n" for line in before), "".join(f"{line}\n" for line in after)
    repo.commit("old", {"f": old})
    repo.commit("new", {"f": new})
    change = between(discover(repo.path), "HEAD~1", "HEAD")
    for file in change.files:
        news, olds = lines_of(new), lines_of(old)
        places = list(rows_of(file, news, olds))
        rows = [row for place in places for row in place]
        added, removed = file.added(), [text for sign, _, text in rows if sign == "-"]
        assert frozenset(n for sign, n, _ in rows if sign == "+") == added
        assert all(text == news[n - 1] for sign, n, text in rows if sign != "-")
        numbers = [n for _, n, _ in rows if n]
        assert numbers == sorted(set(numbers))
        assert len(olds) - len(removed) == len(news) - len(added or ())


def test_a_new_file_and_a_small_room(tmp_path: Path) -> None:
    code = "".join(f"value_{n} = compute({n})\n" for n in range(1, 101))
    repo = make_repo(tmp_path, files={"README": "x\n"})
    repo.commit("add", {"a.py": code, "b.py": "b = 1\n", "empty.py": "", "blank.py": "\n\n"})
    change = between(discover(repo.path), "HEAD~1", "HEAD")
    pieces = [
        piece
        for file in change.files
        for text in [repo.read(file.path)]
        for piece in pieces_of(file.path, rows_of(file, lines_of(text), []), 300)
    ]
    assert [piece.path for piece in pieces] == ["a.py"] * 4 + ["b.py"]
    assert all(sum(map(cost, piece.rows)) <= 300 for piece in pieces)
    parts = list(packed(pieces, 300))
    assert [part.paths for part in parts] == [("a.py",)] * 3 + [("a.py", "b.py")]
    assert {n for part in parts for n in part.added.get("a.py", ())} == set(range(1, 101))
    assert shown(pieces[0].rows[0]) == "   1 + value_1 = compute(1)"
