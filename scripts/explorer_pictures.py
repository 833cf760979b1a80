"""Take the documentation's pictures of the explorer, from the repository of its examples.

In: nothing; needs Chromium, and pngquant to make the files small. Out: docs/explorer-*.png.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, os.fspath(ROOT))

from testing.browser import NAMES, chromium  # noqa: E402
from testing.conversations import FIRST  # noqa: E402
from testing.environment import sealed  # noqa: E402
from testing.explored import make_story, served  # noqa: E402
from testing.walking import begin, show  # noqa: E402

# Name → address, theme, size of the window.
PICTURES = {
    "timeline": ("#/timeline/0", "light", (1100, 760)),
    "file": ("#/file/src/parcels/tracking.py", "light", (1100, 720)),
    "exchange": (f"#/exchange/{FIRST}~2f9d2e-2", "dark", (1100, 820)),
    "map": ("#/map", "light", (1100, 700)),
}


def main() -> int:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        print("Chromium is not installed")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(sealed(os.environ, Path(folder) / "home" / "seal"))
        repo = make_story(Path(folder))
        with served(repo) as url, chromium(program) as browser:
            for name, (address, theme, size) in PICTURES.items():
                page = browser.page(width=size[0], height=size[1])
                page.prefer(prefers_color_scheme=theme)
                begin(page, url)
                show(page, address)
                page.run("new Promise(done => setTimeout(done, 600))")
                page.picture(ROOT / "docs" / f"explorer-{name}.png")
                page.close()
    if small := shutil.which("pngquant"):
        made = [os.fspath(ROOT / "docs" / f"explorer-{name}.png") for name in PICTURES]
        subprocess.run([small, "--force", "--strip", "--ext", ".png", "64", *made], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
