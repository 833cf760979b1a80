"""Thirty learnings that a team might have, each with a question that means it in other words.

In: nothing. Out: `CASES`. The questions were written before any search had seen them, as somebody
would ask who does not know the learning; they are not to be changed to suit a ranking.
"""

from typing import NamedTuple

from git_skillmesh.learnings.model import Learning, Matcher, MatcherKind, State


class Case(NamedTuple):
    """A learning in short, and the question whose answer it is."""

    learning_id: str
    title: str
    description: str
    pattern: str
    regex: str
    tags: tuple[str, ...]
    languages: tuple[str, ...]
    question: str

    def learning(self) -> Learning:
        """Return it as the file would have it."""
        return Learning(
            self.learning_id, self.title, self.description,
            Matcher(MatcherKind.REGEX, regex=self.regex), State.WARN, category=self.tags[0],
            tags=self.tags[1:], languages=self.languages, pattern=self.pattern,
        )  # fmt: skip


CASES = (
    Case("http-timeout", "Give every HTTP request a timeout",
         "requests waits for ever by default. A depot that accepted the connection and never "
         "answered hung all workers for a night.",
         "requests.get, post and so on without timeout=", r"requests\.(get|post)\(",
         ("reliability", "http"), ("python",),
         "what happens if the remote server never replies"),
    Case("no-sleep-in-tests", "Do not sleep in tests",
         "Sleeping makes the suite slow and still flaky. Wait for the condition with poll_until, "
         "or use the fake clock.",
         "time.sleep in a test file", r"time\.sleep\(", ("testing", "flaky"), ("python",),
         "unit test needs to pause until the background job has finished"),
    Case("utc-everywhere", "Store times in UTC with their zone",
         "Naive datetimes were read as local time on a server in another country, and invoices "
         "were dated a day too early.",
         "datetime.now() or utcnow() without tz", r"datetime\.(utcnow|now)\(\)",
         ("correctness", "dates"), ("python",),
         "which timezone should a created_at column have"),
    Case("parameterised-sql", "Never build SQL by joining strings",
         "A name with a quote in it broke the search, and somebody could have dropped the table. "
         "Hand values over as parameters.",
         "execute with an f-string or %", r"execute\(f[\"']", ("security", "injection"),
         ("python",), "how do I put user input into a database query safely"),
    Case("money-decimal", "Amounts of money are Decimal, never float",
         "0.1 + 0.2 is not 0.3: totals differed from the sum of the lines by a cent and the "
         "auditors noticed.",
         "float() of a price or amount", r"float\((price|amount)", ("correctness", "billing"),
         ("python",), "rounding errors in invoice totals"),
    Case("no-bare-except", "Catch the exception that you mean",
         "A bare except hid a typing error for two months and swallowed KeyboardInterrupt.",
         "except: or except BaseException", r"except\s*:", ("reliability", "errors"), ("python",),
         "can I just ignore whatever goes wrong here"),
    Case("secrets-from-vault", "Secrets come from the vault, not from the repository",
         "An API key was committed and had to be rotated on a Sunday. Read them with secrets.get.",
         "a literal that looks like a key", r"AKIA[0-9A-Z]{16}", ("security", "credentials"), (),
         "where do I put the password of the staging database"),
    Case("migration-two-steps", "Drop a column in two releases",
         "The old version still runs while the new one is rolled out. Stop using the column first, "
         "drop it in the next release.",
         "DROP COLUMN in a migration", r"DROP COLUMN", ("database", "deploy"), ("sql",),
         "removing a field from a table without downtime"),
    Case("index-concurrently", "Create indexes concurrently",
         "CREATE INDEX locks the table against writes; orders could not be placed for eleven "
         "minutes.",
         "CREATE INDEX without CONCURRENTLY", r"CREATE INDEX (?:[^C])", ("database", "locks"),
         ("sql",), "adding an index blocked all inserts in production"),
    Case("react-keys", "Keys of a list are ids, not positions",
         "With the position as key React kept the wrong row's input when one was deleted.",
         "key={index}", r"key=\{(i|index)\}", ("frontend", "react"), ("typescript", "javascript"),
         "wrong item disappears after deleting an element of a rendered array"),
    Case("effect-cleanup", "Effects undo what they began",
         "A component that subscribed and never unsubscribed leaked sockets and set state after it "
         "was gone.",
         "useEffect with addEventListener and no return", r"addEventListener\(",
         ("frontend", "react", "memory"), ("typescript",),
         "browser tab gets slower every time the dialog is opened"),
    Case("no-any", "No any in exported types",
         "One any switched type checking off for everything behind it, and an undefined got into "
         "checkout.",
         ": any in an export", r": any\b", ("types",), ("typescript",),
         "may I turn off the compiler's check for this function argument"),
    Case("mutex-order", "Take locks in the order of their names",
         "Two goroutines took the ledger and the stock mutex the other way round and stood still "
         "for ever.",
         "Lock of ledger after stock", r"stock\.Lock\(\)", ("concurrency", "deadlock"), ("go",),
         "threads are waiting on each other and nothing moves"),
    Case("context-first", "Pass the context on",
         "context.Background() inside a handler cuts the deadline off: work went on after the "
         "client had left.",
         "context.Background() outside of main", r"context\.Background\(\)", ("concurrency",),
         ("go",), "cancel the work when the caller hangs up"),
    Case("wrap-errors", "Wrap errors with what was attempted",
         "A log that says only 'file not found' helps nobody. fmt.Errorf with %w keeps the cause.",
         "return err without words", r"return err$", ("errors", "logging"), ("go",),
         "the message in the log does not say which operation failed"),
    Case("no-unwrap", "No unwrap outside of tests",
         "A malformed header from a client panicked the whole process. Return the error.",
         ".unwrap() in src", r"\.unwrap\(\)", ("reliability", "panic"), ("rust",),
         "crash on bad input from the network"),
    Case("bounded-queues", "Every queue has a limit",
         "The import filled an unlimited channel faster than it was emptied until the kernel "
         "killed the process for its memory.",
         "unbounded_channel", r"unbounded_channel\(", ("concurrency", "memory"), ("rust",),
         "producer outruns the consumer and we run out of RAM"),
    Case("idempotent-handlers", "Handlers of messages may run twice",
         "The broker delivers at least once. A customer was charged twice; look the message id up "
         "before acting.",
         "a handler without a check of message_id", r"def handle_", ("messaging",), ("python",),
         "same event arrives a second time"),
    Case("retry-with-jitter", "Retry with growing, random pauses",
         "All clients retried at the same second and took the server down again just as it came "
         "up.",
         "a loop of retries with a constant delay", r"for attempt in range", ("reliability",),
         ("python",), "thundering herd after an outage"),
    Case("log-no-personal", "No personal data in logs",
         "Mail addresses of customers were in a log that a contractor could read. Log the customer "
         "number.",
         "email in a call of log", r"log\.\w+\(.*email", ("privacy", "logging"), (),
         "is it fine to print the user's address for debugging"),
    Case("feature-flag-default", "New flags are off by default",
         "A flag that was missing in the configuration of one region counted as on.",
         "flag(..., default=True)", r"default=True", ("deploy", "flags"), ("python",),
         "roll out half finished behaviour to nobody at first"),
    Case("pin-actions", "Pin actions to a commit",
         "A tag of a third-party action was moved to a version that printed the secrets of the "
         "build.",
         "uses: with a tag", r"uses: .*@v\d", ("security", "ci"), ("yaml",),
         "supply chain risk in our build pipeline"),
    Case("quote-shell", "Quote variables in shell scripts",
         "A folder with a space in its name made rm delete the parent.",
         "rm -rf $VAR without quotes", r"rm -rf \$", ("shell",), ("bash",),
         "script breaks for file names that contain blanks"),
    Case("set-euo", "Shell scripts stop at the first failure",
         "The deployment went on after the tests had failed, because nobody looked at the exit "
         "code. Begin with set -euo pipefail.",
         "a script without set -e", r"^#!/bin/bash", ("shell", "deploy"), ("bash",),
         "a broken step must not let the rest of the job continue"),
    Case("generated-files", "Do not edit generated files",
         "Changes in gen/ were gone with the next build. Edit the schema and run make gen.",
         "a change below gen/", r"gen/", ("build",), (),
         "my fix was overwritten after regenerating the client"),
    Case("changelog-entry", "A user visible change has a line in the change log",
         "Support learned from customers what we had released.",
         "src changed without CHANGELOG.md", r"CHANGELOG", ("process", "docs"), (),
         "what else do I have to update when behaviour changes for people using it"),
    Case("lazy-imports", "Import heavy packages where they are needed",
         "import pandas at the top made every command of the tool start a second later.",
         "import pandas at module level", r"^import pandas", ("performance", "startup"),
         ("python",), "command line tool takes too long to launch"),
    Case("n-plus-one", "Fetch related rows in one query",
         "The order page asked the database once for each line: 400 queries. Use select_related.",
         "a query inside a loop over rows", r"for .* in .*objects", ("performance", "database"),
         ("python",), "listing page is slow because of hundreds of small selects"),
    Case("alt-text", "Every image has a text for those who cannot see it",
         "The shop could not be used with a screen reader, and we were told so by a lawyer.",
         "<img without alt", r"<img (?!.*alt)", ("accessibility", "frontend"), ("html",),
         "make pictures work for blind visitors"),
    Case("no-latest-tag", "Name the version of base images",
         "latest became another major version overnight and the build broke for everybody.",
         "FROM name:latest", r"FROM \S+:latest", ("build", "docker"), ("dockerfile",),
         "container build stopped working although nobody changed anything"),
)  # fmt: skip

# Other questions about the same learnings, on which weights and limits were chosen.
TUNED_ON = {
    "http-timeout": "worker stuck in requests.post",
    "no-sleep-in-tests": "test suite is slow because of waiting",
    "utc-everywhere": "is it ok to call datetime.now",
    "parameterised-sql": "f-string in cursor.execute",
    "money-decimal": "type for a price",
    "no-bare-except": "swallowing all exceptions",
    "secrets-from-vault": "hard coded api token",
    "migration-two-steps": "schema change while old code still runs",
    "index-concurrently": "postgres table locked during migration",
    "react-keys": "using the loop counter as key in JSX",
    "effect-cleanup": "unsubscribe when a component unmounts",
    "no-any": "type escape hatch in the public API",
    "mutex-order": "lock ordering between ledger and stock",
    "context-first": "deadline is lost in a goroutine",
    "wrap-errors": "how should errors be returned in go",
    "no-unwrap": "what to do instead of expect and unwrap",
    "bounded-queues": "channel capacity",
    "idempotent-handlers": "customer was billed two times",
    "retry-with-jitter": "backoff after a failed call",
    "log-no-personal": "GDPR and log files",
    "feature-flag-default": "flag missing from the configuration",
    "pin-actions": "version of a github action",
    "quote-shell": "word splitting in a shell variable",
    "set-euo": "bash pipeline ignores errors",
    "generated-files": "hand edit in the gen folder",
    "changelog-entry": "release notes for users",
    "lazy-imports": "import of pandas at module level is slow",
    "n-plus-one": "too many queries in a loop of the ORM",
    "alt-text": "screen reader support for img tags",
    "no-latest-tag": "docker base image tag",
}
UNRELATED = (
    "configure the printer driver for windows", "recipe for tomato soup with basil",
    "which font does the logo use", "train departures from the main station",
    "how tall is mount everest", "convert a video to black and white",
    "play the next song in the playlist", "chess opening for black",
    "weather forecast for the weekend", "translate this poem into french",
)  # fmt: skip
