"""The tool `status`: what is searched, what is missing, what went wrong.

In: nothing. Out: a few lines.
"""

from typing import Any

from mcp.server import MCPServer

from ...display import safe_line
from ...errors import last_error
from ..host import Host
from ..tooling import add_tool

_DESCRIPTION = """What is indexed here and how current it is. Use it when a search finds nothing
or less than you expect."""


def add(server: MCPServer[Any], host: Host) -> None:
    """Add the tool."""

    def status() -> str:
        return "\n".join(safe_line(line) for line in _lines(host))

    add_tool(server, status, _DESCRIPTION)


def _lines(host: Host) -> list[str]:
    from ...git.trees import working_tree
    from ...index.learnings import state_of_learnings
    from ...index.state import index_state, memory_state
    from ...thinking.store import counted

    repository, config = host.repository, host.config
    commit, tree = repository.head_tree()
    branch = repository.branch() or "detached HEAD"
    lines = [
        f"repository: {repository.top or repository.git_dir}, {branch} "
        f"{commit[:12] if commit else 'without a commit'}"
    ]
    index = index_state(repository, config, tree)
    if index["exists"]:
        behind = f"{index['behind']} files behind" if index["behind"] else "up to date"
        lines.append(f"code: {behind}, {index['files']} files, {index['chunks']} chunks")
        if index["model_problem"]:
            lines.append(f"code is ranked by words only: {index['model_problem']}")
    else:
        lines.append("code: no index yet; the first search makes it")
    changes = working_tree(repository)
    counts = {
        "changed": len(changes.changed),
        "untracked": len(changes.untracked),
        "deleted": len(changes.deleted),
    }
    if told := ", ".join(f"{count} {name}" for name, count in counts.items() if count):
        lines.append(f"working tree: {told} (searched as they are)")
    memory = memory_state(repository)
    waiting = ", newer ones are read by the next search" if memory["behind"] else ""
    lines.append(f"conversations: {memory['sessions']}, {memory['exchanges']} exchanges{waiting}")
    thoughts = counted(repository)
    if thoughts["sessions"]:
        told = "1 session" if thoughts["sessions"] == 1 else f"{thoughts['sessions']} sessions"
        lines.append(f"thoughts: {thoughts['thoughts']} in {told}")
    learned = state_of_learnings(repository)
    states = ", ".join(f"{count} {state}" for state, count in sorted(learned.states.items()))
    lines.append(f"learnings: {states or 'none'}")
    lines += [f"broken learning: {one.path}:{one.line}: {one.what}" for one in learned.broken[:3]]
    if problem := host.engine.watched():
        lines.append(f"the working tree is compared before each search: {problem}")
    if error := last_error(repository.state_dir):
        lines.append(f"last error: {error['time']} {error['what']} ({error['where']})")
    return lines
