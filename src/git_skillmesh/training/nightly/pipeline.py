"""The pipeline: which steps run, in which order, on what, and what to say of those that do not.

In: a repository, settings, options. Out: a `Report`. A step that succeeded is written down before
the next one begins, so a run that is killed goes on there. Nothing of another room is changed here:
all that is made is made by the commands that the steps are, and each of these is whole or nothing.
"""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from ...config import Config
from ...display import plural
from ...errors import ExitCode
from ...git.refs import read_ref
from ...git.repository import Repository
from ...sessions.layout import REF
from ...sessions.serving import adapters_folder
from ..adapters.manifest import active_name
from ..dataset.splitting import TEST, TRAIN, VALIDATION
from . import child, inputs
from .adapters import described, known_lines, trained_already
from .data import Data, data_of, is_there
from .figures import figures_of
from .model import STEPS, Did, Options, Outcome, Report, Told
from .state import Done, State, Store, now

# Told when a step begins: its name and what it does.
Progress = Callable[[str, str], None] | None


class _End(Exception):
    """The steps that follow cannot run, or need not; `why` in words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def nightly(
    repository: Repository, config: Config, options: Options, progress: Progress = None
) -> Report:
    """Run what has to be run. Raises `Busy`, `ReadOnly`, `Damaged`; a failing step is reported."""
    store = Store(repository)
    if options.dry_run:
        return _Run(repository, config, options, store, progress, None).go()
    with store.locked():
        path = store.new_log()
        with path.open("wb") as log:
            run = _Run(repository, config, options, store, progress, log)
            run.report.log = str(path)
            return run.go()


class _Run:
    """One run."""

    def __init__(
        self, repository: Repository, config: Config, options: Options, store: Store,
        progress: Progress, log: IO[bytes] | None,
    ) -> None:  # fmt: skip
        self.repository, self.config, self.options = repository, config, options
        self.store, self.progress, self.log = store, progress, log
        self.state: State = store.load()
        self.signals = child.Signals()
        self.adapters = adapters_folder(repository, config)
        self.report = Report(now(), repository.head_commit() or "")
        self.began = time.monotonic()

    def go(self) -> Report:
        """Go through all steps."""
        steps: Mapping[str, Callable[[], None]] = {
            "rewards": self._rewards, "export-rl": self._export, "train": self._train,
            "evaluate": self._evaluate, "deploy": self._deploy,
        }  # fmt: skip
        rest = list(STEPS)
        try:
            with self.signals.held():
                self._sweep()
                while rest:
                    name = rest.pop(0)
                    if name not in self.options.steps:
                        self._skip(name, "not asked for")
                        continue
                    steps[name]()
                    if self.report.outcome in (Outcome.FAILED, Outcome.INTERRUPTED):
                        raise _End(f"{name} did not succeed")
        except _End as end:
            for name in rest:
                self._skip(name, end.why)
        except KeyboardInterrupt:
            self.report.outcome, self.report.code = Outcome.INTERRUPTED, ExitCode.INTERRUPTED
        return self._finish()

    # The steps.

    def _rewards(self) -> None:
        made = inputs.of_rewards(self.repository)
        if not made["head"]:
            self._skip("rewards", "there are no commits yet")
            raise _End("there is nothing to judge")
        if not made["memory"]:
            self._skip("rewards", "no conversation is stored yet: git skillmesh import")
            raise _End("there is nothing to judge")
        if self._unchanged("rewards", made):
            return
        ended = self._run("rewards", ["rewards", "--json", "--brief"], made)
        if ended is not None and ended.code == ExitCode.NOTHING_FOUND:
            raise _End("no exchange has edits")

    def _export(self) -> None:
        made = inputs.of_export(self.repository, self.config, self.options)
        done = self.state.done.get("export-rl")
        if done and is_there(done.result) and self._unchanged("export-rl", made):
            if not self._data().lines:
                raise _End("there is nothing to train on")
            return
        words = ["export-rl", "--format", str(self.options.method), "--json"]
        ended = self._run("export-rl", [*words, "--output", str(self.store.datasets)], made)
        if ended is not None and ended.code == ExitCode.NOTHING_FOUND:
            raise _End("there is nothing to train on")
        if ended is not None and ended.code == ExitCode.OK:
            self.store.sweep_datasets(self._data().path)

    def _train(self) -> None:
        data, options = self._data(), self.options
        made = inputs.of_training(data.sha256, options)
        if not data.path:
            self._skip("train", "there is no data set yet: the step export-rl makes it")
            raise _End("nothing was trained")
        if not data.test:
            self._skip("train", "the data set has no test: nobody could say if it is better")
            raise _End("nothing was trained")
        if self._unchanged("train", made):
            return
        lines = data.ids(TRAIN)
        new = len(set(lines) - self.store.trained())
        done = self.state.done.get("train")
        same_kind = done is not None and inputs.differences(done.inputs, made) == ["the data set"]
        if (same_kind or done is None) and new < options.minimum and not options.force:
            told = f"{plural(new, 'new line')}: {options.minimum} make a training worth its while"
            self._skip("train", told)
            return
        if self._adopted(made, data, lines):
            return
        begun = self.state.running.get("train") or {}
        if self._was_running(made) and begun.get("words"):
            words = [str(word) for word in begun["words"]]  # the same parent too
        else:
            words = ["train", "--base", options.base, "--data", data.path, "--json"]
            words += ["--method", str(options.method), "--preset", options.preset]
            words += ["--output", str(self.adapters), "--resume"]
            if parent := self._parent(same_kind, data):
                words += ["--from", parent]
            words += options.more
        ended = self._run("train", words, made)
        if ended is not None and ended.code == ExitCode.OK:
            self.store.remember_trained(lines)

    def _evaluate(self) -> None:
        name, data = self._trained(), self._data()
        if not name:
            self._skip("evaluate", "no adapter was trained yet")
            raise _End("there is nothing to deploy")
        if self.state.done["train"].inputs.get("data") != data.sha256:
            # Its lines may have come from one split into another since.
            self._skip("evaluate", f"{name} was trained on an earlier data set, and judged by that")
            return
        active = active_name(self.adapters)
        if name == active:
            self._skip("evaluate", f"{name} is active already")
            return
        if not data.path or not Path(data.path).is_file():
            self._skip("evaluate", "there is no data set: the step export-rl makes it")
            raise _End("nothing was judged")
        made = {"adapter": name, "data": data.sha256, "active": active}
        if self._unchanged("evaluate", made):
            return
        words = ["adapters", "evaluate", name, "--data", data.path, "--json"]
        self._run("evaluate", [*words, "--base", self.options.base], made)

    def _deploy(self) -> None:
        name = self._trained()
        active = active_name(self.adapters)
        if not name or name == active:
            self._skip("deploy", f"{name} is active already" if name else "nothing was trained yet")
            return
        judged = self.state.done.get("evaluate")
        if judged is None or judged.result.get("adapter") != name:
            self._skip("deploy", f"{name} has not been judged")
            return
        if judged.result.get("better") is not True:
            why = "; ".join(map(str, judged.result.get("reasons") or ()))
            self._skip("deploy", f"{name} is not better" + (f": {why}" if why else ""))
            return
        if name in self.state.deployed and not self.options.force:
            mend = f"git skillmesh adapters deploy {name}"
            self._skip("deploy", f"{name} was deployed and taken back; to deploy it again: {mend}")
            return
        words = ["adapters", "deploy", name, "--json"]
        ended = self._run("deploy", words, {"adapter": name, "active": active})
        if ended is not None and ended.code == ExitCode.OK:
            self.state.deployed = [*(self.state.deployed[-99:]), name]
            self.store.save(self.state)

    # What they have in common.

    def _run(self, name: str, words: list[str], made: dict[str, Any]) -> child.Ended | None:
        """Run a step; None for a dry run. A step that fails ends the run."""
        done = self.state.done.get(name)
        changed = inputs.differences(done.inputs, made) if done else []
        why = f"{' and '.join(changed)} changed" if changed else "first run"
        if done and not changed:
            why = "asked for again" if self.options.force else "what it made is gone"
        if name == "train" and self._was_running(made):
            why = "goes on where it was interrupted"
        where = self.repository.top or self.repository.git_dir
        command = (*self.options.program, "-C", str(where), *words)
        if self.options.dry_run or self.log is None:
            self._tell(Told(name, Did.WOULD, why, command=tuple(words)))
            raise _End("depends on what comes before")
        if self.progress:
            self.progress(name, why)
        token = f"{os.getpid()}-{time.time_ns()}"
        begun = {"token": token, "inputs": made, "words": words}
        if not self._was_running(made):
            begun["since"] = now()
        else:
            begun["since"] = self.state.running["train"].get("since", "")
        self.state.running[name] = begun
        self.store.save(self.state)
        self._log(f"{name}: {why}: {' '.join(words)}")
        environ = {**os.environ, child.TOKEN: token}
        before = read_ref(self.repository, REF) or ""
        ended = child.run(
            command, where, environ, self.store.folder / f"{name}.json", self.log, self.signals
        )
        self._log(f"{name}: exit code {ended.code} after {ended.seconds:.1f} s")
        self._settle(name, words, ended, made, before, why)
        return ended

    def _settle(
        self, name: str, words: list[str], ended: child.Ended, made: dict[str, Any], before: str,
        why: str,
    ) -> None:  # fmt: skip
        """Write down how a step ended."""
        is_done = ended.code == ExitCode.OK or (
            ended.code == ExitCode.NOTHING_FOUND
            and bool(ended.result)
            and name in ("rewards", "export-rl", "evaluate")
        )
        if is_done and not ended.result:
            is_done, ended.line = False, "it printed no JSON"
            ended.code = ExitCode.INTERNAL
        if is_done:
            did = Did.RAN
            self.state.done[name] = Done(made, ended.result, now(), ended.seconds)
            self.state.running.pop(name, None)
            self._take_in_events(before)
            self.store.save(self.state)
        else:
            did = Did.INTERRUPTED if ended.interrupted else Did.FAILED
            why = ended.line or f"exit code {ended.code}"
            if ended.interrupted:  # how to go on is said once, for all of it
                why = why.partition(";")[0]
            interrupted = did is Did.INTERRUPTED
            self.report.outcome = Outcome.INTERRUPTED if interrupted else Outcome.FAILED
            self.report.code = ExitCode.INTERRUPTED if interrupted else ended.code
        figures = figures_of(name, ended.result) if is_done else {}
        self._tell(Told(name, did, why, ended.seconds, ended.code, figures, tuple(words)))

    def _take_in_events(self, before: str) -> None:
        """Let the events that a step of ours has added count as known to the steps done before."""
        after = read_ref(self.repository, REF) or ""
        if after == before or not inputs.only_events(self.repository, before, after):
            return
        for one in self.state.done.values():
            if one.inputs.get("memory") == before:
                one.inputs["memory"] = after

    def _unchanged(self, name: str, made: Mapping[str, Any]) -> bool:
        """Return whether a step may be left out, and say so."""
        done = self.state.done.get(name)
        if done is None or self.options.force or inputs.differences(done.inputs, made):
            return False
        self._tell(Told(name, Did.SKIPPED, "unchanged", figures=figures_of(name, done.result)))
        return True

    def _skip(self, name: str, why: str) -> None:
        self._tell(Told(name, Did.SKIPPED, why))

    def _tell(self, told: Told) -> None:
        self.report.steps.append(told)
        if told.did is Did.SKIPPED:
            self._log(f"{told.name}: {told.did}: {told.why}")

    def _log(self, text: str) -> None:
        if self.log is not None:
            self.log.write(f"{now()} {text}\n".encode("utf-8", "backslashreplace"))
            self.log.flush()

    # What is known of earlier results.

    def _data(self) -> Data:
        done = self.state.done.get("export-rl")
        return data_of(done.result if done else {})

    def _trained(self) -> str:
        done = self.state.done.get("train")
        name = str(done.result.get("name") or "") if done else ""
        return name if name and (self.adapters / name).is_dir() else ""

    def _adopted(self, made: dict[str, Any], data: Data, lines: list[str]) -> bool:
        """Take an adapter that a killed run had finished, before it could write that down."""
        if not self._was_running(made):
            return False
        wanted = {
            "data_sha256": data.sha256, "method": str(self.options.method),
            "base": self.options.base,
        }  # fmt: skip
        since = str(self.state.running["train"].get("since", ""))
        name = trained_already(self.adapters, wanted, since)
        if not name:
            return False
        said = described(self.adapters, name)
        result = {"schema": 1, "name": name, "folder": str(self.adapters / name)}
        result |= {"steps": said.get("steps"), "metrics": said.get("metrics"), "resumed": True}
        self.state.done["train"] = Done(made, result, now())
        del self.state.running["train"]
        self.store.remember_trained(lines)
        self.store.save(self.state)
        told = "a run that was killed had finished it"
        self._tell(Told("train", Did.SKIPPED, told, figures=figures_of("train", result)))
        return True

    def _was_running(self, made: Mapping[str, Any]) -> bool:
        """Return whether the same training was begun and did not end."""
        begun = self.state.running.get("train") or {}
        return begun.get("inputs") == made and not self.options.force

    def _parent(self, same_kind: bool, data: Data) -> str:
        """Return the adapter to go on from: the active one, if it is of the same base.

        One that knows lines which judge now would be judged by what it has learned by heart.
        """
        active = active_name(self.adapters)
        if not same_kind or not described(self.adapters, active):
            return ""
        known = known_lines(self.adapters, active)
        if known is None or not known.isdisjoint(data.ids(VALIDATION, TEST)):
            self._log(f"train: {active} knows lines of the test: training begins with the base")
            return ""
        return active

    # The beginning and the end.

    def _sweep(self) -> None:
        tokens = {str(one.get("token")) for one in self.state.running.values()}
        if tokens and self.log is not None and (left := child.end_leftovers(tokens)):
            self._log(f"ended {plural(left, 'leftover')} of a run that was killed")

    def _finish(self) -> Report:
        report = self.report
        ran = any(step.did is Did.RAN for step in report.steps)
        if self.options.dry_run:
            report.outcome = Outcome.DRY_RUN
        elif report.outcome is Outcome.DONE and not ran:
            report.outcome = Outcome.NOTHING_NEW
        if report.outcome in (Outcome.FAILED, Outcome.INTERRUPTED):
            report.next = "git skillmesh nightly"
        report.ended = now()
        report.seconds = round(time.monotonic() - self.began, 3)
        if self.log is not None:
            self.state.last = report.document()
            self.store.save(self.state)
            self._log(f"{report.outcome} after {report.seconds:.1f} s")
        return report
