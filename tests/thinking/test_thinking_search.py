"""Search: the right thought first, nothing where there is nothing, and never stale."""

from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.config import Config, load
from git_skillmesh.embedding.protocol import Embedder
from git_skillmesh.errors import Unavailable
from git_skillmesh.git.repository import discover
from git_skillmesh.thinking import search
from git_skillmesh.thinking.model import Thought
from git_skillmesh.thinking.search import Finder, cache_path, refresh
from git_skillmesh.thinking.store import ThoughtStore
from testing.repos import Repo, make_repo
from testing.thoughts import QUESTIONS, UNRELATED, open_thoughts, record_sessions

Ask = Callable[..., list[tuple[str, int]]]


@pytest.fixture(scope="module")
def known(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with all made-up sessions; never changed."""
    repo = make_repo(tmp_path_factory.mktemp("known"))
    record_sessions(repo)
    return repo


@pytest.fixture
def store(tmp_path: Path) -> ThoughtStore:
    return open_thoughts(make_repo(tmp_path))


def asking(repo: Repo) -> Ask:
    """Return what asks one finder, as a server does."""
    repository = discover(repo.path)
    finder, config = Finder(repository), load(repository)

    def ask(question: str, **options: object) -> list[tuple[str, int]]:
        hits = finder.find(question, config, **options).hits  # type: ignore[arg-type]
        return [(hit.thought.session_id, hit.thought.number) for hit in hits]

    return ask


def test_questions_are_answered_and_others_are_not(known: Repo) -> None:
    ask = asking(known)
    first = answered = 0
    for question, (session, numbers) in QUESTIONS.items():
        right = {(session, number) for number in numbers}
        hits = ask(question)
        first += bool(hits) and hits[0] in right
        answered += bool(right & set(hits))
    wrong = sum(bool(ask(question)) for question in UNRELATED)
    assert (first / len(QUESTIONS), answered / len(QUESTIONS)) >= (0.83, 0.86)
    assert wrong / len(UNRELATED) <= 0.1


def test_pages_have_every_hit_once(known: Repo) -> None:
    ask = asking(known)
    whole = ask("timeout of the proxy", limit=50, least=0.02)
    pages = [ask("timeout of the proxy", limit=3, offset=n, least=0.02) for n in range(0, 60, 3)]
    assert [hit for page in pages for hit in page] == whole
    assert len(set(whole)) == len(whole) > 6


def test_one_session_or_the_main_line(known: Repo) -> None:
    ask = asking(known)
    assert {session for session, _ in ask("cache", session="search-cache")} == {"search-cache"}
    assert ask("cache", session="dark-mode") == []
    assert ask("do we need redis", main_only=True) == [("search-cache", 5)]


def test_what_was_recorded_or_forgotten_since_is_seen_at_once(store: ThoughtStore) -> None:
    ask = asking(Repo(Path(store.repository.git.cwd)))
    assert ask("lighthouse keeper") == []
    store.record(Thought("s", 1, "The lighthouse keeper sleeps by day."))
    assert ask("lighthouse keeper") == [("s", 1)]
    store.record(Thought("t", 1, "A lighthouse needs a keeper, or a timer."))
    assert set(ask("lighthouse keeper")) == {("s", 1), ("t", 1)}
    store.forget("s")
    assert ask("lighthouse keeper") == [("t", 1)]


def test_a_hit_says_what_became_of_it(store: ThoughtStore) -> None:
    config = load(store.repository)
    store.record(Thought("s", 1, "Keep the sessions in Redis."))
    store.record(Thought("s", 1, "Sign the cookie instead, there is no state to keep."))
    (hit,) = Finder(store.repository).find("redis for sessions", config).hits
    assert (hit.thought.text, hit.thought.revision) == ("Keep the sessions in Redis.", 0)
    assert hit.revised.startswith("Sign the cookie")
    (hit,) = Finder(store.repository).find("sign the cookie", config).hits
    assert (hit.thought.revision, hit.revised) == (1, "")


def test_much_alike_in_other_sessions(known: Repo) -> None:
    repository = discover(known.path)
    finder, config = Finder(repository), load(repository)

    def alike(text: str, session: str = "new") -> list[tuple[str, int]]:
        hits = finder.alike(Thought(session, 1, text), config)
        return [(hit.thought.session_id, hit.thought.number) for hit in hits]

    cookie = "Safari drops the session cookie because it is SameSite=None without Secure."
    assert alike(cookie) == [("login-loop", 2)]
    assert alike(cookie, "login-loop") == []
    assert alike("cookie") == []
    assert alike("Let us look at the rounding of the numbers in the weekly chart.") == []


def test_the_cache_holds_no_words_and_can_be_deleted_or_damaged(store: ThoughtStore) -> None:
    ask = asking(Repo(Path(store.repository.git.cwd)))
    store.record(Thought("secret-session", 1, "The lighthouse keeper sleeps by day."))
    assert refresh(store.repository, load(store.repository)) == 1
    path = cache_path(store.repository)
    assert b"lighthouse" not in path.read_bytes()
    assert b"secret-session" not in path.read_bytes()
    for damage in (b"", b"x" * 100, path.read_bytes()[:-64]):
        path.write_bytes(damage)
        again = asking(Repo(Path(store.repository.git.cwd)))
        assert again("lighthouse keeper") == ask("lighthouse keeper") == [("secret-session", 1)]
    path.unlink()
    assert asking(Repo(Path(store.repository.git.cwd)))("lighthouse") == [("secret-session", 1)]
    assert path.exists()


def test_nothing_is_made_where_there_are_no_thoughts(store: ThoughtStore) -> None:
    assert refresh(store.repository, load(store.repository)) == 0
    assert not cache_path(store.repository).exists()


def test_without_the_model_words_alone_count(
    store: ThoughtStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(config: Config) -> Embedder:
        raise Unavailable("the model is down")

    monkeypatch.setattr(search, "_embedder", down)
    store.record(Thought("s", 1, "The lighthouse keeper sleeps by day."))
    config = load(store.repository)
    answer = Finder(store.repository).find("lighthouse keeper sleeps", config)
    assert [hit.thought.number for hit in answer.hits] == [1]
    assert answer.notes == ("thoughts are ranked by words only: the model is down",)
    assert not cache_path(store.repository).exists()


@pytest.mark.parametrize("question", ["", " ", "\0", "\x1b[31m", "?" * 50_000, "q " * 50_000])
def test_odd_questions(known: Repo, question: str) -> None:
    assert asking(known)(question) == []
