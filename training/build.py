"""From a list of repositories to the static model, with one command.

    python -m training.build training/repositories.json WORK OUT --weights FOLDER

FOLDER holds the weights of all-MiniLM-L6-v2 (docs/model-card.md says where they come from). WORK
keeps what is made on the way, and a second run goes on from there: `clones/OWNER+NAME/repo` (bare,
at the listed commit), `pairs/`, `start/`, and a file `<step>.done` for each step. Clones that exist
are taken as they are, after a look at their commit.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path


def fetch(entry: dict[str, str], clones: Path) -> None:
    """Bring one repository to its listed commit. Raises `CalledProcessError`."""
    clone = clones / entry["repo"].replace("/", "+") / "repo"
    if not clone.is_dir():
        url = entry.get("url", f"https://github.com/{entry['repo']}.git")
        partial = clone.with_name("partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.parent.mkdir(parents=True, exist_ok=True)
        _git("clone", "--quiet", "--bare", url, str(partial))
        _git("-C", str(partial), "update-ref", "--no-deref", "HEAD", entry["commit"])
        partial.rename(clone)
    found = _git("-C", str(clone), "rev-parse", "HEAD").strip()
    if found != entry["commit"]:
        raise SystemExit(f"{clone} is at {found}, not at {entry['commit']}")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def steps(repositories: Path, work: Path, out: Path, weights: Path) -> dict[str, list[str]]:
    """Return name → arguments of python, of the steps that follow the clones."""
    clones, pairs, start = work / "clones", work / "pairs", work / "start"
    return {
        "pairs": ["training.pairs", *map(str, (repositories, clones, pairs))],
        "start": ["scripts.build_static_model", str(weights), "--out", str(start)],
        "train": ["training.static_model", *map(str, (repositories, pairs, start, out))],
    }


def main() -> int:
    """Clone, make pairs, build the start, train."""
    parser = argparse.ArgumentParser(description="make the static model from a list")
    parser.add_argument("repositories", type=Path, help="the list with commits and licences")
    parser.add_argument("work", type=Path, help="folder for what is made on the way")
    parser.add_argument("out", type=Path, help="folder for the model")
    parser.add_argument("--weights", type=Path, required=True, metavar="FOLDER",
                        help="folder with model.safetensors and vocab.txt")  # fmt: skip
    args = parser.parse_args()
    for entry in json.loads(args.repositories.read_text(encoding="utf-8")):
        fetch(entry, args.work / "clones")
    for name, command in steps(args.repositories, args.work, args.out, args.weights).items():
        done = args.work / f"{name}.done"
        if not done.exists():
            subprocess.run([sys.executable, "-m", *command], check=True)
            done.touch()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
