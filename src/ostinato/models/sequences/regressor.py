"""Numbers for a sequence of any length, or for each of its steps."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, Float

from ostinato.checks import check_finite
from ostinato.data import Standardizer
from ostinato.errors import CorruptFile, DataError, ShapeError
from ostinato.losses import squared
from ostinato.models.sequences.estimator import SequenceEstimator
from ostinato.models.sequences.inputs import Sequences, targets_of


class Targets(NamedTuple):
    """What is learnt from targets: their scaling, and whether they came without an axis of targets."""

    scale: Standardizer
    single: bool


class SequenceRegressor(SequenceEstimator):
    r"""A recurrent network, a summary of its outputs over time, and a linear map to one or several numbers.

    $$\hat y = \mu_y + s_y \odot (V\, \mathrm{pool}_t(h_t) + c)$$

    `fit(X, y)`, `predict`, `score` (R²), `evaluate`, `save` and `load`. X as for `SequenceClassifier`; y is `(n,)` or
    `(n, targets)`, and what `predict` gives has the same axes. With `per_step=True` it is a list of `(time,)` or
    `(time, targets)`. The settings are those of `SequenceClassifier`; `validation` holds out sequences as a function
    of the seed and keeps the weights of the epoch with the least squared error on them.

    Inputs and targets are standardised with mean and deviation of the training part; the squared error is minimised.
    After `fit`: `network_`, `history_`, `best_`, `scale_`, `target_scale_`, `edges_`, `n_features_in_`, `n_targets_`,
    and `baseline_`, a ridge on mean and deviation of each feature over time (`per_step`: on the step itself).

    Raises `ShapeError`, `DataError`, `NonFiniteError`, `SettingsError`, `NotFitted`.

    ```python
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(rng.integers(3, 7), 1)) for _ in range(40)]
    >>> y = np.array([x.sum() for x in X])
    >>> model = SequenceRegressor(hidden_size=8, epochs=60, learning_rate=0.02).fit(X, y)
    >>> model.predict(X[:3]).shape, model.score(X, y) > 0.9
    ((3,), True)

    ```
    """

    kind = "sequence-regressor"
    estimator_type = "regressor"

    def predict(self, X: Any) -> Any:
        """Numbers in the units of the targets, `(n,)` or `(n, targets)`; `per_step`: a list of such over time."""
        outputs = self._run(self._inputs(X))
        return [self._units(part) for part in outputs] if self.per_step else self._units(outputs)

    def score(self, X: Any, y: Any = None) -> float:
        """R², the mean over the targets: 1 is perfect, 0 as good as their mean on these data."""
        return self.evaluate(X, y)["r2"]

    def evaluate(self, X: Any, y: Any = None) -> dict[str, Any]:
        """How good the numbers are, with the baselines beside it.

        `r2`, `rmse`, `mae`, each the mean over the targets; `baselines`: the same of `mean` (that of the training
        data) and `linear` (`baseline_`); `per_target`: a list of the same for each target; `count`. R² of targets that
        do not vary is 1 where they are met exactly, else 0.
        """
        sequences = self._inputs(X)
        raw = self._read(sequences, targets_of(X, y))
        truth = np.concatenate([_columns(part) for part in raw]) if self.per_step else _columns(raw)
        if truth.shape[1] != self.n_targets_:
            raise ShapeError(f"y: expected {self.n_targets_} targets, got {truth.shape[1]}")
        outputs = self._run(sequences)
        found = self.target_scale_.inverse((np.concatenate(outputs) if self.per_step else outputs).astype(np.float64))
        linear = self.target_scale_.inverse(self.baseline_.predict(self._summaries(sequences)))
        mean = np.broadcast_to(self.target_scale_.mean, truth.shape)
        return {
            **_scores(truth, found),
            "baselines": {"mean": _scores(truth, mean), "linear": _scores(truth, linear)},
            "per_target": [_scores(truth[:, [k]], found[:, [k]]) for k in range(truth.shape[1])],
            "count": len(truth),
        }

    def _units(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs in the units and with the axes of the targets."""
        found = self.target_scale_.inverse(outputs.astype(np.float64))
        return found[..., 0] if self._single else found

    def _read(self, sequences: Sequences, targets: Any) -> Any:
        count = len(sequences.values)
        got = len(targets) if hasattr(targets, "__len__") else f"{targets!r:.60}"
        if got != count:
            raise ShapeError(f"y: expected {count} targets, one for each sequence, got {got}")
        if not self.per_step:
            return _numbers(targets, "y")
        parts = [_numbers(part, f"y[{i}]") for i, part in enumerate(targets)]
        for i, (part, values) in enumerate(zip(parts, sequences.values, strict=True)):
            expected = (len(values), *parts[0].shape[1:])
            if part.shape != expected:
                raise ShapeError(f"y[{i}]: expected {expected}, a target for each step, got {part.shape}")
        return parts

    def _learn(self, raw: Any, rows: np.ndarray) -> Targets:
        if self.per_step:
            return Targets(Standardizer.fit([_columns(raw[i]) for i in rows]), raw[0].ndim == 1)
        return Targets(Standardizer.fit(_columns(raw[rows])), raw.ndim == 1)

    def _encode(self, raw: Any, found: Targets) -> Any:
        if self.per_step:
            return [found.scale.transform(_columns(part)) for part in raw]
        return found.scale.transform(_columns(raw))

    def _size(self, found: Targets) -> int:
        return len(found.scale.mean)

    def _loss(self) -> Callable[[Array, Any], Array]:
        return squared

    def _regressand(self, targets: Any, found: Targets) -> np.ndarray:
        return np.concatenate(targets) if self.per_step else targets

    def _measures(self, outputs: Any, targets: Any) -> dict[str, float]:
        if self.per_step:
            outputs, targets = np.concatenate(outputs), np.concatenate(targets)
        return {"squared": float(np.mean((outputs.astype(np.float64) - targets) ** 2))}

    def _keep(self, found: Targets, *rest: Any) -> None:
        super()._keep(found, *rest)
        self.target_scale_ = found.scale
        self.n_targets_ = len(found.scale.mean)
        self._single = found.single

    def _fitted(self) -> tuple[Any, dict[str, Any]]:
        weights, numbers = super()._fitted()
        return weights, {**numbers, "targets": self.target_scale_.to_dict(), "single": self._single}

    def _found(self, numbers: dict[str, Any]) -> Targets:
        found = Targets(Standardizer.from_dict(numbers["targets"]), bool(numbers["single"]))
        if found.single and len(found.scale.mean) != 1:
            raise CorruptFile(f"targets: expected one, got {len(found.scale.mean)}")
        return found


def _numbers(targets: Any, name: str) -> np.ndarray:
    try:
        array = np.asarray(targets, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: expected numbers ({error})") from error
    if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] == 0):
        raise ShapeError(f"{name}: expected (n,) or (n, targets), got {array.shape}")
    check_finite(array, name)
    return array


def _columns(array: np.ndarray) -> Float[np.ndarray, "rows targets"]:
    return array[:, None] if array.ndim == 1 else array


def _scores(truth: Float[np.ndarray, "n targets"], found: Float[np.ndarray, "n targets"]) -> dict[str, float]:
    error = found - truth
    left, total = (error**2).sum(0), ((truth - truth.mean(0)) ** 2).sum(0)
    r2 = np.where(total > 0, 1 - left / np.where(total > 0, total, 1), np.where(left == 0, 1.0, 0.0))
    rmse = np.sqrt((error**2).mean(0))
    return {"r2": float(r2.mean()), "rmse": float(rmse.mean()), "mae": float(np.abs(error).mean(0).mean())}
