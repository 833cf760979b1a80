"""A report as Markdown and HTML: the same contents, and nothing of strangers becomes markup."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

from git_skillmesh.monitoring.report import html, markdown, svg
from git_skillmesh.monitoring.report.blocks import (
    Bars,
    Block,
    Code,
    Document,
    Estimate,
    Items,
    Mark,
    Ranges,
    Section,
    Table,
    Text,
)

HOSTILE = (
    "<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "`code` | cell\n# head",
    "[a](https://evil.example)", "@team #12 www.evil.example", "\x1b[31m\u202ered\x00",
    "</style></title><svg onload=alert(1)>", "&lt;b&gt; \udcff", "-->]]>",
)  # fmt: skip
RANGES = Ranges(
    "Lines", ("agents", "others"),
    [Mark("7 days", 0, Estimate(0.9, 0.8, 1.0), "90 %"), Mark("7 days, o", 1, None, "too little")],
)  # fmt: skip
BARS = Bars("By folder", ("known", "not"), [("src", 3, 12), ("lib", 0, 4)])


def document(*texts: str) -> Document:
    blocks: list[Block] = [
        Text(("of ", Code(texts[0]), ": plain words, 5 of 10.")),
        Text(texts[0], aside=True),
        Items(texts),
        Table(("name", "count"), [(Code(text), text) for text in texts], frozenset({1})),
        Ranges(texts[0], texts[:2], [Mark(texts[0], 0, Estimate(0.5, 0.2, 0.7), texts[0])]),
        Bars(texts[0], (texts[0], texts[-1]), [(texts[0], 1, 2)]),
    ]
    figures = [(texts[0], "95 %", texts[0])]
    return Document(texts[0], ("at ", Code(texts[0])), figures, [Section(texts[0], blocks)])


MARKDOWN = """\
# A title

at `A title`

- A title: **95 %**, A title

## A title

of `A title`: plain words, 5 of 10.

<sub>A title</sub>

- A title
- other

| name | count |
| --- | ---: |
| `A title` | A title |
| `other` | other |

```text
A title  |        ────────────●────────            | A title
         |0 %                                 100 %|
```

| A title | A title | of |  |
| --- | ---: | ---: | --- |
| `A title` | 1 | 2 | ██████████░░░░░░░░░░ |
"""


def test_markdown() -> None:
    text = markdown.render(document("A title", "other"))
    assert text == MARKDOWN


def test_nothing_in_markdown_is_markup_of_strangers() -> None:
    text = markdown.render(document(*HOSTILE))
    outside = re.sub(r"```text\n.*?\n```", "", text, flags=re.S)
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
    assert not re.search(r"<(?!sub>|/sub>|br>)", outside)
    assert "](" not in outside
    assert "://" not in outside
    assert not re.search(r"@team|(?<!&)#12|www\.evil", outside)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", text)
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3, 5}


class Elements(HTMLParser):
    """The elements and attributes of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_nothing_in_the_page_is_markup_of_strangers() -> None:
    plain, hostile = (Elements(html.render(document(*texts))) for texts in (("a", "b"), HOSTILE))
    assert hostile.names == plain.names
    assert not hostile.names & {"script", "img", "a", "link", "iframe", "object", "form"}
    assert {name for name, _ in hostile.attributes} == {name for name, _ in plain.attributes}
    assert "<script>alert(1)</script>" in hostile.text
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\ud800-\udfff]", hostile.text)


def test_the_page_asks_for_nothing_and_forbids_it() -> None:
    page = html.render(document("a", "b"))
    assert not re.search(r"https?:|//|url\(|@import|src=|href=", page)
    (policy,) = [value for name, value in Elements(page).attributes if "default-src" in value]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert page.count("prefers-color-scheme: dark") == 1
    assert "@media print" in page


def parsed(drawn: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawn)  # noqa: S314 - of our own making


def test_plots_are_well_formed_and_say_in_words_what_they_show() -> None:
    drawn = parsed(svg.ranges(RANGES))
    assert (drawn.get("role"), drawn.get("aria-label")) == ("img", "Lines")
    assert drawn.findtext("desc") == "7 days: 90 % (80 to 100); 7 days, o: too little"
    (dot,) = drawn.findall("circle")
    (line,) = [one for one in drawn.findall("line") if one.get("class") == "s0"]
    assert (dot.get("cx"), line.get("x1"), line.get("x2")) == ("557.0", "514.0", "600.0")
    bars = parsed(svg.bars(BARS))
    rects = [(one.get("class"), one.get("width")) for one in bars.findall("rect")][2:]
    assert rects == [("rest", "430.0"), ("g0", "107.5"), ("rest", "143.3"), ("g0", "0.0")]
    for text in HOSTILE:
        parsed(svg.bars(Bars(text, (text, text), [(text, 1, 2)])))
