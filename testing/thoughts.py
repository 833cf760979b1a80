"""Made-up sessions of thoughts, questions that they answer, and questions that they do not.

In: nothing, or a repository. Out: plain data, and `record_sessions` to store them. The thoughts are
of the kind that agents write while they plan; each question has the session and the number of the
thought that answers it, told in other words as far as people would.
"""

from git_skillmesh.git.repository import discover
from git_skillmesh.thinking.model import Thought
from git_skillmesh.thinking.store import ThoughtStore

from .repos import Repo

SESSIONS: dict[str, tuple[str, ...]] = {
    "flaky-upload": (
        "The upload test fails about once in thirty runs, always on the slow runner. The server "
        "closes the connection before the last part is acknowledged.",
        "Hypothesis one: the client does not wait for the 100-continue answer. The packet "
        "capture shows the body going out before the server has agreed to it.",
        "Hypothesis two: the timeout of the reverse proxy is shorter than ours. It is 30 s "
        "there and 60 s in the client, so the proxy gives up first.",
        "Setting the client to 25 s makes a hundred runs pass. It was the proxy; waiting for "
        "the 100-continue changed nothing.",
        "Decision: keep the client below the proxy, retry an upload once if the connection "
        "breaks, and log the time that was left.",
    ),
    "billing-rounding": (
        "Invoices differ from the ledger by one cent when a discount meets several tax rates.",
        "We round each line, the ledger rounds the sum. Both are allowed by law, but they must "
        "agree.",
        "Use integers of a hundredth of a cent inside and round once at the end, half to even.",
        "The export to the accountant needs two decimals, so the conversion happens in the "
        "serializer only.",
    ),
    "search-cache": (
        "Search p95 rose from 40 ms to 210 ms after we added the tenant filter.",
        "The cache key does not contain the tenant, so we had to disable caching for all "
        "filtered queries. That is where the time goes.",
        "Put tenant and role into the key. Memory grows by the number of tenants that are "
        "active at a time, about 300.",
        "Evict by size and not by age: a few large answers push out everything else today.",
        "Redis is not needed for that. A dictionary in the process with a lock is enough for "
        "one node.",
    ),
    "migrate-orders": (
        "The orders table has 90 million rows; ALTER TABLE would lock it for most of an hour.",
        "Plan: add the new column without a default, fill it in batches of ten thousand, then "
        "add the constraint as not valid and validate it later.",
        "The old application version must go on working while the column is half filled, so "
        "reads fall back to the previous field when it is null.",
        "Rollback is dropping the column. Nothing reads it before the flag is turned on.",
    ),
    "login-loop": (
        "Some users are sent back to the sign-in page for ever. All of them use Safari.",
        "The session cookie is set with SameSite=None but without Secure on the staging domain, "
        "so the browser drops it.",
        "It also happens in production behind the company VPN, where TLS is ended at the "
        "gateway and we believe the request is plain http.",
        "Trust X-Forwarded-Proto from the gateway's addresses only, and always set Secure.",
    ),
    "parser-recovery": (
        "The parser stops at the first error. Editors need a tree for broken source as well.",
        "Panic mode: skip tokens until a semicolon or a closing brace, put an error node there.",
        "Inserting a missing token gives nicer trees but needs a cost model; leave that for later.",
        "Measured on 2,000 broken snippets: panic mode keeps 91 percent of the functions intact.",
    ),
    "container-size": (
        "The image is 1.9 GB. Most of it is the compiler and the headers of the build stage.",
        "A second stage that copies the virtual environment brings it to 410 MB.",
        "Alpine would save another 100 MB but there are no wheels for musl, so everything would "
        "be compiled. Not worth it.",
        "Pin the base image by digest and let the bot raise it once a week.",
    ),
    "webhook-order": (
        "Payment webhooks arrive twice and out of order. The refund came before the charge.",
        "Store each event by its id and ignore one that is known: that solves the duplicates.",
        "For the order compare the version number of the object, never the time of arrival.",
        "An event whose predecessor is missing waits in a table for at most ten minutes and is "
        "then fetched from the provider.",
    ),
    "dark-mode": (
        "Designers want a dark theme. Colours are spread over 140 style sheets as hex values.",
        "Introduce CSS custom properties for the twelve colours that matter and replace the "
        "rest with the nearest one.",
        "Charts draw on a canvas and do not see custom properties; read them with "
        "getComputedStyle when the theme changes.",
        "Respect prefers-color-scheme by default and remember an explicit choice in local storage.",
    ),
    "memory-leak": (
        "The worker grows by 15 MB an hour until the kernel kills it.",
        "tracemalloc points at the metrics registry: a label holds the full URL with its query "
        "string.",
        "Every distinct query makes a time series that is never dropped. Use the route template "
        "as the label instead.",
        "After a night with the change the worker stays at 180 MB.",
    ),
    "time-zones": (
        "Reports of the first of the month miss the orders of the last evening for customers in "
        "the west.",
        "We cut by UTC midnight. The contract says the customer's local day.",
        "Keep instants in UTC, keep the zone of the customer beside them, and cut when the "
        "report is made.",
        "Daylight saving: the day of the change has 23 or 25 hours, so never add 24 hours to "
        "get to the next day.",
    ),
    "plugin-api": (
        "Plugins import our internal modules. Each refactoring breaks somebody.",
        "Offer a small stable module and let everything else begin with an underscore.",
        "Entry points are loaded lazily: a broken plugin must not keep the program from starting.",
        "Version the interface by a number that a plugin declares, and refuse what is newer "
        "than us with a message that names both.",
    ),
}
# Question → session, numbers of thoughts that answer it.
QUESTIONS: dict[str, tuple[str, tuple[int, ...]]] = {
    "why does the upload test sometimes break": ("flaky-upload", (1, 3, 4)),
    "which timeout is shorter, proxy or client": ("flaky-upload", (3, 4, 5)),
    "what did we decide about retrying uploads": ("flaky-upload", (5,)),
    "100-continue": ("flaky-upload", (2, 4)),
    "invoice off by one cent": ("billing-rounding", (1, 2)),
    "where do we round amounts of money": ("billing-rounding", (2, 3, 4)),
    "bankers rounding half to even": ("billing-rounding", (3,)),
    "slow search after tenant filter": ("search-cache", (1, 2)),
    "what belongs into the cache key": ("search-cache", (2, 3)),
    "do we need redis": ("search-cache", (5,)),
    "cache eviction policy": ("search-cache", (4,)),
    "adding a column to a huge table without locking": ("migrate-orders", (1, 2)),
    "how to roll back the migration": ("migrate-orders", (4,)),
    "old version of the app during the migration": ("migrate-orders", (3,)),
    "redirect loop at login in safari": ("login-loop", (1, 2)),
    "cookie dropped by the browser SameSite Secure": ("login-loop", (2, 4)),
    "trust forwarded proto header": ("login-loop", (4, 3)),
    "error recovery strategy of the parser": ("parser-recovery", (1, 2, 3)),
    "how well does panic mode work": ("parser-recovery", (4, 2)),
    "make the docker image smaller": ("container-size", (1, 2, 3)),
    "why not alpine": ("container-size", (3,)),
    "pin base image digest": ("container-size", (4,)),
    "duplicate webhook events": ("webhook-order", (1, 2)),
    "events that arrive in the wrong order": ("webhook-order", (1, 3, 4)),
    "refund before charge": ("webhook-order", (1,)),
    "theme colours custom properties": ("dark-mode", (2, 3, 1)),
    "charts in dark theme": ("dark-mode", (3,)),
    "where is the chosen theme remembered": ("dark-mode", (4,)),
    "worker memory keeps growing": ("memory-leak", (1, 2, 3, 4)),
    "metrics label cardinality": ("memory-leak", (2, 3)),
    "orders missing from the monthly report": ("time-zones", (1, 2)),
    "daylight saving day length": ("time-zones", (4,)),
    "local day of the customer or UTC": ("time-zones", (2, 3)),
    "broken plugin prevents start": ("plugin-api", (3,)),
    "stable interface for plugins": ("plugin-api", (2, 4, 1)),
    "plugin declares a version we do not support": ("plugin-api", (4,)),
}
# Nothing above says anything about these.
UNRELATED: tuple[str, ...] = (
    "how do I configure the linter for line length",
    "which license does the project use",
    "bluetooth pairing fails on Android",
    "translate the user guide into French",
    "kubernetes ingress annotations",
    "what is the recipe for pancakes",
    "rename the default branch to main",
    "GPU kernel for matrix multiplication",
    "generate a sitemap for the blog",
    "password strength meter",
    "unit tests for the date picker widget",
    "terraform state lock",
    "sound effects in the game menu",
    "train a sentiment classifier",
    "email newsletter unsubscribe link",
    "graphql schema stitching",
    "ownership of the backup job",
    "convert markdown to pdf",
    "keyboard shortcuts of the editor",
    "fuzzing the image decoder",
    "S3 bucket lifecycle rules",
    "accessibility audit of the contact form",
    "upgrade to Python 3.14",
    "which team maintains the mobile app",
    "quaternion interpolation for the camera",
    "spell checker dictionary",
    "LDAP group synchronisation",
    "printer driver for labels",
    "how to sign the release artifacts",
    "websocket heartbeat interval",
    "import contacts from vcard",
    "elliptic curve signatures",
    "onboarding checklist for new colleagues",
    "chess engine opening book",
    "rate limit for the public API",
    "autocomplete of street addresses",
    "firmware update over the air",
    "bibliography style of the thesis",
    "load balancer health checks",
    "garbage collector pauses of the JVM",
)


def thoughts(sessions: dict[str, tuple[str, ...]] = SESSIONS) -> list[Thought]:
    """Return the thoughts of sessions, the last of each closing it."""
    return [
        Thought(session, number, text, len(texts), needs_more=number < len(texts))
        for session, texts in sessions.items()
        for number, text in enumerate(texts, 1)
    ]


def open_thoughts(repo: Repo, ref: str = "refs/skillmesh/memory") -> ThoughtStore:
    """Return the store of a repository, without redaction."""
    return ThoughtStore(discover(repo.path), str, ref)


def record_sessions(repo: Repo) -> ThoughtStore:
    """Record all made-up sessions."""
    store = open_thoughts(repo)
    store.record_all(thoughts())
    return store
