"""A label for a sequence of any length, or for each of its steps."""

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from jaxtyping import Array, Float

from ostinato.errors import CorruptFile, DataError, ShapeError
from ostinato.losses import cross_entropy
from ostinato.models.sequences.baseline import Ridge
from ostinato.models.sequences.estimator import SequenceEstimator, held_out
from ostinato.models.sequences.inputs import Sequences, targets_of
from ostinato.models.sequences.scores import scores


class SequenceClassifier(SequenceEstimator):
    r"""A recurrent network, a summary of its outputs over time, and a softmax over the classes.

    $$p = \mathrm{softmax}(V\, \mathrm{pool}_t(h_t) + c)$$

    `fit(X, y)`, `predict`, `predict_proba`, `score` (accuracy), `evaluate`, `save` and `load`. X is a list of arrays
    `(time, features)` of any lengths, 0 included, an array `(sequences, time, features)`, a `SequenceBatch` or
    `LabelledSequences` (which bring their own y); a 2-D X is refused. y holds one hashable label for each sequence:
    strings, numbers, tuples.

    * `cell`, `hidden_size`, `num_layers`, `bidirectional`, `cell_settings`: as for `ost.RNN`; `cell` is a name in
      `CELLS`.
    * `pool`: `"last"`, `"mean"` or `"max"` over the steps that exist.
    * `per_step=True`: a label for each step instead; y is a list of `(time,)`, and so is what `predict` gives.
    * `dropout`: between the layers and before the read-out. `input_noise`, `sequence_noise` (standard deviations, after
      scaling: at each entry; an offset that a sequence keeps), `time_mask`, `feature_mask` (widest band that is
      hidden; two of each): noise in training, against overfitting.
    * `epochs`, `batch_size`, `learning_rate`, `schedule` (`"cosine"` with a short warm-up, or `"constant"`),
      `weight_decay`, `clip` (norm of the gradient): AdamW. `rule`, `rule_settings`: one of `learning.RULES`, or a
      rule: how the gradients are found, or what takes their place.
    * `validation`: share of the sequences held out, from each class alike as a function of the seed, or whole groups
      where the `LabelledSequences` have groups. The weights of the epoch with the least cross-entropy on it are kept;
      with `patience`, training stops after so many epochs without a better one. 0 trains on everything for all epochs.
    * `buckets`: number of lengths that are padded to. `missing=True`: NaN is a missing value. `seed`: of everything
      random.

    Features are standardised with mean and deviation of the training part. After `fit`: `classes_` (sorted),
    `majority_` (the most frequent), `network_`, `history_`, `best_`, `scale_`, `edges_`, `n_features_in_`, and
    `baseline_`, a ridge on mean and deviation of each feature over time (`per_step`: on the step itself).

    Raises `ShapeError` (no sequences, another number of labels, unequal feature counts), `DataError` (a single class,
    a label not seen in training), `NonFiniteError`, `SettingsError`, `NotFitted`.

    ```python
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(sign, 1.0, (rng.integers(5, 9), 2)) for sign in [-1, 1] * 10]
    >>> y = ["low", "high"] * 10
    >>> model = SequenceClassifier(hidden_size=8, pool="mean", epochs=10, learning_rate=0.03).fit(X, y)
    >>> model.classes_.tolist(), model.predict(X[:2]).tolist(), model.score(X, y)
    (['high', 'low'], ['low', 'high'], 1.0)

    ```
    """

    kind = "sequence-classifier"
    estimator_type = "classifier"

    def predict(self, X: Any) -> Any:
        """The most probable label of each sequence, `(n,)`; `per_step`: a list of `(time,)`."""
        logits = self._run(self._inputs(X))
        return [self.classes_[a.argmax(-1)] for a in logits] if self.per_step else self.classes_[logits.argmax(-1)]

    def predict_proba(self, X: Any) -> Any:
        """Probabilities in the order of `classes_`, `(n, classes)`; `per_step`: a list of `(time, classes)`."""
        logits = self._run(self._inputs(X))
        return [_softmax(a) for a in logits] if self.per_step else _softmax(logits)

    def score(self, X: Any, y: Any = None) -> float:
        """Accuracy. Raises `DataError` for a label that was not seen in training."""
        outputs, codes = self._judge(X, y)[1:]
        return float(np.mean(outputs.argmax(-1) == codes))

    def evaluate(self, X: Any, y: Any = None) -> dict[str, Any]:
        """How good the labels are, with the baselines beside it.

        `accuracy`; `cross_entropy` (nats); `baselines`: accuracy of `majority` (the most frequent training label) and
        `linear` (`baseline_`); `classes`; `confusion` (rows are true labels, columns predicted ones); `per_class`: a
        list of `label`, `precision`, `recall`, `f1`, `count`; `count`.

        Raises `DataError` for a label that was not seen in training.
        """
        sequences, outputs, codes = self._judge(X, y)
        linear = self.baseline_.predict(self._summaries(sequences)).argmax(-1)
        majority = self.baseline_.constant.argmax()
        baselines = {"majority": float(np.mean(codes == majority)), "linear": float(np.mean(codes == linear))}
        return scores(_softmax(outputs), codes, self.classes_.tolist(), baselines)

    def _judge(self, X: Any, y: Any) -> tuple[Sequences, np.ndarray, np.ndarray]:
        """The sequences, the outputs for them, and the codes of their labels; one row for each label."""
        sequences = self._inputs(X)
        codes = self._encode(self._read(sequences, targets_of(X, y)), self.classes_)
        return sequences, _flat(self._run(sequences), self.per_step), _flat(codes, self.per_step)

    def _read(self, sequences: Sequences, targets: Any) -> Any:
        return _read_labels(sequences, targets, self.per_step)

    def _held_out(self, raw: Any) -> np.ndarray:
        if self.per_step:
            return super()._held_out(raw)
        codes = self._encode(raw, _classes(raw))
        return held_out([np.flatnonzero(codes == k) for k in range(codes.max() + 1)], self.validation, self.seed)

    def _learn(self, raw: Any, rows: np.ndarray) -> np.ndarray:
        classes = _classes([label for part in raw for label in part] if self.per_step else raw)
        if len(classes) < 2:
            raise DataError(f"y: expected at least two classes, got only {classes.tolist()}")
        return classes

    def _encode(self, raw: Any, found: np.ndarray) -> Any:
        codes = {label: i for i, label in enumerate(found.tolist())}
        if self.per_step:
            return [_codes(part, codes) for part in raw]
        return _codes(raw, codes)

    def _size(self, found: np.ndarray) -> int:
        return len(found)

    def _loss(self) -> Callable[[Array, Any], Array]:
        return cross_entropy

    def _regressand(self, targets: Any, found: np.ndarray) -> np.ndarray:
        return np.eye(len(found))[_flat(targets, self.per_step)]

    def _measures(self, outputs: Any, targets: Any) -> dict[str, float]:
        logits, codes = (_flat(a, self.per_step) for a in (outputs, targets))
        probabilities = _softmax(logits)[np.arange(len(codes)), codes]
        lost = -np.log(np.maximum(probabilities, np.finfo(float).tiny))
        return {"cross_entropy": float(lost.mean()), "error": float(np.mean(logits.argmax(-1) != codes))}

    def _keep(self, found: Any, network: Any, baseline: Ridge, *rest: Any) -> None:
        super()._keep(found, network, baseline, *rest)
        self.classes_ = found
        # The baseline's constant is the mean of the one-hot labels of the training part: their frequencies.
        self.majority_ = found[int(baseline.constant.argmax())]

    def _fitted(self) -> tuple[Any, dict[str, Any]]:
        weights, numbers = super()._fitted()
        labels = self.classes_.tolist()
        if not all(map(_storable, labels)):
            raise DataError(f"classes: only labels of text, numbers and tuples of them can be saved, got {labels}")
        return weights, {**numbers, "classes": labels}

    def _found(self, numbers: dict[str, Any]) -> np.ndarray:
        labels = [_frozen(label) for label in numbers["classes"]]
        if len(set(labels)) != len(labels) or len(labels) < 2:
            raise CorruptFile("classes: expected two or more different labels")
        return _as_array(labels)


def _read_labels(sequences: Sequences, targets: Any, per_step: bool) -> Any:
    """Plain Python labels, as many as there are sequences (and steps)."""
    parts = _plain(targets)
    if len(parts) != len(sequences.values):
        raise ShapeError(f"y: expected {len(sequences.values)} labels, one for each sequence, got {len(parts)}")
    if not per_step:
        return [_label(label, f"y[{i}]") for i, label in enumerate(parts)]
    steps = [[_label(label, f"y[{i}][{t}]") for t, label in enumerate(_plain(part))] for i, part in enumerate(parts)]
    for i, (part, values) in enumerate(zip(steps, sequences.values, strict=True)):
        if len(part) != len(values):
            raise ShapeError(f"y[{i}]: expected {len(values)} labels, one for each step, got {len(part)}")
    return steps


def _plain(targets: Any) -> list[Any]:
    if isinstance(targets, str) or not hasattr(targets, "__len__"):
        raise ShapeError(f"y: expected labels, one for each sequence (or step), got {targets!r:.60}")
    if hasattr(targets, "ndim") and targets.ndim != 1:
        raise ShapeError(f"y: expected one axis of labels, got shape {tuple(targets.shape)}")
    return targets.tolist() if hasattr(targets, "tolist") else list(targets)


def _label(label: Any, name: str) -> Hashable:
    label = label.item() if isinstance(label, np.generic) else label
    if isinstance(label, float) and not label.is_integer():
        raise DataError(f"{name}: {label} is no label; for numbers there is SequenceRegressor")
    try:
        hash(label)
    except TypeError as error:
        raise DataError(f"{name}: expected a hashable label, got {type(label).__name__}") from error
    return label


def _codes(labels: list[Hashable], codes: dict[Any, int]) -> np.ndarray:
    """Labels as numbers of their classes."""
    for label in labels:
        if label not in codes:
            raise DataError(f"y: label {label!r} was not seen in training, which had {list(codes)}")
    return np.array([codes[label] for label in labels], int)


def _classes(labels: list[Hashable]) -> np.ndarray:
    """The different labels, sorted; those that do not compare are sorted by type and text."""
    different = set(labels)
    try:
        ordered = sorted(different)  # pyright: ignore[reportArgumentType]
    except TypeError:
        ordered = sorted(different, key=lambda label: (type(label).__name__, repr(label)))
    return _as_array(ordered)


def _as_array(labels: list[Hashable]) -> np.ndarray:
    if len({type(label) for label in labels}) == 1 and isinstance(labels[0], (str, bool, int, float)):
        return np.array(labels)
    array = np.empty(len(labels), object)
    array[:] = labels
    return array


def _flat(parts: Any, per_step: bool) -> np.ndarray:
    return np.concatenate(parts) if per_step else parts


def _softmax(logits: np.ndarray) -> Float[np.ndarray, "*rows classes"]:
    # In float64, so that the probabilities of a row add up to 1 within rounding of a double.
    from scipy.special import softmax  # slow to load

    return softmax(logits.astype(np.float64), axis=-1)


def _storable(label: Any) -> bool:
    return all(map(_storable, label)) if isinstance(label, tuple) else isinstance(label, (str, bool, int, float))


def _frozen(label: Any) -> Hashable:
    return tuple(map(_frozen, label)) if isinstance(label, list) else label
