"""Which lines are the same in two versions of a text."""

from hypothesis import given, settings
from hypothesis import strategies as st

from git_skillmesh.sessions.alignment import same_lines, squeezed, telling

WORDS = ("alpha = combine(beta)", "gamma = resolve(delta)", "}", "", "else:", "return nothing")
texts = st.lists(st.sampled_from([word.encode() for word in WORDS]), max_size=30)
unique = st.lists(st.integers(0, 60), max_size=40, unique=True).map(
    lambda numbers: [b"line number %d is unlike all others" % number for number in numbers]
)


def matched(old: str, new: str) -> dict[int, tuple[int, ...]]:
    return same_lines(old.encode().splitlines(), new.encode().splitlines())


@settings(deadline=None)
@given(texts, texts)
def test_what_is_matched_is_equal_and_in_order(old: list[bytes], new: list[bytes]) -> None:
    found = same_lines(old, new)
    assert list(found) == sorted(found)
    before = -1
    for place, olds in found.items():
        assert olds[0] >= before
        before = olds[-1]
        if len(olds) == 1:
            assert squeezed(old[olds[0]]) == squeezed(new[place])


@settings(deadline=None)
@given(unique, st.data())
def test_every_line_that_stays_is_found(old: list[bytes], data: st.DataObject) -> None:
    stay = data.draw(st.lists(st.booleans(), min_size=len(old), max_size=len(old)))
    new, wanted = [], {}
    for place, (line, stays) in enumerate(zip(old, stay, strict=True)):
        if data.draw(st.booleans()):
            new.append(b"this line number %d is a new one" % place)
        if stays:
            wanted[len(new)] = (place,)
            new.append(b"  " + line if data.draw(st.booleans()) else line)
    assert same_lines(old, new) == wanted


@settings(deadline=None)
@given(texts)
def test_a_text_is_itself(text: list[bytes]) -> None:
    found = same_lines(text, text)
    assert all(olds == (place,) for place, olds in found.items())
    if any(telling(line) for line in text):
        assert len(found) == len(text)


def test_lines_that_were_broken_anew() -> None:
    old = "before = 1\nresult = combine(alpha, beta)\nafter = 2\n"
    new = "before = 1\nresult = combine(\n    alpha, beta\n)\nafter = 2\n"
    assert matched(old, new) == {0: (0,), 1: (1,), 2: (1,), 3: (1,), 4: (2,)}
    assert matched(new, old) == {0: (0,), 1: (1, 2, 3), 2: (4,)}


def test_a_brace_alone_is_nothing() -> None:
    assert matched("alpha = combine(beta)\n}\n", "gamma = resolve(delta)\n}\n") == {}
    assert matched("one = first(x)\n}\nlast = 1\n", "two = other(y)\n}\nlast = 1\n") == {}
    both = matched("one = first(x)\n}\nlast = line\n", "two = other(y)\n}\nlast = line\n")
    assert both == {1: (1,), 2: (2,)}


def test_large_texts_take_no_time() -> None:
    """Lines that are all alike would take the square of their number."""
    same = [b"}"] * 20_000
    assert same_lines([b"x = first", *same], [*same, b"y = second"]) == {}
    many = [b"line number %d of very many" % number for number in range(50_000)]
    assert len(same_lines(many, many[::2])) == 25_000
