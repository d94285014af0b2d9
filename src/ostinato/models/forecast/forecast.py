"""A forecast: numbers for steps to come, with their times, as columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Any

import numpy as np

from ostinato.data import Zone
from ostinato.models.forecast.figures import future
from ostinato.view import Figure


@dataclass(frozen=True)
class Forecast:
    """For each series the steps that follow its last row, `values (series, horizon, targets)`.

    * `quantiles`: `(series, horizon, targets, levels)` where `levels` were asked for; `values` is then the median, or
      the level next to it.
    * `lower`, `upper`: `(series, horizon, targets, level)`, the ends of the intervals of so many percent (`level`).
    * `times`: for each series `(horizon,)`, in UTC where there is a `zone`; `None` where there was no time.
    * `series_name`: the column that told series apart. `notes`: what was done to the data on the way.

    It reads like a table in long layout: `forecast["Temp"]` is a column, `forecast.names` all of them,
    `forecast.columns()` a dictionary that pandas and polars take. Columns: `series`, or the column that told series
    apart under its own name; the time (text with its offset where there is a zone), or `step`, 1 to horizon; each
    target, `Temp_q0.1` for each quantile, and `Temp_lo80`, `Temp_hi80` for each interval.

    ```python
    >>> forecast = Forecast(np.array([[[2.0], [3.0]]]), ("sold",), ("0",))
    >>> forecast.names, forecast["sold"].tolist(), forecast["step"].tolist()
    (('step', 'sold'), [2.0, 3.0], [1, 2])

    ```
    """

    values: np.ndarray
    target_names: tuple[str, ...]
    ids: tuple[str, ...]
    times: tuple[np.ndarray, ...] | None = None
    time_name: str = "step"
    levels: tuple[float, ...] = ()
    quantiles: np.ndarray | None = None
    series_name: str | None = None
    zone: Zone | None = None
    notes: tuple[str, ...] = ()
    level: tuple[float, ...] = ()
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None

    @property
    def horizon(self) -> int:
        return self.values.shape[1]

    def columns(self) -> dict[str, np.ndarray]:
        """All columns by name, each `(series * horizon,)`."""
        columns: dict[str, np.ndarray] = {}
        if len(self.ids) > 1 or self.series_name is not None:
            columns[self.series_name or "series"] = np.repeat(np.array(self.ids), self.horizon)
        if self.times is None:
            columns["step"] = np.tile(np.arange(1, self.horizon + 1), len(self.ids))
        else:
            times = np.concatenate(self.times)
            columns[self.time_name] = times if self.zone is None else np.array(self.zone.written(times), str)
        for k, name in enumerate(self.target_names):
            columns[name] = self.values[..., k].reshape(-1)
        if self.quantiles is not None:
            for k, name in enumerate(self.target_names):
                for q, level in enumerate(self.levels):
                    columns[f"{name}_q{level:g}"] = self.quantiles[:, :, k, q].reshape(-1)
        if self.lower is not None and self.upper is not None:
            for k, name in enumerate(self.target_names):
                for q, level in enumerate(self.level):
                    columns[f"{name}_lo{level:g}"] = self.lower[:, :, k, q].reshape(-1)
                    columns[f"{name}_hi{level:g}"] = self.upper[:, :, k, q].reshape(-1)
        return columns

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns())

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.ids) * self.horizon

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The values, with the axes of series and targets left out where there is one only."""
        del copy
        values = self.values[0] if len(self.ids) == 1 else self.values
        values = values[..., 0] if len(self.target_names) == 1 else values
        return np.asarray(values, dtype)

    def to_pandas(self) -> Any:
        """A pandas frame; needs pandas."""
        import pandas

        columns: dict[str, Any] = self.columns()
        if self.zone is not None and self.times is not None:
            zone: Any = self.zone.name or "UTC"
            if self.zone.name is None and self.zone.fixed:
                zone = timezone(timedelta(seconds=self.zone.offsets[0][1]))
            columns[self.time_name] = pandas.to_datetime(columns[self.time_name], utc=True).tz_convert(zone)
        return pandas.DataFrame(columns)

    def plot(self) -> Figure:
        """The steps that follow with their interval, a figure for a notebook or a file (`Figure.save`)."""
        return Figure(*future(self))

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()

    def __repr__(self) -> str:
        of = f" of {len(self.ids)} series" if len(self.ids) > 1 else ""
        steps = f"{self.horizon} step{'s' if self.horizon > 1 else ''}"
        return f"Forecast({steps} of {', '.join(self.target_names)}{of})"

    def __str__(self) -> str:
        columns = {name: [_cell(v) for v in column[:20]] for name, column in self.columns().items()}
        widths = {name: max(len(name), *map(len, cells), 1) for name, cells in columns.items() if cells}
        lines = ["  ".join(name.rjust(widths[name]) for name in columns)]
        for row in range(min(len(self), 20)):
            lines.append("  ".join(cells[row].rjust(widths[name]) for name, cells in columns.items()))
        if len(self) > 20:
            lines.append(f"... {len(self)} rows")
        return "\n".join(lines)


def point(values: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """The values themselves, or of quantiles on the last axis the one nearest to the median."""
    return values[..., int(np.argmin(np.abs(np.array(levels) - 0.5)))] if levels else values


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)
