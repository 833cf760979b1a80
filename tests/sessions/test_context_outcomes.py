"""What runners of tests, checkers and linters print, recognised."""

import time

import pytest

from git_skillmesh.sessions.model import Act, ToolCall
from git_skillmesh.sessions.outcomes import Outcome, outcome_of


def ran(command: str, output: str, *, failed: bool = False, act: Act = Act.BASH) -> Outcome | None:
    return outcome_of(ToolCall("c", "Bash", act, command, output, failed))


PASSED = [
    ("pytest -q", "....\n4 passed in 0.12s\n"),
    ("cd app && python -m pytest tests", "===== 12 passed, 1 skipped in 3.40s ====="),
    ("uv run pytest | tail -5", "=== 3 passed, 2 warnings in 1.00s ==="),
    ("npx jest", "Tests:       14 passed, 14 total\nTime: 1 s"),
    ("pnpm --filter api test", "Tests:       1 skipped, 14 passed, 15 total"),
    ("npx vitest run", " \x1b[2m Tests \x1b[22m 7 passed (7)"),
    ("yarn test", "  12 passing (30ms)\n"),
    ("npx playwright test", "  4 passed (10.8s)"),
    ("go test ./...", "ok  \tgithub.com/x/y\t0.012s\n?   \tgithub.com/x/z\t[no test files]"),
    ("cargo test", "test result: ok. 5 passed; 0 failed; 0 ignored"),
    ("mvn -q test", "Tests run: 9, Failures: 0, Errors: 0, Skipped: 0"),
    ("./gradlew test", "BUILD SUCCESSFUL in 4s"),
    ("bundle exec rspec", "3 examples, 0 failures"),
    ("bin/rails test", "9 runs, 22 assertions, 0 failures, 0 errors, 0 skips"),
    ("python -m unittest", "Ran 3 tests in 0.001s\n\nOK"),
    ("vendor/bin/phpunit", "OK (5 tests, 9 assertions)"),
    ("dotnet test", "Passed!  - Failed:     0, Passed:     5, Skipped:     0"),
    ("mix test", "Finished in 0.1 seconds\n1 doctest, 5 tests, 0 failures"),
    ("bats tests", "1..2\nok 1 first\nok 2 second"),
    ("ctest", "100% tests passed, 0 tests failed out of 4"),
    ("make check", "===== 12 passed in 3.40s ====="),
]
FAILED = [
    ("pytest -q", "FAILED tests/test_a.py::test_b\n1 failed, 3 passed in 0.12s\n"),
    ("pytest", "===== 2 errors in 0.40s ====="),
    ("npx jest", "Tests:       1 failed, 13 passed, 14 total"),
    ("npx vitest", " Tests  1 failed | 3 passed (4)"),
    ("npm test", "  11 passing (30ms)\n  1 failing\n"),
    ("npx playwright test", "  1 failed\n    a.spec.ts\n  3 passed (8.6s)"),
    ("go test ./...", "--- FAIL: TestX (0.00s)\nFAIL\nok  \tgithub.com/x/y\t0.012s"),
    ("cargo test", "test result: ok. 5 passed\ntest result: FAILED. 1 passed; 1 failed"),
    ("cargo nextest run", "error[E0425]: cannot find value\nerror: could not compile `x`"),
    ("mvn test", "Tests run: 9, Failures: 0, Errors: 2, Skipped: 0"),
    ("gradle test", "BUILD FAILED in 4s"),
    ("rspec", "3 examples, 1 failure"),
    ("python3 -m unittest", "FAILED (failures=1)"),
    ("phpunit", "FAILURES!\nTests: 5, Assertions: 9, Failures: 1."),
    ("dotnet test", "Failed!  - Failed:     1, Passed:     4"),
    ("mix test", "5 tests, 1 failure"),
    ("bats tests", "ok 1 first\nnot ok 2 second"),
    ("ctest", "75% tests passed, 1 tests failed out of 4"),
    ("pytest", "Exit code 2\nno such option"),
]
CHECKS = [
    ("npx tsc --noEmit", "", False, Outcome.CHECKS_PASSED),
    ("npx tsc --noEmit", "a.ts(1,2): error TS2304: Cannot find name", False, Outcome.CHECKS_FAILED),
    ("mypy src", "Success: no issues found in 3 source files", False, Outcome.CHECKS_PASSED),
    ("mypy src | tail -1", "Found 2 errors in 1 file", False, Outcome.CHECKS_FAILED),
    ("ruff check .", "All checks passed!", False, Outcome.CHECKS_PASSED),
    ("ruff check .", "Found 1 error.", True, Outcome.CHECKS_FAILED),
    ("npx eslint src", "✖ 3 problems (1 error, 2 warnings)", False, Outcome.CHECKS_FAILED),
    (
        "npm run lint",
        "\x1b[32m✔ No ESLint warnings or errors\x1b[39m",
        False,
        Outcome.CHECKS_PASSED,
    ),
    ("cargo clippy", "    Finished `dev` profile", False, Outcome.CHECKS_PASSED),
    ("cargo build", "error: could not compile `x`", False, Outcome.CHECKS_FAILED),
    ("npm run build", "Exit code 1\nsomething", False, Outcome.CHECKS_FAILED),
    ("go vet ./...", "", True, Outcome.CHECKS_FAILED),
]


@pytest.mark.parametrize(("command", "output"), PASSED)
def test_tests_that_passed(command: str, output: str) -> None:
    assert ran(command, output) == Outcome.TESTS_PASSED


@pytest.mark.parametrize(("command", "output"), FAILED)
def test_tests_that_failed(command: str, output: str) -> None:
    assert ran(command, output) == Outcome.TESTS_FAILED


@pytest.mark.parametrize(("command", "output", "failed", "outcome"), CHECKS)
def test_types_style_and_builds(command: str, output: str, failed: bool, outcome: Outcome) -> None:
    assert ran(command, output, failed=failed) == outcome


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("cat test.log", "4 passed in 0.12s"),  # of whom, and when?
        ("git log --grep 'test result: ok. 5 passed'", "test result: ok. 5 passed"),
        ("npx tsc | head -3", ""),  # the exit code is that of head
        ("pytest", "Command running in background with ID: b1"),
        ("npm test", "No tests found, exiting with code 0"),
        ("ls tests/", "test_a.py"),
    ],
)
def test_what_says_nothing(command: str, output: str) -> None:
    assert ran(command, output) is None


def test_only_what_runs_commands_is_asked() -> None:
    assert ran("pytest", "4 passed in 0.1s", act=Act.READ) is None
    assert ran("pytest", "4 passed in 0.1s", act=Act.OTHER) == Outcome.TESTS_PASSED


@pytest.mark.parametrize(
    "command",
    [
        "pytest",
        "npm" + " --a -b" * 2_000,
        "make " + "a " * 9_000,
        "a/" * 9_000,
        "A=b " * 9_000,
        "x" * 90_000,
        "npm -a b" * 900,
    ],
)
@pytest.mark.parametrize("output", ["1 failed ", "1 failed in 1", "tests, ", "=", "1", "ok ", "\n"])
def test_hostile_commands_and_output_take_bounded_time(command: str, output: str) -> None:
    start = time.process_time()
    ran(command, output * 100_000)
    assert time.process_time() - start < 2
