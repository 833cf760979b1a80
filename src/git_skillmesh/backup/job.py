"""What a schedule runs every day to make a backup.

In: a folder, how many backups to keep, options. Out: a job. Its workflow on GitHub makes a backup
of what the remote has and keeps it as an artifact: hosted runners have no folder that outlives a
run.
"""

from collections.abc import Sequence

from ..schedule.model import Job, Workflow

_STEPS = """\
- run: git skillmesh backup --no-collections "$RUNNER_TEMP/skillmesh-backup.tar"
- run: git skillmesh backup --verify "$RUNNER_TEMP/skillmesh-backup.tar"
# Whoever may read the repository may download it: so they may fetch what is in it.
- uses: actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0
  with:
    name: skillmesh-backup
    path: ${{ runner.temp }}/skillmesh-backup.tar
    if-no-files-found: error
    retention-days: 30
    compression-level: 0
"""
_WORKFLOW = Workflow("back up what the remote has", minutes=60, package="git-skillmesh",
                     steps=_STEPS)  # fmt: skip


def job_of(words: Sequence[str] = ()) -> Job:
    """Return the job; `words` are the options and the folder of `git skillmesh backup`."""
    return Job(
        "backup", "backups", ("--quiet", *words), _WORKFLOW,
        usual_labels="ubuntu-latest", usual_time="01:30",
    )  # fmt: skip
