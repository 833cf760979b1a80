"""Questions that are made of a repository: the same ones each time, with answers that are there."""

import pytest

from benchmarks.config_keys import keys_of
from benchmarks.made_questions import questions
from benchmarks.made_traces import failures, traces

FUNCTIONS = "".join(
    f"def weigh_{n}(parcel):\n    return scale_{n}(parcel, unit={n})\n\n\n" for n in range(30)
)
OLD = {f"src/acme/m{n}.py": FUNCTIONS.replace("scale", f"scale{n}") for n in range(5)}
NEW = {path: "# moved\n# down\n" + text for path, text in OLD.items()}
TEXTS = NEW | {
    "src/acme/errors.py": "def check(name):\n"
    '    raise ValueError(f"there is no parcel called {name} in here")\n',
    "pyproject.toml": "[tool.acme]\nstrict = true\n",
    "README.md": "# Acme\n\n## Weighing many parcels\n\n" + "All of them are put on scales. " * 6,
    "CHANGELOG.md": "# 2.0\n\n- weigh takes a whole parcel and no longer a number\n",
}


@pytest.mark.parametrize(
    ("kind", "text", "keys"),
    [
        ("json", '{\n "a": {\n  "b": [{"c": 1}]\n }\n}', ["a 2", "a.b 3"]),
        ("yaml", "a:\n  b: |\n    c: 1\n  d:\n    - e: 2\n", ["a 1", "a.b 2", "a.d 4"]),
        ("toml", "[a.b]\nc = 1\n", ["a.b 1", "a.b.c 2"]),
        ("properties", "a.b=1\n# c=2\n", ["a.b 1"]),
    ],
)
def test_keys_of(kind: str, text: str, keys: list[str]) -> None:
    assert [f"{'.'.join(key)} {line}" for key, line in keys_of(text, kind)] == keys


def test_questions_are_the_same_each_time_and_their_answers_are_there() -> None:
    made = questions("acme", TEXTS, 6)
    assert made == questions("acme", dict(reversed(TEXTS.items())), 6)
    assert {question.category for question in made} >= {"message", "key", "heading", "change"}
    for question in made:
        for target in question.targets:
            assert target.start_line <= TEXTS[target.path].count("\n") + 1


def test_a_trace_shows_old_lines_and_asks_for_new_ones() -> None:
    made = [*traces("org+acme", OLD, NEW, 5), *failures("org+acme", OLD, NEW, 2)]
    assert made == [*traces("org+acme", OLD, NEW, 5), *failures("org+acme", OLD, NEW, 2)]
    for question in made:
        target = question.targets[0]
        code = NEW[target.path].split("\n")[target.start_line - 1]
        assert code.lstrip().startswith("return scale")
        old = OLD[target.path].split("\n").index(code) + 1
        assert old == target.start_line - 2
        assert f"{old}" in question.text
