"""What the estimators of whole sequences share: settings, the network, training, running it, files."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, TypeVar

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, PyTree

from ostinato.data import Batches, LabelledSequences, SequenceBatch, SequenceSource, Standardizer, stream
from ostinato.data.holdout import check_amount, held_rows
from ostinato.errors import CorruptFile
from ostinato.layers import RNN, Readout
from ostinato.layers.dropout import Dropout
from ostinato.layers.many_to_one import POOLS
from ostinato.learning import LearningRule
from ostinato.models.base import Weights
from ostinato.models.checks import Check, above_0, at_least_0, one_of, rates, units, whole
from ostinato.models.ridge import RidgeRegression, summaries
from ostinato.models.sequences.inputs import Sequences, as_sequences, targets_of
from ostinato.models.sequences.network import Noise, SequenceNetwork
from ostinato.models.targets import Target
from ostinato.models.trained import TrainedEstimator
from ostinato.runs import Run
from ostinato.training import Event

E = TypeVar("E", bound="SequenceEstimator")

SCHEDULES = ("cosine", "constant")


class Prepared(NamedTuple):
    """All that training needs: the rows that it sees and those held out, and the target that learned of them."""

    sequences: Sequences
    raw: Any
    held: np.ndarray
    rest: np.ndarray
    target: Target


class SequenceEstimator(TrainedEstimator):
    """Base of `SequenceClassifier` and `SequenceRegressor`; their docstrings say what the settings mean.

    A subclass says what its `target` is.
    """

    target: ClassVar[type[Target]]
    checks = (
        *units(),
        *one_of("pool", POOLS),
        *one_of("schedule", SCHEDULES),
        *whole("epochs", "batch_size", "buckets"),
        *at_least_0("input_noise", "sequence_noise", "weight_decay"),
        *whole("time_mask", "feature_mask", least=0, unit=" steps"),
        *rates("dropout"),
        *above_0("learning_rate"),
        *above_0("clip", optional=True),
        Check("patience", lambda value, model: value is None or model.validation > 0, "None without a validation set"),
    )

    def __init__(
        self,
        cell: Any = "gru",
        hidden_size: int | tuple[int, ...] = 64,
        num_layers: int | None = None,
        *,
        bidirectional: bool = False,
        pool: str = "last",
        per_step: bool = False,
        dropout: float = 0.0,
        input_noise: float = 0.0,
        sequence_noise: float = 0.0,
        time_mask: int = 0,
        feature_mask: int = 0,
        epochs: int = 60,
        batch_size: int = 32,
        learning_rate: float = 3e-3,
        schedule: str = "cosine",
        weight_decay: float = 1e-3,
        clip: float | None = 1.0,
        validation: int | float = 0.0,
        patience: int | None = None,
        buckets: int = 2,
        missing: bool = False,
        cell_settings: dict[str, Any] | None = None,
        rule: str | LearningRule = "bptt",
        rule_settings: dict[str, Any] | None = None,
        seed: int = 0,
    ):
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.pool = pool
        self.per_step = per_step
        self.dropout = dropout
        self.input_noise = input_noise
        self.sequence_noise = sequence_noise
        self.time_mask = time_mask
        self.feature_mask = feature_mask
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.clip = clip
        self.validation = validation
        self.patience = patience
        self.buckets = buckets
        self.missing = missing
        self.cell_settings = cell_settings
        self.rule = rule
        self.rule_settings = rule_settings
        self.seed = seed

    def fit(
        self: E,
        X: Any,
        y: Any = None,
        *,
        run: Run | None = None,
        callback: Callable[[Event], None] | None = None,
        progress: bool | None = None,
    ) -> E:
        """Train on sequences and their targets, and fit the linear baseline; nothing is kept from an earlier `fit`.

        * `run`: a `runs.Run`, a folder to log into and to resume from.
        * `callback(event)`: told every few steps what an `Event` holds: step, loss, metrics.
        * `progress`: whether a bar is drawn; None: on a terminal and in a notebook, where there is no callback.

        Raises `SettingsError`, `ShapeError`, `DataError` and `NonFiniteError` before anything is trained, and what
        `ostinato.training.fit` raises. The estimator is then what it was.
        """
        return self._refit(X, y, run=run, callback=callback, progress=progress)

    def check(self, X: Any, y: Any = None, *, held: Any = None, held_y: Any = None) -> None:
        """Raise what `fit` would before training and, with `held`, what `evaluate` would on those sequences."""
        prepared = self._prepare(X, y)
        eqx.filter_eval_shape(self._network, prepared.sequences.features, prepared.target.size, jax.random.key(0))
        if held is None:
            return
        sequences = as_sequences(held, features=prepared.sequences.features, missing=self.missing)
        prepared.target.encode(prepared.target.read(targets_of(held, held_y), sequences.lengths))

    def _fit(
        self, X: Any, y: Any = None, *, run: Run | None = None, callback: Callable[[Event], None] | None = None
    ) -> None:
        sequences, raw, held, rest, target = self._prepare(X, y)
        encoded, scale = target.encode(raw), Standardizer.fit(sequences.take(rest).values)
        train = self._source(sequences.take(rest), scale, target.take(encoded, rest))
        batches = Batches(train, self.batch_size, seed=self.seed, buckets=_edges(train.lengths, self.buckets))
        held_source = self._source(sequences.take(held), scale, None) if len(held) else None
        judge = lambda network: target.measures(
            self._outputs(network, held_source, batches.edges), target.take(encoded, held)
        )
        result = self._train(
            self._network(sequences.features, target.size, stream(self.seed, "weights")),
            batches,
            loss=target.loss,
            steps=self.epochs * len(batches),
            data=(sequences, raw),
            validate=None if held_source is None else judge,
            run=run,
            callback=callback,
        )
        self._keep(result)
        baseline = target.baseline(self._summaries(sequences.take(rest)), target.take(encoded, rest))
        self._learned(target, baseline, scale, batches.edges)

    def _prepare(self, X: Any, y: Any) -> Prepared:
        """What can be judged before training, judged."""
        self._check_settings()
        check_amount("validation", self.validation)
        sequences = as_sequences(X, missing=self.missing)
        target = self.target(self.per_step)
        raw = target.read(targets_of(X, y), sequences.lengths)
        held = np.zeros(0, int)
        if self.validation:
            groups = X.groups if isinstance(X, LabelledSequences) else None
            classes = target.strata(raw)
            held = held_rows(self.validation, self.seed, len(raw), classes=classes, groups=groups)
        rest = np.setdiff1d(np.arange(len(raw)), held)
        return Prepared(sequences, raw, held, rest, target.learn(raw, rest))

    def _learned(self, target: Target, baseline: RidgeRegression, scale: Standardizer, edges: tuple[int, ...]) -> None:
        """Set the fitted attributes beside the network; a subclass adds its own."""
        self.target_ = target
        self.baseline_ = baseline
        self.scale_ = scale
        self.n_features_in_ = len(scale.mean)
        self.edges_ = edges

    def _network(self, features: int, outputs: int, key: Any) -> SequenceNetwork:
        keys = jax.random.split(key)
        rnn = RNN(
            self.cell,
            features,
            self.hidden_size,
            self.num_layers,
            bidirectional=self.bidirectional,
            dropout=self.dropout,
            key=keys[0],
            **(self.cell_settings or {}),
        )
        return SequenceNetwork(
            rnn,
            Dropout(rnn.output_size, self.dropout),
            Readout(rnn.output_size, outputs, key=keys[1]),
            Noise(self.input_noise, self.sequence_noise, self.time_mask, self.feature_mask),
            None if self.per_step else self.pool,
        )

    def _source(self, sequences: Sequences, scale: Standardizer, targets: Any) -> SequenceSource:
        return SequenceSource(
            [scale.transform(v) for v in sequences.values],
            targets,
            per_step=self.per_step and targets is not None,
            dt=sequences.dt,
            missing=self.missing,
        )

    def _summaries(self, sequences: Sequences) -> np.ndarray:
        if not self.per_step:
            return summaries(sequences.values)
        return np.nan_to_num(np.concatenate(sequences.values), nan=0.0)

    def _inputs(self, X: Any) -> Sequences:
        self.check_fitted()
        return as_sequences(X, features=self.n_features_in_, missing=self.missing)

    def _raw(self, X: Any, y: Any, sequences: Sequences) -> Any:
        """Targets that are given to be compared with."""
        return self.target_.read(targets_of(X, y), sequences.lengths)

    def _run(self, sequences: Sequences) -> Any:
        """Outputs of the network, `(n, outputs)`, or a list of `(time, outputs)`."""
        source = self._source(sequences, self.scale_, None)
        return self._outputs(self.network_, source, self.edges_)

    def _outputs(self, network: SequenceNetwork, source: Any, edges: Any) -> Any:
        size = min(self.batch_size, 1 << (len(source.lengths) - 1).bit_length())
        batches = Batches(source, size, shuffle=False, buckets=_reaching(edges, int(source.lengths.max())))
        found: list[Any] = [None] * len(source.lengths)
        for step in range(len(batches)):
            ys = np.asarray(_apply(network, batches.at(step).inputs))
            for row, y in zip(batches.rows(step), ys, strict=True):
                if row >= 0:
                    found[row] = y[: source.lengths[row]] if self.per_step else y
        return found if self.per_step else np.stack(found)

    def _fitted(self) -> tuple[PyTree[Any], dict[str, Any]]:
        numbers = {
            "features": self.n_features_in_,
            "scale": self.scale_.to_dict(),
            "edges": list(self.edges_),
            **self._training(),
            **self.target_.to_dict(),
        }
        return {"network": self.network_, "baseline": self.baseline_.arrays()}, numbers

    def _restore(self, numbers: dict[str, Any], weights: Weights) -> None:
        target = self.target(self.per_step).restored(numbers)
        features, outputs = int(numbers["features"]), target.size
        network = eqx.filter_eval_shape(self._network, features, outputs, jax.random.key(0))
        inputs = features if self.per_step else 2 * features
        shapes = {"mean": (inputs,), "scale": (inputs,), "weights": (inputs, outputs), "constant": (outputs,)}
        like = {"network": network, "baseline": {name: np.zeros(shape) for name, shape in shapes.items()}}
        read = weights(like)
        scale, edges = Standardizer.from_dict(numbers["scale"]), tuple(int(e) for e in numbers["edges"])
        if len(scale.mean) != features:
            raise CorruptFile(f"scale: expected {features} features, got {len(scale.mean)}")
        self._restore_training(read["network"], numbers)
        self._learned(target, RidgeRegression(**read["baseline"]), scale, edges)


@eqx.filter_jit
def _apply(network: SequenceNetwork, inputs: SequenceBatch) -> Array:
    return network(inputs)[0]


def _edges(lengths: np.ndarray, buckets: int) -> Any:
    """Buckets; where all sequences have length 0 there is still one step, so that the network has something to mask."""
    return buckets if lengths.max() else [1]


def _reaching(edges: tuple[int, ...], longest: int) -> tuple[int, ...]:
    """Edges for new sequences: longer ones go into buckets of twice the length each, so that there are few shapes."""
    while edges[-1] < longest:
        edges = (*edges, 2 * edges[-1])
    return edges
