"""Labels: one of several classes, trained by cross-entropy."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ostinato.errors import CorruptFile, DataError, ShapeError
from ostinato.losses import cross_entropy
from ostinato.models import measures
from ostinato.models.targets.base import Target


@dataclass(frozen=True, eq=False)
class Labels(Target):
    """One of several classes: hashable labels (text, numbers, tuples), trained by cross-entropy.

    ```python
    >>> labels = Labels().learn(["b", "a", "b"], np.arange(3))
    >>> labels.classes.tolist(), labels.encode(["a", "b"]).tolist(), labels.decode(np.array([[0.0, 2.0]])).tolist()
    (['a', 'b'], [0, 1], ['b'])

    ```
    """

    classes: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def read(self, given: Any, lengths: Sequence[int]) -> list[Any]:
        parts = _listed(given)
        if len(parts) != len(lengths):
            raise ShapeError(f"y: expected {len(lengths)} labels, one for each sequence, got {len(parts)}")
        if not self.per_step:
            return [_label(label, f"y[{i}]") for i, label in enumerate(parts)]
        steps = [[_label(a, f"y[{i}][{t}]") for t, a in enumerate(_listed(part))] for i, part in enumerate(parts)]
        for i, (part, length) in enumerate(zip(steps, lengths, strict=True)):
            if len(part) != length:
                raise ShapeError(f"y[{i}]: expected {length} labels, one for each step, got {len(part)}")
        return steps

    def learn(self, raw: Any, rows: np.ndarray) -> "Labels":
        """The classes, which are those of all rows: that there is a label is known before it is held out."""
        del rows
        classes = _classes([label for part in raw for label in part] if self.per_step else raw)
        if len(classes) < 2:
            raise DataError(f"y: expected at least two classes, got only {classes.tolist()}")
        return replace(self, classes=classes)

    def encode(self, raw: Any) -> Any:
        codes = {label: i for i, label in enumerate(self.classes.tolist())}
        return [_codes(part, codes) for part in raw] if self.per_step else _codes(raw, codes)

    @property
    def size(self) -> int:
        return len(self.classes)

    @property
    def loss(self) -> Callable[[Array, Any], Array]:
        return cross_entropy

    def decode(self, outputs: Any) -> Any:
        return [self.classes[a.argmax(-1)] for a in outputs] if self.per_step else self.classes[outputs.argmax(-1)]

    def probabilities(self, outputs: Any) -> Any:
        """Of each class, in the order of `classes`."""
        return [_softmax(a) for a in outputs] if self.per_step else _softmax(outputs)

    def measures(self, outputs: Any, encoded: Any) -> dict[str, float]:
        logits, codes = self.flat(outputs), self.flat(encoded)
        return {
            "cross_entropy": measures.cross_entropy(codes, _softmax(logits)),
            "error": float(np.mean(logits.argmax(-1) != codes)),
        }

    def counts(self, encoded: Any) -> np.ndarray:
        return np.bincount(self.flat(encoded), minlength=self.size)

    def weighted(self, weights: tuple[float, ...]) -> Callable[[Array, Any], Array]:
        return _weighted(weights)

    def guessing(self, encoded: Any) -> float:
        shares = self.counts(encoded) / max(len(self.flat(encoded)), 1)
        return float(-(shares * np.log(np.maximum(shares, 1e-300))).sum())

    def regressand(self, encoded: Any) -> Float[np.ndarray, "rows classes"]:
        return np.eye(self.size)[self.flat(encoded)]

    def strata(self, raw: Any) -> Any:
        return None if self.per_step else _codes(raw, {label: i for i, label in enumerate(_classes(raw).tolist())})

    def to_dict(self) -> dict[str, Any]:
        labels = self.classes.tolist()
        if not all(map(_storable, labels)):
            raise DataError(f"classes: only labels of text, numbers and tuples of them can be saved, got {labels}")
        return {"classes": labels}

    def restored(self, content: Mapping[str, Any]) -> "Labels":
        labels = [_frozen(label) for label in content["classes"]]
        if len(set(labels)) != len(labels) or len(labels) < 2:
            raise CorruptFile("classes: expected two or more different labels")
        return replace(self, classes=_as_array(labels))


@lru_cache(maxsize=64)
def _weighted(weights: tuple[float, ...]) -> Callable[[Array, Any], Array]:
    """Cross-entropy times the weight of the true class; the same function for the same weights."""
    return lambda y, target: cross_entropy(y, target) * jnp.asarray(weights, y.dtype)[target]


def _listed(targets: Any) -> list[Any]:
    if isinstance(targets, str) or not hasattr(targets, "__len__"):
        raise ShapeError(f"y: expected labels, one for each sequence (or step), got {targets!r:.60}")
    if hasattr(targets, "ndim") and targets.ndim != 1:
        raise ShapeError(f"y: expected one axis of labels, got shape {tuple(targets.shape)}")
    return targets.tolist() if hasattr(targets, "tolist") else list(targets)


def _label(label: Any, name: str) -> Hashable:
    label = label.item() if isinstance(label, np.generic) else label
    if isinstance(label, float) and not label.is_integer():
        raise DataError(f"{name}: {label} is no label; for numbers there is SequenceRegressor")
    try:
        hash(label)
    except TypeError as error:
        raise DataError(f"{name}: expected a hashable label, got {type(label).__name__}") from error
    return label


def _codes(labels: list[Hashable], codes: dict[Any, int]) -> np.ndarray:
    """Labels as numbers of their classes."""
    for label in labels:
        if label not in codes:
            raise DataError(f"y: label {label!r} was not seen in training, which had {list(codes)}")
    return np.array([codes[label] for label in labels], int)


def _classes(labels: list[Hashable]) -> np.ndarray:
    """The different labels, sorted; those that do not compare are sorted by type and text."""
    different = set(labels)
    try:
        ordered = sorted(different)  # pyright: ignore[reportArgumentType]
    except TypeError:
        ordered = sorted(different, key=lambda label: (type(label).__name__, repr(label)))
    return _as_array(ordered)


def _as_array(labels: list[Hashable]) -> np.ndarray:
    if len({type(label) for label in labels}) == 1 and isinstance(labels[0], (str, bool, int, float)):
        return np.array(labels)
    array = np.empty(len(labels), object)
    array[:] = labels
    return array


def _softmax(logits: np.ndarray) -> Float[np.ndarray, "*rows classes"]:
    # In float64, so that the probabilities of a row add up to 1 within rounding of a double.
    from scipy.special import softmax  # slow to load, and few commands need it

    return softmax(logits.astype(np.float64), axis=-1)


def _storable(label: Any) -> bool:
    if isinstance(label, tuple):
        return all(map(_storable, label))
    return isinstance(label, (str, bool, int)) or (isinstance(label, float) and np.isfinite(label))


def _frozen(label: Any) -> Hashable:
    return tuple(map(_frozen, label)) if isinstance(label, list) else label
