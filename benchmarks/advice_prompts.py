"""How much of what `advise` sends is right: does the learning that applies reach the request?

    python -m benchmarks.advice_prompts [--scratch DIR]

In: one repository with the learnings of benchmarks/learnings (read from clap, fastify, pytest), of
this repository, and the thirty made ones. Changes that break one of them each: its own bad examples
(which the check finds), and code written by hand that breaks a made learning in a form that its
matcher does not know, alone and in the middle of sixty other added lines. Out: how often the broken
learning is among the sources, how many learnings are there, the tokens that they and the request
take, the CPU that a change of 300 lines costs. No model is asked. The windows of `advise` were
chosen on every second case of the last set; the others are counted once more by themselves.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.made_learnings import CASES
from benchmarks.program import common_arguments, workplace
from benchmarks.results import Recorder, table
from git_skillmesh.config import load
from git_skillmesh.gate.change import between
from git_skillmesh.git.repository import discover
from git_skillmesh.learnings.files import learnings_on_disk
from git_skillmesh.learnings.model import Learning, MatcherKind, State
from git_skillmesh.learnings.reading import read_learning
from git_skillmesh.training.advising import sources as gathered
from git_skillmesh.training.advising.advise import Limits, plan
from git_skillmesh.training.advising.model import Kind
from testing.learnings import files_of
from testing.repos import Repo, make_repo

ROOT = Path(__file__).parents[1]
_READ = ROOT / "benchmarks" / "learnings"
_ENDINGS = {
    "python": "py", "sql": "sql", "typescript": "ts", "tsx": "tsx", "javascript": "js", "go": "go",
    "rust": "rs", "yaml": "yaml", "bash": "sh", "html": "html", "dockerfile": "Dockerfile",
    "markdown": "md", "toml": "toml",
}  # fmt: skip
# Code that goes against a made learning, in words that its matcher does not look for. It was
# written once, before any of it was searched for; it is not to be changed to suit a ranking. The
# matcher of alt-text is no RE2, so nothing applies that one.
OTHERWISE = {
    "http-timeout": "def scans(parcel):\n    session = requests.Session()\n"
    "    answer = session.request('GET', depot_url(parcel))\n    return answer.json()\n",
    "no-sleep-in-tests": "def test_worker_is_done(worker):\n    worker.start()\n"
    "    asyncio.run(asyncio.sleep(3))\n    assert worker.done\n",
    "utc-everywhere": "def stamp(invoice):\n    invoice.dated = datetime.fromtimestamp(clock())\n"
    "    return invoice\n",
    "parameterised-sql": "def find(cursor, name):\n"
    "    query = 'SELECT * FROM people WHERE name = ' + quote(name)\n    cursor.execute(query)\n",
    "money-decimal": "def total(lines):\n    result = 0.0\n    for line in lines:\n"
    "        result += line.cents / 100\n    return round(result, 2)\n",
    "no-bare-except": "def read(path):\n    try:\n        return path.read_text()\n"
    "    except Exception:\n        return ''\n",
    "secrets-from-vault": "DATABASE_PASSWORD = 'correct horse battery'\n\n\ndef connect():\n"
    "    return driver.connect(user='app', password=DATABASE_PASSWORD)\n",
    "migration-two-steps": "ALTER TABLE parcels\n    DROP weight_old;\n",
    "index-concurrently": "ALTER TABLE parcels ADD UNIQUE (barcode);\nREINDEX TABLE parcels;\n",
    "react-keys": "export const List = ({ rows }) =>\n"
    "  rows.map((row, at) => <Row key={`row-${at}`} {...row} />);\n",
    "effect-cleanup": "useEffect(() => {\n  const timer = setInterval(refresh, 1000);\n"
    "  socket.on('scan', refresh);\n}, []);\n",
    "no-any": "export function parse(text: string) {\n"
    "  return JSON.parse(text) as unknown as Record<string, object>;\n}\n",
    "mutex-order": "func Move(from, to *Shelf) {\n\tfrom.mu.Lock()\n\tto.mu.Lock()\n"
    "\tdefer to.mu.Unlock()\n\tdefer from.mu.Unlock()\n}\n",
    "context-first": "func Fetch(id string) (*Parcel, error) {\n"
    "\treturn client.Get(context.TODO(), id)\n}\n",
    "wrap-errors": "func Load(path string) (*Config, error) {\n\tdata, err := os.ReadFile(path)\n"
    "\tif err != nil {\n\t\treturn nil, err\n\t}\n\treturn parse(data)\n}\n",
    "no-unwrap": 'fn port() -> u16 {\n    env::var("PORT").expect("set").parse().expect("port")\n'
    "}\n",
    "bounded-queues": "fn start() {\n    let (tx, rx) = std::sync::mpsc::channel();\n"
    "    spawn(move || drain(rx));\n    feed(tx);\n}\n",
    "idempotent-handlers": "@consumer('payments')\ndef on_payment(message):\n"
    "    account = accounts[message.account]\n    account.balance += message.amount\n",
    "retry-with-jitter": "def push(batch):\n    while not send(batch):\n        time.sleep(5)\n",
    "log-no-personal": "def sign_up(user):\n    logging.info('new user %s from %s', user.name, "
    "user.phone)\n",
    "feature-flag-default": "FLAGS = {\n    'new_checkout': Flag(enabled=True),\n}\n",
    "pin-actions": "jobs:\n  build:\n    steps:\n      - uses: actions/checkout@main\n",
    "quote-shell": "for file in $FILES; do\n    mv $file $TARGET/\ndone\n",
    "set-euo": "#!/usr/bin/env sh\ncd build\nmake all\nscp out/* host:/srv\n",
    "lazy-imports": "import torch\nfrom scipy import stats\n\n\ndef main(argv):\n"
    "    return 0\n",
    "n-plus-one": "def names(orders):\n    return [order.customer.name for order in orders]\n",
    "no-latest-tag": "FROM python\nCOPY . /app\nRUN pip install /app\n",
}  # fmt: skip


class Broken(NamedTuple):
    """A change that adds `code` to a file, and the learning that it breaks."""

    learning: str
    path: str
    code: str


def read_learnings() -> list[Learning]:
    """Return the learnings of three projects and of this one, as they are reviewed."""
    own = learnings_on_disk(discover(ROOT))
    found = [one.learning for one in own.values() if one.learning]
    for path in sorted(_READ.glob("*/*.yaml")):
        read = read_learning(f".skillmesh/learnings/{path.name}", path.read_bytes()).learning
        if read is not None:
            found.append(read)
    unique = {one.learning_id: one for one in found}
    return [one for one in unique.values() if one.state is not State.RETIRED]


def by_example(learnings: Sequence[Learning]) -> Iterator[Broken]:
    """Yield the bad examples of learnings about code."""
    for one in learnings:
        if one.matcher.kind in (MatcherKind.MESSAGE, MatcherKind.PATHS):
            continue
        for example in one.bad:
            path = example.path or _place(one.languages, one.paths)
            yield Broken(one.learning_id, path, example.code)


def otherwise() -> Iterator[Broken]:
    """Yield code that breaks a made learning in a form of its own."""
    of = {case.learning_id: case for case in CASES}
    for name, code in OTHERWISE.items():
        folder = "tests" if name == "no-sleep-in-tests" else "app"
        yield Broken(name, f"{folder}/{_place(of[name].languages)}", code)


def amid(broken: Broken) -> Broken:
    """Return the same change in the middle of sixty other added lines of its kind."""
    ending = broken.path.rpartition(".")[2]
    if ending == "py":
        lines = (ROOT / "src/git_skillmesh/git/quoting.py").read_text().splitlines()
        lines += (ROOT / "src/git_skillmesh/display.py").read_text().splitlines()
    else:  # more of what else was written in that language
        others = [one.code for one in otherwise() if one.path.endswith(f".{ending}")]
        lines = [line for code in others if code != broken.code for line in code.splitlines()] * 40
        lines = lines or [f"# line {number}" for number in range(60)]
    code = "\n".join([*lines[:30], "", broken.code.rstrip("\n"), "", *lines[30:60], ""])
    return broken._replace(code=code)


def at_length(count: int = 300) -> Broken:
    """Return a change that adds that many lines of a program."""
    lines = list[str]()
    for path in sorted((ROOT / "src/git_skillmesh/git").glob("*.py")):
        lines += path.read_text().splitlines()
    return Broken("", "app/changed.py", "\n".join(lines[:count]) + "\n")


def _place(languages: Sequence[str], paths: Sequence[str] = ()) -> str:
    """Return a file that a learning is about; its name gives nothing away."""
    ending = _ENDINGS.get(languages[0] if languages else "python", "txt")
    file = ending if ending == "Dockerfile" else f"changed.{ending}"
    within = next((glob for glob in paths if not glob.startswith("!")), "")
    folder = within.partition("*")[0].rstrip("/")
    return f"{folder}/{file}" if folder and not folder.endswith(ending) else file


class Found(NamedTuple):
    """What one change led to."""

    place: int  # of the broken learning among the learnings, from 1; 0: not there
    learnings: int
    tokens: int


def found(repo: Repo, broken: Broken) -> Found:
    """Plan advice on a change and look for the learning that it breaks."""
    base = repo.head
    repo.commit("change", {broken.path: broken.code})
    repository = discover(repo.path)
    made = plan(between(repository, base, "HEAD"), load(repository, environ={}), Limits())
    repo.git("reset", "--quiet", "--hard", base)
    if not made.requests:
        return Found(0, 0, 0)
    (request,) = made.requests[:1]
    ids = [one.id for one in request.sources.values() if one.kind is Kind.LEARNING]
    place = ids.index(broken.learning) + 1 if broken.learning in ids else 0
    return Found(place, len(ids), request.tokens)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    args = common_arguments("measure what reaches a request for advice").parse_args(argv)
    recorder = Recorder("advice-prompts", args.results)
    read, made = read_learnings(), [case.learning() for case in CASES]
    by_hand = list(otherwise())
    sets: dict[str, tuple[list[Broken], bool]] = {
        "bad examples": (list(by_example(read)), True),
        "bad examples, without the check": (list(by_example(read)), False),
        "in another form": (by_hand, True),
        "in another form, amid 60 lines": ([amid(one) for one in by_hand], True),
        "of these, not looked at": ([amid(one) for one in by_hand[1::2]], True),
    }
    rows: list[list[object]] = []
    missed: dict[str, list[str]] = {}
    with workplace(args.scratch) as bench:
        repo = make_repo(bench.folder / "advice", files={"README.md": "# A project\n"})
        repo.commit("learn", files_of(*{one.learning_id: one for one in [*made, *read]}.values()))
        for name, (changes, with_check) in sets.items():
            results = [_with(with_check, found, repo, one) for one in changes]
            places = [one.place for one in results]
            count = len(results)
            rows.append([
                name, count,
                *(f"{100 * sum(0 < p <= most for p in places) / count:.0f} %" for most in (1, 3)),
                f"{100 * sum(p > 0 for p in places) / count:.0f} %",
                f"{statistics.mean(one.learnings for one in results):.1f}",
                f"{statistics.median(one.tokens for one in results):,.0f}",
            ])  # fmt: skip
            pairs = zip(changes, places, strict=True)
            missed[name] = sorted({change.learning for change, place in pairs if not place})
        seconds = []
        for _ in range(3):
            begun = time.process_time()
            found(repo, at_length())
            seconds.append(time.process_time() - begun)
    print(f"a change of 300 lines: {min(seconds):.1f} s of CPU")
    head = ("changes", "count", "first", "first three", "sent", "learnings sent", "tokens")
    print(table(head, rows))
    for name, ids in missed.items():
        print(f"missed, {name}: {', '.join(ids) or 'none'}")
    recorder.write(
        rows=[list(map(str, row)) for row in rows],
        missed=missed,
        cpu_seconds=round(min(seconds), 2),
    )
    return 0


def _with(check: bool, work: Callable[[Repo, Broken], Found], repo: Repo, broken: Broken) -> Found:
    """Look without what the check finds, where that is asked for."""
    match = gathered.Memory._match
    if not check:
        setattr(gathered.Memory, "_match", lambda memory: None)  # noqa: B010
    try:
        return work(repo, broken)
    finally:
        setattr(gathered.Memory, "_match", match)  # noqa: B010


if __name__ == "__main__":
    raise SystemExit(main())
