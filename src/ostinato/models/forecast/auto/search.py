"""Which simple forecasts a series asks for: all kinds judged by rolling origin, the best of each kind mixed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ostinato.data import Series
from ostinato.models.forecast.auto.linear import Linear
from ostinato.models.forecast.auto.mixing import convex_weights, kept, shown
from ostinato.models.forecast.auto.mixture import Method, Mixture, View, fit_method, forecast_of, shares_by_step
from ostinato.models.forecast.auto.panel import Panel
from ostinato.models.forecast.auto.rolling import Rolling
from ostinato.models.forecast.auto.smoothing import Smoothing

PENALTIES = (1e-4, 1e-2, 0.1, 0.5)
ORDERS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192)
NEAR = 1.3
"""Members whose squared error is up to so many times that of the best are mixed."""


@dataclass(frozen=True, eq=False)
class Trial:
    """One kind of forecast: its best settings, its forecasts of the rolling origins, and its squared error there."""

    method: Method
    view: int
    said: np.ndarray
    error: float


@dataclass(frozen=True)
class Found:
    """What the search gives.

    * `mixture`: fitted to all rows; `said`, `truth (n, horizon, targets)`: its forecasts at the rolling origins, none
      of whose members or shares saw what came there, in the units of the data; `rolling`: which origins.
    * `lead`, `lead_said`: the same of the best linear forecast alone, at which networks start.
    * `trials`: `(name, root mean square error in units of the scale, share)` of each kind that was tried.
    """

    mixture: Mixture
    rolling: Rolling | None
    said: np.ndarray
    truth: np.ndarray
    trials: list[tuple[str, float, float]]
    lead: Mixture
    lead_said: np.ndarray


@dataclass(frozen=True)
class Space:
    """What may be tried: `bases` of linear forecasts, `logs`, `seasons`, whether `waves` are there, `longest` order."""

    bases: tuple[str, ...]
    logs: tuple[bool, ...]
    seasons: tuple[int, ...]
    waves: bool
    longest: int | None = None


def search(
    series: Series,
    stops: Sequence[int],
    horizon: int,
    space: Space,
    views: Sequence[View],
    scales: Sequence[np.ndarray],
) -> Found:
    """The mixture for the rows before the stops. `scales`: for each series the size of its targets `(targets,)`."""
    rolling = Rolling.of(stops, horizon, len(series.target_names))
    panels = [view.panel(series) for view in views]
    if rolling is None:
        return _last_value(series, stops, horizon, views, panels)
    truth = rolling.truth(series.target)
    unit = np.array([np.asarray(s) for s in scales])[rolling.series][:, None]
    judge = _Judge(series, rolling, panels, views, truth, unit)
    trials = [best for kind in _kinds(space, rolling, horizon) if (best := judge.best(kind)) is not None]
    if not trials:
        return _last_value(series, stops, horizon, views, panels)
    least = min(t.error for t in trials)
    near = sorted((t for t in trials if t.error <= NEAR * least), key=lambda t: t.error)
    edges = _edges(horizon, rolling.independent)
    errors = np.stack([(t.said - truth) / unit for t in near])
    shares = _shares(errors, edges, rolling.independent)
    # What is said of a fold by shares that did not see it, where there are several.
    said = np.empty_like(truth)
    for fold in range(len(rolling.cuts)):
        here = rolling.folds == fold
        fitting = ~here if (~here).any() and len(rolling.cuts) > 1 else here
        own = _shares(errors[:, fitting], edges, rolling.independent * fitting.mean())
        by_step = shares_by_step(own, edges, horizon)
        said[here] = sum(by_step[:, c, None] * t.said[here] for c, t in enumerate(near))
    # Of what the mixture is not shown to gain over the last value, the last value gets the share.
    last = trials[0]
    loss = lambda made: _mean(((made - truth) / unit) ** 2)
    trust = shown(loss(last.said) - loss(said))
    said = trust * said + (1 - trust) * last.said
    if last not in near:
        near, shares = [*near, last], np.pad(shares, ((0, 0), (0, 1)))
    shares = trust * shares
    shares[:, near.index(last)] += 1 - trust
    use = shares.max(0) > 0
    members = tuple((t.method, t.view, np.zeros(())) for t, u in zip(near, use, strict=True) if u)
    mixture = _pruned(Mixture(tuple(views), members, shares[:, use], edges)).fitted(series, stops, horizon)
    share = dict(zip((id(t) for t in near), shares.mean(0), strict=True))
    rows = [(_name(t, views), float(np.sqrt(t.error)), float(share.get(id(t), 0.0))) for t in trials]
    best = min((t for t in trials if isinstance(t.method, Linear)), key=lambda t: t.error)
    lead = Mixture(tuple(views), ((best.method, best.view, np.zeros(())),), np.ones((1, 1)), (0,))
    lead = _pruned(lead).fitted(series, stops, horizon)
    return Found(mixture, rolling, said, truth, sorted(rows, key=lambda row: row[1]), lead, best.said)


def _last_value(
    series: Series, stops: Sequence[int], horizon: int, views: Sequence[View], panels: Sequence[Panel]
) -> Found:
    """What is left where nothing can be judged."""
    lone = Linear("last", 0, 1, np.inf)
    member = (lone, 0, fit_method(lone, panels[0], stops, horizon))
    mixture = _pruned(Mixture(tuple(views), (member,), np.ones((1, 1)), (0,)))
    empty = np.zeros((0, horizon, len(series.target_names)))
    return Found(mixture, None, empty, empty, [(lone.name, float("nan"), 1.0)], mixture, empty)


@dataclass(frozen=True)
class _Judge:
    series: Series
    rolling: Rolling
    panels: Sequence[Panel]
    views: Sequence[View]
    truth: np.ndarray
    unit: np.ndarray

    def best(self, kind: "_Kind") -> Trial | None:
        """The settings of a kind with the least error."""
        found: Trial | None = None
        for method in kind.methods:
            penalties = kind.penalties if isinstance(method, Linear) and method.order else kind.penalties[:1]
            for fitted, said in self._said(method, kind.view, penalties):
                error = float(_mean((((said - self.truth) / self.unit) ** 2)[None])[0])
                if np.isfinite(error) and (found is None or error < found.error):
                    found = Trial(fitted, kind.view, said, error)
        return found

    def _said(self, method: Method, view: int, penalties: Sequence[float]) -> Iterator[tuple[Method, np.ndarray]]:
        panel, horizon, rolling = self.panels[view], self.rolling.horizon, self.rolling
        if isinstance(method, Linear):
            weights = [method.fit(panel, cut, horizon, penalties) for cut in rolling.cuts]
            methods: Sequence[Method] = [replace(method, penalty=p) for p in penalties]
        else:
            weights, methods = [[method.fit(panel, cut, horizon)] for cut in rolling.cuts], [method]
        for p, one in enumerate(methods):
            parts = []
            for fold, origins in enumerate(rolling.origins):
                made = forecast_of(one, panel, weights[fold][p], origins, horizon)
                parts.append(self.views[view].to_units(made, self.series, [len(o) for o in origins]))
            yield one, np.concatenate(parts)


@dataclass(frozen=True)
class _Kind:
    view: int
    methods: tuple[Method, ...]
    penalties: tuple[float, ...] = PENALTIES


def _kinds(space: Space, rolling: Rolling, horizon: int) -> Iterator[_Kind]:
    """All that is tried, the simplest first."""
    rows = int(np.median([c for c in rolling.cuts[0] if c] or [0]))
    yield _Kind(0, (Linear("last", 0, 1, np.inf),), (np.inf,))
    for m in space.seasons:
        if rows >= m:
            yield _Kind(0, (Linear("season", 0, m, np.inf),), (np.inf,))
    longest = rows // 3 if space.longest is None else min(space.longest, rows // 3)
    for view, _ in enumerate(space.logs):
        for base in space.bases:
            seasonal = base in ("season", "change")
            for m in space.seasons if seasonal else (1,):
                for waves in (False, True) if space.waves and not seasonal else (False,):
                    orders = _orders(longest - (m if seasonal else 0), space.seasons, rows)
                    if rows > m:
                        yield _Kind(view, tuple(Linear(base, p, m, 0.0, waves) for p in orders))
        if rows >= 6 and rows * len(rolling.stops) <= 60_000:
            yield _Kind(view, (Smoothing(1),))
            for m in space.seasons:
                if rows >= 2 * m and m <= 400:
                    yield _Kind(view, (Smoothing(m),))


def _orders(longest: int, seasons: Sequence[int], rows: int) -> list[int]:
    """Orders to try: ever longer ones, and those that reach a season or two back."""
    usual = ORDERS if rows <= 2000 else ORDERS[1::2]
    back = [k * m + 1 for m in seasons for k in (1, 2)]
    return sorted({p for p in (0, *usual, *back) if p <= max(longest, 0)})


def _edges(horizon: int, count: float) -> tuple[int, ...]:
    """Where stretches of the horizon with shares of their own begin; more of them where there is more to judge by."""
    if horizon < 4 or count < 30:
        return (0,)
    return (0, max(horizon // 4, 1)) if count < 100 else tuple(sorted({0, max(horizon // 6, 1), horizon // 2}))


def _shares(errors: np.ndarray, edges: Sequence[int], count: float) -> np.ndarray:
    """Shares `(stretches, members)` from errors `(members, n, horizon, targets)`."""
    ends = [*edges[1:], errors.shape[2]]
    parts = [errors[:, :, a:b].reshape(len(errors), -1) for a, b in zip(edges, ends, strict=True)]
    return np.stack([kept(convex_weights(part, count)) for part in parts])


def _mean(values: np.ndarray) -> np.ndarray:
    """The mean over all axes but the first of what is there; NaN where nothing is."""
    flat = values.reshape(len(values), -1)
    count = (~np.isnan(flat)).sum(1)
    return np.where(count > 0, np.nansum(flat, 1) / np.maximum(count, 1), np.nan)


def _pruned(mixture: Mixture) -> Mixture:
    """Without the views that no member looks through."""
    used = sorted({v for _, v, _ in mixture.members})
    members = tuple((m, used.index(v), w) for m, v, w in mixture.members)
    return replace(mixture, views=tuple(mixture.views[v] for v in used), members=members)


def _name(trial: Trial, views: Sequence[View]) -> str:
    return f"{trial.method.name}{' of logarithms' if views[trial.view].log else ''}"
