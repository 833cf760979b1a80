"""`git skillmesh adapters evaluate`: judge an adapter, and keep the judgement."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ExitCode, UsageError
from .adapters import opened
from .columns import plural
from .context import Context
from .terminal import progress_bar, safe_line

if TYPE_CHECKING:
    from ..training.model import Marks


def evaluate(args: argparse.Namespace, context: Context) -> int:
    """Judge, print, keep. Raises `UsageError`, `Unavailable`, `Damaged`."""
    from contextlib import ExitStack

    from ..training.models import require

    if args.data is None:
        raise UsageError("evaluate takes a data set", "--data FILE, as export-rl wrote it")
    require("torch", "transformers", "peft")
    from ..training.alone import settle

    settle()
    from ..training.adapters.deploying import BASE
    from ..training.adapters.judgements import write_judgement
    from ..training.evaluation import Options, evaluate
    from ..training.heldout import read_held_out

    store, deployments = opened(context)
    name = args.names[0]
    store.usable(name)
    against = deployments.active_name() if args.against is None else args.against
    against = "" if against == BASE else against
    folder = context.folder or Path()
    data = read_held_out(folder / args.data)
    options = Options(
        longest=args.longest, batch=args.batch, write=args.write, most_written=args.write_tokens,
        general=args.general, margin=args.margin,
        groups=args.groups, device=args.device,
    )  # fmt: skip
    with ExitStack() as stack:
        for used in {name, against} - {""}:
            stack.enter_context(store.using(used))
        progress = stack.enter_context(progress_bar("judging", context.json or context.quiet))
        judged = evaluate(
            store, name, data, options, base=args.base or "", against=against, progress=progress
        )
        write_judgement(store.folder, judged)
    if context.json:
        context.out_json(judged.document())
        return ExitCode.OK
    one = judged.judgement
    context.out(f"{one.adapter} is {'better' if one.better else 'not better'}")
    for reason in one.reasons:
        context.out(f"  {safe_line(reason)}")
    rows = {one.adapter: one.marks, "its base": one.base}
    if one.active:
        rows[one.against] = one.active
    for who, marks in rows.items():
        context.out(f"  {safe_line(who):<26} {_marks(marks)}")
    lines, tokens = plural(one.marks.lines, "line"), plural(one.marks.tokens, "token")
    context.note(f"{lines} in {plural(one.groups, 'group')}, {tokens}")
    if trained := judged.options["trained_on"]:
        context.note(f"{plural(trained, 'line')} left out, for an adapter was trained on them")
    return ExitCode.OK


def _marks(marks: "Marks") -> str:
    loss, general = marks.loss, marks.general
    said = f"loss {loss.mean:.3f} ({loss.low:.3f} to {loss.high:.3f}), general {general.mean:.3f}"
    if marks.exact is not None and marks.similar is not None:
        said += f", edits {marks.exact:.0%} exact, {marks.similar:.2f} similar"
    return said
