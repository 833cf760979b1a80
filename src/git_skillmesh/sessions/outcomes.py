"""What tests, type checkers and linters said, read from the output of tools.

In: a tool call. Out: whether it ran a check, and whether that passed.
"""

import re
from enum import Enum
from functools import lru_cache

from .model import Act, ToolCall

# Summaries stand at the end.
_LOOKED_AT = 8_000
_COMMAND = 4_000
_WIDTH = 300


class Outcome(Enum):
    """How a check ended. Tests say more than types and style."""

    TESTS_PASSED = 1.0
    CHECKS_PASSED = 0.4
    CHECKS_FAILED = -0.4
    TESTS_FAILED = -1.0


_TESTS = (
    r"pytest|py\.test|tox|nox|unittest|nosetests|jest|vitest|mocha|ava|jasmine|karma|playwright"
    r"|cypress|(npm|pnpm|yarn|bun)( run)?( -\S+( [^\s-]\S*)?)* test\S*|deno test|go test|gotestsum"
    r"|cargo (\+\S+ )?(test|t|nextest)|mvnw?|gradlew?|sbt|lein test|rspec|rake( test| spec|$)"
    r"|rails test|phpunit|pest|artisan test|dotnet test|mix test|rebar3 (eunit|ct)|bats|ctest"
    r"|swift test|xcodebuild|flutter test|dart test|zig (build )?test|busted|prove|stack test"
    r"|cabal test|(make|just|task) (\S+ ){0,6}\S{0,40}(test|check|spec)\S*"
)
_CHECKS = (
    r"tsc|vue-tsc|eslint|biome|prettier|stylelint|mypy|pyright|ruff|flake8|pylint|black|isort"
    r"|cargo (\+\S+ )?(check|clippy|build|fmt)|go (vet|build)|golangci-lint|staticcheck|gofmt"
    r"|rubocop|phpstan|psalm|mix (compile|credo|format|dialyzer)|dotnet build|swiftlint"
    r"|swift build|shellcheck|ktlint|detekt|pre-commit|(npm|pnpm|yarn|bun)( run)?"
    r"( -\S+( [^\s-]\S*)?)* (lint|build|typecheck|type-check|check|tsc)\S*"
    r"|(make|just|task) (\S+ )*(lint|build|typecheck)\S*"
)
_BEFORE = (
    r"(?:(?:^|[\n;&|(])\s*(?:\./)?|(?<=/)|\b(?:npx|bunx|bundle exec|poetry run|uv run|pnpm exec"
    r"|yarn|time|sudo|python3? -m)\s+)(?:[A-Z_]+=\S* )*"
)
_RUNS_TESTS = re.compile(f"{_BEFORE}(?:{_TESTS})(?![\\w.-]*/)(?=\\s|$|[;&|)])")
_RUNS_CHECKS = re.compile(f"{_BEFORE}(?:{_CHECKS})(?=\\s|$|[;&|)])")
# The exit code that was seen is another command's.
_HIDES_EXIT = re.compile(r"\||;|2>&1 *$|\n")

# What failed is told beside what passed: a failure outweighs it.
_FAILED = re.compile(
    r"(?m)^=*.*\b[1-9]\d* (failed|errors?)\b.* in [\d.]+ ?m?s"  # pytest
    r"|^[ \t]*Tests:?\s+.*\b[1-9]\d* failed"  # jest
    r"|^[ \t]*(Test Suites|Test Files):?\s+.*[1-9]\d* failed"
    r"|^(FAIL\b|--- FAIL)|^test result: FAILED|^error: test failed"  # go, cargo
    r"|Tests run: \d+, (Failures: [1-9]|Failures: \d+, Errors: [1-9])|BUILD FAIL(ED|URE)"  # java
    r"|\b\d+ (examples?|tests?|runs?|doctests?|assertions)\b.*, [1-9]\d* (failures?|errors?)\b"
    r"|^FAILED \(|^(FAILURES|ERRORS)!|^Failed!\s+- Failed|^Test Run Failed"  # unittest, php, .net
    r"|^[ \t]*[1-9]\d* failing\b|^not ok \d|^[ \t]+[1-9]\d* failed$"
    r"|tests passed, [1-9]\d* tests failed"
    r"|\*\* TEST FAILED|^FAIL(ED)?:? "
)
_PASSED = re.compile(
    r"(?m)^=*.*\b[1-9]\d* passed\b.* in [\d.]+ ?m?s|^[ \t]*Tests:?\s+[1-9]\d* passed"
    r"|^[ \t]*Tests:?\s+(\d+ (skipped|todo)[,| ]+)+[1-9]\d* passed"
    r"|^ok\s+\S+\s+(\(cached\)|[\d.]+s)|^test result: ok\. [1-9]|^[ \t]*Summary .* [1-9]\d* passed"
    r"|Tests run: [1-9]\d*, Failures: 0, Errors: 0|BUILD SUCCESS"
    r"|\b[1-9]\d* (examples?|tests?|runs?|doctests?)\b.*, 0 failures|^OK( \(|$)"
    r"|^Passed!\s+- Failed:\s+0|^Test Run Successful|^[ \t]*[1-9]\d* passing\b|^ok \d+\b"
    r"|100% tests passed|^[ \t]+[1-9]\d* passed \(|\*\* TEST SUCCEEDED"
    r"|Test Suite 'All tests' passed"
)
_CHECK_FAILED = re.compile(
    r"(?m)error TS\d+|^Found [1-9]\d* errors?\b|[1-9]\d* problems? \([1-9]|^error(\[E\d+\])?: "
    r"|could not compile|^\S+:\d+:\d+: (error|warning|[A-Z]+\d+ )|: error: |Build FAILED"
    r"|^Failed to compile|^Exit status [1-9]|^\S*\s*\d+:\d+\s+error\s|\bELIFECYCLE\b|ERR! code"
    r"|Command failed with exit"
)
_CHECK_PASSED = re.compile(
    r"(?m)^Success: no issues found|^All checks passed|^All matched files use Prettier"
    r"|^Found 0 errors|^0 errors, |no offenses detected|^Build succeeded|Compiled successfully"
    r"|^[ \t]*Finished `?(dev|release|test)|\[OK\] No errors|Build complete!"
    r"|built in \d|Build success|No ESLint warnings"
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_EXIT = re.compile(r"(?i)\bexit(?:ed with)? (?:code|status):?\s*(\d+)")


@lru_cache(maxsize=128)
def outcome_of(call: ToolCall) -> Outcome | None:
    """Return how the check that a call ran ended; None where it ran none, or it is not clear."""
    if call.act not in (Act.BASH, Act.OTHER):
        return None
    command = call.input[:_COMMAND]
    tests = _RUNS_TESTS.search(command) is not None
    if not tests and not _RUNS_CHECKS.search(command):
        return None
    output = _COLOUR.sub("", call.output[-_LOOKED_AT:])
    output = "\n".join(line[:_WIDTH] for line in output.split("\n") if line.strip())
    if tests:
        if _FAILED.search(output):
            return Outcome.TESTS_FAILED
        if _PASSED.search(output):
            return Outcome.TESTS_PASSED
    if _CHECK_FAILED.search(output):
        return Outcome.TESTS_FAILED if tests else Outcome.CHECKS_FAILED
    if _CHECK_PASSED.search(output):
        return Outcome.CHECKS_PASSED
    exit_code = _exit_code(call, command, output)
    if exit_code is None:
        return None
    if tests:
        # Without a summary, nobody knows how many tests there were.
        return Outcome.TESTS_FAILED if exit_code else None
    return Outcome.CHECKS_FAILED if exit_code else Outcome.CHECKS_PASSED


def _exit_code(call: ToolCall, command: str, output: str) -> int | None:
    if told := _EXIT.search(output):
        return int(told[1])
    if call.failed:
        return 1
    return None if _HIDES_EXIT.search(command.strip()) else 0
