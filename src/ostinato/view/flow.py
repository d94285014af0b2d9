"""A signal-flow graph as a picture: sums, branching points, functions, and branches with their gains and delays."""

import math
from typing import Any

from ostinato.graphs import SignalFlowGraph
from ostinato.view.frame import figure
from ostinato.view.svg import tag, text

COLUMN, ROW, MARGIN = 190.0, 120.0, 84.0
SUM, DOT, HIGH = 11.0, 4.5, 14.0
SIGNS = str.maketrans("+-0123456789", "⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Point = tuple[float, float]


def flow_figure(graph: SignalFlowGraph, *, label: str = "signal-flow graph") -> str:
    """The graph as SVG, from left to right; an adjoint stands as its original does, with its arrows turned round.

    A circle with + adds what comes in, a dot only branches, a box applies its function (or, in an adjoint, multiplies
    by its derivative). Gains stand beside their branches where they are not 1, delays in small boxes.

    ```python
    >>> from ostinato.graphs import Branch, Node
    >>> nodes, branches = [Node("x"), Node("y", "tanh")], [Branch("x", "y", 0.5), Branch("y", "y", 0.8, delay=1)]
    >>> graph = SignalFlowGraph(nodes, branches, inputs=["x"], outputs=["y"])
    >>> "z⁻¹" in flow_figure(graph), "z⁺¹" in flow_figure(graph.adjoint())
    (True, True)

    ```
    """
    turned = graph.looks_ahead or any(node.slope for node in graph.nodes)
    places, width, height = _layout(graph, turned)
    body, seen = [], {}
    for branch in graph.branches:
        pair = (branch.source, branch.target)
        first, last = pair[::-1] if turned else pair
        number = seen[first, last] = seen.get((first, last), -1) + 1
        route = _route(places[first], places[last], number)
        # Labels stand where they stand in the original, off the middle, where straight branches cross.
        middle = _at(route, 0.36 if number == 0 and first != last else 0.5)
        body.append(_branch(route[::-1] if turned else route, graph, branch, middle))
    for names, comes_in in ((graph.inputs, True), (graph.outputs, False)):
        body += [_end(places[name], _reach(graph, name, (1.0, 0.0)), comes_in, turned) for name in names]
    body += [_node(graph, node, places[node.name]) for node in graph.nodes]
    return figure("".join(body), width, height, label)


def _layout(graph: SignalFlowGraph, turned: bool) -> tuple[dict[str, Point], float, float]:
    """A column for each node, the longest way from a node without predecessors when loops are cut; rows in them."""
    names = [node.name for node in graph.nodes]
    ends = [(j, i) if turned else (i, j) for i, j, _ in graph.ends]
    onward = {name: [j for i, j in ends if i == name and j != name] for name in names}
    inputs = graph.outputs if turned else graph.inputs
    cut, done, column = set(), set(), dict.fromkeys(names, 0)
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        done.add(name)
        for j in onward[name]:
            if j in (*path, name):
                cut.add((name, j))
            elif j not in done:
                visit(j, (*path, name))
        order.append(name)

    for name in (*inputs, *names):
        if name not in done:
            visit(name, ())
    for name in reversed(order):
        for j in onward[name]:
            if (name, j) not in cut:
                column[j] = max(column[j], column[name] + 1)
    columns: list[list[str]] = [[] for _ in range(max(column.values()) + 1)]
    row: dict[str, float] = {}
    for name in sorted(names, key=lambda n: (column[n], names.index(n))):
        columns[column[name]].append(name)
    most = max(len(c) for c in columns)
    for members in columns:
        before = {n: [row[i] for i, j in ends if j == n and i in row] for n in members}
        members.sort(key=lambda n: (sum(before[n]) / len(before[n]) if before[n] else 0.0, names.index(n)))
        for k, name in enumerate(members):
            row[name] = k + (most - len(members)) / 2
    # Every second column is a little lower, so that branches that pass over a column miss its nodes.
    shift = {name: 0.18 * (column[name] % 2) for name in names} if len(columns) > 2 else dict.fromkeys(names, 0.0)
    loops = max(sum(i == j == name for i, j in ends) for name in names)
    top = 40.0 + 52 * max(loops, 1)
    places = {n: (MARGIN + COLUMN * column[n], top + ROW * (row[n] + shift[n])) for n in names}
    return places, 2 * MARGIN + COLUMN * (len(columns) - 1), top + MARGIN + ROW * (most - 1 + 0.18)


def _route(start: Point, stop: Point, number: int) -> tuple[Point, Point, Point, Point]:
    """A cubic curve; further ones between the same nodes are bent more."""
    (x1, y1), (x2, y2) = start, stop
    if start == stop:
        high, wide = 60 + 54 * number, 36 + 14 * number
        return start, (x1 - wide, y1 - high), (x1 + wide, y1 - high), stop
    across, length = round((x2 - x1) / COLUMN), math.hypot(x2 - x1, y2 - y1)
    bend = 46.0 * number if across == 1 else 26.0 * abs(across) + 46 * number
    bend = bend + 30 if across <= 0 else -bend
    # Backwards below, onwards above.
    nx, ny = -(y2 - y1) / length, (x2 - x1) / length
    nx, ny = (nx, ny) if ny > 0 or (ny == 0 and nx > 0) else (-nx, -ny)
    inner = [(x1 + f * (x2 - x1) + bend * nx, y1 + f * (y2 - y1) + bend * ny) for f in (0.3, 0.7)]
    return start, inner[0], inner[1], stop


def _at(route: Any, t: float) -> Point:
    a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
    x, y = (a * p + b * q + c * r + d * s for p, q, r, s in zip(*route, strict=True))
    return x, y


def _branch(route: Any, graph: SignalFlowGraph, branch: Any, middle: Point) -> str:
    stop, inner = route[3], route[2]
    away = math.hypot(stop[0] - inner[0], stop[1] - inner[1])
    ux, uy = (stop[0] - inner[0]) / away, (stop[1] - inner[1]) / away
    reach = _reach(graph, branch.target, (ux, uy))
    tip = (stop[0] - reach * ux, stop[1] - reach * uy)
    (x0, y0), (x1, y1), (x2, y2), _ = route
    path = f"M{x0:.1f} {y0:.1f}C{x1:.1f} {y1:.1f} {x2:.1f} {y2:.1f} {tip[0] - 6 * ux:.1f} {tip[1] - 6 * uy:.1f}"
    name = f"{branch.source} → {branch.target}"
    parts = [tag("path", tag("title", text(name)), d=path, class_="line truth", stroke_width=1.3, data_name=name)]
    corners = [tip, *((tip[0] - 9 * ux + s * 4 * uy, tip[1] - 9 * uy - s * 4 * ux) for s in (1, -1))]
    parts.append(tag("path", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners) + "Z", fill="var(--ink)"))
    x, y = middle
    if branch.delay:
        word = "z" + f"{-branch.delay:+d}".translate(SIGNS)
        parts.append(_box(x, y, 15, 10, "var(--soft)"))
        parts.append(tag("text", text(word), x=x, y=y + 4.5, text_anchor="middle", class_="strong"))
        y -= 14
    if branch.gain != 1:
        halo = "paint-order:stroke;stroke:var(--paper);stroke-width:4px"
        at = {"x": x, "y": y if branch.delay else y - 6, "text_anchor": "middle", "style": halo}
        parts.append(tag("text", text(f"{branch.gain:.3g}".replace("-", "−")), **at))
    return "".join(parts)


def _incoming(graph: SignalFlowGraph, name: str) -> int:
    return sum(j == name for _, j, _ in graph.ends) + (name in graph.inputs)


def _word(graph: SignalFlowGraph, name: str) -> str:
    """What stands in the box of a node; nothing for one without a function."""
    node = next(n for n in graph.nodes if n.name == name)
    if node.function == "linear":
        return ""
    return ("Σ " if _incoming(graph, name) > 1 else "") + (f"× {node.function}′" if node.slope else node.function)


def _half_width(word: str) -> float:
    return 12 + 3.9 * len(word)


def _reach(graph: SignalFlowGraph, name: str, direction: Point) -> float:
    """How far from the middle of a node an arrow that comes from there ends."""
    if word := _word(graph, name):
        ux, uy = (max(abs(u), 1e-9) for u in direction)
        return min(_half_width(word) / ux, HIGH / uy) + 2
    return (SUM if _incoming(graph, name) > 1 else DOT) + 2


def _node(graph: SignalFlowGraph, node: Any, place: Point) -> str:
    x, y = place
    several = _incoming(graph, node.name) > 1
    leaving = sum(i == node.name for i, _, _ in graph.ends) + (node.name in graph.outputs)
    below = 26.0
    if word := _word(graph, node.name):
        drawn = _box(x, y, _half_width(word), HIGH, "var(--ours)")
        drawn += tag("text", text(word), x=x, y=y + 4.5, text_anchor="middle", class_="strong")
        below = 30.0
    elif several:
        drawn = tag("circle", cx=x, cy=y, r=SUM, fill="var(--paper)", stroke="var(--ink)", stroke_width=1.5)
        drawn += tag("text", "+", x=x, y=y + 5, text_anchor="middle", class_="strong")
    else:
        fill = "var(--ink)" if leaving > 1 else "var(--paper)"
        drawn = tag("circle", cx=x, cy=y, r=DOT, fill=fill, stroke="var(--ink)", stroke_width=1.5)
        below = 20.0
    return drawn + tag("text", text(node.name), x=x, y=y + below, text_anchor="middle", data_node=node.name)


def _end(place: Point, reach: float, comes_in: bool, turned: bool) -> str:
    """A short arrow from outside to a node, or from it."""
    side = -1 if comes_in != turned else 1
    x, y = place
    near, far = x + side * reach, x + side * (reach + 34)
    tip, tail = (near, far) if comes_in else (far, near)
    ahead = 1 if tip > tail else -1
    head = f"M{tip:.1f} {y:.1f}L{tip - 9 * ahead:.1f} {y - 4:.1f}L{tip - 9 * ahead:.1f} {y + 4:.1f}Z"
    line = tag("line", x1=tail, x2=tip - 6 * ahead, y1=y, y2=y, class_="line ours")
    return line + tag("path", d=head, fill="var(--ours)")


def _box(x: float, y: float, wide: float, high: float, stroke: str) -> str:
    size = {"x": x - wide, "y": y - high, "width": 2 * wide, "height": 2 * high, "rx": 3}
    return tag("rect", **size, fill="var(--paper)", stroke=stroke, stroke_width=1.3)
