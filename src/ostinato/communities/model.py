"""What a community of microbes will become, from what it was put together from (Baranwal et al., eLife 2022)."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Float

from ostinato.cells import count_parameters
from ostinato.cells.fixed import free_parameters
from ostinato.communities.baselines import CommunityLinear, CommunityMean, baselines
from ostinato.communities.intervals import reach, residuals
from ostinato.communities.network import FORCING
from ostinato.communities.scores import by_feature, by_time, coverage, summary
from ostinato.communities.training import SCHEDULES, Job, Side, build, train
from ostinato.data import Communities, TimeStandardizer, permutation, to_communities
from ostinato.errors import CorruptFile, DataError, SettingsError
from ostinato.models.base import Estimator, Weights
from ostinato.runs import Run
from ostinato.training import Event


class CommunityForecast(NamedTuple):
    """What is expected of communities: `values (communities, hours, features)`, bounds alike where they were asked for.

    The bounds are NaN at times after the last that was measured: nothing is known of the errors there.
    """

    names: tuple[str, ...]
    features: tuple[str, ...]
    hours: Float[np.ndarray, "hours"]
    values: Float[np.ndarray, "communities hours features"]
    lower: Float[np.ndarray, "communities hours features"] | None = None
    upper: Float[np.ndarray, "communities hours features"] | None = None


class CommunityModel(Estimator):
    r"""Recurrent networks that go from the composition of a community to its species and metabolites over time.

    $$h_k, z_{k+1} = \mathrm{cell}(z_k, h_{k-1}),\qquad x_k = \mathrm{mean}_k + \mathrm{scale}_k \odot z_k$$

    A step is the time from one sample to the next; each prediction is the next input. `fit`, `predict`, `evaluate`,
    `save`, `load`; X is a `Communities`, or a table that `to_communities` reads.

    * `cell`, `hidden_size`, `num_layers`, `cell_settings`: as for `ost.RNN`; `cell` is a name in `CELLS`. `init`: the
      preset that cells start from which have a choice (see `cells.init`).
    * `members`: networks that differ by their seed; the prediction is their mean. `folds`: so many networks more, each
      of which does not see one part of the communities; their errors on it give the intervals (Vovk et al. 2005;
      Barber et al. 2021, CV+).
    * `mask`: a species that was not put in stays absent.
    * `forcing`: what training feeds in: `"sampled"`, `"none"`, `"published"` (see `CommunityNetwork`).
    * `width`: $z$ is in units of so many standard deviations; `pooled_scale`: the same scaling at all times.
    * `epochs`, `batch_size`, `shuffle`, `learning_rate`, `schedule` (`"cosine"`, `"constant"`, or `"staircase"`: a
      quarter every 12 epochs up to the 99th), `l2` (added to the gradient), `clip` (norm of the gradient): Adam.

    After `fit`: `species_`, `metabolites_`, `hours_`, `networks_` (a `Side`: members, then folds), `baselines_`,
    `communities_` (the training data, which are saved with the model), `unseen_` (what the folds predict for them, each
    by the network that has not seen it), `medium_` (metabolites at the first time), `history_`.

    Raises `SettingsError`, `DataError`, `NotFitted`.

    ```python
    >>> rng = np.random.default_rng(0)
    >>> start = rng.integers(0, 2, (12, 2)) * 0.1 + [0.0, 0.1]
    >>> later = np.stack([start[:, 0] * 5, start[:, 1] * 3 / (1 + 9 * start[:, 0])], axis=1)
    >>> values = np.stack([start, later], axis=1)
    >>> names = tuple(f"c{i}" for i in range(12))
    >>> data = Communities(names, ("A", "B"), (), np.array([0.0, 24.0]), values)
    >>> model = CommunityModel(hidden_size=8, members=1, folds=0, epochs=300).fit(data)
    >>> bool(np.abs(model.predict(data).values[:, 1] - later).max() < 0.05)
    True

    ```
    """

    kind = "community"

    def __init__(
        self,
        cell: Any = "lstm",
        hidden_size: int | tuple[int, ...] = 128,
        num_layers: int | None = None,
        *,
        members: int = 5,
        folds: int = 10,
        mask: bool = True,
        forcing: str = "none",
        width: float = 4.0,
        pooled_scale: bool = False,
        epochs: int = 80,
        batch_size: int = 20,
        shuffle: bool = True,
        learning_rate: float = 5e-3,
        schedule: str = "cosine",
        l2: float = 5e-5,
        clip: float | None = None,
        init: str | None = "torch",
        cell_settings: dict[str, Any] | None = None,
        seed: int = 0,
    ):
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.members = members
        self.folds = folds
        self.mask = mask
        self.forcing = forcing
        self.width = width
        self.pooled_scale = pooled_scale
        self.epochs = epochs
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.l2 = l2
        self.clip = clip
        self.init = init
        self.cell_settings = cell_settings
        self.seed = seed

    def fit(
        self, X: Any, y: Any = None, *, run: Run | None = None, callback: Callable[[Event], None] | None = None
    ) -> "CommunityModel":
        """Train the members, and the folds where there are any, side by side; `y` is not used.

        `run`: a folder to log into and to resume from; `callback`: see `ostinato.training.fit`.
        """
        del y
        self._check()
        data = _communities(X)
        everything = np.arange(len(data))
        parts = _parts(len(data), self.folds, self.seed) if self.folds else []
        jobs = [Job(everything, self.seed + i) for i in range(self.members)]
        jobs += [Job(np.setdiff1d(everything, part), self.seed) for part in parts]
        side, history = train(self, data.values, data.hours, len(data.species), jobs, run=run, callback=callback)
        self.species_, self.metabolites_ = data.species, data.metabolites
        self.hours_, self.networks_, self.history_ = data.hours, side, history
        self.medium_ = data.initial[:, len(data.species) :].mean(0)
        self.baselines_ = baselines(data)
        self.communities_, self.unseen_ = data, np.full(data.values[:, 1:].shape, np.nan)
        if parts:
            made = side.forecast(data.initial, len(data.hours) - 1)[self.members :]
            for k, part in enumerate(parts):
                self.unseen_[part] = made[k, part]
        return self

    @property
    def parameters_(self) -> int:
        """How many numbers one of the networks has learned."""
        one = self.networks_.networks.member(0)
        return count_parameters(eqx.filter(one, free_parameters(one)))

    def predict(self, X: Any, hours: Any = None, *, level: float | None = None) -> CommunityForecast:
        """Species and metabolites at `hours`, by default the times of the training data, from the first time alone.

        Between two times of the training data a monotone cubic curve is laid (PCHIP); after the last one the network
        goes on as it did before it, which is an extrapolation. `level`, such as 0.9, adds the bounds between which
        that share of measured values is expected.

        Raises `SettingsError` (a level without `folds`), `DataError` (other species, a time before the first).
        """
        self.check_fitted()
        data = self._read(X)
        hours = self.hours_ if hours is None else np.atleast_1d(np.asarray(hours, float))
        if not len(hours) or not np.isfinite(hours).all() or hours.min() < self.hours_[0]:
            raise DataError(f"hours: expected times from {self.hours_[0]:g} h on, got {hours.tolist()}")
        grid = self._grid(float(hours.max()))
        made = self.networks_.forecast(data.initial, len(grid) - 1)[: self.members].mean(0)
        curve = np.concatenate([data.initial[:, None], made], axis=1)
        values = _between(grid, curve, hours)
        if level is None:
            return CommunityForecast(data.names, data.features, hours, values)
        lower, upper = self._bounds(data, grid, hours, values, level)
        return CommunityForecast(data.names, data.features, hours, values, lower, upper)

    def predict_members(self, X: Any) -> Float[np.ndarray, "members n later features"]:
        """What each member expects at the times of the training data after the first."""
        self.check_fitted()
        return self.networks_.forecast(self._read(X).initial, len(self.hours_) - 1)[: self.members]

    def evaluate(self, X: Any) -> dict[str, Any]:
        """How good the predictions are, with the baselines beside them, for communities with later samples.

        `times`: squared Pearson r and coefficient of determination at each time (see `community_scores.by_time`);
        `features`: r and error of each; `species_r`, `species_rmse`, `metabolite_r`, `metabolite_rmse`: their means;
        `coverage`: of the 90 % intervals, None without `folds`; `baselines`: the same figures of `mean` and `linear`;
        `members`: the same figures of each member by itself; `count`.

        Raises `DataError` where the times differ from those of the training data.
        """
        data = self._read(X, later=True)
        figures = self._figures(data, self.predict(data).values[:, 1:])
        bounds = self.predict(data, level=0.9) if self.folds else None
        if bounds is not None:
            assert bounds.lower is not None
            assert bounds.upper is not None
            figures["coverage"] = coverage(data, bounds.lower[:, 1:], bounds.upper[:, 1:])
        else:
            figures["coverage"] = None
        figures["baselines"] = {name: self._figures(data, b.predict(data)) for name, b in self.baselines_.items()}
        figures["members"] = [self._figures(data, made) for made in self.predict_members(data)]
        return {**figures, "count": len(data)}

    def cross_validate(
        self, X: Any, folds: int = 20, *, order: Any = None, callback: Callable[[Event], None] | None = None
    ) -> Float[np.ndarray, "n later features"]:
        """Predictions for each community by networks that have not seen its fold, all folds trained side by side.

        `order`: which fold each community is in, `(n,)`; by default a permutation that depends on the seed alone.
        `members` networks of each fold are averaged. Fits nothing: the model stays as it was.
        """
        self._check()
        data = _communities(X)
        if order is None:
            parts = _parts(len(data), folds, self.seed)
        else:
            parts = [np.flatnonzero(np.asarray(order) == k) for k in np.unique(order)]
        jobs = [
            Job(np.setdiff1d(np.arange(len(data)), part), self.seed + i) for part in parts for i in range(self.members)
        ]
        side, _ = train(self, data.values, data.hours, len(data.species), jobs, callback=callback)
        made = side.forecast(data.initial, len(data.hours) - 1)
        made = made.reshape(len(parts), self.members, *made.shape[1:]).mean(1)
        found = np.empty(made.shape[1:])
        for k, part in enumerate(parts):
            found[part] = made[k, part]
        return found

    def _figures(self, data: Communities, predicted: np.ndarray) -> dict[str, Any]:
        features = by_feature(data, predicted)
        return {"times": by_time(data, predicted), "features": features, **summary(features)}

    def _read(self, X: Any, later: bool = False) -> Communities:
        self.check_fitted()
        data = X if isinstance(X, Communities) else to_communities(X, list(self.species_), list(self.metabolites_))
        if (data.species, data.metabolites) != (self.species_, self.metabolites_):
            other = [n for n in data.features if n not in (*self.species_, *self.metabolites_)]
            missing = [n for n in (*self.species_, *self.metabolites_) if n not in data.features]
            said = f"'{other[0]}' is not known to the model" if other else f"'{(*missing, 'the order')[0]}' differs"
            raise DataError(f"communities: {said}, which has {', '.join((*self.species_, *self.metabolites_))}")
        if later and not np.array_equal(data.hours, self.hours_):
            at = {float(h): i for i, h in enumerate(self.hours_)}
            strange = [float(h) for h in data.hours if float(h) not in at]
            if strange:
                raise DataError(
                    f"communities: a sample at {strange[0]:g} h; the model was trained on "
                    f"{', '.join(f'{h:g}' for h in self.hours_)} h"
                )
            values = np.full((len(data), len(self.hours_), len(data.features)), np.nan)
            values[:, [at[float(h)] for h in data.hours]] = data.values
            data = replace(data, hours=self.hours_, values=values)
        return data

    def _grid(self, last: float) -> np.ndarray:
        """The times of the steps, continued in the last step's length as far as is asked for."""
        step = self.hours_[-1] - self.hours_[-2]
        more = max(math.ceil((last - self.hours_[-1]) / step - 1e-9), 0)
        return np.concatenate([self.hours_, self.hours_[-1] + step * np.arange(1, more + 1)])

    def _bounds(
        self,
        data: Communities,
        grid: np.ndarray,
        hours: np.ndarray,
        values: np.ndarray,
        level: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        if not self.folds:
            raise SettingsError("level: intervals need errors on communities that a network has not seen; set folds")
        if not 0 < level < 1:
            raise SettingsError(f"level: expected a share between 0 and 1, got {level}")
        measured = len(self.hours_)
        half = reach(residuals(self.communities_, self.unseen_), level)
        half = np.concatenate([np.zeros((1, half.shape[1])), half])
        wide = _monotone(grid[:measured], half, 0, np.minimum(hours, grid[measured - 1]))
        absent = np.concatenate([~data.present, np.zeros((len(data), len(data.metabolites)), bool)], axis=1)
        wide = np.where(absent[:, None, :] & self.mask, 0.0, wide)
        lower, upper = np.maximum(values - wide, 0.0), values + wide
        beyond = hours > grid[measured - 1]
        lower[:, beyond], upper[:, beyond] = np.nan, np.nan
        return lower, upper

    def _check(self) -> None:
        def need(good: bool, name: str, expected: str) -> None:
            if not good:
                raise SettingsError(f"{name}: expected {expected}, got {getattr(self, name)!r}")

        sizes = self.hidden_size if isinstance(self.hidden_size, (tuple, list)) else (self.hidden_size,)
        need(bool(sizes) and all(isinstance(s, int) and s >= 1 for s in sizes), "hidden_size", "1 or more units")
        for name in ("members", "epochs", "batch_size"):
            need(isinstance(getattr(self, name), int) and getattr(self, name) >= 1, name, "1 or more")
        need(isinstance(self.folds, int) and (self.folds == 0 or self.folds >= 2), "folds", "0, or 2 or more")
        need(self.forcing in FORCING, "forcing", f"one of {', '.join(FORCING)}")
        need(self.schedule in SCHEDULES, "schedule", f"one of {', '.join(SCHEDULES)}")
        need(0 < self.width < np.inf, "width", "a number above 0")
        need(0 < self.learning_rate < np.inf, "learning_rate", "a number above 0")
        need(0 <= self.l2 < np.inf, "l2", "0 or more")
        need(self.clip is None or 0 < self.clip < np.inf, "clip", "None or a number above 0")

    def _fitted(self) -> tuple[Any, dict[str, Any]]:
        side = self.networks_
        weights = {
            "networks": side.networks,
            "mean": np.stack([s.mean for s in side.scales]),
            "scale": np.stack([s.scale for s in side.scales]),
            "values": _stored(self.communities_.values),
            "unseen": _stored(self.unseen_),
            "baselines": {name: b.arrays() for name, b in self.baselines_.items()},
        }
        numbers = {
            "species": list(self.species_),
            "metabolites": list(self.metabolites_),
            "hours": self.hours_.tolist(),
            "medium": self.medium_.tolist(),
            "communities": list(self.communities_.names),
            "history": self.history_,
        }
        return weights, numbers

    def _restore(self, numbers: dict[str, Any], weights: Weights) -> None:
        self._check()
        species, metabolites = tuple(map(str, numbers["species"])), tuple(map(str, numbers["metabolites"]))
        names, hours = tuple(map(str, numbers["communities"])), np.asarray(numbers["hours"], float)
        if hours.ndim != 1 or len(hours) < 2 or not (np.diff(hours) > 0).all():
            raise CorruptFile(f"hours: expected two or more increasing times, got {numbers['hours']}")
        count, later, width = self.members + self.folds, len(hours) - 1, len(species) + len(metabolites)
        blank = TimeStandardizer(np.zeros((later + 1, width)), np.ones((later + 1, width)))
        networks = eqx.filter_eval_shape(lambda: build(self, [blank] * count, hours, len(species), range(count)))
        shapes = {
            "mean": {"mean": np.zeros((later, width))},
            "linear": {"weights": np.zeros((len(species), later * width)), "constant": np.zeros(later * width)},
        }
        like = {
            "networks": networks,
            "mean": np.zeros((count, later + 1, width)),
            "scale": np.zeros((count, later + 1, width)),
            "values": np.zeros((len(names), later + 1, width)),
            "unseen": np.zeros((len(names), later, width)),
            "baselines": shapes,
        }
        read = weights(like)
        scales = [
            TimeStandardizer(np.asarray(m), np.asarray(s)) for m, s in zip(read["mean"], read["scale"], strict=True)
        ]
        self.species_, self.metabolites_, self.hours_ = species, metabolites, hours
        self.networks_, self.history_ = Side(read["networks"], scales), list(numbers["history"])
        self.medium_ = np.asarray(numbers["medium"], float)
        values, self.unseen_ = (_read_back(read[name]) for name in ("values", "unseen"))
        self.communities_ = Communities(names, species, metabolites, hours, values)
        kept = {name: {k: np.asarray(v) for k, v in arrays.items()} for name, arrays in read["baselines"].items()}
        self.baselines_ = {"mean": CommunityMean(**kept["mean"]), "linear": CommunityLinear(**kept["linear"])}


def _communities(X: Any) -> Communities:
    data = X if isinstance(X, Communities) else to_communities(X)
    if len(data.hours) < 2:
        raise DataError("communities: expected samples at two times or more, got one")
    if np.isnan(data.initial).any():
        raise DataError("communities: expected every feature at the first time, some are missing")
    return data


def _parts(count: int, folds: int, seed: int) -> list[np.ndarray]:
    """Rows shared out to folds of nearly equal size."""
    if not 2 <= folds <= count:
        raise SettingsError(f"folds: expected 2 to {count}, as there are {count} communities, got {folds}")
    return [np.sort(part) for part in np.array_split(permutation(count, seed, name="folds"), folds)]


def _stored(values: np.ndarray) -> np.ndarray:
    """For a file, in which every number is finite: amounts are 0 or more, so -1 stands for a missing one."""
    return np.nan_to_num(values, nan=-1.0)


def _read_back(values: Any) -> np.ndarray:
    values = np.asarray(values, float)
    return np.where(values < 0, np.nan, values)


def _between(grid: np.ndarray, curve: np.ndarray, hours: np.ndarray) -> np.ndarray:
    """The curve at other times: the values themselves at those of the grid."""
    return np.maximum(_monotone(grid, curve, 1, hours), 0.0)


def _monotone(grid: np.ndarray, curve: np.ndarray, axis: int, hours: np.ndarray) -> np.ndarray:
    from scipy.interpolate import PchipInterpolator  # slow to load, and few commands ask for other times

    return PchipInterpolator(grid, curve, axis=axis)(hours)
