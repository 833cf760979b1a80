"""Which commits the gate compares, by event, in clones as actions/checkout makes them."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from testing.events import ZEROS, job, merge_group, merged, pull_request, push, workflow_dispatch
from testing.repos import Repo, make_repo


class History:
    """main has one commit more than the topic branch, which has two."""

    def __init__(self, folder: Path) -> None:
        self.repo = make_repo(folder, "origin", files={"a.txt": "1\n"})
        self.first = self.repo.head
        self.repo.git("checkout", "--quiet", "-b", "topic")
        self.topic_1 = self.repo.commit("topic 1", {"b.txt": "1\n"})
        self.topic = self.repo.commit("topic 2", {"b.txt": "2\n"})
        self.repo.git("checkout", "--quiet", "main")
        self.main = self.repo.commit("main", {"a.txt": "2\n"})
        self.merge = merged(self.repo, "topic")
        self.repo.git("branch", "merge", self.merge)
        self.repo.git("config", "uploadpack.allowAnySHA1InWant", "true")

    def clone(self, folder: Path, commit: str, *options: str) -> Repo:
        """Clone as actions/checkout does: a detached HEAD, the default branch as origin/main."""
        repo = make_repo(folder, "clone")
        repo.git("remote", "add", "origin", self.repo.path.as_uri())
        repo.git("fetch", "--quiet", "--no-tags", *options, "origin", commit)
        repo.git("checkout", "--quiet", "--detach", commit)
        return repo


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return History(tmp_path_factory.mktemp("history"))


def chosen(
    choice: ModuleType,
    repo: Repo,
    monkeypatch: pytest.MonkeyPatch,
    event: str,
    payload: dict[str, Any],
    base: str = "",
    head: str = "",
) -> Any:
    monkeypatch.chdir(repo.path)
    return choice.change_of(base, head, job(repo.path.parent / "job", event, payload))


@pytest.mark.parametrize("fork", [False, True], ids=["same repository", "fork"])
def test_a_pull_request_is_compared_with_the_newest_base(
    choice: ModuleType,
    history: History,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fork: bool,
) -> None:
    """`base.sha` of the payload is as old as the event: here main has moved on since."""
    repo = history.clone(tmp_path, history.merge)
    payload = pull_request(history.first, history.topic, fork=fork)
    found = chosen(choice, repo, monkeypatch, "pull_request", payload)
    assert found == (history.main, history.merge)


def test_a_shallow_merge_is_enough(
    choice: ModuleType, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = history.clone(tmp_path, history.merge, "--depth=2")
    payload = pull_request(history.first, history.topic)
    found = chosen(choice, repo, monkeypatch, "pull_request", payload)
    assert found == (history.main, history.merge)


def test_the_head_of_a_pull_request_is_compared_with_the_merge_base(
    choice: ModuleType, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = history.clone(tmp_path, history.topic)
    payload = pull_request(history.main, history.topic)
    found = chosen(choice, repo, monkeypatch, "pull_request", payload)
    assert found == (history.first, history.topic)


def test_no_common_history_says_what_to_do(
    choice: ModuleType, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = history.clone(tmp_path, history.topic, "--depth=1")
    with pytest.raises(choice.Unusable, match=r"no common history here: .* fetch-depth: 0"):
        chosen(
            choice,
            repo,
            monkeypatch,
            "pull_request",
            pull_request(history.main, history.topic),
        )


def test_a_merge_that_is_not_of_the_pull_request_is_not_taken_for_one(
    choice: ModuleType, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = history.clone(tmp_path, history.merge)
    payload = pull_request(history.first, history.topic_1)
    found = chosen(choice, repo, monkeypatch, "pull_request", payload)
    assert found == (history.first, history.merge)


def test_a_push_is_compared_with_what_was_there(
    choice: ModuleType, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = history.clone(tmp_path, history.topic)
    payload = push(history.topic_1, history.topic)
    assert chosen(choice, repo, monkeypatch, "push", payload) == (history.topic_1, history.topic)


def test_a_forced_push_is_compared_with_what_both_have(
    choice: ModuleType, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = history.clone(tmp_path, history.topic)
    repo.git("fetch", "--quiet", "origin", history.main)
    payload = push(history.main, history.topic)
    assert chosen(choice, repo, monkeypatch, "push", payload) == (history.first, history.topic)


def test_a_new_branch_is_compared_with_the_default_branch(
    choice: ModuleType, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = history.clone(tmp_path, history.topic)
    repo.git("fetch", "--quiet", "origin", "main:refs/remotes/origin/main")
    payload = push(ZEROS, history.topic)
    assert chosen(choice, repo, monkeypatch, "push", payload) == (history.first, history.topic)


def test_a_deleted_branch_has_nothing_to_check(
    choice: ModuleType, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = history.clone(tmp_path, history.main)
    assert chosen(choice, repo, monkeypatch, "push", push(history.topic, ZEROS)) is None


def test_the_first_commit_of_all_has_no_base(
    choice: ModuleType, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = history.clone(tmp_path, history.first)
    payload = push(ZEROS, history.first, "refs/heads/main")
    assert chosen(choice, repo, monkeypatch, "push", payload) is None


def test_a_merge_queue_says_its_base(
    choice: ModuleType, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = history.clone(tmp_path, history.merge)
    payload = merge_group(history.main, history.merge)
    found = chosen(choice, repo, monkeypatch, "merge_group", payload)
    assert found == (history.main, history.merge)


def test_a_run_by_hand_is_compared_with_the_default_branch(
    choice: ModuleType, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = history.clone(tmp_path, history.topic)
    payload = workflow_dispatch()
    found = chosen(choice, repo, monkeypatch, "workflow_dispatch", payload)
    assert found == (history.topic_1, history.topic)
    repo.git("fetch", "--quiet", "origin", "main:refs/remotes/origin/main")
    found = chosen(choice, repo, monkeypatch, "workflow_dispatch", payload)
    assert found == (history.first, history.topic)


def test_a_base_that_is_missing_is_fetched(
    choice: ModuleType, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = history.clone(tmp_path, history.merge, "--depth=1")
    payload = merge_group(history.main, history.merge)
    assert repo.run("cat-file", "-e", history.main).returncode
    found = chosen(choice, repo, monkeypatch, "merge_group", payload)
    assert found == (history.main, history.merge)
    assert repo.run("cat-file", "-e", history.main).returncode == 0


def test_a_base_that_cannot_be_had_says_what_to_do(
    choice: ModuleType, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = history.clone(tmp_path, history.merge, "--depth=1")
    repo.git("remote", "set-url", "origin", str(tmp_path / "nowhere"))
    payload = merge_group(history.main, history.merge)
    with pytest.raises(choice.Unusable, match=r"lacks the commit \w{12}, .* fetch-depth: 2"):
        chosen(choice, repo, monkeypatch, "merge_group", payload)


def test_what_is_given_counts_before_the_event(
    choice: ModuleType, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = history.clone(tmp_path, history.topic)
    payload = push(ZEROS, history.topic)
    found = chosen(choice, repo, monkeypatch, "push", payload, "HEAD~2", "HEAD~1")
    assert found == (history.first, history.topic_1)


@pytest.mark.parametrize("name", ["--help", "-c core.pager=id", "no/such", "HEAD^{tree}", "a\0b"])
def test_a_name_is_no_option(
    choice: ModuleType,
    history: History,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    repo = history.clone(tmp_path, history.topic)
    with pytest.raises(choice.Unusable, match="no such commit"):
        chosen(choice, repo, monkeypatch, "push", push(ZEROS, history.topic), name)
