"""Equations of ecology through time: from sample to sample, with serial dilution."""

import itertools
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ostinato.errors import DataError, SettingsError, ShapeError
from ostinato.precision import float64

LIMIT = 1e9
"""An amount above this one is taken for growth without end."""

SHOWN = 10
"""Communities that a warning lists."""


def simulate(
    slope: Callable[[Any, Array], Array],
    weights: Any,
    initial: Any,
    hours: Any,
    *,
    size: int,
    passages: Iterable[float] = (),
    dilution: float = 0.05,
    medium: Any = 0.0,
    tolerance: float = 1e-10,
    names: Sequence[str] | None = None,
) -> Float[np.ndarray, "communities hours size"]:
    r"""Amounts at `hours` of $\dot z = $ `slope(weights, z)`, the first of which is when `initial` was put together.

    At each of the hours in `passages` z becomes `dilution` z + (1 - `dilution`) `medium`; a sample at such an hour is
    taken before it. In float64, by the fifth-order method of Tsitouras with steps that keep the error of each below
    `tolerance`, relative to the amount. `initial (communities, size)`; `slope` is compiled once for each function.

    A community whose amounts grow without end is NaN from the first time that it does not reach, and a
    `RuntimeWarning` lists such communities, by their `names` or their numbers; the others are what they are without it.

    Raises `ShapeError`, `SettingsError` (hours that do not increase) and `DataError` (a negative or missing amount).
    """
    first, at = np.asarray(initial, float), np.asarray(hours, float)
    if first.ndim != 2 or first.shape[1] != size:
        raise ShapeError(f"initial: expected (communities, {size}), got {first.shape}")
    for what, bad in (("negative", first < 0), ("missing", ~np.isfinite(first))):
        if bad.any():
            row = int(np.argwhere(bad)[0, 0])
            raise DataError(f"initial: a {what} abundance in community {_named(row, names)}")
    if at.ndim != 1 or not len(at) or not (np.diff(at) > 0).all():
        raise SettingsError(f"hours: expected times that increase, got {at.tolist()}")
    if not 0 < dilution <= 1:
        raise SettingsError(f"dilution: expected a share above 0 and up to 1, got {dilution}")
    cuts = {float(p) for p in passages if at[0] < p < at[-1]}
    found = np.empty((len(first), len(at), size))
    found[:, 0] = z = first
    # From time to time, so that what is given is what was stepped to and not read off a curve between two steps.
    times = np.unique([*at, *cuts])
    diverged: dict[int, float] = {}
    with float64():
        numbers = jax.tree.map(jnp.asarray, weights)
        for start, stop in itertools.pairwise(times):
            z = np.asarray(_solve(slope, numbers, jnp.asarray(z), *map(jnp.asarray, (start, stop, tolerance))))
            lost = np.asarray(~np.isfinite(z).all(axis=1))
            diverged = {int(row): float(stop) for row in np.flatnonzero(lost)} | diverged
            # Nothing grows from 0: the others go on beside a row that costs no steps.
            z = np.where(lost[:, None], 0.0, z)
            found[:, at == stop] = z[:, None]
            if stop in cuts:
                z = dilution * z + (1 - dilution) * np.asarray(medium, float)
    for row, stop in diverged.items():
        found[row, at >= stop] = np.nan
    if diverged:
        _warn(diverged, names)
    return found


def _named(row: int, names: Sequence[str] | None) -> str:
    return str(row) if names is None else f"'{names[row]}'"


def _warn(diverged: Mapping[int, float], names: Sequence[str] | None) -> None:
    listed = [f"{_named(row, names)} by {diverged[row]:g} h" for row in sorted(diverged)[:SHOWN]]
    more = f" and {len(diverged) - SHOWN} more" if len(diverged) > SHOWN else ""
    words = f"{'communities' if len(diverged) > 1 else 'community'} {', '.join(listed)}{more}"
    # At the line that calls `LotkaVolterra.simulate`.
    warnings.warn(f"{words}: abundances grow without end; they are NaN from there on", RuntimeWarning, stacklevel=5)


@partial(jax.jit, static_argnums=0)
def _solve(slope: Any, weights: Any, z: Array, start: Array, stop: Array, tolerance: Array) -> Array:
    import diffrax

    def one(z: Array) -> Array:
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, z, w: slope(w, z)),  # pyright: ignore[reportArgumentType]
            diffrax.Tsit5(),
            start,
            stop,
            None,
            z,
            weights,
            stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance * 1e-3),
            max_steps=100_000,
            throw=False,
            adjoint=diffrax.ForwardMode(),
            # Towards a pole the steps would become smaller for ever.
            event=diffrax.Event(lambda t, z, args, **more: jnp.max(z) > LIMIT),
        )
        assert found.ys is not None
        return jnp.where(found.result == diffrax.RESULTS.successful, found.ys[0], jnp.nan)

    return jax.vmap(one)(z)
