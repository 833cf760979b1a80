"""Data sets as they are trained on.

In: a file that `export-rl` wrote, with the manifest beside it. Out: `Data`, every line checked.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import Damaged, UsageError
from ..dataset.lines import problems_of
from ..model import Form, Sample

_AGAIN = "write it again: git skillmesh export-rl"


@dataclass(frozen=True, slots=True)
class Data:
    """A data set: its lines in order, and what its manifest says; {} where there is none."""

    path: Path
    form: Form
    sha256: str
    lines: tuple[Sample, ...]
    manifest: Mapping[str, Any]

    def split(self, name: str) -> tuple[Sample, ...]:
        """Return the lines of a split."""
        return tuple(line for line in self.lines if line.split == name)


def read(path: Path) -> Data:
    """Read a data set. Raises `UsageError` if it cannot be read, `Damaged` if it is not whole."""
    manifest = _manifest(path)
    digest, lines = hashlib.sha256(), []
    form: Form | None = None
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                digest.update(line)
                sample = _sample(path, number, line)
                if form not in (None, sample.form):
                    raise Damaged(f"{path.name}:{number} is of another format", _AGAIN)
                form = sample.form
                lines.append(sample)
    except OSError as error:
        raise UsageError(f"cannot read {path}", error.strerror or str(error)) from None
    if manifest and manifest.get("sha256") != digest.hexdigest():
        raise Damaged(f"{path.name} is not the file that its manifest describes", _AGAIN)
    wanted = manifest.get("format")
    if form is None:
        form = Form(wanted) if wanted in list(Form) else Form.SFT
    return Data(path, form, digest.hexdigest(), tuple(lines), manifest)


def _manifest(path: Path) -> dict[str, Any]:
    beside = path.with_suffix(".manifest.json")
    if not beside.is_file():
        return {}
    try:
        found = json.loads(beside.read_bytes())
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("sha256"), str):
        raise Damaged(f"{beside.name} is no manifest", _AGAIN)
    return found


def _sample(path: Path, number: int, line: bytes) -> Sample:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        what = "is cut off" if not line.endswith(b"\n") else "is no JSON"
        raise Damaged(f"{path.name}:{number} {what}", _AGAIN) from None
    problems = problems_of(document)
    if problems:
        raise Damaged(f"{path.name}:{number}: {problems[0]}", _AGAIN)
    about = document["about"]
    common: dict[str, Any] = {"tokens": about["tokens"], "about": about}
    if "messages" in document:
        *prompt, answer = document["messages"]
        form, completion = Form.SFT, (answer,)
    elif "chosen" in document:
        form, prompt, completion = Form.DPO, document["prompt"], document["chosen"]
        common["rejected"] = tuple(document["rejected"])
    else:
        form, prompt, completion = Form.KTO, document["prompt"], document["completion"]
        common["label"] = document["label"]
    return Sample(
        document["id"], form, document["split"], tuple(prompt), tuple(completion), **common
    )
