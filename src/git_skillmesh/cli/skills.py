"""`git skillmesh skills`: find, show, add and install instructions for agents."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from .actions import check_action
from .context import Context

_PROVIDERS = ("claude", "codex", "cursor", "gemini", "openai-tools", "json")
_AGENTS = ("claude", "codex", "cursor", "gemini")
_FORMATS = ("claude", "agents", "plugin", "agents-md")
_FINDING = ("retrieve", "emit")
_READING = ("index", "retrieve", "emit", "list", "show", "validate", "install", "export")
# Action → its module and function.
ACTIONS = {
    "index": "skills_routing.index",
    "retrieve": "skills_routing.retrieve",
    "emit": "skills_routing.emit_skills",
    "list": "skills_cards.list_skills",
    "show": "skills_cards.show",
    "validate": "skills_cards.check",
    "add": "skills_adding.add",
    "update": "skills_adding.update",
    "remove": "skills_adding.remove",
    "install": "skills_export.install",
    "export": "skills_export.export",
}
# Option → the actions that know it.
_OPTIONS = {
    "query": _FINDING,
    "top_k": _FINDING,
    "dense": _FINDING,
    "backend": ("index", *_FINDING),
    "with_prerequisites": (*_FINDING, "install", "export"),
    "provider": ("emit",),
    "budget": ("emit",),
    "instruction_chars": ("emit",),
    "registry": _READING,
    "domain": ("list",),
    "tag": ("list",),
    "role": ("list",),
    "section": ("show",),
    "strict": ("validate",),
    "path": ("add",),
    "force": ("add", "remove", "update", "install", "export"),
    "frozen": ("update", "validate", "install", "export"),
    "dry_run": ("update",),
    "agent": ("install",),
    "to": ("install", "export"),
    "formats": ("export",),
    "name": ("export",),
    "remove": ("install", "export"),
    "json": ("index", *_FINDING, "list", "show", "validate"),
}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "skills",
        help="find, show, add and install instructions for agents",
        description="Work with skills: instructions that experts in a field give to agents. "
        "retrieve WORDS: which fit a task; emit WORDS: their instructions, for a model; "
        "list; show ID; validate [PATH]; index: read all of them now; add PATH or URL[#REV]: copy "
        "skills of others into .skillmesh/skills; update [ID]; remove ID; install ROLE or ID: "
        "where an agent reads them; export: for agents, as a plugin, into AGENTS.md. Works "
        "outside of a repository, too. Exit code 0: found, or nothing wrong; 1: nothing found, or "
        "something wrong.",
    )
    parser.add_argument("action", metavar="ACTION", help=", ".join(ACTIONS))
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORDS",
        help="the task in your words, or ids, roles, a path, an address",
    )
    _add_finding(parser)
    _add_keeping(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, see docs/skills.md")
    parser.add_argument("-q", "--quiet", action="store_true", help="no notes")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="when to use colour"
    )
    _take_words_anywhere(parser)


def _add_finding(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--query", metavar="TEXT", help="retrieve, emit: the task, as one word")
    parser.add_argument(
        "--registry",
        metavar="PATH",
        help="a folder of skills, experts.yaml or tools.enriched.json (default: "
        "those that come with the program, and .skillmesh/skills)",
    )
    parser.add_argument(
        "--top-k",
        type=int,
        metavar="N",
        help="retrieve, emit: how many at most (default 3; emit: of those only likely ones)",
    )
    parser.add_argument(
        "--dense",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="retrieve, emit: search by meaning too, or by words only (default: by meaning too)",
    )
    parser.add_argument(
        "--backend",
        choices=("auto", "memory", "chroma"),
        help="retrieve, emit, index: where vectors are kept (default auto)",
    )
    parser.add_argument(
        "--with-prerequisites",
        action="store_true",
        help="retrieve, emit, install, export: also the skills that come before those",
    )
    parser.add_argument(
        "--provider", choices=_PROVIDERS, help="emit: for which model or interface (default claude)"
    )
    parser.add_argument(
        "--budget",
        type=int,
        metavar="TOKENS",
        help="emit: tokens at most, estimated; whole sections, the most useful "
        "first; 0 is no bound (default 8000)",
    )
    parser.add_argument(
        "--instruction-chars",
        type=int,
        metavar="N",
        help="emit: characters of instructions a skill at most, in whole sections",
    )
    parser.add_argument(
        "--domain", action="append", metavar="NAME", help="list: only this domain (may be repeated)"
    )
    parser.add_argument(
        "--tag", action="append", metavar="TAG", help="list: only with this tag (may be repeated)"
    )
    parser.add_argument(
        "--role",
        action="append",
        metavar="ROLE",
        help="list: only the skills of this role (may be repeated)",
    )
    parser.add_argument(
        "--section",
        action="append",
        metavar="NAME",
        help="show: only this section (may be repeated)",
    )


def _add_keeping(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strict",
        action="store_true",
        help="validate: also the rules that the cards of this program keep",
    )
    parser.add_argument("--path", metavar="SUB", help="add: only what is in this folder of it")
    parser.add_argument(
        "--force",
        action="store_true",
        help="add: in spite of problems; update, remove, install, export: even what was changed",
    )
    parser.add_argument(
        "--frozen",
        action="store_true",
        help="update, validate, install, export: change nothing in "
        ".skillmesh/skills, fail if it is not what skills.lock.json says",
    )
    parser.add_argument("--dry-run", action="store_true", help="update: only say what would change")
    parser.add_argument(
        "--agent",
        action="append",
        choices=_AGENTS,
        help="install: for this agent (may be repeated)",
    )
    parser.add_argument(
        "--to",
        metavar="DIR",
        help="install: the folder of skills; export: the folder of the project "
        "(default: the repository)",
    )
    parser.add_argument(
        "--format",
        dest="formats",
        action="append",
        choices=_FORMATS,
        help="export: .claude/skills, .agents/skills, a plugin for Claude Code, a "
        "section of AGENTS.md (may be repeated; default all)",
    )
    parser.add_argument("--name", help="export: the name of the plugin (default project-skills)")
    parser.add_argument(
        "--remove", action="store_true", help="install, export: take away what was written"
    )


def _take_words_anywhere(parser: argparse.ArgumentParser) -> None:
    """Let options stand between the words: `skills retrieve --top-k 2 resize images`."""
    plainly = parser.parse_known_args

    def mixed(
        args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        setattr(parser, "parse_known_args", plainly)  # noqa: B010  # what it calls itself
        try:
            return parser.parse_known_intermixed_args(args, namespace)
        finally:
            setattr(parser, "parse_known_args", mixed)  # noqa: B010

    setattr(parser, "parse_known_args", mixed)  # noqa: B010


def run(args: argparse.Namespace, context: Context) -> int:
    """Do one of the actions. Raises `UsageError`."""
    check_action(args, ACTIONS, _OPTIONS, {"formats": "format"})
    from importlib import import_module

    module, _, function = ACTIONS[args.action].partition(".")
    action: Callable[[argparse.Namespace, Context], int] = getattr(
        import_module(f".{module}", __package__), function
    )
    return action(args, context)
