"""`git skillmesh redact`: take secrets out of text, or show which would go."""

import argparse
import codecs
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ExitCode, NotARepository, SkillmeshError, UsageError
from .context import Context
from .terminal import safe_line

if TYPE_CHECKING:
    from ..sessions.redaction import Redactor
    from ..sessions.redaction_spans import Finding

_LEFT, _RIGHT = 24, 12
_SHOWN = 4


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "redact",
        help="take secrets out of text, or show which would go",
        description="Write text with every secret replaced by a placeholder, as it is done before "
        "a conversation is stored. Works outside of a repository too.",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="a file; - reads standard input")
    parser.add_argument(
        "--check",
        action="store_true",
        help="only show what would go, never the secret; exit code 1 if there is something",
    )
    parser.add_argument("--json", action="store_true", help="with --check: print JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    """Redact, or check."""
    from ..sessions.redaction import Redactor
    from ..sessions.redaction_policy import Policy, policy_of

    if args.json and not args.check:
        raise UsageError("--json needs --check")
    try:
        policy = policy_of(context.config)
    except NotARepository:
        policy = Policy()
    redactor = Redactor(policy)
    if args.check:
        return _check(args.files, context, redactor)
    for name in args.files:
        text, encoding = _read(context, name)
        context.out_bytes(_encoded(redactor.redact(text).text, encoding))
    return ExitCode.OK


def _check(names: Sequence[str], context: Context, redactor: "Redactor") -> int:
    files = []
    for name in names:
        text, _ = _read(context, name)
        files.append((name, _described(text, redactor.redact(text).findings)))
    count = sum(len(found) for _, found in files)
    if context.json:
        documents = [{"path": name, "findings": found} for name, found in files]
        context.out_json({"found": count, "files": documents})
    else:
        for name, found in files:
            place = context.style.path(safe_line("standard input" if name == "-" else name))
            for entry in found:
                where = f"{place}:{entry['line']}:{entry['column']}"
                excerpt = safe_line(entry["excerpt"])
                context.out(f"{where}  {context.style.bold(entry['rule'])}  {excerpt}")
        context.note(f"{count} to redact" if count else "nothing to redact")
    return ExitCode.SECRETS_FOUND if count else ExitCode.OK


def _described(text: str, findings: "Sequence[Finding]") -> list[dict[str, Any]]:
    described = []
    line, line_start, position = 1, 0, 0
    for number, finding in enumerate(findings):
        line += text.count("\n", position, finding.start)
        line_start = max(line_start, text.rfind("\n", position, finding.start) + 1)
        before = findings[number - 1].end if number else 0
        after = findings[number + 1].start if number + 1 < len(findings) else len(text)
        left = text[max(line_start, before, finding.start - _LEFT) : finding.start]
        right = text[finding.end : min(after, finding.end + _RIGHT)].partition("\n")[0]
        described.append(
            {
                "rule": finding.rule,
                "line": line,
                "column": finding.start - line_start + 1,
                "length": finding.length,
                "excerpt": f"{left}{_masked(text, finding)}{right}",
            }
        )
        position = finding.start
    return described


def _masked(text: str, finding: "Finding") -> str:
    """Return what may be seen of a secret: a prefix that all keys of its kind share."""
    from ..sessions.redaction import public_prefix

    shown = public_prefix(finding.rule, text[finding.start : finding.start + 16])[:_SHOWN]
    return f"{shown}…[{finding.length}]"


def _read(context: Context, name: str) -> tuple[str, str]:
    if name == "-":
        data = sys.stdin.buffer.read()
    else:
        path = (context.folder or Path()) / name
        try:
            data = path.read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SkillmeshError(f"cannot read {name}", reason) from None
    encoding = "utf-8"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16-le" if data.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            encoding = "utf-8"  # two bytes that only look like a mark
    return data.decode(encoding, "surrogateescape"), encoding


def _encoded(text: str, encoding: str) -> bytes:
    return text.encode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")
