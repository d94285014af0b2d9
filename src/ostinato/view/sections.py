"""The table of what a report can show: one row and one function for each kind of section.

A new kind is a function from a `Section` to markup and a row of `SECTIONS`. Its values come from a file: where they are
wrong it raises an `OstinatoError`, as `contents.read` does for a dataclass. `FIGURES` are told which room they have, so
that several of them stand side by side; what gives the numbers of a kind as CSV is a row of `values.VALUES`.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from ostinato.errors import CorruptFile, OstinatoError
from ostinato.runs.evaluation import Section
from ostinato.view import contents as c
from ostinato.view.heatmap import confusion_figure
from ostinato.view.lines import Line, legend_figure, line_figure
from ostinato.view.matrix import matrix_figure
from ostinato.view.network import network_figure
from ostinato.view.page import ONE_OF_FEW, ONE_OF_MANY, PAGE, Space, drawn, grid, readable
from ostinato.view.page import cards as large
from ostinato.view.page import section as part
from ostinato.view.scatter import scatter_figure
from ostinato.view.svg import tag, text
from ostinato.view.trial import trial_figure
from ostinato.view.values import csv_of


def lines(section: Section, space: Space = PAGE) -> str:
    """Curves over one axis."""
    data = c.read(c.Lines, section)
    x, ys = c.floats(data.x), [c.floats(curve.y) for curve in data.curves]
    if data.steps:
        x, ys = list(np.repeat(x, 2)[1:]), [list(np.repeat(y, 2)[:-1]) for y in ys]
    points = data.points and not data.steps
    shown = [Line(n.name, x, y, n.role, points) for n, y in zip(data.curves, ys, strict=True)]
    band = None if data.band is None else (c.floats(data.x), c.floats(data.band[0]), c.floats(data.band[1]))
    return readable(
        lambda width: line_figure(
            shown,
            label=section.title or f"{data.y_label} over {data.x_label}",
            x_label=data.x_label,
            # A small figure says it in its heading.
            y_label="" if space != PAGE and data.y_label == section.title else data.y_label,
            x_kind=data.x_kind,
            y_kind=data.y_kind,
            marks=data.marks,
            band=band,
            zero=data.zero,
            width=width,
            height=space.height,
            named=space.named,
        ),
        space,
    )


def matrix(section: Section, space: Space = PAGE) -> str:
    """Numbers by row and column as shades."""
    data = c.read(c.Matrix, section)
    values = [c.floats(row) for row in data.values]
    return readable(
        lambda width: matrix_figure(values, data.rows, data.columns, label=section.title, top=data.top, width=width),
        space,
    )


def confusion(section: Section, space: Space = PAGE) -> str:
    """Counts of true against predicted classes."""
    data = c.read(c.Confusion, section)
    return drawn(
        lambda width: confusion_figure(data.counts, data.classes, label=section.title or "confusion", width=width),
        space,
    )


def scatter(section: Section, space: Space = PAGE) -> str:
    """What was predicted against what was true."""
    data = c.read(c.Scatter, section)
    truth, predicted = c.floats(data.truth), c.floats(data.predicted)
    return drawn(
        lambda width: scatter_figure(
            truth, predicted, label=section.title, x_label="true", y_label="predicted", diagonal=True, width=width
        ),
        space,
    )


def residuals(section: Section, space: Space = PAGE) -> str:
    """What is left of the truth, over what was predicted."""
    data = c.read(c.Residuals, section)
    truth, made = c.floats(data.truth), c.floats(data.predicted)
    left = [t - p for t, p in zip(truth, made, strict=True)]
    square = min(space.height, min(space.widths))
    return drawn(
        lambda width: scatter_figure(
            made,
            left,
            label=section.title,
            x_label="predicted",
            y_label="true − predicted",
            level=0.0,
            width=width,
            height=square,
        ),
        space,
    )


def network(section: Section, space: Space = PAGE) -> str:
    """Who influences whom."""
    data = c.read(c.Network, section)
    return drawn(
        lambda width: network_figure(data.outside, data.inside, data.edges, label=section.title, width=width), space
    )


def table(section: Section) -> str:
    """Words and numbers in rows."""
    data = c.read(c.Table, section)
    return grid(data.head, ((row, i in data.ours) for i, row in enumerate(data.rows)))


def trial(section: Section, space: Space = PAGE) -> str:
    """What is seen, done and earned, step by step."""
    data = c.read(c.Trial, section)
    seen, rewards = data.observation, data.rewards or None
    return drawn(
        lambda width: trial_figure(
            seen, data.inputs, label=section.title, actions=data.actions, rewards=rewards, width=width
        ),
        space,
    )


def cards(section: Section) -> str:
    """Few numbers, large."""
    return large(c.read(c.Cards, section).figures)


def words(section: Section) -> str:
    """A paragraph."""
    return tag("p", text(c.read(c.Text, section).words))


def multiples(section: Section) -> str:
    """Small figures side by side; where all have the same curves, these are named once, above them."""
    inner = c.read(c.Multiples, section).sections
    few = len(inner) < 4 or any(one.kind in LARGE for one in inner)
    space, above = ONE_OF_FEW if few else ONE_OF_MANY, ""
    named = [_names(one) for one in inner]
    if named and named[0] and all(names == named[0] for names in named):
        space = replace(space, named=False)
        lines = [Line(name, (), (), role) for name, role in named[0]]
        above = drawn(lambda width: legend_figure(lines, width=width)) if len(lines) > 1 else ""
    return above + tag("div", *markup(inner, "", level=3, space=space), class_="multiples few" if few else "multiples")


def _names(section: Section) -> list[tuple[str, Any]]:
    """Name and role of each curve of a section; none where it is of another kind."""
    curves = section.data.get("curves") if section.kind == "lines" else None
    try:
        return [(str(curve["name"]), curve["role"]) for curve in curves or ()]
    except (TypeError, KeyError):
        return []  # refused with its name where it is drawn


SECTIONS: dict[str, Callable[..., str]] = {
    "lines": lines,
    "matrix": matrix,
    "confusion": confusion,
    "scatter": scatter,
    "residuals": residuals,
    "network": network,
    "table": table,
    "trial": trial,
    "cards": cards,
    "text": words,
    "multiples": multiples,
}
"""Each kind of section and what draws the inside of it."""

FIGURES: frozenset[str] = frozenset({"lines", "matrix", "confusion", "scatter", "residuals", "network", "trial"})
"""The kinds that are drawn for the room that they have."""

LARGE: frozenset[str] = frozenset({"matrix", "confusion", "network", "trial"})
"""Those of them that nobody can read where four stand in a row."""


def markup(sections: Iterable[Section], source: str, level: int = 2, space: Space = PAGE) -> list[str]:
    """The sections as parts of a page, each with its heading and its note.

    Raises `CorruptFile`, which names the `source`, the section and its entry, for an unknown kind or wrong values.

    ```python
    >>> markup([Section("text", "Carbon", {"words": "12 mM"}), Section("cake", "Tea")], "evaluation.json")
    Traceback (most recent call last):
    ostinato.errors.CorruptFile: evaluation.json: sections.1 ('Tea'): expected one of 'lines', ...

    ```
    """
    parts = []
    for number, one in enumerate(sections):
        where = f"{source}{': ' if source else ''}sections.{number} ({one.title!r:.60})"
        if one.kind not in SECTIONS:
            known = ", ".join(map(repr, SECTIONS))
            raise CorruptFile(f"{where}: expected one of {known} as its kind, got {one.kind!r:.60}")
        try:
            draw = SECTIONS[one.kind]
            inside = draw(one, space) if one.kind in FIGURES else draw(one)
            csv = csv_of(one)
        except OstinatoError as error:
            raise CorruptFile(f"{where}: {error}") from error
        parts.append(part(one.title, inside, note=one.note, level=level, csv=csv))
    return parts
