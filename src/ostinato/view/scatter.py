"""Points: what was predicted against what was true, residuals against predictions."""

from typing import Any

import numpy as np

from ostinato.view.frame import WIDE, Scale, axes, extent, figure
from ostinato.view.svg import tag

MOST = 2000
"""Points that are drawn; of more, an even choice."""


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
    """Points with axes, as SVG; `level` draws a horizontal line, `diagonal` the line of equal values.

    ```python
    >>> scatter_figure([1, 2, 3], [0.1, -0.1, 0.0], label="r", x_label="a", y_label="b", level=0.0).count("<circle")
    3

    ```
    """
    xs, ys = np.asarray(xs, float), np.asarray(ys, float)
    chosen = np.unique(np.linspace(0, max(len(xs) - 1, 0), min(len(xs), MOST)).astype(int))
    both = [xs, ys] if diagonal else [xs]
    x = Scale(*extent(both, margin=0.03), 62.0, width - 14.0)
    y = Scale(
        *extent([xs, ys] if diagonal else [ys, [level] if level is not None else []], margin=0.05), height - 46.0, 34.0
    )
    parts = [axes(x, y, x_label, y_label)]
    if level is not None:
        parts.append(tag("line", x1=x.start, x2=x.stop, y1=float(y(level)), y2=float(y(level)), class_="mark"))
    if diagonal:
        low, high = max(x.low, y.low), min(x.high, y.high)
        ends = {"x1": float(x(low)), "x2": float(x(high)), "y1": float(y(low)), "y2": float(y(high))}
        parts.append(tag("line", **ends, class_="mark"))
    for px, py in zip(x(xs[chosen]), y(ys[chosen]), strict=True):
        if np.isfinite(px) and np.isfinite(py):
            parts.append(tag("circle", cx=float(px), cy=float(py), r=3, class_="dot"))
    return figure("".join(parts), width, height, label)
