"""`git skillmesh status`: show what is indexed, what is not, and why."""

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..config import Config
from ..display import plural
from ..errors import ConfigurationError, ExitCode, SkillmeshError, last_error
from .context import Context
from .terminal import safe_line

if TYPE_CHECKING:
    from ..git.trees import WorkingTree

_REMEMBERED = {"session": "conversation", "exchange": "exchange"}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "status",
        help="show what is indexed, what is not, and why",
        description="Show the index, both tiers, the hooks, sizes and the last error.",
    )
    parser.add_argument(
        "--skipped", action="store_true", help="list every file that is left out, with the reason"
    )
    parser.add_argument("--config", action="store_true", help="list the settings and their origin")
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/commands.md")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Collect and print."""
    document = _collect(context)
    if not args.skipped:
        document["skipped"]["files"] = {}
    if args.config:
        document["config"] = {
            name: {"value": context.config.shown(name), "origin": context.config.origins[name]}
            for name in context.config.values
        }
    if context.json:
        context.out_json(document)
    else:
        _print(context, document)
    return ExitCode.OK


def _collect(context: Context) -> dict[str, Any]:
    from ..git.trees import working_tree
    from ..hooks.install import state
    from ..hooks.sharing import last_sharing
    from ..hooks.waiting import waiting_since
    from ..index.identity import repo_id
    from ..index.state import index_state, memory_state
    from ..thinking.store import counted

    repository, config = context.repository, context.config
    commit, tree = repository.head_tree()
    changes = working_tree(repository)
    return {
        "repository": {
            "top": repository.top or repository.git_dir,
            "repo_id": repo_id(repository, config),
            "branch": repository.branch(),
            "commit": commit,
            "changed": len(changes.changed),
            "untracked": len(changes.untracked),
            "deleted": len(changes.deleted),
        },
        "index": index_state(repository, config, tree),
        "proposed": _proposed(config),
        "memory": memory_state(repository),
        "thoughts": counted(repository),
        "learnings": _learnings(context),
        "skipped": _skipped(context, tree, changes),
        "chroma": _chroma(context),
        "hooks": [
            {name: getattr(h, name) for name in ("name", "state", "detail", "chained", "mend")}
            for h in state(repository)
        ],
        "waiting_since": _time(since) if (since := waiting_since(repository)) else "",
        "sharing": last_sharing(repository.state_dir),
        "last_error": last_error(repository.state_dir),
    }


def _proposed(config: Config) -> dict[str, Any] | None:
    """Say which embedding provider waits for the user's consent."""
    one = config.proposal
    if one is None:
        return None
    return {"place": one.shown, "origin": one.origin, "refused": one.refused, "what": str(one)}


def _learnings(context: Context) -> dict[str, Any]:
    """Count the learnings of HEAD by state, and list the files that cannot be used."""
    from ..index.learnings import state_of_learnings

    found = state_of_learnings(context.repository)
    broken = [{"path": one.path, "line": one.line, "what": one.what} for one in found.broken]
    return {"states": dict(found.states), "broken": broken, "behind": found.behind}


def _skipped(context: Context, tree: str, state: "WorkingTree") -> dict[str, Any]:
    from ..chunking.exclusion import EXPLANATIONS
    from ..index.left_out import left_out

    files = left_out(context.repository, context.config, tree, state)
    return {
        "count": len(files),
        "reasons": {
            skip.value: {"files": count, "why": EXPLANATIONS[skip]}
            for skip, count in Counter(files.values()).most_common()
        },
        "files": {path: skip.value for path, skip in files.items()},
    }


def _chroma(context: Context) -> dict[str, Any]:
    from ..chroma.breaker import Breaker
    from ..chroma.codebase import codebase_rows
    from ..chroma.mirror import lag, note_of
    from ..chroma.target import target_of
    from ..index.store import Store

    nothing = {"behind": None, "problem": "", "note": "", "away": None}
    try:
        target = target_of(context.config, context.repository)
    except ConfigurationError as error:
        return {**nothing, "target": context.config["chroma.impl"], "problem": str(error)}
    if target is None:
        return {**nothing, "target": "off"}
    behind, problem, note = None, "", ""
    if Store(context.repository).catalogue_path.exists():
        try:
            with codebase_rows(context.repository, context.config, update_first=False) as rows:
                behind = lag(rows, target, context.repository.state_dir)
                note = note_of(rows, target, context.repository.state_dir)
        except SkillmeshError as error:
            problem = str(error)
    away = Breaker(target, context.repository.state_dir).away()
    return {
        "target": target.describe(), "behind": behind, "problem": problem, "note": note,
        "away": away and {"since": _time(away.since), "until": _time(away.until),
                          "failures": away.failures, "what": away.what},
    }  # fmt: skip


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _print(context: Context, document: dict[str, Any]) -> None:
    style, out = context.style, context.out
    repository, index = document["repository"], document["index"]
    branch = repository["branch"] or "detached HEAD"
    commit = repository["commit"][:12] if repository["commit"] else "no commit yet"
    out(f"repository  {safe_line(str(repository['top']))}  {safe_line(branch)} {commit}")
    if index["exists"]:
        behind = (
            f"{plural(index['behind'], 'file')} behind"
            if index["behind"]
            else style.good("up to date")
        )
        out(
            f"index       {behind}: {plural(index['files'], 'file')}, "
            f"{plural(index['chunks'], 'chunk')}, {index['bytes'] / 1e6:.1f} MB"
        )
        shown = [f"{name} {count}" for name, count in list(index["languages"].items())[:8]]
        if shown:
            out(f"languages   {', '.join(shown)}")
        out(f"model       {safe_line(index['model'] or index['model_problem'])}")
        if index["without_vectors"]:
            out(
                f"            {plural(index['without_vectors'], 'chunk')} without vectors of it yet"
            )
    else:
        out(f"index       {style.bad('none')}: git skillmesh index")
    if proposed := document["proposed"]:
        out(f"provider    {safe_line(proposed['what'])}")
    out(f"left out    {plural(document['skipped']['count'], 'file')}")
    for name, reason in document["skipped"]["reasons"].items():
        out(f"            {reason['files']:>5} {name}: {reason['why']}")
    for path, name in document["skipped"]["files"].items():
        out(f"            {name:<10} {safe_line(path)}")
    memory = document["memory"]
    if memory["sessions"] or memory["behind"]:
        waits = "are being indexed" if document["waiting_since"] else "wait: git skillmesh index"
        counts = (
            plural(memory["sessions"], "conversation"),
            plural(memory["exchanges"], "exchange"),
        )
        newer = f", newer ones {waits}" if memory["behind"] else ""
        out(f"memory      {', '.join(counts)}{newer}")
    thoughts = document["thoughts"]
    if thoughts["sessions"]:
        out(f"thoughts    {thoughts['thoughts']} in {plural(thoughts['sessions'], 'session')}")
    learned = document["learnings"]
    if learned["states"] or learned["broken"]:
        told = [f"{count} {state}" for state, count in sorted(learned["states"].items())]
        waiting = f", {learned['behind']} not indexed yet" if learned["behind"] else ""
        out(f"learnings   {', '.join(told) or 'none can be used'}{waiting}")
    for one in learned["broken"]:
        line = safe_line(f"{one['path']}:{one['line']}: {one['what']}")
        out(f"            {style.bad('left out')} {line}")
    chroma = document["chroma"]
    lagging = {None: "not mirrored yet", 0: style.good("up to date")}.get(
        chroma["behind"], f"{plural(chroma['behind'] or 0, 'file')} behind"
    )
    lagging = safe_line(chroma["note"]) or lagging
    if chroma["target"] == "off":
        lagging = "by configuration"
    out(f"Chroma      {safe_line(chroma['target'])}: {safe_line(chroma['problem']) or lagging}")
    if away := chroma["away"]:
        line = f"away since {away['since']}, asked again after {away['until']}"
        out(f"            {style.bad(line)}: {safe_line(away['what'])}")
    for number, line in enumerate(_hook_lines(document["hooks"])):
        out(f"{'' if number else 'hooks':<12}{safe_line(line)}")
    if since := document["waiting_since"]:
        out(f"background  at work, asked for at {since}")
    if sharing := document["sharing"]:
        line = safe_line(f"{sharing['time']} {sharing['what']}")
        out(f"sharing     {style.bad(line) if sharing['failed'] == 'yes' else line}")
    changed = {name: repository[name] for name in ("changed", "untracked", "deleted")}
    shown = [f"{count} {name}" for name, count in changed.items() if count]
    if shown:
        out(f"work tree   {', '.join(shown)} (searched as they are on disk)")
    error = document["last_error"]
    if error:
        line = f"{error['time']} {error['what']} ({error['where']})"
        out(f"last error  {style.bad(safe_line(line))}")
    for name, setting in document.get("config", {}).items():
        out(f"{name:<20} {safe_line(setting['value']) or '-'}  {style.dim(setting['origin'])}")


def _hook_lines(hooks: list[dict[str, Any]]) -> Iterator[str]:
    """Yield which hooks get to this program, then by whom, then what is wrong with the others."""
    working = [hook["name"] for hook in hooks if hook["state"] in ("installed", "called")]
    yield ", ".join(working) or "not installed: git skillmesh init"
    yield from dict.fromkeys(f"called {h['detail']}" for h in hooks if h["state"] == "called")
    for hook in hooks:
        if hook["state"] in ("foreign", "outdated") or (working and hook["state"] == "missing"):
            told = ", ".join(filter(None, (hook["state"], hook["detail"])))
            yield f"{hook['name']}: {told}: {hook['mend']}"
