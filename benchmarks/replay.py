"""A real session, lived once more from its start to its commit.

    python -m benchmarks.replay CLONE [--checkpoint PATH [--earlier PATH…]] [--clean FILE]

In: a clone of entireio/cli with its checkpoints (`refs/heads/entire/checkpoints/v1`). Out: the
repository as it was before the session, set up by `init` and `agents install`, then every prompt,
edit, hook, MCP call and the commit, as text for docs/agents.md. It fails unless the files are in
the end what the people committed then, and unless `why` shows the prompt. `--clean` writes the
session as test data instead, without names of people and machines.
"""

import os
import re
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from benchmarks.program import Bench, common_arguments, workplace
from git_skillmesh.sessions.importers.records import Record
from testing.environment import TOKEN, wait_for_hooks
from testing.replay import Replay, Step, append_records, cleaned, read_records, transcript_of
from testing.repos import Repo
from testing.transcripts import jsonl

_REF = "refs/heads/entire/checkpoints/v1"
# One prompt, one edit, one commit; the transcript began before, with what other checkpoints hold.
_CHECKPOINT = "ba/5e23ccb05b/0/full.jsonl"
_EARLIER = ("e1/2c3e2b3f2a/0/full.jsonl", "48/cfe773289f/0/full.jsonl")
_COMMITTED = re.compile(r"\[[^\]\n]+ ([0-9a-f]{7,12})\] ")


def read_checkpoint(clone: Path, path: str) -> list[Record]:
    """Return the transcript that a checkpoint holds."""
    return read_records(git(clone, "cat-file", "blob", f"{_REF}:{path}"))


def commit_of(records: Sequence[Record], clone: Path) -> str:
    """Return the last commit that the transcript says it made."""
    found = _COMMITTED.findall("\n".join(str(record.get("message")) for record in records))
    return git(clone, "rev-parse", f"{found[-1]}^{{commit}}").decode().strip()


def at_commit(bench: Bench, clone: Path, commit: str) -> Repo:
    """Make a working tree of the clone on branch main, just before a commit."""
    repo = Repo(bench.folder / "cli")
    bench.git("clone", "-q", "--shared", "--no-checkout", os.fspath(clone), os.fspath(repo.path))
    for ref in repo.git("for-each-ref", "--format=%(refname)").split():
        repo.git("update-ref", "--no-deref", "-d", ref)
    repo.git("remote", "remove", "origin")
    repo.git("symbolic-ref", "HEAD", "refs/heads/main")
    repo.git("reset", "--quiet", "--hard", f"{commit}^")
    bench.configure(repo)
    return repo


def keep_checkpoints(repo: Repo, commit: str, before: str) -> None:
    """Give a repository the checkpoints that were made before a time, and no later ones."""
    now, later = datetime.fromisoformat(before), []
    told = repo.git("grep", "-e", '"created_at": "', commit, "--", "*/metadata.json")
    for line in told.splitlines():
        path, _, said = line.removeprefix(f"{commit}:").partition(":")
        if datetime.fromisoformat(said.split('"')[3]) >= now:
            later.append(path.rpartition("/")[0])
    env = {"GIT_INDEX_FILE": os.fspath(repo.git_dir / "checkpoints")}
    repo.git("read-tree", commit, env=env)
    repo.git("rm", "-r", "-q", "--cached", "--ignore-unmatch", "--", *later, env=env)
    kept = repo.git("commit-tree", "-m", "checkpoints", repo.git("write-tree", env=env))
    repo.git("update-ref", _REF, kept)


def replay(bench: Bench, clone: Path, checkpoint: str, earlier: Sequence[str]) -> list[Step]:
    """Set up and play. Raises AssertionError where the outcome is not what it was."""
    found = read_checkpoint(clone, checkpoint)
    commit = commit_of(found, clone)
    records = cleaned(found)
    repo = at_commit(bench, clone, commit)
    keep_checkpoints(repo, git(clone, "rev-parse", _REF).decode().strip(), records[0]["timestamp"])
    home, token = Path(os.environ["HOME"]), os.environ[TOKEN]
    for path in earlier:
        append_records(repo, home, cleaned(read_checkpoint(clone, path)))
    steps = []
    for words in (["init"], ["import", "-q"], ["agents", "install", "claude-code"]):
        done = repo.run("skillmesh", *words)
        # Some transcripts of a partial clone are missing, and `import` says so by its exit code.
        assert done.returncode == 0 or words[0] == "import", done
        steps.append(Step("shell", f"git skillmesh {' '.join(words)}", done.stdout + done.stderr))
    when = str(records[0]["timestamp"])
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "-m", "set up git skillmesh", env=dates)
    player = Replay(repo, home, records, token)
    wait_for_hooks(token)
    steps += player.play()
    for path in dict.fromkeys(player.edited):
        ours, theirs = (repo.git("rev-parse", f"{one}:{path}") for one in ("HEAD", commit))
        assert ours == theirs, f"{path} is not what was committed then"
    prompt = next(step.sent for step in steps if step.kind == "prompt")
    assert all(prompt in step.answer for step in steps[-2:]), "why does not show the prompt"
    return steps


def without_people(text: str, clone: Path) -> str:
    """Return a text without the names of those who committed."""
    names = set(git(clone, "log", "--all", "--format=%an%n%cn").decode().splitlines())
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(name)}\b", "…", text)
    return text


def git(clone: Path, *words: str) -> bytes:
    """Run git in the clone and return what it prints."""
    return subprocess.run(["git", "-C", clone, *words], capture_output=True, check=True).stdout


def main(argv: Sequence[str] | None = None) -> int:
    """Play and print."""
    parser = common_arguments("play a real session through hooks and MCP, to its commit")
    parser.add_argument("clone", type=Path, metavar="CLONE")
    parser.add_argument("--checkpoint", default=_CHECKPOINT, metavar="PATH")
    parser.add_argument("--earlier", nargs="*", default=_EARLIER, metavar="PATH")
    parser.add_argument("--clean", type=Path, metavar="FILE", help="write the session as test data")
    args = parser.parse_args(argv)
    if args.clean:
        args.clean.write_bytes(jsonl(cleaned(read_checkpoint(args.clone, args.checkpoint))))
        return 0
    with workplace(args.scratch) as bench:
        os.environ.clear()
        os.environ.update(bench.env)
        clone = args.clone.resolve()
        steps = replay(bench, clone, args.checkpoint, args.earlier)
        print(without_people(transcript_of(steps), clone).replace(str(bench.folder), "…"), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
