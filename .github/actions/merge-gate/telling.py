"""Who is told what the gate found: the log, annotations, the summary, files, a comment.

In: the report as JSON. Out: outputs of the step. A comment that cannot be written, as from a
fork, is no failure: the summary has the same.
"""

import json
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from choice import Unusable

from git_skillmesh.gate.model import FailOn
from git_skillmesh.gate.reports import github, markdown, sarif, text
from git_skillmesh.gate.reports import json as as_json

_SECONDS = 30
_PAGES = 20
_PER_PAGE = 100


def tell(
    document: str,
    fail_on_word: str,
    formats: Sequence[str],
    environment: Mapping[str, str],
    log: Callable[[str], None],
) -> dict[str, object]:
    """Write every report that is asked for; return the outputs of the step."""
    report, fail_on = as_json.parse(document), FailOn(fail_on_word)
    code = report.exit_code(fail_on)
    url = f"{environment['GITHUB_SERVER_URL']}/{environment['GITHUB_REPOSITORY']}"
    if "text" in formats:
        log(text.render(report, fail_on=fail_on, width=100))
    if "github" in formats:
        print(github.render(report, fail_on=fail_on), flush=True)
    wanted = environment.get("GATE_COMMENT", "") == "true"
    commented = wanted and _comment(
        markdown.render(report, fail_on=fail_on, repository_url=url, limit=markdown.COMMENT),
        bool(report.findings or code),
        environment,
    )
    if "markdown" in formats or (wanted and not commented):
        shown = markdown.render(report, fail_on=fail_on, repository_url=url)
        with open(environment["GITHUB_STEP_SUMMARY"], "a", encoding="utf-8") as file:
            file.write(f"{shown}\n")
    if path := environment.get("GATE_JSON", ""):
        _write(path, document, environment)
    log_file = ""
    if environment.get("GATE_SARIF", "") or environment.get("GATE_SARIF_UPLOAD", "") == "true":
        name = environment.get("GATE_SARIF", "") or f"{environment['RUNNER_TEMP']}/skillmesh.sarif"
        # Code scanning would open alerts for what is excused.
        shown = sarif.render(report, fail_on=fail_on, with_suppressed=False)
        log_file = _write(name, shown, environment)
    blocking = sum(one.blocks for one in report.findings)
    return {
        "exit_code": int(code),
        "findings": len(report.findings),
        "blocking": blocking,
        "sarif": log_file,
    }


def _write(name: str, text: str, environment: Mapping[str, str]) -> str:
    """Write a file; a link that the change put in its place is replaced, never followed."""
    folder = (Path.cwd() / name).parent.resolve()
    allowed = (Path.cwd().resolve(), Path(environment["RUNNER_TEMP"]).resolve())
    if not folder.is_dir() or not any(folder.is_relative_to(one) for one in allowed):
        raise Unusable(f"{name} is in no folder of the workspace or for temporary files")
    path = folder / Path(name).name
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:
        file.write(f"{text}\n")
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
    return str(path)


def _comment(body: str, worth_one: bool, environment: Mapping[str, str]) -> bool:
    """Write or update the comment of the pull request; whether nobody needs to be told otherwise.

    A clean change gets no comment, but one of an earlier run is brought up to date.
    """
    payload = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_text("utf-8"))
    request = payload.get("pull_request")
    if not request:
        return False
    repository, number = environment["GITHUB_REPOSITORY"], int(request["number"])
    origin = (request["head"]["repo"] or {}).get("full_name", "")
    if origin != repository:
        print("a pull request from a fork gets no comment, but the summary of the job")
        return False
    api = f"{environment['GITHUB_API_URL']}/repos/{repository}/issues"
    token = environment.get("GATE_TOKEN", "")
    try:
        old = _own_comment(f"{api}/{number}/comments", token, environment)
        if old is not None:
            _call("PATCH", f"{api}/comments/{old}", token, {"body": body})
        elif worth_one:
            _call("POST", f"{api}/{number}/comments", token, {"body": body})
    except (OSError, ValueError, KeyError, TypeError) as error:
        status = error.code if isinstance(error, urllib.error.HTTPError) else type(error).__name__
        print(
            f"::notice title=git skillmesh::no comment could be written ({status}): "
            "the token needs pull-requests%3A write. The summary has the report."
        )
        return False
    return True


def _own_comment(url: str, token: str, environment: Mapping[str, str]) -> int | None:
    """Return the comment of an earlier run: marked, and by us, for anybody can write a marker."""
    author = environment.get("GATE_COMMENT_AUTHOR", "") or "github-actions[bot]"
    for page in range(1, _PAGES + 1):
        listed = _call("GET", f"{url}?per_page={_PER_PAGE}&page={page}", token)
        for one in listed:
            if one["user"]["login"] == author and one["body"].startswith(markdown.MARKER):
                return int(one["id"])
        if len(listed) < _PER_PAGE:
            break
    return None


def _call(method: str, url: str, token: str, content: "dict[str, str] | None" = None) -> Any:
    if not url.startswith(("https://", "http://")):
        raise ValueError(url)
    request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
        url,
        data=None if content is None else json.dumps(content).encode(),
        method=method,
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "User-Agent": "git-skillmesh",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
        return json.loads(answer.read())
