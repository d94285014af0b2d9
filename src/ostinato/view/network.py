"""Who influences whom: species on a circle, metabolites in its middle, arrows between them."""

import math
from collections.abc import Sequence
from typing import Any

from ostinato.view.frame import WIDE, figure
from ostinato.view.svg import tag, text
from ostinato.view.ticks import number_label


def network_figure(
    outside: Sequence[str], inside: Sequence[str], edges: Sequence[Any], *, label: str, width: int = WIDE
) -> str:
    """Arrows between names as SVG: `edges` are `(source, target, effect)`, the wider the stronger among their kind.

    Positive effects in blue, negative ones in red; effects on `outside` names and on `inside` names have scales of
    their own, as their units differ.

    ```python
    >>> svg = network_figure(["A", "B"], ["acid"], [("A", "acid", 5.0), ("A", "B", -0.1)], label="who makes acid")
    >>> svg.count("<path"), svg.count("<circle")
    (2, 3)

    ```
    """
    width = min(width, 640)
    middle, radius = width / 2, width / 2 - 60
    places = _ring(outside, middle, radius) | _ring(inside, middle, radius * 0.35 if len(inside) > 1 else 0.0)
    most = {
        kind: max((abs(effect) for _, target, effect in edges if (target in inside) is kind), default=1.0)
        for kind in (True, False)
    }
    parts = []
    for source, target, effect in sorted(edges, key=lambda edge: abs(edge[2])):
        (x0, y0), (x1, y1) = places[source], places[target]
        far = math.hypot(x1 - x0, y1 - y0) or 1.0
        ux, uy = (x1 - x0) / far, (y1 - y0) / far
        share = abs(effect) / most[target in inside]
        x0, y0, x1, y1 = x0 + 16 * ux, y0 + 16 * uy, x1 - 18 * ux, y1 - 18 * uy
        bend = 0.12 * far
        curve = f"M{x0:.1f} {y0:.1f}Q{(x0 + x1) / 2 - bend * uy:.1f} {(y0 + y1) / 2 + bend * ux:.1f} {x1:.1f} {y1:.1f}"
        colour = "s0" if effect > 0 else "ours"
        style = f"fill:none;stroke:var(--{colour});stroke-width:{0.6 + 3 * share:.1f};"
        style += f"stroke-opacity:{0.3 + 0.6 * share:.2f}"
        said = tag("title", text(f"{source} on {target}: {number_label(float(effect))}"))
        parts.append(tag("path", said, d=curve, style=style))
        parts.append(
            tag("text", text("▸"), transform=_turned(x1, y1, ux, uy, bend / far), style=f"fill:var(--{colour})")
        )
    for name, (x, y) in places.items():
        kind = "fill:var(--paper);stroke:var(--ink)" if name in outside else "fill:var(--rule);stroke:var(--soft)"
        parts.append(tag("circle", cx=x, cy=y, r=14, style=kind))
        parts.append(
            tag("text", text(name), x=x, y=y + (4 if len(name) < 4 else -18), text_anchor="middle", class_="strong")
        )
    return figure("".join(parts), width, width, label)


def _ring(names: Sequence[str], middle: float, radius: float) -> dict[str, tuple[float, float]]:
    turn = [2 * math.pi * i / max(len(names), 1) - math.pi / 2 for i in range(len(names))]
    return {n: (middle + radius * math.cos(a), middle + radius * math.sin(a)) for n, a in zip(names, turn, strict=True)}


def _turned(x: float, y: float, ux: float, uy: float, bend: float) -> str:
    angle = math.degrees(math.atan2(uy, ux) - math.atan(2 * bend))
    return f"translate({x:.1f} {y:.1f}) rotate({angle:.1f}) translate(-5 5)"
