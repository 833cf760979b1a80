"""Whether the code in a card is code: parsed by its own parser, or by tree-sitter.

In: a fence. Out: lines and what is wrong there. Nothing is executed; scripts/snippets does that.
"""

import re
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from .markdown import Fence

RUNNABLE = ("python", "sh", "rust", "cpp", "node")
# Language of a fence → its grammar. Those with a parser of their own are in _PARSERS.
_GRAMMARS = {
    "sh": "bash", "bash": "bash", "sql": "sql", "hcl": "hcl", "terraform": "hcl", "tsx": "tsx",
    "jsx": "tsx", "ts": "typescript", "typescript": "typescript", "js": "javascript",
    "javascript": "javascript", "node": "javascript", "css": "css", "html": "html", "go": "go",
    "rust": "rust", "cpp": "cpp", "c": "c", "dockerfile": "dockerfile", "graphql": "graphql",
    "proto": "proto", "java": "java", "kotlin": "kotlin", "scala": "scala", "swift": "swift",
    "make": "make", "xml": "xml", "objc": "objc", "groovy": "groovy", "r": "r", "ruby": "ruby",
    "rego": "rego", "nix": "nix", "lua": "lua", "powershell": "powershell",
}  # fmt: skip
_UNPARSED = frozenset({"text", "diff", "console", "promql", "http"})
# At-rules that are younger than the grammar; all are blocks with a condition in front.
_NEW_AT_RULES = re.compile(r"@(?:container|layer|scope|starting-style)\b[^{;]*(?=\{)")
# The grammar of SQL does not know it.
_AT_TIME_ZONE = re.compile(r"\bat[ \t]+time[ \t]+zone[ \t]+'[^'\n]*'", re.I)
_BASH_SAID = re.compile(r"line (\d+): (.*)")
Wrong = tuple[int, str]  # line of the code from 1, what


def wrong(fence: Fence) -> Iterator[Wrong]:
    """Yield (line of the file, what)."""
    language = fence.language
    if fence.run and language not in RUNNABLE:
        yield fence.line, f"a {language} fence cannot be run, only {', '.join(RUNNABLE)}"
    if language in _UNPARSED:
        return
    found: Iterator[Wrong] | list[Wrong]
    if language in _PARSERS:
        found = _PARSERS[language](fence.code)
    elif language in _GRAMMARS:
        found = _parsed(fence.code, _GRAMMARS[language])
    else:
        what = f"unknown language: {language}" if language else "a fence without a language"
        found = [(0, what)]
    yield from ((fence.line + line, what) for line, what in found)


def _python(code: str) -> Iterator[Wrong]:
    import ast

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compile(code, "snippet", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        yield error.lineno or 1, f"no Python: {error.msg}"
    except (ValueError, Warning) as error:
        yield 1, f"no Python: {error}"


def _shell(code: str) -> Iterator[Wrong]:
    bash = shutil.which("bash")
    if bash:
        done = subprocess.run(
            [bash, "--norc", "-n"], input=code.encode(), capture_output=True, check=False
        )
        if done.returncode:
            said = _BASH_SAID.search(done.stderr.decode(errors="replace"))
            yield int(said[1]) if said else 1, f"no shell: {said[2] if said else 'bash -n fails'}"
            return
    yield from _parsed(code, "bash")


def _yaml(code: str) -> Iterator[Wrong]:
    import yaml

    try:
        # Composed, not loaded: what !Ref and its like mean is no matter here.
        for _ in yaml.compose_all(code, yaml.SafeLoader):
            pass
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        yield mark.line + 1 if mark else 1, f"no YAML: {getattr(error, 'problem', error)}"


def _json(code: str) -> Iterator[Wrong]:
    import json

    try:
        json.loads(code)
    except json.JSONDecodeError as error:
        yield error.lineno, f"no JSON: {error.msg}"
    except (RecursionError, ValueError) as error:
        yield 1, f"no JSON: {error}"


def _toml(code: str) -> Iterator[Wrong]:
    import tomllib

    try:
        tomllib.loads(code)
    except tomllib.TOMLDecodeError as error:
        yield 1, f"no TOML: {error}"


def _ini(code: str) -> Iterator[Wrong]:
    """Of a file without sections, such as postgresql.conf, the first may lack its heading."""
    import configparser

    parser = configparser.ConfigParser(strict=False, allow_no_value=True, interpolation=None)
    try:
        parser.read_string(f"[first]\n{code}")
    except configparser.Error as error:
        yield 1, f"no INI: {str(error).splitlines()[0]}"


def _parsed(code: str, grammar: str) -> Iterator[Wrong]:
    import tree_sitter_language_pack

    parsers: Any = tree_sitter_language_pack
    if grammar == "css":
        code = _NEW_AT_RULES.sub("@media all", code)
    if grammar == "sql":
        code = _AT_TIME_ZONE.sub("", code)
    tree = parsers.get_parser(grammar).parse(code.encode())
    pending = [tree.root_node] if tree.root_node.has_error else []
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            shown = code.splitlines()[node.start_point[0] :][:1]
            yield node.start_point[0] + 1, f"no {grammar}: {''.join(shown).strip()[:60]}"
            return
        pending += [
            child for child in reversed(node.children) if child.has_error or child.is_missing
        ]


_PARSERS: dict[str, Callable[[str], Iterator[Wrong]]] = {
    "python": _python, "sh": _shell, "bash": _shell, "yaml": _yaml, "yml": _yaml, "json": _json,
    "toml": _toml, "ini": _ini, "conf": _ini,
}  # fmt: skip
