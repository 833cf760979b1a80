"""Jobs of GitHub Actions as the merge gate sees them: payloads, a merge, a forge that answers."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from testing.repos import Repo

REPOSITORY = "octo-org/example"
FORK = "stranger/example"
NUMBER = 7
ZEROS = "0" * 40


def pull_request(base: str, head: str, *, fork: bool = False) -> dict[str, Any]:
    """Return the payload of a pull request, of the fields that GitHub sends those that matter."""
    origin = FORK if fork else REPOSITORY
    return {
        "action": "synchronize",
        "number": NUMBER,
        "pull_request": {
            "number": NUMBER,
            "state": "open",
            "title": "Change $(id) `id` ${{ github.token }}",
            "head": {
                "label": f"{origin.partition('/')[0]}:topic",
                "ref": "topic",
                "sha": head,
                "repo": {"full_name": origin, "fork": fork},
            },
            "base": {"ref": "main", "sha": base, "repo": {"full_name": REPOSITORY}},
            "merge_commit_sha": None,
        },
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
    }


def push(before: str, after: str, ref: str = "refs/heads/topic") -> dict[str, Any]:
    """Return the payload of a push."""
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "created": before == ZEROS,
        "deleted": after == ZEROS,
        "forced": False,
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
    }


def merge_group(base: str, head: str) -> dict[str, Any]:
    """Return the payload of a merge queue."""
    return {
        "action": "checks_requested",
        "merge_group": {
            "head_sha": head,
            "head_ref": "refs/heads/gh-readonly-queue/main/pr-7",
            "base_ref": "refs/heads/main",
            "base_sha": base,
        },
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
    }


def workflow_dispatch() -> dict[str, Any]:
    """Return the payload of a run that somebody started."""
    return {
        "inputs": None,
        "ref": "refs/heads/topic",
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
    }


def job(folder: Path, event: str, payload: Mapping[str, Any], **inputs: str) -> dict[str, str]:
    """Return the environment of a step; its files are in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "event.json").write_text(json.dumps(payload))
    for name in ("output", "summary"):
        (folder / name).write_text("")
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_API_URL": "http://127.0.0.1:9",
        "RUNNER_TEMP": str(folder),
        **{f"GATE_{name.upper()}": value for name, value in inputs.items()},
    }


def outputs(folder: Path) -> dict[str, str]:
    """Return the outputs that a step has set."""
    lines = (folder / "output").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def merged(repo: Repo, topic: str, into: str = "main") -> str:
    """Check out the merge that GitHub makes of a pull request; return its commit."""
    repo.git("checkout", "--quiet", "--detach", into)
    repo.git("merge", "--quiet", "--no-ff", "-m", f"Merge {topic} into {into}", topic)
    return repo.head


@dataclass
class Forge:
    """The comments of one pull request, as the API keeps them."""

    url: str = ""
    refuses: int = 0
    comments: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def say(self, body: str, login: str) -> None:
        """Add a comment."""
        self.comments.append({"id": len(self.comments) + 1, "body": body, "user": {"login": login}})


@contextmanager
def forge() -> Iterator[Forge]:
    """Answer the calls for comments on this machine."""
    state = Forge()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            page, size = int(asked["page"][0]), int(asked["per_page"][0])
            self.answer(200, state.comments[(page - 1) * size : page * size])

        def do_POST(self) -> None:
            state.say(self.body(), "github-actions[bot]")
            self.answer(201, state.comments[-1])

        def do_PATCH(self) -> None:
            comment = state.comments[int(self.path.rpartition("/")[2]) - 1]
            comment["body"] = self.body()
            self.answer(200, comment)

        def body(self) -> str:
            length = int(self.headers["Content-Length"])
            return str(json.loads(self.rfile.read(length))["body"])

        def answer(self, status: int, content: object) -> None:
            state.calls.append((self.command, urlsplit(self.path).path))
            state.tokens.add(self.headers["Authorization"])
            data = json.dumps(content).encode()
            self.send_response(state.refuses or status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
