"""What a community of microbes will become, from what it was put together from (Baranwal et al., eLife 2022)."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import numpy as np
import optax
from jaxtyping import Float

from ostinato.cells import count_parameters
from ostinato.cells.fixed import free_parameters
from ostinato.communities.baselines import Baseline, baselines
from ostinato.communities.batches import MemberBatches
from ostinato.communities.files import packed, unpack
from ostinato.communities.folds import folds_drawn, folds_listed
from ostinato.communities.forecast import CommunityForecast, between, step_hours
from ostinato.communities.inputs import at_hours, known_features, training_data
from ostinato.communities.intervals import bounds, half_widths, residuals
from ostinato.communities.members import Member, ScaledNetworks, build
from ostinato.communities.network import FORCING, seen_squared
from ostinato.communities.scores import coverage, figures, tests
from ostinato.data import Communities, TimeStandardizer
from ostinato.errors import DataError, SettingsError
from ostinato.models.base import Weights
from ostinato.models.checks import Check, above_0, at_least_0, one_of, units, whole
from ostinato.models.optimizer import adam, learning_rate
from ostinato.models.trained import TrainedEstimator
from ostinato.runs import Run
from ostinato.training import Ensemble, Event, FitResult

SCHEDULES = ("cosine", "constant", "staircase")


class CommunityModel(TrainedEstimator):
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

    After `fit`: `species_`, `metabolites_`, `hours_`, `network_` (an `Ensemble`: members, then folds) and `scales_`
    (together: `networks_`), `baselines_`, `communities_` (the training data, which are saved with the model), `unseen_`
    (what the folds predict for them, each by the network that has not seen it), `medium_` (metabolites at the first
    time), and what `TrainedEstimator` has.

    Raises `SettingsError`, `DataError`, `NotFitted`.

    ```python
    >>> rng = np.random.default_rng(0)
    >>> start = rng.integers(0, 2, (12, 2)) * 0.1 + [0.0, 0.1]
    >>> later = np.stack([start[:, 0] * 5, start[:, 1] * 3 / (1 + 9 * start[:, 0])], axis=1)
    >>> values = np.stack([start, later], axis=1)
    >>> names = tuple(f"c{i}" for i in range(12))
    >>> data = Communities(names, ("A", "B"), (), np.array([0.0, 24.0]), values)
    >>> model = CommunityModel(hidden_size=8, members=1, folds=0, epochs=20, learning_rate=0.05).fit(data)
    >>> made = model.predict(data).values[:, 1]
    >>> bool(np.abs(made - later).max() < 0.1), bool((made[~data.present] == 0).all())
    (True, True)

    ```
    """

    kind = "community"
    checks = (
        *units(),
        *whole("members", "epochs", "batch_size"),
        Check("folds", lambda value, model: isinstance(value, int) and (value == 0 or value >= 2), "0, or 2 or more"),
        *one_of("forcing", FORCING),
        *one_of("schedule", SCHEDULES),
        *above_0("width", "learning_rate"),
        *at_least_0("l2"),
        *above_0("clip", optional=True),
    )

    network_: Ensemble
    scales_: list[TimeStandardizer]
    species_: tuple[str, ...]
    metabolites_: tuple[str, ...]
    hours_: Float[np.ndarray, " times"]
    medium_: Float[np.ndarray, " metabolites"]
    communities_: Communities
    unseen_: Float[np.ndarray, "n later features"]
    baselines_: dict[str, Baseline]
    notes_: tuple[str, ...]

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
        self,
        X: Any,
        y: Any = None,
        *,
        run: Run | None = None,
        callback: Callable[[Event], None] | None = None,
        progress: bool | None = None,
    ) -> "CommunityModel":
        """Train the members, and the folds where there are any, side by side; `y` is not used.

        * `run`: a `runs.Run`, a folder to log into and to resume from.
        * `callback(event)`: told every few steps what an `Event` holds: step, loss, metrics.
        * `progress`: whether a bar is drawn; None: on a terminal and in a notebook, where there is no callback.
        """
        del y
        return self._refit(X, run=run, callback=callback, progress=progress)

    def _fit(self, X: Any, **options: Any) -> None:
        self._check_settings()
        data = training_data(X)
        everything = np.arange(len(data))
        parts = folds_drawn(len(data), self.folds, self.seed) if self.folds else []
        members = [Member(everything, self.seed + i) for i in range(self.members)]
        members += [Member(np.setdiff1d(everything, part), self.seed) for part in parts]
        self.scales_, result = self._train_members(data, members, **options)
        self._keep(result)
        self.species_, self.metabolites_, self.hours_ = data.species, data.metabolites, data.hours
        self.medium_ = data.initial[:, len(data.species) :].mean(0)
        self.baselines_, self.notes_ = baselines(data)
        self.communities_, self.unseen_ = data, np.full(data.values[:, 1:].shape, np.nan)
        if parts:
            made = self.networks_.forecast(data.initial, len(data.hours) - 1)[self.members :]
            for k, part in enumerate(parts):
                self.unseen_[part] = made[k, part]

    @property
    def networks_(self) -> ScaledNetworks:
        """All networks with their scales: members, then folds."""
        self.check_fitted()
        return ScaledNetworks(self.network_, self.scales_)

    @property
    def parameters_(self) -> int:
        """How many numbers one of the networks has learned."""
        one = self.network_.member(0)
        return count_parameters(eqx.filter(one, free_parameters(one)))

    def predict(self, X: Any, hours: Any = None, *, level: float | None = None) -> CommunityForecast:
        """Species and metabolites at `hours`, by default the times of the training data, from the first time alone.

        Between two times of the training data a monotone cubic curve is laid (PCHIP); after the last one the network
        goes on as it did before it, which is an extrapolation. `level`, such as 0.9, adds the bounds between which
        that share of measured values is expected.

        Raises `SettingsError` (a level without `folds`), `DataError` (other species, a feature that is missing at the
        first time, a time before it).
        """
        self.check_fitted()
        data = known_features(X, self.species_, self.metabolites_)
        hours = self.hours_ if hours is None else np.atleast_1d(np.asarray(hours, float))
        if not len(hours) or not np.isfinite(hours).all() or hours.min() < self.hours_[0]:
            raise DataError(f"hours: expected times from {self.hours_[0]:g} h on, got {hours.tolist()}")
        steps = step_hours(self.hours_, float(hours.max()))
        made = self.networks_.forecast(data.initial, len(steps) - 1)[: self.members].mean(0)
        values = between(steps, np.concatenate([data.initial[:, None], made], axis=1), hours)
        if level is None:
            return CommunityForecast(data.names, data.features, hours, values)
        if not self.folds:
            raise SettingsError("level: intervals need errors on communities that a network has not seen; set folds")
        if not 0 < level < 1:
            raise SettingsError(f"level: expected a share between 0 and 1, got {level}")
        absent = np.concatenate([~data.present, np.zeros((len(data), len(data.metabolites)), bool)], axis=1)
        halves = half_widths(residuals(self.communities_, self.unseen_), level)
        lower, upper = bounds(halves, self.hours_, hours, values, absent & self.mask)
        return CommunityForecast(data.names, data.features, hours, values, lower, upper)

    def predict_members(self, X: Any) -> Float[np.ndarray, "members n later features"]:
        """What each member expects at the times of the training data after the first."""
        self.check_fitted()
        data = known_features(X, self.species_, self.metabolites_)
        return self.networks_.forecast(data.initial, len(self.hours_) - 1)[: self.members]

    def evaluate(self, X: Any) -> dict[str, Any]:
        """How good the predictions are, with the baselines beside them, for communities with later samples.

        `times`: squared Pearson r and coefficient of determination at each time (see `community_scores.by_time`);
        `features`: r and error of each; `species_r`, `species_rmse`, `metabolite_r`, `metabolite_rmse`: their means;
        `coverage`: of the 90 % intervals, None without `folds`; `baselines`: the same figures of those in `BASELINES`;
        `tests`: of the network against each baseline, by the name of the R² that they are judged by (see
        `scores.tests`); `members`: the same figures of each member by itself; `count`.

        Raises `DataError` where the times differ from those of the training data.
        """
        self.check_fitted()
        data = at_hours(known_features(X, self.species_, self.metabolites_), self.hours_)
        ours = self.predict(data).values[:, 1:]
        found = figures(data, ours)
        made = self.predict(data, level=0.9) if self.folds else None
        found["coverage"] = None
        if made is not None and made.lower is not None and made.upper is not None:
            found["coverage"] = coverage(data, made.lower[:, 1:], made.upper[:, 1:])
        others = {name: baseline.predict(data) for name, baseline in self.baselines_.items()}
        found["baselines"] = {name: figures(data, said) for name, said in others.items()}
        found["tests"] = tests(data, ours, others)
        found["members"] = [figures(data, one) for one in self.predict_members(data)]
        return {**found, "count": len(data)}

    def cross_validate(
        self, X: Any, folds: int = 20, *, order: Any = None, callback: Callable[[Event], None] | None = None
    ) -> Float[np.ndarray, "n later features"]:
        """Predictions for each community by networks that have not seen its fold, all folds trained side by side.

        `order`: which fold each community is in, `(n,)`; by default a permutation that depends on the seed alone.
        `members` networks of each fold are averaged. Fits nothing: the model stays as it was.

        Raises `SettingsError`, `DataError`, and `ShapeError` for an `order` of another length.
        """
        self._check_settings()
        data = training_data(X)
        parts = folds_drawn(len(data), folds, self.seed) if order is None else folds_listed(len(data), order)
        everything = np.arange(len(data))
        members = [Member(np.setdiff1d(everything, part), self.seed + i) for part in parts for i in range(self.members)]
        scales, result = self._train_members(data, members, callback=callback)
        made = ScaledNetworks(result.model, scales).forecast(data.initial, len(data.hours) - 1)
        made = made.reshape(len(parts), self.members, *made.shape[1:]).mean(1)
        found = np.empty(made.shape[1:])
        for k, part in enumerate(parts):
            found[part] = made[k, part]
        return found

    def _train_members(
        self, data: Communities, members: Sequence[Member], **options: Any
    ) -> tuple[list[TimeStandardizer], FitResult]:
        """One network for each member, all in one compiled step, and the scale of each from its own rows."""
        own = [data.values[member.rows] for member in members]
        scales = [TimeStandardizer.fit(values, width=self.width, pooled=self.pooled_scale) for values in own]
        scaled = [scale.transform(values) for scale, values in zip(scales, own, strict=True)]
        batches = MemberBatches(members, scaled, self.batch_size, self.shuffle)
        result = self._train(
            build(self, scales, data.hours, len(data.species), [member.seed for member in members]),
            batches,
            loss=seen_squared,
            steps=self.epochs * len(batches),
            every=max(self.epochs // 20, 1) * len(batches),
            data=data,
            seed=0,
            **options,
        )
        return scales, result

    def _optimizer(self, steps: int, per_epoch: int) -> optax.GradientTransformation:
        rate = learning_rate(self.schedule, self.learning_rate, steps, per_epoch=per_epoch, warm_up=True)
        return adam(rate, decay=self.l2, coupled=True, clip=self.clip)

    def _fitted(self) -> tuple[Any, dict[str, Any]]:
        weights, numbers = packed(self)
        return weights, numbers | self._training()

    def _restore(self, numbers: dict[str, Any], weights: Weights) -> None:
        self._check_settings()
        self._restore_training(unpack(self, numbers, weights), numbers)
