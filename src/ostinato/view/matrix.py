"""Numbers by row and column as shades: sensitivity maps, correlations, effects."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ostinato.checks import check_same
from ostinato.view.frame import WIDE, figure
from ostinato.view.svg import tag, text
from ostinato.view.ticks import number_label

_NAME = 14


def matrix_figure(
    values: Any,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    label: str,
    top: float | None = None,
    width: int = WIDE,
) -> str:
    """A matrix as SVG: the larger a value is, the darker; what is negative in another colour, NaN left blank.

    `top`: the value of full shade, the largest one by default. Raises `ShapeError` where the names do not fit.

    ```python
    >>> svg = matrix_figure([[0.5, -1.0], [float("nan"), 1.0]], ["a", "b"], ["c", "<d>"], label="two by two")
    >>> svg.count("<rect"), "&lt;d&gt;" in svg
    (4, True)

    ```
    """
    values = np.asarray(values, float)
    check_same(values.shape, (len(rows), len(columns)), "values", "(rows, columns)")
    most = float(np.abs(np.nan_to_num(values)).max(initial=0.0)) if top is None else top
    names = [_short(name) for name in (*rows, *columns)]
    longest = max((len(n) for n in names), default=1)
    left = 18 + 8.6 * longest
    side = max(9.0, min(40.0, (width - left - 8) / max(len(columns), 1)))
    head = 12 + 8.6 * longest
    parts = []
    for j, name in enumerate(columns):
        place = f"translate({left + side * (j + 0.5) + 4:.1f} {head - 6:.1f}) rotate(-90)"
        parts.append(tag("text", text(_short(name)), transform=place, text_anchor="start"))
    for i, name in enumerate(rows):
        parts.append(tag("text", text(_short(name)), x=left - 8, y=head + side * (i + 0.5) + 4, text_anchor="end"))
        for j, other in enumerate(columns):
            value = values[i, j]
            known = bool(np.isfinite(value))
            shade = min(abs(value) / most, 1.0) if known and most > 0 else 0.0
            style = f"fill:var(--{'ours' if value < 0 else 's0'});fill-opacity:{shade:.2f};stroke:var(--rule)"
            said = tag("title", text(f"{name}, {other}: {number_label(float(value)) if known else 'too few'}"))
            parts.append(tag("rect", said, x=left + side * j, y=head + side * i, width=side, height=side, style=style))
    return figure("".join(parts), left + side * len(columns) + 8, head + side * len(rows) + 8, label)


def _short(name: str) -> str:
    return name if len(name) <= _NAME else name[: _NAME - 1] + "…"
