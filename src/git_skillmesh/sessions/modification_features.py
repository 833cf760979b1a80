"""What speaks for a kind of change: in the words that asked for it, and in what changed.

In: a text, and the net change of each file. Out: named numbers, most of them between 0 and 1.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from .edits_as_diff import FileChange, Place

Features = dict[str, float]

_MOST_LINES = 4_000
_MOST_IN_LINE = 500
# Enough lines to tell what sort of code it is.
_MOST_READ = 400
_MOST_CHARACTERS = 400
_MOST_WORDS = 60

# Words by what they hint at, as beginnings of words; what ends in "$" is a whole word. In scripts
# without spaces any place counts.
_HINTS = {
    "repair": "fix bug$ bugs$ bugfix repair corrig correg corrige beheb reparier fehler "
    "arregl consert исправ почин 修复 修正 修理 解决 バグ 수정 고쳐 hotfix resolve$ resolves$",
    "problem": "crash broke$ broken fail error exception panic regress wrong incorrect invalid "
    "issue leak race$ deadlock hang$ hangs$ freez stuck missing kaputt falsch absturz erreur "
    "cassé plante roto falla erro$ ошибк сломан падает 报错 错误 崩溃 失败 エラー 壊れ 오류",
    "guard": "avoid prevent ensure properly correctly handle$ handles$ handling guard allow$ "
    "instead wait retry",
    "add": "add$ adds$ added$ adding$ implement create$ introduc new$ build$ write$ hinzu "
    "erstell implementier ajout créer crée añad crea$ crear agreg adicion cria$ criar добав "
    "созда реализ 添加 新增 增加 实现 创建 追加 実装 作成 추가 구현 dodaj",
    "support": "support$ supports$ enable$ expose$ provide$ option$ options$ flag$ feature",
    "restructure": "refactor restructur reorgani simplif extract split$ splits$ inline$ merge$ "
    "decoupl dedup consolidat clean tidy vereinfach aufräum umbau restructure simplifi limpi "
    "рефактор упрост вынес 重构 整理 简化 リファクタ 리팩",
    "rename": "rename$ renames$ renam$ move$ moves$ moved$ moving$ umbenenn verschieb renomm "
    "déplac renombr renome переимен перемест 重命名 移动 リネーム 移動",
    "remove": "remov delete$ deletes$ drop$ drops$ unused dead$ obsolete entfern lösch supprim "
    "enlev elimin quita borra удал убери 删除 移除 削除 삭제",
    "test": "test$ tests$ testing$ tested$ spec$ specs$ coverage unittest e2e mock$ mocks$ assert "
    "fixture flaky prueba teste$ testes$ тест 测试 テスト 테스트",
    "document": "doc$ docs$ document readme changelog comment$ comments$ docstring javadoc "
    "jsdoc tutorial guide$ example$ examples$ wording spelling typo$ typos$ grammar link$ "
    "links$ dokument kommentar beschreib documente comentario документ комментар 文档 "
    "注释 ドキュメント 문서",
    "fast": "perf$ performance optimi speed faster$ fast$ slow cache$ caching$ memory$ alloc "
    "latency throughput benchmark efficien memoiz schneller langsam rapide lent$ lento rápid "
    "ускор быстр медлен 性能 优化 高速 最適化 성능",
    "look": "format$ formatting$ formatted$ lint linter linting style$ styles$ styling whitespace "
    "indent prettier eslint rustfmt gofmt clippy black$ ruff$ semicolon quotes$ newline "
    "formatier stil$ оформ 格式 フォーマット 포맷",
    "setup": "ci$ workflow pipeline github$ actions$ docker config configur konfigur setup$ "
    "settings$ makefile script$ scripts$ toolchain nix$ eslint tsconfig настро 配置 設定 설정",
    "release": "release$ version$ bump$ bumps$ upgrade dependenc deps$ package$ "
    "packages$ publish prepare$ dependabot renovate lockfile abhängig 升级 依存",
    "update": "update$ updates$ updated$ change$ changes$ adjust improve tweak sync$ aktualisier "
    "actualiza atualiza обнов 更新",
    "question": "what$ why$ how$ where$ explain$ warum$ wieso$ wie$ pourquoi$ qué$ cómo$ "
    "почему$ как$ 为什么 什么 なぜ 왜",
}  # fmt: skip
_LETTERS = re.compile(r"[^\W\d_]+")
_WITHOUT_SPACES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_TEST_PATH = re.compile(
    r"(^|/)(tests?|__tests__|specs?|e2e|testing|testdata|fixtures?|__snapshots__|test-\w+|\w+-tests?)/"
    r"|(^|/)(test_[^/]*|conftest\.py)$|[._-](test|tests|spec|snap)\.[^/]*$|[a-z0-9](Tests?|Spec)\.\w+$"
    r"|\.bats$|_test\.\w+$|_spec\.\w+$"
)
_DOC_PATH = re.compile(
    r"\.(md|mdx|rst|adoc|txt|markdown|tex|pod|1|org)$|(^|/)(docs?|website|www|guides?)/"
    r"|(^|/)(readme|license|licence|changelog|changes|authors|contributing|notice|copying)[^/]*$",
    re.IGNORECASE,
)
_CHANGELOG = re.compile(r"(^|/)(changelog|changes|history|news|release)[^/]*$", re.IGNORECASE)
_CI_PATH = re.compile(
    r"(^|/)\.(github|circleci|gitlab|azure|buildkite|husky|devcontainer|vscode)[^/]*/"
    r"|(^|/)(\.travis|\.gitlab-ci|appveyor|azure-pipelines|jenkinsfile|\.cirrus)[^/]*$",
    re.IGNORECASE,
)
_LOCK = re.compile(r"(^|[.-])lock(\.\w+)?$|-lock\.(json|ya?ml)$|go\.sum$|\.sum$", re.IGNORECASE)
_MANIFEST = re.compile(
    r"(^|/)(package\.json|cargo\.toml|pyproject\.toml|setup\.(py|cfg)|go\.mod|mix\.exs|pom\.xml"
    r"|build\.gradle(\.kts)?|gradle\.properties|libs\.versions\.toml|gemfile|composer\.json"
    r"|requirements[^/]*\.txt|deno\.json|jsr\.json|build\.zig\.zon|[^/]+\.(cabal|gemspec|csproj|"
    r"rockspec|nuspec|podspec|props))$",
    re.IGNORECASE,
)
_CONFIG_PATH = re.compile(
    r"\.(json|jsonc|ya?ml|toml|ini|cfg|conf|properties|nix|lock|env|gradle|cmake|bazel|mk|tf|xml"
    r"|csproj|props|plist|service|dockerfile|kts)$|(^|/)\.[^/]+$|(^|/)\.[^/]+rc(\.\w+)?$"
    r"|(^|/)(makefile|dockerfile|cmakelists\.txt|rakefile|procfile|vagrantfile)[^/]*$"
    r"|(^|/)[^/]+\.config\.[cm]?[jt]s$|(^|/)(scripts?|tools?|\.?ci|build|nix)/",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(r"(^|/)(examples?|samples?|demos?|playground)/", re.IGNORECASE)
_BENCH = re.compile(r"(^|/)bench[^/]*(/|$)|[._-]bench\.\w+$", re.IGNORECASE)

_COMMENT = re.compile(r"\s*(//|/\*|\*(\s|/|$)|#(\s|!|$)|--(\s|-|$)|;;|%\s|<!--|\"\"\"|''')")
_IMPORT = re.compile(
    r"\s*(import|from|use|using|require|include|#include|open|alias|pub use|export \*|export \{)\b"
    r"|.*\brequire\(|\s*#include"
)
_DEFINES = re.compile(
    r"\s*((export|public|pub(\(\w+\))?|private|protected|internal|static|async|default|abstract"
    r"|override|final|inline|local|data|sealed|suspend|unsafe|virtual)\s+)*"
    r"(def|defp|defmodule|func|fn|fun|function|class|interface|struct|enum|trait|impl|module"
    r"|object|type|record|macro_rules!)\b[\s(<]*[\w$\[]?"
)
_PUBLIC = re.compile(r"\s*(export|public|pub)\b")
_CODE_WORDS = {
    "conditions": r"\b(if|else|elif|elseif|switch|case|match|when|unless|guard)\b|\?\?|\?\.|&&",
    "failures": r"\b(try|catch|except|rescue|throw|throws|raise|error|Err|Error|panic|finally"
    r"|recover)\b",
    "nothings": r"\b(null|nil|None|undefined|nullptr|NULL|unwrap|isNil|is_none|is_some)\b",
    "fast_words": r"(?i)cache|memo|capacity|reserve|lazy|inline|\bclone\b|copy|alloc|buffer|pool"
    r"|batch|parallel|fast|unsafe|likely|prefetch|slice",
    "types": r"\b(type|interface|readonly|keyof|typename|where|impl|dyn|generic|extends)\b",
    "asserts": r"\b(assert\w*|expect|should|it|describe|test|require)\b[!.( ]",
    "loops": r"\b(for|while|loop|each|map|filter|forEach)\b",
    "notes": r"(?i)\b(todo|fixme|deprecated|nolint|noqa|eslint-disable|ts-ignore|type: ignore)\b",
    "options": r"(?i)\b(option|config|default|param|arg|flag|env|setting)s?\b",
}
_CODE_WORDS_IN = {name: re.compile(pattern) for name, pattern in _CODE_WORDS.items()}
_COSMETIC = re.compile(r"[\s;,'\"`(){}]+")
_DIGITS = re.compile(r"[\d.]+")
_TOKEN = re.compile(r"\w+")


def features_of(text: str, changes: Sequence[FileChange]) -> Features:
    """Return everything that speaks: words that begin with `~` come from the text."""
    return {**text_features(text), **diff_features(changes)}


def text_features(text: str) -> Features:
    """Return the hints in a text; the first words count, for further on it is about details."""
    lower = text[:_MOST_CHARACTERS].lower()
    words = _LETTERS.findall(lower)[:_MOST_WORDS]
    if not words:
        return {}
    found: Features = {"~text": 1.0}
    for place, word in enumerate(words):
        for hint in _HINT_OF.get(word, ()):
            found[f"~{hint}"] = 1.0
            if not place:
                found[f"~{hint} first"] = 1.0
        for length in range(3, len(word) + 1):
            for hint in _BEGINNINGS.get(word[:length], ()):
                found[f"~{hint}"] = 1.0
                if not place:
                    found[f"~{hint} first"] = 1.0
    if _WITHOUT_SPACES.search(lower):
        for sign, hint in _ANYWHERE:
            if sign in lower:
                found[f"~{hint}"] = 1.0
    return found


def kind_of_path(path: str) -> str:
    """Return what a file is for: test, documentation, config or code."""
    path = path[-_MOST_IN_LINE:]
    if _TEST_PATH.search(path):
        return "test"
    if path.startswith(".github/") and (path.endswith(".md") or "ISSUE_TEMPLATE" in path):
        return "documentation"
    if _CI_PATH.search(path) or _LOCK.search(path) or _MANIFEST.search(path):
        return "config"
    if _DOC_PATH.search(path):
        return "documentation"
    return "config" if _CONFIG_PATH.search(path) else "code"


def diff_features(changes: Sequence[FileChange]) -> Features:
    """Return what the change of files hints at."""
    if not changes:
        return {}
    found = _of_files(changes)
    code = [one for one in changes if kind_of_path(one.path) == "code"]
    found.update(_of_places([place for one in code for place in one.places]))
    every = [place for one in changes for place in one.places]
    added, removed = _lines(every)
    found["all numbers"] = _share_of_places(every, _same_but_numbers)
    found["all cosmetic"] = _share_of_places(every, _is_cosmetic)
    found["all moved"] = _in_common(added, removed)
    return {name: value for name, value in found.items() if value}


def _of_files(changes: Sequence[FileChange]) -> Features:
    kinds = {change.path: kind_of_path(change.path) for change in changes}
    sizes, files = Counter[str](), Counter[str]()
    for change in changes:
        sizes[kinds[change.path]] += change.added + change.removed
        files[kinds[change.path]] += 1
    lines = sizes.total() or 1
    found: Features = {"diff": 1.0, "files": _log(len(changes), 6), "lines": _log(lines, 10)}
    for kind in ("test", "documentation", "config", "code"):
        found[f"{kind} lines"] = sizes[kind] / lines
        found[f"{kind} files"] = files[kind] / len(changes)
        found[f"only {kind}"] = float(files[kind] == len(changes))
        mine = [change for change in changes if kinds[change.path] == kind]
        found[f"new {kind}"] = float(any(change.is_new for change in mine))
        found[f"gone {kind}"] = float(any(change.is_gone for change in mine))
    found["code with test"] = float(files["code"] > 0 and files["test"] > 0)
    found["code without test"] = float(files["code"] > 0 and not files["test"])
    found["code with documentation"] = float(files["code"] > 0 and files["documentation"] > 0)
    for name, pattern in _PATHS.items():
        hits = sum(1 for change in changes if pattern.search(change.path[-_MOST_IN_LINE:]))
        found[name] = float(hits > 0)
        found[f"only {name}"] = float(hits == len(changes))
    found["moved files"] = sum(1 for change in changes if change.moved_from) / len(changes)
    found["one file"] = float(len(changes) == 1)
    found["many files"] = float(len(changes) > 8)
    return found


def _of_places(places: Sequence[Place]) -> Features:
    """Return what the changed lines of code hint at."""
    added, removed = _lines(places)
    if not (added or removed):
        return {}
    a, r = len(added), len(removed)
    found: Features = {
        "growth": (a - r) / (a + r), "more": max(a - r, 0) / (a + r),
        "added": _log(a, 9), "removed": _log(r, 9),
        "only adds": float(not r), "only removes": float(not a),
        "tiny": float(a + r <= 4), "small": float(4 < a + r <= 20), "large": float(a + r > 200),
        "comments": sum(1 for line in added + removed if _COMMENT.match(line)) / (a + r),
        "imports": sum(1 for line in added + removed if _IMPORT.match(line)) / (a + r),
        "moved": _in_common(added, removed),
        "cosmetic": _share_of_places(places, _is_cosmetic),
        "numbers": _share_of_places(places, _same_but_numbers),
        "places": _log(len(places), 7),
        "replaced places": _share_of_places(places, lambda p: bool(p.added and p.removed)),
        "pure places": _share_of_places(places, lambda p: bool(p.added and not p.removed)),
        "same words": _same_words(added, removed),
    }  # fmt: skip
    found["only comments"] = float(found["comments"] == 1)
    new, old = _defines(added), _defines(removed)
    found["new definitions"] = _log(max(len(new) - len(old), 0), 5)
    found["fewer definitions"] = _log(max(len(old) - len(new), 0), 5)
    found["defines"] = float(len(new) > len(old))
    found["defines public"] = float(
        sum(1 for line in new if _PUBLIC.match(line)) > sum(1 for l_ in old if _PUBLIC.match(l_))
    )
    for name, pattern in _CODE_WORDS_IN.items():
        ups = _share(added[:_MOST_READ], pattern)
        downs = _share(removed[:_MOST_READ], pattern)
        found[f"{name} +"], found[f"{name} more"] = ups, ups - downs
    return found


def _lines(places: Sequence[Place]) -> tuple[list[str], list[str]]:
    """Return lines added and removed that are not blank, up to a limit, and long ones cut."""
    added: list[str] = []
    removed: list[str] = []
    for place in places:
        added += _some(place.added, _MOST_LINES - len(added))
        removed += _some(place.removed, _MOST_LINES - len(removed))
    return added, removed


def _some(lines: Sequence[str], most: int) -> list[str]:
    cut = (line[:_MOST_IN_LINE] for line in lines[:most])
    return [line for line in cut if line and not line.isspace()]


def _share(lines: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(1 for line in lines if pattern.search(line)) / (len(lines) or 1)


def _defines(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if _DEFINES.match(line)]


def _share_of_places(places: Sequence[Place], is_so: Callable[[Place], bool]) -> float:
    chosen = places[:_MOST_LINES]
    return sum(1 for place in chosen if is_so(place)) / len(chosen) if chosen else 0.0


def _is_cosmetic(place: Place) -> bool:
    """Return whether a place is the same but for spaces, quotes, brackets and separators."""
    if len(place.added) + len(place.removed) > _MOST_LINES:
        return False
    added, removed = (_COSMETIC.sub("", _text(lines)) for lines in (place.added, place.removed))
    return added == removed


def _same_but_numbers(place: Place) -> bool:
    if len(place.added) != len(place.removed) or len(place.added) > _MOST_LINES:
        return False
    added, removed = (_DIGITS.sub("0", _text(lines)) for lines in (place.added, place.removed))
    return added == removed


def _text(lines: Sequence[str]) -> str:
    return "\n".join(line[:_MOST_IN_LINE] for line in lines)


def _in_common(added: Sequence[str], removed: Sequence[str]) -> float:
    """Return the share of lines that went in one place and came in another."""
    new = Counter("".join(line.split()) for line in added)
    old = Counter("".join(line.split()) for line in removed)
    return 2 * (new & old).total() / ((new.total() + old.total()) or 1)


def _same_words(added: Sequence[str], removed: Sequence[str]) -> float:
    new = Counter(_TOKEN.findall("\n".join(added)))
    old = Counter(_TOKEN.findall("\n".join(removed)))
    return 2 * (new & old).total() / ((new.total() + old.total()) or 1)


def _log(number: int, most: int) -> float:
    return min(math.log2(1 + number) / most, 1.5)


_PATHS = {
    "ci": _CI_PATH, "lock": _LOCK, "manifest": _MANIFEST, "changelog": _CHANGELOG,
    "example": _EXAMPLE, "bench": _BENCH,
}  # fmt: skip


def _tables() -> tuple[dict[str, list[str]], dict[str, list[str]], list[tuple[str, str]]]:
    whole: dict[str, list[str]] = {}
    beginnings: dict[str, list[str]] = {}
    anywhere: list[tuple[str, str]] = []
    for hint, words in _HINTS.items():
        for word in words.split():
            if _WITHOUT_SPACES.search(word):
                anywhere.append((word, hint))
            elif word.endswith("$"):
                whole.setdefault(word[:-1], []).append(hint)
            else:
                beginnings.setdefault(word, []).append(hint)
    return whole, beginnings, anywhere


_HINT_OF, _BEGINNINGS, _ANYWHERE = _tables()
