"""Who influences whom: species on a circle, metabolites in its middle, arrows between them."""

import math
from collections.abc import Sequence
from typing import Any

from ostinato.view.frame import CHARACTER, WIDE, figure, shortened
from ostinato.view.svg import tag, text
from ostinato.view.ticks import number_label

RADIUS = 14


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
    middle = width / 2
    # Names stand outside the circle, so it leaves room for them, but never more than half.
    most_letters = min(14, int((middle / 2 - RADIUS - 14) / CHARACTER))
    short = {name: shortened(name, most_letters) for name in (*outside, *inside)}
    longest = CHARACTER * max((len(short[name]) for name in outside), default=0)
    radius = max(middle - RADIUS - longest - 14, middle / 2)
    up = radius + RADIUS + 30
    outer, inner = _ring(outside, middle, up, radius), _ring(inside, middle, up, radius / 2 if len(inside) > 1 else 0.0)
    places = outer | inner
    most = {
        kind: max((abs(effect) for _, target, effect in edges if (target in inside) is kind), default=1.0) or 1.0
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
    for (name, (x, y)), ring in [*((n, "outside") for n in outer.items()), *((n, "inside") for n in inner.items())]:
        kind = "fill:var(--paper);stroke:var(--ink)" if ring == "outside" else "fill:var(--rule);stroke:var(--soft)"
        parts.append(tag("circle", tag("title", text(name)), cx=x, cy=y, r=RADIUS, style=kind))
        at = _beside(x - middle, y - up, radius) if ring == "outside" and len(name) > 3 else (0.0, 4.0, "middle")
        where = {"x": x + at[0], "y": y + at[1], "text_anchor": at[2]}
        # Arrows end at these names: a rim in the colour of the page keeps them readable.
        rim = "paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round"
        parts.append(tag("text", text(short[name]), **where, class_="strong", style=rim))
    return figure("".join(parts), width, 2 * up, label)


def _ring(names: Sequence[str], across: float, up: float, radius: float) -> dict[str, tuple[float, float]]:
    turn = [2 * math.pi * i / max(len(names), 1) - math.pi / 2 for i in range(len(names))]
    return {n: (across + radius * math.cos(a), up + radius * math.sin(a)) for n, a in zip(names, turn, strict=True)}


def _beside(x: float, y: float, radius: float) -> tuple[float, float, str]:
    """Where the name of a node stands, away from the middle, seen from the node itself."""
    far = RADIUS + 6
    across, up = x / (radius or 1.0), y / (radius or 1.0)
    if abs(across) < 0.3:
        return 0.0, math.copysign(far + (0 if up < 0 else 10), up), "middle"
    return far * across, far * up + 4, "start" if across > 0 else "end"


def _turned(x: float, y: float, ux: float, uy: float, bend: float) -> str:
    angle = math.degrees(math.atan2(uy, ux) - math.atan(2 * bend))
    return f"translate({x:.1f} {y:.1f}) rotate({angle:.1f}) translate(-5 5)"
