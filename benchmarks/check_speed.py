"""What a commit waits for the check, and CI for a large change, beside an interpreter alone.

    python -m benchmarks.check_speed

Processor time of the whole process tree of the hook, rules kept from an earlier commit: 200
learnings of all kinds against 20 staged files of 300 lines, and 2,000 against 500. Also the shim's
git command in a repository without learnings.
"""

import sys
from collections.abc import Callable, Sequence

from benchmarks.measure import in_turn, median, run
from benchmarks.program import Bench, common_arguments, workplace
from benchmarks.results import Recorder, milliseconds, table
from git_skillmesh.hooks.main import PROGRAM
from git_skillmesh.learnings.model import Learning, Matcher, MatcherKind, Scope, State
from testing.learnings import files_of, made
from testing.repos import Repo

BUDGETS = {"200 learnings, 20 files": 0.2, "2,000 learnings, 500 files": 10.0}
_SIZES = {"200 learnings, 20 files": (200, 20), "2,000 learnings, 500 files": (2000, 500)}
_LANGUAGES = {"python": "py", "javascript": "js", "go": "go", "typescript": "ts"}
_HOOK = [sys.executable, "-I", PROGRAM, "pre-commit"]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all cases in turn."""
    parser = common_arguments("measure what a commit waits for the check")
    parser.add_argument("--rounds", type=int, default=7, help="runs of each kind (7)")
    args = parser.parse_args(argv)
    recorder = Recorder("check-speed", args.results)
    with workplace(args.scratch) as bench:
        nothing = Repo(bench.folder / "nothing")
        bench.git("init", "--quiet", str(nothing.path))
        asked = ["git", "rev-parse", "-q", "--verify", "HEAD:.skillmesh/learnings"]
        cases: dict[str, Callable[[], float]] = {
            "an interpreter, nothing": _cpu(
                [sys.executable, "-I", "-c", "pass"], nothing, bench, (0,)
            ),
            "no learnings: git alone": _cpu(asked, nothing, bench, (1,)),
        }
        for name, (learnings, files) in _SIZES.items():
            repo = _prepared(bench, name.partition(" ")[0], learnings, files)
            cases[name] = _cpu(_HOOK, repo, bench, (1,))
        found = {name: median(times) for name, times in in_turn(cases, args.rounds).items()}
    bare = found["an interpreter, nothing"]
    rows = [
        [name, milliseconds(cpu), f"{cpu / bare:.1f}", milliseconds(BUDGETS.get(name, 0.0))]
        for name, cpu in found.items()
    ]
    print(table(["case", "cpu", "ratio", "budget"], rows))
    recorder.write(rounds=args.rounds, budgets=BUDGETS, cpu=found)
    return 0


def _cpu(
    command: Sequence[str], repo: Repo, bench: Bench, accept: Sequence[int]
) -> Callable[[], float]:
    return lambda: run(command, repo.path, bench.env, accept=accept).cpu


def _prepared(bench: Bench, name: str, learnings: int, files: int) -> Repo:
    """Make a repository in which 20 new lines are staged in every file."""
    repo = Repo(bench.folder / f"with-{name}")
    bench.git("init", "--quiet", str(repo.path))
    paths = [f"src/part{n % 13}/file{n}.{list(_LANGUAGES.values())[n % 4]}" for n in range(files)]
    for path, text in files_of(*_learnings(learnings)).items():
        repo.write(path, text or "")
    for number, path in enumerate(paths):
        repo.write(path, _text(number))
    bench.git("-C", str(repo.path), "add", "--all")
    bench.git("-C", str(repo.path), "commit", "--quiet", "-m", "first")
    for number, path in enumerate(paths):
        repo.write(path, _text(number) + _more(number))
    bench.git("-C", str(repo.path), "add", "--all")
    run(_HOOK, repo.path, bench.env, accept=(1,))
    return repo


def _learnings(count: int) -> list[Learning]:
    found = []
    for number in range(count):
        language = list(_LANGUAGES)[number % 4]
        languages: tuple[str, ...] = (language,)
        paths = (f"src/part{number % 13}/**",) if number % 7 == 0 else ()
        kind = number % 10
        if kind < 3:
            matcher = Matcher(MatcherKind.LITERAL, text=f"legacy_call_{number}(")
        elif kind < 6:
            matcher = Matcher(MatcherKind.REGEX, regex=rf"\bold_api_{number}\.(get|set)\(\s*'")
        elif kind < 8:
            rule = {"pattern": f"deprecated_{number}($$$A)"}
            matcher = Matcher(MatcherKind.AST, scope=Scope.FILE, rule=rule)
        elif kind < 9:
            matcher = Matcher(MatcherKind.PATHS, accompany=(f"docs/{number}.md",))
        else:
            matcher, languages = Matcher(MatcherKind.MESSAGE, regex=f"(?i)wip {number}"), ()
        state = State.BLOCK if number % 2 else State.WARN
        found.append(made(f"rule-{number}", matcher, state, languages=languages, paths=paths))
    return found


def _text(number: int) -> str:
    return "".join(
        f"def function_{number}_{n}(value):\n    result = compute(value, {n})\n"
        f"    return result.get('name', other({n}))\n"
        for n in range(100)
    )


def _more(number: int) -> str:
    used = f"legacy_call_{number % 4}(1)\ndeprecated_{6 + number % 4}(2)\n"
    return "".join(f"added_{number}_{n} = {n}\n" for n in range(18)) + used * (number % 5 == 0)


if __name__ == "__main__":
    sys.exit(main())
