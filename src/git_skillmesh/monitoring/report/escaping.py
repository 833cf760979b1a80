"""Text of strangers within HTML and SVG.

In: text. Out: text that is no markup, and shows control characters instead of obeying them.
"""

import html

from ...display import safe


def text(value: str) -> str:
    """Return text for an element or a quoted attribute."""
    harmless = safe(value).encode("utf-8", "backslashreplace").decode()
    return html.escape(harmless, quote=True)
