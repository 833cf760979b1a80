"""Make large trees from real files: `python -m benchmarks.trees OUT --chunks 80000 SOURCE…`.

In: folders with source code. Out: a git repository with about so many chunks. Real files come
first, each once; when they run out, copies follow in which paths and compound identifiers are
renamed, so that every blob and a realistic share of its words are new.
"""

import argparse
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.program import Bench, workplace
from git_skillmesh.chunking import chunk, language_of
from git_skillmesh.chunking.exclusion import skip_content, skip_path
from testing.repos import Repo

_LARGEST = 200_000
_COMPOUND = re.compile(rb"\b(?:[a-z]+[A-Z][A-Za-z]+|[A-Z][a-z]+[A-Z][A-Za-z]+|[a-z]+_[a-z_]+)\b")
_WORD = re.compile(rb"[A-Z]?[a-z]{3,}")
# Of the compound identifiers of a file, this share gets a new name in a copy.
_RENAMED = 0.4
_PER_FOLDER = 40


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that the index takes: its path in the new tree, its bytes, its number of chunks."""

    path: str
    data: bytes
    chunks: int


def real_files(sources: Sequence[Path], most_chunks: int) -> list[SourceFile]:
    """Return files of the sources, in turn one from each, until there are enough chunks.

    Files that the rules of the index leave out do not count, nor does a second copy of a blob.
    """
    found: list[SourceFile] = []
    seen: set[bytes] = set()
    chunks = 0
    walks = [_walk(source, f"source{number}") for number, source in enumerate(sources)]
    while walks and chunks < most_chunks:
        for walk in list(walks):
            path, data = next(walk, ("", b""))
            if not path:
                walks.remove(walk)
                continue
            if data in seen:
                continue
            count = len(chunk(data, language_of(path, data[:256])))
            if count:
                seen.add(data)
                found.append(SourceFile(path, data, count))
                chunks += count
            if chunks >= most_chunks:
                break
    return found


def _walk(source: Path, name: str) -> Iterator[tuple[str, bytes]]:
    top = name if skip_path(f"{source.name}/a.py") else f"{name}-{source.name}"
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(entry for entry in folders if not entry.startswith("."))
        for entry in sorted(names):
            full = Path(folder) / entry
            path = f"{top}/{full.relative_to(source).as_posix()}"
            if not path.isascii() or full.is_symlink() or skip_path(path) is not None:
                continue
            try:
                if not 0 < full.stat().st_size <= _LARGEST:
                    continue
                data = full.read_bytes()
            except OSError:
                continue
            if skip_content(path, data) is None:
                yield path, data


def grow(files: Sequence[SourceFile], chunks: int) -> Iterator[tuple[str, bytes]]:
    """Yield paths and bytes of files with about `chunks` chunks in all."""
    count = copy = 0
    words = sorted({word for file in files[:500] for word in _WORD.findall(file.data)})
    while count < chunks:
        for file in files:
            if copy == 0:
                yield file.path, file.data
            else:
                yield _renamed_path(file.path, copy), _renamed(file.data, copy, words)
            count += file.chunks
            if count >= chunks:
                return
        copy += 1


def _renamed_path(path: str, copy: int) -> str:
    folder, _, name = path.rpartition("/")
    return f"copy{copy}/{folder}/{name}"


def _renamed(data: bytes, copy: int, words: Sequence[bytes]) -> bytes:
    """Give some compound identifiers another word, the same everywhere in the copy."""

    def rename(match: re.Match[bytes]) -> bytes:
        identifier = match.group()
        mark = zlib.crc32(identifier, copy)
        if mark % 1000 >= _RENAMED * 1000:
            return identifier
        word = words[mark // 1000 % len(words)]
        return identifier + (b"_" + word.lower() if b"_" in identifier else word.title())

    # A last line in every copy, so that a file without such names differs too.
    return _COMPOUND.sub(rename, data) + b"\n" * (1 + copy % 7)


def make_tree(bench: Bench, name: str, files: Sequence[SourceFile], chunks: int) -> Repo:
    """Write and commit a tree of about `chunks` chunks."""
    top = bench.folder / name
    for path, data in grow(files, chunks):
        target = top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return bench.new_repository(top)


def change_files(repo: Repo, count: int, mark: str) -> list[str]:
    """Append a function named after `mark` to some files, spread evenly; return their paths."""
    listed = repo.git("ls-files", "*.py", "*.js", "*.ts", "*.go", "*.c", "*.rs", "*.java", "*.rb")
    paths = [path for path in listed.splitlines() if not path.startswith('"')]
    chosen = paths[:: max(1, len(paths) // count)][:count]
    for number, path in enumerate(chosen):
        with (repo.path / path).open("ab") as file:
            file.write(f"\n\ndef {mark}_{number}(value):\n    return value + {number}\n".encode())
    return chosen


def main(argv: Sequence[str] | None = None) -> int:
    """Make a tree."""
    parser = argparse.ArgumentParser(description="make a large repository from real files")
    parser.add_argument("out", type=Path, help="the repository to make")
    parser.add_argument("sources", type=Path, nargs="+", help="folders with source code")
    parser.add_argument("--chunks", type=int, default=80_000, help="about so many (80000)")
    args = parser.parse_args(argv)
    files = real_files(args.sources, args.chunks)
    real = sum(file.chunks for file in files)
    with workplace(args.out.parent) as bench:
        make_tree(bench, args.out.name, files, args.chunks)
    print(f"{args.out.name}: {len(files)} real files with {real} chunks, wanted {args.chunks}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
