"""What is kept within a number of bytes."""

from git_skillmesh.retrieval.kept import Kept


def test_what_was_not_used_for_longest_goes_first() -> None:
    kept = Kept[str, int](10)
    for number, key in enumerate("abc"):
        kept.put(key, number, 3)
    assert kept.get("a") == 0
    kept.put("d", 3, 4)
    assert [kept.get(key) for key in "abcd"] == [0, None, 2, 3]


def test_what_would_leave_no_room_for_others_is_not_kept() -> None:
    kept = Kept[str, int](10)
    kept.put("small", 1, 5)
    kept.put("large", 2, 6)
    assert (kept.get("small"), kept.get("large")) == (1, None)


def test_a_new_value_takes_the_room_of_the_old_one() -> None:
    kept = Kept[str, int](10)
    for number in range(5):
        kept.put("a", number, 5)
        kept.put("b", number, 5)
    assert (kept.get("a"), kept.get("b")) == (4, 4)
