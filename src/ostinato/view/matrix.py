"""Numbers by row and column as shades: sensitivity maps, correlations, effects."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ostinato.checks import check_same
from ostinato.view.frame import WIDE, figure, scale_bar, shortened
from ostinato.view.svg import tag, text
from ostinato.view.ticks import number_label

_BAR = 160


def matrix_figure(
    values: Any,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    label: str,
    top: float | None = None,
    width: int = WIDE,
) -> str:
    """A matrix as SVG: the larger a value is, the darker; what is negative in another colour, NaN struck out.

    `top`: the value of full shade, the largest one by default. Raises `ShapeError` where the names do not fit.

    ```python
    >>> svg = matrix_figure([[0.5, -1.0], [float("nan"), 1.0]], ["a", "b"], ["c", "<d>"], label="two by two")
    >>> svg.count("<title>"), svg.count("<path"), "&lt;d&gt;" in svg
    (4, 1, True)

    ```
    """
    values = np.asarray(values, float)
    check_same(values.shape, (len(rows), len(columns)), "values", "(rows, columns)")
    most = float(np.abs(np.nan_to_num(values)).max(initial=0.0)) if top is None else top
    names = [shortened(name) for name in (*rows, *columns)]
    longest = max((len(n) for n in names), default=1)
    left = 18 + 8.6 * longest
    side = max(9.0, min(40.0, (width - left - 8) / max(len(columns), 1)))
    head = 12 + 8.6 * longest
    parts = []
    for j, name in enumerate(columns):
        place = f"translate({left + side * (j + 0.5) + 4:.1f} {head - 6:.1f}) rotate(-90)"
        parts.append(tag("text", text(shortened(name)), transform=place, text_anchor="start"))
    for i, name in enumerate(rows):
        parts.append(tag("text", text(shortened(name)), x=left - 8, y=head + side * (i + 0.5) + 4, text_anchor="end"))
        for j, other in enumerate(columns):
            value = values[i, j]
            known = bool(np.isfinite(value))
            shade = min(abs(value) / most, 1.0) if known and most > 0 else 0.0
            style = f"fill:var(--{'ours' if value < 0 else 's0'});fill-opacity:{shade:.2f};stroke:var(--rule)"
            said = tag("title", text(f"{name}, {other}: {number_label(float(value)) if known else 'too few'}"))
            x, y = left + side * j, head + side * i
            parts.append(tag("rect", said, x=x, y=y, width=side, height=side, style=style))
            if not known:
                parts.append(tag("path", d=f"M{x:.1f} {y + side:.1f}L{x + side:.1f} {y:.1f}", class_="grid"))
    below = head + side * len(rows)
    if most > 0:
        least = -most if bool((values < 0).any()) else 0.0
        shades = [least + (most - least) * (i + 0.5) / 16 for i in range(16)]
        shades = [("ours" if value < 0 else "s0", abs(value) / most) for value in shades]
        parts.append(scale_bar(shades, number_label(least), number_label(most), left, below + 12, _BAR))
        below += 34
    return figure("".join(parts), left + max(side * len(columns), _BAR) + 8, below + 8, label)
