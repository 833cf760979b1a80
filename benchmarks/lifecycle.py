"""Whether the index equals the tree after everything git can do to a repository.

    python -m benchmarks.lifecycle --checkouts DIR…

After every step the repository is indexed as the hooks would do it, and asked some questions.
Then its index is put aside, made from nothing, and asked the same: the JSON must be equal byte by
byte. `doctor` must find nothing. This measures correctness, so it belongs to no budget.
"""

import contextlib
import io
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.program import Bench, common_arguments, workplace
from benchmarks.results import Recorder, table
from git_skillmesh.cli.main import main as skillmesh
from testing.repos import Repo

_QUESTIONS = (
    "open a connection with a timeout",
    "parse command line options",
    "handle an error and log it",
    "iterate over a tree",
    "lifecycle step renamed",
    "convert a value to a string",
    "unit test with a mock",
    "read configuration from a file",
)
_OPTIONS: tuple[tuple[str, ...], ...] = (
    (),
    ("--committed",),
    ("--at", "HEAD"),
    ("--rank", "rrf", "--explain"),
    ("--full", "-n", "25"),
    ("--kind", "function"),
    ("--path", "**/*e*/**"),
)
_TEXT = ("py", "js", "ts", "go", "rs", "c", "h", "java", "rb", "php", "cs", "kt", "ex", "hs", "lua")


@dataclass
class Subject:
    """A repository under test: `folder` is the working tree in which the step was done."""

    repo: Repo
    folder: Path
    failures: list[dict[str, Any]] = field(default_factory=list)
    checks: int = 0

    def git(self, *words: str) -> str:
        """Run git where the subject stands."""
        return Repo(self.folder).git(*words)

    def files(self, count: int, offset: int = 0) -> list[str]:
        """Return some source files, spread evenly over the tree."""
        listed = self.git("ls-files", "-z").split("\0")[:-1]
        paths = [
            path
            for path in listed
            if path.rpartition(".")[2] in _TEXT
            and (self.folder / path).is_file()
            and not (self.folder / path).is_symlink()
        ]
        paths = paths or [p for p in listed if (self.folder / p).is_file()]
        start = offset % max(1, len(paths))
        return (paths[start:] + paths[:start])[:: max(1, len(paths) // count)][:count]

    def append(self, path: str, text: str) -> None:
        """Append to a file of the working tree."""
        with (self.folder / path).open("ab") as file:
            file.write(text.encode())

    def write(self, path: str, data: bytes) -> None:
        """Write a file of the working tree."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)


Step = Callable[[Subject], None]


def _base(subject: Subject) -> None:
    """Stand in the middle of the real history, so that the newer part can be merged later."""
    newest = subject.git("rev-parse", "HEAD")
    subject.git("branch", "--force", "lifecycle-newest", newest)
    commits = subject.git("rev-list", "--first-parent", "-n", "60", "HEAD").splitlines()
    subject.git("checkout", "--quiet", "-B", "lifecycle", commits[len(commits) // 2])


def _edit(subject: Subject) -> None:
    for number, path in enumerate(subject.files(6)):
        subject.append(path, f"\n\n// lifecycle_step_{number} opens a connection\n")
    subject.write("lifecycle/new_module.py", b"def lifecycle_new(value):\n    return value\n")
    subject.write("lifecycle/notes.md", b"# Lifecycle\n\nA step that adds notes.\n")
    subject.commit("edit and add")


def _rename(subject: Subject) -> None:
    for path in subject.files(3, 5):
        folder, _, name = path.rpartition("/")
        subject.git("mv", path, f"{folder}/renamed_{name}" if folder else f"renamed_{name}")
    subject.git("mv", "lifecycle", "lifecycle_renamed")
    subject.commit("rename")


def _swap(subject: Subject) -> None:
    one, two = subject.files(2, 11)
    subject.git("mv", one, "lifecycle-swap")
    subject.git("mv", two, one)
    subject.git("mv", "lifecycle-swap", two)
    subject.commit("swap two files")


def _delete(subject: Subject) -> None:
    subject.git("rm", "--quiet", *subject.files(5, 7))
    subject.commit("delete")


def _same_blob_twice(subject: Subject) -> None:
    path = subject.files(1, 3)[0]
    subject.write(f"copies/{Path(path).name}", (subject.folder / path).read_bytes())
    subject.write("empty.py", b"")
    subject.write("binary.dat", bytes(range(256)) * 8)
    subject.write("crlf.py", b"def carriage(value):\r\n    return value\r\n")
    subject.commit("copies, empty, binary, CRLF")


def _kinds(subject: Subject) -> None:
    """A file becomes a link, a folder and a file again; another becomes executable."""
    one, two, three = subject.files(3, 17)
    (subject.folder / one).unlink()
    (subject.folder / one).symlink_to("nowhere")
    (subject.folder / two).unlink()
    subject.write(f"{two}/inside.py", b"def inside_a_folder():\n    return 1\n")
    (subject.folder / three).chmod(0o755)
    subject.commit("other kinds of entries")


def _switch_back(subject: Subject) -> None:
    subject.git("checkout", "--quiet", "-b", "lifecycle-old", "HEAD~3")


def _switch_forth(subject: Subject) -> None:
    subject.git("checkout", "--quiet", "lifecycle")


def _switch_far(subject: Subject) -> None:
    far = subject.git("rev-list", "--first-parent", "-n", "300", "HEAD").splitlines()[-1]
    subject.git("checkout", "--quiet", "--detach", far)


def _dirty(subject: Subject) -> None:
    for number, path in enumerate(subject.files(4, 2)):
        subject.append(path, f"\n\n// uncommitted_lifecycle_{number}\n")
    subject.write("untracked_lifecycle.py", b"def untracked_lifecycle():\n    return 2\n")
    subject.git("add", subject.files(4, 2)[0])
    (subject.folder / subject.files(4, 9)[1]).unlink()


def _stash(subject: Subject) -> None:
    subject.git("stash", "push", "--quiet", "--include-untracked")


def _stash_pop(subject: Subject) -> None:
    subject.git("stash", "pop", "--quiet")


def _amend(subject: Subject) -> None:
    subject.git("add", "--all")
    subject.git("commit", "--quiet", "--amend", "-m", "amended")


def _rebase(subject: Subject) -> None:
    """Put three commits of our own on the newest commit of the real history."""
    subject.git("checkout", "--quiet", "-b", "lifecycle-topic", "lifecycle-newest~2")
    for number in range(3):
        subject.write(f"topic/part_{number}.py", f"def topic_{number}():\n    pass\n".encode())
        subject.commit(f"topic {number}")
    subject.git("rebase", "--quiet", "lifecycle-newest")


def _merge(subject: Subject) -> None:
    """Merge without committing; whether there are conflicts depends on the repository."""
    subject.git("checkout", "--quiet", "lifecycle")
    Repo(subject.folder).run("merge", "--quiet", "--no-commit", "--no-ff", "lifecycle-topic")


def _merge_resolve(subject: Subject) -> None:
    subject.commit("merged")


def _revert(subject: Subject) -> None:
    subject.git("checkout", "--quiet", "lifecycle-topic")
    subject.git("revert", "--no-edit", "HEAD")


def _reset(subject: Subject) -> None:
    subject.git("reset", "--quiet", "--hard", "HEAD~3")


def _reset_soft(subject: Subject) -> None:
    subject.git("reset", "--quiet", "--soft", "HEAD~2")


def _cherry_pick(subject: Subject) -> None:
    subject.git("commit", "--quiet", "--allow-empty", "-m", "what reset left")
    subject.write("picked.py", b"def picked_lifecycle():\n    return 3\n")
    subject.commit("to be picked")
    picked = subject.git("rev-parse", "HEAD")
    subject.git("checkout", "--quiet", "-B", "lifecycle-pick", "HEAD~2")
    subject.git("cherry-pick", picked)


def _attributes(subject: Subject) -> None:
    folder = subject.files(1, 4)[0].rpartition("/")[0] or "docs"
    subject.append(".gitattributes", f"\n{folder}/** linguist-vendored\n")
    subject.commit("leave a folder out")


def _attributes_back(subject: Subject) -> None:
    subject.git("revert", "--no-edit", "HEAD")


def _exclude(subject: Subject) -> None:
    subject.git("config", "skillmesh.index.exclude", "**/*test*/** *.md")


def _exclude_back(subject: Subject) -> None:
    subject.git("config", "--unset", "skillmesh.index.exclude")


def _collect(subject: Subject) -> None:
    subject.git("reflog", "expire", "--expire=now", "--all")
    subject.git("gc", "--quiet", "--prune=now")


def _prune(subject: Subject) -> None:
    _run(subject.folder, "prune")


def _worktree(subject: Subject) -> None:
    folder = subject.repo.path.with_name(subject.repo.path.name + "-worktree")
    subject.git("worktree", "add", "--quiet", "-b", "lifecycle-linked", os.fspath(folder), "HEAD~1")
    subject.folder = folder


def _worktree_commit(subject: Subject) -> None:
    _edit(subject)
    _dirty(subject)


def _worktree_leave(subject: Subject) -> None:
    folder, subject.folder = subject.folder, subject.repo.path
    subject.git("worktree", "remove", "--force", os.fspath(folder))


def _orphan(subject: Subject) -> None:
    subject.git("checkout", "--quiet", "--orphan", "lifecycle-orphan")
    subject.git("rm", "-r", "--quiet", "--force", ".")
    subject.git("clean", "-fdxq")
    subject.write("alone.py", b"def alone_lifecycle():\n    return 4\n")
    subject.commit("alone")


def _home(subject: Subject) -> None:
    subject.git("checkout", "--quiet", "lifecycle")


STEPS: tuple[tuple[str, Step], ...] = (
    ("first index", _base),
    ("commit", _edit),
    ("rename", _rename),
    ("swap two files", _swap),
    ("delete", _delete),
    ("copies, empty, binary", _same_blob_twice),
    ("file to link, to folder", _kinds),
    ("switch branch", _switch_back),
    ("switch back", _switch_forth),
    ("uncommitted changes", _dirty),
    ("stash", _stash),
    ("stash pop", _stash_pop),
    ("amend", _amend),
    ("far commit, detached", _switch_far),
    ("rebase", _rebase),
    ("merge, conflicts open", _merge),
    ("merge, resolved", _merge_resolve),
    ("revert", _revert),
    ("reset --hard", _reset),
    ("reset --soft", _reset_soft),
    ("cherry-pick", _cherry_pick),
    (".gitattributes", _attributes),
    (".gitattributes reverted", _attributes_back),
    ("exclude by configuration", _exclude),
    ("exclude no more", _exclude_back),
    ("gc --prune=now", _collect),
    ("prune", _prune),
    ("worktree", _worktree),
    ("commit in worktree", _worktree_commit),
    ("leave worktree", _worktree_leave),
    ("orphan branch", _orphan),
    ("back home", _home),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Check all checkouts; exit code 1 when anything differs."""
    parser = common_arguments("check that the index equals the tree after every git operation")
    parser.add_argument("--checkouts", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--steps", nargs="+", metavar="NAME", help="only up to these steps' last")
    args = parser.parse_args(argv)
    recorder = Recorder("lifecycle", args.results)
    wanted = _until(args.steps)
    found = []
    with workplace(args.scratch) as bench, mock.patch.dict(os.environ, bench.env, clear=True):
        for checkout in args.checkouts:
            found.append(_check(bench, checkout, wanted))
    print(table(["repository", "steps", "comparisons", "differences"], [_row(f) for f in found]))
    for repository in found:
        for failure in repository["failures"]:
            print(json.dumps({"repository": repository["repository"], **failure}, indent=1))
    recorder.write(repositories=found)
    return 1 if any(repository["failures"] for repository in found) else 0


def _until(names: Sequence[str] | None) -> Sequence[tuple[str, Step]]:
    if not names:
        return STEPS
    last = max(place for place, (name, _) in enumerate(STEPS) if name in names)
    return STEPS[: last + 1]


def _row(found: dict[str, Any]) -> list[object]:
    return [found["repository"], found["steps"], found["comparisons"], len(found["failures"])]


def _check(bench: Bench, checkout: Path, steps: Sequence[tuple[str, Step]]) -> dict[str, Any]:
    name = checkout.parent.name if checkout.name == "repo" else checkout.name
    repo = bench.repository(checkout, name)
    subject = Subject(repo, repo.path)
    started = time.monotonic()
    for step, act in steps:
        act(subject)
        _compare(subject, step)
    seconds = time.monotonic() - started
    print(f"{name}: {len(steps)} steps in {seconds:.0f} s, {len(subject.failures)} differences")
    return {
        "repository": name,
        "steps": len(steps),
        "comparisons": subject.checks,
        "failures": subject.failures,
    }


def _compare(subject: Subject, step: str) -> None:
    """Index, ask, put the index aside, index from nothing, ask again, put the old one back."""
    queries = list(_queries(subject))
    kept = _observe(subject, queries)
    state = subject.repo.state_dir
    aside = state.with_name("skillmesh-aside")
    state.rename(aside)
    try:
        anew = _observe(subject, queries)
    finally:
        shutil.rmtree(state, ignore_errors=True)
        aside.rename(state)
    for name, answer in anew.items():
        subject.checks += 1
        if kept[name] != answer:
            subject.failures.append({"step": step, "what": name, **_difference(kept[name], answer)})
    for which, answers in (("kept", kept), ("anew", anew)):
        verdict = json.loads(answers["doctor"][1])
        if not verdict["ok"]:
            subject.failures.append({"step": step, "what": f"doctor ({which})", **verdict})


def _queries(subject: Subject) -> Iterator[tuple[str, ...]]:
    """Questions of the general kind, and names of this repository's own files."""
    names = [Path(path).stem for path in subject.files(7, 13)]
    for number, words in enumerate([*_QUESTIONS, *names]):
        yield (*_OPTIONS[number % len(_OPTIONS)], "--", words)


Answers = dict[str, tuple[int, str]]


def _observe(subject: Subject, queries: Sequence[Sequence[str]]) -> Answers:
    code, text = _run(subject.folder, "index", "--chroma", "off", "--quiet")
    answers: Answers = {"index": (code, text)}
    for query in queries:
        answers[" ".join(query)] = _run(subject.folder, "query", "--json", *query)
    answers["doctor"] = _run(subject.folder, "doctor", "--json")
    return answers


def _run(folder: Path, *words: str) -> tuple[int, str]:
    """Run the command line in this process: the same code, without 0.2 s for each start."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()) as errors:
        code = skillmesh(["-C", os.fspath(folder), *words])
    return code, out.getvalue() or errors.getvalue()


def _difference(kept: tuple[int, str], anew: tuple[int, str]) -> dict[str, Any]:
    """Return what tells two answers apart: exit codes, or the first lines that differ."""
    if kept[0] != anew[0]:
        return {"kept": [kept[0], kept[1][:400]], "anew": [anew[0], anew[1][:400]]}
    pairs = zip(kept[1].splitlines(), anew[1].splitlines(), strict=False)
    lines = [pair for pair in pairs if pair[0] != pair[1]]
    return {"kept": [line for line, _ in lines[:8]], "anew": [line for _, line in lines[:8]]}


if __name__ == "__main__":
    raise SystemExit(main())
