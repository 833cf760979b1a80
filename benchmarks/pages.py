"""What reports write into pages: tables in Markdown, and a chart of how something grows.

In: cells, or points. Out: text, or an SVG file that is the same for the same points.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; it ends with a line feed."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def draw_growth(
    path: Path, sizes: Sequence[float], sizes_of: str, lines: Mapping[str, Sequence[float]]
) -> None:
    """Draw seconds over sizes; both axes are logarithmic, so a slope of one is proportional."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = path.stem
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.2))
    for name, values in lines.items():
        axes.loglog(sizes, values, marker="o", markersize=4, label=name)
    axes.set_xlabel(sizes_of)
    axes.set_ylabel("seconds")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend(fontsize=8, loc="upper left")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
