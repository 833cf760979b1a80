"""The losses of a training as a picture.

In: the lines of metrics.jsonl. Out: loss.png and loss.svg, the same for the same lines.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def draw(metrics: Sequence[Mapping[str, Any]], folder: Path, title: str) -> None:
    """Write the picture to a folder, twice."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "git-skillmesh"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for key, name, style in (("loss", "training", "-"), ("eval_loss", "validation", "o--")):
        points = [(one["step"], one[key]) for one in metrics if key in one]
        if points:
            axes.plot(*zip(*points, strict=True), style, label=name, linewidth=1.2, markersize=4)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.set_title(title)
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend()
    figure.savefig(folder / "loss.png", dpi=110, metadata={"Software": None})
    figure.savefig(folder / "loss.svg", metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
