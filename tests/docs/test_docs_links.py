"""Links, anchors, names and lengths."""

import re
from pathlib import Path

import pytest

from testing.docs_pages import PAGES, ROOT, anchors, links

README = ROOT / "README.md"
# Words that say nothing, and places that only one machine has.
UNWANTED = re.compile(
    r"\b(seamless(ly)?|powerful|blazing|leverag\w+|robust|cutting-edge|supercharge\w*|effortless\w*"
    r"|revolutionary|game.chang\w+|pypi\.org)\b|/(?:work|home|root)/|[\U0001F300-\U0001FAFF]",
    re.IGNORECASE,
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        assert ROOT in target.parents, f"{page.name}: {link} leaves the repository"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, ahead = set[Path](), [README]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        for link in links(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists() and target not in reached:
                ahead.append(target)
    assert reached == set(PAGES)


def test_the_readme_is_short_and_has_a_place_for_benchmarks() -> None:
    text = README.read_text()
    assert len(text.splitlines()) <= 150
    assert text.index("<!-- benchmarks:start -->") < text.index("<!-- benchmarks:end -->")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tone_is_plain(page: Path) -> None:
    assert UNWANTED.findall(page.read_text()) == []


@pytest.mark.parametrize("name", ["query.svg", "concepts.svg"])
def test_pictures_refer_to_nothing_outside(name: str) -> None:
    text = (ROOT / "docs" / name).read_text()
    assert set(re.findall(r"https?://[^\"]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "<script" not in text
