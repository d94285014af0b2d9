"""Poles of synapses that are filters: which of them ring on, and when one leaves the unit circle in training."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Num

from ostinato.cells import Filters
from ostinato.errors import SettingsError


def poles(cell: Filters) -> Complex[Array, "hidden input feedback"]:
    r"""The poles of every synapse: the roots of $z^I - \sum_{p=1}^{I} v^{(p)} z^{I-p}$.

    The response of a synapse dies out where all of its poles lie inside the unit circle, and grows without end where
    one lies outside.

    Raises `SettingsError` for a cell without feedback.

    ```python
    >>> import equinox as eqx, jax, jax.numpy as jnp
    >>> cell = Filters(1, 1, feedback=2, key=jax.random.key(0))
    >>> cell = eqx.tree_at(lambda c: c.v, cell, jnp.array([0.9, -0.2]).reshape(2, 1, 1))
    >>> sorted(round(float(z.real), 4) for z in poles(cell)[0, 0])
    [0.4, 0.5]

    ```
    """
    if cell.v is None:
        raise SettingsError("poles: the cell has no feedback, so its synapses have no poles")
    return jnp.linalg.eigvals(_companions(cell.v))


def pole_metrics(model: Any) -> dict[str, float]:
    """`pole_radius`, the largest modulus of a pole in a model, and `unstable_synapses`, how many have one of 1 or more.

    Zeros for a model without feedback in its synapses.
    """
    radii = [jnp.abs(poles(cell)).max(axis=-1) for cell in _recursive(model)]
    return {
        "pole_radius": float(max((jnp.max(r, initial=0.0) for r in radii), default=0.0)),
        "unstable_synapses": float(sum(jnp.sum(r >= 1) for r in radii)),
    }


def watch_poles(
    validate: Callable[[Any], Mapping[str, Any]], tell: Callable[[str], None] | None = None
) -> Callable[[Any], dict[str, Any]]:
    """`validate` for `training.fit`, with `pole_metrics` behind its own entries, so that they are in the history.

    `tell` is called with a sentence for each evaluation that finds a pole on the unit circle or outside it.

    ```python
    >>> import jax
    >>> watched = watch_poles(lambda model: {"error": 0.5})
    >>> sorted(watched(Filters(1, 1, key=jax.random.key(0))))
    ['error', 'pole_radius', 'unstable_synapses']

    ```
    """

    def watched(model: Any) -> dict[str, Any]:
        found = pole_metrics(model)
        if tell is not None and found["unstable_synapses"]:
            tell(
                f"{found['unstable_synapses']:.0f} synapses have a pole outside the unit circle, the largest radius is "
                f"{found['pole_radius']:.4g}: their responses grow without end"
            )
        return {**validate(model), **found}

    return watched


def pull_poles_in(model: Any, radius: float = 0.99) -> Any:
    r"""The model with every pole within `radius`: where one is outside, $v^{(p)} \leftarrow c^p v^{(p)}$.

    That multiplies all poles of the synapse by c = `radius` over the largest modulus. It may stand in `fit` as
    `constrain=pull_poles_in` (on CPU, where JAX has eigenvalues of any matrix).

    Raises `SettingsError` for a radius that is not between 0 and 1.
    """
    if not 0 < radius < 1:
        raise SettingsError(f"radius: expected a number between 0 and 1, got {radius}")

    def pulled(part: Any) -> Any:
        if not isinstance(part, Filters) or part.v is None:
            return part
        largest = jnp.abs(poles(part)).max(axis=-1)
        c = jnp.minimum(radius / jnp.maximum(largest, radius), 1).astype(part.v.dtype)
        powers = jnp.arange(1, part.feedback + 1, dtype=part.v.dtype)
        return eqx.tree_at(lambda cell: cell.v, part, part.v * c[None] ** powers[:, None, None])

    return jax.tree.map(pulled, model, is_leaf=lambda part: isinstance(part, Filters))


def _companions(v: Num[Array, "feedback hidden input"]) -> Num[Array, "hidden input feedback feedback"]:
    order = v.shape[0]
    below = jnp.broadcast_to(jnp.eye(order, dtype=v.dtype)[:-1], (*v.shape[1:], order - 1, order))
    return jnp.concatenate([jnp.moveaxis(v, 0, -1)[..., None, :], below], axis=-2)


def _recursive(model: Any) -> list[Filters]:
    parts = jax.tree.leaves(model, is_leaf=lambda part: isinstance(part, Filters))
    return [part for part in parts if isinstance(part, Filters) and part.v is not None]
