"""The Markdown report: whole outputs, as Markdown reads it, and the limits."""

import re
from dataclasses import replace
from html.parser import HTMLParser

from markdown_it import MarkdownIt

from git_skillmesh.gate.model import FailOn, Report
from git_skillmesh.gate.reports.markdown import COMMENT, MARKER, render
from testing.reports import BASE, HEAD, HOSTILE, finding, full_report, hostile_report, note

URL = "https://github.com/owner/name"


class Page(HTMLParser):
    """The tags, links and text of a page."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.open: list[str] = []
        self.prose = ""
        self.feed(MarkdownIt("commonmark").enable("table").render(markdown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "code" not in self.open:
            self.prose += data


def test_a_finding_whole() -> None:
    report = Report(
        BASE, HEAD, (finding(),), learnings=2, files=1, about=(note("bounded-retries"),)
    )
    assert (
        render(report, repository_url=URL)
        == f"""\
<!-- skillmesh-gate -->
### git skillmesh: 1 finding; this fails the check

1 blocking, 1 file against 2 learnings, exit code 1

#### Retry a bounded number of times

`bounded-retries`, ⛔ blocks, [`.skillmesh/learnings/bounded-retries.yaml`]\
({URL}/blob/{BASE}/.skillmesh/learnings/bounded-retries.yaml)

Why: A server that is down stays down.<br>We were paged for it twice.

Learned in `git skillmesh show 3f2a9c1e`

- [`src/net/client.py:12`]({URL}/blob/{HEAD}/src/net/client.py#L12): \
this loop retries for ever

  Fix: use retry&#95;with&#95;backoff&#40;limit&#61;5&#41;

  ```
      while True: retry()
  ```"""
    )


def test_nothing_found() -> None:
    assert (
        render(Report(BASE, HEAD, learnings=2, files=1))
        == f"""\
{MARKER}
### git skillmesh: nothing found

1 file against 2 learnings, exit code 0"""
    )


def test_the_rest_of_a_report() -> None:
    shown = render(replace(full_report(), findings=()), fail_on=FailOn.WARN)
    assert (
        shown
        == f"""\
{MARKER}
### git skillmesh: nothing found; this fails the check

1 excused, 1 broken rule, 5 files against 12 learnings, exit code 10

#### Learnings at the base that cannot be used

- .skillmesh/learnings/odd.yaml&#58;3&#58; unknown field&#58; matchr

<details><summary>Learnings that this change touches</summary>

- `no-print` is edited, warn → block<br>.skillmesh/learnings/no-print.yaml&#58;14&#58; \
block needs two examples<br>backtest: fired on 3 of 1,204 commits, 0 mistaken
- `no-eval` is added, proposed

</details>

<details><summary>Excused in the code</summary>

- `src/net/poll.py:3:5`, `bounded-retries`: polls a local socket, \
which cannot be down

</details>

<details><summary>Not looked at</summary>

- `dist/app.min.js`: larger than 1 MB
- `src/deep.py` (`bounded-retries`): nested too deep

</details>

<details><summary>About the changed code</summary>

- `src/net/client.py:12`: made the lines 12-19 that this change replaces: \
Make the client survive a restart, `git skillmesh show 3f2a9c1e/12`

</details>"""
    )


def test_links_go_nowhere_but_to_the_repository() -> None:
    page = Page(render(full_report(), repository_url=URL + "/"))
    assert page.links
    assert all(link.startswith(f"{URL}/blob/") for link in page.links)
    assert f"{URL}/blob/{HEAD}/src/api.py#L7-L9" in page.links


def test_nothing_hostile_is_markup() -> None:
    harmless = {"h3", "h4", "p", "code", "ul", "li", "pre", "br", "details", "summary"}
    assert Page(render(full_report())).tags == harmless
    for text in HOSTILE:
        page = Page(render(hostile_report((text,))))
        assert page.tags <= harmless, text
        assert page.links == []
        assert re.findall(r"[@#]\w|://|www\.", page.prose) == [], text
    page = Page(render(hostile_report(), repository_url=URL))
    assert page.tags - harmless == {"a"}
    assert all(link.startswith(f"{URL}/blob/") for link in page.links)


def test_there_is_one_marker_whatever_the_code_says() -> None:
    report = hostile_report((MARKER, f"a\n{MARKER}"))
    shown = render(report)
    assert MarkdownIt("commonmark").render(shown).count("<!--") == 1
    assert shown.startswith(MARKER)


def test_code_cannot_leave_its_fence() -> None:
    code = "```\n``````\n</details>\n# heading"
    page = Page(render(Report(BASE, HEAD, (finding(text=code, end_line=15),))))
    assert "heading" not in page.prose
    assert page.tags == {"h3", "h4", "p", "code", "ul", "li", "pre"}


def test_it_keeps_to_the_limit_and_says_what_is_left_out() -> None:
    findings = tuple(finding(f"src/{n:04}.py", n, text="x" * 150) for n in range(1, 2_001))
    shown = render(Report(BASE, HEAD, findings), limit=COMMENT)
    assert COMMENT - 1_000 < len(shown.encode()) <= COMMENT
    told = shown.count("\n- `src/")
    assert shown.endswith(f"\n\n{2_000 - told:,} more left out: the log of the check has them all.")
