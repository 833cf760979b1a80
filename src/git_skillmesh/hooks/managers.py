"""Programs that write the hooks of a repository themselves, and whether they call this one.

In: a hooks folder and the working tree. Out: the file that calls `git-skillmesh-hook NAME`, if one
does, and the line that would. husky and lefthook write their hooks anew at any time: a shim in
their place would be lost. pre-commit calls the hooks that its configuration names.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from .shim import Owner, owner

_MOST = 1 << 20  # a file of a clone: no more of it is read
_LEFTHOOK = [
    f"{dot}lefthook{local}.{kind}"
    for local in ("", "-local")
    for dot in ("", ".")
    for kind in ("yml", "yaml", "toml", "json", "jsonc")
]
_PRE_COMMIT_FILE = ".pre-commit-config.yaml"
_PRE_COMMIT_IDS = {"pre-commit": "check", "commit-msg": "check-message"}


def is_husky(folder: Path) -> bool:
    """Whether husky writes this hooks folder: it takes the scripts from the folder above."""
    return folder.name == "_" and any((folder / name).exists() for name in ("h", "husky.sh"))


def caller(path: Path, top: Path | None) -> Path | None:
    """Return the file that has this program called for the hook at `path`, None if none does.

    `top` is the working tree, where the configuration of hook managers lies.
    """
    called = rf"git-skillmesh-hook +{path.name}(?![\w-])"
    if owner(path) is Owner.PRE_COMMIT:
        name = _PRE_COMMIT_IDS.get(path.name, path.name)
        called = rf"id: *[\"']?skillmesh-{name}(?![\w-])"
    line = re.compile(rf"^[^#\n]*{called}".encode(), re.MULTILINE)
    return next((file for file in _files(path, top) if line.search(_text(file))), None)


def _files(path: Path, top: Path | None) -> Iterator[Path]:
    """Yield what may say that this program is called for a hook."""
    whose = owner(path)
    if is_husky(path.parent):
        yield path.parent.parent / path.name
    elif whose is Owner.PRE_COMMIT and top is not None:
        yield top / _PRE_COMMIT_FILE
    elif whose is Owner.LEFTHOOK and top is not None:
        yield from (top / name for name in _LEFTHOOK)
    elif not whose.ours:
        yield path


def _text(file: Path) -> bytes:
    try:
        if file.is_file():
            with file.open("rb") as stream:
                return stream.read(_MOST)
    except OSError:
        pass
    return b""


def line_for_husky(path: Path) -> str:
    """Return what a user of husky does for the hook at `path` to call this program."""
    script = path.parent.parent / path.name
    return f'put this line into {script}: git-skillmesh-hook {path.name} "$@"'


def word_about(paths: Sequence[Path]) -> str:
    """Return what users of husky or lefthook have to know about their hooks at `paths`."""
    names = ", ".join(path.name for path in paths)
    folder = paths[0].parent
    if is_husky(folder):
        return (
            f"husky rewrites {folder}: put a line into {folder.parent}/NAME for each of {names}: "
            'git-skillmesh-hook NAME "$@"'
        )
    return (
        f"lefthook writes {names} anew when its configuration changes: then run `git skillmesh "
        "init` again, or have jobs of lefthook-local.yml run `git-skillmesh-hook NAME`"
    )
