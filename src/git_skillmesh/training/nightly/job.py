"""What a schedule runs every night, on GitHub on a runner that keeps its checkout.

In: nothing. Out: the job.
"""

from ...schedule.model import Job, Workflow

_STEPS = """\
- run: git skillmesh nightly --base "$BASE" --markdown "$GITHUB_STEP_SUMMARY"
  env:
    BASE: ${{ vars.SKILLMESH_BASE }} # empty: skillmesh.train.base of the runner
"""
_WORKFLOW = Workflow(
    "train at night", minutes=350, package='"git-skillmesh[train]"', steps=_STEPS,
    runner="The checkout has to outlive a run: what was trained and deployed is kept in its git "
    "directory.",
)  # fmt: skip
# A training that is told to stop saves what it has.
NIGHTLY = Job(
    "nightly", "training at night", ("--quiet",), _WORKFLOW,
    usual_labels="self-hosted,gpu", usual_time="02:30", stop_seconds=300,
)  # fmt: skip
