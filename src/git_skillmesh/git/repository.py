"""Find and describe a repository: its folders, its head, its identity.

In: a folder. Out: `Repository`, through which every other module of this room works.
"""

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..errors import Damaged, NotARepository, UsageError
from .process import Git, GitFailed, clean_environment


@dataclass(frozen=True)
class Repository:
    """One working tree (or bare repository) and the git directory behind it.

    `git_dir` is private to a linked worktree, `common_dir` is shared by all of them, `top` is
    the root of the working tree or None in a bare repository, `prefix` the subfolder ("a/b/")
    the user stands in.
    """

    git: Git = field(repr=False, compare=False)
    git_dir: Path
    common_dir: Path
    top: Path | None
    prefix: str
    object_format: str

    @property
    def is_bare(self) -> bool:
        """Whether there is no working tree."""
        return self.top is None

    @property
    def state_dir(self) -> Path:
        """The folder of all caches, shared by worktrees."""
        return self.common_dir / "skillmesh"

    @cached_property
    def empty_tree(self) -> str:
        """The id of the empty tree in this repository's object format."""
        return hashlib.new(self.object_format, b"tree 0\0").hexdigest()

    def hash_blob(self, data: bytes) -> str:
        """Return the id git would give to a blob with these bytes."""
        digest = hashlib.new(self.object_format, b"blob %d\0" % len(data))
        digest.update(data)
        return digest.hexdigest()

    def head_commit(self) -> str | None:
        """Return the commit HEAD points at, None before the first commit."""
        result = self.git.run_unchecked("rev-parse", "--verify", "-q", "HEAD^{commit}")
        return result.stdout.decode().strip() or None

    def resolve(self, rev: str) -> tuple[str, str]:
        """Return (commit or tree id, tree id) of a revision. Raises `UsageError`."""
        if rev.startswith("-") or "\0" in rev:
            raise UsageError(f"not a revision: {rev}")
        try:
            out = self.git.run("rev-parse", "--verify", "-q", "--end-of-options", rev)
            tree = self.git.run("rev-parse", "--verify", "-q", out.decode().strip() + "^{tree}")
        except GitFailed:
            raise UsageError(f"not a commit or tree of this repository: {rev}") from None
        commit = self.git.run_unchecked(
            "rev-parse", "--verify", "-q", out.decode().strip() + "^{commit}"
        )
        return (commit.stdout or out).decode().strip(), tree.decode().strip()

    def asked_commit(self, at: str) -> str:
        """Return the commit that lines are asked of, "" for the working tree. Raises `UsageError`.

        Without a name it is the working tree, and HEAD where there is none.
        """
        if not at:
            return "HEAD" if self.is_bare else ""
        commit, tree = self.resolve(at)
        if commit == tree:
            raise UsageError(f"{at} is a tree: it has no history")
        return commit

    def head_tree(self) -> tuple[str | None, str]:
        """Return (commit, tree) of HEAD; (None, the empty tree) before the first commit.

        Raises `Damaged` when the tree of HEAD is not there.
        """
        result = self.git.run_unchecked("rev-parse", "-q", "HEAD^{commit}", "HEAD^{tree}", "--")
        found = result.stdout.decode().split()
        if result.returncode == 0 and len(found) >= 2:
            return found[0], found[1]
        commit = self.head_commit()
        if commit is not None:
            raise Damaged(f"git cannot read the tree of {commit[:12]}", "git fetch, or: git fsck")
        return None, self.empty_tree

    def branch(self) -> str | None:
        """Return the name of the current branch, None on a detached HEAD."""
        out = self.git.run_unchecked("symbolic-ref", "-q", "--short", "HEAD").stdout
        return os.fsdecode(out).strip() or None

    def path_of(self, name: str) -> Path:
        """Return where git keeps `name` ("hooks" honours core.hooksPath)."""
        out = os.fsdecode(self.git.run("rev-parse", "--git-path", name)).removesuffix("\n")
        return (self.git.cwd / out).resolve()

    def is_partial(self) -> bool:
        """Whether objects may be missing because the clone was filtered."""
        result = self.git.run_unchecked("config", "--get-regexp", r"^remote\..*\.promisor$")
        return b"true" in result.stdout

    def derive_id(
        self,
        origin: str | None = None,
        oldest_root: "Callable[[Repository], str | None] | None" = None,
    ) -> str:
        """Return an identity that clones of one project share.

        The origin's address without scheme, user and ".git" (a shallow clone has it too), else
        the oldest root commit, else the folder. `git skillmesh init` pins it in the repository's
        configuration, so that a later change of the origin does not move the data. Git is asked
        for the address, and all of history for the root, unless the caller knows of better ways.
        """
        if origin is None:
            out = self.git.run_unchecked("config", "--get", "remote.origin.url").stdout
            origin = os.fsdecode(out).strip()
        if origin:
            return _short_hash("origin", normalise_url(origin, self.git.cwd))
        root = (oldest_root or _oldest_root)(self)
        if root:
            return _short_hash("root", root)
        return _short_hash("folder", os.fspath(self.common_dir))

    def ids_of_remotes(self) -> tuple[str, ...]:
        """Return the identities that the addresses of the remotes give, in their order."""
        out = self.git.run_unchecked("config", "-z", "--get-regexp", r"^remote\..*\.url$").stdout
        urls = [one.partition("\n")[2].strip() for one in os.fsdecode(out).split("\0")]
        ids = (_short_hash("origin", normalise_url(url, self.git.cwd)) for url in urls if url)
        return tuple(dict.fromkeys(ids))


def _oldest_root(repository: Repository) -> str | None:
    out = repository.git.run_unchecked("rev-list", "--max-parents=0", "HEAD").stdout
    return next(reversed(out.decode().split()), None)


def normalise_url(url: str, base: Path) -> str:
    """Return "host/path" for every spelling of one remote address; a local one is made absolute."""
    url = url.rstrip("/").removesuffix(".git").rstrip("/")
    scheme = re.fullmatch(
        r"[a-z+]+://(?:[^/@]*@)?(\[[^/\]]+\]|[^/:]+)(?::\d*)?/(.*)", url, re.IGNORECASE
    )
    scp_like = re.fullmatch(r"(?:[^/@:]+@)?(\[[^/\]]+\]|[^/:]{2,}):(?!//)(.*)", url)
    found = scheme or scp_like
    if found:
        return f"{found[1].lower()}/{found[2].lstrip('/')}"
    path = Path(url.removeprefix("file://"))
    return os.path.normpath(base / path)


def _short_hash(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}:{value}".encode(errors="surrogateescape")).hexdigest()[:16]


def discover(start: Path | None = None, environ: Mapping[str, str] = os.environ) -> Repository:
    """Find the repository around `start` (default: the current folder).

    GIT_DIR and GIT_WORK_TREE are honoured when `start` is not given, as git's own commands do.
    Raises `NotARepository`.
    """
    env = clean_environment(environ)
    ask = dict(env)
    if start is None:
        ask |= {k: environ[k] for k in ("GIT_DIR", "GIT_WORK_TREE") if k in environ}
        # A hook in a linked worktree gets GIT_DIR alone: its top is the folder it starts in.
    cwd = _current_folder() if start is None else start
    git = Git(cwd, ask)
    bare, git_dir, common, object_format, *place = _ask_for_folders(git)
    git_path, common_path = Path(git_dir), (cwd / common).resolve()
    top, prefix = None, ""
    if place:
        top, prefix = Path(place[0]), place[1]
    elif bare == "false" and git_path.name == ".git":  # the user stands inside it
        top = git_path.parent
    if top is not None:
        env["GIT_WORK_TREE"] = os.fspath(top)
    env["GIT_DIR"] = git_dir
    return Repository(Git(top or git_path, env), git_path, common_path, top, prefix, object_format)


def main_repository(repository: Repository) -> Repository:
    """Return the repository as its main working tree sees it, for one of a linked worktree."""
    if repository.git_dir == repository.common_dir:
        return repository
    return discover(Path(repository.common_dir))


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise NotARepository("the current folder has been deleted", "cd somewhere else") from None


_FOLDERS = (
    "--is-bare-repository", "--absolute-git-dir", "--git-common-dir", "--show-object-format",
)  # fmt: skip
_PLACE = ("--show-toplevel", "--show-prefix")


def _ask_for_folders(git: Git) -> list[str]:
    """Return what `git rev-parse` answers, without the last two where there is no working tree.

    Raises `NotARepository`.
    """
    asked = (*_FOLDERS, *_PLACE)
    result = git.run_unchecked("rev-parse", *asked)
    answers = os.fsdecode(result.stdout).removesuffix("\n").split("\n")
    if len(answers) == (len(_FOLDERS) if result.returncode else len(asked)):
        return answers
    # There is none, or the name of a folder holds a line feed: one at a time is unmistakable.
    try:
        answers = [_ask(git, flag) for flag in _FOLDERS]
    except GitFailed as error:
        raise _not_a_repository(git.cwd, error.stderr) from None
    with contextlib.suppress(GitFailed):
        answers += [_ask(git, flag) for flag in _PLACE]
    return answers


def _ask(git: Git, flag: str) -> str:
    return os.fsdecode(git.run("rev-parse", flag)).removesuffix("\n")


def _not_a_repository(cwd: Path, said: str) -> NotARepository:
    if "dubious ownership" in said:
        return NotARepository(
            f"git refuses this repository, it belongs to another user: {cwd}",
            f"git config --global --add safe.directory {cwd}",
        )
    if "not a git repository" in said:
        return NotARepository(f"not a git repository: {cwd}", "run this inside one, or use -C")
    last = said.splitlines()[-1] if said else "git rev-parse failed"
    return NotARepository(f"git cannot open the repository at {cwd}", last)
