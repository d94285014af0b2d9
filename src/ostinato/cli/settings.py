"""The settings of a run, as `settings.toml` holds them: from a file, then `--set`, then the options of the command."""

import dataclasses
import inspect
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any

from ostinato.communities import CommunityModel
from ostinato.errors import SettingsError
from ostinato.models import Estimator, Forecaster, SequenceClassifier, SequenceRegressor
from ostinato.runs import from_table, load_settings

ESTIMATORS: dict[str, type[Estimator]] = {
    "forecast": Forecaster,
    "classify": SequenceClassifier,
    "regress": SequenceRegressor,
    "community": CommunityModel,
}


@dataclass(frozen=True)
class SeriesData:
    """Which columns of a table are what, and how much of the end of each series is held out.

    `season`: steps of the seasonal baseline, where the times do not tell them; `sha256`: of the file.
    """

    target: tuple[str, ...] = ()
    time: str | None = None
    series: str | None = None
    season: int | None = None
    test: int | float = 0.2
    sha256: str = ""


@dataclass(frozen=True)
class SequenceData:
    """The same for labelled sequences; `test` is a share, or another file."""

    series: str = "id"
    time: str = "time"
    label: str = "label"
    test: int | float | str = 0.2
    sha256: str = ""


@dataclass(frozen=True)
class CommunityData:
    """The same for communities of microbes; `test` is a share, the number of the last ones, or another file.

    `species` and `metabolites` are columns or patterns, None where they are to be found; no metabolites is `("",)`.
    """

    species: tuple[str, ...] | None = None
    metabolites: tuple[str, ...] | None = None
    community: str | None = None
    time: str | None = None
    test: int | float | str = 0.2
    sha256: str = ""


DATA: dict[str, type] = {"forecast": SeriesData, "community": CommunityData}


def settings_kind(task: str) -> type:
    """The dataclass of a task's settings: `task`, `data`, and as `model` the arguments of its estimator."""
    model = _arguments(ESTIMATORS[task])
    data = DATA.get(task, SequenceData)
    fields = [
        ("task", typing.Literal[task], dataclasses.field(default=task)),
        ("data", data, dataclasses.field(default_factory=data)),
        ("model", model, dataclasses.field(default_factory=model)),
    ]
    return dataclasses.make_dataclass(f"{task.title()}Settings", fields, frozen=True)


def combine(task: str, file: Path | None, overrides: Iterable[str], given: Mapping[str, Mapping[str, Any]]) -> Any:
    """The settings of a run; an entry of `given` that is None was not given.

    Raises `SettingsError`, which names the setting, and `DataError` where there is no such file.
    """
    kind = settings_kind(task)
    table = dataclasses.asdict(load_settings(kind, file, overrides))
    for part, entries in given.items():
        table[part] |= {name: value for name, value in entries.items() if value is not None}
    return from_table(kind, table)


def task_of(settings: Mapping[str, Any], source: Path) -> str:
    """The task of a run's settings. Raises `SettingsError` where it is none of these."""
    task = settings.get("task")
    if task not in ESTIMATORS:
        raise SettingsError(f"{source}: expected a run of {', '.join(ESTIMATORS)}, got one of {task!r:.40}")
    return task


def build(task: str, settings: Any) -> Estimator:
    """The estimator that the settings describe."""
    chosen = {f.name: getattr(settings.model, f.name) for f in dataclasses.fields(settings.model)}
    return ESTIMATORS[task](**chosen)


def _arguments(estimator: type[Estimator]) -> type:
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
