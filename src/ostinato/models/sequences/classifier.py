"""A label for a sequence of any length, or for each of its steps."""

from typing import Any

import numpy as np

from ostinato.models.comparison import PairedTest, mcnemar, sign_flip, summed
from ostinato.models.sequences.beside import NEIGHBOUR, VALUES
from ostinato.models.sequences.estimator import SequenceEstimator
from ostinato.models.sequences.inputs import Sequences, clusters_of
from ostinato.models.sequences.scores import scores
from ostinato.models.targets import Labels


class SequenceClassifier(SequenceEstimator):
    r"""A recurrent network, a summary of its outputs over time, and a softmax over the classes.

    $$p = \mathrm{softmax}(V\, \mathrm{pool}_t(h_t) + c)$$

    `fit(X, y)`, `predict`, `predict_proba`, `score` (accuracy), `evaluate`, `save` and `load`. X is a list of arrays
    `(time, features)` of any lengths, 0 included, an array `(sequences, time, features)`, a `SequenceBatch` or
    `LabelledSequences` (which bring their own y); a 2-D X is refused. y holds one hashable label for each sequence:
    strings, numbers, tuples.

    Without `epochs` the estimator **chooses by itself** what is left at "auto", from the training part alone: a network
    in both directions whose mean, largest and last outputs stand side by side, its size by the number of sequences,
    several steps read as one where sequences are long, and at most `BUDGET` steps read in training (see
    `sequences.automatic`), stopped early by a fifth held out. Beside it stand `filters` (`RandomFilters` with a ridge
    read-out), a linear map of values and the nearest neighbour, each judged by what it says of rows that it has not
    seen; the prediction is a convex mixture of all (`OpinionPool`). `chosen_` holds what was chosen and why,
    `weights_` the shares of the mixture. With `epochs` the network is trained as told and stands alone; "auto" is then
    64 units, one direction, the last output, nothing held out.

    * `cell`, `hidden_size`, `num_layers`, `bidirectional`, `cell_settings`: as for `ost.RNN`; `cell` is a name in
      `CELLS`.
    * `pool`: `"last"`, `"mean"` or `"max"` over the steps that exist, or `"all"` of them side by side. `stack`: so many
      steps are read as one, with the features of all. `filters`: about how many random filters stand beside the
      network, 0 for none.
    * `class_weights`: `"balanced"` counts each class alike in the loss of the network, `"none"` each sequence; "auto"
      is `"balanced"` where one class is more than three times as frequent as another, and takes it back in
      probabilities.
    * `per_step=True`: a label for each step instead; y is a list of `(time,)`, and so is what `predict` gives.
    * `dropout`: between the layers and before the read-out. `input_noise`, `sequence_noise` (standard deviations, after
      scaling: at each entry; an offset that a sequence keeps), `time_mask`, `feature_mask` (widest band that is
      hidden; two of each): noise in training, against overfitting.
    * `epochs`, `batch_size`, `learning_rate`, `schedule` (`"cosine"` with a short warm-up, or `"constant"`),
      `weight_decay`, `clip` (norm of the gradient): AdamW. `rule`, `rule_settings`: one of `learning.RULES`, or a
      rule: how the gradients are found, or what takes their place.
    * `validation`: the hold-out, a share or a number of sequences, from each class alike as a function of the seed;
      where the `LabelledSequences` have groups, whole groups, a share or a number of these. The weights of the epoch
      with the least cross-entropy on it are kept; with `patience`, training stops after so many epochs without a better
      one. 0 trains on everything for all epochs.
    * `buckets`: number of lengths that are padded to. `missing=True`: NaN is a missing value. `seed`: of everything
      random.

    Features are standardised with mean and deviation of the training part. After `fit`: `classes_` (sorted),
    `majority_` (the most frequent), `network_`, `history_`, `best_`, `steps_`, `stopped_`, `scale_`, `edges_`,
    `n_features_in_`, `target_`, `chosen_`, `weights_`, `notes_` (what was chosen, and whether training has moved, in
    words), `baseline_`, a ridge on mean and deviation of each feature over time (`per_step`: on the step itself), and
    `beside_`, the other models in closed form.

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
    target = Labels
    target_: Labels

    def predict(self, X: Any) -> Any:
        """The most probable label of each sequence, `(n,)`; `per_step`: a list of `(time,)`."""
        outputs = self._run(self._inputs(X))
        return self.target_.decode(outputs)

    def predict_proba(self, X: Any) -> Any:
        """Probabilities in the order of `classes_`, `(n, classes)`; `per_step`: a list of `(time, classes)`."""
        outputs = self._run(self._inputs(X))
        return self.target_.probabilities(outputs)

    def score(self, X: Any, y: Any = None) -> float:
        """Accuracy. Raises `DataError` for a label that was not seen in training."""
        return self.evaluate(X, y)["accuracy"]

    def evaluate(self, X: Any, y: Any = None) -> dict[str, Any]:
        """How good the labels are, with the baselines beside it.

        `accuracy`; `cross_entropy` (nats); `calibration_error` (see `models.measures`); `baselines`: accuracy of
        `majority` (the most frequent training label), `linear` (`baseline_`), `linear of values` and
        `nearest neighbour` (see `models.sequences.beside`); `tests`: against each of them, as
        `models.comparison.PairedTest`; `classes`; `confusion` (rows are true labels, columns predicted ones);
        `per_class`: a list of `label`, `precision`, `recall`, `f1`, `count`; `count`.

        Raises `DataError` for a label that was not seen in training.
        """
        sequences, target = self._inputs(X), self.target_
        codes = target.flat(target.encode(self._raw(X, y, sequences)))
        linear = self.baseline_.predict(self._summaries(sequences)).argmax(-1)
        majority = np.full_like(codes, self.baseline_.constant.argmax())
        outputs, beside = self._judged(sequences)
        others = {"majority": majority, "linear": linear}
        others |= {name: scores.argmax(-1) for name, scores in beside.items() if name in (VALUES, NEIGHBOUR)}
        probabilities = target.flat(target.probabilities(outputs))
        found = scores(probabilities, codes, self.classes_.tolist())
        right = {name: said == codes for name, said in others.items()}
        tests = {name: self._test(X, sequences, probabilities.argmax(-1) == codes, r) for name, r in right.items()}
        return {**found, "baselines": {name: float(r.mean()) for name, r in right.items()}, "tests": tests}

    def _test(self, X: Any, sequences: Sequences, ours: np.ndarray, other: np.ndarray) -> PairedTest:
        """McNemar's test over sequences, and over whole groups, or the steps of a sequence together, a permutation."""
        clusters, unit = clusters_of(X, sequences, self.per_step)
        if clusters is None:
            return mcnemar(ours, other)
        return sign_flip(summed(other.astype(float) - ours, clusters), unit)

    def _learned(self, target: Any, baseline: Any, *rest: Any) -> None:
        super()._learned(target, baseline, *rest)
        self.classes_ = target.classes
        # The baseline's constant is the mean of the one-hot labels of the training part: their frequencies.
        self.majority_ = target.classes[int(baseline.constant.argmax())]
