"""`git skillmesh nightly`: all steps from rewards to deployment, and their schedule."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ..errors import ReadOnly, UsageError
from ..files import expanded
from .context import Context
from .scheduling import add_options, check_options

_METHODS = ("sft", "kto", "dpo")
_PRESETS = ("tiny", "0.5b", "1.5b", "7b")
_STEPS = ("rewards", "export-rl", "train", "evaluate", "deploy")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "nightly",
        help="rewards to deployment in one run, as far as there is news",
        description="Run rewards, export-rl, train, adapters evaluate and adapters deploy, one "
        "after the other. What has not changed is left out; what failed or was interrupted is "
        "taken up by the next run. An adapter that is not better is not deployed. The exit code "
        "is that of the step that failed.",
    )
    parser.add_argument("--base", metavar="PATH", help="the base model; train.base without")
    parser.add_argument("--method", choices=_METHODS, help="how to train; train.method without")
    parser.add_argument(
        "--preset", choices=_PRESETS, help="how large the base is; train.preset without"
    )
    parser.add_argument(
        "more", nargs="*", metavar="-- OPTION",
        help="behind --: options of train, such as --epochs 1",
    )  # fmt: skip
    parser.add_argument(
        "--step", nargs="+", choices=_STEPS, action="extend", metavar="NAME",
        help="only these steps: rewards, export-rl, train, evaluate, deploy",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="do what has not changed again, too")
    parser.add_argument(
        "--dry-run", action="store_true", help="only say what would be done, and why"
    )
    parser.add_argument(
        "--markdown", metavar="FILE", help="add the report to this file, as Markdown"
    )
    add_options(parser, "run every night: set the schedule", "02:30", "self-hosted,gpu")
    parser.add_argument("--status", action="store_true", help="show schedules and the last run")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only what failed")
    parser.add_argument(
        "--json", action="store_true", help="print JSON, see docs/automated_rl_pipeline.md"
    )
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Run the pipeline, or change its schedule."""
    if len(args.more) != len(args.paths_given):
        raise UsageError(f"no such argument: {args.more[0]}", "options of train go behind --")
    asked = [name for name in ("install", "remove", "status") if getattr(args, name)]
    check_options(args, asked)
    if asked:
        from .nightly_schedule import schedule

        return schedule(args, context)
    return _pipeline(args, context)


def _pipeline(args: argparse.Namespace, context: Context) -> int:
    from ..training.model import Form
    from ..training.nightly.model import STEPS, Options
    from ..training.nightly.pipeline import nightly
    from ..training.nightly.report import markdown_of, succeeded, text_of

    config = context.config
    steps = tuple(name for name in STEPS if name in (args.step or STEPS))
    base = _base(args.base, context)
    if not base and {"train", "evaluate"} & set(steps):
        raise UsageError("no base model is named", "--base PATH, or skillmesh.train.base")
    options = Options(
        base, Form(args.method or config["train.method"]), args.preset or config["train.preset"],
        config.number("train.minimumlines"), steps, args.force, args.dry_run, tuple(args.more),
    )  # fmt: skip
    file = (context.folder or Path()) / args.markdown if args.markdown else None
    if file is not None and not file.parent.is_dir():
        raise UsageError(f"no such folder: {file.parent}")
    report = nightly(context.repository, config, options, _progress(context))
    if file is not None:
        _add(file, markdown_of(report))
    if context.json:
        context.out_json(report.document())
    elif not context.quiet:
        for line in text_of(report, context.style):
            context.out(line)
    if not succeeded(report):
        failed = [step for step in report.steps if step.code]
        what = f"{failed[-1].name}: {failed[-1].why}" if failed else "interrupted"
        _say(what, report.next)
    return report.code


def _base(named: str | None, context: Context) -> str:
    """Return the base as steps take it: a path as one that does not depend on the folder."""
    base = named or context.config["train.base"]
    root = (context.folder or Path()) if named else (context.repository.top or Path())
    path = root / expanded(base)
    return str(path.absolute()) if base and path.exists() else base


def _progress(context: Context) -> Callable[[str, str], None] | None:
    from .terminal import safe_line

    if context.json or context.quiet or not sys.stderr.isatty():
        return None
    return lambda name, why: context.note(safe_line(f"{name} … ({why})"))


def _add(file: Path, text: str) -> None:
    try:
        with file.open("a", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise ReadOnly(f"cannot write {file}", error.strerror or str(error)) from None


def _say(what: str, mend: str) -> None:
    from .terminal import safe_line

    how = f" (to go on: {mend})" if mend else ""
    print(f"git-skillmesh: {safe_line(what)}{how}", file=sys.stderr)
