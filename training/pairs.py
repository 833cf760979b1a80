"""Make training pairs out of repositories: what people write about code, and the code.

In: bare clones, one folder each. Out: gzipped JSON lines, one file a repository:
`{"kind", "language", "path", "query", "code"}` with kind `comment` (doc comment → code without it),
`name` (words of a symbol's name → code without the name) or `commit` (subject → changed function).

    python -m training.pairs repositories.json CLONES OUT
"""

import argparse
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from git_skillmesh.chunking import Chunk, chunk, language_of
from git_skillmesh.chunking.exclusion import skip_content, skip_path
from git_skillmesh.embedding.tokens import parts
from git_skillmesh.git.history import introductions
from git_skillmesh.git.objects import BlobReader
from git_skillmesh.git.repository import Repository, discover
from git_skillmesh.git.trees import list_tree
from git_skillmesh.index.documents import last_name

MOST_OF_A_KIND = 4_000
MOST_COMMITS = 1_500
_LONGEST_CODE = 3_000
_LARGEST_FILE = 300_000
_DEFINING = frozenset(
    [
        "function",
        "method",
        "class",
        "interface",
        "struct",
        "enum",
        "trait",
        "impl",
        "module",
        "type",
        "macro",
        "header",
    ]
)
_CODE = re.compile(
    r"(^|/)(tests?|specs?|__tests__|testdata|fixtures?|examples?|docs?|bench\w*)(/|$)|[_.-](test|spec)s?\.|(^|/)test_|Tests?\.\w+$|Spec\.\w+$",
    re.I,
)
_MARKERS = re.compile(r"^[\s/*#;%!'\"<>|{}()-]*|[\s*/'\"-]*$")
_NOT_PROSE = re.compile(
    r"copyright|licen[sc]e|all rights reserved|generated|todo|fixme|eslint|pylint|@author|noinspection|spdx|https?://",
    re.I,
)
_TAG = re.compile(
    r"(^|\s)([@\\:](param|return|returns|throws|see|since|type|rtype|brief|example)|Args:|Returns:|Raises:|Parameters)"
)
_SUBJECT = re.compile(r"^(\w+(\([^)]*\))?!?:\s+|\[[^\]]*\]\s*|\(?#\d+\)?\s*)+")
_DULL = re.compile(
    r"^(merge|bump|release|revert|typo|version|update (changelog|deps|dependenc)|prepare|v?\d)",
    re.I,
)


def pairs_of(repository: Repository) -> Iterator[dict[str, str]]:
    """Yield the pairs of a repository, the same ones every time."""
    counts = {"comment": 0, "name": 0, "commit": 0}
    seen: set[bytes] = set()
    for pair in (*_of_tree(repository), *_of_history(repository)):
        key = hashlib.blake2b(f"{pair['query']}\0{pair['code']}".encode(errors="replace")).digest()
        if key not in seen and counts[pair["kind"]] < MOST_OF_A_KIND:
            seen.add(key)
            counts[pair["kind"]] += 1
            yield pair


def _of_tree(repository: Repository) -> Iterator[dict[str, str]]:
    _, tree = repository.head_tree()
    # By blob id: a fair draw from all folders that does not change from run to run.
    files = sorted(list_tree(repository, tree).items(), key=lambda item: item[1])
    wanted = [
        (path, blob) for path, blob in files if skip_path(path) is None and not _CODE.search(path)
    ]
    with BlobReader(repository) as reader:
        for (path, _), data in zip(wanted, reader.read_many(b for _, b in wanted), strict=True):
            for piece, language in _chunks(path, data):
                for kind, query, code in _described(piece):
                    yield _pair(kind, language, path, query, code)


def _chunks(path: str, data: bytes | None) -> Iterator[tuple[Chunk, str]]:
    if data is None or len(data) > _LARGEST_FILE or skip_content(path, data) is not None:
        return
    language = language_of(path, data[:8_192])
    for piece in chunk(data, language):
        if piece.kind in _DEFINING and piece.end_line - piece.start_line >= 3:
            yield piece, language


def _described(piece: Chunk) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, query, code) of a chunk."""
    body = _without_comment(piece)
    if body.count("\n") < 2:
        return
    prose = first_paragraph(piece.comment)
    if prose:
        yield "comment", prose, body
    name = last_name(piece.symbol)
    words = parts(name)
    if len(words) > 1:
        yield "name", " ".join(words), re.sub(rf"\b{re.escape(name)}\b", "", body)


def first_paragraph(comment: str) -> str:
    """Return the first paragraph of a doc comment if it is prose, else ""."""
    text = _TAG.split(comment.strip().split("\n\n")[0])[0]
    text = " ".join(_MARKERS.sub("", line) for line in text.split("\n"))
    words = text.split()
    letters = sum(c.isalpha() and c.isascii() for c in text)
    if not 3 <= len(words) <= 60 or letters < 0.6 * len(text) or _NOT_PROSE.search(text):
        return ""
    return " ".join(words)


def _without_comment(piece: Chunk) -> str:
    """Return the code without the lines of its doc comment, so that words cannot be copied."""
    said = " ".join(piece.comment.split())
    kept = []
    for line in piece.text.split("\n"):
        bare = " ".join(_MARKERS.sub("", line).split())
        if not (len(bare) > 3 and bare in said):
            kept.append(line)
    return "\n".join(kept)[:_LONGEST_CODE]


def _of_history(repository: Repository) -> Iterator[dict[str, str]]:
    """Yield subjects of small commits with the functions that have other text afterwards."""
    out = repository.git.run("log", f"--max-count={MOST_COMMITS}", "--no-merges", "--format=%H %s")
    subjects = dict(
        line.split(" ", 1) for line in out.decode(errors="replace").splitlines() if " " in line
    )
    changes: dict[str, list[tuple[str, str]]] = {}
    for introduction in introductions(repository, "HEAD", (), MOST_COMMITS):
        if introduction.commit in subjects:
            changes.setdefault(introduction.commit, []).append(
                (introduction.path, introduction.blob)
            )
    with BlobReader(repository) as reader:
        for commit, files in changes.items():
            query = cleaned_subject(subjects[commit])
            code = [(p, b) for p, b in files if skip_path(p) is None and not _CODE.search(p)]
            if query and 1 <= len(code) <= 3:
                yield from _of_commit(repository, reader, commit, query, code)


def _of_commit(
    repository: Repository,
    reader: BlobReader,
    commit: str,
    query: str,
    files: list[tuple[str, str]],
) -> Iterator[dict[str, str]]:
    for path, blob in files:
        before = repository.git.run_unchecked("rev-parse", "--verify", "-q", f"{commit}^:{path}")
        old = reader.read(before.stdout.decode().strip()) if before.returncode == 0 else b""
        known = {piece.text for piece, _ in _chunks(path, old)}
        changed = [p for p in _chunks(path, reader.read(blob)) if p[0].text not in known]
        for piece, language in changed[:2] if len(changed) <= 4 else ():
            yield _pair("commit", language, path, query, piece.text[:_LONGEST_CODE])


def cleaned_subject(subject: str) -> str:
    """Return a commit's subject without its prefix, "" if it says nothing about code."""
    text = re.sub(r"\s*\(?#\d+\)?", "", _SUBJECT.sub("", subject)).strip()
    words = text.split()
    return text if 3 <= len(words) <= 30 and not _DULL.match(text) and text.isascii() else ""


def _pair(kind: str, language: str, path: str, query: str, code: str) -> dict[str, str]:
    return {"kind": kind, "language": language, "path": path, "query": query, "code": code}


def write_pairs(clone: Path, out: Path) -> dict[str, int]:
    """Write the pairs of one clone; return how many there are of each kind."""
    counts: dict[str, int] = {}
    repository = discover(clone)
    # No name and no time in the header: the same pairs are the same bytes.
    with out.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        for pair in pairs_of(repository):
            file.write(json.dumps(pair).encode() + b"\n")
            counts[pair["kind"]] = counts.get(pair["kind"], 0) + 1
    return counts


def main() -> int:
    """Make the pairs of all repositories."""
    parser = argparse.ArgumentParser(description="make training pairs out of repositories")
    parser.add_argument("repositories", type=Path, help="the list with commits and licences")
    parser.add_argument("clones", type=Path, help="folder of bare clones, OWNER+NAME/repo")
    parser.add_argument("out", type=Path, help="folder for the pairs")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    names = [entry["repo"].replace("/", "+") for entry in json.loads(args.repositories.read_text())]
    with ProcessPoolExecutor(args.jobs) as pool:
        done = {
            name: pool.submit(
                write_pairs, args.clones / name / "repo", args.out / f"{name}.jsonl.gz"
            )
            for name in names
        }
        for name, future in done.items():
            print(name, future.result(), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
