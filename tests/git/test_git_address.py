"""The address of a remote: all spellings of one place agree, different places do not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_skillmesh.git.repository import discover, normalise_url
from testing.repos import make_repo

BASE = Path("/srv/project")
_WORD = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,8}", fullmatch=True)
_HOST = st.from_regex(r"[a-z]{2,8}(\.[a-z]{2,5}){0,2}", fullmatch=True)
_FOLDERS = st.lists(_WORD, min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://forge.example/Team/tool.git", "forge.example/Team/tool"),
        ("https://forge.example/Team/tool", "forge.example/Team/tool"),
        ("https://forge.example/Team/tool.git/", "forge.example/Team/tool"),
        ("HTTPS://Forge.Example/Team/tool", "forge.example/Team/tool"),
        ("https://ada:secret@forge.example/Team/tool.git", "forge.example/Team/tool"),
        ("https://ada@forge.example:8443/Team/tool.git", "forge.example/Team/tool"),
        ("http://forge.example/Team/tool.git", "forge.example/Team/tool"),
        ("git://forge.example/Team/tool.git", "forge.example/Team/tool"),
        ("ssh://git@forge.example/Team/tool.git", "forge.example/Team/tool"),
        ("ssh://git@forge.example:22/Team/tool.git", "forge.example/Team/tool"),
        ("git+ssh://git@forge.example/Team/tool.git", "forge.example/Team/tool"),
        ("git@forge.example:Team/tool.git", "forge.example/Team/tool"),
        ("git@forge.example:/Team/tool.git", "forge.example/Team/tool"),
        ("forge.example:Team/tool", "forge.example/Team/tool"),
        ("ssh://git@[2001:db8::1]:22/tool.git", "[2001:db8::1]/tool"),
        ("git@[2001:db8::1]:tool.git", "[2001:db8::1]/tool"),
        ("/srv/git/tool.git", "/srv/git/tool"),
        ("/srv/git/tool/.git", "/srv/git/tool"),
        ("file:///srv/git/tool.git", "/srv/git/tool"),
        ("../tool", "/srv/tool"),
        ("./tool.git", "/srv/project/tool"),
        ("..", "/srv"),
        ("C:/code/tool", "/srv/project/C:/code/tool"),
    ],
)
def test_table(url: str, expected: str) -> None:
    assert normalise_url(url, BASE) == expected


@given(_HOST, _FOLDERS, _WORD, st.integers(1, 65535))
def test_every_spelling_of_one_address_agrees(
    host: str, folders: list[str], user: str, port: int
) -> None:
    path = "/".join(folders)
    spellings = {
        f"{head}{path}{tail}"
        for head in (
            f"https://{host}/",
            f"https://{host.upper()}/",
            f"http://{host}:{port}/",
            f"https://{user}@{host}/",
            f"https://{user}:token@{host}:{port}/",
            f"git://{host}/",
            f"ssh://{host}/",
            f"ssh://{user}@{host}:{port}/",
            f"SSH://{user}@{host}/",
            f"{host}:",
            f"{user}@{host}:",
            f"{user}@{host}:/",
        )
        for tail in ("", ".git", "/", ".git/", "/.git")
    }
    assert {normalise_url(spelling, BASE) for spelling in spellings} == {f"{host}/{path}"}


@given(_HOST, _HOST, _FOLDERS, _FOLDERS)
def test_different_addresses_stay_different(
    host: str, other: str, folders: list[str], elsewhere: list[str]
) -> None:
    first = normalise_url(f"https://{host}/{'/'.join(folders)}", BASE)
    second = normalise_url(f"git@{other}:{'/'.join(elsewhere)}", BASE)
    assert (first == second) == ((host, folders) == (other, elsewhere))


@given(st.text(st.characters(exclude_characters="\0"), max_size=30))
def test_any_text_gives_a_stable_answer(url: str) -> None:
    assert normalise_url(url, BASE) == normalise_url(url, BASE) != ""


def test_clones_share_an_identity_and_a_secret_in_the_address_does_not_matter(
    tmp_path: Path,
) -> None:
    origin = make_repo(tmp_path, "origin", files={"a.txt": "1\n"})
    origin.commit("second", {"a.txt": "2\n"})
    clone, shallow = origin.clone(tmp_path / "c"), origin.clone(tmp_path / "s", "--depth=1")
    by_address = discover(clone.path).derive_id()
    assert by_address == discover(shallow.path).derive_id()
    clone.git("remote", "set-url", "origin", "https://ada:one@forge.example/t/x.git")
    shallow.git("remote", "set-url", "origin", "git@forge.example:t/x")
    assert discover(clone.path).derive_id() == discover(shallow.path).derive_id() != by_address
    assert len(by_address) == 16
    assert int(by_address, 16) >= 0


def test_without_an_origin_the_first_commit_is_the_identity(tmp_path: Path) -> None:
    one = make_repo(tmp_path, "one", files={"a.txt": "1\n"})
    two = make_repo(tmp_path, "two", files={"a.txt": "1\n"})
    other = make_repo(tmp_path, "other", files={"a.txt": "2\n"})
    two.commit("second", {"a.txt": "3\n"})
    assert discover(one.path).derive_id() == discover(two.path).derive_id()
    assert discover(one.path).derive_id() != discover(other.path).derive_id()


def test_an_empty_repository_is_known_by_its_folder(tmp_path: Path) -> None:
    one, two = make_repo(tmp_path, "one"), make_repo(tmp_path, "two")
    (one.path / "deep").mkdir()
    assert discover(one.path).derive_id() == discover(one.path / "deep").derive_id()
    assert discover(one.path).derive_id() != discover(two.path).derive_id()
