"""Walks through the explorer's page by its own links, as somebody with a lot of time would.

In: a page that shows the explorer. Out: what leads where, and what went wrong on the way.
"""

import json
import re
from pathlib import Path
from typing import Any

from testing.browser import Page

READY = "!document.querySelector('main .loading') && !!document.querySelector('main h1')"
_LINKS = "[...document.querySelectorAll('main a[href^=\"#/\"]')].map(a => a.getAttribute('href'))"
_KINDS = ("timeline", "sessions", "session", "exchange", "commit", "file", "map", "learnings",
          "learning", "search")  # fmt: skip


def begin(page: Page, url: str) -> None:
    """Open the explorer and wait for its first view."""
    page.open(url)
    page.wait(READY)


def show(page: Page, address: str) -> None:
    """Go to an address within the page, and wait until it is shown."""
    page.run(f"location.hash = {json.dumps(address)}")
    # The view changes with the event that the browser sends next.
    page.run("new Promise(done => setTimeout(done, 0))")
    page.wait(READY)


def kind_of(address: str) -> str:
    """Return what an address shows: "commit", "file", …"""
    found = re.match(r"#/([a-z]*)", address)
    assert found
    assert found[1] in _KINDS, address
    return found[1]


def thing(address: str) -> str:
    """Return an address without lines and months."""
    return address.split(":")[0]


def walk(page: Page, most: int = 200) -> dict[str, set[str]]:
    """Visit everything that links lead to, one of a kind after the other: address → its links."""
    found: dict[str, set[str]] = {}
    waiting = ["#/timeline/0", "#/sessions/0", "#/map", "#/learnings"]
    while waiting and len(found) < most:
        address = waiting.pop(0)
        if address in found:
            continue
        show(page, address)
        broken = page.texts("main [role=alert]")
        assert not broken, (address, broken)
        page.run("for (const one of document.querySelectorAll('main details')) one.open = true")
        page.wait(READY)
        found[address] = {thing(link) for link in page.run(_LINKS)} - {address}
        waiting += sorted(found[address] - set(found) - set(waiting))
    return found


def harmless(page: Page, *origins: str) -> None:
    """Assert that a page has done nothing but show: asked only these, complained of nothing."""
    foreign = [url for url in page.requests if not url.startswith((*origins, "data:,"))]
    assert (page.dialogs, page.violations, page.console, foreign) == ([], [], [], [])


def axe(page: Page, modules: Path) -> list[dict[str, Any]]:
    """Return what axe-core finds wrong with what is shown."""
    if not page.run("'axe' in window"):
        page.run((modules / "axe-core" / "axe.min.js").read_text())
    found: list[dict[str, Any]] = page.run(
        "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => "
        "({id: v.id, help: v.help, nodes: v.nodes.slice(0, 4).map(n => n.html.slice(0, 200) + ' | '"
        " + n.failureSummary)})))"
    )
    return found
