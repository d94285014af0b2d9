"""Counts of true against predicted classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ostinato.checks import check_same
from ostinato.view.frame import NARROW, WIDE, figure, scale_bar, shortened
from ostinato.view.svg import tag, text

_BAR = 110


def confusion_figure(counts: Any, names: Sequence[str], *, label: str, width: int = WIDE) -> str:
    """A confusion matrix as SVG: rows are the true classes, columns the predicted ones, shading the share of the row.

    `counts` is `(classes, classes)`; raises `ShapeError` where the names do not fit.

    ```python
    >>> svg = confusion_figure([[8, 1], [0, 9]], ["cat", "<dog>"], label="two classes")
    >>> svg.count("<title>"), "&lt;dog&gt;" in svg
    (4, True)

    ```
    """
    counts = np.asarray(counts)
    check_same(counts.shape, (len(names), len(names)), "counts", "(classes, classes)")
    shown = [shortened(name, 14 if width <= NARROW else 28) for name in names]
    longest = max((len(n) for n in shown), default=1)
    left = 30 + 7.4 * longest
    side = max(12.0, min(54.0, (width - left - 12) / max(len(names), 1)))
    turned = 7.4 * longest > side - 4
    if turned:
        # The last of the turned names leans out to the right.
        side = max(12.0, min(54.0, (width - left - 12 - 3.7 * longest) / max(len(names), 1)))
    top = 34 + (6.4 * longest if turned else 18)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    numbers = side >= 7.4 * len(str(int(counts.max(initial=0)))) + 2
    parts = [
        tag("text", text("predicted"), x=left + side * len(names) / 2, y=16, text_anchor="middle"),
        tag("text", text("true"), x=left - 8, y=16, text_anchor="end"),
    ]
    for i, name in enumerate(shown):
        middle = left + side * (i + 0.5)
        place: dict[str, Any] = {"x": middle, "y": top - 8, "text_anchor": "middle"}
        if turned:
            place = {"transform": f"translate({middle + 4:.1f} {top - 8:.1f}) rotate(-60)", "text_anchor": "start"}
        parts.append(tag("text", text(name), **place))
        parts.append(tag("text", text(name), x=left - 8, y=top + side * (i + 0.5) + 4, text_anchor="end"))
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            place = {"x": left + side * j, "y": top + side * i}
            shade = _shade(float(share[i, j]))
            style = f"fill:var(--{'s0' if i == j else 'ours'});fill-opacity:{shade:.2f};stroke:var(--rule)"
            said = tag("title", text(f"true {names[i]}, predicted {names[j]}: {count} ({100 * share[i, j]:.1f} %)"))
            parts.append(tag("rect", said, **place, width=side, height=side, style=style))
            if numbers and count:
                at = {"x": place["x"] + side / 2, "y": place["y"] + side / 2 + 4}
                ink = "fill:var(--paper)" if shade > 0.55 else "fill:var(--ink)"
                parts.append(tag("text", text(count), **at, text_anchor="middle", style=ink, pointer_events="none"))
    below = top + side * len(names) + 12
    start = min(left, width - 2 * _BAR - 28)
    for number, (word, colour) in enumerate((("right", "s0"), ("wrong", "ours"))):
        at = start + number * (_BAR + 16)
        shades = [(colour, _shade((i + 0.5) / 16)) for i in range(16)]
        parts.append(scale_bar(shades, word, "100 %", at, below, _BAR))
    right = max(left + side * len(names) + (3.7 * longest if turned else 0), start + 2 * _BAR + 16)
    # Where even the smallest squares have no room, the page makes the whole figure smaller.
    return figure("".join(parts), right + 12, below + 32, label)


def _shade(share: float) -> float:
    """How strong a part of a row is drawn; what never happened is white."""
    return 0.0 if share == 0 else 0.12 + 0.78 * share
