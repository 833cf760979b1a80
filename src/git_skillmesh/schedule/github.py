"""A workflow of GitHub that runs a job every day.

In: a plan. Out: .github/workflows/skillmesh-NAME.yml. Actions are pinned by commit, the token may
read and nothing else; names of branches and the like reach no script.
"""

import textwrap
from pathlib import Path

from ..errors import UsageError
from ..git.repository import Repository
from .model import Job, Plan, Standing, check, is_ours, place, stamped


def name_of(job: Job) -> str:
    """Return the path of a job's workflow from the top of the repository."""
    return f".github/workflows/skillmesh-{job.name}.yml"


def workflow_of(plan: Plan) -> str:
    """Return the workflow."""
    job, own = plan.job, plan.job.workflow
    runner = f"    # {own.runner}\n" if own.runner else ""
    return f"""\
name: skillmesh {job.name}
on:
  schedule:
    - cron: "{plan.minute} {plan.hour} * * *" # UTC
  workflow_dispatch:
permissions: {{}}
concurrency:
  group: skillmesh-{job.name}
  cancel-in-progress: false
jobs:
  {job.name}:
    name: {own.title}
{runner}    runs-on: {_runs_on(plan)}
    timeout-minutes: {own.minutes}
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          persist-credentials: false
          fetch-depth: 0
      - uses: actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0
        with:
          python-version: "3.12"
      - run: python -m pip install {own.package}
      # The token is known to this step alone, which fetches the conversations with it.
      - run: |
          header="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$TOKEN" | base64 -w0)"
          export GIT_CONFIG_COUNT=1 GIT_CONFIG_VALUE_0="$header"
          export GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraheader"
          git skillmesh sync --fetch-only
        env:
          TOKEN: ${{{{ github.token }}}}
{textwrap.indent(own.steps, " " * 6)}"""


def _runs_on(plan: Plan) -> str:
    labels = f"[{', '.join(plan.labels)}]"
    if "self-hosted" in plan.labels:
        labels += " # zizmor: ignore[self-hosted-runner] started by the schedule or by hand only"
    return labels


def install(repository: Repository, plan: Plan) -> Standing:
    """Write the workflow. Raises `UsageError`, `ReadOnly`."""
    job, path = plan.job, _path(repository, plan.job)
    place(job, path, stamped(job, "github", workflow_of(plan)))
    return Standing("github", name_of(job), f"{plan.at} UTC", "commit it")


def remove(repository: Repository, job: Job) -> Standing | None:
    """Remove the workflow; None if there is none."""
    if repository.top is None or not is_ours(job, path := _path(repository, job)):
        return None
    check(job, path)
    path.unlink()
    for folder in (path.parent, path.parent.parent):
        if any(folder.iterdir()):
            break
        folder.rmdir()
    return Standing("github", name_of(job), note="commit that")


def status(repository: Repository, job: Job) -> Standing | None:
    """Return the schedule as it stands, None if there is none."""
    if repository.top is None or not is_ours(job, path := _path(repository, job)):
        return None
    lines = path.read_text("utf-8", "replace").splitlines()
    cron = next((line.split('"')[1].split() for line in lines if "- cron:" in line), [])
    is_time = len(cron) > 1 and cron[0].isdigit() and cron[1].isdigit()
    at = f"{int(cron[1]):02}:{int(cron[0]):02} UTC" if is_time else ""
    return Standing("github", name_of(job), at)


def _path(repository: Repository, job: Job) -> Path:
    if repository.top is None:
        raise UsageError("a bare repository has no workflows")
    return repository.top / name_of(job)
