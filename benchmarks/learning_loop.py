"""The learning loop from beginning to end on a real repository, on this machine, offline.

    python -m benchmarks.learning_loop REPOSITORY [--out FOLDER] [--base FOLDER] [--seconds N]

In: a repository with transcripts of agents in its refs (Entire's checkpoints, git-ai's notes). Out:
a folder with a clone, a base, a data set, adapters, `report.md`, `report.json` and `losses.png`.
Every step is a command of the program, started as a user would start it, in a home folder of its
own: import, link, rewards, export-rl, a base made of local code, train, a control whose answers
were dealt out by chance, evaluate, deploy, rollback.

The base has read the repository as it was before its first conversation: a base of the real world
knows the language and perhaps the project, but nothing of what the conversations are about. Without
that, most of what an adapter learns is the language, which any answers teach, dealt out or not.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
_SKILLMESH = (sys.executable, "-P", "-m", "git_skillmesh")
# Nothing is downloaded, whatever is configured.
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "CHROMA_DB_IMPL": "off"}
_DATE = "20260101"
_PAIRS = ["adapter\n- base", "control\n- base", "adapter\n- control"]


class Failed(Exception):
    """A step did not do what it should; in words."""


class Loop:
    """The folder of a demonstration, and what was measured in it."""

    def __init__(self, out: Path, quiet: bool) -> None:
        self.out, self.quiet = out, quiet
        self.repository = out / "repository"
        self.seconds: dict[str, float] = {}
        home = out / "home"
        home.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        path = os.pathsep.join([str(_ROOT / "src"), str(_ROOT)])
        self.environ = {
            **kept, **_OFFLINE, "HOME": str(home), "PYTHONPATH": path,
            "XDG_CONFIG_HOME": str(home / ".config"), "GIT_CONFIG_NOSYSTEM": "1",
        }  # fmt: skip

    def run(
        self,
        name: str,
        command: Sequence[str],
        codes: Sequence[int] = (0,),
        cwd: Path | None = None,
    ) -> str:
        """Run a command; return what it printed. Raises `Failed`."""
        shown = " ".join(command[len(_SKILLMESH) :]) if command[:4] == _SKILLMESH else name
        if not self.quiet:
            prefix = "git skillmesh " if command[:4] == _SKILLMESH else ""
            print(f"$ {prefix}{shown}", file=sys.stderr, flush=True)
        began = time.monotonic()
        done = subprocess.run(
            list(command), cwd=cwd or self.repository, env=self.environ, text=True, check=False,
            stdin=subprocess.DEVNULL, capture_output=True,
        )  # fmt: skip
        self.seconds[name] = round(time.monotonic() - began, 1)
        if done.returncode not in codes:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no word"]
            raise Failed(f"{name} ended with {done.returncode}: {lines[-1]}")
        return done.stdout

    def skillmesh(self, name: str, *words: str, codes: Sequence[int] = (0,)) -> str:
        """Run a command of the program in the clone."""
        return self.run(name, (*_SKILLMESH, *words), codes)

    def answer(self, name: str, *words: str, codes: Sequence[int] = (0,)) -> dict[str, Any]:
        """Return the JSON of a command."""
        found: dict[str, Any] = json.loads(self.skillmesh(name, *words, "--json", codes=codes))
        return found


def main() -> int:
    """Parse, demonstrate, say what came of it."""
    parser = argparse.ArgumentParser(description="the learning loop from beginning to end")
    parser.add_argument("repository", type=Path, help="a repository with transcripts in its refs")
    parser.add_argument("--out", type=Path, help="where to work; a temporary folder without")
    parser.add_argument("--base", type=Path, help="a base that is there; made without")
    parser.add_argument("--seconds", type=float, default=240.0, help="for the base; 240 without")
    parser.add_argument("--source", default="entire", help="what to import; entire without")
    parser.add_argument("--max-steps", type=int, default=15, help="of training; 15 without")
    parser.add_argument("--epochs", type=float, default=0.0, help="of training; 3 without")
    parser.add_argument("--length", type=int, default=2048, help="tokens of a line; 2048 without")
    parser.add_argument("--quiet", action="store_true", help="only the page")
    args = parser.parse_args()
    out = (args.out or Path(tempfile.mkdtemp(prefix="learning-loop-"))).absolute()
    try:
        print(demonstrate(args, out))
    except Failed as failed:
        print(f"learning_loop: {failed} (in {out})", file=sys.stderr)
        return 1
    return 0


def demonstrate(args: argparse.Namespace, out: Path) -> str:
    """Go through the loop; return the page. Raises `Failed`."""
    began = time.monotonic()
    loop = Loop(out, args.quiet)
    if not loop.repository.is_dir():
        clone(loop, args.repository.absolute())
        loop.skillmesh("import", "import", args.source, "--quiet", codes=(0, 1))
        loop.skillmesh("link", "link")
    rewards = loop.answer("rewards", "rewards", "--brief")
    made = loop.answer("export-rl", "export-rl", "--output", str(out), "--date", _DATE)
    data, store = made["paths"]["data"], loop.repository / ".git" / "skillmesh-adapters"
    base = args.base.absolute() if args.base else out / "base"
    if not base.is_dir():
        command = [sys.executable, "-m", "training.tiny_base", str(base)]
        command += ["--seconds", str(args.seconds), "--code", str(code_before(loop, Path(data)))]
        loop.run("base", command, cwd=_ROOT)
    train = ["train", "--base", str(base), "--data", data, "--resume"]
    for name in ("max_steps", "epochs", "length"):
        value = getattr(args, name)
        train += [f"--{name.replace('_', '-')}", str(value)] if value else []
    adapter = loop.answer("train", *train)
    control = loop.answer("train control", *train, "--control", "shuffled")
    judge = ["--data", data, "--base", str(base)]
    judge += ["--longest", str(args.length)] if args.length else []
    compared = loop.answer(
        "evaluate control", "adapters", "evaluate", control["name"], *judge, "--against", "base"
    )
    # Beside the control, so that both are compared line by line.
    judge += ["--against", control["name"]]
    judged = loop.answer("evaluate", "adapters", "evaluate", adapter["name"], *judge)
    words = [] if judged["better"] else ["--force", "--reason", "a demonstration"]
    deployed = loop.answer("deploy", "adapters", "deploy", adapter["name"], *words)
    rolled = loop.answer("rollback", "adapters", "rollback")
    found = {
        "repository": args.repository.name, "head": git(loop, "rev-parse", "HEAD"),
        "base": json.loads((base / "pretraining.json").read_text()),
        "verdicts": rewards["verdicts"], "lines": made["lines"], "splits": made["splits"],
        "groups": made["groups"], "adapter": adapter, "control": control, "judged": judged,
        "control_judged": compared, "deployed": deployed, "rolled_back": rolled,
        "store": sorted(path.name for path in store.iterdir() if not path.name.startswith(".")),
        "seconds": loop.seconds, "all_seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip
    (out / "report.json").write_text(json.dumps(found, indent=1) + "\n")
    draw(found, out / "losses.png")
    text = page(found)
    (out / "report.md").write_text(text)
    return f"{text}\n{out / 'report.md'}, {out / 'losses.png'}"


def clone(loop: Loop, source: Path) -> None:
    """Clone the repository with every ref that may hold transcripts."""
    loop.out.mkdir(parents=True, exist_ok=True)
    words = ["git", "clone", "--quiet", str(source), str(loop.repository)]
    loop.run("clone", words, cwd=loop.out)
    extra = ["+refs/heads/entire/*:refs/heads/entire/*", "+refs/notes/*:refs/notes/*"]
    loop.run("fetch", ["git", "fetch", "--quiet", "origin", *extra])


def code_before(loop: Loop, data: Path) -> Path:
    """Return a folder with the repository as it was before the first exchange of a data set."""
    lines = data.read_text(encoding="utf-8").splitlines()
    first = min(filter(None, (json.loads(line)["about"]["time"] for line in lines)))
    commit = git(loop, "rev-list", "-1", f"--before={first}", "HEAD")
    folder = loop.out / "code"
    folder.mkdir(exist_ok=True)
    if commit:
        archive = loop.out / "code.tar"
        git(loop, "archive", f"--output={archive}", commit)
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        archive.unlink()
    return folder


def git(loop: Loop, *words: str) -> str:
    """Return what git says in the clone."""
    return loop.run("git", ["git", *words]).strip()


def verdict(found: Mapping[str, Any]) -> list[str]:
    """Return in words whether the loop has shown what it is to show."""
    own, other = found["judged"]["over_base"], found["control_judged"]["over_base"]
    said = []
    if own["high"] < 0:
        said.append("The adapter's held-out loss is below the base's (its interval is below 0).")
    else:
        said.append("NOT SHOWN: the adapter's interval over the base reaches 0.")
    share = (
        f"The control gets {other['mean'] / own['mean']:.0%} of that gain" if own["mean"] else ""
    )
    both = found["judged"]["over_active"]
    if both["high"] < 0:
        said.append(f"{share}: the adapter is better than it (that interval is below 0 too).")
    elif both["mean"] < 0:
        said.append(f"{share}, but NOT SHOWN: the interval between adapter and control reaches 0.")
    else:
        said.append("NOT SHOWN: the control, whose answers were dealt out by chance, does as well.")
    return said


def page(found: Mapping[str, Any]) -> str:
    """Return the page, in Markdown."""
    own, control = found["judged"], found["control_judged"]

    def shown(one: Mapping[str, float]) -> str:
        return f"{one['mean']:.3f} ({one['low']:.3f} to {one['high']:.3f})"

    def signed(one: Mapping[str, float]) -> str:
        return f"{one['mean']:+.3f} ({one['low']:+.3f} to {one['high']:+.3f})"

    verdicts = ", ".join(f"{count} {name}" for name, count in found["verdicts"].items())
    splits = ", ".join(f"{count} {name}" for name, count in found["splits"].items())
    base = found["base"]
    rows = [
        ("base", own["base"], None),
        ("adapter", own["marks"], own["over_base"]),
        ("control, shuffled", own["active"], control["over_base"]),
    ]
    table = "".join(
        f"| {name} | {shown(marks['loss'])} | {signed(over) if over else ''} |"
        f" {shown(marks['general'])} |\n"
        for name, marks, over in rows
    )
    seconds = "".join(f"| {name} | {value} |\n" for name, value in found["seconds"].items())
    return f"""\
# The learning loop on {found["repository"]}

- base: {base["parameters"]:,} parameters, loss {base["held_out_loss_before"]} → \
{base["held_out_loss"]} on code that it never saw, in {base["seconds"]} s
- exchanges: {verdicts}
- data set: {found["lines"]} lines in {found["groups"]} groups ({splits})
- judged better: {"yes" if own["better"] else "no"} ({"; ".join(own["reasons"])})
- deployed: {found["deployed"]["active"]}; after the rollback: \
{found["rolled_back"]["active"] or "the base alone"}

Loss on {own["marks"]["lines"]} held-out lines in {own["groups"]} groups, nats a token, with \
intervals of 95 % over groups:

| model | held-out loss | over the base | general code |
|---|---|---|---|
{table}
Adapter and control, line by line: {signed(own["over_active"])}. {" ".join(verdict(found))}

| step | seconds |
|---|---:|
{seconds}| all | {found["all_seconds"]} |
"""


def draw(found: Mapping[str, Any], path: Path) -> None:
    """Draw the three losses with their intervals."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    own, control = found["judged"], found["control_judged"]
    losses = [own["base"]["loss"], own["marks"]["loss"], control["marks"]["loss"]]
    gains = [own["over_base"], control["over_base"], own["over_active"]]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8, 3.2))
    for axes, ones, names, title in (
        (left, losses, ["base", "adapter", "control"], "held-out loss, nats a token"),
        (right, gains, _PAIRS, "differences"),
    ):
        means = [one["mean"] for one in ones]
        spread = [
            [mean - one["low"] for mean, one in zip(means, ones, strict=True)],
            [one["high"] - mean for mean, one in zip(means, ones, strict=True)],
        ]
        axes.errorbar(range(len(ones)), means, yerr=spread, fmt="o", capsize=6)
        axes.set_xticks(range(len(ones)), names)
        axes.set_xlim(-0.5, len(ones) - 0.5)
        axes.set_title(title, fontsize=10)
    right.axhline(0, linewidth=0.8)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())
