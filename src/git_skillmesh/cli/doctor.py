"""`git skillmesh doctor`: check every store against the repository, and mend it."""

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConfigurationError, ExitCode, SkillmeshError, Unavailable
from .context import Context
from .terminal import safe_line

if TYPE_CHECKING:
    from ..chroma.doctor import Finding

_SAMPLE = 20
_FILES = "learnings"
_INDEX, _REBUILD = "git skillmesh index", "git skillmesh index --rebuild"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report; `mend` says how, "" when all is well."""

    where: str
    ok: bool
    message: str
    mend: str = ""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "doctor",
        help="check every store against the repository, and mend it",
        description="Compare the repository, the local tier, the Chroma tier and the hooks. Exit "
        "code 0: all is well, 8: something is not.",
    )
    parser.add_argument(
        "--repair", action="store_true", help="mend what is wrong, without embedding again"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Check (and mend) everything and print a line for each part."""
    checks = _all(context)
    if args.repair and any(check.mend for check in checks):
        _repair(context, checks)
        checks = _all(context)
    if context.json:
        document = [
            {"where": c.where, "ok": c.ok, "message": c.message, "mend": c.mend} for c in checks
        ]
        context.out_json({"ok": all(check.ok for check in checks), "checks": document})
    else:
        for check in checks:
            mark = context.style.good("ok ") if check.ok else context.style.bad("BAD")
            mend = f"  → {check.mend}" if check.mend else ""
            context.out(f"{mark} {check.where:<8} {safe_line(check.message)}{mend}")
    wrong = [check for check in checks if not check.ok]
    return ExitCode.DAMAGED if wrong else ExitCode.OK


def _all(context: Context) -> list[Check]:
    return [*_local(context), *_learnings(context), *_chroma(context), *_hooks(context)]


def _learnings(context: Context) -> list[Check]:
    """Check the files of learnings at HEAD, and that their index has what they say."""
    from ..index.learnings import examine_learnings

    found = examine_learnings(context.repository)
    if found is None:
        return []
    checks = [Check(_FILES, False, str(one), "mend the file") for one in found.broken]
    checks += [Check(_FILES, False, what, _REBUILD) for what in found.differences]
    if found.behind:
        checks.append(Check(_FILES, True, f"{found.behind} are not indexed yet", _INDEX))
    if not checks:
        checks.append(Check(_FILES, True, f"the index has all {found.learnings} of HEAD"))
    return checks


def _local(context: Context) -> list[Check]:
    from ..index.store import Store
    from ..index.vectors import source_of
    from ..index.verify import verify

    store = Store(context.repository)
    checks = []
    if context.config.proposal is not None:
        checks.append(Check("model", True, str(context.config.proposal)))
    try:
        source = source_of(context.config, store.embeddings_path)
    except (Unavailable, ConfigurationError) as error:
        source = None
        checks.append(Check("model", False, str(error)))
    problems = verify(context.repository, context.config, store, source, _SAMPLE)
    for problem in problems:
        mend = "git skillmesh index" + (" --rebuild" if problem.rebuild else "")
        checks.append(Check("local", False, problem.what, mend))
    if not problems:
        checks.append(Check("local", True, "the index equals HEAD"))
    return checks


def _chroma(context: Context) -> list[Check]:
    from ..chroma.breaker import Breaker
    from ..chroma.codebase import codebase_rows
    from ..chroma.doctor import examine
    from ..chroma.remembered import REMEMBERED
    from ..chroma.target import target_of

    try:
        target = target_of(context.config, context.repository)
    except ConfigurationError as error:
        return [Check("chroma", False, error.what, error.mend)]
    if target is None:
        return [Check("chroma", True, "off by configuration")]
    state_dir, names = context.repository.state_dir, ["codebase_v1"]
    try:
        with codebase_rows(context.repository, context.config) as rows:
            findings = examine(rows, target, state_dir, _SAMPLE)
        for one in REMEMBERED:
            with one.rows(context.repository, context.config) as own:
                if own is not None:
                    names.append(one.collection)
                    findings += examine(
                        own, target, state_dir, _SAMPLE, one.collection, opens=_opens(findings)
                    )
    except SkillmeshError as error:
        return [Check("chroma", False, error.what, error.mend)]
    Breaker(target, state_dir).worked()
    if not findings:
        listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        equal = listed + (" equals" if len(names) == 1 else " equal")
        return [Check("chroma", True, f"{equal} the index ({target.describe()})")]
    repair = "git skillmesh doctor --repair"
    # A mirror that lags behind is at work or will be with the next commit: nothing is broken.
    return [
        Check("chroma", bool(finding.mend), finding.message, finding.mend or repair)
        for finding in findings
    ]


def _opens(findings: "list[Finding]") -> bool:
    return all(finding.kind != "unreadable" for finding in findings)


def _hooks(context: Context) -> list[Check]:
    from ..hooks.install import is_installed, state

    states = state(context.repository)
    # A hook that was put aside since init is not seen by its user: nothing fails, nothing is kept.
    due = is_installed(context.repository)
    wrong = [one for one in states if one.state == "outdated" or (due and not one.works)]
    if wrong:
        return [
            Check("hooks", False, f"{one.name}: {one.detail or one.state}", one.mend)
            for one in wrong
        ]
    working = [one.name for one in states if one.works]
    return [Check("hooks", True, ", ".join(working) or "not installed (git skillmesh init)")]


def _repair(context: Context, checks: list[Check]) -> None:
    from ..chroma.codebase import codebase_rows
    from ..chroma.doctor import repair
    from ..chroma.remembered import REMEMBERED
    from ..chroma.target import target_of
    from .index import index_learnings, update_with_progress

    was_json, context.json = context.json, False
    local = [check for check in checks if check.where == "local" and not check.ok]
    if local:
        rebuild = any("--rebuild" in check.mend for check in local)
        update_with_progress(context, "", rebuild=rebuild)
    if any(check.where == _FILES and check.mend in (_INDEX, _REBUILD) for check in checks):
        clear = any(check.where == _FILES and check.mend == _REBUILD for check in checks)
        report = index_learnings(context, clear)
        context.note(f"{report.read} learnings read again")
    try:
        target = target_of(context.config, context.repository)
    except ConfigurationError:
        target = None  # the check says so
    if target is not None and any(check.where == "chroma" and check.mend for check in checks):
        with codebase_rows(context.repository, context.config) as rows:
            outcome = repair(rows, target, context.repository.state_dir)
        context.note(f"Chroma: {outcome.upserted} written, {outcome.deleted} deleted")
        for one in REMEMBERED:
            with one.rows(context.repository, context.config) as own:
                if own is not None:
                    done = repair(own, target, context.repository.state_dir, one.collection)
                    context.note(
                        f"Chroma: {done.upserted} {one.what} written, {done.deleted} deleted"
                    )
    context.json = was_json
