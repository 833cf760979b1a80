"""Every transcript of the documentation, run as it stands in a fresh repository.

A `console` block is run command by command in the sample project, one repository for each page,
and its whole output is compared. A `console parsed` block needs something that a test has not (a
server, a key); its commands are parsed instead.
"""

import contextlib
import io
import os
import re
import runpy
import shlex
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from testing.conversations import tell_the_correction, tell_the_parcels_story
from testing.docs_pages import PAGES, ROOT, Block, blocks, make_sample, matches, steps
from testing.environment import newest_process, wait_for_hooks
from testing.repos import Repo
from testing.shell import Shell

# Has a test of its own, which begins with nothing.
ELSEWHERE = {"getting-started.md"}
WITH_TRANSCRIPTS = [
    page
    for page in PAGES
    if page.name not in ELSEWHERE and any(b.info == "console" for b in blocks(page))
]
# Where the repository has a memory already.
WITH_MEMORY = {"advise.md", "analysis.md", "asking.md", "backup.md", "context-hook.md",
               "explorer.md", "json.md"}  # fmt: skip
# Where a person has corrected an agent.
WITH_CORRECTION = {"review.md"}
# Where commits are made now, as conversations are, and not at the fixed time of tests.
BY_THE_CLOCK = {"derived_learnings.md", "enhanced_context_capture.md", "implicit_learning.md"}
# What speaks of Chroma, but for saying that a command does without.
CHROMA = re.compile("(?<!--)chroma|--chroma (?!off)", re.IGNORECASE)
# Where it is configured and needs no store.
NO_STORE = {"troubleshooting.md"}
# docs/model-card.md: needs a package that only a rebuild of the model needs.
NOT_RUN = {"pip download", "python -m training.build", "python -m training.sentence_model"}


def typing(repo: Repo, page: Path) -> Shell:
    """Return a shell in a repository, as a person has it who follows a page."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",  # as on a terminal, where both streams come in their order
    }
    # Loading and filling Chroma costs more than all that most pages do.
    if page.name in NO_STORE:
        repo.git("config", "--global", "skillmesh.chroma.impl", "off")
    elif not any(CHROMA.search(b.text) for b in blocks(page) if b.info == "console"):
        environment["CHROMA_DB_IMPL"] = "off"
    if page.name in BY_THE_CLOCK:
        for who in ("AUTHOR", "COMMITTER"):
            del environment[f"GIT_{who}_DATE"]
    return Shell(repo.path, environment)


@pytest.fixture(scope="module")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, sealed_session: None
) -> Callable[[Path], Repo]:
    """Return the repositories of the examples, made once each: nobody may change these."""
    made: dict[str, Repo] = {}

    def of(page: Path) -> Repo:
        kind = "plain"
        if page.name in WITH_CORRECTION:
            kind = "correction"
        elif page.name in WITH_MEMORY:
            kind = "memory"
        if kind not in made:
            repo = make_sample(tmp_path_factory.mktemp(kind))
            if kind == "memory":
                tell_the_parcels_story(repo)
            if kind == "correction":
                tell_the_correction(repo)
            made[kind] = repo
        return made[kind]

    return of


@pytest.mark.parametrize("page", WITH_TRANSCRIPTS, ids=lambda page: page.name)
def test_transcripts_are_what_the_program_says(
    page: Path,
    tmp_path: Path,
    hermetic: str,
    prepared: Callable[[Path], Repo],
) -> None:
    repo, before = prepared(page).copy(tmp_path / "parcels"), newest_process()
    shell = typing(repo, page)
    for block in blocks(page):
        if block.info != "console":
            continue
        for step in steps(block):
            if any(step.command.startswith(start) for start in NOT_RUN):
                continue
            actual = shell.type(step.command)
            wait_for_hooks(hermetic, after=before)
            where = f"{page.name}:{block.line}: $ {step.command}"
            assert matches(step.output, actual), (
                f"{where}\n--- the page says\n{step.output}\n--- the program says\n{actual}"
            )
    shell.close()


def test_python_examples_run(prepared: Callable[[Path], Repo], tmp_path: Path) -> None:
    page = ROOT / "docs" / "chroma.md"
    repo = prepared(page).copy(tmp_path / "parcels")
    done = repo.skillmesh("index", "--chroma", "wait", "--quiet")
    assert done.returncode == 0, done.stderr
    (example,) = [b for b in blocks(page) if b.info == "python"]
    shell = typing(repo, page)
    assert shell.type(f"python -c {shlex.quote(example.text)}") == "web/label.ts\n"
    shell.close()


def outside(info: str) -> list[tuple[Path, Block, str]]:
    return [
        (page, block, line.removeprefix("$ ").partition("  #")[0].strip())
        for page in PAGES
        for block in blocks(page)
        if block.info == info
        for line in block.text.splitlines()
        if info == "sh" or line.startswith("$ ")  # the rest is output
    ]


def help_of(module: str) -> str:
    """Return what `python -m MODULE --help` says."""
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(io.StringIO()) as out,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", RuntimeWarning)  # it may have been imported before
        patch.setattr(sys, "argv", [module, "--help"])
        with pytest.raises(SystemExit) as end:
            runpy.run_module(module, run_name="__main__")
    assert not end.value.code, module
    return out.getvalue()


def test_commands_that_cannot_run_here_are_well_formed() -> None:
    from git_skillmesh.settings import SETTINGS

    variables = {setting.env for setting in SETTINGS.values()}
    seen = set()
    lines = [line for _, _, line in outside("console parsed") + outside("sh")]
    modules = set(re.findall(r"^python -m (?!training\.)(\S+)", "\n".join(lines), re.M))
    known = {module: help_of(module) for module in modules}
    for line in lines:
        words = shlex.split(line)
        program = " ".join(words[:2])
        seen.add(words[0])
        if words[0].startswith("scripts/"):
            assert os.access(ROOT / words[0], os.X_OK), line
        elif words[0] == ".venv/bin/python":
            assert (ROOT / words[1]).is_file(), line
        elif words[0].endswith("pip") and words[1] == "install":
            assert words[2:] in (
                ["git-skillmesh"],
                ["git-skillmesh[train]"],
                ["-e", ".[dev,bench]"],
                ["-e", ".[dev,train]"],
            ), line
        elif program == "accelerate launch":
            assert (ROOT / "src" / f"{words[3].replace('.', '/')}.py").is_file(), line
        elif program == "python -m" and words[2].startswith("training."):
            # These need torch or scipy, which the checks do without.
            assert (ROOT / f"{words[2].replace('.', '/')}.py").is_file(), line
        elif program == "python -m":
            for option in (word for word in words if word.startswith("--")):
                assert option in known[words[2]], line
        elif program == "git config":
            assert words[2].removeprefix("skillmesh.") in SETTINGS, line
        elif words[0] == "export":
            names = {word.partition("=")[0] for word in words[1:]}
            assert names <= variables | {"OPENAI_API_KEY", "PATH"}, line
        elif program == "chroma run":
            assert set(words[2::2]) == {"--path", "--host", "--port"}, line  # as ChromaServer
        elif program == "git fetch":
            assert len(words) == 2, line
        elif words[0] == "pre-commit":
            assert words[1] in ("install", "try-repo"), line
        elif words[0] in ("cd", "jq"):  # checking a signature by hand
            folders = (".git/skillmesh-adapters", "deploy")
            assert words[-1] in folders or "active.json" in words, line
        elif words[0] == "python3":
            assert words[1:3] == ["-m", "venv"], line
        elif words[0] == "age":
            assert line.endswith(" | git skillmesh restore -"), line
        elif words[0] == ".":
            assert words[1] == "PREFIX/share/bash-completion/completions/git-skillmesh", line
        else:
            assert program == "git skillmesh", f"nothing is known of: {line}"  # see commands test
    assert {"scripts/try", "scripts/test", "pip", "git", "chroma", "pre-commit"} <= seen


def test_blocks_are_of_known_kinds() -> None:
    known = {"console", "console parsed", "sh", "yaml", "python", "text", "toml", "json"}
    assert {block.info for page in PAGES for block in blocks(page)} <= known


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ("a … c", "a b c\n", True),
        ("a … c", "a b d\n", False),
        ("a\n…\nd", "a\nb\nc\nd\n", True),
        ("a\n…", "a\n", True),
        ("a\n…", "b\na\n", False),
        ("", "", True),
        ("", "a\n", False),
        ("a", "a\nb\n", False),
        ("a", "ab\n", False),
    ],
)
def test_the_comparison_is_strict(expected: str, actual: str, same: bool) -> None:
    assert matches(expected, actual) is same
