"""A workflow of GitHub that runs a job every day.

In: a plan, whose job makes the text. Out: .github/workflows/skillmesh-NAME.yml.
"""

from pathlib import Path

from ..errors import UsageError
from ..git.repository import Repository
from .model import Job, Plan, Standing, check, is_ours, place, stamped


def name_of(job: Job) -> str:
    """Return the path of a job's workflow from the top of the repository."""
    return f".github/workflows/skillmesh-{job.name}.yml"


def runs_on(plan: Plan) -> str:
    """Return the labels of the runners as a workflow has them."""
    labels = f"[{', '.join(plan.labels)}]"
    if "self-hosted" in plan.labels:
        labels += " # zizmor: ignore[self-hosted-runner] started by the schedule or by hand only"
    return labels


def install(repository: Repository, plan: Plan) -> Standing:
    """Write the workflow. Raises `UsageError`, `ReadOnly`."""
    job, path = plan.job, _path(repository, plan.job)
    place(job, path, stamped(job, "github", job.workflow(plan)))
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
