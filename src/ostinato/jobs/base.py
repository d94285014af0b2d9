"""What a job is: from a source of data to a trained model beside its baselines, and what to do with it afterwards."""

import dataclasses
import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import TYPE_CHECKING, Any, ClassVar

from ostinato.errors import SettingsError
from ostinato.jobs.options import Option

if TYPE_CHECKING:
    from ostinato.models import Estimator
    from ostinato.models.forecast.anomalies import Anomalies
    from ostinato.runs import Evaluation, Record, Run
    from ostinato.training import Event

VERBS = ("predict", "unseen", "anomalies", "explain")
"""Methods of a job that it need not have."""


@dataclasses.dataclass(frozen=True)
class NoData:
    """The settings of data where there are none to make."""


@dataclasses.dataclass(frozen=True)
class Predictions:
    """Predictions as columns of equal length by name, and what was done to the data on the way, in words."""

    columns: dict[str, Any]
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What a model has learned: the page, a list of sections, the numbers behind it, and words on what is lacking."""

    page: "Evaluation"
    numbers: dict[str, Any]
    notes: tuple[str, ...] = ()


class Job:
    """One kind of job: how data are read, held out, learned, judged and predicted. A file of its own, a row in `JOBS`.

    What a subclass says of itself, none of which may import JAX, NumPy or pandas before a method is called:

    * `name`, `title` (over its report), `plural` (what its runs are called), `help` (the text of `fit NAME --help`).
    * `source`: what its file may be, for the help; None where it reads no file. `progress`: what its bar counts.
    * `options`: rows of `fit`; `asked` and `explained`: rows that its `predict` and its `explain` have beyond the
      common ones, whose values come as keyword arguments.
    * `data_settings`: a frozen dataclass. Where it has a field `sha256`, that is filled with a digest of the data, so
      that a run is resumed on the same data only.
    * `shorthand`: beginnings of names that `--set` takes, and what they stand for.

    Its methods take `settings`, an instance of `settings()`: `task`, `data`, and as `model` the arguments of
    `estimator()`. A job need not have `predict`, `unseen` (evaluation on a file given later) and `explain`; it is
    refused in words where it is asked for one that it has not.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    plural: ClassVar[str] = ""
    help: ClassVar[str] = ""
    source: ClassVar[str | None] = "CSV, TSV or Parquet."
    progress: ClassVar[str] = "training"
    options: ClassVar[Sequence[Option]] = ()
    asked: ClassVar[Sequence[Option]] = ()
    explained: ClassVar[Sequence[Option]] = ()
    data_settings: ClassVar[type] = NoData
    holds_out_end: ClassVar[bool] = False
    """Whether all data are held out from some time on: evaluated again, they are judged on that end."""
    shorthand: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def estimator(self) -> "type[Estimator]":
        """The class of its model."""
        raise NotImplementedError

    def settings(self) -> type:
        """The frozen dataclass of its settings, as `settings.toml` holds them."""
        model = _arguments(self.estimator())
        fields = [
            ("task", typing.Literal[self.name], dataclasses.field(default=self.name)),
            ("data", self.data_settings, dataclasses.field(default_factory=self.data_settings)),
            ("model", model, dataclasses.field(default_factory=model)),
        ]
        return dataclasses.make_dataclass(f"{self.name.title()}Settings", fields, frozen=True)

    def prepare(self, given: Mapping[str, Any]) -> None:
        """Called by the command with its options before JAX is loaded."""

    def default_folder(self, source: Path | None, settings: Any) -> Path:
        """The run folder where none is given."""
        del settings
        assert source is not None
        return Path("runs") / source.name.split(".")[0]

    def read(self, source: Any, settings: Any) -> Any:
        """The data: from a path, or from what Python holds. Raises `DataError`, `CorruptFile`."""
        raise NotImplementedError

    def split(self, data: Any, settings: Any) -> tuple[Any, Any]:
        """What is trained on, and what is held out or None. Raises `DataError`, `SettingsError`."""
        raise NotImplementedError

    def describe(self, data: Any) -> dict[str, Any]:
        """The data in a few lines, for `data.json`."""
        raise NotImplementedError

    def notes(self, data: Any) -> tuple[str, ...]:
        """What was done to the data on the way, in words."""
        del data
        return ()

    def plan(self, settings: Any) -> tuple[str, ...]:
        """What is about to be done and how long it may take, in words, where that is not plain from the data."""
        del settings
        return ()

    def check(self, model: Any, train: Any, held: Any, settings: Any) -> None:
        """Raise everything now that would be raised when training has ended: nothing is trained before this."""

    def build(self, settings: Any) -> Any:
        """The model that the settings describe, not fitted."""
        chosen = {f.name: getattr(settings.model, f.name) for f in dataclasses.fields(settings.model)}
        return self.estimator()(**chosen)

    def fit(self, model: Any, train: Any, run: "Run", callback: "Callable[[Event], None]", **options: Any) -> None:
        """Train the model into a run folder; `options` are those of its rows that are no settings."""
        model.fit(train, run=run, callback=callback, **options)

    def baselines(self, model: Any, train: Any, settings: Any) -> "dict[str, Estimator]":
        """Fitted baselines by name; none where the model holds its own."""
        del model, train, settings
        return {}

    def evaluate(self, model: Any, baselines: "Mapping[str, Any]", held: Any, settings: Any) -> "Evaluation":
        """The model on what was held out, beside its baselines."""
        raise NotImplementedError

    def unseen(self, model: Any, baselines: "Mapping[str, Any]", data: Any, settings: Any) -> "Evaluation":
        """The model on data given later, beside its baselines."""
        raise NotImplementedError

    def predict(self, model: Any, source: Any, settings: Any) -> Predictions:
        """Predictions for a source of data; a subclass adds the options that it is asked with."""
        raise NotImplementedError

    def anomalies(self, model: Any, source: Any, settings: Any, threshold: float) -> "Anomalies":
        """How unlikely each value is that came after those of training."""
        raise NotImplementedError

    def explain(self, model: Any, settings: Any) -> "Explanation":
        """What the model has learned; a subclass adds the options that it is asked with."""
        raise NotImplementedError

    def load(self, folder: Path, settings: Any) -> Any:
        """A trained model from its folder. Raises `CorruptFile`."""
        del settings
        from ostinato.models import MODELS, load

        return load(folder, {**MODELS, self.estimator().kind: self.estimator()})

    def about(self, record: "Record", folder: Path) -> dict[str, Any]:
        """What else is worth knowing of a trained run, for `info`."""
        del record, folder
        return {}

    def outcome(self, record: "Record", folder: Path) -> dict[str, Any]:
        """What else a run came to, for what `fit` says when it has ended."""
        del record, folder
        return {}

    def has(self, verb: str) -> bool:
        """Whether it has one of the `VERBS`."""
        return getattr(type(self), verb) is not getattr(Job, verb)


def _arguments(estimator: "type[Estimator]") -> type:
    """The constructor's arguments as a frozen dataclass."""
    hints = typing.get_type_hints(estimator.__init__)
    fields = []
    for name, parameter in estimator.settings().items():
        default = dataclasses.MISSING if parameter.default is inspect.Parameter.empty else parameter.default
        fields.append((name, _listed(hints.get(name, Any)), dataclasses.field(default=default)))
    return dataclasses.make_dataclass(f"{estimator.__name__}Settings", fields, frozen=True)


def _listed(kind: Any) -> Any:
    """The type with sequences as tuples, which is what TOML's arrays become."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is Sequence:
        return tuple[_listed(inner[0]), ...]
    if origin in (typing.Union, UnionType):
        return typing.Union[tuple(_listed(part) for part in inner)]  # noqa: UP007 - the parts are not known here
    return kind


def refused(verb: str, folder: Path, task: str, jobs: "Mapping[str, Job]") -> SettingsError:
    """The refusal of a verb that a run's job does not have, with the jobs that have it."""
    able = ", ".join(name for name, job in jobs.items() if job.has(verb))
    return SettingsError(f"{folder}: expected a run of {able}, got one of {task!r}")
