"""Forecasts of one or many series by a recurrent network, with covariates, quantiles, and baselines beside them."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, PyTree

from ostinato import losses
from ostinato.data import Batches, SequenceBatch, Series, stream
from ostinato.errors import LengthError, SettingsError
from ostinato.learning import DirectRule, Method, make_rule
from ostinato.models.forecast.base import ForecastEstimator
from ostinato.models.forecast.baselines import trained_horizon
from ostinato.models.forecast.features import Features
from ostinato.models.forecast.network import ForecastNet, Skip, forward, roll
from ostinato.models.forecast.windows import OriginWindows, ridge_map
from ostinato.training import FitResult, fit

LOSSES: dict[str, Callable[..., Array]] = {
    "squared": losses.squared,
    "absolute": losses.absolute,
    "huber": losses.huber(),
}
ROWS = 256
"""Windows that are forecast at once."""


class Forecaster(ForecastEstimator):
    r"""A recurrent network that reads a context of past steps and forecasts the next ones.

    $$h = \mathrm{RNN}(x_{o-C}, \ldots, x_{o-1}),\qquad \hat y_{o+k} = \mathrm{head}_k(h, z_{o+k})\;
      (+ \textstyle\sum_i A_{ki} y_{o-C+i} + B_k z_{o+k} + c_k)\;(+\, y_{o-1})$$

    **The network.** `cell` is a name in `CELLS`; `hidden_size` a number, or one for each layer. `head_size` gives the
    head a hidden layer. `linear_skip` adds the trained linear map in brackets: it starts as the ridge regression
    (`skip_ridge`) and the head starts at 0, so that training begins at the linear forecast and learns what that misses.
    `subtract_last` takes targets relative to their last observed value, so that the forecast follows the level.

    **What is forecast.** `horizon` steps, each with outputs of its own (`mode="direct"`), or one step that is fed back
    (`mode="recursive"`: any horizon at `predict`; no past covariates, no quantiles, the horizon of training is 1).
    `quantiles` such as `(0.1, 0.5, 0.9)` are trained with the pinball loss and sorted, so that they never cross.

    **What is known.** `past`: columns known up to the origin; `future`: known ahead; `static`: constant within a
    series; `calendar`: waves of the date (`data.calendar`), known ahead. With many series one network serves all of
    them. `missing="observed"` allows missing targets and past covariates: they count as 0 after scaling and the network
    sees which are missing. Uneven steps are seen through their length, by cells that know time and as a feature.

    **Scaling** is fitted on the training rows alone, without those of `validation`: per series, or `"pooled"`. `log`
    forecasts the logarithm. With `subtract_last` the unit is the size of changes (see `Features`).

    **Training.** Windows of `context` steps (`None`: two seasons and twice the horizon, at least 24, at most a quarter
    of the shortest series), `stride` apart; AdamW (no decay on the skip), norm of the gradient clipped at `clip`,
    learning rate `"cosine"` (to 0) or `"constant"`, for `epochs` or `steps`. `validation` is the end of each series, a
    fraction or a number of rows: the best weights on it are kept, and training stops after `patience` epochs without a
    better one. The order of the windows, the noise and the first weights are functions of `seed`. `rule` is one of
    `learning.RULES`, with `rule_settings`, or a rule: how the gradients are found, or what takes their place.

    After `fit`: `net_`, `features_`, `context_`, `training_` (`history`, `best`, `steps`, `stopped`), `tail_`,
    `notes_`.

    Raises `SettingsError`, `LengthError` (context and horizon do not fit into the series), `DataError`, `LeakError`,
    `NonFiniteError`.

    ```python
    >>> import numpy as np
    >>> wave = {"x": np.sin(np.arange(120) / 3)}
    >>> model = Forecaster(hidden_size=4, context=12, horizon=3, linear_skip=True, epochs=1).fit(wave, "x")
    >>> model.predict().names, bool(abs(model.predict()["x"] - np.sin(np.arange(120, 123) / 3)).max() < 0.1)
    (('step', 'x'), True)

    ```
    """

    kind = "forecaster"

    def __init__(
        self,
        cell: str = "gru",
        hidden_size: int | Sequence[int] = 64,
        num_layers: int = 1,
        horizon: int = 1,
        context: int | None = None,
        *,
        mode: str = "direct",
        quantiles: Sequence[float] | None = None,
        past: Sequence[str] = (),
        future: Sequence[str] = (),
        static: Sequence[str] = (),
        calendar: Sequence[str] = (),
        subtract_last: bool = False,
        linear_skip: bool = False,
        skip_ridge: float = 1e-4,
        head_size: int | None = None,
        missing: str = "refuse",
        scaling: str = "series",
        log: bool = False,
        loss: str = "squared",
        dropout: float = 0.0,
        epochs: float | None = 50,
        steps: int | None = None,
        batch_size: int = 64,
        stride: int = 1,
        learning_rate: float = 3e-3,
        schedule: str = "cosine",
        weight_decay: float = 0.0,
        clip: float = 1.0,
        validation: int | float = 0.1,
        patience: int | None = None,
        rule: str | Method = "bptt",
        rule_settings: dict[str, Any] | None = None,
        seed: int = 0,
    ):
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.horizon = horizon
        self.context = context
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
        return f"{self.cell if isinstance(self.cell, str) else self.cell.__name__} forecaster"

    @property
    def _reach(self) -> int:
        return self.context_

    @property
    def _missing(self) -> bool:
        return self.missing == "observed"

    @property
    def _trained_horizon(self) -> int:
        return 1 if self.mode == "recursive" else self.horizon

    def _horizon(self, horizon: int | None) -> int:
        asked = super()._horizon(horizon)
        return asked if self.mode == "recursive" else trained_horizon(asked, self.horizon)

    def _fit(
        self, series: Series, stops: Sequence[int], *, run: Any = None, callback: Any = None, **options: Any
    ) -> None:
        """Train; `run` is a `runs.Run` to resume from and log to, `callback` is told of the progress."""
        if options:
            raise TypeError(f"fit: unexpected {', '.join(options)}")
        self._check_settings()
        horizon = self._trained_horizon
        held = [_rows(self.validation, n) for n in stops]
        train = [n - h for n, h in zip(stops, held, strict=True)]
        self.context_ = self._context(series, train)
        lags = horizon if self.subtract_last else 0
        features = self.features_ = Features.fit(
            series, train, calendar=self.calendar, log=self.log, scaling=self.scaling, lags=lags
        )
        arrays = features.arrays(series)
        origins = [np.arange(self.context_, n - horizon + 1, self.stride) for n in train]
        if not any(len(o) for o in origins):
            raise LengthError(
                f"context {self.context_} and horizon {horizon} need {self.context_ + horizon} rows to train on, the "
                f"longest series has {max(train)} (and {max(held)} for validation)"
            )
        after = [np.arange(max(t, self.context_), n - horizon + 1) for t, n in zip(train, stops, strict=True)]
        source = self._source(arrays, horizon, origins)
        ahead = self._source(arrays, horizon, after) if any(len(o) for o in after) else None
        if ahead is None and self.validation:
            raise LengthError(f"validation: {max(held)} rows hold no window of horizon {horizon}; give more, or 0")
        self.net_, result = self._train(self._net(source), source, ahead, run, callback)
        self.training_ = {
            "history": result.history,
            "best": result.best,
            "steps": result.steps,
            "stopped": result.stopped,
        }

    def _at(self, series: Series, origins: Sequence[np.ndarray], horizon: int) -> list[np.ndarray]:
        arrays = self.features_.arrays(series)
        result = []
        for i, o in enumerate(origins):
            # A direct network gives all its steps; rows that are not there yet are made up, and cut off again.
            steps = horizon if self.mode == "recursive" else self.horizon
            padded = np.concatenate([arrays[i], np.zeros((max(steps - horizon, 0), arrays[i].shape[1]))])
            source = self._source([padded], steps, [o])
            y = np.moveaxis(self._forecast(self.net_, source, steps)[:, :horizon], 2, -1)
            result.append(np.moveaxis(self.features_.to_units(y, series, i), -1, 2))
        return result

    def _train(
        self, net: ForecastNet, source: OriginWindows, ahead: OriginWindows | None, run: Any, callback: Any
    ) -> tuple[ForecastNet, FitResult]:
        batches = Batches(source, min(self.batch_size, len(source)), seed=self.seed, buckets=1)
        total = self.steps if self.steps is not None else round((self.epochs or 0) * len(batches))
        rate = self.learning_rate
        if self.schedule == "cosine":
            rate = optax.cosine_decay_schedule(rate, max(total, 1))
        optimizer = optax.chain(
            optax.clip_by_global_norm(self.clip), optax.adamw(rate, weight_decay=self.weight_decay, mask=_decayed)
        )
        inner = losses.quantile(self.quantiles) if self.quantiles else LOSSES[self.loss]

        def loss(y: Array, target: dict[str, Array]) -> Array:
            return known_loss(inner, y, target)

        def validate(net: ForecastNet) -> dict[str, float]:
            assert ahead is not None
            return {"validation": self._loss_on(net, ahead)}

        rule = make_rule(self.rule, self.rule_settings)
        result = fit(
            net,
            batches,
            loss=loss,
            rule=rule,
            optimizer=None if isinstance(rule, DirectRule) else optimizer,
            steps=total,
            validate=None if ahead is None else validate,
            patience=self.patience,
            seed=self.seed,
            run=run,
            callback=callback,
        )
        if self.linear_skip and ahead is not None:
            start = validate(net)
            if start["validation"] <= result.best.get("validation", np.inf):
                return net, result._replace(best={"step": 0, **start})
        return result.model, result

    def _net(self, source: OriginWindows) -> ForecastNet:
        """The network before training."""
        skip = None
        if self.linear_skip:
            parts = ridge_map(source, subtract_last=self.subtract_last, ridge=self.skip_ridge)
            skip = Skip(*(jnp.asarray(p, jnp.result_type(float)) for p in parts))
        return self._build(skip)

    def _build(self, skip: Skip | None) -> ForecastNet:
        return ForecastNet(
            self.cell,
            self.hidden_size if isinstance(self.hidden_size, int) else list(self.hidden_size),
            self.num_layers if isinstance(self.hidden_size, int) else len(self.hidden_size),
            self.features_.layout,
            self.context_,
            self._trained_horizon,
            levels=len(self._levels),
            subtract_last=self.subtract_last,
            indicators=self._missing,
            dropout=self.dropout,
            head_size=self.head_size,
            skip=skip,
            key=stream(self.seed, "init"),
        )

    def _source(self, arrays: Sequence[np.ndarray], horizon: int, origins: Sequence[np.ndarray]) -> OriginWindows:
        return OriginWindows(arrays, self.features_.layout, self.context_, horizon, origins, missing=self._missing)

    def _forecast(self, net: ForecastNet, source: OriginWindows, steps: int) -> np.ndarray:
        """Scaled forecasts of all windows, in blocks of one size so that there is one compilation."""
        blocks = []
        size = min(ROWS, len(source)) or 1
        for start in range(0, len(source), size):
            rows = np.arange(start, min(start + size, len(source)))
            taken = source.take(np.resize(rows, size), self.context_ + steps)
            dtype = jnp.result_type(float)
            xs = SequenceBatch(jnp.asarray(taken.values, dtype), observed=_optional(taken.observed))
            y = forward(net, xs) if self.mode == "direct" else roll(net, xs, steps)
            blocks.append(np.asarray(y, np.float64)[: len(rows)])
        empty = np.zeros((0, steps, self.features_.layout.targets, *([len(self._levels)] if self._levels else [])))
        return np.concatenate([empty, *blocks])

    def _loss_on(self, net: ForecastNet, source: OriginWindows) -> float:
        """The loss that is trained, on all windows of a source."""
        steps = self._trained_horizon
        y = self._forecast(net, source, steps)
        truth = source.take(np.arange(len(source)), self.context_ + steps).targets
        known = truth["known"]
        error = truth["values"][known] - y[known].T
        if self._levels:
            tau = np.array(self._levels)[:, None]
            return float(np.mean(np.maximum(tau * error, (tau - 1) * error)))
        return float(np.mean(np.abs(error) if self.loss == "absolute" else error**2))

    def _context(self, series: Series, train: Sequence[int]) -> int:
        if self.context is not None:
            if self.context < 1:
                raise SettingsError(f"context: expected 1 or more, got {self.context}")
            return self.context
        season = (series.frequency.season if series.frequency is not None else None) or 1
        return max(min(max(2 * season, 2 * self.horizon, 24), min(train) // 4), 1)

    def _check_settings(self) -> None:
        if self.mode not in ("direct", "recursive"):
            raise SettingsError(f"mode: expected 'direct' or 'recursive', got {self.mode!r}")
        if self.missing not in ("refuse", "observed"):
            raise SettingsError(f"missing: expected 'refuse' or 'observed', got {self.missing!r}")
        if self.loss not in LOSSES:
            raise SettingsError(f"loss: expected one of {', '.join(LOSSES)}, got {self.loss!r}")
        if self.schedule not in ("cosine", "constant"):
            raise SettingsError(f"schedule: expected 'cosine' or 'constant', got {self.schedule!r}")
        if self.mode == "recursive" and (self.past or self.quantiles):
            what = "past covariates" if self.past else "quantiles"
            why = "their future is not known" if self.past else "they cannot be fed back"
            raise SettingsError(f"mode='recursive' has no {what}: {why}; use mode='direct'")
        if self.patience is not None and not self.validation:
            raise SettingsError("patience: needs rows to judge by; set validation above 0")
        for name in ("horizon", "batch_size", "stride"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name}: expected 1 or more, got {getattr(self, name)}")
        if (self.steps is None) == (self.epochs is None):
            raise SettingsError("steps, epochs: expected exactly one of them; the other is None")
        if self.quantiles is not None and list(self.quantiles) != sorted(set(self.quantiles)):
            raise SettingsError(f"quantiles: expected rising levels, got {list(self.quantiles)}")

    def _numbers(self) -> dict[str, Any]:
        return {"features": self.features_.to_dict(), "context": self.context_, "training": self.training_}

    def _arrays(self) -> PyTree[Any]:
        return eqx.filter(self.net_, eqx.is_array)

    def _like(self, numbers: dict[str, Any]) -> PyTree[Any]:
        self.features_, self.context_ = Features.from_dict(numbers["features"]), int(numbers["context"])
        self.training_ = numbers["training"]
        layout, horizon = self.features_.layout, self._trained_horizon
        sizes = ((self.context_,), (layout.future,), ())

        def build() -> ForecastNet:
            if not self.linear_skip:
                return self._build(None)
            return self._build(Skip(*(jnp.zeros((layout.targets, horizon, *size)) for size in sizes)))

        return eqx.filter_eval_shape(build)

    def _take(self, arrays: PyTree[Any]) -> None:
        self.net_ = arrays


def known_loss(inner: Callable[..., Array], y: Array, target: dict[str, Array]) -> Array:
    """The mean of a loss over the entries of `(horizon, targets)` whose truth is known; 0 where none is."""
    known = target["known"]
    wide = known if y.ndim == known.ndim else known[..., None]
    value = inner(jnp.where(wide, y, jnp.zeros_like(y)), target["values"])
    share = jnp.mean(known.astype(y.dtype))
    return value / jnp.where(share > 0, share, jnp.ones_like(share))


def _decayed(weights: PyTree[Any]) -> PyTree[Any]:
    """Where weight decay applies: matrices of the net, not the skip."""
    flags = jax.tree.map(lambda leaf: leaf.ndim > 1, weights)
    none = jax.tree.map(lambda leaf: False, weights.skip)
    return eqx.tree_at(lambda net: net.skip, flags, none, is_leaf=lambda leaf: leaf is None)


def _rows(validation: int | float, rows: int) -> int:
    if validation < 0 or (isinstance(validation, float) and validation >= 1):
        raise SettingsError(f"validation: expected a number of rows or a fraction below 1, got {validation}")
    return min(round(validation * rows) if isinstance(validation, float) else int(validation), rows)


def _optional(array: np.ndarray | None) -> Array | None:
    return None if array is None else jnp.asarray(array)
