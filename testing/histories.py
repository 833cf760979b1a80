"""Random histories of lines that exist once, and a model that knows who wrote each of them.

In: a seed. Out: `World`, a repository to which operations are done as people and agents do them.
The model is a dictionary from a line's text to its exchange, None for a person's. It knows nothing
of commits; git decides which commit a line is blamed on. Links of lines that are new in a commit
are written as the linker would; what becomes of them later is for the code under test.
"""

import os
import random
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from git_skillmesh.git.repository import discover
from git_skillmesh.sessions.links import Evidence, Link, lines_linked, ranges_of, write_links
from git_skillmesh.sessions.links import read_links as read
from testing.repos import Repo, make_repo

OPERATIONS = (
    "edit", "edit", "edit", "edit", "amend", "amend", "reword_amend", "rename", "rebase", "rebase",
    "rebase", "autosquash", "pick", "pick", "squash_merge", "merge", "revert", "revert_twice",
    "soft_reset", "split_reset", "stash", "forge_squash", "forge_rebase", "mail", "onto", "branch",
    "branch", "drop_work", "copy_change",
)  # fmt: skip
WEAK = ("", "}", "else:")
_HOOK = """#!/bin/sh
mkdir -p "$(git rev-parse --git-common-dir)/skillmesh"
cat >>"$(git rev-parse --git-common-dir)/skillmesh/rewritten"
"""


def key_of(line: str) -> str:
    """Return a line without white space: what the model knows it by."""
    return "".join(line.split())


@dataclass
class Verdict:
    """How the lines of HEAD are attributed; `wrong` and `lost` name them."""

    agents: int = 0
    kept: int = 0
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


class World:
    """A repository, a forge beside it, and who wrote what. `mode` says what git tells us."""

    def __init__(self, folder: Path, seed: int, mode: str = "hooks") -> None:
        self.rng = random.Random(seed)
        self.repo = make_repo(folder, "repo", files={"README": "a project\n"})
        self.author: dict[str, str | None] = {}
        self.fresh: set[str] = set()
        self.count = 0
        self.did: list[str] = []
        self.repo.git("config", "notes.rewriteRef", "refs/notes/skillmesh*")
        if mode == "hooks":
            self.repo.hook("post-rewrite", _HOOK)
        elif mode == "nothing":
            self.repo.git("config", "--unset", "notes.rewriteRef")
        self.forge = self.repo.clone(folder / "forge.git", "--bare")
        self.repo.git("remote", "add", "origin", os.fspath(self.forge.path))
        self.repo.git("push", "--quiet", "origin", "main")
        self.colleague = self.forge.clone(folder / "colleague")
        for repo in (self.repo, self.colleague):
            repo.git("config", "merge.conflictStyle", "diff3")
        for _ in range(3):
            self.edit()
            self.linker()

    # What there is

    def files(self) -> list[str]:
        """Return the files of the working tree that git tracks."""
        return [name for name in self.repo.git("ls-files").splitlines() if name != "README"]

    def lines(self, name: str, repo: Repo | None = None) -> list[str]:
        """Return the lines of a file."""
        path = (repo or self.repo).path / name
        return path.read_text().splitlines() if path.is_file() else []

    def write(self, name: str, lines: Iterable[str], repo: Repo | None = None) -> None:
        """Write a file."""
        (repo or self.repo).write(name, "".join(f"{line}\n" for line in lines))

    # Writing lines

    def line(self, agent: bool | None = None) -> str:
        """Return a line that nobody has written before."""
        self.count += 1
        rng = self.rng
        number = self.count
        text = (
            f"{' ' * rng.choice((0, 4, 8))}{rng.choice(('total', 'count', 'result'))}_{number:05} "
            f"= {rng.choice(('combine', 'measure', 'resolve'))}(alpha_{rng.randrange(99)}, beta)"
        )
        by_agent = rng.random() < 0.6 if agent is None else agent
        self.author[key_of(text)] = f"ask-{number % 17}" if by_agent else None
        self.fresh.add(key_of(text))
        return text

    def block(self, agent: bool | None = None) -> list[str]:
        """Return some new lines by one author, with lines between them that say nothing."""
        who = self.rng.random() < 0.6 if agent is None else agent
        found = []
        for _ in range(self.rng.randint(1, 5)):
            found.append(self.line(who))
            if self.rng.random() < 0.25:
                found.append(self.rng.choice(WEAK))
        return found

    def change(self, name: str, repo: Repo | None = None) -> None:
        """Edit a file: new lines, lines taken away, replaced, moved, shifted."""
        lines = self.lines(name, repo)
        rng = self.rng
        for _ in range(rng.randint(1, 3)):
            at = rng.randint(0, len(lines))
            what = rng.random()
            if what < 0.55 or len(lines) < 4:
                lines[at:at] = self.block()
            elif what < 0.75:
                end = min(at + rng.randint(1, 3), len(lines))
                lines[at:end] = self.block() if rng.random() < 0.6 else []
            elif what < 0.88:
                end = min(at + rng.randint(1, 3), len(lines))
                moved = lines[at:end]
                del lines[at:end]
                to = rng.randint(0, len(lines))
                lines[to:to] = moved
                self.fresh.update(map(key_of, moved))
            elif lines[at:]:
                lines[at] = "    " + lines[at] if lines[at].strip() else lines[at]
                self.fresh.add(key_of(lines[at]))
        self.write(name, lines, repo)

    def some_file(self) -> str:
        """Return a file, perhaps a new one."""
        files = self.files()
        if not files or (len(files) < 6 and self.rng.random() < 0.25):
            return f"{self.rng.choice(('src', 'lib'))}/file{self.count}.py"
        return self.rng.choice(files)

    def commit(self, *options: str) -> None:
        """Commit everything; without options it is a commit of new work."""
        self.repo.git("add", "--all")
        message = self.rng.choice(("change", "fix", "add"))
        self.repo.git("commit", "--quiet", "--allow-empty", "-m", message, *options)
        if not options:
            shown = self.repo.git("show", "--format=", "-U0", "HEAD").splitlines()
            self.fresh |= {key_of(line[1:]) for line in shown if line.startswith("+")}

    # What the linker does, and whether it survived

    def blamed(self) -> list[tuple[str, str, int, str]]:
        """Return (commit, path there, line there, text) of every line of HEAD's files."""
        found = []
        for name in self.repo.git("ls-tree", "-r", "--name-only", "HEAD").splitlines():
            out = self.repo.git("blame", "--line-porcelain", "HEAD", "--", name)
            oid, number, path = "", 0, ""
            for line in out.split("\n"):
                if line.startswith("\t"):
                    found.append((oid, path, number, line[1:]))
                elif line.startswith("filename "):
                    path = line[9:]
                elif len(words := line.split()) >= 3 and re.fullmatch("[0-9a-f]{40}", words[0]):
                    oid, number = words[0], int(words[1])
        return found

    def blob(self, commit: str, path: str) -> str:
        """Return the blob of a file."""
        return self.repo.git("rev-parse", f"{commit}:{path}")

    def linker(self) -> None:
        """Link the lines that were written since the last call, where they stand now."""
        wanted: dict[tuple[str, str, str], list[int]] = {}
        for commit, path, number, text in self.blamed() if self.fresh else ():
            author = self.author.get(key_of(text))
            if key_of(text) in self.fresh and author:
                wanted.setdefault((commit, path, author), []).append(number)
        links: dict[str, list[Link]] = {}
        for (commit, path, author), numbers in wanted.items():
            link = Link(
                "s-1", author, 0.9, Evidence.EDIT, path, self.blob(commit, path), ranges_of(numbers)
            )
            links.setdefault(commit, []).append(link)
        write_links(discover(self.repo.path), links)
        self.fresh.clear()

    def verdict(self) -> Verdict:
        """Ask for every line of HEAD as `git skillmesh why` would."""
        verdict = Verdict()
        blamed = self.blamed()
        links = read(discover(self.repo.path), {commit for commit, *_ in blamed})
        places = {(commit, path) for commit, path, *_ in blamed}
        known = {
            (commit, path): lines_linked(links.get(commit, ()), path, self.blob(commit, path))
            for commit, path in places
        }
        times = Counter(key_of(text) for *_, text in blamed)
        for commit, path, number, text in blamed:
            key = key_of(text)
            if key not in self.author:
                continue
            link = known[commit, path].get(number)
            says = f"{commit[:9]} {path}:{number} {text.strip()} {link} for {self.author[key]}"
            if link is not None and link.exchange != self.author[key]:
                verdict.wrong.append(says)
            if self.author[key] is not None and times[key] == 1:
                verdict.agents += 1
                verdict.kept += link is not None
                if link is None:
                    verdict.lost.append(says)
        return verdict

    # Operations

    def step(self) -> str:
        """Do one operation, and return its name."""
        name, operation = self.rng.choice(self.operations())
        head = self.repo.head
        self.did.append(name)
        operation()
        if self.repo.run("rev-parse", "-q", "--verify", "HEAD").returncode or self.busy():
            self.abort(head)
        self.linker()
        return name

    def operations(self) -> list[tuple[str, Callable[[], None]]]:
        """Return what can be done, common things more than once."""
        return [(name, getattr(self, name)) for name in OPERATIONS]

    def busy(self) -> bool:
        """Whether an operation has stopped half way."""
        there = ("rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD")
        return any((self.repo.git_dir / name).exists() for name in there)

    def abort(self, head: str) -> None:
        """Give up what cannot be finished."""
        for command in ("rebase", "merge", "cherry-pick", "revert", "am"):
            self.repo.run(command, "--abort")
        self.repo.git("reset", "--quiet", "--hard", head)
        self.fresh.clear()

    def edit(self) -> None:
        """Change a file or two, and commit."""
        for _ in range(self.rng.randint(1, 2)):
            self.change(self.some_file())
        self.commit()

    def amend(self) -> None:
        """Amend the last commit by new lines, or by white space."""
        names = self.repo.git("show", "--name-only", "--format=", "-m", "HEAD").splitlines()
        names = [name for name in names if self.lines(name)]
        if names and self.rng.random() < 0.4:
            head = self.repo.head
            own = {text for commit, *_, text in self.blamed() if commit == head and text.strip()}
            for name in names:
                lines = self.lines(name)
                self.write(name, [f"  {line}" if line in own else line for line in lines])
        else:
            self.change(self.rng.choice(names) if names else self.some_file())
        self.commit("--amend")

    def reword_amend(self) -> None:
        """Amend the message only."""
        self.repo.git("commit", "--quiet", "--amend", "--allow-empty", "-m", "said better")

    def rename(self) -> None:
        """Rename a file, and perhaps change it."""
        files = self.files()
        if files:
            name = self.rng.choice(files)
            new = f"{self.rng.choice(('src', 'moved'))}/renamed{self.count}.py"
            (self.repo.path / new).parent.mkdir(exist_ok=True)
            if self.repo.run("mv", name, new).returncode == 0:
                if self.rng.random() < 0.4:
                    self.change(new)
                self.commit()

    def span(self, most: int = 6) -> int:
        """Return how many commits of the first-parent line can be rewritten, 0 for none."""
        out = self.repo.git("rev-list", "--first-parent", f"--max-count={most + 1}", "HEAD")
        return min(self.rng.randint(1, most), len(out.splitlines()) - 1)

    def rebase(self) -> None:
        """Rebase the last commits with everything that a list of things to do can say."""
        count = self.span()
        commits = self.repo.git("rev-list", "--reverse", f"-{count}", "--no-merges", "HEAD")
        todo = commits.splitlines()
        if not todo:
            return
        if self.rng.random() < 0.4:
            self.rng.shuffle(todo)
        verbs = ["pick", "pick", "pick", "reword", "squash", "fixup", "edit", "drop"]
        lines: list[str] = []
        for oid in todo:
            verb = self.rng.choice(verbs)
            if verb in ("squash", "fixup") and not any(not x.startswith("drop") for x in lines):
                verb = "pick"
            lines.append(f"{verb} {oid}")
        self.run_rebase(lines, f"HEAD~{count}")

    def run_rebase(self, todo: list[str], *arguments: str) -> None:
        """Run an interactive rebase to its end; an empty list keeps what git proposes."""
        env = {"GIT_EDITOR": "true", "GIT_SEQUENCE_EDITOR": "true"}
        if todo:
            plan = self.repo.path.parent / "todo"
            plan.write_text("".join(f"{line}\n" for line in todo))
            env["GIT_SEQUENCE_EDITOR"] = f"cp {shlex.quote(os.fspath(plan))}"
        self.repo.run("rebase", "-i", "--empty=drop", *arguments, env=env)
        for _ in range(40):
            if not (self.repo.git_dir / "rebase-merge").exists():
                return
            if not self.resolve() and (self.repo.git_dir / "rebase-merge" / "amend").exists():
                self.at_a_stop()
            done = self.repo.run("rebase", "--continue", env=env)
            if done.returncode and "--allow-empty" in done.stdout + done.stderr:
                self.repo.run("rebase", "--skip", env=env)

    def at_a_stop(self) -> None:
        """At "edit": amend, split the commit in two, or add one."""
        what = self.rng.random()
        if what < 0.4:
            self.amend()
        elif what < 0.7:
            self.repo.git("reset", "--quiet", "HEAD~1")
            self.commit_in_parts()
        else:
            self.edit()

    def commit_in_parts(self) -> None:
        """Commit the changed files in two commits, or part of a file."""
        self.repo.git("add", "--all", "--intent-to-add")
        names = self.repo.git("diff", "--name-only").splitlines()
        if len(names) > 1:
            self.repo.git("add", "--all", "--", *names[: len(names) // 2])
            self.repo.git("commit", "--quiet", "--allow-empty", "-m", "first part")
        elif names and self.lines(names[0]):
            lines = self.lines(names[0])
            shown = self.repo.run("show", f"HEAD:{names[0]}").stdout.splitlines()
            half = len(lines) // 2
            later = [line for line in lines[half:] if line in shown]
            self.write(names[0], lines[:half] + later)
            self.repo.git("add", "--all")
            self.repo.git("commit", "--quiet", "--allow-empty", "-m", "first half")
            self.write(names[0], lines)
        self.commit("--no-verify")

    def resolve(self, repo: Repo | None = None) -> bool:
        """Resolve conflicts by hand, and return whether there were any."""
        repo = repo or self.repo
        names = repo.git("diff", "--name-only", "--diff-filter=U").splitlines()
        for name in dict.fromkeys(names):
            if (repo.path / name).is_file():
                self.write(name, self.united(self.lines(name, repo)), repo)
        if names:
            repo.git("add", "--all")
        return bool(names)

    def united(self, lines: list[str]) -> list[str]:
        """Return what both sides of every conflict added, each line once; sometimes one more.

        What one side took away is gone; now and then it comes back, as a hand can slip.
        """
        found: list[str] = []
        sides: dict[str, list[str]] = {}
        side = ""
        for line in lines:
            if (mark := line[:7]) in ("<<<<<<<", "|||||||", "=======", ">>>>>>>"):
                side = "" if mark == ">>>>>>>" else mark
                if not side:
                    found += self.side_by_side(sides)
                    sides = {}
            elif side:
                sides.setdefault(side, []).append(line)
            else:
                found.append(line)
        if self.rng.random() < 0.3:
            found.insert(self.rng.randint(0, len(found)), self.line())
        return found

    def side_by_side(self, sides: dict[str, list[str]]) -> list[str]:
        """Return one conflict resolved."""
        base = {key_of(line) for line in sides.get("|||||||", ()) if line.strip()}
        ours, theirs = sides.get("<<<<<<<", []), sides.get("=======", [])
        slip = self.rng.random() < 0.05
        kept = [line for line in theirs if slip or key_of(line) not in base]
        there = {key_of(line) for line in ours if line.strip()}
        return [*ours, *(line for line in kept if key_of(line) not in there)]

    def finish(self, command: str) -> None:
        """Finish a command that may have stopped in a conflict."""
        if self.resolve():
            self.repo.run(command, "--continue")
        if self.busy():
            self.repo.run(command, "--skip")

    def autosquash(self) -> None:
        """Fix up an earlier commit, and let git squash it."""
        count = self.span()
        if not count:
            return
        oid = self.repo.git("rev-parse", f"HEAD~{count - 1}")
        self.change(self.some_file())
        self.repo.git("add", "--all")
        self.repo.git("commit", "--quiet", "--allow-empty", f"--fixup={oid}")
        self.linker()
        self.run_rebase([], "--autosquash", f"HEAD~{count + 1}")

    def topic(self, commits: int = 3) -> str:
        """Make a branch with some commits, and come back."""
        name = f"topic{self.count}-{len(self.did)}"
        self.repo.git("checkout", "--quiet", "-b", name, f"HEAD~{self.span(3)}")
        for _ in range(self.rng.randint(1, commits)):
            self.edit()
            self.linker()
        self.repo.git("checkout", "--quiet", "main")
        return name

    def branch(self) -> None:
        """Leave a branch lying about."""
        self.topic()

    def others(self) -> list[str]:
        """Return branches that are not merged."""
        out = self.repo.git("branch", "--format=%(refname:short)", "--no-merged", "HEAD")
        return out.splitlines()

    def pick(self) -> None:
        """Pick a commit of another branch."""
        name = self.rng.choice([*self.others(), ""]) or self.topic()
        options = ["-x"] if self.rng.random() < 0.3 else []
        commits = self.repo.git("rev-list", "--no-merges", f"HEAD..{name}").splitlines()
        if commits:
            self.repo.run("cherry-pick", *options, self.rng.choice(commits))
            self.finish("cherry-pick")

    def squash_merge(self) -> None:
        """Squash a branch into main."""
        name = self.topic()
        if self.rng.random() < 0.5:
            self.edit()
            self.linker()
        self.repo.run("merge", "--squash", name)
        self.resolve()
        options = [] if self.rng.random() < 0.5 else ["-m", "all at once"]
        self.repo.run("commit", "--quiet", "--no-edit", *options)
        if self.rng.random() < 0.5:
            self.repo.git("branch", "-D", name)

    def merge(self) -> None:
        """Merge a branch."""
        self.repo.run("merge", "--no-ff", "-m", "merge", self.topic())
        if self.resolve():
            self.repo.git("commit", "--quiet", "--no-edit")

    def revert(self) -> None:
        """Revert a recent commit."""
        self.repo.run("revert", "--no-edit", f"HEAD~{self.rng.randint(0, 2)}")
        self.finish("revert")

    def revert_twice(self) -> None:
        """Revert a commit and the revert."""
        self.repo.run("revert", "--no-edit", "HEAD")
        self.finish("revert")
        if self.rng.random() < 0.5:
            self.edit()
            self.linker()
            self.repo.run("revert", "--no-edit", "HEAD~1")
        else:
            self.repo.run("revert", "--no-edit", "HEAD")
        self.finish("revert")

    def soft_reset(self) -> None:
        """Make one commit of several."""
        self.repo.git("reset", "--quiet", "--soft", f"HEAD~{self.span(3)}")
        if self.rng.random() < 0.3:
            self.change(self.some_file())
        self.commit("--no-verify")

    def split_reset(self) -> None:
        """Take the last commits back and commit them in parts."""
        self.repo.git("reset", "--quiet", f"HEAD~{self.span(2)}")
        self.commit_in_parts()

    def drop_work(self) -> None:
        """Throw a commit away and do something else."""
        self.edit()
        self.linker()
        self.repo.git("reset", "--quiet", "--hard", "HEAD~1")
        self.edit()

    def stash(self) -> None:
        """Put work aside and take it up again."""
        for name in self.files()[:2]:
            self.change(name)
        waiting, self.fresh = self.fresh, set()
        self.repo.git("stash", "push", "--quiet", "--include-untracked")
        self.edit()
        self.linker()
        self.repo.run("stash", "pop")
        self.fresh = waiting
        if self.resolve():
            self.repo.run("stash", "drop")
        self.commit()

    def onto(self) -> None:
        """Move a branch to another place, and go on with it."""
        name = self.topic()
        self.edit()
        self.linker()
        start = self.repo.git("merge-base", "main", name)
        self.repo.run("rebase", "--onto", "main", start, name)
        for _ in range(20):
            if not (self.repo.git_dir / "rebase-merge").exists():
                break
            self.resolve()
            if self.repo.run("rebase", "--continue").returncode:
                self.repo.run("rebase", "--skip")
        if not self.busy():
            self.repo.git("checkout", "--quiet", "main")
            self.repo.git("merge", "--quiet", "--ff-only", name)

    def mail(self) -> None:
        """Send the last commits as patches, and apply them again."""
        name = self.topic(2)
        patches = self.repo.git("format-patch", "--stdout", f"main..{name}")
        if self.repo.run("am", "--quiet", "-3", stdin=patches + "\n").returncode:
            for _ in range(6):
                if not (self.repo.git_dir / "rebase-apply").exists():
                    break
                self.resolve()
                if self.repo.run("am", "--continue").returncode:
                    self.repo.run("am", "--skip")

    def copy_change(self) -> None:
        """A person changes lines of an agent to the like, and rewrites the commit."""
        files = [name for name in self.files() if self.lines(name)]
        if files:
            name = self.rng.choice(files)
            lines = self.lines(name)
            at = self.rng.randrange(len(lines))
            lines[at] = self.line(agent=False)
            self.write(name, lines)
            self.commit("--amend")

    # The forge

    def to_colleague(self) -> str:
        """Push main and a branch, and bring the colleague's clone to main."""
        name = self.topic()
        self.repo.git("push", "--quiet", "--force", "origin", "main", name)
        self.colleague.git("fetch", "--quiet", "origin")
        self.colleague.git("checkout", "--quiet", "-B", "main", "origin/main")
        if self.rng.random() < 0.3:
            self.write(f"theirs{self.count}.py", [self.line(agent=False)], self.colleague)
            self.colleague.commit("theirs")
        return name

    def from_forge(self, name: str) -> None:
        """Fetch what the forge made, and drop the branch as people do."""
        self.colleague.git("push", "--quiet", "origin", "main")
        if self.rng.random() < 0.6:
            self.repo.git("branch", "-D", name)
            self.repo.git("push", "--quiet", "origin", f":{name}")
        self.fresh.clear()
        self.repo.git("fetch", "--quiet", "--prune", "origin")
        self.repo.git("merge", "--quiet", "--ff-only", "origin/main")

    def forge_squash(self) -> None:
        """Press the squash button."""
        name = self.to_colleague()
        self.colleague.run("merge", "--squash", f"origin/{name}")
        self.resolve(self.colleague)
        self.colleague.git("add", "--all")
        self.colleague.git("commit", "--quiet", "--allow-empty", "-m", f"{name} (#12)")
        self.from_forge(name)

    def forge_rebase(self) -> None:
        """Press the rebase button."""
        name = self.to_colleague()
        out = self.colleague.git("rev-list", "--reverse", "--no-merges", f"main..origin/{name}")
        for oid in out.splitlines():
            if self.colleague.run("cherry-pick", oid).returncode:
                self.resolve(self.colleague)
                if self.colleague.run("cherry-pick", "--continue").returncode:
                    self.colleague.run("cherry-pick", "--skip")
        self.from_forge(name)
