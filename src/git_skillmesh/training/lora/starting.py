"""Start a training in a process of its own, and listen to it.

In: a plan. Out: what came of it. The process says where it is, one JSON object a line; what else it
writes goes to a log. Ctrl-C reaches it, and it saves before it ends.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...errors import ExitCode, ReadOnly, SkillmeshError
from ...git.process import clean_environment
from .plan import Plan

Progress = Callable[[int, int], None] | None
# A plan for every device of a machine, or of several.
LAUNCH = "accelerate launch -m git_skillmesh.training.run"


@dataclass(slots=True)
class Outcome:
    """What a training said: its result, or at which step it was interrupted."""

    result: dict[str, Any] = field(default_factory=dict)
    interrupted: bool = False
    step: int = 0
    of: int = 0


def train(plan: Plan, progress: Progress = None) -> Outcome:
    """Train, and wait for it. Raises `SkillmeshError` of many kinds, with the process's code."""
    output = Path(plan.output)
    log = output / f"{plan.work.name}.log"
    file = output / f"{plan.work.name}.{os.getpid()}.json"
    environ = clean_environment(os.environ)
    if plan.threads:
        environ["OMP_NUM_THREADS"] = str(plan.threads)
    try:
        output.mkdir(parents=True, exist_ok=True)
        replace(plan, owner=os.getpid()).write(file)
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "git_skillmesh.training.run", str(file)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=environ,
                text=True, cwd=output,
            )  # fmt: skip
    except OSError as error:
        raise ReadOnly(f"cannot write {output}", error.strerror or str(error)) from None
    try:
        outcome, failed = _listen(process, progress)
    finally:
        if process.stdout:
            process.stdout.close()
        with contextlib.suppress(OSError):
            file.unlink()
    if failed is None and (outcome.result or outcome.interrupted):
        log.unlink(missing_ok=True)
        return outcome
    raise failed or _died(process.returncode, log, outcome)


def _listen(
    process: "subprocess.Popen[str]", progress: Progress
) -> tuple[Outcome, SkillmeshError | None]:
    outcome, failed = Outcome(), None
    while True:
        try:
            for line in process.stdout or ():
                try:
                    told = json.loads(line)
                except ValueError:
                    continue  # a library that prints
                if not isinstance(told, dict):
                    continue
                if "step" in told:
                    outcome.step, outcome.of = told["step"], told["of"]
                    if progress is not None:
                        progress(outcome.step, outcome.of)
                elif "error" in told:
                    failed = SkillmeshError(told["error"], told["mend"])
                    failed.exit_code = ExitCode(told["code"])
                elif "interrupted" in told:
                    outcome.interrupted, outcome.step = True, told["interrupted"]
                elif "name" in told:
                    outcome.result = told
            code = process.wait()
        except KeyboardInterrupt:
            # It may have heard of it from the terminal; twice is no harm, and it saves first.
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            continue
        if code in (ExitCode.INTERRUPTED, -signal.SIGINT) and failed is None:
            outcome.interrupted = True
        return outcome, failed


def _died(code: int, log: Path, outcome: Outcome) -> SkillmeshError:
    """Return why a process ended without a word."""
    at = f"at step {outcome.step}, " if outcome.step else ""
    if code == -signal.SIGKILL:
        found = SkillmeshError(
            f"training was killed {at}perhaps for memory", "a smaller --batch or --length; --resume"
        )
        found.exit_code = ExitCode.UNAVAILABLE
        return found
    found = SkillmeshError(f"training ended {at}with code {code}", f"its log is {log}")
    found.exit_code = ExitCode.INTERNAL
    return found


def unfinished(plan: Plan) -> bool:
    """Say whether a training with the same plan was begun and not finished."""
    return (plan.work / "plan.json").is_file()


def forget(plan: Plan) -> None:
    """Remove what a training left."""
    shutil.rmtree(plan.work, ignore_errors=True)
