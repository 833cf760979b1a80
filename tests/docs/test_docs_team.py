"""docs/team.md shows the very configuration of nginx that the tests run."""

from testing.docs_pages import ROOT, blocks
from testing.nginx import SITE


def test_the_page_has_the_file_that_is_tested() -> None:
    shown = [block for block in blocks(ROOT / "docs" / "team.md") if block.info == "text"]
    assert shown[0].text.rstrip("\n") == SITE.read_text().rstrip("\n")
