"""A convex mixture of simple forecasts in closed form, fitted to all rows."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ostinato.data import Series
from ostinato.models.forecast.auto.linear import Linear
from ostinato.models.forecast.auto.panel import Panel
from ostinato.models.forecast.auto.smoothing import Smoothing
from ostinato.models.forecast.features import Features

Method = Linear | Smoothing


@dataclass(frozen=True)
class View:
    """The targets as some members see them: as they are, or their logarithm, in the scale of the training rows.

    `low`, `high (targets,)`: forecasts stay in here, twice as wide as the training rows; `floor (targets,)`: smaller
    values count as this one where logarithms are taken.
    """

    features: Features
    low: np.ndarray
    high: np.ndarray
    floor: np.ndarray

    @classmethod
    def of(
        cls, series: Series, stops: Sequence[int], log: bool, calendar: Sequence[str], scaling: str, lags: int = 0
    ) -> "View":
        """From the rows before the stops. Raises as `Features.fit`."""
        options: dict[str, Any] = {"calendar": calendar, "log": log, "scaling": scaling, "lags": lags}
        features = Features.fit(series, stops, **options, constant=True)
        panel = Panel.of(features, series)
        rows = np.concatenate([v[:s] for v, s in zip(panel.values, stops, strict=True)])
        low, high = np.nanmin(rows, 0), np.nanmax(rows, 0)
        units = np.concatenate([t[:s] for t, s in zip(series.target, stops, strict=True)])
        return cls(features, 2 * low - high, 2 * high - low, np.nanmin(units, 0) / 2)

    @property
    def log(self) -> bool:
        return self.features.log

    def lifted(self, series: Series) -> Series:
        """The series with no target below the floor, where logarithms are taken."""
        if not self.log:
            return series
        return replace(series, target=tuple(np.where(t < self.floor, self.floor, t) for t in series.target))

    def panel(self, series: Series) -> Panel:
        """The series in this view."""
        return Panel.of(self.features, self.lifted(series))

    def from_units(self, made: np.ndarray, series: Series, counts: Sequence[int]) -> np.ndarray:
        """The inverse of `to_units`; what is below the floor counts as the floor where logarithms are taken."""
        made = np.log(np.maximum(made, self.floor)) if self.log else made
        edges, width = np.cumsum([0, *counts]), slice(0, made.shape[-1])
        scales = [self.features.scale_of(self.lifted(series), i).columns(width) for i in range(len(counts))]
        return np.concatenate([s.transform(made[a:b]) for s, (a, b) in zip(scales, pairwise(edges), strict=True)])

    def to_units(self, made: np.ndarray, series: Series, counts: Sequence[int]) -> np.ndarray:
        """Forecasts `(n, horizon, targets)`, so many of each series, in the units of the data."""
        made = np.clip(made, self.low, self.high)
        edges, series = np.cumsum([0, *counts]), self.lifted(series)
        parts = [self.features.to_units(made[a:b], series, i) for i, (a, b) in enumerate(pairwise(edges))]
        return np.concatenate(parts)

    def numbers(self) -> dict[str, Any]:
        """Plain values for a file."""
        return {"features": self.features.to_dict(), **{k: getattr(self, k).tolist() for k in ("low", "high", "floor")}}

    @classmethod
    def from_file(cls, numbers: dict[str, Any]) -> "View":
        """The inverse of `numbers`. Raises `CorruptFile`."""
        return cls(
            Features.from_dict(numbers["features"]), *(np.array(numbers[k], float) for k in ("low", "high", "floor"))
        )


def forecast_of(
    method: Method, panel: Panel, weights: np.ndarray, origins: Sequence[np.ndarray], horizon: int
) -> np.ndarray:
    """`method.at`; from an origin with too few rows before it, the last value before it."""
    if not sum(len(o) for o in origins):
        return np.zeros((0, horizon, panel.targets))
    safe = [np.maximum(o, min(method.need, len(f))) for o, f in zip(origins, panel.filled, strict=True)]
    short = [len(f) < method.need for f in panel.filled]
    safe = [o[:0] if s else o for o, s in zip(safe, short, strict=True)]
    said = method.at(panel, weights, safe, horizon)
    made = np.empty((sum(len(o) for o in origins), horizon, panel.targets))
    there = np.concatenate([np.full(len(o), not s) for o, s in zip(origins, short, strict=True)])
    made[there] = said
    early = np.concatenate([np.asarray(o) < method.need for o in origins])
    if early.any():
        last = np.concatenate(
            [
                f[np.asarray(o, int) - 1] if len(f) else np.zeros((len(o), panel.targets))
                for f, o in zip(panel.filled, origins, strict=True)
            ]
        )
        made[early] = last[early][:, None]
    return made


@dataclass(frozen=True)
class Mixture:
    """Members with their weights, and the share of each in each stretch of the horizon.

    * `views`: one for the targets as they are, and one for their logarithm where a member asks for it.
    * `members`: `(method, view, weights)`. `shares (stretches, members)`; `edges`: where each stretch begins.
    """

    views: tuple[View, ...]
    members: tuple[tuple[Method, int, np.ndarray], ...]
    shares: np.ndarray
    edges: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{m.name}{' of logarithms' if self.views[v].log else ''}" for m, v, _ in self.members)

    def forecast(self, series: Series, origins: Sequence[np.ndarray], horizon: int) -> np.ndarray:
        """`(n, horizon, targets)` in the units of the data, at the origins of one series after the other."""
        counts = [len(o) for o in origins]
        panels = [view.panel(series) for view in self.views]
        total = np.zeros((sum(counts), horizon, len(series.target_names)))
        share = shares_by_step(self.shares, self.edges, horizon)
        for c, (method, v, weights) in enumerate(self.members):
            said = forecast_of(method, panels[v], weights, origins, horizon)
            total += share[:, c, None] * self.views[v].to_units(said, series, counts)
        return total

    def fitted(self, series: Series, stops: Sequence[int], horizon: int) -> "Mixture":
        """The same members and shares, fitted to the rows before the stops."""
        panels = [view.panel(series) for view in self.views]
        members = tuple((m, v, fit_method(m, panels[v], stops, horizon)) for m, v, _ in self.members)
        return replace(self, members=members)

    def numbers(self) -> dict[str, Any]:
        """What is not an array, as plain values for a file."""
        return {
            "views": [v.numbers() for v in self.views],
            "members": [
                {"kind": type(m).__name__, "view": v, "shape": list(w.shape)} | _plain(m) for m, v, w in self.members
            ],
            "shares": self.shares.tolist(),
            "edges": list(self.edges),
        }

    def arrays(self) -> list[np.ndarray]:
        """The weights of the members, for a file."""
        return [w for _, _, w in self.members]

    def filled(self, arrays: Sequence[np.ndarray]) -> "Mixture":
        """The same with the weights of a file."""
        members = zip(self.members, arrays, strict=True)
        return replace(self, members=tuple((m, v, np.asarray(w, float)) for (m, v, _), w in members))

    @classmethod
    def from_file(cls, numbers: dict[str, Any]) -> "Mixture":
        """The inverse of `numbers`, with weights of their shape without memory. Raises `CorruptFile`."""
        views = tuple(View.from_file(v) for v in numbers["views"])
        members = []
        for m in numbers["members"]:
            options = {k: v for k, v in m.items() if k not in ("kind", "view", "shape")}
            if "penalty" in options:
                options["penalty"] = float(options["penalty"])
            method = Linear(**options) if m["kind"] == "Linear" else Smoothing(**options)
            members.append((method, int(m["view"]), np.broadcast_to(np.zeros(()), m["shape"])))
        return cls(views, tuple(members), np.array(numbers["shares"], float), tuple(int(e) for e in numbers["edges"]))


def _plain(method: Method) -> dict[str, Any]:
    return {k: "inf" if v == np.inf else v for k, v in asdict(method).items()}


def fit_method(method: Method, panel: Panel, stops: Sequence[int], horizon: int) -> np.ndarray:
    """The weights of a member from the rows before the stops."""
    if isinstance(method, Linear):
        return method.fit(panel, stops, horizon, [method.penalty])[0]
    return method.fit(panel, stops, horizon)


def shares_by_step(shares: np.ndarray, edges: Sequence[int], horizon: int) -> np.ndarray:
    """`(horizon, members)`: the share of each member at each step ahead."""
    return shares[np.searchsorted(edges, np.arange(horizon), side="right") - 1]
