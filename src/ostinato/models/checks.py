"""Settings of an estimator, judged by a table: a row says a setting, what is good, and in words what is expected."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from ostinato.errors import SettingsError


class Check(NamedTuple):
    """One row: `good(value, model)`, asked of the setting `name`; a value of a type that it cannot judge is not good.

    ```python
    >>> Check("patience", lambda value, model: value is None or model.validation > 0, "None without validation").name
    'patience'

    ```
    """

    name: str
    good: Callable[[Any, Any], bool]
    expected: str

    def __call__(self, model: Any) -> None:
        """Raise `SettingsError`, which names the setting, what was expected and what came."""
        value = getattr(model, self.name)
        try:
            good = bool(self.good(value, model))
        except (TypeError, ValueError):
            good = False
        if not good:
            raise SettingsError(f"{self.name}: expected {self.expected}, got {value!r:.80}")


def whole(*names: str, least: int = 1, unit: str = "") -> tuple[Check, ...]:
    """Whole numbers of at least so much."""
    expected = f"{least} or more{unit}"
    return tuple(Check(name, lambda value, model: _is_whole(value) and value >= least, expected) for name in names)


def above_0(*names: str, optional: bool = False) -> tuple[Check, ...]:
    """Finite numbers above 0; with `optional`, None too."""
    expected = "None or a number above 0" if optional else "a number above 0"
    good = lambda value, model: (optional and value is None) or 0 < value < np.inf
    return tuple(Check(name, good, expected) for name in names)


def at_least_0(*names: str) -> tuple[Check, ...]:
    """Finite numbers of 0 or more."""
    return tuple(Check(name, lambda value, model: 0 <= value < np.inf, "0 or more") for name in names)


def rates(*names: str) -> tuple[Check, ...]:
    """Numbers from 0 to below 1."""
    return tuple(Check(name, lambda value, model: 0 <= value < 1, "0 <= rate < 1") for name in names)


def or_auto(*checks: Check) -> tuple[Check, ...]:
    """The same checks of settings that may be "auto" as well."""
    loose = lambda check: lambda value, model: value == "auto" or check.good(value, model)
    return tuple(Check(check.name, loose(check), f'"auto", or {check.expected}') for check in checks)


def one_of(name: str, options: Iterable[str]) -> tuple[Check, ...]:
    """One of several words."""
    known = tuple(options)
    return (Check(name, lambda value, model: value in known, f"one of {', '.join(known)}"),)


def units(name: str = "hidden_size") -> tuple[Check, ...]:
    """A number of units, or one for each layer."""

    def good(value: Any, model: Any) -> bool:
        sizes = value if isinstance(value, (tuple, list)) else (value,)
        return bool(sizes) and all(_is_whole(size) and size >= 1 for size in sizes)

    return (Check(name, good, "1 or more units"),)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
