"""What the estimators of whole sequences share: settings, the network, training, running it, files."""

from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax
import numpy as np
import optax
from jaxtyping import Array, PyTree

from ostinato.data import Batches, LabelledSequences, SequenceBatch, SequenceSource, Standardizer, permutation, stream
from ostinato.errors import CorruptFile, DataError, SettingsError
from ostinato.layers import RNN, Readout
from ostinato.layers.dropout import Dropout
from ostinato.layers.many_to_one import POOLS
from ostinato.learning import DirectRule, Method, make_rule
from ostinato.models.base import Estimator, Weights
from ostinato.models.sequences.baseline import Ridge, summaries
from ostinato.models.sequences.inputs import Sequences, as_sequences, targets_of
from ostinato.models.sequences.network import Noise, SequenceNetwork
from ostinato.runs import Run
from ostinato.training import Event, fit

E = TypeVar("E", bound="SequenceEstimator")

SCHEDULES = ("cosine", "constant")


class SequenceEstimator(Estimator):
    """Base of `SequenceClassifier` and `SequenceRegressor`; their docstrings say what the settings mean.

    A subclass says how targets are read, encoded and measured, and how a validation set is drawn from them.
    """

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
        validation: float = 0.0,
        patience: int | None = None,
        buckets: int = 2,
        missing: bool = False,
        cell_settings: dict[str, Any] | None = None,
        rule: str | Method = "bptt",
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
        self: E, X: Any, y: Any = None, *, run: Run | None = None, callback: Callable[[Event], None] | None = None
    ) -> E:
        """Train on sequences and their targets, and fit the linear baseline; nothing is kept from an earlier `fit`.

        `run`: a folder to log into and to resume from; `callback`: see `ostinato.training.fit`.

        Raises `SettingsError`, `ShapeError`, `DataError` and `NonFiniteError` before anything is trained, and what
        `ostinato.training.fit` raises.
        """
        _check_settings(self)
        rule = make_rule(self.rule, self.rule_settings)
        sequences = as_sequences(X, missing=self.missing)
        raw = self._read(sequences, targets_of(X, y))
        held = self._validation_rows(X, raw) if self.validation else np.zeros(0, int)
        rest = np.setdiff1d(np.arange(len(raw)), held)
        found = self._learn(raw, rest)
        targets = self._encode(raw, found)
        scale = Standardizer.fit(sequences.take(rest).values)
        train = self._source(sequences.take(rest), scale, self._rows(targets, rest))
        batches = Batches(train, self.batch_size, seed=self.seed, buckets=_edges(train.lengths, self.buckets))
        network = self._network(sequences.features, self._size(found), stream(self.seed, "weights"))
        validate = None
        if len(held):
            source = self._source(sequences.take(held), scale, self._rows(targets, held))

            def measure(model: Any) -> dict[str, float]:
                return self._measures(self._outputs(model, source, batches.edges), self._rows(targets, held))

            validate = measure

        result = fit(
            network,
            batches,
            loss=self._loss(),
            rule=rule,
            optimizer=None if isinstance(rule, DirectRule) else self._optimizer(self.epochs * len(batches)),
            epochs=self.epochs,
            validate=validate,
            patience=self.patience,
            seed=self.seed,
            run=run,
            callback=callback,
        )
        baseline = Ridge.fit(self._summaries(sequences.take(rest)), self._regressand(self._rows(targets, rest), found))
        self._keep(found, result.model, baseline, scale, batches.edges, result.history, result.best)
        return self

    def _validation_rows(self, X: Any, raw: Any) -> np.ndarray:
        groups = X.groups if isinstance(X, LabelledSequences) else None
        return self._held_out(raw) if groups is None else held_groups(groups, self.validation, self.seed)

    # What a subclass adds. `raw` are targets as read, one entry for each sequence; `found` is what was learnt from them
    # (classes, scaling); encoded targets are what the network is trained on.

    def _read(self, sequences: Sequences, targets: Any) -> Any:
        raise NotImplementedError

    def _held_out(self, raw: Any) -> np.ndarray:
        """Rows of the validation set: a function of the seed."""
        return held_out([np.arange(len(raw))], self.validation, self.seed)

    def _learn(self, raw: Any, rows: np.ndarray) -> Any:
        raise NotImplementedError

    def _encode(self, raw: Any, found: Any) -> Any:
        raise NotImplementedError

    def _size(self, found: Any) -> int:
        raise NotImplementedError

    def _loss(self) -> Callable[[Array, Any], Array]:
        raise NotImplementedError

    def _regressand(self, targets: Any, found: Any) -> np.ndarray:
        """What the linear baseline is to give, `(rows, outputs)`, from encoded targets."""
        raise NotImplementedError

    def _measures(self, outputs: Any, targets: Any) -> dict[str, float]:
        """What is measured on the validation set, the first minimised, from outputs and encoded targets."""
        raise NotImplementedError

    def _keep(
        self, found: Any, network: Any, baseline: Ridge, scale: Standardizer, edges: Any, history: Any, best: Any
    ) -> None:
        """Set the fitted attributes; a subclass adds its own."""
        self.network_ = network
        self.baseline_ = baseline
        self.scale_ = scale
        self.n_features_in_ = len(scale.mean)
        self.edges_ = edges
        self.history_ = history
        self.best_ = best

    # Shared by fit, predict and files.

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

    def _optimizer(self, steps: int) -> optax.GradientTransformation:
        rate = self.learning_rate
        if self.schedule == "cosine":
            rate = optax.warmup_cosine_decay_schedule(0.1 * rate, rate, max(steps // 20, 1), max(steps, 2))
        step = optax.adamw(rate, weight_decay=self.weight_decay)
        return step if self.clip is None else optax.chain(optax.clip_by_global_norm(self.clip), step)

    def _source(self, sequences: Sequences, scale: Standardizer, targets: Any) -> SequenceSource:
        return SequenceSource(
            [scale.transform(v) for v in sequences.values],
            targets,
            per_step=self.per_step and targets is not None,
            dt=sequences.dt,
            missing=self.missing,
        )

    def _rows(self, targets: Any, rows: np.ndarray) -> Any:
        return [targets[i] for i in rows] if self.per_step else targets[rows]

    def _summaries(self, sequences: Sequences) -> np.ndarray:
        if not self.per_step:
            return summaries(sequences.values)
        return np.nan_to_num(np.concatenate(sequences.values), nan=0.0)

    def _inputs(self, X: Any) -> Sequences:
        self.check_fitted()
        return as_sequences(X, features=self.n_features_in_, missing=self.missing)

    def _run(self, sequences: Sequences) -> Any:
        """Outputs of the network, `(n, outputs)`, or a list of `(time, outputs)`."""
        source = self._source(sequences, self.scale_, None)
        return self._outputs(self.network_, source, self.edges_)

    def _outputs(self, network: SequenceNetwork, source: SequenceSource, edges: Any) -> Any:
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
            "history": self.history_,
            "best": self.best_,
        }
        return {"network": self.network_, "baseline": self.baseline_.arrays()}, numbers

    def _restore(self, numbers: dict[str, Any], weights: Weights) -> None:
        features, outputs = int(numbers["features"]), self._size(self._found(numbers))
        network = eqx.filter_eval_shape(self._network, features, outputs, jax.random.key(0))
        inputs = features if self.per_step else 2 * features
        shapes = {"mean": (inputs,), "scale": (inputs,), "weights": (inputs, outputs), "constant": (outputs,)}
        like = {"network": network, "baseline": {name: np.zeros(shape) for name, shape in shapes.items()}}
        read = weights(like)
        scale, edges = Standardizer.from_dict(numbers["scale"]), tuple(int(e) for e in numbers["edges"])
        if len(scale.mean) != features:
            raise CorruptFile(f"scale: expected {features} features, got {len(scale.mean)}")
        baseline, history = Ridge(**read["baseline"]), list(numbers["history"])
        self._keep(self._found(numbers), read["network"], baseline, scale, edges, history, dict(numbers["best"]))

    def _found(self, numbers: dict[str, Any]) -> Any:
        raise NotImplementedError


@eqx.filter_jit
def _apply(network: SequenceNetwork, inputs: SequenceBatch) -> Array:
    return network(inputs)[0]


def held_out(groups: list[np.ndarray], share: float, seed: int) -> np.ndarray:
    """That share of each group of rows, by the seed; one of each always stays. Raises `DataError` where none goes."""
    held = []
    for i, rows in enumerate(groups):
        order = permutation(len(rows), seed, i, name="validation")
        held.append(rows[order[: min(round(share * len(rows)), len(rows) - 1)]])
    chosen = np.sort(np.concatenate(held))
    if not len(chosen):
        raise DataError(f"validation: {share} of {sum(map(len, groups))} sequences leaves none to validate on")
    return chosen


def held_groups(groups: Any, share: float, seed: int) -> np.ndarray:
    """The rows of that share of the groups, by the seed: at least one group, and never all. Raises `DataError`."""
    names, group = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise DataError(f"validation: expected two or more groups to hold one out, got {names.tolist()}")
    order = permutation(len(names), seed, name="validation groups")
    return np.flatnonzero(np.isin(group, order[: min(max(round(share * len(names)), 1), len(names) - 1)]))


def _edges(lengths: np.ndarray, buckets: int) -> Any:
    """Buckets; where all sequences have length 0 there is still one step, so that the network has something to mask."""
    return buckets if lengths.max() else [1]


def _reaching(edges: tuple[int, ...], longest: int) -> tuple[int, ...]:
    """Edges for new sequences: longer ones go into buckets of twice the length each, so that there are few shapes."""
    while edges[-1] < longest:
        edges = (*edges, 2 * edges[-1])
    return edges


def _check_settings(model: SequenceEstimator) -> None:
    def need(good: bool, name: str, expected: str) -> None:
        if not good:
            raise SettingsError(f"{name}: expected {expected}, got {getattr(model, name)!r}")

    sizes = model.hidden_size if isinstance(model.hidden_size, (tuple, list)) else (model.hidden_size,)
    need(bool(sizes) and all(isinstance(s, int) and s >= 1 for s in sizes), "hidden_size", "1 or more units")
    need(model.pool in POOLS, "pool", f"one of {', '.join(POOLS)}")
    need(model.schedule in SCHEDULES, "schedule", f"one of {', '.join(SCHEDULES)}")
    for name in ("epochs", "batch_size", "buckets"):
        need(isinstance(getattr(model, name), int) and getattr(model, name) >= 1, name, "1 or more")
    for name in ("input_noise", "sequence_noise", "weight_decay"):
        need(0 <= getattr(model, name) < np.inf, name, "0 or more")
    for name in ("time_mask", "feature_mask"):
        need(isinstance(getattr(model, name), int) and getattr(model, name) >= 0, name, "0 or more steps")
    for name in ("dropout", "validation"):
        need(0 <= getattr(model, name) < 1, name, "0 <= rate < 1")
    need(0 < model.learning_rate < np.inf, "learning_rate", "a number above 0")
    need(model.clip is None or 0 < model.clip < np.inf, "clip", "None or a number above 0")
    need(model.patience is None or model.validation > 0, "patience", "None without a validation set")
