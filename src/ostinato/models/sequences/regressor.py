"""Numbers for a sequence of any length, or for each of its steps."""

from typing import Any

import numpy as np
from jaxtyping import Float

from ostinato.errors import ShapeError
from ostinato.models import measures
from ostinato.models.comparison import sign_flip, summed
from ostinato.models.sequences.beside import NEIGHBOUR, VALUES
from ostinato.models.sequences.estimator import SequenceEstimator
from ostinato.models.sequences.inputs import clusters_of
from ostinato.models.targets import Numbers
from ostinato.models.targets.numbers import columns


class SequenceRegressor(SequenceEstimator):
    r"""A recurrent network, a summary of its outputs over time, and a linear map to one or several numbers.

    $$\hat y = \mu_y + s_y \odot (V\, \mathrm{pool}_t(h_t) + c)$$

    `fit(X, y)`, `predict`, `score` (R²), `evaluate`, `save` and `load`. X as for `SequenceClassifier`; y is `(n,)` or
    `(n, targets)`, and what `predict` gives has the same axes. With `per_step=True` it is a list of `(time,)` or
    `(time, targets)`. The settings are those of `SequenceClassifier`; `validation` holds out sequences as a function
    of the seed and keeps the weights of the epoch with the least squared error on them.

    Inputs and targets are standardised with mean and deviation of the training part; the squared error is minimised.
    After `fit`: `network_`, `history_`, `best_`, `steps_`, `stopped_`, `scale_`, `target_scale_`, `edges_`,
    `n_features_in_`, `n_targets_`, `target_`, and `baseline_`, a ridge on mean and deviation of each feature over time
    (`per_step`: on the step itself).

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
    target = Numbers
    target_: Numbers

    def predict(self, X: Any) -> Any:
        """Numbers in the units of the targets, `(n,)` or `(n, targets)`; `per_step`: a list of such over time."""
        outputs = self._run(self._inputs(X))
        return self.target_.decode(outputs)

    def score(self, X: Any, y: Any = None) -> float:
        """R², the mean over the targets: 1 is perfect, 0 as good as their mean on these data."""
        return self.evaluate(X, y)["r2"]

    def evaluate(self, X: Any, y: Any = None) -> dict[str, Any]:
        """How good the numbers are, with the baselines beside it.

        `r2`, `rmse`, `mae`, each the mean over the targets; `baselines`: the same of `mean` (that of the training
        data), `linear` (`baseline_`), `linear of values` and `nearest neighbour` (see `models.sequences.beside`);
        `tests`: against each of them, a paired permutation test of the squared errors over sequences, or over groups
        (`models.comparison.PairedTest`); `per_target`: a list of the same for each target; `count`. R² of targets that
        do not vary is 1 where they are met exactly, else 0 (see `models.measures`).
        """
        sequences = self._inputs(X)
        raw, scale = self._raw(X, y, sequences), self.target_scale_
        truth = np.concatenate([columns(part) for part in raw]) if self.per_step else columns(raw)
        if truth.shape[1] != self.n_targets_:
            raise ShapeError(f"y: expected {self.n_targets_} targets, got {truth.shape[1]}")
        outputs, beside = self._judged(sequences)
        found = scale.inverse(self.target_.flat(outputs).astype(np.float64))
        linear = scale.inverse(self.baseline_.predict(self._summaries(sequences)))
        mean = np.broadcast_to(scale.mean, truth.shape)
        others = {"mean": mean, "linear": linear}
        others |= {name: scale.inverse(said) for name, said in beside.items() if name in (VALUES, NEIGHBOUR)}
        clusters, unit = clusters_of(X, sequences, self.per_step)
        # Each target in the unit of its own deviation in training: none drowns the others.
        square = lambda said: np.square((truth - said) / scale.scale).mean(1)
        apart = {name: square(found) - square(said) for name, said in others.items()}
        pairs = {name: d if clusters is None else summed(d, clusters) for name, d in apart.items()}
        return {
            **_scores(truth, found),
            "baselines": {name: _scores(truth, said) for name, said in others.items()},
            "tests": {name: sign_flip(d, unit) for name, d in pairs.items()},
            "per_target": [_scores(truth[:, [k]], found[:, [k]]) for k in range(truth.shape[1])],
            "count": len(truth),
        }

    def _learned(self, target: Any, *rest: Any) -> None:
        super()._learned(target, *rest)
        self.target_scale_ = target.scale
        self.n_targets_ = target.size


def _scores(truth: Float[np.ndarray, "n targets"], found: Float[np.ndarray, "n targets"]) -> dict[str, float]:
    return {name: getattr(measures, name)(truth, found) for name in ("r2", "rmse", "mae")}
