"""`git skillmesh train`: train an adapter on a data set."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ExitCode, ReadOnly, UsageError
from ..files import expanded
from ..machine import cores
from .columns import plural
from .context import Context
from .terminal import progress_bar, safe_line

if TYPE_CHECKING:
    from ..training.lora.plan import Plan
    from ..training.lora.reading import Data

_METHODS = ("sft", "kto", "dpo")
_SIZES = ("tiny", "0.5b", "1.5b", "7b")
_REPLAY = 0.3


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "train",
        help="train an adapter (LoRA) on a data set",
        description="Train a LoRA adapter for a base model on a data set of `git skillmesh "
        "export-rl`. Ctrl-C saves, --resume goes on from there. Needs the extra "
        "git-skillmesh[train]. Exit code 1: nothing to train on.",
    )
    parser.add_argument(
        "--base", required=True, metavar="PATH_OR_ID",
        help="folder of a model, or its id on the hub, from where it is downloaded once",
    )  # fmt: skip
    parser.add_argument("--data", required=True, metavar="FILE", help="the data set")
    parser.add_argument(
        "--method", choices=_METHODS, help="how to train; as the data set is made for without"
    )
    parser.add_argument(
        "--preset", choices=_SIZES, default="tiny", help="settings for the size of the base"
    )
    parser.add_argument("--resume", action="store_true", help="go on with what was interrupted")
    parser.add_argument(
        "--from", dest="parent", metavar="ADAPTER",
        help="go on from an adapter, with the lines that it does not know",
    )  # fmt: skip
    parser.add_argument(
        "--replay", type=float, default=_REPLAY, metavar="X",
        help="with --from: share of the lines it knows that come again; 0.3 without",
    )  # fmt: skip
    parser.add_argument(
        "--replay-data", metavar="FILE", help="where these lines are, if not in the data set"
    )
    parser.add_argument("--output", metavar="DIR", help="the folder of adapters; the store without")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="0 without")
    parser.add_argument("--max-steps", type=int, default=0, metavar="N", help="no more than these")
    parser.add_argument("--epochs", type=float, metavar="X", help="rounds through the data")
    parser.add_argument("--learning-rate", type=float, metavar="X", help="the highest one")
    parser.add_argument("--length", type=int, metavar="N", help="tokens of a line")
    parser.add_argument("--batch", type=int, metavar="N", help="lines at once on a device")
    parser.add_argument("--accumulation", type=int, metavar="N", help="batches in a step")
    parser.add_argument("--rank", type=int, metavar="N", help="rank of the adapter")
    parser.add_argument(
        "--checkpoint-every", type=int, default=50, metavar="N", help="steps; 50 without"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), help="a GPU if there is one, without")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="of a CPU")
    parser.add_argument(
        "--control", choices=("shuffled",),
        help="an adapter to compare with: answers or labels are dealt out by chance",
    )  # fmt: skip
    parser.add_argument(
        "--plan", metavar="FILE", help="train nothing; write what `accelerate launch` needs"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-q", "--quiet", action="store_true", help="no notes")


def run(args: argparse.Namespace, context: Context) -> int:
    """Train, or write a plan."""
    from ..training.adapters.store import used
    from ..training.lora.starting import LAUNCH, train, unfinished

    plan = _plan(args, context)
    if args.plan is not None:
        path = _path(context, args.plan)
        try:
            plan.write(path)
        except OSError as error:
            raise ReadOnly(f"cannot write {path}", error.strerror or str(error)) from None
        context.out(f"{LAUNCH} {safe_line(str(path))}")
        return ExitCode.OK
    if unfinished(plan):
        if not plan.resume:
            raise UsageError(
                "the same training was interrupted before",
                f"--resume goes on with it; or remove {plan.work}",
            )
    elif plan.resume:
        context.note("nothing to go on with: it begins at the beginning")
    with (
        used(Path(plan.parent) if plan.parent else None),
        progress_bar("training", context.json or context.quiet) as progress,
    ):
        done = train(plan, progress)
    if done.interrupted:
        at = f" at step {done.step:,}" if done.step else ""
        context.note(f"interrupted{at}; go on with the same command and --resume")
        return ExitCode.INTERRUPTED
    if context.json:
        context.out_json({"schema": 1, **done.result})
    else:
        _print(context, done.result)
    return ExitCode.OK


def _plan(args: argparse.Namespace, context: Context) -> "Plan":
    from ..index.identity import repo_id
    from ..training import models
    from ..training.lora.folders import known_ids
    from ..training.lora.picking import pick
    from ..training.lora.plan import Plan
    from ..training.lora.presets import PRESETS
    from ..training.lora.reading import read
    from ..training.model import Form

    _check(args)
    preset = PRESETS[args.preset]
    data = read(_path(context, args.data))
    method = Form(args.method) if args.method else data.form
    output = _output(args.output, context)
    parent = _parent(args.parent, output, context)
    older: Data | None = read(_path(context, args.replay_data)) if args.replay_data else None
    known = known_ids(parent) if parent else ()
    name = parent.name if parent else ""
    picked = pick(data, method, known, args.replay, name, older, args.control or "", args.seed)
    if not context.json:
        again = f", {picked.replayed:,} of them again" if picked.replayed else ""
        context.note(f"{plural(len(picked.train), 'line')} to train on{again}")
    models.require("torch", "transformers", "peft", "trl", "accelerate", "datasets")
    base = args.base
    if expanded(base).is_dir() or context.folder:
        near = _path(context, base)
        base = str(near) if near.is_dir() else base
    folder = models.base_folder(base)
    digest = models.hash_of(folder)
    if parent is not None:
        models.check_base(parent, args.base, digest)
    repository = context.repository
    batch, accumulation = args.batch or preset.batch, args.accumulation or preset.accumulation
    if method is Form.KTO and batch == 1:  # it compares the lines of a batch with each other
        batch, accumulation = 2, max(1, accumulation // 2)
    return Plan(
        base=args.base, folder=str(folder), base_sha256=digest, data=str(data.path),
        data_sha256=data.sha256, method=method, preset=preset.name,
        rank=args.rank or preset.rank,
        alpha=preset.alpha * args.rank // preset.rank if args.rank else preset.alpha,
        dropout=preset.dropout, rate=args.learning_rate or preset.rate(method),
        batch=batch, accumulation=accumulation,
        length=args.length or preset.length, epochs=args.epochs or preset.epochs,
        saves=preset.saves, output=str(output), max_steps=args.max_steps, seed=args.seed,
        parent=str(parent) if parent else "", replay=args.replay if parent else 0.0,
        replay_data=str(older.path) if older else "",
        replay_sha256=older.sha256 if older else "", control=args.control or "",
        checkpoint_every=args.checkpoint_every, resume=args.resume, device=args.device or "",
        threads=args.threads or cores(),
        commit=repository.head_commit() or "", repo_id=repo_id(repository, context.config),
    )  # fmt: skip


def _check(args: argparse.Namespace) -> None:
    """Raise `UsageError` for numbers that mean nothing."""
    for name in ("max_steps", "seed", "threads"):
        if getattr(args, name) < 0:
            raise UsageError(f"--{name.replace('_', '-')} must be at least 0")
    for name in ("length", "batch", "accumulation", "rank", "checkpoint_every"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be at least 1")
    for name in ("epochs", "learning_rate"):
        value = getattr(args, name)
        if value is not None and not 0 < value < 1e6:
            raise UsageError(f"--{name.replace('_', '-')} must be more than 0")
    if not 0 <= args.replay <= 1:
        raise UsageError("--replay must be from 0 to 1")
    if args.replay_data and not args.parent:
        raise UsageError("--replay-data needs --from")


def _path(context: Context, name: str) -> Path:
    return ((context.folder or Path()) / expanded(name)).absolute()


def _output(name: str | None, context: Context) -> Path:
    """Return the folder of adapters: as asked for, as set, or beside the caches."""
    if name:
        return _path(context, name)
    from ..sessions.serving import adapters_folder

    return adapters_folder(context.repository, context.config)


def _parent(name: str | None, output: Path, context: Context) -> Path | None:
    """Return the folder of an adapter: a name in the store, or a path. Raises `UsageError`."""
    if not name:
        return None
    for folder in (output / name, _output(None, context) / name, _path(context, name)):
        if (folder / "training.json").is_file():
            return folder
    raise UsageError(f"no such adapter: {name}", "git skillmesh adapters list")


def _print(context: Context, result: dict[str, Any]) -> None:
    metrics = result["metrics"]
    context.out(
        f"{result['name']}: {plural(result['steps'], 'step')}, {result['seconds']} s"
        + (", gone on with" if result["resumed"] else "")
    )
    for title, key in (("loss", "loss"), ("validation", "validation")):
        if f"{key}_first" in metrics:
            context.out(f"  {title} {metrics[f'{key}_first']:.3f} → {metrics[f'{key}_last']:.3f}")
    context.out(context.style.path(safe_line(str(result["folder"]))))
