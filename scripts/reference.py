#!/usr/bin/env python3
"""Write the parts of the documentation that repeat the program: from its parsers and tables.

In: the parsers of all commands, settings, exit codes, collections, reasons to leave files out. Out:
docs/git-skillmesh.1, docs/git-skillmesh.bash-completion and the marked parts of docs/*.md. With
--check nothing is written, and the exit code is 1 where something would be.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from git_skillmesh import __version__
from git_skillmesh.chroma.schemas import COLLECTIONS
from git_skillmesh.chunking.exclusion import EXPLANATIONS
from git_skillmesh.chunking.model import KINDS
from git_skillmesh.cli import adapters, agents, chroma, learnings, skills
from git_skillmesh.cli.main import ALIASES, COMMANDS, module_of
from git_skillmesh.errors import ExitCode
from git_skillmesh.sessions.redaction import RULES
from git_skillmesh.sessions.redaction_spans import placeholder
from git_skillmesh.settings import SETTINGS

# Commands whose first word says what to do.
ACTIONS = {
    "learnings": learnings.ACTIONS,
    "skills": tuple(skills.ACTIONS),
    "agents": agents.ACTIONS,
    "adapters": adapters.ACTIONS,
    "chroma": chroma.ACTIONS,
}
DOCS = Path(__file__).parents[1] / "docs"

EXIT_CODES = {
    ExitCode.OK: "done; a query found something, a check found nothing wrong",
    ExitCode.NOTHING_FOUND: "a query found nothing, `redact --check` or `check` found something, "
    "or `import` left out records that do not fit their format",
    ExitCode.USAGE: "the command line asks for what does not exist or does not fit",
    ExitCode.INTERNAL: "an error of this program; the line names a log file with the details",
    ExitCode.NOT_A_REPOSITORY: "not inside a git repository, or git cannot open it",
    ExitCode.CONFIGURATION: "a setting has a value that cannot be used",
    ExitCode.BUSY: "another process is writing, and waiting did not help",
    ExitCode.UNAVAILABLE: "a server, package, key or model that is configured cannot be reached, "
    "or a partial clone lacks files",
    ExitCode.DAMAGED: "stored data is damaged, or `doctor` found something wrong",
    ExitCode.READ_ONLY: "the place that must be written cannot be written",
    ExitCode.RULES_BROKEN: "the file of a learning cannot be used; the others were applied",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C; what was done is kept",
}
GLOBAL_OPTIONS = {
    "-C DIR": "work as if started in DIR",
    "--version": "print the version",
    "-h": "print help; after a command, help for that command",
}


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of every command."""
    subparsers = argparse.ArgumentParser(prog="git skillmesh").add_subparsers()
    for name in COMMANDS:
        module_of(name).add_parser(subparsers)
    return dict(subparsers.choices)


def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the options and arguments of a command that its users see."""
    for action in parser._actions:
        hidden = isinstance(action, argparse._HelpAction) or action.help == argparse.SUPPRESS
        if not hidden:
            yield action


def value_of(action: argparse.Action) -> str:
    """Return how the value of an option is written, "" when it takes none."""
    if action.nargs == 0:
        return ""
    if action.choices is not None:
        return "|".join(str(choice) for choice in action.choices)
    if isinstance(action.metavar, str):
        return action.metavar
    return "N" if action.type is int else action.dest.upper()


def _spelled(action: argparse.Action) -> str:
    value = value_of(action)
    if not action.option_strings:
        return f"{value}…" if action.nargs in ("+", "*") else value
    return ", ".join(f"{option} {value}".strip() for option in action.option_strings)


def _help(action: argparse.Action) -> str:
    return action.help or ""


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else ""


def _options(command: str) -> str:
    rows = [[_code(_spelled(action)), _help(action)] for action in actions(parsers()[command])]
    return _table(("option", "meaning"), rows)


def _commands() -> str:
    rows = [[f"[`{name}`](#{name})", about] for name, about in COMMANDS.items()]
    return _table(("command", "what it does"), rows)


def _aliases() -> str:
    return _table(
        ("other name", "command"), [[_code(old), _code(new)] for old, new in ALIASES.items()]
    )


def _exit_codes() -> str:
    rows = [[str(int(code)), _code(code.name), EXIT_CODES[code]] for code in ExitCode]
    return _table(("code", "name", "meaning"), rows)


def _rules() -> str:
    about: dict[str, list[str]] = {}
    for rule in RULES:
        told = about.setdefault(rule.name, [])
        told += [] if rule.about in told else [rule.about]
    rows = [
        [_code(name), "; ".join(told), _code(placeholder(name))] for name, told in about.items()
    ]
    return _table(("rule", "what it takes out", "what stands there then"), rows)


def _settings() -> str:
    rows = [
        [
            _code(setting.name),
            _code(setting.env),
            _code(setting.default),
            setting.help
            + (f" ({', '.join(setting.choices)})" if setting.choices else "")
            + (" (secret)" if setting.secret else ""),
        ]
        for setting in SETTINGS.values()
    ]
    return _table(("setting", "environment", "default", "meaning"), rows)


def _collections() -> str:
    parts = []
    for schema in COLLECTIONS.values():
        rows = [[_code(name), kind, about] for name, (kind, about) in schema.fields.items()]
        title = f"### {schema.name}\n\nSchema {schema.version}: {schema.description}.\n\n"
        parts.append(title + _table(("field", "type", "meaning"), rows))
    return "\n".join(parts)


def _reasons() -> str:
    rows = [[_code(skip.value), about] for skip, about in EXPLANATIONS.items()]
    return _table(("reason", "meaning"), rows)


def _kinds() -> str:
    return ", ".join(_code(kind) for kind in sorted(KINDS)) + "\n"


def _parts() -> dict[str, Callable[[], str]]:
    """Return what makes each marked part of a page, by its name."""

    def options(command: str) -> Callable[[], str]:
        return lambda: _options(command)

    return {
        "commands": _commands,
        "aliases": _aliases,
        "exit codes": _exit_codes,
        "settings": _settings,
        "collections": _collections,
        "reasons": _reasons,
        "kinds": _kinds,
        "rules": _rules,
        **{f"options of {name}": options(name) for name in COMMANDS},
    }


def filled(text: str) -> str:
    """Return a page with its marked parts made anew."""
    for name, make in _parts().items():
        begin, end = (
            f"<!-- {name}: written by scripts/reference.py -->\n",
            f"<!-- end of {name} -->",
        )
        before, found, rest = text.partition(begin)
        if found:
            _, _, after = rest.partition(end)
            text = f"{before}{begin}\n{make()}\n{end}{after}"
    return text


def _roff(text: str) -> str:
    """Escape text for roff; `code` becomes bold."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace("→", "\\->")
    pieces = text.split("`")
    text = "".join(f"\\fB{piece}\\fR" if n % 2 else piece for n, piece in enumerate(pieces))
    return f"\\&{text}" if text[:1] in (".", "'") else text


def _tagged(tag: str, text: str) -> str:
    return f".TP\n\\fB{_roff(tag)}\\fR\n{_roff(text)}\n"


def man_page() -> str:
    """Return the man page."""
    commands = ""
    for name, parser in parsers().items():
        words = [action for action in actions(parser) if not action.option_strings]
        usage = " ".join([f"git skillmesh {name}", "[options]", *map(_spelled, words)])
        commands += f'.SS "{_roff(usage)}"\n{_roff(parser.description or "")}\n'
        commands += "".join(_tagged(_spelled(a), _help(a)) for a in actions(parser))
    return (
        f'.TH GIT\\-SKILLMESH 1 "" "git\\-skillmesh {__version__}" "git skillmesh"\n'
        ".SH NAME\n"
        "git\\-skillmesh \\- search code by meaning and by name, indexed by git hooks\n"
        ".SH SYNOPSIS\n"
        "\\fBgit skillmesh\\fR [\\fB\\-C\\fR \\fIDIR\\fR] \\fICOMMAND\\fR [\\fIoptions\\fR]\n"
        ".br\n"
        "\\fBgit skillmesh\\fR \\fICOMMAND\\fR \\fB\\-h\\fR\n"
        ".SH DESCRIPTION\n"
        + _roff(
            "git skillmesh indexes the code of a repository and answers questions and identifiers "
            "with places in it. The index is a cache in `.git/skillmesh`, made from git's objects; "
            "hooks bring it up to date in the background. It works without a network, a server or "
            "a download."
        )
        + "\n.SH OPTIONS\n"
        + "".join(_tagged(option, about) for option, about in GLOBAL_OPTIONS.items())
        + ".SH COMMANDS\n"
        + commands
        + ".SH CONFIGURATION\n"
        + _roff(
            "The nearest of these places wins: environment, `.env`, `git config skillmesh.NAME`, "
            "`.skillmesh/config.toml`, default."
        )
        + "\n"
        + "".join(
            _tagged(
                f"{setting.name}{f' ({setting.env})' if setting.env else ''}",
                setting.help + (f"; default {setting.default}" if setting.default else ""),
            )
            for setting in SETTINGS.values()
        )
        + ".SH EXIT STATUS\n"
        + "".join(_tagged(str(int(code)), EXIT_CODES[code]) for code in ExitCode)
        + ".SH FILES\n"
        + _tagged(".git/skillmesh/", "every cache; may be deleted at any time")
        + _tagged(".git/skillmesh/log/worker.log", "what the background work did")
        + _tagged(".git/skillmesh-init.json", "how `git skillmesh init --remove` undoes init")
        + _tagged(".skillmesh/config.toml", "settings of a project, committed")
        + ".SH EXAMPLES\n.nf\n"
        "git skillmesh init\n"
        "git skillmesh query how are failed scans retried\n"
        "git skillmesh query \\-n 1 \\-\\-full parse_duration\n"
        "git skillmesh query \\-\\-at v1.0 \\-\\-path 'src/**' parse_duration\n"
        ".fi\n.SH SEE ALSO\n"
        ".BR git (1),\n.BR githooks (5),\n.BR gitattributes (5)\n"
    )


_COMPLETION = """\
# bash completion for git skillmesh. Written by scripts/reference.py.
# git's own completion calls _git_skillmesh for "git skillmesh".

_git_skillmesh ()
{
    local commands="@COMMANDS@"
    local i seen="" command=""
    for ((i = 0; i < cword; i++)); do
        case "${words[i]}" in
        skillmesh|git-skillmesh|*/git-skillmesh) seen=1 ;;
        -*) ;;
        *)
            if [ -n "$seen" ] && [ "${words[i-1]}" != -C ]; then
                command=${words[i]}
                break
            fi
            ;;
        esac
    done
    if [ -z "$command" ]; then
        case "$cur" in
        --*) __gitcomp "--version --help" ;;
        *) __gitcomp "$commands" ;;
        esac
        return
    fi
    case "$command,$prev" in
@VALUES@
    esac
    case "$command,$cur" in
@OPTIONS@
    esac
}

# The program called by its own name.
if declare -F __git_complete >/dev/null; then
    __git_complete git-skillmesh _git_skillmesh
fi
"""


def completion() -> str:
    """Return the completion for bash."""
    values, options = "", ""
    for name, parser in parsers().items():
        if name in ACTIONS:
            words = f'__gitcomp "{" ".join(ACTIONS[name])}"; return'
            values += f'    {name},{name}) case "$cur" in -*) ;; *) {words} ;; esac ;;\n'
        for action in actions(parser):
            spelled = "|".join(f"{name},{option}" for option in action.option_strings)
            choices = {
                "REV": "__git_complete_refs",
                "KIND": f'__gitcomp "{" ".join(sorted(KINDS))}"',
            }
            if action.choices is not None and spelled:
                words = " ".join(str(choice) for choice in action.choices)
                values += f'    {spelled}) __gitcomp "{words}"; return ;;\n'
            elif spelled and value_of(action) in choices:
                values += f"    {spelled}) {choices[value_of(action)]}; return ;;\n"
        long = [o for a in actions(parser) for o in a.option_strings if o.startswith("--")]
        options += f'    {name},-*) __gitcomp "{" ".join(long)}" ;;\n'
    text = _COMPLETION.replace("@COMMANDS@", " ".join(COMMANDS))
    return text.replace("@VALUES@\n", values).replace("@OPTIONS@\n", options)


def wanted() -> dict[Path, str]:
    """Return every file that this script writes, with the text it should have."""
    pages = {page: filled(page.read_text(encoding="utf-8")) for page in DOCS.glob("*.md")}
    return {
        DOCS / "git-skillmesh.1": man_page(),
        DOCS / "git-skillmesh.bash-completion": completion(),
        **pages,
    }


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description="Write the documentation's reference parts.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if outdated")
    only_check = parser.parse_args().check
    outdated = []
    for path, text in wanted().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            outdated.append(path.name)
            if not only_check:
                path.write_text(text, encoding="utf-8")
    for name in sorted(outdated):
        print(f"{'outdated' if only_check else 'written'}: docs/{name}")
    return 1 if only_check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
