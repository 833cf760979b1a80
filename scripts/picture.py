#!/usr/bin/env python3
"""Draw docs/query.svg: what the terminal shows when this repository is asked a question.

In: a real run of the program in this repository. Out: the picture. Nothing in it is written by
hand, and it refers to no font or file elsewhere.
"""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
QUESTION = "which files are too large or minified"
OPTIONS = ("-n", "4", "--path", "src")  # not this file, which quotes the question
WIDTH = 104


def answer() -> str:
    """Return the program's coloured output."""
    program = [sys.executable, "-m", "git_skillmesh"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run(
        [*program, "index", "--chroma", "off", "--quiet"], cwd=ROOT, env=environment, check=True
    )
    done = subprocess.run(
        [*program, "query", "--color", "always", *OPTIONS, QUESTION],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def main() -> None:
    """Draw."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), legacy_windows=False)
    console.print(Text(f"$ git skillmesh query {' '.join(OPTIONS)} {QUESTION}", style="bold"))
    console.print(Text.from_ansi(answer()), no_wrap=True, crop=True, overflow="ellipsis")
    form = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    form = form.replace("Fira Code, monospace", "monospace")
    form = re.sub(r"<!-- Generated.*?-->", "<!-- scripts/picture.py -->", form)
    svg = console.export_svg(title="git skillmesh", code_format=form, unique_id="query")
    (ROOT / "docs" / "query.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
