"""Which exchange made which lines of a commit: one situation a test."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from git_skillmesh.config import load
from git_skillmesh.sessions.linking.linker import link_commits
from git_skillmesh.sessions.links import Evidence
from git_skillmesh.sessions.model import Act, ToolCall
from testing.linking import by_line, clock, commit, link, links_of, on_files, ran, remember, wrote
from testing.repos import Repo, make_repo

PARSE = (
    "def parse_header(line):\n    name, _, value = line.partition(':')\n    return name, value\n"
)
RENDER = "def render_header(name, value):\n    text = f'{name}: {value}'\n    return text\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = make_repo(tmp_path)
    commit(made, 0, {"a.py": "import re\n\n", "b.py": "import os\n\n"}, "first")
    return made


def test_recorded_edits(repo: Repo) -> None:
    remember(repo, "s", wrote(1, "a.py", "import re\n", f"import re\n\n\n{PARSE}"))
    commit(repo, 2, {"a.py": f"import re\n\n\n{PARSE}\n", "b.py": "import os\n\nprint(os.name)\n"})
    outcome = link(repo)
    assert outcome.looked == 1, "the first commit is older than the first session"
    assert outcome.links == {repo.head: links_of(repo)}
    [found] = links_of(repo)
    assert (found.session, found.exchange, found.evidence) == ("s", "s-1", Evidence.EDIT)
    assert (found.path, found.blob) == ("a.py", repo.git("rev-parse", "HEAD:a.py"))
    assert found.ranges == ((3, 6),)
    assert 0.97 < found.confidence <= 0.98
    assert found.via == ()


def test_a_whole_file_in_a_root_commit(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    remember(repo, "s", wrote(1, "d/a.py", None, PARSE, whole=True, line=1))
    commit(repo, 2, {"d/a.py": PARSE})
    link(repo)
    assert by_line(repo, "d/a.py") == dict.fromkeys((1, 2, 3), "s-1 edit")


def test_two_sessions_on_one_tree(repo: Repo) -> None:
    """Each has what it wrote, line by line, in the same file and commit."""
    remember(repo, "one", wrote(1, "a.py", "import re\n", f"import re\n{PARSE}"))
    remember(
        repo,
        "two",
        wrote(2, "a.py", None, RENDER),
        wrote(3, "b.py", None, "TREE_DEPTH_LIMIT = 3\n"),
    )
    commit(
        repo,
        4,
        {"a.py": f"import re\n{PARSE}\n{RENDER}", "b.py": "import os\nTREE_DEPTH_LIMIT = 3\n"},
    )
    link(repo)
    assert by_line(repo, "a.py") == {
        **dict.fromkeys((2, 3, 4), "one-1 edit"), **dict.fromkeys((6, 7, 8), "two-1 edit"),
    }  # fmt: skip
    assert by_line(repo, "b.py") == {2: "two-1 edit"}


def test_the_latest_exchange_that_wrote_a_line_has_it(repo: Repo) -> None:
    better = PARSE.replace("value\n", "value.strip()\n")
    remember(repo, "s", wrote(1, "a.py", None, PARSE), exchange="e1")
    remember(repo, "s", wrote(2, "a.py", "    return name, value\n", better[-34:]), exchange="e2")
    remember(repo, "s", wrote(9, "a.py", None, better), exchange="too late")
    commit(repo, 3, {"a.py": f"import re\n\n{better}"})
    link(repo)
    assert by_line(repo, "a.py") == {3: "e1 edit", 4: "e1 edit", 5: "e2 edit"}


def test_what_a_person_changed_is_theirs(repo: Repo) -> None:
    remember(repo, "s", wrote(1, "a.py", None, f"{PARSE}{RENDER}"))
    mine = f"{PARSE}{RENDER}".replace("partition(':')", "split(':', 1)").splitlines(keepends=True)
    mine.insert(3, "MAXIMUM_HEADERS = 100\n")
    commit(repo, 2, {"a.py": "import re\n\n" + "".join(mine)})
    link(repo)
    assert by_line(repo, "a.py") == dict.fromkeys((3, 5, 7, 8, 9), "s-1 edit")


def test_an_edit_of_a_part_of_a_line(repo: Repo) -> None:
    """Several, one after the other, in lines that a person wrote."""
    commit(repo, 1, {"a.py": "x = 1  # of a\ny = 2\nz = 3\n"})
    remember(
        repo,
        "s",
        wrote(2, "a.py", "1", "10"),
        wrote(3, "a.py", "of a\ny", "of b\nY"),
        exchange="e1",
    )
    remember(repo, "s", wrote(4, "a.py", "10  # of b", "11  # of c"), exchange="e2")
    commit(repo, 5, {"a.py": "x = 11  # of c\nY = 2\nz = 4\n", "b.py": "y = 3\n"})
    link(repo)
    assert by_line(repo, "a.py") == {}, "z is somebody else's, in the same hunk"
    commit(repo, 5, {"a.py": "x = 11  # of c\nY = 2\nz = 3\n"}, "change", "--amend")
    link(repo)
    assert by_line(repo, "a.py") == {1: "e2 edit", 2: "e1 edit"}


def test_a_common_line_needs_its_neighbours(repo: Repo) -> None:
    """The agent wrote `return None` and a brace here and there; so do people."""
    wall = "if ready:\n    start()\n    return None\n}\n"
    remember(repo, "s", wrote(1, "a.py", None, wall))
    commit(
        repo, 2, {"a.py": "import re\n\nx = 1\n    return None\n}\n", "b.py": "import os\n\n}\n"}
    )
    link(repo)
    assert links_of(repo) == ()
    remember(repo, "t", wrote(2.5, "a.py", None, wall))
    commit(repo, 3, {"a.py": f"import re\n\nx = 1\n    return None\n}}\n{wall}"})
    link(repo)
    assert by_line(repo, "a.py") == dict.fromkeys((6, 7, 8, 9), "t-1 edit")


def test_context_of_an_edit_is_not_what_it_wrote(repo: Repo) -> None:
    """A person wrote the function, the agent put a line into it; one commit holds both."""
    lines = PARSE.splitlines(keepends=True)
    after = f"{lines[0]}    line = line.strip()\n{lines[1]}"
    remember(repo, "s", wrote(1, "a.py", lines[0] + lines[1], after))
    commit(repo, 2, {"a.py": f"import re\n\n{after}{lines[2]}"})
    link(repo)
    assert by_line(repo, "a.py") == {4: "s-1 edit"}


def test_a_line_written_long_ago_in_another_file_is_not_linked(repo: Repo) -> None:
    remember(repo, "s", wrote(1, "b.py", None, PARSE))
    commit(repo, 2, {"b.py": f"import os\n\n{PARSE}"})
    commit(repo, 3, {"a.py": f"import re\n\n{PARSE}"})
    link(repo)
    assert by_line(repo, "b.py", "HEAD~1") == dict.fromkeys((3, 4, 5), "s-1 edit")
    assert links_of(repo) == ()


def test_a_copy_of_what_was_committed_before_is_not_linked(repo: Repo) -> None:
    """In the same file too: the agent wrote it once, and that one stands."""
    remember(repo, "s", wrote(1, "a.py", None, PARSE))
    commit(repo, 2, {"a.py": f"import re\n\n{PARSE}"})
    commit(repo, 3, {"a.py": f"import re\n\n{PARSE}\n# again\n{PARSE}"})
    link(repo)
    assert links_of(repo) == ()


def test_work_left_uncommitted_by_an_earlier_session(repo: Repo) -> None:
    remember(repo, "early", wrote(1, "a.py", None, PARSE))
    commit(repo, 2, {"b.py": "import os\n\nprint(os.name)\n"})
    remember(repo, "late", wrote(3, "a.py", None, RENDER))
    commit(repo, 4, {"a.py": f"import re\n\n{PARSE}{RENDER}"})
    link(repo)
    assert by_line(repo, "a.py") == {
        **dict.fromkeys((3, 4, 5), "early-1 edit"), **dict.fromkeys((6, 7, 8), "late-1 edit"),
    }  # fmt: skip


def test_a_formatter_ran_after_the_agent(repo: Repo) -> None:
    """Indentation, quotes, trailing commas, lines broken and joined."""
    written = (
        "def totals(first,second):\n  return {'first':first,'second':second,'sum':first+second}\n"
        "NAMES = [\n  'alpha',\n  'beta'\n]\n"
    )
    formatted = (
        'def totals(first, second):\n    return {\n        "first": first,\n'
        '        "second": second,\n        "sum": first + second,\n    }\n'
        'NAMES = ["alpha", "beta"]\n'
    )
    remember(repo, "s", wrote(1, "a.py", None, written))
    commit(repo, 2, {"a.py": f"import re\n\n{formatted}"})
    link(repo)
    assert by_line(repo, "a.py") == dict.fromkeys(range(3, 10), "s-1 content")


def test_a_line_that_a_person_shortened_is_no_reformatted_one(repo: Repo) -> None:
    remember(
        repo, "s", wrote(1, "a.py", None, "result = compute_total(first, second) + overhead\n")
    )
    commit(repo, 2, {"a.py": "import re\n\nresult = compute_total(first, second)\n"})
    link(repo)
    assert links_of(repo) == ()


def test_a_moved_function_keeps_its_link(repo: Repo) -> None:
    remember(repo, "s", wrote(1, "a.py", None, PARSE))
    written = commit(repo, 2, {"a.py": f"import re\n\n{PARSE}"})
    remember(repo, "mover", wrote(3, "b.py", None, f"{PARSE}{RENDER}"))
    commit(repo, 4, {"a.py": "import re\n\n", "b.py": f"import os\n\n{PARSE}{RENDER}"})
    link(repo)
    assert by_line(repo, "b.py") == {
        **dict.fromkeys((3, 4, 5), "s-1 moved"), **dict.fromkeys((6, 7, 8), "mover-1 edit"),
    }  # fmt: skip
    [moved] = [one for one in links_of(repo) if one.evidence == Evidence.MOVED]
    [first] = links_of(repo, written)
    assert moved.via == (written,)
    assert moved.confidence == round(first.confidence * 0.95, 3)
    assert moved.session == "s"


def test_what_people_wrote_stays_theirs_when_an_agent_moves_it(repo: Repo) -> None:
    commit(repo, 1, {"a.py": f"import re\n\n{PARSE}"})
    remember(repo, "s", wrote(2, "b.py", None, PARSE), wrote(2, "a.py", PARSE, ""))
    commit(repo, 3, {"a.py": "import re\n\n", "b.py": f"import os\n\n{PARSE}"})
    link(repo)
    assert by_line(repo, "b.py") == {}
    assert on_files(repo) == ["s-1 edit a.py"], "it did take lines away there"


def test_reindented_lines_keep_their_link(repo: Repo) -> None:
    remember(repo, "s", wrote(1, "a.py", None, PARSE))
    commit(repo, 2, {"a.py": f"import re\n\n{PARSE}"})
    indented = "".join(f"    {line}\n" for line in PARSE.splitlines())
    commit(repo, 3, {"a.py": f"import re\n\nclass Header:\n{indented}"})
    link(repo)
    assert by_line(repo, "a.py") == dict.fromkeys((4, 5, 6), "s-1 moved")


def test_rename_and_edit(repo: Repo) -> None:
    body = "".join(f"setting_{n} = {n} * scale\n" for n in range(20))
    commit(repo, 1, {"a.py": body})
    remember(
        repo, "s", ran(2, "git mv a.py c.py"), wrote(3, "c.py", "setting_4 = 4 * scale\n", PARSE)
    )
    repo.git("mv", "a.py", "c.py")
    commit(repo, 4, {"c.py": body.replace("setting_4 = 4 * scale\n", PARSE)})
    link(repo)
    assert by_line(repo, "c.py") == dict.fromkeys((5, 6, 7), "s-1 edit")


def test_written_first_and_moved_by_a_command_then(repo: Repo) -> None:
    """The commit never saw the path that the agent wrote."""
    remember(
        repo,
        "s",
        wrote(1, "draft.py", None, PARSE, whole=True),
        ran(2, "mkdir d && mv draft.py d/c.py"),
    )
    commit(repo, 3, {"d/c.py": PARSE})
    link(repo)
    assert by_line(repo, "d/c.py") == dict.fromkeys((1, 2, 3), "s-1 edit")


def test_written_to_another_file_and_moved_by_a_person(repo: Repo) -> None:
    """Just now, and it is not where it was written; of two who wrote it neither has it."""
    remember(repo, "s", wrote(1, "b.py", None, PARSE), wrote(1, "c.py", None, RENDER))
    remember(repo, "t", wrote(2, "c.py", None, RENDER))
    commit(repo, 3, {"a.py": f"import re\n\n{PARSE}{RENDER}"})
    link(repo)
    assert by_line(repo, "a.py") == dict.fromkeys((3, 4, 5), "s-1 content")
    commit(
        repo, 3, {"a.py": f"import re\n\n{PARSE}", "b.py": f"import os\n\n{PARSE}"}, "c", "--amend"
    )
    link(repo)
    assert by_line(repo, "b.py") == dict.fromkeys((3, 4, 5), "s-1 edit")
    assert by_line(repo, "a.py") == {}, "a copy of what the agent wrote elsewhere"


def test_deletion_only(repo: Repo) -> None:
    commit(repo, 1, {"a.py": f"import re\n\n{PARSE}{RENDER}", "c.py": PARSE})
    remember(repo, "s", wrote(2, "a.py", RENDER, ""), ran(3, "git rm -q c.py"))
    commit(repo, 4, {"a.py": f"import re\n\n{PARSE}", "c.py": None})
    link(repo)
    assert on_files(repo) == ["s-1 edit a.py", "s-1 files c.py"]
    assert [one.blob for one in links_of(repo) if one.path == "c.py"] == [""]


def test_a_removal_by_nobody_is_not_linked(repo: Repo) -> None:
    commit(repo, 1, {"a.py": f"import re\n\n{PARSE}{RENDER}"})
    remember(repo, "s", wrote(2, "b.py", "import os\n", "import os, sys\n"))
    commit(repo, 3, {"a.py": f"import re\n\n{PARSE}"})
    link(repo)
    assert links_of(repo) == ()


def test_edits_by_commands(repo: Repo) -> None:
    remember(
        repo, "s", ran(1, "sed -i 's/re/regex as re/' a.py"),
        ran(2, f"cat > c.py <<'EOF'\n{PARSE}EOF\n"), ran(2, "grep -n import b.py"),
    )  # fmt: skip
    commit(repo, 3, {"a.py": "import regex as re\n\n", "b.py": "import sys\n\n", "c.py": PARSE})
    link(repo)
    assert by_line(repo, "c.py") == dict.fromkeys((1, 2, 3), "s-1 content")
    assert on_files(repo) == ["s-1 files a.py"]


def test_two_sessions_that_named_a_file_leave_it_to_nobody(repo: Repo) -> None:
    remember(repo, "one", ran(1, "sed -i 's/re/regex as re/' a.py"))
    remember(repo, "two", ran(2, "prettier --write a.py"))
    commit(repo, 3, {"a.py": "import regex as re\n\n"})
    link(repo)
    assert links_of(repo) == ()


def test_line_ends_do_not_count(repo: Repo) -> None:
    remember(
        repo,
        "s",
        wrote(1, "a.py", None, PARSE),
        wrote(1, "b.py", None, RENDER.replace("\n", "\r\n")),
    )
    crlf = f"import re\n\n{PARSE}".replace("\n", "\r\n").encode()
    commit(repo, 2, {"a.py": crlf, "b.py": f"import os\n\n{RENDER}"})
    link(repo)
    assert by_line(repo, "a.py") == dict.fromkeys((3, 4, 5), "s-1 edit")
    assert by_line(repo, "b.py") == dict.fromkeys((3, 4, 5), "s-1 edit")


def test_binary_files_and_empty_commits_have_no_lines(repo: Repo) -> None:
    remember(
        repo, "s", wrote(1, "c.bin", None, PARSE, whole=True), ran(2, "python draw.py > d.png")
    )
    commit(repo, 3, {"c.bin": b"\0" + PARSE.encode(), "d.png": b"\x89PNG\0\1"})
    link(repo)
    assert on_files(repo) == ["s-1 files d.png"]
    commit(repo, 4)
    assert link(repo).looked == 1
    assert links_of(repo) == ()


def test_a_merge_has_links_for_what_is_new_in_it(repo: Repo) -> None:
    repo.git("checkout", "-qb", "side")
    remember(repo, "s", wrote(1, "a.py", None, PARSE), exchange="theirs")
    commit(repo, 2, {"a.py": f"{PARSE}import re\n\n"})
    repo.git("checkout", "-q", "main")
    commit(repo, 3, {"a.py": f"{RENDER}import re\n\n"})
    repo.run("merge", "side")
    remember(
        repo,
        "s",
        wrote(4, "a.py", None, "ALL_HEADERS = parse_header, render_header\n"),
        exchange="both",
    )
    commit(
        repo,
        5,
        {"a.py": f"{PARSE}{RENDER}ALL_HEADERS = parse_header, render_header\nimport re\n\n"},
    )
    assert link(repo).looked == 3
    assert by_line(repo, "a.py") == {7: "both edit"}
    assert by_line(repo, "a.py", "side") == dict.fromkeys((1, 2, 3), "theirs edit")


ODD = ["a b.py", 'quo"ted.py', "tab\tbed.py", "feed\nline.py", "ünï/ç.py", "-dash.py"]


def test_odd_paths(repo: Repo) -> None:
    texts = {path: f"name_of_file_{n} = {n}\n" for n, path in enumerate(ODD)}
    remember(repo, "s", *(wrote(1, path, None, text, whole=True) for path, text in texts.items()))
    commit(repo, 2, texts)
    link(repo)
    assert {path: by_line(repo, path) for path in ODD} == {path: {1: "s-1 edit"} for path in ODD}


def test_a_name_that_is_not_utf8(repo: Repo) -> None:
    """No conversation can name it; what its commit has else is linked."""
    name = os.fsdecode(b"caf\xe9.py")
    remember(repo, "s", wrote(1, "a.py", "import re\n", f"import re\n\n\n{PARSE}"))
    commit(repo, 2, {"a.py": f"import re\n\n\n{PARSE}", name: "A = 1\n"})
    link(repo)
    commit(repo, 3, {name: "A = 1\nB = 2\n"})
    repo.git("mv", name, "d.py")
    commit(repo, 4, {"d.py": "A = 1\nB = 2\nC = 3\n"})
    link(repo)
    assert by_line(repo, "a.py", "HEAD~2") == dict.fromkeys((3, 4, 5, 6), "s-1 edit")


def test_subagents_have_their_own_lines(repo: Repo) -> None:
    remember(repo, "parent", ran(3, "git commit -m 'parse headers'"))
    remember(repo, "child", wrote(1, "a.py", None, PARSE), parent="parent")
    commit(repo, 3, {"a.py": f"import re\n\n{PARSE}"}, "parse headers")
    link(repo)
    assert by_line(repo, "a.py") == dict.fromkeys((3, 4, 5), "child-1 edit")
    assert on_files(repo) == ["parent-1 command"]


def test_the_commit_that_an_agent_quotes_is_its_own(repo: Repo) -> None:
    commit(repo, 2, {"a.py": "import re, sys\n\n"}, "unrelated")
    head = repo.head
    said = f"[main {head[:8]}] unrelated\n 1 file changed"
    remember(repo, "s", ran(1.9, "make release", said, (head[:8],)))
    remember(repo, "t", ran(1.9, "git show", said, ()))
    link(repo)
    assert on_files(repo) == ["s-1 quoted"]
    [whole] = links_of(repo)
    assert (whole.path, whole.blob, whole.confidence) == ("", "", 0.99)


def test_what_git_ai_had_noted_stays(repo: Repo) -> None:
    commit(repo, 1, {"a b.py": f"{PARSE}{RENDER}"})
    noted = "a b.py 1-2,5\ngone.py 1\na b.py 3-1"
    call = ToolCall("x", "git-ai", Act.EDIT, output=noted, commits=(repo.head,))
    remember(repo, "s-git-ai", replace(call, time=clock(2)))
    link_commits(repo.opened(), load(repo.opened()), ["HEAD"])
    assert by_line(repo, "a b.py") == dict.fromkeys((1, 2, 5), "s-git-ai-1 quoted")
    assert on_files(repo) == ["s-git-ai-1 quoted"]


def test_a_command_counts_only_with_subject_and_time(repo: Repo) -> None:
    remember(
        repo, "s", ran(1, "git commit -m 'another subject'"), ran(2, "git log --grep 'tidy up'")
    )
    commit(repo, 3, {"a.py": "import sys\n\n"}, "tidy up")
    remember(repo, "t", ran(3.5, "git commit -m 'tidy up'"))
    link(repo)
    assert links_of(repo) == ()


def test_the_family_that_made_the_commit_is_more_certain(repo: Repo) -> None:
    remember(
        repo, "s", wrote(1, "a.py", None, "DEPTH_OF_TREE = 3\n"), ran(2, "git commit -m depth")
    )
    remember(repo, "t", wrote(1, "b.py", None, "WIDTH_OF_TREE = 3\n"))
    commit(
        repo,
        2,
        {"a.py": "import re\n\nDEPTH_OF_TREE = 3\n", "b.py": "import os\n\nWIDTH_OF_TREE = 3\n"},
        "depth",
    )
    link(repo)
    sure = {one.path: one.confidence for one in links_of(repo) if one.path}
    assert sure["b.py"] == round(0.98 * (1 - 0.5 ** (14 / 8)), 3)
    assert sure["a.py"] == round(1 - (1 - 0.98 * (1 - 0.5 ** (14 / 8))) / 2, 3)


def test_a_session_without_times(repo: Repo) -> None:
    remember(repo, "s", wrote(None, "a.py", None, PARSE))
    repo.write("a.py", f"import re\n\n{PARSE}")
    now = f"@{int(time.time())} +0000"
    date = {"GIT_AUTHOR_DATE": now, "GIT_COMMITTER_DATE": now}
    repo.git("commit", "-qam", "now", env=date)
    link(repo)
    assert by_line(repo, "a.py") == dict.fromkeys((3, 4, 5), "s-1 edit")
    assert links_of(repo)[0].confidence < 0.7


def test_an_edit_of_another_machine(repo: Repo) -> None:
    remember(repo, "s", wrote(1, "/Users/jo/code/it/d/a.py", None, f"{PARSE}{RENDER}", whole=True))
    remember(repo, "t", wrote(1, "/Users/jo/code/it/x.py", None, "x = 1\n", whole=True))
    commit(repo, 2, {"d/a.py": f"{PARSE}{RENDER}", "x.py": "x = 1\n", "e/a.py": f"{PARSE}{RENDER}"})
    link(repo)
    assert by_line(repo, "d/a.py") == dict.fromkeys(range(1, 7), "s-1 content")
    assert by_line(repo, "x.py") == by_line(repo, "e/a.py") == {}


def test_an_amended_commit_is_linked_anew(repo: Repo) -> None:
    repo.git("config", "notes.rewriteRef", "refs/notes/skillmesh*")
    remember(repo, "s", wrote(1, "a.py", None, PARSE), exchange="e1")
    commit(repo, 2, {"a.py": f"import re\n\n{PARSE}"})
    link(repo)
    remember(repo, "s", wrote(3, "a.py", None, RENDER), exchange="e2")
    commit(repo, 4, {"a.py": f"import re\n\n{PARSE}{RENDER}"}, "change", "--amend", authored=2)
    assert by_line(repo, "a.py") == {}, "the note that git copied is about another version"
    link(repo)
    assert by_line(repo, "a.py") == {
        **dict.fromkeys((3, 4, 5), "e1 edit"), **dict.fromkeys((6, 7, 8), "e2 edit"),
    }  # fmt: skip
