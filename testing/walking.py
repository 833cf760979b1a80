"""Walks through the explorer's page by its own links, as somebody with a lot of time would.

In: a page that shows the explorer. Out: what leads where, and what went wrong on the way.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from testing.browser import Broken, Page

READY = "!document.querySelector('main .loading') && !!document.querySelector('main h1')"
# Goes to an address and waits until it is shown, all in the page: one question instead of many.
_SHOW = (
    "(async address => { const before = location.href;"
    " const turned = new Promise(done => addEventListener('hashchange', done, {once: true}));"
    " location.hash = address; if (location.href !== before) await turned;"
    " const end = performance.now() + 20000;"
    " do { await new Promise(done => setTimeout(done, 3)) }"
    f" while (!({READY}) && performance.now() < end); return {READY} }})"
)
_LINKS = "[...document.querySelectorAll('main a[href^=\"#/\"]')].map(a => a.getAttribute('href'))"
_UNFOLD = (
    "(() => { for (const one of document.querySelectorAll('main details')) one.open = true;"
    " return [...document.querySelectorAll('main [role=alert]')].map(e => e.textContent) })()"
)
_KINDS = ("timeline", "sessions", "session", "exchange", "commit", "file", "map", "learnings",
          "learning", "search")  # fmt: skip


def begin(page: Page, url: str) -> None:
    """Open the explorer and wait for its first view."""
    page.open(url)
    page.wait(READY)


def show(page: Page, address: str) -> None:
    """Go to an address within the page, and wait until it is shown."""
    if not page.run(f"{_SHOW}({json.dumps(address)})"):
        raise Broken(f"{address} is not shown: {page.text()[:600]}")


def kind_of(address: str) -> str:
    """Return what an address shows: "commit", "file", …"""
    found = re.match(r"#/([a-z]*)", address)
    assert found
    assert found[1] in _KINDS, address
    return found[1]


def thing(address: str) -> str:
    """Return an address without lines and months."""
    return address.split(":")[0]


def walk(
    page: Page, most: int = 200, look: Callable[[str], None] = lambda address: None
) -> dict[str, set[str]]:
    """Visit what links lead to, one of each kind after the other: address → its links.

    `look` is called where each is shown.
    """
    found: dict[str, set[str]] = {}
    visited: Counter[str] = Counter()
    waiting = ["#/timeline/0", "#/sessions/0", "#/map", "#/learnings"]
    while waiting and len(found) < most:
        address = min(waiting, key=lambda one: visited[kind_of(one)])
        waiting.remove(address)
        visited[kind_of(address)] += 1
        show(page, address)
        broken = page.run(_UNFOLD)
        assert not broken, (address, broken)
        page.wait(READY)
        look(address)
        found[address] = {thing(link) for link in page.run(_LINKS)} - {address}
        waiting += sorted(found[address] - set(found) - set(waiting))
    return found


def harmless(page: Page, *origins: str) -> None:
    """Assert that a page has done nothing but show: asked only these, complained of nothing."""
    foreign = [url for url in page.requests if not url.startswith((*origins, "data:,"))]
    assert (page.dialogs, page.violations, page.console, foreign) == ([], [], [], [])


def axe(page: Page, modules: Path, where: str = "document", *rules: str) -> list[dict[str, Any]]:
    """Return what axe-core finds wrong with what is shown, with these rules or all."""
    only = f", runOnly: {json.dumps(rules)}" if rules else ""
    if not page.run("'axe' in window"):
        page.run((modules / "axe-core" / "axe.min.js").read_text())
    found: list[dict[str, Any]] = page.run(
        f"axe.run({where}, {{resultTypes: ['violations']{only}}}).then(r => r.violations.map(v => "
        "({id: v.id, help: v.help, nodes: v.nodes.slice(0, 4).map(n => n.html.slice(0, 200) + ' | '"
        " + n.failureSummary)})))"
    )
    return found
