"""Checks at the boundary, on the host, before anything compiles; each names the axis, what was expected, what came."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool

from ostinato.errors import DataError, LengthError, NonFiniteError, ShapeError


def check_same(found: tuple[int, ...], expected: tuple[int, ...], name: str, axes: str) -> None:
    """Raise `ShapeError` unless the shapes are equal."""
    if tuple(found) != tuple(expected):
        raise ShapeError(f"{name}: expected {axes} = {tuple(expected)}, got {tuple(found)}")


def check_features(shape: tuple[int, ...], features: int, name: str = "inputs") -> None:
    """Raise `ShapeError` unless the shape is `(*batch, time, features)`."""
    axes = ["batch"] * max(len(shape) - 2, 0) + ["time"]
    if len(shape) < 2 or shape[-1] != features:
        expected = ", ".join([*axes, str(features)])
        got = ", ".join([*axes[: max(len(shape) - 1, 0)], str(shape[-1])]) if shape else ""
        raise ShapeError(f"{name}: expected ({expected}), got ({got}), shape {tuple(shape)}")


def check_lengths(lengths: Any, time: int) -> None:
    """Raise `LengthError` unless all lengths lie in 0..time."""
    lengths = np.asarray(lengths)
    bad = np.flatnonzero((lengths < 0) | (lengths > time))
    if bad.size:
        row = int(bad[0])
        raise LengthError(f"lengths: expected 0 to time = {time}, got {int(lengths.reshape(-1)[row])} in row {row}")


def check_finite(array: Any, name: str, *, allow_nan: bool = False, hint: bool = False) -> None:
    """Raise `NonFiniteError` naming the first entry that is not finite."""
    array = np.asarray(array)
    if not np.issubdtype(array.dtype, np.inexact):
        return
    bad = np.isinf(array) if allow_nan else ~np.isfinite(array)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        advice = "; mark missing values with `observed` (or `missing=True`)" if hint or np.isnan(array[where]) else ""
        raise NonFiniteError(f"{name}: {array[where]} at index {where}, {int(bad.sum())} entries not finite{advice}")


def as_flags(array: Any, name: str) -> Bool[Array, "..."] | None:
    """A mask or reset as booleans, from booleans or numbers 0 and 1 of any type; None stays None.

    Raises `DataError` for anything else. Inside a traced function, where values cannot be read, what is not 0 counts
    as 1.

    ```python
    >>> as_flags([1, 0, 1], "mask").tolist()
    [True, False, True]

    ```
    """
    if array is None or (isinstance(array, Array) and array.dtype == np.dtype(bool)):
        return array
    if not isinstance(array, Tracer):
        try:
            array = np.asarray(array)
        except ValueError as error:
            raise DataError(f"{name}: expected an array of flags, got rows of different lengths") from error
        if array.dtype != np.dtype(bool) and not jnp.issubdtype(array.dtype, np.number):
            raise DataError(f"{name}: expected flags, False and True or 0 and 1, got values of type {array.dtype}")
        wrong = np.argwhere((array != 0) & (array != 1))
        if len(wrong):
            where = tuple(int(i) for i in wrong[0])
            raise DataError(f"{name}: expected flags, False and True or 0 and 1, got {array[where]} at index {where}")
    return jnp.asarray(array != 0)
