"""The documentation as a site: whole, without warnings, and without a request to anywhere."""

import importlib.util
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from scripts import site
from testing.browser import NAMES, chromium
from testing.docs_pages import PAGES, ROOT
from testing.required import missing, program

# What makes a browser fetch something by itself. A link is followed by a person.
_FETCHED = {
    "script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src",
    "video": "src", "audio": "src", "object": "data", "embed": "src", "form": "action",
}  # fmt: skip
# Features of the theme that no page uses would ask these; a page that used one fails in Chromium.
_UNUSED = {"https://unpkg.com", "https://cdn.jsdelivr.net", "https://api.github.com"}
# Names of XML, and the licence note within an icon: never asked.
_NAMES = {"http://www.w3.org", "https://fontawesome.com"}

_FOUND = "[...document.activeElement.shadowRoot.querySelectorAll('a')].map(a => a.href).join(' ')"


class Parts(HTMLParser):
    """What a page fetches, links to and can be linked at."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in _FETCHED and given.get("rel") not in ("canonical", "next", "prev"):
            self.fetched.append(given.get(_FETCHED[tag], ""))
        self.fetched += re.findall(r"url\(([^)]*)\)", given.get("style", ""))


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory, sealed_session: None) -> Path:
    if importlib.util.find_spec("zensical") is None:
        missing("site", "git-skillmesh[docs] is not installed")
    folder = tmp_path_factory.mktemp("site")
    site.build(folder)
    return folder / "html"


@pytest.fixture(scope="module")
def pages(html: Path) -> dict[Path, Parts]:
    return {page: Parts(page) for page in sorted(html.rglob("*.html"))}


def test_the_navigation_names_every_page_once() -> None:
    named = re.findall(r'= "([^"]+\.md)" }', (ROOT / site.CONFIG).read_text())
    assert sorted(named) == sorted(
        site.place_of(page.relative_to(ROOT).as_posix()) for page in PAGES
    )


@pytest.mark.parametrize(
    ("page", "text", "shown"),
    [
        ("README.md", "[a](docs/query.md#x)", "[a](query.md#x)"),
        ("README.md", "![b](docs/query.svg)", "![b](query.svg)"),
        ("docs/query.md", "[a](../README.md)\n```text\n[b](no.md)\n```\n",
         "[a](index.md)\n```text\n[b](no.md)\n```\n"),
        ("training/README.md", "[a](../docs/query.md)", "[a](../query.md)"),
        ("docs/query.md", "[a](../scripts/test)", "[a](files/scripts/test.txt)"),
        ("docs/query.md", "[a](../scripts) and", "a and"),
        ("docs/query.md", "[b](https://a.b/c) [d](#e)", "[b](https://a.b/c) [d](#e)"),
        ("docs/query.md", "```console parsed\n$ x\n```\n", "```console\n$ x\n```\n"),
    ],
)  # fmt: skip
def test_links_lead_to_where_the_site_has_the_files(page: str, text: str, shown: str) -> None:
    assert site.rewritten(page, text, set()) == shown


def test_a_link_to_nothing_is_refused() -> None:
    with pytest.raises(site.Broken, match=r"docs/query\.md links to none\.md, which is not there"):
        site.rewritten("docs/query.md", "[a](none.md)", set())


def test_every_page_is_there_and_leads_to_all_others(pages: dict[Path, Parts], html: Path) -> None:
    expected = {
        re.sub(r"(README)?\.md$", lambda end: "index.html" if end[1] else ".html", place)
        for place in (site.place_of(page.relative_to(ROOT).as_posix()) for page in PAGES)
    }
    found = {page.relative_to(html).as_posix() for page in pages} - {"404.html"}
    assert found == expected
    for page, parts in pages.items():
        if page.name == "404.html":
            continue
        reached = {(page.parent / urlsplit(link).path).resolve() for link in parts.links}
        assert reached >= {html / name for name in expected} - {page}, page


def test_links_and_anchors_lead_somewhere(pages: dict[Path, Parts]) -> None:
    for page, parts in pages.items():
        if page.name == "404.html":  # its links are those of a server's root
            continue
        for link in (*parts.links, *parts.fetched):
            about = urlsplit(link)
            if about.scheme:
                continue
            target = (page.parent / unquote(about.path)).resolve() if about.path else page
            assert target.exists(), f"{page.name}: {link}"
            if about.fragment and target in pages:
                assert unquote(about.fragment) in pages[target].anchors, f"{page.name}: {link}"


def test_nothing_is_fetched_from_elsewhere(pages: dict[Path, Parts], html: Path) -> None:
    for page, parts in pages.items():
        assert [link for link in parts.fetched if re.match(r"\w+:|//", link)] == [], page
    hosts = set()
    for path in (*html.glob("assets/**/*.js"), *html.glob("assets/**/*.css")):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"/\*.*?\*/|<!--.*?-->", "", text, flags=re.DOTALL)
        hosts |= set(re.findall(r"\b(?:https?|wss?)://[\w.-]+", text))
        assert not re.search(r"@import|url\([\"']?(?:https?:)?//", text), path
    assert hosts <= _UNUSED | _NAMES
    for path in html.rglob("*.svg"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"(?:href|src)=[\"'](?:https?:)?//|url\((?!#)|<script|@import", text
        ), path


def test_the_site_opens_from_its_folder_and_is_searched(html: Path) -> None:
    with chromium(program(*NAMES)) as browser:
        page = browser.page()
        page.open((html / "capture.html").as_uri())
        assert page.run("document.title") == "Capture - git skillmesh"
        page.run("document.querySelector('.md-search__button').click()")
        page.wait("document.activeElement.shadowRoot?.activeElement?.tagName == 'INPUT'")
        page.write("forgotten")
        found = page.wait(_FOUND)
        assert f"{(html / 'memory.html').as_uri()}?h=forgotten#forgetting" in found.split()
        assert {urlsplit(address).scheme for address in page.requests} <= {"file", "data"}
        assert page.console == []
