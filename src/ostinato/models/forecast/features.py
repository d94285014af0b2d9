"""From series to the columns that a forecaster sees: calendar waves, logarithms, scaling by training rows only."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ostinato.data import Frequency, Series, Standardizer, calendar
from ostinato.errors import CorruptFile, DataError, NonFiniteError, SettingsError, ShapeError

POOLED = "*"
"""The name under which a scaling common to all series is kept."""


class Layout(NamedTuple):
    """How many columns of each part an array `(time, features)` holds, in this order."""

    targets: int
    past: int
    future: int
    static: int
    dt: int

    @property
    def features(self) -> int:
        return sum(self)

    @property
    def ahead(self) -> slice:
        """The columns that are known ahead of time."""
        return slice(self.targets + self.past, self.targets + self.past + self.future)

    @property
    def hidden(self) -> slice:
        """The columns that are not: targets and past covariates."""
        return slice(0, self.targets + self.past)


@dataclass(frozen=True)
class Features:
    r"""What `fit` learned about the columns: their names and their scale.

    With `log` targets are replaced by their logarithm. Targets and past covariates are standardised per series
    (`scaling="series"`) or with one scale for all (`"pooled"`); known-future and static covariates always with one
    scale. With `lags` above 0 the targets' scale is not their standard deviation but the root mean square of their
    changes over 1 to `lags` steps, $\sqrt{\mathrm{mean}_{k, t} (y_{t+k} - y_t)^2}$: the size of what is forecast where
    the last value is subtracted.
    """

    target_names: tuple[str, ...]
    past_names: tuple[str, ...]
    future_names: tuple[str, ...]
    static_names: tuple[str, ...]
    calendar: tuple[str, ...]
    log: bool
    scaling: str
    lags: int
    uneven: bool
    scales: dict[str, Standardizer]
    ahead: Standardizer
    static: Standardizer
    frequency: Frequency | None

    @classmethod
    def fit(
        cls,
        series: Series,
        stops: Sequence[int],
        *,
        calendar: Sequence[str] = (),
        log: bool = False,
        scaling: str = "series",
        lags: int = 0,
        constant: bool = False,
    ) -> "Features":
        """From the rows before `stops[i]` of each series; `constant` allows targets without any change.

        Raises `DataError`: a calendar without times, a logarithm of a value that is not positive, targets without any
        change.
        """
        parts = [np.concatenate([_logged(series, i, log), series.past[i]], 1)[:stop] for i, stop in enumerate(stops)]
        width = len(series.target_names)
        if scaling == "pooled":
            scales = {POOLED: _scale(parts, width, lags)}
        elif scaling == "series":
            scales = {name: _scale([part], width, lags) for name, part in zip(series.ids, parts, strict=True)}
        else:
            raise SettingsError(f"scaling: expected 'series' or 'pooled', got {scaling!r}")
        for k, name in enumerate(series.target_names):
            seen = [p[:, k][~np.isnan(p[:, k])] for p in parts]
            if not any(len(s) for s in seen):
                raise DataError(f"target '{name}': no value in the rows to train on")
            if not constant and all(s.min() == s.max() for s in seen if len(s)):
                value = next(float(s[0]) for s in seen if len(s))
                raise DataError(f"target '{name}' is constant ({value:g}): there is nothing to learn")
        waves = [_waves(series, i, calendar)[:stop] for i, stop in enumerate(stops)]
        known = [np.concatenate([f[:stop], w], 1) for f, w, stop in zip(series.future, waves, stops, strict=True)]
        return cls(
            series.target_names,
            series.past_names,
            series.future_names,
            series.static_names,
            tuple(calendar),
            log,
            scaling,
            lags,
            series.dt is not None,
            scales,
            _standard(known),
            _standard([series.static]),
            series.frequency,
        )

    @property
    def layout(self) -> Layout:
        """The columns of `arrays`."""
        return Layout(
            len(self.target_names), len(self.past_names), len(self.ahead.mean), len(self.static_names), int(self.uneven)
        )

    def arrays(self, series: Series) -> list[np.ndarray]:
        """For each series the scaled columns `(time, features)` in the order of `layout`, NaN where missing.

        Raises `DataError` and `NonFiniteError` (a known-future covariate is missing).
        """
        self.check_names(series)
        arrays = []
        for i, name in enumerate(series.ids):
            both = np.concatenate([_logged(series, i, self.log), series.past[i]], 1)
            known = np.concatenate([series.future[i], _waves(series, i, self.calendar)], 1)
            gaps = np.argwhere(np.isnan(known))
            if gaps.size:
                row, column = (int(k) for k in gaps[0])
                raise NonFiniteError(
                    f"future covariate '{self.future_names[column]}' of series '{name}' is missing in row {row}: "
                    "what is known ahead must be known everywhere"
                )
            static = np.broadcast_to(self.static.transform(series.static[i]), (len(both), series.static.shape[1]))
            dt = np.ones((len(both), 1)) if series.dt is None else np.asarray(series.dt[i], float)[:, None]
            columns = [self.scale_of(series, i).transform(both), self.ahead.transform(known), static]
            arrays.append(np.concatenate([*columns, dt] if self.uneven else columns, 1))
        return arrays

    def scale_of(self, series: Series, index: int) -> Standardizer:
        """The scale of targets and past covariates of a series; one not seen in `fit` is scaled by its own history."""
        name = POOLED if self.scaling == "pooled" else series.ids[index]
        if name in self.scales:
            return self.scales[name]
        if len(self.scales) == 1 and len(series) == 1:
            return next(iter(self.scales.values()))
        stop = series.history[index]
        both = np.concatenate([_logged(series, index, self.log), series.past[index]], 1)[:stop]
        return _scale([both], len(self.target_names), self.lags)

    def to_units(self, values: np.ndarray, series: Series, index: int) -> np.ndarray:
        """Scaled targets `(..., targets)` in the units of the data."""
        targets = self.scale_of(series, index).columns(slice(0, len(self.target_names))).inverse(values)
        return np.exp(targets) if self.log else targets

    def check_names(self, series: Series) -> None:
        """Raise `DataError` where the columns are others than in `fit`."""
        for part in ("target_names", "past_names", "future_names", "static_names"):
            found, wanted = getattr(series, part), getattr(self, part)
            if found != wanted:
                raise DataError(f"{part.replace('_', ' ')}: fitted with {list(wanted)}, got {list(found)}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        content = {k: v for k, v in self.__dict__.items() if k not in ("scales", "ahead", "static", "frequency")}
        content["scales"] = {name: scale.to_dict() for name, scale in self.scales.items()}
        content["ahead"], content["static"] = self.ahead.to_dict(), self.static.to_dict()
        return content | {"frequency": None if self.frequency is None else asdict(self.frequency)}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Features":
        """The inverse of `to_dict`; raises `CorruptFile`."""
        try:
            plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
            plain["scales"] = {str(name): Standardizer.from_dict(scale) for name, scale in content["scales"].items()}
            plain["ahead"], plain["static"] = (Standardizer.from_dict(content[k]) for k in ("ahead", "static"))
            plain["frequency"] = None if content["frequency"] is None else Frequency(**content["frequency"])
            return cls(**plain)
        except (TypeError, KeyError, AttributeError, DataError, ShapeError) as error:
            raise CorruptFile(f"saved forecaster: its columns cannot be read ({error})") from error


def extended(series: Series, index: int, steps: int, frequency: Frequency | None = None) -> Series:
    """One series alone, cut or continued to `steps` rows after its last target; rows that are added have no values.

    Times go on by the frequency, or by the usual step.
    """
    one = replace(
        series,
        target=series.target[index : index + 1],
        past=series.past[index : index + 1],
        future=series.future[index : index + 1],
        static=series.static[index : index + 1],
        times=None if series.times is None else series.times[index : index + 1],
        dt=None if series.dt is None else series.dt[index : index + 1],
        ids=series.ids[index : index + 1],
    )
    wanted = one.history[0] + steps
    missing = wanted - one.lengths[0]
    if missing <= 0:
        return one.cut(0, wanted)
    if one.future_names:
        raise DataError(
            f"future covariates {list(one.future_names)} of series '{one.ids[0]}': needed for {steps} rows after the "
            f"last target, there are {steps - missing}; add rows with these columns and an empty target"
        )
    pad = lambda a: np.concatenate([a, np.full((missing, a.shape[1]), np.nan)])
    dt = None if one.dt is None else (np.concatenate([one.dt[0], np.ones(missing)]),)
    times = None if one.times is None else (_continued(one, missing, series.frequency or frequency),)
    return replace(
        one,
        target=(pad(one.target[0]),),
        past=(pad(one.past[0]),),
        future=(pad(one.future[0]),),
        times=times if times is None or times[0] is not None else None,
        dt=dt,
    )


def _continued(one: Series, steps: int, frequency: Frequency | None) -> np.ndarray | None:
    assert one.times is not None
    times = one.times[0]
    if not len(times):
        return None
    if frequency is not None:
        return np.concatenate([times, frequency.ahead(times[-1], steps, one.zone)])
    ahead = np.arange(1, steps + 1) * (1.0 if one.step is None else one.step)
    if times.dtype.kind == "M":
        return np.concatenate([times, times[-1] + np.round(ahead * 1e6).astype("timedelta64[us]")])
    return np.concatenate([times, times[-1] + ahead])


def _logged(series: Series, index: int, log: bool) -> np.ndarray:
    target = series.target[index]
    if not log:
        return target
    if (target <= 0).any():
        row, column = (int(k) for k in np.argwhere(target <= 0)[0])
        raise DataError(
            f"log: target '{series.target_names[column]}' of series '{series.ids[index]}' is {target[row, column]:g} "
            f"in row {row}; only positive values have a logarithm"
        )
    return np.log(target)


def _waves(series: Series, index: int, names: Sequence[str]) -> np.ndarray:
    if not names:
        return np.zeros((series.lengths[index], 0))
    if series.times is None or not np.issubdtype(series.times[index].dtype, np.datetime64):
        raise DataError(f"calendar {list(names)}: needs a column of dates; name it with time=")
    times = series.times[index] if series.zone is None else series.zone.local(series.times[index])
    return np.stack(list(calendar(times, names).values()), 1)


def _standard(parts: list[np.ndarray]) -> Standardizer:
    """Mean and standard deviation, also of no columns at all."""
    return Standardizer.fit(parts) if parts[0].shape[1] else Standardizer(np.zeros(0), np.zeros(0))


def _scale(parts: list[np.ndarray], width: int, lags: int) -> Standardizer:
    """Mean and standard deviation; with `lags`, the scale of the first `width` columns is that of their changes."""
    plain = _standard(parts)
    if not lags:
        return plain
    total, count = np.zeros(width), np.zeros(width)
    for part in parts:
        for lag in range(1, min(lags, len(part) - 1) + 1):
            change = part[lag:, :width] - part[:-lag, :width]
            total, count = total + np.nansum(change**2, 0), count + (~np.isnan(change)).sum(0)
    size = np.sqrt(total / np.maximum(count, 1))
    scale = plain.scale.copy()
    scale[:width] = np.where(size > 0, size, scale[:width])
    return Standardizer(plain.mean, scale)
