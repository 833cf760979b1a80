"""`git skillmesh nightly --install|--remove|--status`: the schedule, and the last run."""

import argparse
from dataclasses import asdict

from ..errors import ExitCode, UsageError
from .context import Context
from .scheduling import EVERY_DAY, SCHEMA, install, remove, show, standing
from .terminal import safe_line


def schedule(args: argparse.Namespace, context: Context) -> int:
    """Set, take away or show the schedule."""
    from ..schedule.model import plan_of
    from ..training.nightly.job import NIGHTLY

    if args.install:
        for name in ("base", "method", "preset"):
            if getattr(args, name):
                raise UsageError(
                    f"--{name} is for one run", f"set skillmesh.train.{name}: every run has it"
                )
        plan_of(context.repository, NIGHTLY, args.at, args.runs_on)  # before anything is said
        if not context.config["train.base"]:
            context.note("no base model is set yet: git config skillmesh.train.base PATH")
        return install(context, NIGHTLY, args)
    if args.remove:
        return remove(context, NIGHTLY)
    return _status(context)


def _status(context: Context) -> int:
    from ..training.nightly.job import NIGHTLY
    from ..training.nightly.state import Store

    found = standing(context, NIGHTLY)
    last = Store(context.repository).load().last
    if context.json:
        schedules = [asdict(one) for one in found]
        context.out_json({"schema": SCHEMA, "schedules": schedules, "last": last or None})
        return ExitCode.OK
    show(context, found, EVERY_DAY)
    if not last:
        context.out("last run: none yet")
        return ExitCode.OK
    context.out(safe_line(f"last run: {last['started']}, {last['outcome']}"))
    for step in last["steps"]:
        context.out(safe_line(f"  {step['name']:9}  {step['did']:11}  {step['why']}"))
    if last["next"]:
        context.out(safe_line(f"to go on: {last['next']}"))
    return ExitCode.OK
