"""The built page: its sources give its bytes, its packages are named, and its tests pass."""

import json
import os
import re
import subprocess
from pathlib import Path

import git_skillmesh
from testing.required import OUTSIDE, program

WEB = Path(__file__).parents[3] / "web"
PAGE = Path(git_skillmesh.__file__).parent / "explorer" / "page"
MOST_BYTES = 120_000


def run(folder: Path, *command: str, **env: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**OUTSIDE, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_sources_give_the_page_that_is_shipped(node_modules: Path, tmp_path: Path) -> None:
    npm = program("npm")
    run(WEB, npm, "run", "--silent", "check")
    build = (npm, "run", "--silent", "build", "--", "--logLevel", "warn")
    run(WEB, *build, PAGE_OUT=os.fspath(tmp_path / "page"))
    built = {path.name: path.read_bytes() for path in (tmp_path / "page").iterdir()}
    assert built == {path.name: path.read_bytes() for path in PAGE.iterdir()}


def test_unit_tests_of_the_page_pass(node_modules: Path) -> None:
    said = run(WEB, program("npm"), "run", "--silent", "test")
    assert re.search(r"^# pass [1-9]\d*$", said, re.MULTILINE)
    assert re.search(r"^# (fail|skipped|todo) [1-9]", said, re.MULTILINE) is None


def test_the_page_is_small_and_asks_nobody() -> None:
    assert sorted(path.name for path in PAGE.iterdir()) == [
        "NOTICE", "explorer.css", "explorer.js", "index.html",
    ]  # fmt: skip
    script = (PAGE / "explorer.js").read_text()
    assert len(script.encode()) <= MOST_BYTES
    # Names of XML are no addresses that anybody asks.
    addresses = set(re.findall(r"https?://[\w.-]+[\w/.-]*", script))
    assert addresses <= {
        "http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML",
        "http://www.w3.org/1999/xhtml", "http://www.w3.org/1999/xlink",
    }  # fmt: skip
    css = (PAGE / "explorer.css").read_text()
    assert "url(" not in css
    assert "@import" not in css
    html = (PAGE / "index.html").read_text()
    assert re.findall(r"<(script|style)[^>]*>", html) == ["script"]
    assert '<script src="explorer.js"></script>' in html


def test_no_source_makes_html_of_text() -> None:
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|\beval\b|new Function|document\.write"
    for path in (WEB / "src").rglob("*.ts*"):
        assert not re.search(ways, path.read_text()), path


def test_packages_are_fixed_and_come_from_wherever_npm_is_told() -> None:
    asked = json.loads((WEB / "package.json").read_text())
    fixed = json.loads((WEB / "package-lock.json").read_text())
    wanted = {**asked.get("dependencies", {}), **asked["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values()), wanted
    packages = {name: one for name, one in fixed["packages"].items() if name}
    for one in packages.values():
        assert "resolved" not in one
        assert one["integrity"].startswith("sha512-")
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    notice = (PAGE / "NOTICE").read_text()
    for name in asked["dependencies"]:
        assert f"{name} {packages[f'node_modules/{name}']['version']} (MIT)" in notice
