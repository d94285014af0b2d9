"""The contract of a target: what a network of whole sequences is to predict, for each sequence or each of its steps."""

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Array, Float

from ostinato.models.ridge import RidgeRegression

T = TypeVar("T", bound="Target")


@dataclass(frozen=True, eq=False)
class Target(abc.ABC):
    """A kind of target: how it is read, learned, encoded for the loss, decoded from outputs, and measured.

    `target.learn(raw, rows)` gives the target with what it found in these rows (classes, scaling); only then do the
    others make sense. A further kind (tags, labels without alignment, tokens) is one subclass more.

    * `read(given, lengths)`: raw targets, one entry for each sequence; with `per_step` one of a sequence's length.
    * `encode(raw)`: what the loss compares with, and `size`: how many outputs the network has for it.
    * `loss(y, encoded)`: for one sequence, or one step.
    * `decode(outputs)`: predictions in the units, or words, of the targets.
    * `measures(outputs, encoded)`: what is measured on a validation set; the first is minimised.
    * `baseline(inputs, encoded)`: the linear model beside the network.
    """

    per_step: bool = False

    @abc.abstractmethod
    def read(self, given: Any, lengths: Sequence[int]) -> Any:
        """Raw targets. Raises `ShapeError` and `DataError`."""

    @abc.abstractmethod
    def learn(self: T, raw: Any, rows: np.ndarray) -> T:
        """The target that knows what is to be known of the targets in these rows. Raises `DataError`."""

    @abc.abstractmethod
    def encode(self, raw: Any) -> Any:
        """Raw targets as the loss takes them. Raises `DataError` for what was not learned."""

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """How many outputs the network has."""

    @property
    @abc.abstractmethod
    def loss(self) -> Callable[[Array, Any], Array]:
        """The loss of one output and one encoded target."""

    @abc.abstractmethod
    def decode(self, outputs: Any) -> Any:
        """Predictions from the outputs of the network."""

    @abc.abstractmethod
    def measures(self, outputs: Any, encoded: Any) -> dict[str, float]:
        """Measures of outputs against encoded targets; the first is minimised."""

    @abc.abstractmethod
    def regressand(self, encoded: Any) -> Float[np.ndarray, "rows outputs"]:
        """What a linear model is fitted to."""

    @abc.abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """What was learned, as plain values for a file. Raises `DataError` where that cannot be."""

    @abc.abstractmethod
    def restored(self: T, content: Mapping[str, Any]) -> T:
        """The target with what a file says was learned. Raises `CorruptFile`."""

    def counts(self, encoded: Any) -> np.ndarray | None:
        """How many of each class; None where there are no classes."""
        del encoded
        return None

    def weighted(self, weights: tuple[float, ...]) -> Callable[[Array, Any], Array]:
        """The loss with a weight for each class."""
        raise NotImplementedError

    def compared(self, encoded: Any) -> np.ndarray:
        """What a mixture of models is fitted to: classes `(n,)`, or numbers `(n, outputs)`."""
        return self.flat(encoded)

    def guessing(self, encoded: Any) -> float:
        """The loss of the best constant on these rows: what a network has that has learned nothing."""
        raise NotImplementedError

    def strata(self, raw: Any) -> Any:
        """Of which a validation set takes its share of each; None where rows are all alike."""
        del raw
        return None

    def baseline(self, inputs: Float[np.ndarray, "rows inputs"], encoded: Any) -> RidgeRegression:
        """The linear model of the same targets."""
        return RidgeRegression.fit(inputs, self.regressand(encoded))

    def take(self, encoded: Any, rows: np.ndarray) -> Any:
        """Those rows of raw or encoded targets."""
        return [encoded[i] for i in rows] if isinstance(encoded, list) else encoded[rows]

    def flat(self, parts: Any) -> np.ndarray:
        """One row for each sequence, or for each step of all sequences."""
        return np.concatenate(parts) if self.per_step else parts
