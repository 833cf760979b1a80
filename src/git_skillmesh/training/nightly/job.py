"""What a schedule runs every night, and GitHub's workflow for it.

In: a plan. Out: a workflow on a runner that keeps its checkout. Actions are pinned by commit, the
token may read and nothing else; names of branches and the like reach no script.
"""

from ...schedule.github import runs_on
from ...schedule.model import Job, Plan


def workflow_of(plan: Plan) -> str:
    """Return the workflow."""
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
    runs-on: {runs_on(plan)}
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


# A training that is told to stop saves what it has.
NIGHTLY = Job(
    "nightly", "training at night", ("--quiet",), workflow_of, "self-hosted,gpu", stop_seconds=300
)
