"""Commands and options: documented, with help, and none that does not exist."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from git_skillmesh.cli.main import ALIASES, COMMANDS
from scripts.reference import actions, parsers, value_of, wanted
from testing.docs_pages import PAGES, ROOT, blocks, command_lines

MAN_PAGE = ROOT / "docs" / "git-skillmesh.1"
COMMANDS_PAGE = ROOT / "docs" / "commands.md"
COMPLETION = ROOT / "docs" / "git-skillmesh.bash-completion"


def test_the_reference_parts_are_up_to_date() -> None:
    outdated = [path.name for path, text in wanted().items() if path.read_text("utf-8") != text]
    assert outdated == [], "run scripts/reference.py"


def test_every_command_has_help_and_a_description() -> None:
    for name, parser in parsers().items():
        assert COMMANDS[name]
        assert parser.description, name


def test_every_option_has_help() -> None:
    assert [
        f"git skillmesh {name}: {action.option_strings or action.dest}"
        for name, parser in parsers().items()
        for action in actions(parser)
        if not action.help
    ] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented_with_all_its_options(command: str) -> None:
    text = COMMANDS_PAGE.read_text()
    section = text.partition(f"\n## {command}\n")[2].partition("\n## ")[0]
    manual = MAN_PAGE.read_text().replace("\\-", "-").partition(f"git skillmesh {command} ")[2]
    manual = manual.partition("\n.S")[0]
    for action in actions(parsers()[command]):
        for name in action.option_strings or [value_of(action)]:
            assert re.search(rf"`[^`]*{re.escape(name)}\b", section), f"commands.md: {name}"
            assert name in manual, f"man page: {name}"


def test_every_alias_is_documented() -> None:
    text = COMMANDS_PAGE.read_text()
    for other, name in ALIASES.items():
        assert f"| `{other}` | `{name}` |" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_in_the_documentation_can_be_parsed(page: Path) -> None:
    known = parsers()
    for line in command_lines(page):
        words = shlex.split(line)[2:]
        if words[0] == "-C":
            words = words[2:]
        name = ALIASES.get(words[0], words[0])
        if words[0] in ("COMMAND", "--help", "-h", "--version"):
            continue
        assert name in known, f"{page.name}: {line}"
        if "-h" in words:
            continue
        if len(words) == 1:  # the command's name, mentioned
            continue
        try:
            known[name].parse_args(words[1:])
        except SystemExit:
            pytest.fail(f"{page.name}: {line}")


def test_the_man_page_is_well_formed() -> None:
    known = {"TH", "SH", "SS", "TP", "nf", "fi", "br", "BR"}
    lines = MAN_PAGE.read_text().splitlines()
    assert lines[0].startswith(".TH GIT\\-SKILLMESH 1 ")
    for line in lines:
        assert line, "an empty line is a request for one, and a warning"
        if line[0] in ".'":
            assert line[1:].split()[0] in known, line
        assert line.isascii(), line
    sections = [line[4:] for line in lines if line.startswith(".SH ")]
    assert sections == [
        "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "CONFIGURATION",
        "EXIT STATUS", "FILES", "EXAMPLES", "SEE ALSO",
    ]  # fmt: skip


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_groff_has_no_complaint_about_the_man_page() -> None:
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tascii", "-z", MAN_PAGE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_examples_for_pre_commit_name_all_hooks_and_their_stages() -> None:
    ids = set(re.findall(r"^- id: (\S+)", (ROOT / ".pre-commit-hooks.yaml").read_text(), re.M))
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    stages = set(re.findall(r"^  stages: \[(.*)\]", text, re.M))
    (block,) = [one for one in blocks(ROOT / "docs" / "hooks.md") if one.info == "yaml"]
    assert set(re.findall(r"- id: (\S+)", block.text)) == ids
    listed = re.search(r"default_install_hook_types: \[(.*)\]", block.text)
    assert listed is not None
    assert set(listed[1].split(", ")) == stages


GIT_COMPLETION = Path("/usr/share/bash-completion/completions/git")


@pytest.mark.skipif(not GIT_COMPLETION.exists(), reason="git's completion is not installed")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("git skillmesh qu", "query"),
        ("git -C src skillmesh d", "doctor"),
        ("git-skillmesh statu", "status"),
        ("git-skillmesh -C index pru", "prune"),
        ("git skillmesh index --ch", "--changed --chroma"),
        ("git skillmesh index --chroma w", "wait"),
        ("git skillmesh query --kind me", "method"),
        ("git skillmesh query --rank ", "ranker rrf"),
        ("git skillmesh query wor", ""),
        ("git skillmesh skills re", "retrieve remove"),
        ("git skillmesh skills --re", "--registry --remove"),
        ("git skillmesh skills emit --provider c", "claude codex cursor"),
    ],
)
def test_bash_completes(typed: str, offered: str, tmp_path: Path) -> None:
    words = typed.split(" ")
    script = (
        f". {GIT_COMPLETION}\n. {COMPLETION}\n"
        f"COMP_WORDS=({shlex.join(words)}) COMP_CWORD={len(words) - 1}\n"
        f"COMP_LINE={shlex.quote(typed)} COMP_POINT={len(typed)}\n"
        f"{'__git_wrap__git_main' if words[0] == 'git' else '__git_wrap_git_skillmesh'}\n"
        'echo "${COMPREPLY[*]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.split() == offered.split()
