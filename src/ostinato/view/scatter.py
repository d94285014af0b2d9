"""Points: what was predicted against what was true, residuals against predictions."""

from dataclasses import replace
from typing import Any

import numpy as np

from ostinato.view.frame import SMALL, WIDE, Scale, axes, extent, figure, room
from ostinato.view.svg import tag

MOST = 2000
"""Points that are drawn; of more, an even choice."""

SQUARE = 460
"""Width at most of a figure whose axes are the same."""


def scatter_figure(
    xs: Any,
    ys: Any,
    *,
    label: str,
    x_label: str,
    y_label: str,
    level: float | None = None,
    diagonal: bool = False,
    width: int = WIDE,
    height: int = 320,
) -> str:
    """Points with axes, as SVG; `level` draws a horizontal line.

    `diagonal` draws the line of equal values: both axes are then the same, and the figure is a square.

    ```python
    >>> scatter_figure([1, 2, 3], [0.1, -0.1, 0.0], label="r", x_label="a", y_label="b", level=0.0).count("<circle")
    3

    ```
    """
    xs, ys = np.asarray(xs, float), np.asarray(ys, float)
    chosen = np.unique(np.linspace(0, max(len(xs) - 1, 0), min(len(xs), MOST)).astype(int))
    if diagonal:
        width = min(width, SQUARE)
    across = extent([xs, ys] if diagonal else [xs], margin=0.04)
    up = across if diagonal else extent([ys, [level] if level is not None else []], margin=0.05)
    y = Scale(*up, (width if diagonal else height) - 46.0, 34.0)
    left = room(y, 0.0 if width <= SMALL else 62.0)
    if diagonal:
        y = replace(y, start=y.stop + width - 14.0 - left)
        height = round(y.start) + 46
    x = Scale(*across, left, width - 14.0)
    parts = [axes(x, y, x_label, y_label)]
    if level is not None:
        parts.append(tag("line", x1=x.start, x2=x.stop, y1=float(y(level)), y2=float(y(level)), class_="mark"))
    if diagonal:
        parts.append(tag("line", x1=x.start, x2=x.stop, y1=y.start, y2=y.stop, class_="mark"))
    for px, py in zip(x(xs[chosen]), y(ys[chosen]), strict=True):
        if np.isfinite(px) and np.isfinite(py):
            parts.append(tag("circle", cx=float(px), cy=float(py), r=2 if width <= SMALL else 3, class_="dot"))
    return figure("".join(parts), width, height, label)
