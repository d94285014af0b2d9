"""Curves over one axis: learning curves, forecasts against the truth, errors by horizon."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ostinato.view.frame import SMALL, WIDE, Entry, Scale, axes, extent, figure, legend, room
from ostinato.view.svg import SERIES, tag, text

Role = Literal["truth", "ours", "other"]


@dataclass(frozen=True)
class Line:
    """A curve; a value that is not finite leaves a gap.

    `role` says how it is drawn: the truth in ink, ours strongly, others in colours of their own and dashed. With
    `points` each value is marked.
    """

    name: str
    x: Any
    y: Any
    role: Role = "other"
    points: bool = False


def line_figure(
    lines: Sequence[Line],
    *,
    label: str,
    x_label: str = "",
    y_label: str = "",
    x_kind: str = "number",
    y_kind: str = "number",
    marks: Sequence[tuple[float, str]] = (),
    band: tuple[Any, Any, Any] | None = None,
    zero: bool = False,
    width: int = WIDE,
    height: int = 320,
    named: bool = True,
) -> str:
    """Curves with axes and a legend (unless they are not `named`), as SVG.

    * `x_kind`: `"number"` or `"time"` (seconds since 1970); `y_kind`: `"number"` or `"log"`. Where all `x` are whole
      numbers, such as steps, so are the marks of their axis.
    * `marks`: vertical lines with a word each. `band`: `(x, lower, upper)`, an area behind the curves. `zero`: the
      vertical axis begins at 0.

    ```python
    >>> svg = line_figure([Line("a <b>", [0, 1, 2], [1.0, float("nan"), 3.0])], label="two points")
    >>> svg.startswith('<svg class="figure"'), "a &lt;b&gt;" in svg
    (True, True)

    ```
    """
    styles = _styles(lines)
    # One curve that is what the axis says needs no legend.
    named = named and [n.name for n in lines] != [y_label]
    entries = [Entry(n.name, s) for n, s in zip(lines, styles, strict=True)] if named else []
    head, top = legend(entries, 8, width - 8)
    right, bottom = width - 14.0, height - (46.0 if x_label else 26.0)
    top = top + (24 if y_label else 8)
    drawn = [*(n.y for n in lines), *(band[1:] if band else ())]
    low, high = extent(drawn, y_kind, 0.04)
    if zero and y_kind != "log":
        # Nothing is left below 0 where no value is.
        low = 0.0 if extent(drawn)[0] >= 0 else min(low, 0.0)
    x_kind = "whole" if x_kind == "number" and _whole([n.x for n in lines]) else x_kind
    y = Scale(low, high, bottom, top, y_kind)
    left = room(y, 0.0 if width <= SMALL else 62.0)
    x = Scale(*extent([n.x for n in lines]), left, right, x_kind)
    body = []
    for at, word in marks:
        point = float(x(at))
        anchor, shift = ("start", 5) if point < (left + right) / 2 else ("end", -5)
        body.append(tag("line", x1=point, x2=point, y1=top, y2=bottom, class_="mark"))
        body.append(tag("text", text(word), x=point + shift, y=top + 12, text_anchor=anchor))
    if band is not None:
        body.insert(0, _area(band, x, y))
    order = {"other": 0, "truth": 1, "ours": 2}
    for line, style in sorted(zip(lines, styles, strict=True), key=lambda pair: order[pair[0].role]):
        body.append(_curve(line, style, x, y))
    scales = {f"data_{n}": f"{s.kind} {s.low!r} {s.high!r} {s.start:g} {s.stop:g}" for n, s in (("x", x), ("y", y))}
    return figure(
        "".join([head, axes(x, y, x_label, y_label), tag("g", *body, class_="inside")]), width, height, label, **scales
    )


def legend_figure(lines: Sequence[Line], *, width: int = WIDE) -> str:
    """The legend of curves by itself, as it stands once above several figures of the same."""
    entries = [Entry(n.name, s) for n, s in zip(lines, _styles(lines), strict=True)]
    head, high = legend(entries, 8, width - 8)
    return figure(head, width, high, ", ".join(n.name for n in lines))


def _whole(arrays: Sequence[Any]) -> bool:
    values = np.concatenate([np.ravel(np.asarray(a, float)) for a in arrays] or [np.zeros(0)])
    values = values[np.isfinite(values)]
    return bool((values == np.round(values)).all())


def _styles(lines: Sequence[Line]) -> list[str]:
    others = [line for line in lines if line.role == "other"]
    return [
        line.role if line.role != "other" else f"s{next(i for i, o in enumerate(others) if o is line) % SERIES} dash"
        for line in lines
    ]


def _curve(line: Line, style: str, x: Scale, y: Scale) -> str:
    xs, ys = thin(x(line.x), y(line.y), int(abs(x.stop - x.start)))
    fine = np.isfinite(xs) & np.isfinite(ys)
    begins = fine & ~np.concatenate([[False], fine[:-1]])
    path = "".join(
        f"{'M' if begin else 'L'}{px:.1f} {py:.1f}"
        for px, py, ok, begin in zip(xs, ys, fine, begins, strict=True)
        if ok
    )
    drawn = tag("path", tag("title", text(line.name)), d=path, class_=f"line {style}", data_name=line.name)
    if not line.points:
        return drawn
    dots = (
        tag("circle", cx=float(px), cy=float(py), r=3, class_=f"line {style.split()[0]}", data_of=line.name)
        for px, py, ok in zip(xs, ys, fine, strict=True)
        if ok
    )
    return drawn + "".join(dots)


def _area(band: tuple[Any, Any, Any], x: Scale, y: Scale) -> str:
    """The area between two edges, one piece for each run of finite values."""
    xs, low, high = x(band[0]), y(band[1]), y(band[2])
    fine = np.isfinite(xs) & np.isfinite(low) & np.isfinite(high)
    pieces = []
    for run in np.split(np.arange(len(xs)), np.flatnonzero(np.diff(fine)) + 1):
        if run.size and fine[run[0]]:
            along = [*zip(xs[run], high[run], strict=True), *zip(xs[run][::-1], low[run][::-1], strict=True)]
            pieces.append("M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in along) + "Z")
    return tag("path", d="".join(pieces), class_="band")


def thin(xs: np.ndarray, ys: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Of a curve with more points than can be seen, the lowest and the highest in each column; its shape stays.

    ```python
    >>> xs, ys = thin(np.arange(1000.0), np.where(np.arange(1000) == 500, 9.0, 0.0), 10)
    >>> len(xs) <= 20, ys.max()
    (True, np.float64(9.0))

    ```
    """
    if len(xs) <= 2 * columns:
        return xs, ys
    kept = []
    for part in np.array_split(np.arange(len(xs)), columns):
        seen = part[np.isfinite(ys[part])]
        pair = (seen[np.argmin(ys[seen])], seen[np.argmax(ys[seen])]) if seen.size else (part[0],)
        kept.extend(sorted({int(i) for i in pair}))
    return xs[kept], ys[kept]
