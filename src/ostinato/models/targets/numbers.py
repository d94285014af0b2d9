"""Numbers: one or several, standardised, trained by squared error."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Array, Float

from ostinato.checks import check_finite
from ostinato.data import Standardizer
from ostinato.errors import CorruptFile, ShapeError
from ostinato.losses import squared
from ostinato.models import measures
from ostinato.models.reading import as_numbers, check_size
from ostinato.models.targets.base import Target


@dataclass(frozen=True, eq=False)
class Numbers(Target):
    """One or several numbers, standardised with mean and deviation of the training rows, trained by squared error.

    `single`: they came, and are predicted, without an axis of targets.

    ```python
    >>> numbers = Numbers().learn(np.array([1.0, 3.0]), np.arange(2))
    >>> numbers.encode(np.array([5.0])).tolist(), numbers.decode(np.array([[3.0]])).tolist()
    ([[3.0]], [5.0])

    ```
    """

    scale: Standardizer = field(default_factory=lambda: Standardizer(np.zeros(0), np.zeros(0)))
    single: bool = False

    def read(self, given: Any, lengths: Sequence[int]) -> Any:
        got = len(given) if hasattr(given, "__len__") else f"{given!r:.60}"
        if got != len(lengths):
            raise ShapeError(f"y: expected {len(lengths)} targets, one for each sequence, got {got}")
        if not self.per_step:
            return read_numbers(given, "y")
        parts = [read_numbers(part, f"y[{i}]") for i, part in enumerate(given)]
        for i, (part, length) in enumerate(zip(parts, lengths, strict=True)):
            expected = (length, *parts[0].shape[1:])
            if part.shape != expected:
                raise ShapeError(f"y[{i}]: expected {expected}, a target for each step, got {part.shape}")
        return parts

    def learn(self, raw: Any, rows: np.ndarray) -> "Numbers":
        if self.per_step:
            return replace(self, scale=Standardizer.fit([columns(raw[i]) for i in rows]), single=raw[0].ndim == 1)
        return replace(self, scale=Standardizer.fit(columns(raw[rows])), single=raw.ndim == 1)

    def encode(self, raw: Any) -> Any:
        return [self.scale.transform(columns(a)) for a in raw] if self.per_step else self.scale.transform(columns(raw))

    @property
    def size(self) -> int:
        return len(self.scale.mean)

    @property
    def loss(self) -> Callable[[Array, Any], Array]:
        return squared

    def decode(self, outputs: Any) -> Any:
        return [self._units(part) for part in outputs] if self.per_step else self._units(outputs)

    def measures(self, outputs: Any, encoded: Any) -> dict[str, float]:
        return {"squared": measures.mse(np.ravel(self.flat(encoded)), np.ravel(self.flat(outputs)))}

    def guessing(self, encoded: Any) -> float:
        flat = self.flat(encoded)
        return float(np.square(flat - flat.mean(0)).mean()) if len(flat) else 0.0

    def regressand(self, encoded: Any) -> Float[np.ndarray, "rows targets"]:
        return self.flat(encoded)

    def to_dict(self) -> dict[str, Any]:
        return {"targets": self.scale.to_dict(), "single": self.single}

    def restored(self, content: Mapping[str, Any]) -> "Numbers":
        found = replace(self, scale=Standardizer.from_dict(content["targets"]), single=bool(content["single"]))
        if found.single and found.size != 1:
            raise CorruptFile(f"targets: expected one, got {found.size}")
        return found

    def _units(self, outputs: np.ndarray) -> np.ndarray:
        found = self.scale.inverse(outputs.astype(np.float64))
        return found[..., 0] if self.single else found


def columns(array: np.ndarray) -> Float[np.ndarray, "rows targets"]:
    """Targets with an axis of their own."""
    return array[:, None] if array.ndim == 1 else array


def read_numbers(targets: Any, name: str) -> np.ndarray:
    """Targets `(n,)` or `(n, targets)` in float64. Raises `DataError`, `ShapeError`, `NonFiniteError`."""
    array = as_numbers(targets, name)
    if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] == 0):
        raise ShapeError(f"{name}: expected (n,) or (n, targets), got {array.shape}")
    check_finite(array, name)
    check_size(array, name)
    return array
