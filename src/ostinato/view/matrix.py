"""Numbers by row and column as shades: sensitivity maps, correlations, effects."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ostinato.checks import check_same
from ostinato.view.frame import WIDE, figure, scale_bar, shortened
from ostinato.view.svg import tag, text
from ostinato.view.ticks import number_label

_BAR = 160
_LETTER = 13.0
LEVELS = 20
"""Shades of each colour: all squares of one shade are one path, which keeps large maps small files."""


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
    >>> svg.count('class="cells"'), svg.count('class="struck"'), "&lt;d&gt;" in svg
    (4, 1, True)

    ```
    """
    values = np.asarray(values, float)
    check_same(values.shape, (len(rows), len(columns)), "values", "(rows, columns)")
    most = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) if top is None else top
    names = [shortened(name) for name in (*rows, *columns)]
    longest = max((len(n) for n in names), default=1)
    left = 18 + 8.6 * longest
    side = max(4.0, min(40.0, (width - left - 8) / max(len(columns), 1)))
    # Names are as high as their squares, where those are lower than letters.
    letter = min(_LETTER, max(side, 5.0))
    style = None if letter == _LETTER else f"font-size:{letter:.1f}px"
    left = 18 + 8.6 * longest * letter / _LETTER
    side = max(side, min(40.0, letter, (width - left - 8) / max(len(columns), 1)))
    head = 12 + 8.6 * longest * letter / _LETTER
    drop = 0.31 * letter
    parts = []
    for j, name in enumerate(columns):
        place = f"translate({left + side * (j + 0.5) + drop:.1f} {head - 6:.1f}) rotate(-90)"
        parts.append(tag("text", text(shortened(name)), transform=place, text_anchor="start", style=style))
    for i, name in enumerate(rows):
        place = {"x": left - 8, "y": head + side * (i + 0.5) + drop, "text_anchor": "end"}
        parts.append(tag("text", text(shortened(name)), **place, style=style))
    parts += _cells(values, most, left, head, side)
    below = head + side * len(rows)
    if most > 0:
        least = -most if bool((values < 0).any()) else 0.0
        shades = [least + (most - least) * (i + 0.5) / 16 for i in range(16)]
        shades = [("ours" if value < 0 else "s0", abs(value) / most) for value in shades]
        bar = min(_BAR, width - left - 8)
        parts.append(scale_bar(shades, number_label(least), number_label(most), left, below + 12, bar))
        below += 34
    grid = f"{left:.1f} {head:.1f} {side:.2f} {len(rows)} {len(columns)}"
    wide = left + max(side * len(columns), min(_BAR, width - left - 8)) + 8
    return figure("".join(parts), wide, below + 8, label, data_grid=grid)


def _cells(values: np.ndarray, most: float, left: float, head: float, side: float) -> list[str]:
    """All squares of one shade as one path, and strokes through those whose value is not known."""
    squares: dict[tuple[str, int], list[str]] = {}
    struck = []
    for (i, j), value in np.ndenumerate(values):
        x, y = left + side * j, head + side * i
        known = bool(np.isfinite(value))
        shade = min(abs(float(value)) / most, 1.0) if known and most > 0 else 0.0
        key = ("ours" if value < 0 else "s0", round(LEVELS * shade))
        squares.setdefault(key, []).append(f"M{x:.1f} {y:.1f}h{side:.2f}v{side:.2f}h-{side:.2f}z")
        if not known:
            struck.append(f"M{x:.1f} {y + side:.1f}L{x + side:.1f} {y:.1f}")
    parts = [
        tag("path", d="".join(paths), class_="cells", style=f"fill:var(--{colour});fill-opacity:{level / LEVELS:.2f}")
        for (colour, level), paths in sorted(squares.items())
    ]
    return [*parts, *([tag("path", d="".join(struck), class_="struck")] if struck else [])]
