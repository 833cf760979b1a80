"""A repository in which all text is an attack: the page shows it and does nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_skillmesh.display import safe
from testing.browser import Browser, Page
from testing.conversations import FIRST
from testing.explored import HOSTILE, LONG, UNSEEN, make_hostile, served
from testing.repos import Repo
from testing.walking import READY, axe, begin, harmless, kind_of, show, walk

# What none of the attacks may have made of the page.
_FOREIGN = (
    "script:not([src='explorer.js']), iframe, object, embed, img, style, base, form[name], math,"
    " meta[http-equiv=refresh], link:not([href='explorer.css']):not([rel=icon]), [onerror],"
    " [onload], [onfocus], [ontoggle]"
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return make_hostile(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def url(hostile: Repo) -> Iterator[str]:
    with served(hostile) as address:
        yield address


@pytest.fixture(scope="module")
def window(browser: Browser, url: str) -> Iterator[Page]:
    opened = browser.page()
    begin(opened, url)
    yield opened
    opened.close()


@pytest.fixture
def page(window: Page, url: str) -> Iterator[Page]:
    window.size(1280, 900)
    show(window, "#/timeline/0")
    yield window
    harmless(window, url.split("?")[0])


def seen(text: str) -> str:
    """Return a text as it must be shown: the server names what is unseen, and the page the rest."""
    return safe(text).replace("\u200b", "<U+200B>")


def shown(page: Page, texts: list[str]) -> None:
    """Assert that each text can be read on the page, letter by letter."""
    missing = page.run(
        f"(all => {json.dumps(texts)}.filter(one => !all.includes(one)))(document.body.textContent)"
    )
    assert missing == []


def test_all_of_it_is_shown_and_none_of_it_done(page: Page) -> None:
    def look(address: str) -> None:
        foreign, addresses = page.run(
            f"[document.querySelectorAll({json.dumps(_FOREIGN)}).length,"
            " [...document.querySelectorAll('a')].map(a => a.protocol)]"
        )
        assert foreign == 0, address
        assert set(addresses) <= {"http:"}, address

    found = walk(page, 40, look)
    assert {"exchange", "commit", "file", "session", "map", "learning"} <= {
        kind_of(one) for one in found
    }


def test_a_conversation_says_what_was_said(page: Page) -> None:
    show(page, f"#/exchange/{FIRST}~2fe-0")
    shown(page, [*HOSTILE, *map(seen, UNSEEN)])
    # Of the answer, Markdown is read: its marks go, its attacks stay text.
    answer = page.text(".markdown")
    for text in HOSTILE[:8]:
        assert text in answer
    assert "[x](javascript:alert(1))" in answer
    links = page.run("[...document.querySelectorAll('.markdown a')].map(a => [a.href, a.rel])")
    assert {tuple(link) for link in links} == {
        ("http://evil.invalid/a.png", "noopener noreferrer"),
        ("http://evil.invalid/b", "noopener noreferrer"),
    }
    page.run("for (const one of document.querySelectorAll('main details')) one.open = true")
    shown(page, [HOSTILE[2], HOSTILE[3]])
    # What is very long comes when it is asked for.
    assert LONG not in page.run("document.body.textContent")
    page.run("document.querySelector('.prompt + button, .prompt button').click()")
    page.wait(f"document.body.textContent.includes('w'.repeat({len(LONG)}))")


def test_names_subjects_and_authors_are_text(page: Page, hostile: Repo) -> None:
    subjects = [*HOSTILE, *map(seen, UNSEEN[:3])]
    read = ""
    for number in range(
        page.run("fetch('api/overview.json').then(r => r.json())")["timeline_pages"]
    ):
        show(page, f"#/timeline/{number}")
        page.wait("document.querySelectorAll('.entry').length > 0")
        read += page.run("document.body.textContent")
    assert [one for one in subjects if one not in read] == []
    show(page, "#/map/src")
    names = page.texts(".areas tbody th a")
    assert any("onerror=alert(1)" in name for name in names)
    assert any(seen(UNSEEN[0]) in name for name in names)
    links = "[...document.querySelectorAll('.areas tbody th a')].map(a => a.getAttribute('href'))"
    for href in page.run(links):
        show(page, href)
        alerts, title, lines = page.run(
            "[document.querySelectorAll('main [role=alert]').length,"
            " document.querySelector('h1').innerText, document.querySelector('.lines').textContent]"
        )
        assert alerts == 0, href
        assert title.startswith("src/"), href
        assert HOSTILE[0] in lines


def test_what_is_searched_is_text(page: Page) -> None:
    for text in (*HOSTILE, *UNSEEN, "%", "%zz", "#/exchange/x", "\\"):
        page.run("document.getElementById('search').focus()")
        page.run("document.getElementById('search').select()")
        page.write(text)
        page.wait("location.hash.startsWith('#/search/')")
        page.wait(f"{READY} && !!document.querySelector('main p[role=status], main [role=alert]')")
        assert page.texts("main [role=alert]") == [], text
        assert page.run(f"document.querySelectorAll({json.dumps(_FOREIGN)}).length") == 0, text


def test_made_up_addresses_lead_nowhere(page: Page) -> None:
    for address in (
        "#/exchange/../../../x", "#/file/..%2f..%2fx", "#/commit/<img src=x onerror=alert(1)>",
        "#javascript:alert(1)", "#/constructor/x", "#/__proto__", "#//evil.invalid/x",
    ):  # fmt: skip
        show(page, address)
        assert page.text("h1") == "Nothing here", address
    page.console.clear()


def test_stays_accessible_and_narrow(page: Page, node_modules: Path) -> None:
    page.size(320, 700)
    for view in (
        "#/timeline/0",
        f"#/session/{FIRST}",
        f"#/exchange/{FIRST}~2fe-0",
        "#/map/src",
        "#/learning/wrong",
    ):
        show(page, view)
        assert axe(page, node_modules) == [], view
        assert page.run("document.documentElement.scrollWidth") <= 320, view


def test_an_export_does_nothing_either(browser: Browser, hostile: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert hostile.skillmesh("explore", "--out", str(folder), "-q").returncode == 0
    page = browser.page()
    begin(page, (folder / "index.html").as_uri())
    found = walk(page, 20)
    assert len(found) == 20
    show(page, f"#/exchange/{FIRST}~2fe-0")
    shown(page, list(HOSTILE))
    page.press("/")
    page.write("alert(1)")
    page.wait("document.querySelectorAll('.found a').length > 3")
    harmless(page, folder.as_uri())
    page.close()
