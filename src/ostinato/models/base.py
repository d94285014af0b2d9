"""An estimator: settings in the constructor, fitted attributes with an underscore, files without pickle.

The conventions are those of scikit-learn (`clone`, `Pipeline`, searches work), which need not be installed.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from jaxtyping import PyTree

from ostinato.errors import CorruptFile, NotFitted, SettingsError
from ostinato.models.checks import Check
from ostinato.runs import load_weights, save_weights
from ostinato.runs.manifest import read_manifest
from ostinato.runs.storage import settled
from ostinato.training.bar import ASKED

E = TypeVar("E", bound="Estimator")
Weights = Callable[[PyTree[Any]], PyTree[Any]]


class Estimator:
    """Base of all models with `fit` and `predict`.

    A subclass has a constructor that only stores its arguments under their names, the class attributes `kind` (its name
    in `models.MODELS` and in files) and `estimator_type` (`"classifier"`, `"regressor"` or None, for scikit-learn), a
    `fit` that gives `self._refit(...)`, a `_fit` with the same arguments that sets attributes with a trailing
    underscore, and two methods for files:

    * `_fitted() -> (weights, numbers)`: what `fit` found, as a PyTree of arrays and as plain values for JSON;
    * `_restore(numbers, weights)`: the inverse; `weights(like)` reads the arrays in the structure of `like`, whose
      leaves are arrays or `jax.ShapeDtypeStruct`s.

    ```python
    >>> class Mean(Estimator):
    ...     kind = "mean"
    ...     def __init__(self, shift=0.0):
    ...         self.shift = shift
    ...     def fit(self, y):
    ...         return self._refit(y)
    ...     def _fit(self, y):
    ...         self.mean_ = sum(y) / len(y) + self.shift
    >>> model = Mean(shift=1.0)
    >>> model, model.get_params(), model.is_fitted
    (Mean(shift=1.0), {'shift': 1.0}, False)
    >>> model.fit([1.0, 2.0]).mean_
    2.5

    ```
    """

    kind: ClassVar[str] = ""
    estimator_type: ClassVar[str | None] = None
    checks: ClassVar[tuple[Check, ...]] = ()
    """What the settings may be, row by row; `fit` asks them all before it does anything."""

    @classmethod
    def settings(cls) -> dict[str, inspect.Parameter]:
        """The arguments of the constructor."""
        parameters = inspect.signature(cls.__init__).parameters
        return {name: p for name, p in parameters.items() if name != "self"}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings by name; `deep` is there for scikit-learn and changes nothing, as no setting is an estimator."""
        del deep
        return {name: getattr(self, name) for name in self.settings()}

    def set_params(self: E, **settings: Any) -> E:
        """Change settings; raises `SettingsError` for an unknown name. Takes effect at the next `fit`."""
        known = self.settings()
        for name, value in settings.items():
            if name not in known:
                raise SettingsError(f"{type(self).__name__}: no setting {name!r}; it has {', '.join(known)}")
            setattr(self, name, value)
        return self

    def _blank(self: E) -> E:
        """The same settings, not fitted."""
        fresh = object.__new__(type(self))
        vars(fresh).update(self.get_params())
        return fresh

    def _refit(self: E, *data: Any, progress: bool | None = None, **options: Any) -> E:
        """`_fit` of a blank copy, whose attributes are taken over when it is through.

        So nothing is kept from an earlier fit, and one that fails leaves the estimator as it was. `progress`: as
        `training.fit` has it, of all that is trained on the way.
        """
        fresh = self._blank()
        asked = ASKED.set(progress)
        try:
            fresh._fit(*data, **options)
        finally:
            ASKED.reset(asked)
        kept = {name: value for name, value in vars(self).items() if not (name.endswith("_") or name.startswith("_"))}
        self.__dict__ = kept | vars(fresh)
        return self

    def _fit(self, *data: Any, **options: Any) -> None:
        raise NotImplementedError

    def _check_settings(self) -> None:
        """Raise `SettingsError` for a setting that is not what its row in `checks` expects."""
        for check in self.checks:
            check(self)

    def __repr__(self) -> str:
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name, parameter in self.settings().items()
            if parameter.default is inspect.Parameter.empty or not _same(getattr(self, name), parameter.default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    @property
    def is_fitted(self) -> bool:
        """Whether `fit` was called."""
        return any(name.endswith("_") and not name.startswith("_") for name in vars(self))

    def check_fitted(self) -> None:
        """Raise `NotFitted` where `fit` was not called."""
        if not self.is_fitted:
            raise NotFitted(f"{type(self).__name__}: call fit first")

    def save(self, folder: str | Path) -> Path:
        """Write weights, settings and scaling as a folder, with a checksum of each file; one that is there is replaced.

        Raises `NotFitted`, `SettingsError` (a setting that is no plain value, such as a class instead of its name in
        `CELLS`), `StorageError`.
        """
        self.check_fitted()
        for name, value in self.get_params().items():
            if not _plain(value):
                raise SettingsError(f"{name}: a model is saved with plain settings only, got {value!r}")
        weights, numbers = self._fitted()
        extra = {"model": self.kind, "settings": self.get_params(), "fitted": numbers}
        return save_weights(Path(folder), weights, extra)

    @classmethod
    def load(cls: type[E], folder: str | Path) -> E:
        """Read what `save` wrote. Raises `CorruptFile` where it is damaged, or the file of another kind of model."""
        note = read_note(folder)
        if note["model"] != cls.kind:
            raise CorruptFile(f"{folder}: holds a model of kind {note['model']!r}, expected {cls.kind!r}")
        try:
            model = cls(**{name: _tuples(value) for name, value in note["settings"].items()})
            model._restore(note["fitted"], lambda like: load_weights(Path(folder), like)[0])
        except CorruptFile:
            raise
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise CorruptFile(f"{folder}: its settings do not fit this version ({error})") from error
        return model

    def _fitted(self) -> tuple[PyTree[Any], dict[str, Any]]:
        raise NotImplementedError

    def _restore(self, numbers: dict[str, Any], weights: Weights) -> None:
        raise NotImplementedError

    def __sklearn_is_fitted__(self) -> bool:
        return self.is_fitted

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        kind = self.estimator_type
        return Tags(
            estimator_type=kind,  # pyright: ignore[reportArgumentType]
            target_tags=TargetTags(required=kind is not None),
            classifier_tags=ClassifierTags() if kind == "classifier" else None,
            regressor_tags=RegressorTags() if kind == "regressor" else None,
            input_tags=InputTags(two_d_array=False, three_d_array=True),
        )


def read_note(folder: str | Path) -> dict[str, Any]:
    """What `save` noted beside the weights: `model` (its kind), `settings`, `fitted`. Raises `CorruptFile`."""
    note = read_manifest(settled(Path(folder))).get("extra")
    wanted = {"model": str, "settings": dict, "fitted": dict}
    if not isinstance(note, dict) or not all(isinstance(note.get(name), kind) for name, kind in wanted.items()):
        raise CorruptFile(f"{folder}: no saved model")
    return note


def _plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_plain(v) for v in value)
    if isinstance(value, dict):
        return all(isinstance(k, str) and _plain(v) for k, v in value.items())
    return value is None or isinstance(value, (bool, int, float, str))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and value == default)
