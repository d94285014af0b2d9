"""The frame of a figure: scales from values to points, axes with their marks, a legend that wraps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ostinato.view.svg import tag, text
from ostinato.view.ticks import log_ticks, number_label, number_ticks, time_ticks

WIDE, NARROW, SMALL = 860, 350, 215
"""Widths in points of the drawings of a figure: one for a desk, one for a phone, and one of several side by side."""

CHARACTER = 7.2
"""Width of a letter, as far as one can tell without drawing it."""

_ROW = 20


@dataclass(frozen=True)
class Scale:
    """An axis: values `low..high` onto points `start..stop`; of a `"whole"` one the marks are whole numbers."""

    low: float
    high: float
    start: float
    stop: float
    kind: str = "number"

    def __call__(self, values: Any) -> Any:
        """The points of the values."""
        values, low, high = np.asarray(values, float), self.low, self.high
        if self.kind == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                values, low, high = np.log10(values), math.log10(low), math.log10(high)
        return self.start + (values - low) / (high - low) * (self.stop - self.start)

    def ticks(self) -> list[tuple[float, str]]:
        """Where the marks are, and their labels."""
        length = abs(self.stop - self.start)
        if self.kind == "time":
            return time_ticks(self.low, self.high, max(2, int(length / 110)))
        if self.kind == "log":
            return [(v, number_label(v)) for v in log_ticks(self.low, self.high)]
        # Labels are wider than they are high, and points count downwards on a vertical axis.
        apart = 80 if self.stop > self.start else 45
        ticks = number_ticks(self.low, self.high, max(2, int(length / apart)), self.kind == "whole")
        return [(v, number_label(v)) for v in ticks]


def extent(arrays: Sequence[Any], kind: str = "number", margin: float = 0.0) -> tuple[float, float]:
    """The smallest and largest finite value, apart from each other, with a margin as a part of their distance."""
    values = np.concatenate([np.ravel(np.asarray(a, float)) for a in arrays] or [np.zeros(0)])
    values = values[np.isfinite(values) & ((values > 0) | (kind != "log"))]
    if not values.size:
        return (0.1, 1.0) if kind == "log" else (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if kind == "log":
        return (low / 1.1, high * 1.1) if high > low else (low / 2, high * 2)
    if high <= low:
        apart = abs(low) * 0.05 or 1.0
        return low - apart, high + apart
    return low - margin * (high - low), high + margin * (high - low)


@dataclass(frozen=True)
class Entry:
    """A row of a legend: its name and the classes of its line."""

    name: str
    style: str


def legend(entries: Sequence[Entry], left: float, right: float) -> tuple[str, float]:
    """The legend above a figure, in as many rows as it needs, and its height."""
    parts, x, y = [], left, 15.0
    for entry in entries:
        name = shortened(entry.name, 40)
        wide = 32 + CHARACTER * len(name) + 16
        if x > left and x + wide - 16 > right:
            x, y = left, y + _ROW
        line = tag("line", x1=x, x2=x + 24, y1=y - 4, y2=y - 4, class_=f"line {entry.style}")
        words = tag("text", text(name), x=x + 30, y=y, class_="strong")
        parts.append(tag("g", line, words, class_="entry", data_of=entry.name))
        x += wide
    return "".join(parts), y + 12 if entries else 8.0


def room(y: Scale, least: float = 62.0) -> float:
    """Where a figure begins so that the labels of its vertical axis stand before it."""
    return max(least, 14 + CHARACTER * max((len(label) for _, label in y.ticks()), default=0))


def axes(x: Scale, y: Scale, x_label: str, y_label: str) -> str:
    """Both axes with grid, marks and labels; `y_label` stands above the vertical one, where it needs no turning."""
    parts = []
    for value, label in y.ticks():
        at = float(y(value))
        parts.append(tag("line", x1=x.start, x2=x.stop, y1=at, y2=at, class_="grid"))
        parts.append(tag("text", text(label), x=x.start - 8, y=at + 4, text_anchor="end"))
    marks = []
    for value, label in x.ticks():
        at = float(x(value))
        half = CHARACTER * len(label) / 2
        marks.append(tag("line", x1=at, x2=at, y1=y.start, y2=y.start + 5, class_="axis"))
        anchor, at = ("end", x.stop + 6) if at + half > x.stop + 6 else ("middle", at)
        marks.append(tag("text", text(label), x=at, y=y.start + 19, text_anchor=anchor))
    parts.append(tag("g", *marks, class_="marks"))
    parts.append(tag("line", x1=x.start, x2=x.stop, y1=y.start, y2=y.start, class_="axis"))
    below = shortened(x_label, int((x.stop - x.start + 20) / CHARACTER))
    above = shortened(y_label, int(x.stop / CHARACTER))
    parts.append(tag("text", text(below), x=(x.start + x.stop) / 2, y=y.start + 38, text_anchor="middle"))
    parts.append(tag("text", text(above), x=6, y=y.stop - 10, text_anchor="start"))
    return "".join(parts)


def scale_bar(shades: Sequence[tuple[str, float]], low: str, high: str, left: float, top: float, wide: float) -> str:
    """What the shades of a heat map mean: a strip from `low` to `high`, each shade a colour and its opacity."""
    step = wide / len(shades)
    parts = [
        tag("rect", x=left + i * step, y=top, width=step, height=10, style=f"fill:var(--{c});fill-opacity:{o:.2f}")
        for i, (c, o) in enumerate(shades)
    ]
    parts.append(tag("rect", x=left, y=top, width=wide, height=10, style="fill:none;stroke:var(--rule)"))
    parts.append(tag("text", text(low), x=left, y=top + 24))
    parts.append(tag("text", text(high), x=left + wide, y=top + 24, text_anchor="end"))
    return "".join(parts)


def shortened(name: str, most: int = 14) -> str:
    """A name of at most so many letters."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def figure(content: str, width: float, height: float, label: str, **attributes: Any) -> str:
    """The outermost element; `label` is what a screen reader says."""
    size = {"viewBox": f"0 0 {width:g} {height:g}", "width": width, "height": height}
    return tag("svg", content, class_="figure", role="img", aria_label=label, **size, **attributes)
