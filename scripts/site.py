#!/usr/bin/env python3
"""Build the documentation as a site that works from a folder, without any server or network.

In: the Markdown pages of this project. Out: `html/` below the given folder. README.md becomes the
first page. What a page links to in the repository and is no page is put beside it as plain text.
Pages are read here as a forge reads them, so nothing in them is written for the site.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ASSETS = Path(__file__).with_name("site_assets")
CONFIG = "zensical.toml"
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "benchmarks/README.md",
    "training/README.md",
)
_LINK = re.compile(r"(!?)\[((?:[^\]\\]|\\.)*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


class Broken(Exception):
    """A page that cannot be shown as it is."""


def place_of(path: str) -> str:
    """Return where a file of the repository lies on the site; one that is no page as text."""
    if path == "README.md":
        return "index.md"
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return path if path.endswith(".md") else f"files/{path}.txt"


def rewritten(page: str, text: str, linked: set[str]) -> str:
    """Return a page with links as the site has them; adds to `linked` what is not a page.

    Raises Broken for a link to what is not there.
    """

    def link(found: re.Match[str]) -> str:
        mark, shown, target = found.groups()
        name, hash_, anchor = target.partition("#")
        if "://" in target or not name:
            return found[0]
        path = (ROOT / page).parent.joinpath(name).resolve().relative_to(ROOT).as_posix()
        if (ROOT / path).is_dir():
            return shown
        if not (ROOT / path).is_file():
            raise Broken(f"{page} links to {target}, which is not there")
        if not path.endswith(".md"):
            linked.add(path)
        up = "../" * place_of(page).count("/")
        return f"{mark}[{shown}]({up}{place_of(path)}{hash_}{anchor})"

    parts, end = [], 0
    for fence in _FENCE.finditer(text):
        parts += [
            _LINK.sub(link, text[end : fence.start()]),
            fence[0].replace("console parsed", "console", 1),
        ]
        end = fence.end()
    return "".join([*parts, _LINK.sub(link, text[end:])])


def prepare(folder: Path) -> None:
    """Write the pages as the generator wants them. Raises Broken."""
    shutil.rmtree(folder, ignore_errors=True)
    pages = [
        *PAGES,
        *(path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("docs/*.md"))),
    ]
    linked: set[str] = set()
    for page in pages:
        target = folder / "pages" / place_of(page)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / page).read_text(encoding="utf-8")
        target.write_text(rewritten(page, text, linked), encoding="utf-8")
    for path in linked:
        target = folder / "pages" / place_of(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, target)
    shutil.copytree(ASSETS, folder / "pages" / "assets")
    shutil.copyfile(ROOT / CONFIG, folder / CONFIG)


def build(folder: Path) -> str:
    """Build the site and return what the generator says. Raises Broken, CalledProcessError."""
    prepare(folder)
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    done = subprocess.run(
        command, cwd=folder, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return done.stdout


def main() -> int:
    """Build."""
    parser = argparse.ArgumentParser(description="Build the documentation as a site.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "site")
    folder = parser.parse_args().folder.resolve()
    try:
        build(folder)
    except Broken as error:
        sys.exit(f"scripts/site: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(
            f"{error.stdout}scripts/site: the generator ended with exit code {error.returncode}"
        )
    print(folder / "html" / "index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
