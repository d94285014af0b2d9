"""The base of estimators with a trained network: settings judged, one optimiser, one training call, a run told who."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import optax

from ostinato.errors import SettingsError
from ostinato.layers import Summary, summary
from ostinato.learning import UpdateRule, make_rule
from ostinato.models.base import Estimator
from ostinato.models.optimizer import adam, learning_rate
from ostinato.runs import Run, checkpoints, difference
from ostinato.runs.manifest import dump, parse
from ostinato.runs.run import other_run
from ostinato.runs.storage import read_file
from ostinato.training import Ensemble, Event, FitResult, History, each, fit

IDENTITY = "estimator.json"
"""The file of a run folder that says which estimator trains there, with which settings, on which data."""

LARGEST_IDENTITY = 1 << 20


class TrainedEstimator(Estimator):
    r"""Base of estimators whose network is trained by an optimiser, or by a rule that changes the weights itself.

    A subclass has `checks`, a table of what its settings may be, and a `fit` with the arguments that its users know,
    which hands them to `Estimator._refit`. That calls `_fit` of a blank copy, which

    1. judges: `_check_settings()`, and what can be said of the data;
    2. trains: `_train(network, batches, loss=..., data=...)`, one network or an `Ensemble` side by side;
    3. keeps: `_keep(result)`, and attributes of its own.

    Settings that are read where a subclass has them: `learning_rate`, `schedule`, `weight_decay`, `clip`, `rule`,
    `rule_settings`, `patience`, `seed`.

    After `fit`: `network_` (the best on the validation set, else the last), `history_` (a record for each evaluation,
    see `training.FitResult`), `best_` (step and metrics of the best, empty without validation), `steps_`, `stopped_`.

    **A run folder** (`run=`) is told the settings and a digest of the data. Where it holds a checkpoint already, the
    same estimator with the same settings on the same data goes on from there; anything else is refused with
    `SettingsError`, which says the difference. That includes more epochs: schedules depend on how many there are.
    """

    warm_up: ClassVar[bool] = True
    """Whether the cosine of the learning rate comes after a short rise."""

    network_: Any
    history_: History
    best_: dict[str, float]
    steps_: int
    stopped_: str

    def _check_settings(self) -> None:
        super()._check_settings()
        self._rule()

    def _rule(self) -> Any:
        """How the gradients are found, or what takes their place. Raises `SettingsError`."""
        return make_rule(getattr(self, "rule", "bptt"), getattr(self, "rule_settings", None))

    def _optimizer(self, steps: int, per_epoch: int) -> optax.GradientTransformation:
        """What changes the weights in so many steps in all."""
        setting = self._setting
        name = setting("schedule", "constant")
        return adam(
            learning_rate(name, setting("learning_rate", 1e-3), steps, per_epoch=per_epoch, warm_up=self.warm_up),
            decay=setting("weight_decay", None),
            mask=self._decayed,
            clip=setting("clip", None),
            plateau=per_epoch if name == "plateau" else None,
        )

    def _setting(self, name: str, default: Any = None) -> Any:
        """A setting of the training as it holds, of a subclass that has it."""
        return getattr(self, name, default)

    @property
    def _decayed(self) -> Callable[[Any], Any] | None:
        """Which weights decay, as a function of the network; None: all."""
        return None

    def summary(self) -> Summary:
        """The parts of the network with their sizes and numbers of parameters, as a table that prints."""
        self.check_fitted()
        return summary(self.network_)

    def _train(
        self,
        network: Any,
        batches: Any,
        *,
        loss: Callable[..., Any],
        steps: int,
        span: int | None = None,
        data: Any = (),
        validate: Callable[[Any], Mapping[str, Any]] | None = None,
        every: int | None = None,
        patience: int | None = None,
        seed: int | None = None,
        run: Run | None = None,
        callback: Callable[[Event], None] | None = None,
    ) -> FitResult:
        """Train a network by the settings and give the result; nothing is kept in the estimator.

        `data` is what the run is told a digest of: arrays, text and plain values, nested as they come. `span`: the
        steps over which the learning rate falls, where they are not all made. The networks of an `Ensemble` are updated
        each by itself. The other arguments are those of `ostinato.training.fit`; without a `patience` that of the
        settings holds.
        """
        rule, optimizer = self._rule(), None
        if not isinstance(rule, UpdateRule):
            optimizer = self._optimizer(steps if span is None else span, len(batches))
            optimizer = each(optimizer) if isinstance(network, Ensemble) else optimizer
        if run is not None:
            meet(run, {"estimator": self.kind, "settings": self.get_params(), "data": digest(data)})
        return fit(
            network,
            batches,
            loss=loss,
            rule=rule,
            optimizer=optimizer,
            steps=steps,
            validate=validate,
            patience=None if validate is None else patience or self._setting("patience"),
            every=every,
            seed=getattr(self, "seed", 0) if seed is None else seed,
            run=run,
            callback=callback,
        )

    def _keep(self, result: FitResult) -> None:
        """Set what training found."""
        self.network_, self.history_, self.best_ = result.model, result.history, result.best
        self.steps_, self.stopped_ = result.steps, result.stopped

    def _training(self) -> dict[str, Any]:
        """What training found beside the network, for a file."""
        return {"history": self.history_, "best": self.best_, "steps": self.steps_, "stopped": self.stopped_}

    def _restore_training(self, network: Any, numbers: Mapping[str, Any]) -> None:
        """The inverse of `_training`."""
        self.network_, self.best_ = network, read_back(numbers["best"])
        self.history_ = History(read_back(numbers["history"]))
        self.steps_, self.stopped_ = int(numbers["steps"]), str(numbers["stopped"])


def read_back(value: Any) -> Any:
    """Plain values from a file as they were written: a number that is not finite stands there as a word."""
    if isinstance(value, Mapping):
        return {str(name): read_back(part) for name, part in value.items()}
    if isinstance(value, list):
        return [read_back(part) for part in value]
    return float(value) if value in ("nan", "inf", "-inf") else value


def meet(run: Run, identity: Mapping[str, Any]) -> None:
    """Tell a run who trains in it; refuse one that holds the checkpoints of somebody else.

    Raises `SettingsError` with the difference, `CorruptFile`, `StorageError`.
    """
    asked = json.loads(dump(dict(identity)))
    path = run.folder / IDENTITY
    if not (checkpoints(run.checkpoints) or (run.folder / "metrics.json").exists()):
        # Nothing was trained: whoever was refused after this was written may come again with other settings.
        run.write_json(IDENTITY, asked)
        return
    if not path.exists():
        raise SettingsError(f"{run.folder}: holds a training, but not of an estimator; choose another folder")
    lines = difference(parse(read_file(path, largest=LARGEST_IDENTITY), path), asked)
    if lines:
        raise SettingsError(other_run(run.folder, "settings or data", lines))


def digest(data: Any) -> str:
    """SHA-256 of arrays, text and plain values, nested in tuples, lists, mappings and dataclasses.

    ```python
    >>> digest((np.arange(3), "a")) == digest([np.arange(3), "a"]) != digest((np.arange(3.0), "a"))
    True

    ```
    """
    found = hashlib.sha256()
    _feed(found.update, data)
    return found.hexdigest()


def _feed(update: Callable[[bytes], Any], given: Any) -> None:
    value: Any = given
    if dataclasses.is_dataclass(given):
        value = {field.name: getattr(given, field.name) for field in dataclasses.fields(given)}
    if isinstance(value, Mapping):
        value = [part for item in value.items() for part in item]
    array = np.asarray(value) if hasattr(value, "dtype") else None
    if array is not None and array.dtype.kind not in "OUST":
        update(f"{array.dtype.str} {array.shape}\n".encode())
        update(array.tobytes())
        return
    value = value if array is None else array.tolist()
    if isinstance(value, list | tuple):
        update(f"{len(value)}[".encode())
        for part in value:
            _feed(update, part)
        return
    update(f"{type(value).__name__} {value!r}\n".encode())
