"""What the estimators of whole sequences share: settings, the network, training, running it, files."""

import warnings
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
from ostinato.models.checks import Check, above_0, at_least_0, one_of, or_auto, rates, units, whole
from ostinato.models.ridge import RidgeRegression, summaries
from ostinato.models.sequences.automatic import AUTO, PATIENCE, PLAIN, balanced, budget, choose, idle, told
from ostinato.models.sequences.beside import Beside
from ostinato.models.sequences.inputs import Sequences, as_sequences, in_order, stacked, targets_of
from ostinato.models.sequences.network import SUMMARIES, Noise, SequenceNetwork
from ostinato.models.sequences.opinions import OpinionPool
from ostinato.models.targets import Target
from ostinato.models.trained import TrainedEstimator
from ostinato.runs import Run
from ostinato.training import Event

E = TypeVar("E", bound="SequenceEstimator")

SCHEDULES = ("cosine", "constant")


class Prepared(NamedTuple):
    """All that training needs: the rows that it sees and those held out, and the target that learned of them.

    `chosen`: the settings with nothing left open, `why`: the reasons; `apart`: whether whole groups are held out.
    """

    sequences: Sequences
    names: tuple[str, ...]
    raw: Any
    held: np.ndarray
    rest: np.ndarray
    target: Target
    chosen: dict[str, Any]
    why: dict[str, str]
    apart: bool


class SequenceEstimator(TrainedEstimator):
    """Base of `SequenceClassifier` and `SequenceRegressor`; their docstrings say what the settings mean.

    A subclass says what its `target` is.
    """

    target: ClassVar[type[Target]]
    checks = (
        *or_auto(*units(), *one_of("pool", SUMMARIES), *rates("dropout"), *whole("filters", least=0), *whole("stack")),
        Check("bidirectional", lambda value, model: value in (True, False, AUTO), '"auto", True or False'),
        Check(
            "class_weights", lambda value, model: value in ("balanced", "none", AUTO), '"auto", "balanced" or "none"'
        ),
        *one_of("schedule", SCHEDULES),
        Check("epochs", lambda value, model: value is None or value >= 1, "None, or 1 or more"),
        *whole("batch_size", "buckets"),
        *at_least_0("input_noise", "sequence_noise", "weight_decay"),
        *whole("time_mask", "feature_mask", least=0, unit=" steps"),
        *above_0("learning_rate"),
        *above_0("clip", optional=True),
        Check("patience", lambda value, model: value is None or model.validation, "None without a validation set"),
    )

    def __init__(
        self,
        cell: Any = "gru",
        hidden_size: int | tuple[int, ...] | str = AUTO,
        num_layers: int | None = None,
        *,
        bidirectional: bool | str = AUTO,
        pool: str = AUTO,
        stack: int | str = AUTO,
        per_step: bool = False,
        filters: int | str = AUTO,
        class_weights: str = AUTO,
        dropout: float | str = AUTO,
        input_noise: float = 0.0,
        sequence_noise: float = 0.0,
        time_mask: int = 0,
        feature_mask: int = 0,
        epochs: int | None = None,
        batch_size: int = 32,
        learning_rate: float = 3e-3,
        schedule: str = "cosine",
        weight_decay: float = 1e-3,
        clip: float | None = 1.0,
        validation: int | float | str = AUTO,
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
        self.stack = stack
        self.per_step = per_step
        self.filters = filters
        self.class_weights = class_weights
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
        fresh = self._blank()
        prepared = fresh._prepare(X, y)
        fresh.chosen_ = prepared.chosen
        eqx.filter_eval_shape(fresh._network, prepared.sequences.features, prepared.target.size, jax.random.key(0))
        if held is None:
            return
        held = in_order(held, prepared.names)
        sequences = as_sequences(held, features=prepared.sequences.features, missing=self.missing)
        prepared.target.encode(prepared.target.read(targets_of(held, held_y), sequences.lengths))

    def _fit(
        self, X: Any, y: Any = None, *, run: Run | None = None, callback: Callable[[Event], None] | None = None
    ) -> None:
        prepared = self._prepare(X, y)
        sequences, names, raw, held, rest, target = prepared[:6]
        self.chosen_ = prepared.chosen
        encoded, scale = target.encode(raw), Standardizer.fit(sequences.take(rest).values)
        train = self._source(sequences.take(rest), scale, target.take(encoded, rest))
        batches = Batches(train, self.batch_size, seed=self.seed, buckets=_edges(train.lengths, self.buckets))
        held_source = self._source(sequences.take(held), scale, None) if len(held) else None
        judge = lambda network: target.measures(
            self._outputs(network, held_source, batches.edges), target.take(encoded, held)
        )
        counts = target.counts(target.take(encoded, rest))
        self.class_weights_ = (
            balanced(counts) if counts is not None and self.chosen_["class_weights"] == "balanced" else None
        )
        length: dict[str, Any] = {"steps": (self.epochs or 0) * len(batches)}
        if self.epochs is None:
            updates, every = budget(self.batch_size, train.lengths.tolist(), len(batches))
            patience = self.patience or (PATIENCE if len(held) else None)
            length = {"steps": updates, "every": every, "patience": patience}
            self.chosen_["updates"], prepared.why["updates"] = updates, f"{every} between looks at what is held out"
        result = self._train(
            self._network(sequences.features, target.size, stream(self.seed, "weights")),
            batches,
            loss=target.loss if self.class_weights_ is None else target.weighted(tuple(self.class_weights_)),
            data=(sequences, raw),
            validate=None if held_source is None else judge,
            run=run,
            callback=callback,
            **length,
        )
        self._keep(result)
        baseline = target.baseline(self._summaries(sequences.take(rest)), target.take(encoded, rest))
        self._learned(target, baseline, scale, batches.edges, names)
        self.beside_ = None if self.per_step else self._beside(prepared, scale, target.regressand(encoded))
        self.pool_ = self._pooled(prepared, encoded) if self.chosen_["filters"] else None
        self.chosen_["why"] = prepared.why
        words = []
        if self.epochs is None:
            words = [told(self.chosen_, int(self.best_.get("step", self.steps_)), self.weights_)]
        guessing = self._guessing(target, target.take(encoded, rest))
        if still := idle([record["loss"] for record in self.history_], self.steps_, guessing):
            words.append(f"{still[0].upper()}{still[1:]}.")
            if run is None:
                # A job says its notes itself.
                warnings.warn(still, RuntimeWarning, stacklevel=4)
        self.notes_ = tuple(words)

    def _guessing(self, target: Target, encoded: Any) -> float:
        """The loss of the best constant; where each class counts alike, that of naming all of them as often."""
        return target.guessing(encoded) if self.class_weights_ is None else float(np.log(len(self.class_weights_)))

    @property
    def weights_(self) -> dict[str, float]:
        """What share each model has in the prediction; empty where the network stands alone."""
        return {} if self.pool_ is None else self.pool_.weights

    def _beside(self, prepared: Prepared, scale: Standardizer, regressand: np.ndarray) -> Beside:
        """The closed-form models, of all rows."""
        values = [scale.transform(v) for v in prepared.sequences.values]
        return Beside.fit(values, regressand, self.chosen_["filters"], self.seed)

    def _pooled(self, prepared: Prepared, encoded: Any) -> OpinionPool:
        """How much each of the models is to be believed, from what it said of rows that it had not seen.

        The closed-form ones by leaving each row out, of groups by those held out; then the network beside all of them
        by the rows that were held out.
        """
        assert self.beside_ is not None
        target, held, rest = prepared.target, prepared.held, prepared.rest
        truth = target.compared(encoded)
        if prepared.apart:
            values = [self.scale_.transform(v) for v in prepared.sequences.values]
            part = Beside.fit(
                [values[i] for i in rest], target.regressand(encoded)[rest], self.chosen_["filters"], self.seed
            )
            unseen, judged = part.scores([values[i] for i in held]), held
        else:
            unseen, judged = self.beside_.left_out, np.arange(len(truth))
        closed = OpinionPool.fit(unseen, truth[judged])
        if not len(held):
            return closed
        at = np.searchsorted(judged, held)
        network = self._logits(self._source(prepared.sequences.take(held), self.scale_, None))
        return closed.joined(
            "network", network, closed.mixed({name: own[at] for name, own in unseen.items()}), truth[held]
        )

    def _prepare(self, X: Any, y: Any) -> Prepared:
        """What can be judged before training, judged."""
        self._check_settings()
        if self.validation != AUTO:
            check_amount("validation", self.validation)
        sequences = as_sequences(X, missing=self.missing)
        target = self.target(self.per_step)
        raw = target.read(targets_of(X, y), sequences.lengths)
        groups = X.groups if isinstance(X, LabelledSequences) else None
        classes = target.strata(raw)
        asked = {name: getattr(self, name) for name in (*PLAIN, "epochs", "batch_size")}
        counts = None if classes is None else np.bincount(classes)
        chosen, why = choose(
            asked, sequences.lengths, counts, groups, per_step=self.per_step, dt=sequences.dt is not None
        )
        held = np.zeros(0, int)
        if chosen["validation"]:
            groups = groups if self.validation != AUTO or why["validation"] == "whole groups" else None
            held = held_rows(chosen["validation"], self.seed, len(raw), classes=classes, groups=groups)
        rest = np.setdiff1d(np.arange(len(raw)), held)
        apart = bool(len(held)) and groups is not None
        names = X.names if isinstance(X, LabelledSequences) else ()
        return Prepared(sequences, names, raw, held, rest, target.learn(raw, rest), chosen, why, apart)

    def _learned(
        self,
        target: Target,
        baseline: RidgeRegression,
        scale: Standardizer,
        edges: tuple[int, ...],
        names: tuple[str, ...],
    ) -> None:
        """Set the fitted attributes beside the network; a subclass adds its own."""
        self.target_ = target
        self.baseline_ = baseline
        self.scale_ = scale
        self.n_features_in_ = len(scale.mean)
        self.edges_ = edges
        self.feature_names_ = names

    def _network(self, features: int, outputs: int, key: Any) -> SequenceNetwork:
        keys = jax.random.split(key)
        rnn = RNN(
            self.cell,
            features * self.chosen_["stack"],
            self.chosen_["hidden_size"],
            self.num_layers,
            bidirectional=self.chosen_["bidirectional"],
            dropout=self.chosen_["dropout"],
            key=keys[0],
            **(self.cell_settings or {}),
        )
        pool = None if self.per_step else self.chosen_["pool"]
        size = rnn.output_size * (len(POOLS) if pool == "all" else 1)
        return SequenceNetwork(
            rnn,
            Dropout(size, self.chosen_["dropout"]),
            Readout(size, outputs, key=keys[1]),
            Noise(self.input_noise, self.sequence_noise, self.time_mask, self.feature_mask),
            pool,
        )

    def _source(self, sequences: Sequences, scale: Standardizer, targets: Any) -> SequenceSource:
        return SequenceSource(
            stacked([scale.transform(v) for v in sequences.values], self.chosen_["stack"]),
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
        return as_sequences(in_order(X, self.feature_names_), features=self.n_features_in_, missing=self.missing)

    def _judged(self, sequences: Sequences) -> tuple[Any, dict[str, np.ndarray]]:
        """Outputs, and those of the models in closed form beside: the same that are in the pool, computed once."""
        network = self._logits(self._source(sequences, self.scale_, None))
        if self.beside_ is None:
            return network, {}
        beside = self.beside_.scores([self.scale_.transform(v) for v in sequences.values])
        return (network if self.pool_ is None else self.pool_(beside | {"network": network})), beside

    def _raw(self, X: Any, y: Any, sequences: Sequences) -> Any:
        """Targets that are given to be compared with."""
        return self.target_.read(targets_of(X, y), sequences.lengths)

    def _run(self, sequences: Sequences) -> Any:
        """Outputs of the network, or of the pool that it is part of: `(n, outputs)`, or a list of `(time, outputs)`."""
        if self.pool_ is None:
            return self._logits(self._source(sequences, self.scale_, None))
        return self._judged(sequences)[0]

    def _logits(self, source: SequenceSource) -> Any:
        """Outputs of the network; where it was the library that weighted classes, as if it had not."""
        found = self._outputs(self.network_, source, self.edges_)
        if self.class_weights_ is None or self.class_weights != AUTO:
            return found
        less = np.log(np.array(self.class_weights_))
        return [a - less for a in found] if self.per_step else found - less

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
        beside = None if self.beside_ is None else self.beside_.arrays()
        numbers = {
            "features": self.n_features_in_,
            "scale": self.scale_.to_dict(),
            "edges": list(self.edges_),
            "names": list(self.feature_names_),
            "chosen": self.chosen_,
            "class_weights": self.class_weights_,
            "notes": list(self.notes_),
            "beside": {name: list(array.shape) for name, array in (beside or {}).items()},
            "pool": None if self.pool_ is None else self.pool_.to_dict(),
            **self._training(),
            **self.target_.to_dict(),
        }
        return {"network": self.network_, "baseline": self.baseline_.arrays(), "beside": beside or {}}, numbers

    def _restore(self, numbers: dict[str, Any], weights: Weights) -> None:
        target = self.target(self.per_step).restored(numbers)
        features, outputs = int(numbers["features"]), target.size
        self.chosen_ = dict(numbers["chosen"])
        if isinstance(self.chosen_["hidden_size"], list):
            self.chosen_["hidden_size"] = tuple(self.chosen_["hidden_size"])
        network = eqx.filter_eval_shape(self._network, features, outputs, jax.random.key(0))
        inputs = features if self.per_step else 2 * features
        shapes = {"mean": (inputs,), "scale": (inputs,), "weights": (inputs, outputs), "constant": (outputs,)}
        like = {"network": network, "baseline": {name: np.zeros(shape) for name, shape in shapes.items()}}
        read = weights(like | {"beside": Beside.like(numbers["beside"])})
        scale, edges = Standardizer.from_dict(numbers["scale"]), tuple(int(e) for e in numbers["edges"])
        if len(scale.mean) != features:
            raise CorruptFile(f"scale: expected {features} features, got {len(scale.mean)}")
        self._restore_training(read["network"], numbers)
        self._learned(target, RidgeRegression(**read["baseline"]), scale, edges, tuple(map(str, numbers["names"])))
        self.class_weights_, self.notes_ = numbers["class_weights"], tuple(map(str, numbers["notes"]))
        self.beside_ = Beside.from_arrays(read["beside"]) if numbers["beside"] else None
        self.pool_ = None if numbers["pool"] is None else OpinionPool.from_dict(numbers["pool"])


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
