"""The numbers of a figure as a table, which a reader takes from the page as CSV: one function for each kind."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ostinato.data.columns import as_csv
from ostinato.runs.evaluation import Section
from ostinato.view import contents as c
from ostinato.view.ticks import time_label

Columns = dict[str, Sequence[Any]]


def lines(section: Section) -> Columns:
    """The axis, each curve, both edges of the band."""
    data = c.read(c.Lines, section)
    along = data.x if data.x_kind == "number" else ["" if s is None else time_label(s) for s in data.x]
    columns: Columns = {data.x_label or ("time" if data.x_kind == "time" else "x"): along}
    for curve in data.curves:
        columns[_free(columns, curve.name)] = curve.y
    for name, edge in zip(("lower", "upper"), data.band or (), strict=False):
        columns[_free(columns, name)] = edge
    return columns


def matrix(section: Section) -> Columns:
    """A row for each row, under the names of the columns."""
    data = c.read(c.Matrix, section)
    return _by_row("", data.rows, data.columns, data.values)


def confusion(section: Section) -> Columns:
    """Counts: a row for each true class, a column for each predicted one."""
    data = c.read(c.Confusion, section)
    return _by_row("true", data.classes, data.classes, data.counts)


def scatter(section: Section) -> Columns:
    """True and predicted values."""
    data = c.read(c.Scatter, section)
    return {"true": data.truth, "predicted": data.predicted}


def residuals(section: Section) -> Columns:
    """True and predicted values."""
    data = c.read(c.Residuals, section)
    return {"true": data.truth, "predicted": data.predicted}


def network(section: Section) -> Columns:
    """A row for each arrow."""
    data = c.read(c.Network, section)
    return {n: [edge[i] for edge in data.edges] for i, n in enumerate(("source", "target", "effect"))}


def table(section: Section) -> Columns:
    """The table as it is."""
    data = c.read(c.Table, section)
    columns: Columns = {}
    for i, name in enumerate(data.head):
        columns[_free(columns, name)] = [row[i] for row in data.rows]
    return columns


def trial(section: Section) -> Columns:
    """A row for each step."""
    data = c.read(c.Trial, section)
    columns: Columns = {"step": list(range(len(data.observation)))}
    for i, name in enumerate(data.inputs):
        columns[_free(columns, name)] = [row[i] for row in data.observation]
    for name, values in (("action", data.actions), ("reward", data.rewards)):
        if values:
            columns[_free(columns, name)] = values
    return columns


VALUES: Mapping[str, Callable[[Section], Columns]] = {
    f.__name__: f for f in (lines, matrix, confusion, scatter, residuals, network, table, trial)
}
"""For each kind of section that holds numbers, what gives them as columns by name."""


def csv_of(section: Section) -> str | None:
    r"""The numbers of a section as CSV, with six digits; None for a kind that holds none.

    ```python
    >>> from ostinato.view import Curve, Lines, section
    >>> csv_of(section("Error", Lines((1.0, 2.0), (Curve("gru", "ours", (0.5, None)),), "step")))
    'step,gru\n1,0.5\n2,\n'

    ```
    """
    if section.kind not in VALUES:
        return None
    columns = VALUES[section.kind](section)
    return as_csv({name: np.array([_cell(v) for v in column], object) for name, column in columns.items()})


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def _by_row(corner: str, rows: Sequence[str], names: Sequence[str], values: Sequence[Sequence[Any]]) -> Columns:
    columns: Columns = {corner: rows}
    for j, name in enumerate(names):
        columns[_free(columns, name)] = [row[j] for row in values]
    return columns


def _free(columns: Columns, name: str) -> str:
    """The name, with a number behind it where another column has it."""
    number = next(n for n in range(1, len(columns) + 2) if (name if n == 1 else f"{name} {n}") not in columns)
    return name if number == 1 else f"{name} {number}"
