"""What happens while the explorer is open is seen; kinds of repositories that lack something."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.explorer.documents import Documents
from git_skillmesh.explorer.stores import State
from testing.commands import call
from testing.conversations import link, remember
from testing.explorer import Asked
from testing.learnings import files_of, literal
from testing.memory import make_session, open_memory
from testing.repos import make_repo

Opens = Callable[[Path], Asked]


def test_what_happens_meanwhile_is_seen(tmp_path: Path, stores_of: Opens) -> None:
    repo = make_repo(tmp_path, files={"a.py": "one = 1\n"})
    asked = stores_of(repo.path)
    seen = [asked.get("overview")["state"]]

    def state() -> None:
        seen.append(asked.get("overview")["state"])
        assert len(set(seen)) == len(seen)

    assert asked.get("timeline/0")["entries"][0]["subject"] == "first"
    repo.commit("second", {"a.py": "one = 1\ntwo = 2\n"})
    state()
    assert asked.get("timeline/0")["entries"][0]["subject"] == "second"
    assert asked.get("file/a.py")["total_lines"] == 2
    remember(repo, make_session("s", 2))
    state()
    assert asked.get("session/s")["session"]["lines_linked"] == 0
    link(repo, "HEAD", "a.py", [2], "s", "s-1")
    state()
    found = asked.get("session/s")["session"]
    assert (found["lines_linked"], found["lines_alive"], found["commits"]) == (1, None, 1)
    assert asked.get("file/a.py")["origins"][1]["exchange"]["session"] == "s"
    assert asked.get("overview")["hints"][0].endswith("git skillmesh index")
    assert call(repo.path, "index", "--chroma", "off", "-q").returncode == 0
    state()
    assert asked.get("session/s")["session"]["lines_alive"] == 1
    assert asked.get("map/_root")["known"] == 1
    for path, text in files_of(literal("a-rule", "x")).items():
        repo.write(path, text or "")
    state()
    assert asked.get("learning/a-rule")["ref"]["id"] == "a-rule"
    open_memory(repo).forget("s")
    state()
    assert asked.get("session/s") is None
    (gone,) = asked.get("commit/" + repo.head)["exchanges"]
    assert (gone["exchange"]["n"], gone["exchange"]["title"]) == (
        0, "(the conversation was forgotten)",
    )  # fmt: skip
    assert asked.get(f"exchange/{gone['exchange']['key']}") is None


def test_what_took_lines_away_is_named(tmp_path: Path, stores_of: Opens) -> None:
    repo = make_repo(tmp_path, files={"a.py": "zero\n"})
    made = repo.commit("made", {"a.py": "zero\none\ntwo\nthree\nfour\n", "b.py": "gone\n"})
    remember(repo, make_session("s", 1))
    link(repo, made, "a.py", [2, 3, 4, 5], "s", "s-1")
    link(repo, made, "b.py", [1], "s", "s-1")
    first = repo.commit("take two", {"a.py": "zero\none\nthree\nfour\n"})
    second = repo.commit("take the others", {"a.py": "zero\nother\nfour\n"})
    deleted = repo.commit("delete", {"b.py": None})
    repo.commit("indent", {"a.py": "zero\nother\n  four\n"})
    assert call(repo.path, "index", "--chroma", "off", "-q").returncode == 0
    found = stores_of(repo.path).get("exchange/s~2fs-1")
    assert [(one["commit"] and one["commit"]["sha"], one["lines"]) for one in found["died"]] == [
        (second, 2), *sorted([(first, 1), (deleted, 1)]),
    ]  # fmt: skip
    assert [(one["path"], one["start"], one["end"]) for one in found["alive"]] == [("a.py", 3, 3)]
    assert (found["lines_linked"], found["lines_alive"]) == (5, 1)


def test_a_note_that_was_left_behind_counts_once(tmp_path: Path, stores_of: Opens) -> None:
    repo = make_repo(tmp_path, files={"a.py": "one\n"})
    remember(repo, make_session("s", 1))
    link(repo, "HEAD", "a.py", [1], "s", "s-1")
    link(repo, "HEAD", "a.py", [1, 2, 3], "s", "s-1", blob="f" * 40)
    asked = stores_of(repo.path)
    assert asked.get("session/s")["session"]["lines_linked"] == 1
    (commit,) = [one for one in asked.get("timeline/0")["entries"] if one["type"] == "commit"]
    assert commit["linked"] == 1


def test_what_is_kept_may_be_deleted_or_damaged(tmp_path: Path, stores_of: Opens) -> None:
    repo = make_repo(tmp_path, files={"a.py": "one\ntwo\n"})
    remember(repo, make_session("s", 1))
    link(repo, "HEAD", "a.py", [1], "s", "s-1")
    told = dict(stores_of(repo.path).everything())
    folder = repo.state_dir / "explorer"
    assert {path.name for path in folder.iterdir()} == {"commits.json", "lines.json", "links.json"}
    assert dict(stores_of(repo.path).everything()) == told
    wrong = f'{{"schema": 2, "kept": {{"head": "{repo.head}", "commits": [[1]]}}}}'.encode()
    for damage in (
        b"",
        b"[]",
        wrong,
        b'{"schema": 2, "kept": {"head": 3, "x": [[]]}}',
        b"[" * 99_999,
    ):
        for path in folder.iterdir():
            path.write_bytes(damage)
        assert dict(stores_of(repo.path).everything()) == told


def test_an_empty_repository(tmp_path: Path, stores_of: Opens) -> None:
    repo = make_repo(tmp_path)
    asked = stores_of(repo.path)
    found = dict(asked.everything())
    assert set(found) == {"overview", "learnings", "timeline/0", "sessions/0", "map/_root"}
    assert found["overview"]["head"] is None
    assert found["overview"]["hints"][:2] == [
        "no commits yet",
        "no conversations are stored in this repository yet: git skillmesh import",
    ]


@pytest.mark.parametrize("kind", ["bare", "shallow", "worktree"])
def test_kinds_of_repositories(kind: str, tmp_path: Path, stores_of: Opens) -> None:
    repo = make_repo(tmp_path, files={"a.py": "one\n", **files_of(literal("a-rule", "x"))})
    repo.commit("second", {"a.py": "one\ntwo\n"})
    place = tmp_path / "other place"
    if kind == "worktree":
        repo.git("worktree", "add", "--quiet", str(place), "HEAD~")
    else:
        option = ["--bare"] if kind == "bare" else ["--depth", "1"]
        repo.git("clone", "--quiet", *option, repo.path.as_uri(), str(place))
    found = dict(stores_of(place).everything())
    assert found["learning/a-rule"]["source"].startswith("learning_id: a-rule")
    assert len([path for path in found if path.startswith("commit/")]) == (kind == "bare") + 1
    assert found["file/a.py"]["total_lines"] == (1 if kind == "worktree" else 2)


def test_many_ask_at_once_and_one_answers(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = Documents(asked.stores)
    made: list[str] = []
    make = documents._made

    def counted(path: str, parameters: None, state: State) -> tuple[bytes | None, bool]:
        made.append(path)
        return make(path, parameters, state)

    monkeypatch.setattr(documents, "_made", counted)
    answers: list[bytes | None] = []
    threads = [
        threading.Thread(target=lambda: answers.append(documents.json("timeline/0")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (made, len(set(answers)), len(answers)) == (["timeline/0"], 1, 8)
