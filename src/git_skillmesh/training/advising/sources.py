"""What the memory knows of a part of a change: learnings, conversations behind it, similar code.

In: a change and its settings. Out: for each part its `Source`s, the most certain first. Learnings
are those of the base. Everything is found on this machine: a provider of embeddings is not asked.
"""

import glob
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from ...chunking.languages import language_of
from ...config import Config
from ...display import plural
from ...errors import ConfigurationError, Damaged, SkillmeshError, Unavailable
from ...gate.cached import load
from ...gate.change import Change
from ...gate.related import replaced
from ...gate.scope import Scope as LearningScope
from ...git.database import ObjectDatabase
from ...git.objects import BlobReader
from ...learnings.model import Learning, MatcherKind, State, id_of
from ...sessions.lookup import Lookup
from ...sessions.summaries import cut, summary_of_prompt, summary_of_response
from ..model import Pair
from .model import Kind, Part, Source
from .sendable import Cleaner, is_secret
from .windows import windows, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...index.vectors import VectorSource
    from ...retrieval.chats import ChatSearcher
    from ...retrieval.learnings import LearningSearcher
    from ...retrieval.search import Searcher

MOST_LEARNINGS, MOST_CONVERSATIONS, MOST_CODE = 8, 4, 2
_BUILT_IN = ("", "builtin")
_ASKED, _ANSWERED, _TITLE = 800, 600, 120
_DESCRIPTION, _FIX = 1_200, 400
_QUERY = 1_200  # characters of added lines that are searched for
# How much of its mean over all windows is taken from what a learning scores in its best one.
_COMMON = 0.5
_AT_LEAST = 4  # learnings of a language, where there are no more that say anything alike
_LINES_OF_CODE = 14
# Neighbours of added lines whose makers are asked for too.
_AROUND = 2
_MATCHED, _FROM_COMMIT, _BY_PATH, _ALIKE, _BY_LANGUAGE = range(5)


class _Ranked(NamedTuple):
    tier: int
    score: float
    why: str


class Memory:
    """What is known about a change, as long as it is open. `notes` say what could not be asked."""

    def __init__(self, change: Change, config: Config, cleaner: Cleaner) -> None:
        self._change, self._config, self._cleaner = change, config, cleaner
        self._stack = ExitStack()
        self.notes: list[str] = []
        # (path, id of a learning) → lines that the check finds; learned from commits in this file.
        self._matched: dict[tuple[str, str], list[int]] = {}
        self._from_commits: set[tuple[str, str]] = set()
        self._behind: dict[str, list[tuple[Pair, int, int]]] = {}
        self._learnings: dict[str, Learning] = {}
        self._prose: VectorSource | None = None
        self._vectors: VectorSource | None = None
        self._learned: LearningSearcher | None = None
        self._chats: ChatSearcher | None = None
        self._code: Searcher | None = None
        self._lookup: Lookup | None = None

    def __enter__(self) -> "Memory":
        change = self._change
        with BlobReader(change.repository) as reader:
            loaded = load(change.repository, change.base_tree, reader)
        self._learnings = {
            one.learning_id: one
            for one in loaded.learnings
            if one.state is not State.RETIRED and one.matcher.kind is not MatcherKind.MESSAGE
        }
        if loaded.problems:
            count = plural(len(loaded.problems), "problem")
            self.notes.append(f"{count} in the files of learnings, which are left out: see check")
        try:
            self._open()
            if self._learnings:
                self._match()
            self._look_behind()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._stack.close()

    @property
    def learnings(self) -> int:
        """How many learnings may apply."""
        return len(self._learnings)

    def sources(self, part: Part) -> list[Source]:
        """Return what is known about a part: learnings, conversations, code; the best first."""
        text = _query(part)
        return [
            *self._of_learnings(part),
            *self._of_conversations(part, text),
            *self._of_code(part, text),
        ]

    # -- learnings -------------------------------------------------------------------------------

    def _of_learnings(self, part: Part) -> Iterator[Source]:
        ranked = {}
        found = self._like(part)
        for name, one in self._learnings.items():
            scope = LearningScope(one)
            if any(scope.covers(path) for path in part.paths):
                place = self._place(part, one, found.get(name))
                if place is not None:
                    ranked[name] = place

        def rank(name: str) -> tuple[int, bool, float, str]:
            """Put what the team enforces before what somebody proposes."""
            one = ranked[name]
            return one.tier, not self._learnings[name].state.enforced, -one.score, name

        order = sorted(ranked, key=rank)
        sure = sum(one.tier != _BY_LANGUAGE for one in ranked.values())
        for name in order[: max(min(sure, MOST_LEARNINGS), _AT_LEAST)]:
            yield self._learning(self._learnings[name], ranked[name].why)

    def _place(self, part: Part, one: Learning, score: float | None) -> _Ranked | None:
        """Return why a learning that covers a file of a part is told of, None if it is not."""
        name, likeness = one.learning_id, score or 0.0
        for path, added in part.added.items():
            lines = [line for line in self._matched.get((path, name), ()) if line in added]
            if lines:
                return _Ranked(_MATCHED, likeness, f"the check finds it in line {lines[0]}")
        for path in part.paths:
            if (path, name) in self._from_commits:
                return _Ranked(_FROM_COMMIT, likeness, f"learned from a commit that made {path}")
        if any(not pattern.startswith("!") for pattern in one.paths):
            return _Ranked(_BY_PATH, likeness, "is about this file")
        if score is not None:
            return _Ranked(_ALIKE, likeness, "is about something alike")
        return _Ranked(_BY_LANGUAGE, 0.0, "is about this language") if one.languages else None

    def _learning(self, one: Learning, why: str) -> Source:
        said = [
            one.title,
            cut(one.description.strip(), _DESCRIPTION),
            f"Looked for: {cut(one.pattern.strip(), _FIX)}" if one.pattern.strip() else "",
            f"Instead: {cut(one.fix.text.strip(), _FIX)}" if one.fix.text.strip() else "",
        ]
        title = one.title if one.state.enforced else f"{one.title} [{one.state}]"
        return Source(
            Kind.LEARNING, one.learning_id, self._cleaner.text(title),
            self._cleaner.text("\n".join(filter(None, said))), why, path=one.path,
            description=self._cleaner.text(one.description),
        )  # fmt: skip

    def _like(self, part: Part) -> dict[str, float]:
        """Return id → score of the learnings that retrieval finds for the added lines."""
        from ...retrieval.learnings import LearningOptions

        best: dict[str, float] = {}
        total: defaultdict[str, float] = defaultdict(float)
        if self._learned is None:
            return best
        options = LearningOptions(limit=4 * MOST_LEARNINGS)
        texts = windows(part)
        for text in texts:
            hits = self._learned.ranked(text, options, self._embedded(self._prose, words(text)))
            for hit in hits.found:
                name = id_of(hits.candidates.files[hit.file].path)
                best[name] = max(best.get(name, hit.score), hit.score)
                total[name] += hit.score
        # What is a little like every window says less than what stands out in one.
        return {name: one - _COMMON * total[name] / len(texts) for name, one in best.items()}

    def _match(self) -> None:
        """Ask the check what it finds, of learnings in every state."""
        from ...gate.check import check

        report = check(self._change, only=list(self._learnings))
        for one in report.findings:
            place = range(one.place.line, max(one.place.end_line, one.place.line) + 1)
            self._matched.setdefault((one.place.path, one.learning_id), []).extend(place)

    # -- conversations ---------------------------------------------------------------------------

    def _look_behind(self) -> None:
        if not self._change.base:
            return
        db = self._stack.enter_context(ObjectDatabase(self._change.repository))
        self._lookup = Lookup(db)
        origins = [(c, name) for name, one in self._learnings.items() for c in one.source_commits]
        for file, group in replaced(db, self._change, around=_AROUND):
            lines = [line.blamed.number for line in group.lines]
            if group.told is not None and group.told.missing is None:
                pair = group.told.session, group.told.exchange_id
                self._behind.setdefault(file.path, []).append((pair, len(lines), min(lines)))
            for commit in group.commits:
                self._from_commits |= {
                    (file.path, name) for short, name in origins if commit.oid.startswith(short)
                }

    def _of_conversations(self, part: Part, text: str) -> Iterator[Source]:
        shown: dict[Pair, str] = {}
        behind = [(*entry, path) for path in part.paths for entry in self._behind.get(path, ())]
        for pair, count, first, path in sorted(behind, key=lambda one: (-one[1], one[0])):
            lines = f"{count} lines of {path} around this change, from line {first} of the base"
            shown.setdefault(pair, f"made {lines}")
        for pair in self._talks_about(part, text):
            shown.setdefault(pair, "changed the same file")
        left = MOST_CONVERSATIONS
        for pair, why in shown.items():
            source = self._conversation(pair, why) if left else None
            if source is not None:
                left -= 1
                yield source

    def _conversation(self, pair: Pair, why: str) -> Source | None:
        if self._lookup is None:
            return None
        try:
            head, exchange = self._lookup.head(pair[0]), self._lookup.exchange(*pair)
        except Damaged:
            return None
        if head is None or exchange is None:
            return None
        asked, answered = exchange.prompt.strip(), summary_of_response(exchange.response)
        if not asked and not answered:
            return None
        clean = self._cleaner.text
        said = [f"Asked: {cut(asked, _ASKED)}" if asked else ""]
        said += [f"Answered: {cut(answered, _ANSWERED)}" if answered else ""]
        title = clean(cut(summary_of_prompt(asked) or head.title or answered, _TITLE))
        text = clean("\n".join(filter(None, said)))
        return Source(Kind.CONVERSATION, pair[1], title, text, why, session=pair[0])

    def _talks_about(self, part: Part, text: str) -> list[Pair]:
        """Return exchanges that changed one of the files and are about much the same."""
        from ...retrieval.chats import ChatOptions

        if self._chats is None or not text.strip():
            return []
        paths = tuple(f"/{glob.escape(path)}" for path in part.paths)
        options = ChatOptions(limit=2, paths=paths)
        found = self._chats.answer(text, options, self._embedded(self._vectors, text))
        return [(hit.session, hit.exchange) for hit in found.hits]

    # -- code ------------------------------------------------------------------------------------

    def _of_code(self, part: Part, text: str) -> Iterator[Source]:
        from ...learnings.model import FOLDER
        from ...retrieval.search import Options

        if self._code is None or not text.strip():
            return
        languages = tuple({language_of(path) for path in part.paths} - {""})
        limit = MOST_CODE + len(part.paths)
        options = Options(limit=limit, languages=languages, without=f"{FOLDER}/")
        hits = self._code.answer(text, options, self._embedded(self._vectors, text)).hits
        others = [one for one in hits if one.path not in part.paths and not is_secret(one.path)]
        for hit in others[:MOST_CODE]:
            extent = hit.definition or hit
            first = max(extent.start_line, hit.start_line)
            lines = self._cleaner.lines(hit.text.encode("utf-8", "replace"))
            shown = lines[first - hit.start_line :][:_LINES_OF_CODE]
            name = f"{hit.path}:{first}"
            code = self._cleaner.text("\n".join(shown))
            yield Source(Kind.CODE, name, hit.symbol, code, "looks alike", path=hit.path)

    # -- what is open ----------------------------------------------------------------------------

    def _open(self) -> None:
        """Open the indexes. What cannot be asked is a source less, and a note."""
        from ...index.exchange_view import open_exchanges
        from ...index.identity import repo_id
        from ...index.learning_view import open_learnings
        from ...index.learnings import learning_store
        from ...index.store import Store
        from ...index.vectors import prose_source_of, source_of
        from ...index.view import NoIndexError, Scope, open_view
        from ...retrieval.chats import ChatSearcher
        from ...retrieval.learnings import LearningSearcher
        from ...retrieval.search import Searcher

        repository = self._change.repository
        built_in = self._config["embedding.provider"] in _BUILT_IN
        if not built_in:
            self.notes.append("what is alike is found by words only: no provider is asked for this")
        try:
            if built_in:
                self._prose = prose_source_of(
                    self._config, learning_store(repository).embeddings_path
                )
                self._vectors = source_of(self._config, Store(repository).embeddings_path)
        except (Unavailable, ConfigurationError) as error:
            self.notes.append(f"what is alike is found by words only: {error}")
        base = self._change.base
        try:
            if self._learnings and base:
                learned = open_learnings(repository, self._prose, Scope.REVISION, base)
                self._stack.callback(learned.close)
                self._learned = LearningSearcher(learned)
            if base:
                chats = open_exchanges(repository, self._vectors)
                self._stack.callback(chats.close)
                self._chats = ChatSearcher(chats)
        except NoIndexError:
            self.notes.append("conversations are found by links only: git skillmesh index")
        except SkillmeshError as error:
            self.notes.append(f"learnings and conversations are not searched: {error}")
        try:
            if base:
                code = open_view(
                    repository, self._config, Store(repository), self._vectors, Scope.REVISION, base
                )
                self._stack.callback(code.close)
                self._code = Searcher(code, repo_id(repository, self._config))
        except NoIndexError:
            self.notes.append("similar code is not shown: git skillmesh index")
        except SkillmeshError as error:
            self.notes.append(f"similar code is not shown: {error}")

    def _embedded(self, source: "VectorSource | None", text: str) -> "NDArray[Any] | None":
        return source.embed_query(text) if source is not None else None


def _query(part: Part) -> str:
    """Return what a part is about, for a search: names of files and the added lines."""
    lines = [line.strip() for found in part.added.values() for line in found.values()]
    return "\n".join([" ".join(part.paths), *filter(None, lines)])[:_QUERY]
