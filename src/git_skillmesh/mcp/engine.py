"""Search for the tools: one thread that keeps everything open between calls.

In: `Wanted`. Out: `Page`. Databases and pipes to git belong to the thread that opened them, and
tools are called from many: each call hands its work to the one thread and waits for it.
"""

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import Damaged, Unavailable, UsageError
from ..gate.covering import covering
from ..git.repository import Repository
from ..index.learning_view import LearningView
from ..index.view import NoIndexError, Scope
from ..learnings.model import FOLDER
from ..retrieval.chats import ChatOptions, FoundChat
from ..retrieval.learnings import FoundLearning, LearningOptions, LearningSearcher
from ..retrieval.page import FoundHit
from ..retrieval.search import NO_FILE_PASSES, Options
from ..retrieval.together import MOST_LEARNINGS, MOST_SKILLS, Kind, Ranked, together
from .questions import Questions
from .warm import Now, Opened, Warm

if TYPE_CHECKING:
    from .host import Host

KINDS = ("code", "chats", "learnings", "skills")
_MOST_HITS = 100
_LONGEST_QUERY = 256 * 1024  # bytes
_MAKING = "the index is being made"
T = TypeVar("T")
# Makes hits of what was found.
Shown = Callable[[Sequence[Any]], Sequence[object]]
_NONE: tuple[tuple[()], Shown] = (), lambda some: ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; `kinds` of `KINDS`, `revision` "" for the working tree."""

    query: str
    kinds: tuple[str, ...] = KINDS
    paths: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    limit: int = 10
    offset: int = 0
    revision: str = ""


@dataclass(slots=True)
class Page:
    """Hits from `offset` on, best first, of `count` that are known of, and what is to be said."""

    hits: list[Ranked] = field(default_factory=list)
    count: int = 0
    notes: list[str] = field(default_factory=list)
    # Files and chunks, exchanges, learnings: what was searched.
    searched: dict[str, int] = field(default_factory=dict)


class Engine:
    """Answers searches of one server."""

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._thread: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._reading = False  # whether `_read_ahead` is waiting for its turn
        self._warm: Warm | None = None
        self._vectors = Questions()
        self._indexing: subprocess.Popen[bytes] | None = None
        self._indexed_for: object = None

    def search(self, wanted: Wanted) -> Page:
        """Return a page of hits. Raises `SkillmeshError`."""
        return self._inside(lambda warm: self._search(warm, wanted))

    def watched(self) -> str:
        """Return why the working tree is compared before each answer, "" where it is watched."""
        return self._inside(lambda warm: (warm.now(), warm.watched)[1])

    def close(self) -> None:
        """Close what is open."""
        with self._lock:
            if self._thread is not None:
                self._thread.submit(self._close).result()
                self._thread.shutdown()
                self._thread = None

    def _inside(self, work: Callable[[Warm], T]) -> T:
        """Do work in the one thread, anew with everything opened again if it was damaged."""
        repository = self._host.repository

        def guarded() -> T:
            if self._warm is not None and self._warm.repository != repository:
                self._close()
            if self._warm is None:
                self._warm = Warm(repository, lambda: self._host.config)
            try:
                return work(self._warm)
            except (Damaged, OSError, ValueError):
                self._close()  # perhaps the index was thrown away under our hands
            self._warm = Warm(repository, lambda: self._host.config)
            return work(self._warm)

        with self._lock:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, "search")
            thread = self._thread
            future = thread.submit(guarded)
            if not self._reading:
                self._reading = True
                thread.submit(self._read_ahead, thread)
        return future.result()

    def _read_ahead(self, thread: ThreadPoolExecutor) -> None:
        """Read a little of what later questions need; one that has come meanwhile is first."""
        self._reading = False
        if self._warm is not None and self._warm.read_ahead():
            self._reading = True
            thread.submit(self._read_ahead, thread)

    def _close(self) -> None:
        if self._warm is not None:
            self._warm.close()
            self._warm = None

    def _search(self, warm: Warm, wanted: Wanted) -> Page:
        text = wanted.query
        if not text.strip():
            raise UsageError("the query is empty")
        if 4 * len(text) > _LONGEST_QUERY < len(text.encode("utf-8", "replace")):
            raise UsageError("the query is larger than 256 KiB")
        now, page = warm.now(), Page()
        # One more than is shown, to know whether there is more.
        depth = min(wanted.offset + wanted.limit + 1, _MOST_HITS)
        alone = len(wanted.kinds) == 1
        learned = None
        if "learnings" in wanted.kinds:
            learned = warm.learnings(now, _scope(warm.repository, wanted.revision), wanted.revision)
            if learned.source is not None and learned.view.known:
                self._vectors.begin(learned.source, text)  # while the code is searched
        code, show_code = self._code(warm, now, wanted, depth, page)
        chats, show_chats = self._chats(warm, wanted, depth, page)
        learnings, show_learnings = self._learned(
            warm, learned, wanted, depth if alone else MOST_LEARNINGS, page
        )
        skills: list[tuple[object, float]] = []
        # A skill is for a task, whatever files are looked at, and comes where there is room.
        room = depth - len(code) - len(chats) - len(learnings)
        if "skills" in wanted.kinds and (
            alone or (room > 0 and not (wanted.paths or wanted.languages))
        ):
            routing = self._host.shelf.route(text, depth if alone else min(room, MOST_SKILLS))
            skills = [(hit, routing.confidence) for hit in routing.hits]
            if alone and routing.reason:
                page.notes.append(routing.reason)
        ranked = together(code, chats, learnings, skills)
        page.hits = ranked[wanted.offset : wanted.offset + wanted.limit]
        page.count = len(ranked)
        _show(page, {Kind.CODE: show_code, Kind.CHAT: show_chats, Kind.LEARNING: show_learnings})
        return page

    def _code(
        self, warm: Warm, now: Now, wanted: Wanted, depth: int, page: Page
    ) -> tuple[Sequence[FoundHit], Shown]:
        if "code" not in wanted.kinds:
            return _NONE
        scope = _scope(warm.repository, wanted.revision)
        try:
            opened = warm.code(now, scope, wanted.revision)
        except NoIndexError:
            self._index(warm, now)
            page.notes.append(f"{_MAKING}: code is not searched yet, ask again in a minute")
            return _NONE
        if opened.view.behind:
            self._index(warm, now, opened.view.catch_up)
            page.notes.append(f"{_MAKING}: {opened.view.behind} files are not searched yet")
        vector = self._vector(opened, wanted.query, page)
        without = f"{FOLDER}/" if "learnings" in wanted.kinds else ""
        options = Options(depth, wanted.languages, wanted.paths, without=without)
        searcher = opened.searcher
        ranked = searcher.ranked(wanted.query, options, vector)
        files, chunks = searcher.searched
        page.searched |= {"files": files, "chunks": chunks}
        page.notes += searcher.notes(vector)
        if not ranked.found:
            if searcher.filtered_out(options):
                page.notes.append(NO_FILE_PASSES)
            elif meant := searcher.suggestions(ranked, options):
                page.notes.append("did you mean: " + ", ".join(meant))
        return ranked.found, lambda some: searcher.shown(ranked, some, options)

    def _chats(
        self, warm: Warm, wanted: Wanted, depth: int, page: Page
    ) -> tuple[Sequence[FoundChat], Shown]:
        if "chats" not in wanted.kinds or wanted.languages:  # a conversation has no language
            return _NONE
        try:
            opened = warm.chats()
        except NoIndexError:
            self._index(warm, None)
            page.notes.append(f"{_MAKING}: conversations are not searched yet")
            return _NONE
        if opened.view.behind:
            self._index(warm, None)
            page.notes.append(f"{_MAKING}: the newest conversations are not searched yet")
        page.searched["exchanges"] = int(opened.view.live.sum())
        if not page.searched["exchanges"]:
            return _NONE
        vector = self._vector(opened, wanted.query, page)
        options = ChatOptions(depth, paths=wanted.paths)
        ranked = opened.searcher.ranked(wanted.query, options, vector)
        return ranked.found, lambda some: opened.searcher.shown(ranked, some)

    def _learned(
        self, warm: Warm, opened: Opened[LearningSearcher, LearningView] | None, wanted: Wanted,
        depth: int, page: Page,
    ) -> tuple[Sequence[FoundLearning], Shown]:  # fmt: skip
        if opened is None:
            return _NONE
        page.searched["learnings"] = len(opened.view.known)
        if opened.view.broken:
            page.notes.append(
                f"{len(opened.view.broken)} learnings are broken: git skillmesh status"
            )
        if not opened.view.known:
            return _NONE
        covers = covering(warm.repository, opened.view.tree, wanted.languages, wanted.paths)
        vector = self._vector(opened, wanted.query, page)
        options = LearningOptions(depth, covers=covers)
        ranked = opened.searcher.ranked(wanted.query, options, vector)
        return ranked.found, lambda some: opened.searcher.shown(ranked, some)

    def _vector(
        self, opened: Opened[Any, Any], text: str, page: Page
    ) -> NDArray[np.float32] | None:
        """Return the question as a vector, None where only words are left."""
        if opened.source is None:
            page.notes.append(opened.note)
            return None
        try:
            return self._vectors.of(opened.source, text)
        except Unavailable as error:
            page.notes.append(f"ranked by words only: {error}")
            return None

    def _index(self, warm: Warm, now: Now | None, command: Sequence[str] = ("index",)) -> None:
        """Make the index in the background, once for each state that lacks it."""
        running = self._indexing is not None and self._indexing.poll() is None
        wanted = (now or "chats", *command)
        if running or self._indexed_for == wanted:
            return
        self._indexed_for = wanted
        folder = warm.repository.top or warm.repository.git_dir
        self._indexing = subprocess.Popen(
            # -P: the client's folder, which is a repository, has no say in what is imported.
            [sys.executable, "-P", "-m", "git_skillmesh", "-C", folder, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def _scope(repository: Repository, revision: str) -> Scope:
    if revision:
        return Scope.REVISION
    return Scope.COMMITTED if repository.is_bare else Scope.WORKING_TREE


def _show(page: Page, shown: Mapping[Kind, Shown]) -> None:
    """Put hits in the places of what was only found: none is read that is not on the page."""
    for kind, show in shown.items():
        places = [number for number, one in enumerate(page.hits) if one.kind is kind]
        hits = show([page.hits[number].hit for number in places]) if places else ()
        for number, hit in zip(places, hits, strict=True):
            page.hits[number] = replace(page.hits[number], hit=hit)
