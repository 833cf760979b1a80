"""Interpreters that have loaded nothing, one after the other, at the price of one start.

In: code, and the folder to run it in. Out: the modules that are loaded when it has ended. One
interpreter is started and waits; for each request it forks a process that is as fresh as itself.
"""

import marshal
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType

# Uses what every interpreter has loaded when it starts, and nothing else. What the code prints
# goes nowhere: standard output carries the answers.
_FORKING = """
def forked():
    import marshal, os, sys
    while True:
        try:
            code, folder = marshal.load(sys.stdin.buffer)
        except EOFError:
            return None, 0
        child = os.fork()
        if not child:
            os.chdir(folder)
            answers, nowhere = os.dup(1), os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, 0)
            os.dup2(nowhere, 1)
            return compile(code, "<fresh>", "exec"), answers
        if os.waitpid(child, 0)[1]:
            os.write(1, marshal.dumps(None))
code, answers = forked()
if code:
    exec(code)
    import marshal, os, sys
    os.write(answers, marshal.dumps(sorted(sys.modules)))
"""


class Fresh:
    """A source of fresh interpreters, in a `with` statement."""

    def __enter__(self) -> "Fresh":
        self._process = subprocess.Popen(
            [sys.executable, "-c", _FORKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=10)

    def modules_after(self, code: str, folder: Path | None = None) -> list[str]:
        """Run code and return the names of all modules that are loaded then.

        Raises AssertionError where the code fails; standard error has its own words.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        marshal.dump((code, os.fspath(folder or Path.cwd())), self._process.stdin)
        self._process.stdin.flush()
        modules: list[str] | None = marshal.load(self._process.stdout)  # noqa: S302
        assert modules is not None, code
        return modules
