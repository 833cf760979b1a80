"""Two units of the user's systemd: a service that runs the job, a timer that starts it.

In: a plan. Out: files in the user's folder of units, enabled. Where no systemd runs for the user
(a container, a session without a bus) they wait for one, and that is said.
"""

import os
import subprocess
from pathlib import Path

from ..git.repository import Repository
from .model import Job, Plan, Standing, check, command_of, mark_of, place, search_path, stamped


def install(repository: Repository, plan: Plan) -> Standing:
    """Write the units and enable the timer. Raises `UsageError`, `ReadOnly`."""
    job, name = plan.job, _name(repository, plan.job)
    for suffix, text in (("service", service_of(plan)), ("timer", timer_of(plan))):
        place(job, _folder() / f"{name}.{suffix}", stamped(job, "systemd", text))
    timer = f"{name}.timer"
    if said := _systemctl("enable", timer):
        note = f"not enabled ({said}); where systemd runs: systemctl --user enable --now {timer}"
    elif _systemctl("daemon-reload") or _systemctl("start", timer):
        note = "enabled; no systemd runs for you now, it starts with the next one"
    else:
        note = ""
    return Standing("systemd", str(_folder() / f"{name}.timer"), plan.at, note)


def remove(repository: Repository, job: Job) -> Standing | None:
    """Disable the timer and remove the units; None if there are none."""
    name = _name(repository, job)
    paths = [_folder() / f"{name}.{suffix}" for suffix in ("timer", "service")]
    if not any(path.exists() for path in paths):
        return None
    for path in paths:
        check(job, path)
    _systemctl("disable", "--now", f"{name}.timer")
    for path in paths:
        path.unlink(missing_ok=True)
    _systemctl("daemon-reload")
    return Standing("systemd", str(paths[0]))


def status(repository: Repository, job: Job) -> Standing | None:
    """Return the schedule as it stands, None if there is none."""
    path = _folder() / f"{_name(repository, job)}.timer"
    if not path.is_file():
        return None
    lines = path.read_text("utf-8", "replace").splitlines()
    at = next((line.split()[-1][:5] for line in lines if line.startswith("OnCalendar=")), "")
    said = _systemctl("is-enabled", path.name)
    return Standing("systemd", str(path), at, f"not enabled ({said})" if said else "")


def service_of(plan: Plan) -> str:
    """Return the service. Raises `UsageError`."""
    command = " ".join(map(_quoted, command_of(plan)))
    path = _quoted(f"PATH={search_path()}", variables=False)
    return f"""\
[Unit]
Description=git skillmesh {plan.job.name}: {_plain(plan.folder.name)}

[Service]
Type=oneshot
ExecStart={command}
Environment={path}
Nice=10
KillMode=mixed
KillSignal=SIGINT
TimeoutStopSec={plan.job.stop_seconds}
"""


def timer_of(plan: Plan) -> str:
    """Return the timer."""
    return f"""\
[Unit]
Description=git skillmesh {plan.job.name} at {plan.at}: {_plain(plan.folder.name)}

[Timer]
OnCalendar=*-*-* {plan.at}:00
Persistent=true

[Install]
WantedBy=timers.target
"""


def _quoted(word: str, *, variables: bool = True) -> str:
    """Return a word as systemd reads it: quotes, backslashes, specifiers, in commands variables."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return '"' + (text.replace("$", "$$") if variables else text) + '"'


def _plain(text: str) -> str:
    return text.replace("%", "%%").replace("\\", "/")


def _name(repository: Repository, job: Job) -> str:
    return f"git-skillmesh-{job.name}-{mark_of(repository)}"


def _folder() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "systemd" / "user"


def _systemctl(*words: str) -> str:
    """Run `systemctl --user`; return why it failed, "" if it did not."""
    command = ["systemctl", "--user", *words]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return "there is no systemctl here"
    lines = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
    return (lines[0] if lines else f"exit code {done.returncode}") if done.returncode else ""
