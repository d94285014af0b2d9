"""What a section of a report holds: the values of one figure, table or text, checked again when they are read back.

`section(title, Lines(...))` makes a `Section` that JSON holds; `read(Lines, section)` is the way back.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np

from ostinato.checks import check_same
from ostinato.errors import SettingsError
from ostinato.runs.evaluation import Number, Section, plain
from ostinato.runs.settings import from_table

C = TypeVar("C")
Names = tuple[str, ...]
Numbers = tuple[Number, ...]
YEARS = (-62135596800, 253402300799)
"""The first and the last second that have a date, from year 1 to 9999."""


@dataclass(frozen=True)
class Curve:
    """Values of one model, or of the truth, over the axis of its figure."""

    name: str
    role: Literal["truth", "ours", "other"]
    y: Numbers


@dataclass(frozen=True)
class Lines:
    """Curves over one axis; `x` in seconds since 1970 where `x_kind` is `"time"`.

    * `band`: lower and upper edge of an area, such as quantiles of a prediction.
    * `marks`: vertical lines, each with a word. `zero`: the vertical axis begins at 0. `points`: each value is marked.
    * `steps`: a value holds until the next one, as a count does.
    """

    x: Numbers
    curves: tuple[Curve, ...]
    x_label: str = ""
    y_label: str = ""
    x_kind: Literal["number", "time"] = "number"
    y_kind: Literal["number", "log"] = "number"
    band: tuple[Numbers, Numbers] | None = None
    marks: tuple[tuple[float, str], ...] = ()
    zero: bool = False
    points: bool = False
    steps: bool = False

    def __post_init__(self) -> None:
        for curve in self.curves:
            check_same((len(curve.y),), (len(self.x),), f"curve {curve.name!r}", "(x,)")
        for edge in self.band or ():
            check_same((len(edge),), (len(self.x),), "band", "(x,)")
        if self.x_kind == "time":
            for second in (*self.x, *(at for at, _ in self.marks)):
                if second is not None and not YEARS[0] <= second <= YEARS[1]:
                    raise SettingsError(f"x: expected seconds since 1970 of the years 1 to 9999, got {second:g}")


@dataclass(frozen=True)
class Matrix:
    """Numbers by row and column; `top` is the value of full shade, the largest one by default."""

    rows: Names
    columns: Names
    values: tuple[Numbers, ...]
    top: Number = None

    def __post_init__(self) -> None:
        _check_rows(self.values, len(self.rows), len(self.columns), "values", "(rows, columns)")


@dataclass(frozen=True)
class Confusion:
    """Counts of true (rows) against predicted (columns) classes."""

    classes: Names
    counts: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        _check_rows(self.counts, len(self.classes), len(self.classes), "counts", "(classes, classes)")


@dataclass(frozen=True)
class Scatter:
    """True values and what was predicted for them, beside the line on which both are equal."""

    truth: Numbers
    predicted: Numbers

    def __post_init__(self) -> None:
        check_same((len(self.predicted),), (len(self.truth),), "predicted", "(truth,)")


@dataclass(frozen=True)
class Residuals(Scatter):
    """The same, drawn as what is left of the truth over the prediction."""


@dataclass(frozen=True)
class Network:
    """Arrows between names, `(source, target, effect)`: some stand on a circle, the others in its middle."""

    outside: Names
    inside: Names
    edges: tuple[tuple[str, str, float], ...]

    def __post_init__(self) -> None:
        for source, target, _ in self.edges:
            for name in (source, target):
                if name not in (*self.outside, *self.inside):
                    raise SettingsError(f"edges: {name!r} is none of the names")


@dataclass(frozen=True)
class Table:
    """Rows of words and numbers under the names of their columns; `ours` are the places of the rows that stand out."""

    head: Names
    rows: tuple[tuple[Any, ...], ...]
    ours: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _check_rows(self.rows, len(self.rows), len(self.head), "rows", "(rows, head)")


@dataclass(frozen=True)
class Trial:
    """A trial step by step: what was seen, `(steps, inputs)`, what was done, what was earned."""

    observation: tuple[tuple[float, ...], ...]
    inputs: Names
    actions: Names = ()
    rewards: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        steps = len(self.observation)
        _check_rows(self.observation, steps, len(self.inputs), "observation", "(steps, inputs)")
        for name in ("actions", "rewards"):
            values = getattr(self, name)
            check_same((len(values),), (steps if values else 0,), name, "(steps,)")


@dataclass(frozen=True)
class Cards:
    """Few numbers by name, drawn large."""

    figures: dict[str, Any]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    words: str


@dataclass(frozen=True)
class Multiples:
    """Many small figures of a kind, side by side."""

    sections: tuple[Section, ...]


def section(title: str, content: Any, note: str = "") -> Section:
    """A section from its contents, one of the classes above, whose name in small letters is its kind.

    ```python
    >>> section("Error", Lines((1.0, 2.0), (Curve("gru", "ours", (0.5, float("nan"))),), zero=True)).data["curves"]
    [{'name': 'gru', 'role': 'ours', 'y': [0.5, None]}]

    ```
    """
    return Section(type(content).__name__.lower(), title, plain(dataclasses.asdict(content)), note)


def read(kind: type[C], section: Section) -> C:
    """The contents of a section as an object. Raises `SettingsError`, which names the entry that is wrong."""
    return from_table(kind, section.data)


def numbers(values: Any) -> Numbers:
    """The entries of an array, one after the other; None for each that is not finite."""
    return tuple(plain(np.asarray(values, float).ravel()))


def floats(values: Sequence[Number]) -> list[float]:
    """The other way round: NaN where there is None."""
    return [float("nan") if value is None else value for value in values]


def _check_rows(rows: Sequence[Sequence[Any]], high: int, wide: int, name: str, axes: str) -> None:
    for shape in {(len(rows), len(row)) for row in rows} or {(len(rows), wide)}:
        check_same(shape, (high, wide), name, axes)
