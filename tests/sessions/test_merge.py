"""Two memories become one: the laws, random histories against a model, real clones."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.sessions.events import Event
from git_skillmesh.sessions.layout import Head, join_heads, key_of
from git_skillmesh.sessions.merge import merge_memory, merge_notes
from git_skillmesh.sessions.model import Exchange, Session
from testing.examples import examples
from testing.memory import make_exchange, make_session, open_memory, tree_of
from testing.repos import Repo, make_repo

REF = "refs/skillmesh/memory"
words = st.sampled_from(["", "a", "b", "title"])
times = st.sampled_from(["", "2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z"])
heads = st.builds(
    Head, st.just("s"), words, words, words, words, words, words, times, times, st.integers(1, 3),
    st.just(1), st.dictionaries(st.sampled_from("xy"), st.integers(0, 1)),
).map(Head.to_bytes) | st.sampled_from([b"", b"{}", b"junk", b"[1]"])  # fmt: skip


@given(heads, heads, heads)
def test_heads_are_joined_in_any_order(one: bytes, two: bytes, three: bytes) -> None:
    both = join_heads(one, two)
    assert both == join_heads(two, one)
    assert join_heads(both, both) == join_heads(both, one) == join_heads(both, two) == both
    assert join_heads(both, three) == join_heads(one, join_heads(two, three))


def test_the_same_merge_is_the_same_commit_everywhere(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    one, two = (open_memory(repo, f"refs/skillmesh/{name}") for name in ("one", "two"))
    one.add([make_session("both", 1)])
    two.merge(repo.git("rev-parse", one.ref))
    assert repo.git("rev-parse", two.ref) == repo.git("rev-parse", one.ref)
    one.add([make_session("both", 2), make_session("left", 1, title="")])
    two.add([make_session("both", 3), make_session("right", 2)])
    tips = [repo.git("rev-parse", memory.ref) for memory in (one, two)]
    assert one.merge(tips[1]) == two.merge(tips[0]) == one.merge(tips[0])
    assert {found.head.session_id for found in one.sessions()} == {"both", "left", "right"}
    assert one.session("both") == make_session("both", 3)
    assert repo.git("log", "-1", "--format=%s|%cn", one.ref) == "merge memories|git skillmesh"
    repo.git("fsck", "--strict", "--no-dangling")


def test_one_that_is_ahead_is_taken_as_it_is(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    memory = open_memory(repo)
    memory.add([make_session("s", 1)])
    old = repo.git("rev-parse", REF)
    memory.add([make_session("s", 2)])
    new = repo.git("rev-parse", REF)
    repository = repo.opened()
    assert merge_memory(repository, old, new) == merge_memory(repository, new, old) == new
    assert merge_memory(repository, None, old) == merge_memory(repository, old, old) == old


def test_what_one_forgot_leaves_the_history_of_the_other(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    one, two = (open_memory(repo, f"refs/skillmesh/{name}") for name in ("one", "two"))
    one.add([make_session("secret", 2), make_session("kept", 2)])
    two.merge(repo.git("rev-parse", one.ref))
    two.add([make_session("secret", 3)])
    two.add([make_session("other", 1)])
    one.forget("secret")
    for memory, name in ((two, one.ref), (one, two.ref)):
        memory.merge(repo.git("rev-parse", name))
    assert repo.git("rev-parse", one.ref) == repo.git("rev-parse", two.ref)
    assert {found.head.session_id for found in one.sessions()} == {"kept", "other"}
    assert key_of("secret") not in repo.git("rev-list", "--objects", one.ref).replace(
        f"{key_of('secret')}.json", ""
    )
    assert repo.git("log", "-1", "--format=%s", f"{one.ref}^2", "--") in (
        "sessions: 1 new",
        "forget 1 of the sessions",
    )


def test_histories_without_a_common_beginning_and_files_of_others(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repository = repo.opened()
    tips = []
    for name, text in (("one", "short\n"), ("two", "longer text\n")):
        memory = open_memory(repo, f"refs/skillmesh/{name}")
        memory.add([make_session(name, 1)])
        blob = repo.git("hash-object", "-w", "--stdin", stdin=text)
        old = repo.git("ls-tree", memory.ref)
        tree = repo.git("mktree", stdin=f"{old}\n100644 blob {blob}\tNOTES\n")
        tips.append(repo.git("commit-tree", tree, "-p", memory.ref, "-m", "a file of my own"))
    merged = merge_memory(repository, *tips)
    assert merged == merge_memory(repository, *tips[::-1])
    assert repo.git("show", f"{merged}:NOTES") == "longer text"
    assert len(tree_of(repo, merged)) == 5


@dataclass
class Clone:
    """What a clone has to know: exchanges and events of sessions, what is forgotten."""

    exchanges: dict[str, dict[str, Exchange]] = field(default_factory=dict)
    events: set[tuple[str, str]] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)

    def learn(self, other: "Clone") -> None:
        self.forgotten |= other.forgotten
        self.events |= other.events
        for name, exchanges in other.exchanges.items():
            mine = self.exchanges.setdefault(name, {})
            for key, exchange in exchanges.items():
                mine[key] = richer(mine.get(key), exchange)
        for name in self.forgotten:
            self.exchanges.pop(name, None)
        self.events = {(name, key) for name, key in self.events if name not in self.forgotten}


def richer(one: Exchange | None, other: Exchange) -> Exchange:
    return other if one is None or len(other.tools) > len(one.tools) else one


NAMES = ("s0", "s1", "s2")
steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "grow", "event", "title", "merge", "merge", "forget"]),
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(1, 3),
    ),
    max_size=14,
)
_EXAMPLES = itertools.count()


@pytest.fixture(scope="module")
def shared(sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository whose refs play the clones: they share objects, nothing else."""
    return make_repo(tmp_path_factory.mktemp("clones"))


@settings(
    max_examples=examples(8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps)
def test_clones_converge_and_lose_nothing(
    shared: Repo, taken: list[tuple[str, int, int, int]]
) -> None:
    example = next(_EXAMPLES)
    stores = [open_memory(shared, f"refs/skillmesh/e{example}/c{n}") for n in range(3)]
    models = [Clone() for _ in stores]
    for number, (what, here, there, count) in enumerate(taken):
        store, model, name = stores[here], models[here], NAMES[there]
        if what == "merge":
            merge(shared, stores, models, here, there)
        elif what == "forget" and name in model.exchanges:
            store.forget(name)
            model.learn(Clone(forgotten={name}))
        elif what == "event" and name in model.exchanges:
            store.append_event(name, Event("note", number, name, "2024-03-01T00:00:00Z"))
            model.learn(Clone(events={(name, str(number))}))
        elif what in ("add", "grow", "title"):
            made = [make_exchange(n, calls=1, owner=name) for n in range(1, count + 1)]
            if what == "grow":
                made = [make_exchange(count, calls=1 + here + number % 3, owner=name)]
            title = f"title {number}" if what == "title" else ""
            store.add([Session(name, "codex", tuple(made), title)])
            model.learn(Clone({name: {exchange.exchange_id: exchange for exchange in made}}))
    for here, there in [*itertools.permutations(range(3), 2)] * 2:
        merge(shared, stores, models, here, there)
    if not models[0].exchanges and not models[0].forgotten:
        return
    trees = [tree_of(shared, store.ref) for store in stores]
    assert trees[0] == trees[1] == trees[2]
    for store, model in zip(stores, models, strict=True):
        check(shared, store.ref, model)


def merge(repo: Repo, stores: list, models: list[Clone], here: int, there: int) -> None:  # type: ignore[type-arg]
    result = repo.run("rev-parse", "--verify", "-q", stores[there].ref)
    if here != there and result.returncode == 0:
        stores[here].merge(result.stdout.strip())
        models[here].learn(models[there])


def check(repo: Repo, ref: str, model: Clone) -> None:
    memory = open_memory(repo, ref)
    found = {
        summary.head.session_id: {
            e.exchange_id: e for e in memory.exchanges(summary.head.session_id)
        }
        for summary in memory.sessions()
    }
    assert found == model.exchanges
    assert {
        (name, str(event.value)) for name in found for event in memory.events(name)
    } == model.events
    assert all(memory.is_forgotten(name) for name in model.forgotten)
    history = repo.git("rev-list", "--objects", ref)
    assert [name for name in model.forgotten if f"/{key_of(name)}/" in history] == []


def test_real_clones_through_a_remote(tmp_path: Path) -> None:
    """Fetch, merge, push without force, as long as nothing is forgotten."""
    hub = make_repo(tmp_path, "hub", bare=True)
    clones = [hub.clone(tmp_path / name) for name in "abc"]
    for number, repo in enumerate(clones):
        open_memory(repo).add([make_session(f"s{number}", 2), make_session("all", number + 1)])
    for repo in clones * 2:
        if hub.run("rev-parse", "-q", "--verify", REF).returncode == 0:
            repo.git("fetch", "-q", "origin", f"+{REF}:refs/skillmesh/origin")
            open_memory(repo).merge(repo.git("rev-parse", "refs/skillmesh/origin"))
        repo.git("push", "-q", "origin", f"{REF}:{REF}")
    assert tree_of(clones[0]) == tree_of(clones[1]) == tree_of(clones[2]) == tree_of(hub)
    assert open_memory(clones[0]).session("all") == make_session("all", 3)
    forgotten = open_memory(clones[1]).forget("s0")
    assert (forgotten.sessions, forgotten.refs) == (("s0",), ("refs/skillmesh/origin",))
    assert forgotten.objects == 0  # as long as that ref keeps them


def notes_of(repo: Repo, ref: str) -> dict[str, str]:
    listed = [line.split(" ") for line in repo.git("notes", "--ref", ref, "list").splitlines()]
    return {about: repo.git("cat-file", "blob", blob) for blob, about in listed}


def branches(repo: Repo) -> Iterator[str]:
    for number in range(4):
        yield repo.commit(f"c{number}", {"a": f"{number}\n"})


def test_notes_are_united_line_by_line(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    first, second, third, fourth = branches(repo)
    for ref, texts in {
        "one": {first: '{"b": 1}\n{"a": 1}', second: "somebody's own note", third: "same"},
        "two": {first: '{"a": 1}\n{"c": 1}', third: "same", fourth: "new"},
    }.items():
        for commit, text in texts.items():
            repo.git("notes", "--ref", ref, "add", "-m", text, commit)
    one, two = (repo.git("rev-parse", f"refs/notes/{name}") for name in ("one", "two"))
    repository = repo.opened()
    merged = merge_notes(repository, one, two)
    assert merged == merge_notes(repository, two, one)
    assert merge_notes(repository, merged, one) == merge_notes(repository, two, merged) == merged
    assert merge_notes(repository, None, one) == one
    repo.git("update-ref", "refs/notes/both", merged)
    assert notes_of(repo, "both") == {
        first: '{"a": 1}\n{"b": 1}\n{"c": 1}',
        second: "somebody's own note",
        third: "same",
        fourth: "new",
    }
    # The rule is git's own, so that a team may also merge by hand.
    repo.git("notes", "--ref", "one", "merge", "-q", "-s", "cat_sort_uniq", "refs/notes/two")
    assert notes_of(repo, "one") == notes_of(repo, "both")


def test_both_titles_of_a_session_end_as_one(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    one, two = (open_memory(repo, f"refs/skillmesh/{name}") for name in ("one", "two"))
    session = make_session("s", 2)
    one.add([replace(session, title="first")])
    two.merge(repo.git("rev-parse", one.ref))
    one.add([replace(session, title="renamed")])
    two.add([make_session("s", 3, title="renamed later")])
    one.merge(repo.git("rev-parse", two.ref))
    assert one.session("s") == make_session("s", 3, title="renamed later")
