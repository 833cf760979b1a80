"""What an agent waits for with each prompt, as a ratio to an interpreter that does nothing.

    python -m benchmarks.context_hook CLONE…

In: clones with real conversations (context_replay.py), all of them stored and indexed. In turn:
`python -I -c pass`, and `git-skillmesh-hook context` with a prompt of a real person, in a session
that was told nothing yet. What counts is processor time with all children, interpreter start
included.
"""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.context_replay import Replay
from benchmarks.measure import median, percentile
from benchmarks.program import common_arguments, workplace
from benchmarks.results import Recorder, milliseconds, table
from git_skillmesh.briefing.prompts import read_prompt
from git_skillmesh.briefing.skilled import may_fit
from git_skillmesh.hooks.main import PROGRAM

# The budget is 300 ms where a bare interpreter takes 20.
BUDGET = 15.0
_SEED = 5
_NOTHING = [sys.executable, "-I", "-c", "pass"]
_NUMPY = [sys.executable, "-I", "-c", "import numpy"]
_HOOK = [sys.executable, "-I", PROGRAM, "context", "claude-code"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the hook: what kind of prompt it was, seconds, and the bytes of the answer."""

    kind: str
    cpu: float
    wall: float
    answer: int


def main(argv: Sequence[str] | None = None) -> int:
    """Measure prompts of all clones."""
    parser = common_arguments("measure what an agent waits for with each prompt")
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    parser.add_argument("--prompts", type=int, default=60, help="of each clone, drawn (60)")
    args = parser.parse_args(argv)
    recorder = Recorder("context-hook", args.results)
    calls: list[Call] = []
    bare: list[float] = []
    numpy: list[float] = []
    with workplace(args.scratch) as bench:
        os.environ.update(bench.env)
        for clone in args.clones:
            replay = Replay(clone, Path(tempfile.mkdtemp(dir=bench.folder)), 0)
            prompts = replay.at_the_end()
            chosen = random.Random(_SEED).sample(prompts, min(args.prompts, len(prompts)))
            for number, prompt in enumerate(chosen):
                bare.append(_timed(_NOTHING, b"", bench.env)[0])
                if number % 5 == 0:
                    numpy.append(_timed(_NUMPY, b"", bench.env)[0])
                data = _payload(prompt, f"{clone}-{number}", str(replay.repository.top))
                calls.append(Call(_kind(prompt), *_timed(_HOOK, data, bench.env)))
    unit = median(bare)
    kinds = ("all", "idle", "no skill tried", "a skill tried", "silent", "spoke")
    found = {kind: _summary([call for call in calls if _is(call, kind)], unit) for kind in kinds}
    rows = [[kind, *one.values()] for kind, one in found.items() if one]
    print(table(["prompts", "", "ratio p50", "p95", "cpu p50", "p95", "wall p50"], rows))
    print(f"\nan interpreter {milliseconds(unit)}, with numpy {milliseconds(median(numpy))}")
    recorder.write(bare=unit, numpy=median(numpy), budget=BUDGET, found=found)
    return 0


def _kind(prompt: str) -> str:
    read = read_prompt(prompt)
    return "idle" if read.is_idle else "a skill tried" if may_fit(read, None) else "no skill tried"


def _is(call: Call, kind: str) -> bool:
    if kind in ("silent", "spoke"):
        return bool(call.answer) is (kind == "spoke")
    return kind in ("all", call.kind)


def _summary(calls: Sequence[Call], unit: float) -> dict[str, str]:
    if not calls:
        return {}
    cpus = [call.cpu for call in calls]
    return {
        "count": str(len(calls)),
        "ratio_p50": f"{percentile(cpus, 0.5) / unit:.1f}",
        "ratio_p95": f"{percentile(cpus, 0.95) / unit:.1f}",
        "cpu_p50": milliseconds(percentile(cpus, 0.5)),
        "cpu_p95": milliseconds(percentile(cpus, 0.95)),
        "wall_p50": milliseconds(median([call.wall for call in calls])),
    }


def _payload(prompt: str, session: str, folder: str) -> bytes:
    return json.dumps(
        {
            "session_id": session, "transcript_path": "/agents/.claude/projects/y/s.jsonl",
            "cwd": folder, "hook_event_name": "UserPromptSubmit", "prompt": prompt,
        }
    ).encode()  # fmt: skip


def _timed(command: list[str], data: bytes, env: Mapping[str, str]) -> tuple[float, float, int]:
    started, before = perf_counter(), _children()
    done = subprocess.run(command, input=data, env=env, cwd=os.sep, check=True, capture_output=True)
    return _children() - before, perf_counter() - started, len(done.stdout)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
