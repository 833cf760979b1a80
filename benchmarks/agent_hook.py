"""What an agent waits for when it calls our hook, as a ratio to an interpreter that does nothing.

    python -m benchmarks.agent_hook

In turn: `python -I -c pass`, and `git-skillmesh-hook agent` with payloads as agents send them. What
counts is processor time, interpreter start included; the worker that a Stop starts is detached and
does not count.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from benchmarks.measure import in_turn, median, percentile
from benchmarks.program import common_arguments, workplace
from benchmarks.results import Recorder, milliseconds, table
from git_skillmesh.hooks.main import PROGRAM
from testing.environment import TOKEN, wait_for_hooks
from testing.repos import Repo

BUDGET = 0.040
_NOTHING = [sys.executable, "-I", "-c", "pass"]
_HOOK = [sys.executable, "-I", PROGRAM, "agent"]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all payloads in turn."""
    parser = common_arguments("measure what an agent waits for when it calls the hook")
    parser.add_argument("--rounds", type=int, default=40, help="calls of each kind (40)")
    args = parser.parse_args(argv)
    recorder = Recorder("agent-hook", args.results)
    with workplace(args.scratch) as bench:
        repo = Repo(bench.folder / "repository")
        bench.git("init", "--quiet", str(repo.path))
        repo.state_dir.mkdir()
        deep = repo.path / "a" / "b" / "c"
        deep.mkdir(parents=True)
        cases: dict[str, Callable[[], tuple[float, float]]] = {
            "an interpreter, nothing": _timed(_NOTHING, b"", bench.env),
            "outside of a repository": _timed(_HOOK, _claude(str(bench.folder)), bench.env),
        }
        for name, payload in _payloads(str(deep)).items():
            cases[name] = _timed(_HOOK, payload, bench.env)
        taken = in_turn(cases, args.rounds)
        wait_for_hooks(bench.env[TOKEN])
    found = {name: _summary(times) for name, times in taken.items()}
    bare = found["an interpreter, nothing"]["cpu"]
    rows = [
        [name, milliseconds(one["cpu"]), f"{one['cpu'] / bare:.2f}", milliseconds(one["wall"])]
        for name, one in found.items()
    ]
    print(table(["payload", "cpu", "ratio", "wall"], rows))
    recorder.write(rounds=args.rounds, budget=BUDGET, payloads=found)
    return 0


def _payloads(folder: str) -> dict[str, bytes]:
    edits = [{"old_string": "x" * 80 + str(n), "new_string": "y" * 80} for n in range(100)]
    return {
        "Claude Code, PostToolUse": _claude(folder),
        "Claude Code, PostToolUse, 1 MB": _claude(folder, tool_response={"file": "z" * 10**6}),
        "Claude Code, Stop, starts the worker": _claude(folder, hook_event_name="Stop"),
        "Cursor, 100 edits": json.dumps(
            {
                "conversation_id": "u1", "generation_id": "g1", "cursor_version": "2.5",
                "hook_event_name": "afterFileEdit", "workspace_roots": [folder],
                "file_path": f"{folder}/x.py", "edits": edits,
            }
        ).encode(),
    }  # fmt: skip


def _claude(folder: str, **more: Any) -> bytes:
    payload = {
        "session_id": "s1", "transcript_path": "/agents/.claude/projects/y/s1.jsonl",
        "cwd": folder, "permission_mode": "default", "hook_event_name": "PostToolUse",
        "tool_name": "Edit", "tool_input": {"old_string": "a" * 1500, "new_string": "b" * 1500},
        "tool_response": {"structuredPatch": ["c" * 80] * 20}, **more,
    }  # fmt: skip
    return json.dumps(payload).encode()


def _timed(
    command: list[str], data: bytes, env: dict[str, str]
) -> Callable[[], tuple[float, float]]:
    def measure() -> tuple[float, float]:
        started, before = perf_counter(), _children()
        done = subprocess.run(command, input=data, env=env, cwd=os.sep, check=True)
        assert done.stdout is None
        return _children() - before, perf_counter() - started

    return measure


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _summary(times: Sequence[tuple[float, float]]) -> dict[str, float]:
    cpus, walls = zip(*times, strict=True)
    return {"cpu": median(cpus), "cpu_p90": percentile(cpus, 0.9), "wall": median(walls)}


if __name__ == "__main__":
    raise SystemExit(main())
