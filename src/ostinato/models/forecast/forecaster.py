"""Forecasts of one or many series by a recurrent network, with covariates, quantiles, and baselines beside them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from ostinato.data import Batches, SequenceBatch, Series, stream
from ostinato.data.holdout import check_amount, cut_series, held_stops
from ostinato.data.points import is_point, rows_of
from ostinato.errors import LengthError, SettingsError
from ostinato.learning import LearningRule
from ostinato.models.forecast.auto.adapt import Asked, adapt, views_of
from ostinato.models.forecast.auto.adapted import Adapted, Plan, build, said_by
from ostinato.models.forecast.auto.correction import MissedWindows, SideBySide, size_of
from ostinato.models.forecast.base import ForecastEstimator
from ostinato.models.forecast.baselines import ALL, default_baselines, trained_horizon, typical
from ostinato.models.forecast.calibration import Calibration
from ostinato.models.forecast.features import Features
from ostinato.models.forecast.losses import decayed, loss_of, mean_loss
from ostinato.models.forecast.network import ForecastNet, Skip, forward, roll
from ostinato.models.forecast.out_of_sample import by_copy, calibrated, of_search
from ostinato.models.forecast.regular import too_short
from ostinato.models.forecast.settings import ALONE, CHECKS, MIXED, Auto
from ostinato.models.forecast.windows import ROWS, OriginWindows, ridge_map
from ostinato.models.trained import TrainedEstimator
from ostinato.training import Ensemble, History


class Forecaster(TrainedEstimator, ForecastEstimator):
    r"""A forecaster that adapts to its series, or a recurrent network as it is set.

    **Nothing set** (`mixture`, by default where `hidden_size` is `"auto"`, `mode="direct"`, without `quantiles` and
    with `rule="bptt"`): a convex mixture, chosen by rolling origin inside the training rows.

    $$\hat y = (1 - w) \textstyle\sum_c p_c\, f_c + w N,\qquad N = f_\ell + \tfrac1M \sum_m \mathrm{RNN}_m$$

    * $f_c$: ridge regressions on past values, on their changes from the last one, over a season, or both, with and
      without logarithm and calendar, of any order; exponential smoothing; the last value; the season before. The best
      of each kind is mixed with shares $p_c \ge 0$ that sum to 1, shrunk to what each has shown; of what the mixture is
      not shown to gain over the last value, the last value gets the share.
    * N: small networks side by side, which start at the best linear forecast $f_\ell$ and learn what it misses, with
      early stopping. Their share w is what they have shown on rows that they did not see, less its standard error; with
      w above 0 they are trained again on all rows.
    * Short series get no network, and the shortest the last value. Missing values and constant targets are taken.
    * `chosen_` says what was chosen, with the errors of all that was tried. What is set is not chosen: `season` (None:
      there is none), `log`, `subtract_last`, `calendar`, `context` (the longest order, and what the networks read),
      `hidden_size` with `mixture=True`, `cell`, `epochs` or `steps`, `learning_rate`, `patience`. Past and static
      covariates are read by the networks only.

    **A network alone** (`hidden_size` given, or `mixture=False`):

    $$h = \mathrm{RNN}(x_{o-C}, \ldots, x_{o-1}),\qquad \hat y_{o+k} = \mathrm{head}_k(h, z_{o+k})\;
      (+ \textstyle\sum_i A_{ki} y_{o-C+i} + B_k z_{o+k} + c_k)\;(+\, y_{o-1})$$

    `cell` is a name in `CELLS`; `hidden_size` a number, or one for each layer. `head_size` gives the
    head a hidden layer. `linear_skip` adds the trained linear map in brackets: it starts as the ridge regression
    (`skip_ridge`) and the head starts at 0, so that training begins at the linear forecast and learns what that misses.
    `subtract_last` takes targets relative to their last observed value, so that the forecast follows the level. Here
    `"auto"` stands for 64 units, no logarithm, values as they are, no calendar, a learning rate of 0.003, 50 epochs and
    the last tenth of the rows for validation.

    **What is forecast.** `horizon` steps, each with outputs of its own (`mode="direct"`), or one step that is fed back
    (`mode="recursive"`: any horizon at `predict`; no past covariates, no quantiles, the horizon of training is 1).
    `quantiles` such as `(0.1, 0.5, 0.9)` are trained with the pinball loss and sorted, so that they never cross.

    **What is known.** `past`: columns known up to the origin; `future`: known ahead; `static`: constant within a
    series; `calendar`: waves of the date (`data.calendar`), known ahead. With many series one network serves all of
    them. `missing="observed"` allows missing targets and past covariates: they count as 0 after scaling and the network
    sees which are missing, a date that is left out included. Otherwise, and where there is no common step, uneven steps
    are seen through their length, by cells that know time and as a feature.

    **Scaling** is fitted on the training rows alone, without those of `validation`: per series, or `"pooled"`. `log`
    forecasts the logarithm. With `subtract_last` the unit is the size of changes (see `Features`).

    **Training.** Windows of `context` steps (`"auto"`: two seasons and twice the horizon, 24 or more, at most a quarter
    of the median series), `stride` apart; series that are shorter than a window are left out, which `notes_` say. AdamW
    (no decay on the skip), norm of the gradient clipped at `clip`, learning rate `"cosine"` (to 0) or `"constant"`, for
    `epochs` or `steps`. `validation` is the end of each series, a share or a number of rows: the best weights on it are
    kept, and training stops after `patience` epochs without a better one. The order of the windows, the noise and the
    first weights are functions of `seed`. `rule` is one of `learning.RULES`, with `rule_settings`, or a rule: how the
    gradients are found, or what takes their place.

    After `fit`: `network_` (None where none is used), `history_`, `best_`, `steps_`, `stopped_`, `context_`, `tail_`,
    `notes_`; `features_` of a network alone, `chosen_` and `adapted_` of a mixture.

    `fit(data, target, run=, callback=, progress=)`: see `ForecastEstimator.fit` and `training.fit`. Raises
    `SettingsError`, `LengthError` (context and horizon do not fit into the series), `DataError`, `LeakError`,
    `NonFiniteError`.

    ```python
    >>> import numpy as np
    >>> wave = {"x": np.sin(np.arange(120) / 3)}
    >>> Forecaster(horizon=3).fit({"x": wave["x"][:50]}, "x").predict()["x"].round(2).tolist()
    [-0.82, -0.96, -1.0]
    >>> model = Forecaster(hidden_size=4, context=12, horizon=3, linear_skip=True, epochs=1).fit(wave, "x")
    >>> model.predict(level=(90,)).names, bool(abs(model.predict()["x"] - np.sin(np.arange(120, 123) / 3)).max() < 0.1)
    (('step', 'x', 'x_lo90', 'x_hi90'), True)

    ```
    """

    kind = "forecaster"
    warm_up = False
    checks = CHECKS

    def __init__(
        self,
        cell: str = "gru",
        hidden_size: Auto | int | Sequence[int] = "auto",
        num_layers: int = 1,
        horizon: int = 1,
        context: Auto | int = "auto",
        *,
        mixture: Auto | bool = "auto",
        season: Auto | int | None = "auto",
        mode: str = "direct",
        quantiles: Sequence[float] | None = None,
        past: Sequence[str] = (),
        future: Sequence[str] = (),
        static: Sequence[str] = (),
        calendar: Auto | Sequence[str] = "auto",
        subtract_last: Auto | bool = "auto",
        linear_skip: bool = False,
        skip_ridge: float = 1e-4,
        head_size: int | None = None,
        missing: str = "auto",
        scaling: str = "series",
        log: Auto | bool = "auto",
        loss: str = "squared",
        dropout: float = 0.0,
        epochs: Auto | float | None = "auto",
        steps: int | None = None,
        batch_size: int = 64,
        stride: int = 1,
        learning_rate: Auto | float = "auto",
        schedule: str = "cosine",
        weight_decay: float = 0.0,
        clip: float = 1.0,
        validation: Auto | int | float | str = "auto",
        patience: int | None = None,
        rule: str | LearningRule = "bptt",
        rule_settings: dict[str, Any] | None = None,
        seed: int = 0,
    ):
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.horizon = horizon
        self.context = context
        self.mixture = mixture
        self.season = season
        self.mode = mode
        self.quantiles = quantiles
        self.past = past
        self.future = future
        self.static = static
        self.calendar = calendar
        self.subtract_last = subtract_last
        self.linear_skip = linear_skip
        self.skip_ridge = skip_ridge
        self.head_size = head_size
        self.missing = missing
        self.scaling = scaling
        self.log = log
        self.loss = loss
        self.dropout = dropout
        self.epochs = epochs
        self.steps = steps
        self.batch_size = batch_size
        self.stride = stride
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.clip = clip
        self.validation = validation
        self.patience = patience
        self.rule = rule
        self.rule_settings = rule_settings
        self.seed = seed

    @property
    def label(self) -> str:
        if self._mixing:
            return "forecaster"
        return f"{self.cell if isinstance(self.cell, str) else self.cell.__name__} forecaster"

    @property
    def _mixing(self) -> bool:
        """Whether a mixture of simple forecasts is corrected, or a network stands alone."""
        if self.mixture != "auto":
            return bool(self.mixture)
        return self.hidden_size == "auto" and self.mode == "direct" and not self.quantiles and self.rule == "bptt"

    def _setting(self, name: str, default: Any = None) -> Any:
        value = getattr(self, name, default)
        usual = MIXED if self._mixing else ALONE
        free = value is None if name == "patience" else isinstance(value, str) and value == "auto"
        return usual.get(name, value) if free else value

    @property
    def _reach(self) -> int:
        return 1 if self._mixing else self.context_

    @property
    def _kept(self) -> int:
        return ALL if self._mixing else super()._kept

    @property
    def _missing(self) -> bool:
        return self._setting("missing") == "observed"

    @property
    def _regular(self) -> bool:
        return self._missing

    @property
    def _trained_horizon(self) -> int:
        return 1 if self.mode == "recursive" else self.horizon

    @property
    def _decayed(self) -> Callable[[Any], Any] | None:
        return None if self._mixing else decayed

    def _horizon(self, horizon: int | None) -> int:
        asked = super()._horizon(horizon)
        return asked if self.mode == "recursive" else trained_horizon(asked, self.horizon)

    def _baselines(self, train: Series, horizon: int, calibrate: bool = True) -> dict[str, ForecastEstimator]:
        return default_baselines(self, train, horizon, calibrate=calibrate)

    def _check_settings(self) -> None:
        super()._check_settings()
        if self.validation != "auto" and not is_point(self.validation):
            check_amount("validation", self.validation)
        if self.mode == "recursive" and (self.past or self.quantiles):
            what = "past covariates" if self.past else "quantiles"
            why = "their future is not known" if self.past else "they cannot be fed back"
            raise SettingsError(f"mode='recursive' has no {what}: {why}; use mode='direct'")
        if self.mixture is True and (self.mode == "recursive" or self.quantiles or self.rule != "bptt"):
            raise SettingsError("mixture=True: needs mode='direct', no quantiles, and rule='bptt'")

    def _judge(self, series: Series, stops: Sequence[int]) -> None:
        if self._mixing:
            views_of(self._asked, series, stops)
            return
        self._prepare(series, stops)
        eqx.filter_eval_shape(lambda: self._build(None))

    def _learn(self, series: Series, stops: Sequence[int], *, run: Any = None, callback: Any = None) -> Sequence[str]:
        """Train; `run` is a `runs.Run` to resume from and log to, `callback` is told of the progress."""
        if self._mixing:
            return self._adapt(series, stops, run, callback)
        source, ahead = self._prepare(series, stops)
        network = self._network(source)
        batches = Batches(source, min(self.batch_size, len(source)), seed=self.seed, buckets=1)
        judge = lambda network: {"validation": self._loss_on(network, ahead)}
        validate = None if ahead is None else judge
        result = self._train(
            network,
            batches,
            loss=loss_of(self.loss, self._levels),
            steps=self._steps(len(batches)),
            data=replace(cut_series(series, stops=stops), notes=()),
            validate=validate,
            run=run,
            callback=callback,
        )
        self._keep(result)
        if self.linear_skip and validate is not None:
            start = validate(network)
            if start["validation"] <= result.best.get("validation", np.inf):
                self.network_, self.best_ = network, {"step": 0, **start}
        need = self.context_ + self._trained_horizon
        short = too_short(series.ids, stops, need, f"no window of {self.context_} and a horizon; not trained on")
        return [short] if short else []

    def _calibrated(self, series: Series, stops: Sequence[int]) -> Calibration | None:
        """Errors at the rolling origins of the search, on the validation rows, or those of a copy."""
        if hasattr(self, "adapted_"):
            if max(stops) < 2:
                return None
            return of_search(self.out_of_sample_, series, stops, self.horizon)
        validation = self._setting("validation")
        if not validation:
            return by_copy(self, series, stops, self.horizon)
        starts = self._validated(series, stops)
        return calibrated(self, series, stops, starts, self.horizon)

    def _steps(self, batches: int) -> int:
        """Steps of training, of so many batches in an epoch."""
        return self.steps if self.steps is not None else round((self._setting("epochs") or 0) * batches)

    @property
    def _asked(self) -> Asked:
        names = ("horizon", "season", "context", "log", "subtract_last", "calendar", "scaling", "hidden_size", "seed")
        return Asked(**{name: getattr(self, name) for name in names})

    def _adapt(self, series: Series, stops: Sequence[int], run: Any, callback: Any) -> Sequence[str]:
        """Mix simple forecasts, and train networks on what these miss."""
        self.network_, self.history_, self.best_ = None, History(), {}
        self.steps_, self.stopped_ = 0, "no network"
        data = replace(cut_series(series, stops=stops), notes=())

        span = 0

        def train(plan: Plan, source: OriginWindows, ahead: MissedWindows | None) -> Ensemble:
            nonlocal span
            network, batches = self._built(plan), SideBySide(source, self.batch_size, plan.seeds)
            options: dict[str, Any] = {"loss": loss_of(self.loss, ())}
            if ahead is None:
                # As many steps as were best where the end was held out; these are the rows of that end as well.
                return self._train(network, batches, steps=int(self.best_["step"]), span=span, **options).last
            free = self.epochs == "auto" and self.steps is None
            span = size_of(len(source))[1] if free else self._steps(len(batches))
            rows = np.unique(np.linspace(0, len(ahead) - 1, min(len(ahead), 2 * ROWS)).astype(int))
            judged = ahead.only(rows)
            truth = judged.take(np.arange(len(rows)), plan.context + plan.horizon).targets
            result = self._train(
                network,
                batches,
                steps=span,
                every=max(span // 25, 1),
                data=data,
                validate=lambda network: {"validation": mean_loss(said_by(network, judged), truth, self.loss, ())},
                run=run,
                callback=callback,
                **options,
            )
            self._keep(result)
            return result.model

        self.adapted_, found = adapt(self._asked, series, stops, train)
        self.network_ = self.adapted_.network
        self.out_of_sample_ = found
        self.context_ = 1 if self.adapted_.plan is None else self.adapted_.plan.context
        if self.network_ is None and run is not None and not self.steps_:
            run.write_metrics({"steps": 0, "stopped": self.stopped_, "best": {}, "last": {}, "skipped": []})
        return (self.adapted_.words,)

    @property
    def chosen_(self) -> dict[str, Any]:
        """What was chosen from the data and why: see `Adapted.chosen`; empty where nothing was free."""
        adapted = getattr(self, "adapted_", None)
        return {} if adapted is None else adapted.chosen

    def _built(self, plan: Plan) -> Ensemble:
        return build(plan, self.cell, self.num_layers, self.dropout, self.head_size)

    def _validated(self, series: Series, stops: Sequence[int]) -> list[int]:
        """For each series the row where its validation part begins."""
        validation = self._setting("validation")
        if is_point(validation):
            return rows_of(cut_series(series, stops=stops), validation, name="validation")
        return held_stops(validation, stops, name="validation")

    def _prepare(self, series: Series, stops: Sequence[int]) -> tuple[OriginWindows, OriginWindows | None]:
        """The windows to train on and those to judge by; sets what they rest on. All that can be judged is judged."""
        horizon, train = self._trained_horizon, self._validated(series, stops)
        held = max(n - t for n, t in zip(stops, train, strict=True))
        self.context_ = self._context(series, train)
        self.features_ = Features.fit(
            series,
            train,
            calendar=self._setting("calendar"),
            log=self._setting("log"),
            scaling=self.scaling,
            lags=horizon if self._setting("subtract_last") else 0,
        )
        arrays = self.features_.arrays(series)
        origins = [np.arange(self.context_, n - horizon + 1, self.stride) for n in train]
        if not any(len(o) for o in origins):
            raise LengthError(
                f"context {self.context_} and horizon {horizon} need {self.context_ + horizon} rows to train on, the "
                f"longest series has {max(train)} (and {held} for validation)"
            )
        after = [np.arange(max(t, self.context_), n - horizon + 1) for t, n in zip(train, stops, strict=True)]
        source = self._source(arrays, horizon, origins)
        ahead = self._source(arrays, horizon, after) if any(len(o) for o in after) else None
        if ahead is None and self._setting("validation"):
            raise LengthError(f"validation: {held} rows hold no window of horizon {horizon}; give more, or 0")
        return source, ahead

    def _context(self, series: Series, train: Sequence[int]) -> int:
        if isinstance(self.context, int):
            return self.context
        season = (series.frequency.season if series.frequency is not None else None) or 1
        return max(min(max(2 * season, 2 * self.horizon, 24), typical(train) // 4), 1)

    def _at(self, series: Series, origins: Sequence[np.ndarray], horizon: int) -> list[np.ndarray]:
        if self._mixing:
            made = self.adapted_.forecast(series, origins, horizon)
            return np.split(made, np.cumsum([len(o) for o in origins])[:-1])
        arrays = self.features_.arrays(series)
        result = []
        for i, o in enumerate(origins):
            # A direct network gives all its steps; rows that are not there yet are made up, and cut off again.
            direct = self.mode == "direct"
            steps = self.horizon if direct else min(horizon, len(arrays[i]) - int(o.max(initial=0)))
            padded = np.concatenate([arrays[i], np.zeros((max(steps - horizon, 0), arrays[i].shape[1]))])
            source = self._source([padded], steps, [o])
            y = np.moveaxis(self._forecast(self.network_, source, steps)[:, :horizon], 2, -1)
            result.append(np.moveaxis(self.features_.to_units(y, series, i), -1, 2))
        return result

    def _network(self, source: OriginWindows) -> ForecastNet:
        """The network before training."""
        skip = None
        if self.linear_skip:
            parts = ridge_map(source, subtract_last=self._setting("subtract_last"), ridge=self.skip_ridge)
            skip = Skip(*(jnp.asarray(p, jnp.result_type(float)) for p in parts))
        return self._build(skip)

    def _build(self, skip: Skip | None) -> ForecastNet:
        size = self._setting("hidden_size")
        return ForecastNet(
            self.cell,
            size if isinstance(size, int) else list(size),
            self.num_layers if isinstance(size, int) else len(size),
            self.features_.layout,
            self.context_,
            self._trained_horizon,
            levels=len(self._levels),
            subtract_last=self._setting("subtract_last"),
            indicators=self._missing,
            dropout=self.dropout,
            head_size=self.head_size,
            skip=skip,
            key=stream(self.seed, "init"),
        )

    def _source(self, arrays: Sequence[np.ndarray], horizon: int, origins: Sequence[np.ndarray]) -> OriginWindows:
        return OriginWindows(arrays, self.features_.layout, self.context_, horizon, origins, missing=self._missing)

    def _forecast(self, network: ForecastNet, source: OriginWindows, steps: int) -> np.ndarray:
        """Scaled forecasts of all windows, in blocks of one size so that there is one compilation."""
        blocks = []
        size = min(ROWS, len(source)) or 1
        for start in range(0, len(source), size):
            rows = np.arange(start, min(start + size, len(source)))
            taken = source.take(np.resize(rows, size), self.context_ + steps)
            observed = None if taken.observed is None else jnp.asarray(taken.observed)
            xs = SequenceBatch(jnp.asarray(taken.values, jnp.result_type(float)), observed=observed)
            y = forward(network, xs) if self.mode == "direct" else roll(network, xs, steps)
            blocks.append(np.asarray(y, np.float64)[: len(rows)])
        empty = np.zeros((0, steps, self.features_.layout.targets, *([len(self._levels)] if self._levels else [])))
        return np.concatenate([empty, *blocks])

    def _loss_on(self, network: ForecastNet, source: Any) -> float:
        """The loss that is trained, on all windows of a source."""
        steps = self._trained_horizon
        y = self._forecast(network, source, steps)
        truth = source.take(np.arange(len(source)), self.context_ + steps).targets
        return mean_loss(y, truth, self.loss, self._levels)

    def _numbers(self) -> dict[str, Any]:
        if self._mixing:
            return {"adapted": self.adapted_.numbers(), "context": self.context_, "training": self._training()}
        return {"features": self.features_.to_dict(), "context": self.context_, "training": self._training()}

    def _arrays(self) -> PyTree[Any]:
        return self.adapted_.arrays() if self._mixing else eqx.filter(self.network_, eqx.is_array)

    def _like(self, numbers: dict[str, Any]) -> PyTree[Any]:
        self.context_ = int(numbers["context"])
        self._restore_training(None, numbers["training"])
        if self._mixing:
            self.adapted_ = Adapted.like(numbers["adapted"], self._built)
            return self.adapted_.arrays()
        self.features_ = Features.from_dict(numbers["features"])
        layout, horizon = self.features_.layout, self._trained_horizon
        sizes = ((self.context_,), (layout.future,), ())

        def shaped() -> ForecastNet:
            if not self.linear_skip:
                return self._build(None)
            return self._build(Skip(*(jnp.zeros((layout.targets, horizon, *size)) for size in sizes)))

        return eqx.filter_eval_shape(shaped)

    def _take(self, arrays: PyTree[Any]) -> None:
        if self._mixing:
            self.adapted_ = self.adapted_.filled(arrays)
            self.network_ = self.adapted_.network
        else:
            self.network_ = arrays
