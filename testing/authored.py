"""Lines that exist once, and a model that knows who wrote each of them.

In: a seed. Out: `World`, a repository with files, a forge beside it, and a verdict on its links.
The model is a dictionary from a line's text to its exchange, None for a person's. It knows nothing
of commits; git decides which commit a line is blamed on. Links of lines that are new in a commit
are written as the linker would; what becomes of them later is for the code under test.
"""

import os
import random
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from git_skillmesh.sessions.links import Evidence, Link, lines_linked, ranges_of, write_links
from git_skillmesh.sessions.links import read_links as read
from testing.repos import Repo, make_repo

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
        self._blobs: dict[tuple[str, str], str] = {}
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

    def edit(self) -> None:
        """Change a file or two, and commit."""
        for _ in range(self.rng.randint(1, 2)):
            self.change(self.some_file())
        self.commit()

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
        if (commit, path) not in self._blobs:
            self._blobs[commit, path] = self.repo.git("rev-parse", f"{commit}:{path}")
        return self._blobs[commit, path]

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
        write_links(self.repo.opened(), links)
        self.fresh.clear()

    def verdict(self) -> Verdict:
        """Ask for every line of HEAD as `git skillmesh why` would."""
        verdict = Verdict()
        blamed = self.blamed()
        links = read(self.repo.opened(), {commit for commit, *_ in blamed})
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
