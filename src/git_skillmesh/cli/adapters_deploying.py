"""`git skillmesh adapters deploy|rollback|target`: what is active, and how engines are told."""

import argparse
from typing import TYPE_CHECKING, Any

from ..errors import ExitCode, SkillmeshError, UsageError
from .adapters import SCHEMA, opened
from .context import Context
from .terminal import safe, safe_line

if TYPE_CHECKING:
    from ..training.adapters.deploying import Outcome, Prepare
    from ..training.adapters.manifest import Manifest
    from ..training.adapters.store import Store
    from ..training.adapters.targets import Recipe
    from ..training.adapters.vllm import Server

_API = "vllm-api"


def deploy(args: argparse.Namespace, context: Context) -> int:
    """Make an adapter active."""
    store, deployments = opened(context)
    name = args.names[0]
    recipe = _recipe(args, context, store, name)
    engine = _engine(args, context)
    outcome = deployments.deploy(
        name, force=args.force, reason=args.reason, if_active=args.if_active,
        prepare=_loading(engine, store),
    )  # fmt: skip
    return _tell(context, outcome, recipe, engine)


def rollback(args: argparse.Namespace, context: Context) -> int:
    """Make active what was so before."""
    store, deployments = opened(context)
    if args.target:
        _known(args.target)
    engine = _engine(args, context)
    outcome = deployments.rollback(
        args.names[0] if args.names else None, reason=args.reason, if_active=args.if_active,
        prepare=_loading(engine, store),
    )  # fmt: skip
    name = outcome.manifest.deployment.adapter
    return _tell(context, outcome, _recipe(args, context, store, name), engine)


def target(args: argparse.Namespace, context: Context) -> int:
    """Show how engines are told to serve an adapter."""
    from ..training.adapters.targets import TARGETS, recipe
    from ..training.adapters.vllm import server_of

    words = args.names[1:] if args.names[:1] == ["show"] else args.names
    if len(words) > 1:
        raise UsageError(f"no such action: target {args.names[0]}", "target show [TARGET]")
    for word in words:
        _known(word)
    store, deployments = opened(context)
    name = args.adapter or deployments.active_name()
    if not name:
        raise UsageError("no adapter is active", "name one by --adapter")
    entry, adapter = store.usable(name)
    url = server_of(context.config, args.url).url if _API in (words or TARGETS) else ""
    found = [recipe(one, entry.folder, adapter, base=args.base or "", url=url)
             for one in words or TARGETS]  # fmt: skip
    if context.json:
        context.out_json({"schema": SCHEMA, "adapter": name, "targets": list(map(_as_json, found))})
        return ExitCode.OK
    for one in found:
        _print(context, one, heading=not words)
    return ExitCode.OK


def _known(name: str) -> None:
    from ..training.adapters.targets import TARGETS

    if name not in TARGETS:
        raise UsageError(f"no such target: {name}", ", ".join(TARGETS))


def _recipe(
    args: argparse.Namespace, context: Context, store: "Store", name: str
) -> "Recipe | None":
    if args.target:
        _known(args.target)
    if not args.target or not name:
        return None
    from ..training.adapters.targets import recipe

    entry, adapter = store.usable(name)
    return recipe(args.target, entry.folder, adapter, base=args.base or "", url=args.url or "")


def _engine(args: argparse.Namespace, context: Context) -> "Server | None":
    if args.target != _API:
        return None
    from ..training.adapters.vllm import server_of

    return server_of(context.config, args.url)


def _loading(engine: "Server | None", store: "Store") -> "Prepare | None":
    """Return what makes sure that the engine has an adapter before it becomes active."""
    if engine is None:
        return None

    def load(made: "Manifest") -> None:
        if name := made.deployment.adapter:
            engine.load(name, store.folder_of(name))

    return load


def _tell(
    context: Context, outcome: "Outcome", recipe: "Recipe | None", engine: "Server | None"
) -> int:
    now = outcome.manifest.deployment
    notes = list(outcome.notes)
    if engine and outcome.changed and now.before and now.before != now.adapter:
        try:
            engine.unload(now.before)
        except SkillmeshError as error:
            notes.append(f"{now.before} is still loaded: {error}")
    done = {"done": True} if engine else {}
    if context.json:
        context.out_json({
            "schema": SCHEMA, "active": now.adapter, "before": now.before,
            "forced": outcome.manifest.forced, "changed": outcome.changed,
            "model_version": now.version, "time": now.time,
            "targets": [{**_as_json(recipe), **done}] if recipe else [],
        })  # fmt: skip
    else:
        if outcome.changed:
            was = f", {now.before} was" if now.before else ""
            forced = ", forced" if outcome.manifest.forced else ""
            context.out(safe_line(f"{now.adapter or 'the base alone'} is active{was}{forced}"))
        if recipe and not engine:
            _print(context, recipe)
    for note in notes:
        context.note(safe_line(note))
    return ExitCode.OK


def _print(context: Context, recipe: "Recipe", *, heading: bool = False) -> None:
    if heading:
        context.out(context.style.bold(f"# {recipe.target}"))
    for name, text in recipe.files.items():
        context.out(safe(f"cat > {name} <<'END'\n{text}END"))
    for command in recipe.commands:
        context.out(safe_line(command))
    for note in recipe.notes:
        context.note(safe_line(note))


def _as_json(recipe: "Recipe") -> dict[str, Any]:
    return {
        "target": recipe.target, "commands": list(recipe.commands), "files": dict(recipe.files),
        "notes": list(recipe.notes), "done": False,
    }  # fmt: skip
