"""`git skillmesh nightly --install|--remove|--status`: the schedule, and the last run."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..errors import ExitCode, UsageError
from .context import Context
from .terminal import safe_line

if TYPE_CHECKING:
    from ..training.nightly.schedule.model import Standing

SCHEMA = 1


def schedule(args: argparse.Namespace, context: Context) -> int:
    """Set, take away or show the schedule."""
    from ..training.nightly.schedule import cron, github, systemd
    from ..training.nightly.schedule.model import plan_of

    kinds = {"cron": cron, "systemd": systemd, "github": github}
    repository = context.repository
    if args.install:
        if args.runs_on and args.install != "github":
            raise UsageError("--runs-on goes with --install github")
        for name in ("base", "method", "preset"):
            if getattr(args, name):
                raise UsageError(
                    f"--{name} is for one run", f"set skillmesh.train.{name}: every run has it"
                )
        plan = plan_of(repository, args.at, args.runs_on)
        if not context.config["train.base"]:
            context.note("no base model is set yet: git config skillmesh.train.base PATH")
        return _show(context, [kinds[args.install].install(repository, plan)], "every day at ")
    if args.remove:
        gone, refused = [], []
        for kind in kinds.values():
            try:
                gone.append(kind.remove(repository))
            except UsageError as error:
                refused.append(error)
        code = _show(context, [one for one in gone if one], "removed")
        if refused:
            raise refused[0]
        return code
    found = [one for kind in kinds.values() if (one := kind.status(repository))]
    return _status(context, found)


def _show(context: Context, standing: "list[Standing]", word: str) -> int:
    if context.json:
        context.out_json({"schema": SCHEMA, "schedules": [asdict(one) for one in standing]})
        return ExitCode.OK
    for one in standing:
        note = f"; {one.note}" if one.note else ""
        context.out(safe_line(f"{one.kind:8} {one.where}: {word}{one.at}{note}"))
    if not standing:
        context.note("there is no schedule")
    return ExitCode.OK


def _status(context: Context, found: "list[Standing]") -> int:
    from ..training.nightly.state import Store

    last = Store(context.repository).load().last
    if context.json:
        schedules = [asdict(one) for one in found]
        context.out_json({"schema": SCHEMA, "schedules": schedules, "last": last or None})
        return ExitCode.OK
    _show(context, found, "every day at ")
    if not last:
        context.out("last run: none yet")
        return ExitCode.OK
    context.out(safe_line(f"last run: {last['started']}, {last['outcome']}"))
    for step in last["steps"]:
        context.out(safe_line(f"  {step['name']:9}  {step['did']:11}  {step['why']}"))
    if last["next"]:
        context.out(safe_line(f"to go on: {last['next']}"))
    return ExitCode.OK
