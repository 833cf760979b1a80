"""Every view of the parcels' repository: what it says, and that all of it fits the contract."""

from typing import Any

from git_skillmesh.explorer.backtests import tried_learnings
from testing.conversations import FIRST, SECOND
from testing.explorer import Asked
from testing.repos import Repo


def first_of(found: list[Any], **wanted: Any) -> Any:
    return next(one for one in found if all(one[name] == value for name, value in wanted.items()))


def test_all_that_is_named_can_be_opened_and_fits_the_contract(asked: Asked) -> None:
    found = dict(asked.everything())
    kinds = {path.partition("/")[0] for path in found}
    assert kinds == {
        "overview", "learnings", "timeline", "sessions", "map", "session", "exchange", "commit",
        "file", "learning",
    }  # fmt: skip
    assert len(found) > 30


def test_overview(asked: Asked, story: Repo) -> None:
    found = asked.get("overview")
    assert found["head"] == {"sha": story.head, "branch": "main"}
    counts = found["counts"]
    assert (counts["commits"], counts["sessions"], counts["exchanges"]) == (
        int(story.git("rev-list", "--count", "HEAD")), 3, 5,
    )  # fmt: skip
    assert counts["files"] == len(story.git("ls-files").splitlines())
    assert counts["learnings"] == 1
    assert counts["skills"] > 10
    contents = [(story.path / name).read_bytes() for name in story.git("ls-files").splitlines()]
    lines = sum(len(data.splitlines()) for data in contents if b"\0" not in data)
    assert found["lines"]["total"] == lines
    assert 0 < found["lines"]["known"] < lines
    assert found["agents"][0] == {"agent": "claude-code", "exchanges": 4}
    assert sum(month["commits"] for month in found["months"]) == counts["commits"]
    assert (found["mode"], found["left_out"], found["hints"]) == ("serve", [], [])


def test_the_timeline_has_commits_and_conversations_by_time(asked: Asked) -> None:
    found = asked.get("timeline/0")
    assert (found["page"], found["pages"]) == (0, 1)
    times = [entry.get("date") or entry.get("end") for entry in found["entries"]]
    assert [time[:19] for time in times] == sorted((time[:19] for time in times), reverse=True)
    linked = [entry for entry in found["entries"] if entry.get("linked")]
    assert linked
    assert all(entry["exchanges"] and entry["linked"] <= entry["added"] for entry in linked)
    assert asked.get("timeline/1") is None
    assert asked.get("timeline/00") is None
    assert asked.get("timeline/-1") is None


def test_a_session_and_its_exchanges(asked: Asked) -> None:
    found = asked.get(f"session/{FIRST}")
    assert found["session"]["id"] == FIRST
    assert [one["ref"]["n"] for one in found["exchanges"]] == [1, 2]
    first = found["exchanges"][0]
    assert first["prompt"].startswith("Depots are sometimes down")
    assert first["files"][0]["path"] == "src/parcels/tracking.py"
    assert first["lines_linked"] >= first["lines_alive"] > 0
    one = asked.get(f"exchange/{first['ref']['key']}")
    assert one["previous"] is None
    assert one["next"] == found["exchanges"][1]["ref"]["key"]
    assert one["edits"][0]["file"]["path"] == "src/parcels/tracking.py"
    assert one["edits"][0]["diff"].startswith("@@ ")
    assert {place["path"] for place in one["alive"]} == {"src/parcels/tracking.py"}
    assert sum(p["end"] - p["start"] + 1 for p in one["alive"]) == one["lines_alive"]
    gone = sum(one["lines"] for one in one["died"])
    assert one["lines_alive"] + gone == one["lines_linked"]
    assert asked.get(f"exchange/{one['next']}")["previous"] == first["ref"]["key"]
    assert asked.get(f"session/{SECOND}")["session"]["agent"] == "codex"


def test_a_commit_names_who_made_its_lines(asked: Asked, story: Repo) -> None:
    entries = asked.get("timeline/0")["entries"]
    linked = next(entry for entry in entries if entry.get("linked"))
    found = asked.get(f"commit/{linked['sha']}")
    assert found["subject"] == story.git("show", "-s", "--format=%s", linked["sha"])
    assert found["exchanges"][0]["method"] == "edit"
    assert sum(one["lines"] for one in found["exchanges"]) == linked["linked"]
    path = found["files"][0]["file"]["path"]
    shown = story.git("show", "--format=", "-U3", linked["sha"], "--", path)
    assert found["files"][0]["diff"] == shown[shown.index("@@") :] + "\n"
    assert asked.get("commit/" + "0" * 40) is None
    assert asked.get("commit/HEAD") is None


def test_each_line_of_a_file_has_its_origin(asked: Asked, story: Repo) -> None:
    found = asked.get("file/src/parcels/tracking.py")
    assert found["lines"] == story.read("src/parcels/tracking.py").splitlines()
    covered = [n for one in found["origins"] for n in range(one["start"], one["end"] + 1)]
    assert covered == list(range(1, found["total_lines"] + 1))
    assert found["complete"]
    assert found["language"] == "python"
    told = [one for one in found["origins"] if one["exchange"]]
    assert {one["exchange"]["session"] for one in told} <= {FIRST, SECOND, *_sessions(asked)}
    blamed = story.git("blame", "-w", "--line-porcelain", "src/parcels/tracking.py")
    authors = [line.split(" ")[0] for line in blamed.splitlines() if len(line.split(" ")[0]) == 40]
    for one in found["origins"]:
        expected = set(authors[one["start"] - 1 : one["end"]])
        assert expected == {one["commit"]["sha"]}
    assert [one["id"] for one in found["learnings"]] == ["use-the-shared-client"]
    assert asked.get("file/src/parcels/nothing.py") is None
    assert asked.get("file/src/parcels") is None


def _sessions(asked: Asked) -> set[str]:
    return {one["key"] for one in asked.get("sessions/0")["sessions"]}


def test_the_map_adds_up(asked: Asked) -> None:
    root = asked.get("map/_root")
    assert root["complete"]
    assert root["parent"] is None
    assert root["lines"] == sum(child["lines"] for child in root["children"])
    assert root["known"] == sum(child["known"] for child in root["children"])
    assert root["lines"] == asked.get("overview")["lines"]["total"]
    src = first_of(root["children"], folder=True, file={"key": "src", "path": "src"})
    inside = asked.get("map/src/parcels")
    assert inside["parent"] == "src"
    tracking = next(c for c in inside["children"] if c["file"]["path"].endswith("tracking.py"))
    origins = asked.get("file/src/parcels/tracking.py")["origins"]
    told = sum(one["end"] - one["start"] + 1 for one in origins if one["exchange"])
    assert 0 < tracking["known"] <= told
    assert src["known"] >= tracking["known"]
    assert asked.get("map/nothing") is None


def test_a_learning_leads_to_its_conversation_and_back(asked: Asked) -> None:
    (listed,) = asked.get("learnings")["learnings"]
    assert listed["id"] == "use-the-shared-client"
    found = asked.get(f"learning/{listed['key']}")
    origin = found["origin"]["exchange"]
    assert origin == listed["origin"]
    assert origin["id"] == "c4a7-2"
    assert [one["id"] for one in asked.get(f"exchange/{origin['key']}")["learnings"]] == [
        "use-the-shared-client"
    ]
    assert (found["bad"], found["good"]) == (["requests.get(url)\n"], ["http.get(url)\n"])
    assert found["instead"] == "Use http.get, it has our timeouts."
    assert found["source"].startswith("learning_id: use-the-shared-client")
    assert "requests.get(" in found["matcher"]
    assert len(found["changes"]) == 1


def test_a_replay_over_past_commits_comes_when_it_is_done(asked: Asked, story: Repo) -> None:
    with asked.stores.reading() as reading:
        assert tried_learnings(reading, 60) is not None
    assert asked.get("overview")["state"].endswith("b")
    found = asked.get("learning/use-the-shared-client")["backtest"]
    assert found["commits"] == int(story.git("rev-list", "--count", "--no-merges", "HEAD"))
    assert sum(point["fired"] for point in found["points"]) >= 1
    months = [point["month"] for point in found["points"]]
    assert months == sorted(set(months))


def test_search_finds_everything(asked: Asked) -> None:
    found = asked.get("search", q="tracking scans")
    assert found["query"] == "tracking scans"
    assert "src/parcels/tracking.py" in {one["path"] for one in found["code"]}
    assert FIRST in {one["ref"]["session"] for one in found["exchanges"]}
    assert asked.get("search", q="tracking.py")["files"][0]["path"] == "src/parcels/tracking.py"
    assert asked.get("search", q="shared client")["learnings"][0]["id"] == "use-the-shared-client"
    commits = asked.get("search", q="keep what we learned")["commits"]
    assert [one["subject"] for one in commits] == ["keep what we learned"]
    empty = asked.get("search", q="  ")
    assert [empty[name] for name in ("code", "exchanges", "commits", "files")] == [[], [], [], []]
