"""Trees that are made of real files."""

from pathlib import Path

from benchmarks.program import workplace
from benchmarks.trees import change_files, grow, make_tree, real_files

SOURCES = Path(__file__).parents[2] / "src" / "git_skillmesh"


def test_every_blob_is_new_and_the_count_is_kept() -> None:
    files = real_files([SOURCES / "git", SOURCES / "hooks"], 100_000)
    chunks = sum(file.chunks for file in files)
    grown = dict(grow(files, 3 * chunks))
    assert len(grown) == 3 * len(files)
    assert len(set(grown.values())) == len(grown)
    assert {path for path in grown if path.endswith("process.py")} == {
        "source0-git/process.py", "copy1/source0-git/process.py", "copy2/source0-git/process.py",
    }  # fmt: skip


def test_a_tree_is_indexed_whole(tmp_path: Path) -> None:
    files = real_files([SOURCES / "git"], 100)
    with workplace(tmp_path) as bench:
        repo = make_tree(bench, "made", files, 120)
        made = bench.index(repo, anew=True)
        assert abs(made.chunks - 120) <= max(file.chunks for file in files) + 10
        changed = change_files(repo, 2, "mark")
        bench.git("commit", "--all", "--quiet", "-m", "two", cwd=repo.path)
        assert bench.index(repo).report["files_read"] == len(changed) == 2
