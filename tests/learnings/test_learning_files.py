"""The file of a learning: what is read, what is refused and in which line, what writing keeps."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.files import learnings_at, learnings_on_disk, put
from git_skillmesh.learnings.model import (
    Backtest,
    Example,
    Fix,
    Learning,
    Matcher,
    MatcherKind,
    Scope,
    Severity,
    State,
)
from git_skillmesh.learnings.reading import read_learning
from git_skillmesh.learnings.writing import set_field, write_learning
from testing.repos import make_repo

PATH = ".skillmesh/learnings/timeouts.yaml"
LEARNING = Learning(
    learning_id="timeouts",
    title="Give every request a timeout",
    description="Without one a call waits for ever.\n\nIt did, on the night of the release.",
    matcher=Matcher(
        MatcherKind.AST,
        Scope.FILE,
        rule={"pattern": "requests.get($$$A)", "not": {"has": {"kind": "keyword_argument"}}},
    ),
    state=State.WARN,
    severity=Severity.ERROR,
    category="reliability",
    tags=("http",),
    languages=("python",),
    paths=("src/**", "!tests/**"),
    pattern="a call of requests.get without timeout",
    fix=Fix("Add timeout=10.", "requests.get($$$A, timeout=10)"),
    bad=(Example("requests.get(u)\n"), Example("requests.get(v)", path="a b.py")),
    good=(Example("requests.get(u, timeout=3)\n"),),
    source_chat_id="chat-1",
    source_commits=("abcdef0",),
    example_code_reference="repo:src/a.py:get",
    confidence=0.8,
    author="A U Thor <a@example.com>",
    created="2026-01-02",
    updated="2026-11-21T10:00:00Z",
    backtest=Backtest(1000, 10, 1, 2, "abcdef12", "2026-11-21"),
)


def problems(text: str | bytes, path: str = PATH) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    return [str(problem).removeprefix(".skillmesh/learnings/") for problem in
            read_learning(path, data).problems]  # fmt: skip


def test_a_written_learning_reads_back() -> None:
    assert read_learning(PATH, write_learning(LEARNING).encode()).learning == LEARNING


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1
)
LINES = st.lists(WORDS.filter(str.strip), min_size=1).map("\n".join)


@given(
    title=WORDS.filter(lambda text: bool(text.strip()) and len(text) <= 120),
    description=LINES,
    code=LINES,
    regex=WORDS,
    tags=st.lists(WORDS.filter(str.strip)),
)
def test_whatever_is_written_reads_back(
    title: str, description: str, code: str, regex: str, tags: list[str]
) -> None:
    learning = dataclasses.replace(
        LEARNING,
        title=title,
        description=description,
        tags=tuple(tags),
        matcher=Matcher(MatcherKind.REGEX, Scope.FILE, regex=regex, ignore_case=True),
        bad=(Example(code), Example(code + "\n", path=title)),
    )
    read = read_learning(PATH, write_learning(learning).encode())
    assert (read.problems, read.learning) == ((), learning)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_learning_or_a_complaint(data: bytes) -> None:
    read = read_learning(PATH, data)
    assert (read.learning is None) == bool(read.problems)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "timeouts.yaml:1: empty"),
        ("- 1", "timeouts.yaml:1: not a mapping of fields"),
        (b"a: 1\nb: \xff", "timeouts.yaml:2: not UTF-8"),
        ("a: &x 1\nb: *x", "timeouts.yaml:1: &x: anchors are not allowed"),
        ("a: 1\nb: *x", "timeouts.yaml:2: *x: aliases are not allowed"),
        ("a: !!set [1]", "timeouts.yaml:1: tag:yaml.org,2002:set: tags are not allowed"),
        ("a: 1\n---\nb: 1", "timeouts.yaml:2: more than one document"),
        ("a: 1\na: 2", "timeouts.yaml:2: a stands there twice"),
        ("[" * 60_000, "timeouts.yaml:1: nested deeper than 24"),
        ("- " * 60_000, "timeouts.yaml:1: nested deeper than 24"),
        ("a: " + "x" * 300_000, "timeouts.yaml:1: longer than 256 KiB"),
    ],
)  # fmt: skip
def test_what_is_not_let_in(text: str | bytes, said: str) -> None:
    assert problems(text) == [said]


def test_every_field_is_checked_where_it_stands() -> None:
    assert problems(
        "learning_id: Timeouts\n"
        "titel: x\n"
        "title: ''\n"
        "description: [a]\n"
        "severity: fatal\n"
        "state: on\n"
        "confidence: 2\n"
        "created: yesterday\n"
        "source_commits: main\n"
        "matcher:\n"
        "  kind: paths\n"
        "  untouchable: maybe\n"
        "  regex: x\n"
        "examples:\n"
        "  bad: [{code: a, files: [b]}]\n"
        "  ugly: []\n"
        "backtest: {commits: -1, fired: 0, mistaken: 0, unknown: 0, until: x, date: 2026-01-02}\n"
        "x-mine: is let in\n"
    ) == [
        "timeouts.yaml:1: learning_id must be "
        "lower-case letters, digits, '.', '_' and '-', up to 64",
        "timeouts.yaml:1: the file of Timeouts must be named Timeouts.yaml",
        "timeouts.yaml:2: unknown field: titel",
        "timeouts.yaml:3: title is empty",
        "timeouts.yaml:4: description must be text",
        "timeouts.yaml:5: severity must be one of note, warning, error",
        "timeouts.yaml:6: state must be one of proposed, warn, block, retired",
        "timeouts.yaml:7: confidence must be a number, 0 to 1",
        "timeouts.yaml:8: created must be a day such as 2026-01-31",
        "timeouts.yaml:9: source_commits must list ids of commits",
        "timeouts.yaml:11: matcher must have one of accompany, untouchable and max_bytes",
        "timeouts.yaml:12: matcher.untouchable must be true or false",
        "timeouts.yaml:13: unknown field: matcher.regex",
        "timeouts.yaml:15: an example in examples.bad must have code or files",
        "timeouts.yaml:16: unknown field: examples.ugly",
        "timeouts.yaml:17: backtest.commits must be a whole number, 0 or more",
        "timeouts.yaml:17: backtest.until must be the id of a commit",
    ]


def test_what_must_be_there() -> None:
    assert problems("matcher: {kind: ast}") == [
        "timeouts.yaml:1: description is missing",
        "timeouts.yaml:1: learning_id is missing",
        "timeouts.yaml:1: matcher.rule is missing",
        "timeouts.yaml:1: title is missing",
    ]


def test_one_field_is_set_and_every_other_byte_stays() -> None:
    text = (
        "# why\nlearning_id: timeouts   # the id\ntitle: T\ndescription: D\n"
        "state: 'warn' # yes\nmatcher: {kind: literal, text: x}\n"
    )
    assert set_field(text, "state", "block") == text.replace("'warn'", "block")
    added = set_field(text, "category", "network")
    assert added == text.replace("state:", "category: network\nstate:")
    assert set_field(text, "forced", "because: yes") == text + "forced: 'because: yes'\n"
    assert read_learning(PATH, added.encode()).problems == ()
    with pytest.raises(KeyError):
        set_field(text, "titel", "x")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("title: T\n", "title: T\nbacktest:\n  commits: 2\n  until: '1234567'\n"),
        (
            "backtest:  # old\n  commits: 1\n  date: 2026-01-01  # then\n\n# mine\nforced: x\n",
            "backtest:\n  commits: 2\n  until: '1234567'  # then\n\n# mine\nforced: x\n",
        ),
        (
            "backtest: {commits: 1, tags: [a]} # old\ntitle: T",
            "backtest:\n  commits: 2\n  until: '1234567' # old\ntitle: T",
        ),
        ("backtest:\ntitle: T\n", "backtest:\n  commits: 2\n  until: '1234567'\ntitle: T\n"),
        (
            "backtest:\n  commits: 1\n  tags:\n  - a\n  - b",
            "backtest:\n  commits: 2\n  until: '1234567'",
        ),
    ],
)
def test_a_mapping_is_set_and_every_other_byte_stays(before: str, after: str) -> None:
    assert set_field(before, "backtest", {"commits": 2, "until": "1234567"}) == after


def test_on_disk_and_in_a_commit(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repository = discover(repo.path)
    assert (learnings_on_disk(repository), learnings_at(repository, repository.empty_tree)) == (
        {},
        {},
    )
    assert put(repository, LEARNING) == repo.path / PATH
    repo.write(".skillmesh/learnings/README.md", "not one")
    repo.write(".skillmesh/learnings/old/timeouts.yaml", "below")
    repo.write(".skillmesh/learnings/odd.yml", "learning_id: odd")
    commit = repo.commit("learn")
    repo.write(PATH, "learning_id: timeouts")
    (repo.path / ".skillmesh/learnings/link.yaml").symlink_to("/etc/passwd")
    on_disk = learnings_on_disk(repository)
    assert list(on_disk) == ["link", "odd", "timeouts"]
    assert [str(problem) for problem in on_disk["link"].problems] == [
        ".skillmesh/learnings/link.yaml:1: Too many levels of symbolic links"
    ]
    assert on_disk["timeouts"].learning is None
    committed = learnings_at(repository, commit)
    assert list(committed) == ["odd", "timeouts"]
    assert committed["timeouts"].learning == LEARNING
    assert "the file of odd must be named odd.yaml" in str(committed["odd"].problems)


def test_putting_replaces_nothing_unless_told(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repository = discover(repo.path)
    place = put(repository, LEARNING)
    place.chmod(0o640)
    with pytest.raises(Exception, match=r"timeouts\.yaml exists"):
        put(repository, LEARNING)
    put(repository, dataclasses.replace(LEARNING, title="New"), replace=True)
    assert "title: New" in place.read_text()
    assert place.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in Path(place.parent).iterdir()] == ["timeouts.yaml"]
