"""Random histories: everything that people do to commits, to files of authored lines.

In: a seed. Out: `History`, a `World` that does one operation after the other.
"""

import os
import shlex
from collections.abc import Callable

from testing.authored import World, key_of
from testing.repos import Repo

OPERATIONS = (
    "edit", "edit", "edit", "edit", "amend", "amend", "reword_amend", "rename", "rebase", "rebase",
    "rebase", "autosquash", "pick", "pick", "squash_merge", "merge", "revert", "revert_twice",
    "soft_reset", "split_reset", "stash", "forge_squash", "forge_rebase", "mail", "onto", "branch",
    "branch", "drop_work", "copy_change",
)  # fmt: skip


class History(World):
    """A repository to which operations are done as people and agents do them."""

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
            self.linker()

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
