"""A workflow of GitHub that runs the pipeline every night, on a runner that keeps its checkout.

In: a plan. Out: .github/workflows/skillmesh-nightly.yml. Actions are pinned by commit, the token
may read and nothing else; names of branches and the like reach no script.
"""

from pathlib import Path

from ....errors import UsageError
from ....git.repository import Repository
from .model import Plan, Standing, check, is_ours, place, stamped

NAME = ".github/workflows/skillmesh-nightly.yml"


def workflow_of(plan: Plan) -> str:
    """Return the workflow."""
    labels = f"[{', '.join(plan.labels)}]"
    if "self-hosted" in plan.labels:
        labels += " # zizmor: ignore[self-hosted-runner] started by the schedule or by hand only"
    return f"""\
name: skillmesh nightly
on:
  schedule:
    - cron: "{plan.minute} {plan.hour} * * *" # UTC
  workflow_dispatch:
permissions: {{}}
concurrency:
  group: skillmesh-nightly
  cancel-in-progress: false
jobs:
  nightly:
    name: train at night
    # The checkout has to outlive a run: what was trained and deployed is kept in its git directory.
    runs-on: {labels}
    timeout-minutes: 350
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
      - run: python -m pip install "git-skillmesh[train]"
      # The token is known to this step alone, which fetches the conversations with it.
      - run: |
          header="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$TOKEN" | base64 -w0)"
          export GIT_CONFIG_COUNT=1 GIT_CONFIG_VALUE_0="$header"
          export GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraheader"
          git skillmesh sync --fetch-only
        env:
          TOKEN: ${{{{ github.token }}}}
      - run: git skillmesh nightly --base "$BASE" --markdown "$GITHUB_STEP_SUMMARY"
        env:
          BASE: ${{{{ vars.SKILLMESH_BASE }}}} # empty: skillmesh.train.base of the runner
"""


def install(repository: Repository, plan: Plan) -> Standing:
    """Write the workflow. Raises `UsageError`, `ReadOnly`."""
    path = _path(repository)
    place(path, stamped("github", workflow_of(plan)))
    return Standing("github", NAME, f"{plan.at} UTC", "commit it")


def remove(repository: Repository) -> Standing | None:
    """Remove the workflow; None if there is none."""
    if repository.top is None or not is_ours(path := _path(repository)):
        return None
    check(path)
    path.unlink()
    for folder in (path.parent, path.parent.parent):
        if any(folder.iterdir()):
            break
        folder.rmdir()
    return Standing("github", NAME, note="commit that")


def status(repository: Repository) -> Standing | None:
    """Return the schedule as it stands, None if there is none."""
    if repository.top is None or not is_ours(path := _path(repository)):
        return None
    lines = path.read_text("utf-8", "replace").splitlines()
    cron = next((line.split('"')[1].split() for line in lines if "- cron:" in line), [])
    is_time = len(cron) > 1 and cron[0].isdigit() and cron[1].isdigit()
    at = f"{int(cron[1]):02}:{int(cron[0]):02} UTC" if is_time else ""
    return Standing("github", NAME, at)


def _path(repository: Repository) -> Path:
    if repository.top is None:
        raise UsageError("a bare repository has no workflows")
    return repository.top / NAME
