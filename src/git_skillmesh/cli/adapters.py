"""`git skillmesh adapters`: list, judge, deploy and serve adapters, and take them back."""

import argparse
from typing import TYPE_CHECKING, Any

from ..errors import Damaged, ExitCode, UsageError
from .actions import check_action, set_defaults
from .columns import bytes_word, plural
from .context import Context
from .terminal import safe_line

if TYPE_CHECKING:
    from ..training.adapters.deploying import Deployments
    from ..training.adapters.store import Entry, Store

SCHEMA = 1
# Names may stand before and behind options.
WORDS_ANYWHERE = True
ACTIONS = ("list", "show", "evaluate", "deploy", "rollback", "target", "serve", "gc")
_WRITING = ("deploy", "rollback")
# Option → the actions that know it.
_OPTIONS = {
    "active": ("show",),
    "data": ("evaluate",),
    "base": ("evaluate", "deploy", "rollback", "target", "serve"),
    "against": ("evaluate",),
    "write": ("evaluate",),
    "write_tokens": ("evaluate",),
    "general": ("evaluate",),
    "longest": ("evaluate",),
    "batch": ("evaluate",),
    "margin": ("evaluate",),
    "groups": ("evaluate",),
    "device": ("evaluate", "serve"),
    "force": ("deploy",),
    "reason": _WRITING,
    "if_active": _WRITING,
    "target": _WRITING,
    "url": (*_WRITING, "target"),
    "adapter": ("target", "serve"),
    "port": ("serve",),
    "token_env": ("serve",),
    "keep": ("gc",),
    "days": ("gc",),
    "dry_run": ("gc",),
    "json": ("list", "show", "evaluate", "deploy", "rollback", "target", "gc"),
}
_DEFAULTS = {
    "write": 0, "write_tokens": 512, "general": 32, "longest": 2048, "batch": 4, "margin": 0.05,
    "groups": 5, "device": "", "reason": "", "url": "", "port": 8008, "token_env": "", "keep": 3,
    "days": 1.0,
}  # fmt: skip


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "adapters",
        help="list, judge, deploy and serve trained adapters",
        description="Adapters that `git skillmesh train` has made. list; show [NAME], the active "
        "one by default; evaluate NAME --data FILE: judge it on held-out lines beside its base and "
        "the active one; deploy NAME: make it active if it was judged better; rollback [NAME]: "
        "what was active before, or NAME, or `base`; target show [TARGET]: how an engine is told; "
        "serve: an OpenAI-compatible server on this machine; gc: remove what nobody needs. "
        "Exit code 1: not deployed, or nothing is active; 8: damaged, or a signature does not fit.",
    )
    parser.add_argument("action", nargs="?", default="list", metavar="ACTION",
                        help=", ".join(ACTIONS))  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME", help="an adapter; target: show TARGET")
    add = parser.add_argument
    add("--active", action="store_true", help="show: the active one, its signature looked at")
    add("--data", metavar="FILE", help="evaluate: the data set, as export-rl wrote it")
    add("--base", metavar="PATH", help="where the base is, or what an engine calls it; as in "
        "training without")  # fmt: skip
    add("--against", metavar="NAME", help="evaluate: compare with it, or with `base` alone; with "
        "the active one without")  # fmt: skip
    add("--write", type=int, metavar="N", help="evaluate: let the models write the edits of N "
        "lines; none without")  # fmt: skip
    add("--write-tokens", type=int, metavar="N", help="evaluate: at most N tokens of an edit; 512 "
        "without")  # fmt: skip
    add("--general", type=int, metavar="N", help="evaluate: N texts of general code; 32 without")
    add("--longest", type=int, metavar="N", help="evaluate: at most N tokens of a line; 2048 "
        "without")  # fmt: skip
    add("--batch", type=int, metavar="N", help="evaluate: N lines at once; 4 without")
    add("--margin", type=float, metavar="X", help="evaluate: how much worse, in nats a token, "
        "general code may become; 0.05 without")  # fmt: skip
    add("--groups", type=int, metavar="N", help="evaluate: groups of lines that it takes to tell; "
        "5 without")  # fmt: skip
    add("--device", metavar="NAME", help="evaluate, serve: cpu, cuda, cuda:1; a GPU where there is "
        "one without")  # fmt: skip
    add("--force", action="store_true", help="deploy: also what was not judged better; it is noted")
    add("--reason", metavar="TEXT", help="deploy, rollback: why, for the history")
    add("--if-active", metavar="NAME", help="deploy, rollback: only if NAME (or `base`) is active")
    add("--target", metavar="TARGET", help="deploy, rollback: tell an engine, or how to: vllm, "
        "vllm-api, ollama, llama.cpp, transformers")  # fmt: skip
    add("--url", metavar="URL", help="deploy, rollback, target: the vLLM server; vllm.url without")
    add("--adapter", metavar="NAME", help="serve, target: this one instead of the active one")
    add("--port", type=int, metavar="N", help="serve: the port, 0 for any; 8008 without")
    add("--token-env", metavar="VARIABLE", help="serve: the variable with the token that clients "
        "must send; none without")  # fmt: skip
    add("--keep", type=int, metavar="N", help="gc: keep the last N deployed beside the active one; "
        "3 without")  # fmt: skip
    add("--days", type=float, metavar="N", help="gc: keep what is younger; 1 without")
    add("--dry-run", action="store_true", help="gc: only say what would go")
    add("--json", action="store_true", help="print JSON, see docs/adapters.md")
    add("-q", "--quiet", action="store_true", help="no notes")
    add("--color", choices=("auto", "always", "never"), default="auto", help="when to use colour")


def run(args: argparse.Namespace, context: Context) -> int:
    """Do one of the actions. Raises `UsageError`, and as they do."""
    check_action(args, ACTIONS, _OPTIONS)
    set_defaults(args, _DEFAULTS)
    most = {"list": 0, "gc": 0, "serve": 0, "target": 2}.get(args.action, 1)
    if len(args.names) > most:
        raise UsageError(f"{args.action} takes {plural(most, 'name') if most else 'no names'}")
    if args.action in ("evaluate", "deploy") and not args.names:
        raise UsageError(f"{args.action} takes the name of an adapter", "see adapters list")
    if args.action in (*_WRITING, "target"):
        from . import adapters_deploying

        return int(getattr(adapters_deploying, args.action)(args, context))
    if args.action == "evaluate":
        from .adapters_judging import evaluate

        return evaluate(args, context)
    if args.action == "serve":
        from .adapters_serving import serve

        return serve(args, context)
    return {"list": _list, "show": _show, "gc": _gc}[args.action](args, context)


def opened(context: Context) -> "tuple[Store, Deployments]":
    """Return the folder of the adapters, and who deploys there."""
    from ..sessions.serving import adapters_folder
    from ..training.adapters.deploying import Deployments
    from ..training.adapters.signing import Signer
    from ..training.adapters.store import Store

    store = Store(adapters_folder(context.repository, context.config))
    signer = Signer(context.repository, context.config, store.folder)
    return store, Deployments(context.repository, store, signer)


def _list(args: argparse.Namespace, context: Context) -> int:
    store, deployments = opened(context)
    active = deployments.active_name()
    told = [_as_json(one, store, active) for one in store.entries()]
    if context.json:
        context.out_json({"schema": SCHEMA, "folder": store.folder, "active": active,
                          "adapters": told})  # fmt: skip
        return ExitCode.OK
    for one in told:
        mark = "*" if one["active"] else " "
        name = context.style.path(f"{one['name']:<26}")
        if one["trouble"]:
            context.out(f"{mark} {name} {context.style.bad(safe_line(one['trouble']))}")
            continue
        base = safe_line(one["model_version"].partition("+")[0])
        parent = f"from {one['parent']}" if one["parent"] else ""
        words = (
            f"{bytes_word(one['size']):>8}  {base:<30} {_verdict(one['judgement']):<26} {parent}"
        )
        context.out(f"{mark} {name} {words}".rstrip())
    if not told:
        context.note("no adapters yet; git skillmesh train makes them")
    elif not active:
        context.note("none is active; git skillmesh adapters deploy NAME")
    return ExitCode.OK


def _verdict(judgement: "dict[str, Any] | None") -> str:
    if judgement is None:
        return "not judged"
    if "trouble" in judgement:
        return "judgement damaged"
    word = "better" if judgement["better"] else "not better"
    return f"{word} ({judgement['over_base']['mean']:+.3f})"


def _as_json(entry: "Entry", store: "Store", active: str) -> dict[str, Any]:
    from ..sessions.serving import model_version
    from ..training.adapters.judgements import read_judgement

    one = entry.adapter
    try:
        judged = read_judgement(store.folder, entry.name)
        judgement = judged.summary() if judged else None
    except Damaged as error:
        judgement = {"trouble": str(error)}
    return {
        "name": entry.name, "active": entry.name == active, "folder": entry.folder,
        "size": entry.size, "trouble": entry.trouble, "base": one.base if one else "",
        "base_sha256": one.base_sha256 if one else "", "method": str(one.method) if one else "",
        "parent": one.parent if one else "", "commit": one.commit if one else "",
        "time": one.time if one else "", "steps": one.steps if one else 0,
        "metrics": dict(one.metrics) if one else {},
        "model_version": model_version(one.base, one.base_sha256, entry.name) if one else "",
        "judgement": judgement,
    }  # fmt: skip


def _show(args: argparse.Namespace, context: Context) -> int:
    store, deployments = opened(context)
    if args.names and args.active:
        raise UsageError("show takes a name or --active")
    if args.names:
        entry = store.entry(args.names[0])
        told = _as_json(entry, store, deployments.active_name())
        if context.json:
            context.out_json({"schema": SCHEMA, "adapter": told, "active": None})
        else:
            _tell(told, context)
        return ExitCode.DAMAGED if entry.trouble else ExitCode.OK
    now = deployments.active()
    if now is None:
        if context.json:
            context.out_json({"schema": SCHEMA, "adapter": None, "active": None})
        else:
            context.note("nothing is deployed; git skillmesh adapters deploy NAME")
        return ExitCode.NOTHING_FOUND
    adapter = _as_json(store.entry(now.name), store, now.name) if now.name else None
    line = now.manifest.line()
    signed = {"by": now.signed.who, "key": now.signed.key, "allowed_by": now.signed.file}
    if context.json:
        active = {**line, "files": len(now.manifest.files), "signature": signed}
        context.out_json({"schema": SCHEMA, "adapter": adapter, "active": active})
        return ExitCode.OK
    if adapter:
        _tell(adapter, context)
    else:
        context.out("the base alone")
    forced = f", forced: {line['reason']}" if line["forced"] else ""
    rows = {
        "model version": line["model_version"],
        "deployed": f"{line['time']} by {line['by']} ({line['action']}{forced})",
        "before": line["before"] or "the base alone",
        "signature": f"good, by {signed['by']}, {signed['key']}",
        "allowed by": str(signed["allowed_by"]),
        "files": f"{plural(len(now.manifest.files), 'file')} as signed",
    }
    for name, value in rows.items():
        context.out(f"{name:<14} {safe_line(value)}")
    return ExitCode.OK


def _tell(told: dict[str, Any], context: Context) -> None:
    context.out(context.style.path(told["name"]))
    rows = {
        "trouble": told["trouble"],
        "base": f"{told['base']} ({told['base_sha256'][:12]})" if told["base"] else "",
        "trained": f"{told['time']}, {told['method']}, {plural(told['steps'], 'step')}",
        "parent": told["parent"],
        "size": bytes_word(told["size"]),
        "folder": str(told["folder"]),
        "judged": _verdict(told["judgement"]),
    }
    for name, value in rows.items():
        if value:
            context.out(f"{name:<14} {safe_line(value)}")


def _gc(args: argparse.Namespace, context: Context) -> int:
    from ..training.adapters.collecting import collect

    if args.keep < 0 or not args.days >= 0:
        raise UsageError("--keep and --days take a number from 0 on")
    store, _ = opened(context)
    found = collect(store, args.keep, days=args.days, dry_run=args.dry_run)
    if context.json:
        context.out_json({
            "schema": SCHEMA, "removed": not args.dry_run, "adapters": found.adapters,
            "leftovers": found.leftovers, "used": found.used, "bytes": found.size,
        })  # fmt: skip
        return ExitCode.OK
    for name in (*found.adapters, *found.leftovers):
        context.out(safe_line(name))
    done = "would go" if args.dry_run else "removed"
    what = plural(len(found.adapters), "adapter")
    if found.leftovers:
        what += f" and {plural(len(found.leftovers), 'leftover')}"
    context.note(f"{what}, {bytes_word(found.size)} {done}")
    for name in found.used:
        context.note(f"{name} is in use")
    return ExitCode.OK
