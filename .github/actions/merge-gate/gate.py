"""The merge gate of CI: which commits to compare, an environment to do it in, and who is told.

In: the environment of a step of GitHub Actions; inputs as GATE_*. Out: a log, annotations, a
summary, SARIF, a comment, and outputs for later steps. `plan`, `install`, `check` are its steps.

Runs isolated (`python -I`): the folder it stands in is somebody's pull request. Nothing of it is
imported, and its text reaches the log only between stop-commands. Standard library only, until
`check` enters the private environment.
"""

import hashlib
import os
import platform
import re
import secrets
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[2] / "src"
sys.path.insert(0, str(HERE))

from choice import Unusable, change_of, environment_of_git, git  # noqa: E402

_VERSION = re.compile(r"[0-9][0-9A-Za-z.!+-]{0,40}")
_FORMATS = ("text", "github", "markdown")
_NO_VERDICT = 3


def main(arguments: "list[str]") -> int:
    """Run one step; what the user can mend is one line."""
    steps = {"plan": plan, "install": install, "check": check}
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    try:
        return steps[arguments[0]]()
    except Unusable as error:
        told = str(error).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        print(f"::error title=git skillmesh::{told}")
        return 2


def given(name: str, default: str = "") -> str:
    """Return an input of the action."""
    return os.environ.get(f"GATE_{name}", "").strip() or default


def flag(name: str) -> bool:
    """Return an input that is true or false."""
    value = given(name, "false")
    if value not in ("true", "false"):
        raise Unusable(f"{name.lower().replace('_', '-')} must be true or false")
    return value == "true"


def put(**outputs: object) -> None:
    """Set outputs of the step."""
    lines = [f"{key.replace('_', '-')}={value}" for key, value in outputs.items()]
    if any("\n" in line or "\r" in line for line in lines):
        raise Unusable("a name with a line feed cannot be an output")
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def environment() -> Path:
    """Return the folder of the private environment."""
    return Path(os.environ["RUNNER_TEMP"]) / "skillmesh-gate"


def wanted() -> "list[str]":
    """Return what pip has to install beside the requirements: nothing for the source."""
    version = given("VERSION")
    if version and not _VERSION.fullmatch(version):
        raise Unusable(f"not a version: {version[:60]!r}")
    return [f"git-skillmesh=={version}"] if version else []


def plan() -> int:
    """Say where the environment is and what it depends on."""
    parts = [
        platform.python_version(),
        sysconfig.get_platform(),
        sys.executable,
        str(environment()),
        *wanted(),
        (HERE / "requirements.txt").read_text("utf-8"),
    ]
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    put(environment=environment(), key=f"skillmesh-gate-{digest}")
    return 0


def install() -> int:
    """Make the environment."""
    subprocess.run([sys.executable, "-I", "-m", "venv", "--clear", environment()], check=True)
    python = str(environment() / "bin" / "python")
    pip = [python, "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", str(HERE / "requirements.txt")], check=True)
    if wanted():
        subprocess.run([*pip, "--no-deps", *wanted()], check=True)
    return 0


def check() -> int:
    """Check the change and tell of it."""
    formats = [name.strip() for name in given("FORMATS", ",".join(_FORMATS)).split(",")]
    unknown = sorted(set(formats) - {*_FORMATS, ""})
    if unknown:
        raise Unusable(f"unknown format {unknown[0][:40]!r}: {', '.join(_FORMATS)} are known")
    fail_on = given("FAIL_ON", "block")
    if fail_on not in ("block", "warn", "never"):
        raise Unusable("fail-on must be block, warn or never")
    change = change_of(given("BASE"), given("HEAD"), os.environ)
    if change is None:
        print("nothing to compare with: the change has no base")
        put(exit_code=0, findings=0, blocking=0, sarif="")
        return 0
    base, head = change
    if flag("MEMORY"):
        _fetch_memory()
    enter_environment()
    done = run_check(base, head, fail_on)
    if done.returncode not in (0, 1, 10) or not done.stdout:
        guarded(done.stderr.decode("utf-8", "replace"))
        raise Unusable(f"the check ended with exit code {done.returncode}, without a report")
    from telling import tell

    put(**tell(done.stdout.decode(), fail_on, formats, os.environ, guarded))
    return 0


def run_check(base: str, head: str, fail_on: str) -> "subprocess.CompletedProcess[bytes]":
    """Run the check in a process of its own."""
    python = str(environment() / "bin" / "python")
    path = "" if wanted() else f"sys.path.insert(0, {str(SOURCE)!r}); "
    code = f"import sys; {path}from git_skillmesh.cli.main import run; run()"
    command = [python, "-I", "-c", code, "check", f"{base}..{head}", "--fail-on", fail_on, "--json"]
    command += ["--related"] * flag("MEMORY")
    # What is checked is a stranger's, and the check has no use for the token.
    return subprocess.run(command, capture_output=True, env=environment_of_git(), check=False)


def enter_environment() -> None:
    """Make the package importable: that beside the action, or the one that was installed."""
    folder = next(iter(sorted((environment() / "lib").glob("python3*/site-packages"))), None)
    if folder is None:
        raise Unusable("the environment is not there: run the step that installs it")
    sys.path.insert(0, str(folder))
    if not wanted():
        sys.path.insert(0, str(SOURCE))


def guarded(text: str) -> None:
    """Print text in which GitHub looks for no commands."""
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}\n{text}\n::{token}::", flush=True)


def _fetch_memory() -> None:
    for name in ("refs/notes/skillmesh", "refs/skillmesh/memory"):
        if git("fetch", "--quiet", "--no-tags", "origin", f"+{name}:{name}").returncode:
            print(f"::notice title=git skillmesh::{name} could not be fetched; going on without")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
