"""Reading blobs: every answer reaches whoever asked for it, and nothing ever hangs."""

import hashlib
import os
import shutil
import signal
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_skillmesh.errors import Damaged
from git_skillmesh.git.objects import BlobReader, missing_blobs, sizes
from git_skillmesh.git.repository import Repository, discover
from testing.examples import examples
from testing.repos import Repo, make_repo

_SECONDS = 60


@pytest.fixture(autouse=True)
def no_deadlock() -> Iterator[None]:
    """Fail instead of hanging when a pipe is full at both ends."""

    def stuck(number: int, frame: FrameType | None) -> None:
        raise TimeoutError("the reader hangs")

    before = signal.signal(signal.SIGALRM, stuck)
    signal.alarm(_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def store(repo: Repo, contents: list[bytes]) -> list[str]:
    """Write blobs into a repository with one process and return their ids."""
    stream = b"".join(
        b"blob\nmark :%d\ndata %d\n%s\n" % (number, len(data), data)
        for number, data in enumerate(contents, 1)
    )
    marks = repo.path / "marks"
    repo.git("fast-import", "--quiet", f"--export-marks={marks}", stdin=os.fsdecode(stream))
    lines = sorted(line.split(" ") for line in marks.read_text().splitlines())
    found = {int(mark[1:]): oid for mark, oid in lines}
    return [found[number] for number in range(1, len(contents) + 1)]


@pytest.fixture(scope="module")
def blobs(
    sealed_session: None, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Repository, dict[str, bytes]]:
    """A repository with thousands of blobs, small, empty, binary and large."""
    noise = hashlib.shake_256(b"noise").digest(3_000_000)
    contents = [b"line %d\n" % number * (number % 40) for number in range(3_000)]
    contents += [b"", b"\n", b"\0" * 70_000, noise, b"x missing\n", b"\n" * 9]
    repo = make_repo(tmp_path_factory.mktemp("blobs"))
    return discover(repo.path), dict(zip(store(repo, contents), contents, strict=True))


def test_thousands_in_any_order_and_more_than_once(
    blobs: tuple[Repository, dict[str, bytes]],
) -> None:
    repository, contents = blobs
    wanted = sorted([*contents, *list(contents)[::2]], key=lambda oid: oid[::-1])
    with BlobReader(repository) as reader:
        assert list(reader.read_many(wanted)) == [contents[oid] for oid in wanted]


def test_large_blobs_do_not_fill_the_pipe(blobs: tuple[Repository, dict[str, bytes]]) -> None:
    repository, contents = blobs
    large = max(contents, key=lambda oid: len(contents[oid]))
    with BlobReader(repository) as reader:
        for data in reader.read_many([large] * 60):
            assert data == contents[large]


def test_what_is_missing_is_none(blobs: tuple[Repository, dict[str, bytes]]) -> None:
    repository, contents = blobs
    some = list(contents)[:300]
    wanted = [oid for known in some for oid in (known, "0" * 40, known[::-1])]
    with BlobReader(repository) as reader:
        assert list(reader.read_many(wanted)) == [contents.get(oid) for oid in wanted]
        assert reader.read("f" * 40) is None
        assert reader.read(some[0]) == contents[some[0]]
        assert list(reader.read_many([])) == []


def test_a_reader_that_is_closed_starts_again(
    blobs: tuple[Repository, dict[str, bytes]],
) -> None:
    repository, contents = blobs
    oid = next(iter(contents))
    reader = BlobReader(repository)
    reader.close()
    for _ in range(2):
        assert reader.read(oid) == contents[oid]
        reader.close()


@settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 600)), max_size=40))
def test_interleaved_and_abandoned_requests_are_not_mixed_up(
    blobs: tuple[Repository, dict[str, bytes]], steps: list[tuple[int, int]]
) -> None:
    repository, contents = blobs
    oids = list(contents)
    with BlobReader(repository) as reader:
        streams: dict[int, tuple[Iterator[bytes | None], int]] = {}
        for stream, number in steps:
            if stream == 4:
                assert reader.read(oids[number]) == contents[oids[number]]
            elif stream not in streams or number % 7 == 0:  # begin anew, leave the old one
                streams[stream] = reader.read_many(oids[number:]), number
            else:
                answers, at = streams[stream]
                assert next(answers) == contents[oids[at]]
                streams[stream] = answers, at + 1


def test_a_damaged_object_is_named(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "some text\n" * 100, "b.txt": "other\n"})
    oid, other = repo.git("rev-parse", "HEAD:a.txt"), repo.git("rev-parse", "HEAD:b.txt")
    path = repo.git_dir / "objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    path.write_bytes(zlib.compress(b"blob 1000\0" + b"some text\n" * 100)[:20])
    with BlobReader(discover(repo.path)) as reader:
        assert reader.read(other) == b"other\n"
        with pytest.raises(Damaged) as failed:
            reader.read(oid)
    assert failed.value.mend == "run: git fsck"


def test_a_git_process_that_was_killed_is_an_error_and_not_an_answer(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    oid = repo.git("rev-parse", "HEAD:a.txt")
    reader = BlobReader(discover(repo.path))
    assert reader.read(oid) == b"1\n"
    assert reader._process is not None
    reader._process.kill()
    reader._process.wait()
    with pytest.raises(Damaged) as failed:
        list(reader.read_many([oid] * 500))
    assert str(failed.value) == f"git cannot read object {oid}: run: git fsck"


def test_sizes_leave_out_what_is_missing(blobs: tuple[Repository, dict[str, bytes]]) -> None:
    repository, contents = blobs
    assert sizes(repository, [*contents, "0" * 40]) == {
        oid: len(data) for oid, data in contents.items()
    }
    assert sizes(repository, []) == {}


@pytest.fixture
def partial(tmp_path: Path) -> Repo:
    """A partial clone without blobs, whose remote has vanished."""
    origin = make_repo(tmp_path, "origin", files={f"{n}.txt": f"{n}\n" for n in range(9)})
    origin.commit("second", {"0.txt": "new\n", "d/here.txt": "fetched\n"})
    origin.git("config", "uploadpack.allowFilter", "true")
    clone = origin.clone(tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    clone.git("cat-file", "-e", "HEAD:d/here.txt")
    shutil.rmtree(origin.path)
    return clone


def test_a_partial_clone_answers_with_what_it_has(partial: Repo) -> None:
    repository = discover(partial.path)
    names = partial.git("ls-tree", "-r", "HEAD").splitlines()
    oids = {line.split("\t")[1]: line.split()[2] for line in names}
    here = oids.pop("d/here.txt")
    assert missing_blobs(repository, "HEAD") == frozenset(oids.values())
    assert missing_blobs(repository, "HEAD^{tree}") == frozenset(oids.values())
    wanted = [*oids.values(), here, *oids.values(), here]
    with BlobReader(repository) as reader:
        assert list(reader.read_many(wanted)) == [
            b"fetched\n" if oid == here else None for oid in wanted
        ]


def test_a_partial_clone_never_fetches_by_itself(tmp_path: Path) -> None:
    origin = make_repo(tmp_path, "origin", files={"a.txt": "1\n"})
    origin.git("config", "uploadpack.allowFilter", "true")
    clone = origin.clone(tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    repository = discover(clone.path)
    oid = clone.git("rev-parse", "HEAD:a.txt")
    before = sorted((clone.git_dir / "objects").rglob("*"))
    with BlobReader(repository) as reader:
        assert reader.read(oid) is None
    assert missing_blobs(repository, "HEAD") == {oid}
    assert sorted((clone.git_dir / "objects").rglob("*")) == before


def test_a_whole_clone_misses_nothing(tmp_path: Path) -> None:
    repo = make_repo(tmp_path, files={"a.txt": "1\n"})
    assert missing_blobs(discover(repo.path), "HEAD") == frozenset()


def test_what_is_expected_reaches_whoever_asks_for_it(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    contents = [b"one", b"two", b"three" * 100_000, b"four"]
    oids = store(repo, contents)
    with BlobReader(discover(repo.path)) as reader:
        reader.expect([oids[2], "0" * 40, oids[0], oids[2]])
        assert reader.read(oids[1]) == b"two"  # not expected
        assert list(reader.read_many([oids[0], oids[2], "0" * 40])) == [b"one", contents[2], None]
        reader.expect([oids[2]])
        reader.expect([oids[3]])  # and the one before is forgotten
        assert list(reader.read_many(oids)) == contents
