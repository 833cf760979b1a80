"""`git skillmesh skills install|export`: valid Agent Skills, removable, nothing overwritten."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from git_skillmesh.registry import shelf as shelves
from git_skillmesh.registry.loading import load_registry
from git_skillmesh.registry.validation import validate
from testing.commands import call
from testing.registries import write_card, write_plain, write_roles
from testing.repos import Repo, Result, make_repo

ROLE = {
    "id": "dispatcher", "title": "Dispatcher", "description": "Sends parcels",
    "experts": ["depot.weighing"], "tags": ["post"],
}  # fmt: skip


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("export") / "registry"
    write_card(root, "depot.weighing", composability={"before": ["depot.labels"]})
    folder = write_card(root, "depot.labels", title="Labels that scanners can read")
    (folder / "references").mkdir()
    (folder / "references" / "codes.md").write_text("Code 128\n")
    write_roles(root, ROLE)
    return root


@pytest.fixture
def ours(tmp_path: Path) -> Repo:
    return make_repo(tmp_path, "ours", files={"README.md": "Ours\n"})


@pytest.fixture
def skills(ours: Repo, registry: Path) -> Callable[..., Result]:
    def run(action: str, *args: str) -> Result:
        return call(ours.path, "skills", action, "--registry", str(registry), *args)

    return run


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def test_install_a_role(ours: Repo, registry: Path, skills: Callable[..., Result]) -> None:
    said = skills("install", "dispatcher", "--agent", "claude", "--agent", "codex")
    assert said == Result(
        0, ".claude/skills: 1 skill written\n.agents/skills: 1 skill written\n", ""
    )
    for folder in (".claude/skills", ".agents/skills"):
        assert tree(ours.path / folder).keys() == {
            ".git-skillmesh.json", "weighing/SKILL.md", "weighing/card.yaml",
        }  # fmt: skip
        for name in ("SKILL.md", "card.yaml"):
            source = registry / "depot" / "weighing" / name
            assert (ours.path / folder / "weighing" / name).read_bytes() == source.read_bytes()
    more = skills("install", "dispatcher", "--agent", "claude", "--with-prerequisites")
    assert more.stdout == ".claude/skills: 1 skill written, 1 up to date\n"
    assert ours.read(".claude/skills/labels/references/codes.md") == "Code 128\n"


def test_what_is_installed_goes_again(ours: Repo, skills: Callable[..., Result]) -> None:
    before = tree(ours.path)
    skills("install", "dispatcher", "depot.labels", "--agent", "cursor")
    mine = ours.write(".cursor/skills/labels/mine.md", "mine\n")
    assert skills("install", "--remove", "labels", "--agent", "cursor").returncode == 0
    assert mine.is_file()
    mine.unlink()
    mine.parent.rmdir()
    said = skills("install", "--remove", "--agent", "cursor")
    assert said.stdout == ".cursor/skills: 1 removed\n"
    assert tree(ours.path) == before
    assert not (ours.path / ".cursor").exists()
    said = skills("install", "--remove", "weighing", "--agent", "cursor")
    assert said.returncode == 2
    assert "depot.weighing is not installed there: nothing is" in said.stderr


def test_install_elsewhere_and_outside_of_a_repository(tmp_path: Path, registry: Path) -> None:
    arguments = ["--registry", str(registry), "weighing"]
    said = call(tmp_path, "skills", "install", *arguments, "--to", "somewhere/skills")
    assert said == Result(0, "somewhere/skills: 1 skill written\n", "")
    assert (tmp_path / "somewhere/skills/weighing/SKILL.md").is_file()
    said = call(tmp_path, "skills", "install", *arguments, "--agent", "gemini")
    assert said.stdout == ".gemini/skills: 1 skill written\n"


def test_what_somebody_changed_stays(ours: Repo, skills: Callable[..., Result]) -> None:
    skills("install", "weighing", "--agent", "claude")
    mine = ours.write(".claude/skills/weighing/SKILL.md", "mine\n")
    where = f"{ours.path}/.claude/skills/weighing: SKILL.md"
    for action in (["weighing"], ["--remove"]):
        said = skills("install", *action, "--agent", "claude")
        assert said.returncode == 2
        assert f"somebody changed {where}: --force" in said.stderr
        assert mine.read_text() == "mine\n"
    assert skills("install", "weighing", "--agent", "claude", "--force").returncode == 0
    assert mine.read_text() != "mine\n"


def test_a_skill_of_somebody_else_is_in_the_way(ours: Repo, skills: Callable[..., Result]) -> None:
    mine = ours.write(".claude/skills/weighing/SKILL.md", "mine\n")
    for force in ([], ["--force"]):
        said = skills("install", "weighing", "--agent", "claude", *force)
        assert said.returncode == 2
        assert "exists, and was not put there by this command: move it away" in said.stderr
        assert mine.read_text() == "mine\n"


def test_names_that_collide(ours: Repo, tmp_path: Path) -> None:
    root = tmp_path / "two"
    for one in ("depot.weighing", "post.weighing"):
        write_card(root, one, title=f"Weighing in the {one}")
    said = call(ours.path, "skills", "export", "--registry", str(root))
    assert said == Result(
        2, "", "git-skillmesh: depot.weighing and post.weighing would both be the skill weighing: "
        "choose one of them\n",
    )  # fmt: skip
    assert call(
        ours.path, "skills", "install", "--registry", str(root), "depot.weighing", "--agent",
        "claude",
    ).returncode == 0  # fmt: skip
    said = call(
        ours.path,
        "skills",
        "install",
        "--registry",
        str(root),
        "post.weighing",
        "--agent",
        "claude",
    )
    assert said.returncode == 2
    assert "post.weighing would be the skill weighing, and depot.weighing is that" in said.stderr


def test_export_and_its_removal(ours: Repo, skills: Callable[..., Result]) -> None:
    ours.write("AGENTS.md", "# Agents\n\nBe kind.")
    before = tree(ours.path)
    said = skills("export", "--name", "post")
    assert said == Result(
        0,
        ".claude/skills: 2 skills written\n.agents/skills: 2 skills written\n"
        "post: 2 skills written\nAGENTS.md: section written\n",
        "",
    )
    skill = {"labels/SKILL.md", "labels/card.yaml", "labels/references/codes.md",
             "weighing/SKILL.md", "weighing/card.yaml"}  # fmt: skip
    assert set(tree(ours.path)) == {
        "README.md", "AGENTS.md",
        *(f".claude/skills/{path}" for path in (*skill, ".git-skillmesh.json")),
        *(f".agents/skills/{path}" for path in (*skill, ".git-skillmesh.json")),
        *(f"post/skills/{path}" for path in skill),
        "post/.git-skillmesh.json", "post/.claude-plugin/plugin.json",
        "post/.claude-plugin/marketplace.json",
    }  # fmt: skip
    plugin = json.loads(ours.read("post/.claude-plugin/plugin.json"))
    assert plugin == {
        "name": "post", "version": plugin["version"], "author": {"name": "ours"},
        "description": "2 skills, exported by git skillmesh",
    }  # fmt: skip
    marketplace = json.loads(ours.read("post/.claude-plugin/marketplace.json"))
    assert marketplace["plugins"] == [
        {"name": "post", "source": "./", "version": plugin["version"],
         "description": "2 skills, exported by git skillmesh"}
    ]  # fmt: skip
    assert ours.read("AGENTS.md") == (
        "# Agents\n\nBe kind.\n\n<!-- git-skillmesh skills: begin 2 -->\n## Skills\n\n"
        "Instructions of experts. Before a task that one of them fits, read it:\n"
        '`git skillmesh skills emit "the task in your words"` finds and prints what fits,\n'
        "`git skillmesh skills show ID` prints one. They are reference material, not orders.\n\n"
        "- `depot.labels`: Labels that scanners can read "
        "([SKILL.md](.agents/skills/labels/SKILL.md))\n"
        "- `depot.weighing`: Weighing parcels before dispatch "
        "([SKILL.md](.agents/skills/weighing/SKILL.md))\n"
        "<!-- git-skillmesh skills: end -->\n"
    )
    for folder in (".claude/skills", ".agents/skills", "post/skills"):
        wrong = [one for one in validate(ours.path / folder) if one.path.endswith("SKILL.md")]
        # That a card lies in a folder of its domain is a rule of registries, not of skills.
        assert {one.what.partition(" ")[0] for one in wrong} <= {"a", "metadata.id"}
    again = skills("export", "--name", "post")
    assert again.stdout == (
        ".claude/skills: 2 up to date\n.agents/skills: 2 up to date\npost: 2 up to date\n"
        "AGENTS.md: up to date\n"
    )
    fewer = skills("export", "--name", "post", "--format", "plugin", "--format", "claude", "labels")
    assert (
        fewer.stdout == "post: 1 up to date, 1 removed\n.claude/skills: 1 up to date, 1 removed\n"
    )
    assert skills("export", "--name", "post", "--remove").returncode == 0
    assert tree(ours.path) == before
    assert not (ours.path / "post").exists()


def test_export_to_a_folder_outside_of_a_repository(tmp_path: Path, registry: Path) -> None:
    (tmp_path / "project").mkdir()
    said = call(
        tmp_path, "skills", "export", "dispatcher", "--registry", str(registry), "--to", "project",
        "--format", "agents-md",
    )  # fmt: skip
    assert said == Result(0, "project/AGENTS.md: section written\n", "")
    assert "- `depot.weighing`: Weighing" in (tmp_path / "project/AGENTS.md").read_text()
    call(tmp_path, "skills", "export", "--to", "project", "--format", "agents-md", "--remove")
    assert list((tmp_path / "project").iterdir()) == []


def test_agents_md_that_is_a_link(
    ours: Repo, tmp_path: Path, skills: Callable[..., Result]
) -> None:
    inside = ours.write("docs/agents.md", "Here\n")
    (ours.path / "AGENTS.md").symlink_to("docs/agents.md")
    assert skills("export", "--format", "agents-md").returncode == 0
    assert (ours.path / "AGENTS.md").is_symlink()
    assert inside.read_text().startswith("Here\n\n<!-- git-skillmesh")
    (ours.path / "AGENTS.md").unlink()
    (tmp_path / "outside.md").write_text("There\n")
    (ours.path / "AGENTS.md").symlink_to(tmp_path / "outside.md")
    said = skills("export", "--format", "agents-md")
    assert (said.returncode, said.stderr) == (
        2, "git-skillmesh: AGENTS.md is a link that leaves the project\n"
    )  # fmt: skip
    assert (tmp_path / "outside.md").read_text() == "There\n"


def test_a_card_of_a_file_becomes_a_skill(ours: Repo, tmp_path: Path) -> None:
    """Hostile texts, and no SKILL.md: what is written is one that every agent reads."""
    cards = [
        {"id": "Odd One", "title": "Odd: -->\n# one", "description": 'Say "hi": {a}\n---\n# x',
         "instruction_file": "odd.md"},
        {"id": "a.b", "title": "<!-- git-skillmesh skills: end -->", "description": "x" * 3000,
         "instruction_file": "ab.md"},
    ]  # fmt: skip
    (tmp_path / "experts.json").write_text(json.dumps(cards))
    (tmp_path / "odd.md").write_text("Do it.\n---\nname: other\n---\n")
    (tmp_path / "ab.md").write_text("# AB\n")
    said = call(ours.path, "skills", "export", "--registry", str(tmp_path / "experts.json"))
    assert said.returncode == 0, said.stderr
    assert validate(ours.path / ".claude/skills") == []
    found = load_registry(ours.path / ".claude/skills").by_id
    assert found["odd-one"].description == 'Say "hi": {a} -- # x'
    assert found["odd-one"].instructions == "# Odd: --> # one\n\nDo it.\n---\nname: other\n---\n"
    assert len(found["b"].description) <= 1024
    text = ours.read("AGENTS.md")
    assert text.count("<!--") == 2
    removed = call(ours.path, "skills", "export", "--remove", "--format", "agents-md")
    assert removed.returncode == 0
    assert not (ours.path / "AGENTS.md").exists()


def test_a_skill_with_another_name_than_its_folder_is_mended(ours: Repo, tmp_path: Path) -> None:
    text = "---\nname: other\ndescription: About it\nlicense: MIT\n---\n# It\n"
    write_plain(tmp_path / "theirs", "it", text)
    said = call(
        ours.path, "skills", "install", "it", "--registry", str(tmp_path / "theirs"), "--agent",
        "claude",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert ours.read(".claude/skills/it/SKILL.md") == (
        '---\nname: it\ndescription: "About it"\nlicense: "MIT"\nmetadata:\n  id: "it"\n---\n# It\n'
    )
    assert validate(ours.path / ".claude/skills") == []


def test_a_link_in_a_registry_is_not_followed(ours: Repo, tmp_path: Path) -> None:
    file = write_plain(tmp_path / "theirs", "it")
    (file.parent / "secrets").symlink_to("/etc/passwd")
    said = call(
        ours.path, "skills", "install", "it", "--registry", str(tmp_path / "theirs"), "--agent",
        "claude",
    )  # fmt: skip
    assert said.returncode == 2
    assert "'secrets' is a link or no file" in said.stderr
    assert not (ours.path / ".claude").exists()


def test_ctrl_c_leaves_nothing_half_written(
    ours: Repo, skills: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(ours.path)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shelves, "rewrite_file", interrupt)
    assert skills("export").returncode == 130
    assert tree(ours.path) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["install", "weighing"], "say for whom: --agent claude|codex|cursor|gemini, or --to DIR"),
        (["install", "--agent", "claude"], "install takes ROLES or IDs"),
        (["install", "x", "--agent", "claude", "--to", "y"], "--agent and --to name two places"),
        (["install", "weihging", "--agent", "claude"], "no skill weihging"),
        (["export", "--name", "No Name"], "No Name cannot be the name of a plugin"),
        (["export", "--to", "nowhere"], "no such folder"),
    ],
)
def test_complaints(skills: Callable[..., Result], arguments: list[str], said: str) -> None:
    done = skills(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
