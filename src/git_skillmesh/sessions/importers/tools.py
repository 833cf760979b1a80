"""What tool calls mean, whichever agent made them: kind, files, command, edits, commits.

In: the name of a tool and what it was given. Out: an `Act`, `Edit`s, paths and ids of commits.
"""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from ..model import Act, Edit
from .patch import BEGIN_PATCH, edits_of_patch
from .places import Place
from .records import Misfit, as_json, get, objects, parse_json

# Names of tools of all agents, in lower case and without underscores.
_TOOLS = {
    Act.READ: "read notebookread readfile readmanyfiles view viewfile viewimage readlints listdir",
    Act.EDIT: "edit write multiedit notebookedit writefile replace editfile applypatch strreplace"
    " delete deletefile create createfile editnotebook searchreplace insert streplaceeditor"
    " strreplaceeditor editfilev2 replacestringinfile multireplacestringinfile"
    " inserteditintofile",
    Act.BASH: "bash bashoutput killshell killbash shell shellcommand execcommand localshell"
    " localshellcall runshellcommand runterminalcmd runterminalcommand runinterminal run"
    " writestdin readbash writebash stopbash powershell",
    Act.SEARCH: "grep glob ls search rg grepsearch filesearch codebasesearch semanticsearch"
    " searchfilecontent listdirectory globfilesearch findfiles",
    Act.TASK: "task agent spawnagent subagent runsubagent",
    Act.WEB: "webfetch websearch webfetchtool googlewebsearch fetch",
}
_ACTS = {name.replace("_", ""): act for act, names in _TOOLS.items() for name in names.split()}

# What `git commit` says of a commit it has made. core.abbrev decides how long the id is.
_COMMIT = re.compile(r"^\[[^\]\n]+ (?:\(root-commit\) )?([0-9a-f]{7,40})\] ", re.MULTILINE)
# A command that may commit: the same line in a log that is merely shown is none of ours.
_MAY_COMMIT = re.compile(r"commit|git|merge|rebase|cherry-pick|revert")


# From here on a replacement everywhere is told as the whole file, before and after.
_MOST_PLACES = 50


def act_of(tool: str) -> Act:
    """Return what a tool does, by its name in any agent."""
    name = tool.rpartition(".")[2].lower().replace("_", "").replace("-", "")
    return _ACTS.get(name, Act.OTHER)


def commits_in(command: str, output: str) -> tuple[str, ...]:
    """Return the ids of the commits that a shell command says it has made."""
    if "[" not in output or not _MAY_COMMIT.search(command):
        return ()
    return tuple(dict.fromkeys(_COMMIT.findall(output)))


_PATHS = (
    "file_path", "filePath", "path", "notebook_path", "notebookPath", "target_file",
    "absolute_path", "relative_workspace_path", "target_notebook",
    "dir_path", "target_directory", "fileName",
)  # fmt: skip
_BEFORE = ("old_string", "oldString", "old_str", "oldStr")
_AFTER = ("new_string", "newString", "new_str", "newStr")
_WHOLE = ("content", "contents", "file_text", "fileText")


def described(act: Act, given: Mapping[str, Any], place: Place) -> tuple[tuple[str, ...], str]:
    """Return (files that a call names, its input in one text). Raises `Misfit`."""
    named = [given[key] for key in _PATHS if isinstance(given.get(key), str) and given[key]]
    paths = tuple(dict.fromkeys(place.relative(path) for path in named))
    match act:
        case Act.EDIT:  # the edits say it
            return paths, ""
        case Act.READ:
            rest = {key: value for key, value in given.items() if key not in _PATHS}
            return paths, as_json(rest) if rest else ""
        case Act.BASH:
            return paths, command_of(given)
        case Act.SEARCH | Act.WEB | Act.TASK:
            return paths, _first(given, ("pattern", "prompt", "query", "url")) or as_json(given)
    return paths, as_json(given) if given else ""


def given_to(arguments: object) -> dict[str, Any]:
    """Return what a tool was given: an object, JSON of one, or bare text as `input`."""
    if isinstance(arguments, dict):
        return arguments
    if not isinstance(arguments, str):
        return {}
    try:
        given = parse_json(arguments.encode())
    except Misfit:
        return {"input": arguments}
    return given if isinstance(given, dict) else {"input": arguments}


def command_of(given: Mapping[str, Any]) -> str:
    """Return the command of a shell call; of `bash -lc COMMAND` the command."""
    command = given.get("command", given.get("cmd"))
    if isinstance(command, list) and all(isinstance(word, str) for word in command):
        if len(command) == 3 and command[1] in ("-c", "-lc"):
            return str(command[2])
        return shlex.join(command)
    if isinstance(command, str):
        return command
    return as_json(given) if given else ""


def edits_of_input(given: Mapping[str, Any], place: Place) -> list[Edit]:
    """Return the edits that a call asks for. Raises `Misfit`."""
    patch = given.get("patch", given.get("input"))
    if isinstance(patch, str) and BEGIN_PATCH in patch:
        return edits_of_patch(patch, place)
    if given.get("replacements"):  # of several files
        asked = objects(get(given, "replacements", list, []), '"replacements"')
        return [
            edit for one in asked for edit in edits_of_input({**one, "replacements": None}, place)
        ]
    named = _first(given, _PATHS)
    if not named:
        return []
    path = place.relative(named)
    several = get(given, "edits", list, [])
    asked = objects(several, '"edits"') or [dict(given)]
    return [edit for one in asked for edit in _asked(path, one)]


def _asked(path: str, given: Mapping[str, Any]) -> list[Edit]:
    before, after = _first_key(given, _BEFORE), _first_key(given, _AFTER)
    if after is not None:
        if before:
            return [Edit(path, before, after)]
        return [Edit(path, before, after, whole=before is not None, line=int(before is not None))]
    whole = _first_key(given, _WHOLE)
    if whole is not None:
        return [Edit(path, None, whole, whole=True, line=1)]
    cell = get(given, "new_source", str, "")
    return [Edit(path, None, cell)] if cell else []


def _first(given: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return _first_key(given, keys) or ""


def _first_key(given: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        if given.get(key) is not None:
            return get(given, key, str, "")
    return None


def text_of(content: object) -> str:
    """Return the text of a message: a string, or blocks of which images are only named.

    Raises `Misfit`.
    """
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise Misfit("content is neither text nor blocks")
    texts = []
    for block in content:
        if isinstance(block, str):
            texts.append(block)
        elif isinstance(block, dict):
            image = "image" in get(block, "type", str, "")
            texts.append("[image]" if image else get(block, "text", str, ""))
        else:
            raise Misfit("a block of content is not an object")
    return "\n".join(text for text in texts if text)


def replacements(
    path: str, before: str, after: str, text: str | None, *, every: bool
) -> list[Edit]:
    """Return the edits of a search and replace in `text`, the whole file as it was (if known).

    Lines are those of the file as it is afterwards.
    """
    if not before:
        return [Edit(path, text, after, whole=True, line=1)]
    places = _places(text, before, every=every) if text else []
    if not places:
        return [Edit(path, before, after)]
    if len(places) > _MOST_PLACES:
        return [Edit(path, text, (text or "").replace(before, after), whole=True, line=1)]
    grown = after.count("\n") - before.count("\n")
    return [Edit(path, before, after, line=at + n * grown) for n, at in enumerate(places)]


def _places(text: str, part: str, *, every: bool) -> list[int]:
    found, line, start = [], 1, 0
    while (at := text.find(part, start)) >= 0:
        line += text.count("\n", start, at)
        found.append(line)
        if not every:
            break
        line += part.count("\n")
        start = at + len(part)
    return found
