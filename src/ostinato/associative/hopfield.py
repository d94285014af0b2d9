"""The Hopfield network (Hopfield, PNAS 79, 1982), with Hebbian storage or by projection (Personnaz et al. 1986)."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ostinato.errors import SettingsError, ShapeError

from .patterns import Settled, checked, sign, stored

RULES = ("hebb", "pseudo-inverse")
ORDERS = ("random", "cyclic", "synchronous")
SLACK = 4
"""A sum of products is right to so many units of the last place of the sum of their sizes."""


class Hopfield(eqx.Module):
    r"""Units of ±1 that ask one another until none of them changes: a pattern is recalled from a part of it.

    $$s_i \leftarrow \mathrm{sgn}\Big(\sum_j W_{ij} s_j\Big),\qquad E(s) = -\tfrac12 s^\top W s$$

    with W symmetric and its diagonal 0. A unit whose field is 0, within the rounding of the sum, stays as it was. A
    unit that is asked while the others stand still never makes E rise, so one after the other they come to rest. All at
    once (`order="synchronous"`) they may swing between two states instead.

    * `Hopfield.store(patterns, rule="hebb")`: $W = \frac1N \sum_\mu \xi^\mu {\xi^\mu}^\top$. About 0.138 N random
      patterns are recalled with few errors; beyond that recall breaks down.
    * `rule="pseudo-inverse"`: W is the projection P on the span of the patterns, without its diagonal. A stored pattern
      has the fields $(1 - P_{ii}) \xi_i$, so up to N independent ones stand still, similar ones too. Near N little else
      is recalled: of N patterns P is the identity, and every state stands still.

    Shapes: states `(*batch, units)`, `W (units, units)`.

    ```python
    >>> import jax
    >>> from ostinato.associative import bipolar
    >>> memories = bipolar(["11110000", "11001100"])
    >>> network = Hopfield.store(memories)
    >>> found = network.recall(bipolar("11110001"), key=jax.random.key(0))
    >>> bool((found.state == memories[0]).all()), bool(found.converged)
    (True, True)

    ```
    """

    W: Float[Array, "units _"]

    @classmethod
    def store(cls, patterns: Any, *, rule: str = "hebb") -> "Hopfield":
        """A network that holds the patterns, `(count, units)` of ±1.

        Raises `ShapeError`, `DataError` (other values) and `SettingsError` (an unknown rule).
        """
        if rule not in RULES:
            raise SettingsError(f"rule: expected one of {', '.join(RULES)}, got {rule!r}")
        X = stored(patterns)
        W = X.T @ X / X.shape[1] if rule == "hebb" else _projection(X)
        W = (W + W.T) / 2
        return cls(W - jnp.diag(jnp.diag(W)))

    def __check_init__(self) -> None:
        if self.W.ndim != 2 or self.W.shape[0] != self.W.shape[1]:
            raise ShapeError(f"W: expected (units, units), got {self.W.shape}")

    @property
    def units(self) -> int:
        return self.W.shape[0]

    @property
    def slack(self) -> Float[Array, " units"]:
        """How far from 0 rounding may take the field of each unit."""
        return SLACK * jnp.finfo(self.W.dtype).eps * jnp.sum(jnp.abs(self.W), axis=1)

    def energy(self, state: Float[Array, "*batch units"]) -> Float[Array, "*batch"]:
        r"""$-\tfrac12 s^\top W s$ of each row."""
        return -jnp.sum((state @ self.W) * state, axis=-1) / 2

    def sweep(
        self, state: Float[Array, "*batch units"], order: Int[Array, " steps"]
    ) -> tuple[Float[Array, "*batch units"], Float[Array, "steps *batch"]]:
        """Ask the units one after the other, in the given order: the state after it, and the energy after each step."""
        slack = self.slack

        def one(carry: tuple[Array, Array], i: Array) -> tuple[tuple[Array, Array], Array]:
            s, energy = carry
            field = s @ self.W[i]
            new = sign(field, s[..., i], slack[i])
            # The diagonal of W is 0: what a unit adds to E is minus its state times its field.
            energy = energy - (new - s[..., i]) * field
            return (s.at[..., i].set(new), energy), energy

        (state, _), energies = jax.lax.scan(one, (state, self.energy(state)), order)
        return state, energies

    def recall(
        self, probe: Any, *, order: str = "random", rounds: int = 100, key: PRNGKeyArray | None = None
    ) -> Settled:
        """Start from the probe, `(*batch, units)` of ±1, until a whole round changes nothing.

        `order`: `"random"`, drawn anew from `key` in each round and the same for all rows; `"cyclic"`, from the first
        unit to the last; `"synchronous"`, all at once.

        Raises `ShapeError`, `DataError`, `SettingsError`.
        """
        if order not in ORDERS:
            raise SettingsError(f"order: expected one of {', '.join(ORDERS)}, got {order!r}")
        if order == "random" and key is None:
            raise SettingsError("key: a random order needs one; order='cyclic' does without")
        if rounds < 1:
            raise SettingsError(f"rounds: expected 1 or more, got {rounds}")
        return _recall(self, checked(probe, "probe", self.units).astype(self.W.dtype), order, rounds, key)


def _projection(X: Float[Array, "count units"]) -> Float[Array, "units units"]:
    """The projection on the span of the rows, without the diagonal; a row that is 0 but for rounding is 0."""
    # In double precision where the values are there to read: with few dimensions left the fields become small.
    lib = jnp if isinstance(X, Tracer) else np
    values = X if isinstance(X, Tracer) else np.asarray(X, np.float64)
    precision = float(lib.finfo(values.dtype).eps)
    _, sizes, V = lib.linalg.svd(values, full_matrices=False)
    V = lib.where((sizes > max(values.shape) * precision * sizes[0])[:, None], V, lib.zeros_like(V))
    P = V.T @ V
    P = P * (1 - lib.eye(len(P), dtype=P.dtype))
    alone = lib.max(abs(P), axis=1) < precision**0.5 / 16
    return jnp.asarray(lib.where(alone[:, None] | alone[None], lib.zeros_like(P), P), X.dtype)


@eqx.filter_jit
def _recall(network: Hopfield, probe: Array, order: str, rounds: int, key: PRNGKeyArray | None) -> Settled:
    units, slack = network.units, network.slack

    def turn(state: Array, number: Array) -> Array:
        if order == "synchronous":
            return sign(state @ network.W, state, slack)
        asked = jnp.arange(units) if key is None else jr.permutation(jr.fold_in(key, number), units)
        if order == "cyclic":
            asked = jnp.arange(units)

        def one(step: Array, s: Array) -> Array:
            i = asked[step]
            return s.at[..., i].set(sign(s @ network.W[i], s[..., i], slack[i]))

        return jax.lax.fori_loop(0, units, one, state)

    def going(at: tuple[Array, Array, Array, Array]) -> Array:
        before, last, state, number = at
        # A state that comes back after two rounds comes back for ever.
        return (number < rounds) & jnp.any(state != last) & jnp.any(state != before)

    def again(at: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        _, last, state, number = at
        return last, state, turn(state, number), number + 1

    first = turn(probe, jnp.zeros((), jnp.int32))
    start = jnp.zeros_like(probe), probe, first, jnp.ones((), jnp.int32)
    _, last, state, number = jax.lax.while_loop(going, again, start)
    return Settled(state, number, jnp.all(state == last, axis=-1))
