"""`--install` and `--remove` of commands that run every day: the same for each of them.

In: the command's job and what the user has typed. Out: the schedule, changed and shown.
"""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..errors import ExitCode, UsageError
from .context import Context
from .terminal import safe_line

if TYPE_CHECKING:
    from ..schedule.model import Job, Standing

SCHEMA = 1
SCHEDULERS = ("cron", "systemd", "github")
EVERY_DAY = "every day at "


def add_options(parser: argparse.ArgumentParser, install: str, usual: str, labels: str) -> None:
    """Add the options of a schedule; `install` says what it is for, the others what is usual."""
    parser.add_argument("--install", choices=SCHEDULERS, help=install)
    parser.add_argument(
        "--at", metavar="HH:MM", help=f"with --install: when; {usual} without"
    )  # fmt: skip
    parser.add_argument(
        "--runs-on", metavar="LABELS",
        help=f"with --install github: labels of the runner; {labels} without",
    )  # fmt: skip
    parser.add_argument("--remove", action="store_true", help="take all schedules away")


def check_options(args: argparse.Namespace, asked: list[str]) -> None:
    """Raise `UsageError` for options of a schedule that do not go together."""
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]} exclude each other")
    for name in ("at", "runs_on"):
        if getattr(args, name) is not None and asked != ["install"]:
            raise UsageError(f"--{name.replace('_', '-')} goes with --install")
    if args.runs_on and args.install != "github":
        raise UsageError("--runs-on goes with --install github")


def install(context: Context, job: "Job", args: argparse.Namespace) -> int:
    """Set the schedule. Raises `UsageError`, `Unavailable`, `ReadOnly`."""
    from ..schedule import cron, github, systemd
    from ..schedule.model import plan_of

    kind = {"cron": cron, "systemd": systemd, "github": github}[args.install]
    plan = plan_of(context.repository, job, args.at, args.runs_on)
    return show(context, [kind.install(context.repository, plan)], EVERY_DAY)


def remove(context: Context, job: "Job") -> int:
    """Take all schedules of a job away. Raises `UsageError` for what has been edited."""
    from ..schedule import cron, github, systemd

    gone, refused = [], []
    for kind in (cron, systemd, github):
        try:
            gone.append(kind.remove(context.repository, job))
        except UsageError as error:
            refused.append(error)
    code = show(context, [one for one in gone if one], "removed")
    if refused:
        raise refused[0]
    return code


def standing(context: Context, job: "Job") -> "list[Standing]":
    """Return the schedules of a job that there are."""
    from ..schedule import cron, github, systemd

    found = [kind.status(context.repository, job) for kind in (cron, systemd, github)]
    return [one for one in found if one]


def show(context: Context, schedules: "list[Standing]", word: str) -> int:
    """Print schedules, each with a word of what is or was done."""
    if context.json:
        context.out_json({"schema": SCHEMA, "schedules": [asdict(one) for one in schedules]})
        return ExitCode.OK
    for one in schedules:
        note = f"; {one.note}" if one.note else ""
        context.out(safe_line(f"{one.kind:8} {one.where}: {word}{one.at}{note}"))
    if not schedules:
        context.note("there is no schedule")
    return ExitCode.OK
