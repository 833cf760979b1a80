"""What a schedule runs every day to make a backup, and GitHub's workflow for it.

In: a folder, how many backups to keep, options. Out: a job. The workflow makes a backup of what the
remote has and keeps it as an artifact: hosted runners have no folder that outlives a run.
"""

from collections.abc import Sequence

from ..schedule.github import runs_on
from ..schedule.model import Job, Plan

NAME = "backup"
LABELS = "ubuntu-latest"
TIME = "01:30"
_DAYS = 30


def job_of(words: Sequence[str] = ()) -> Job:
    """Return the job; `words` are the options and the folder of `git skillmesh backup`."""
    return Job(NAME, "backups", ("--quiet", *words), workflow_of, LABELS, TIME)


def workflow_of(plan: Plan) -> str:
    """Return the workflow."""
    return f"""\
name: skillmesh backup
on:
  schedule:
    - cron: "{plan.minute} {plan.hour} * * *" # UTC
  workflow_dispatch:
permissions: {{}}
concurrency:
  group: skillmesh-backup
  cancel-in-progress: false
jobs:
  backup:
    name: back up what the remote has
    runs-on: {runs_on(plan)}
    timeout-minutes: 60
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
      - run: python -m pip install git-skillmesh
      # The token is known to this step alone, which fetches the conversations with it.
      - run: |
          header="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$TOKEN" | base64 -w0)"
          export GIT_CONFIG_COUNT=1 GIT_CONFIG_VALUE_0="$header"
          export GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraheader"
          git skillmesh sync --fetch-only
        env:
          TOKEN: ${{{{ github.token }}}}
      - run: git skillmesh backup --no-collections "$RUNNER_TEMP/skillmesh-backup.tar"
      - run: git skillmesh backup --verify "$RUNNER_TEMP/skillmesh-backup.tar"
      # Whoever may read the repository may download it: so they may fetch what is in it.
      - uses: actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0
        with:
          name: skillmesh-backup
          path: ${{{{ runner.temp }}}}/skillmesh-backup.tar
          if-no-files-found: error
          retention-days: {_DAYS}
          compression-level: 0
"""
