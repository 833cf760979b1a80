"""docs/getting-started.md, followed from its first command to its last in an empty home folder."""

import os
import shutil
from pathlib import Path

from testing.commands import program_folder
from testing.docs_pages import ROOT, blocks, matches, steps
from testing.environment import newest_process, wait_for_hooks
from testing.shell import Shell

PAGE = ROOT / "docs" / "getting-started.md"


def test_a_person_gets_from_nothing_to_the_end(tmp_path: Path, hermetic: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    kept = ("PYTHONPATH", "GIT_CEILING_DIRECTORIES", "GIT_CONFIG_NOSYSTEM", "SKILLMESH_TEST_TOKEN")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {
        "HOME": os.fspath(home),
        "PATH": f"{program_folder(tmp_path / 'bin')}:{Path(shutil.which('git') or '').parent}:/bin",
        "PYTHONUNBUFFERED": "1",  # as on a terminal, where both streams come in their order
        "TERM": "dumb",
        "TZ": "UTC",
        "LANG": "C.UTF-8",
    }
    shell, before = Shell(home, environment), newest_process()
    try:
        for block in (block for block in blocks(PAGE) if block.info == "console"):
            for step in steps(block):
                said = shell.type(step.command)
                wait_for_hooks(hermetic, after=before)
                where = f"{PAGE.name}:{block.line}: $ {step.command}"
                assert matches(step.output, said), f"{where}\n{said}"
                if step.command == "git skillmesh status":
                    # It was the last to speak of Chroma, which takes longer than all the rest.
                    assert shell.type("export CHROMA_DB_IMPL=off") == ""
    finally:
        shell.close()
