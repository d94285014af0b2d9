"""The modern Hopfield network with continuous states (Ramsauer et al., "Hopfield Networks is All You Need", 2021)."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ostinato.errors import SettingsError, ShapeError


class ModernHopfield(eqx.Module):
    r"""Real patterns, recalled by softmax of their products with the state: attention, one query to the stored rows.

    $$\xi' = X^\top \mathrm{softmax}(\beta X \xi),\qquad
      E(\xi) = -\tfrac1\beta \log \sum_\mu e^{\beta x_\mu \cdot \xi} + \tfrac12 \xi^\top \xi + \tfrac1\beta \log P
      + \tfrac12 M^2$$

    with P patterns as rows of X and M the largest of their norms; E is never negative and never rises. Patterns that
    lie well apart are found in one step. The step is that of attention with X as keys and as values, and has all
    derivatives.

    Shapes: `X (count, units)`, states `(*batch, units)`.

    ```python
    >>> import jax
    >>> X = jax.random.normal(jax.random.key(0), (20, 64))
    >>> network = ModernHopfield(X, beta=1.0)
    >>> found = network.recall(X[3] + 0.3, rounds=1)
    >>> bool(jax.numpy.abs(found - X[3]).max() < 1e-3)
    True

    ```
    """

    X: Float[Array, "count units"]
    beta: float = eqx.field(static=True, default=1.0)

    def __check_init__(self) -> None:
        if self.X.ndim != 2 or 0 in self.X.shape:
            raise ShapeError(f"X: expected (count, units) with one or more of each, got {self.X.shape}")
        if not self.beta > 0:
            raise SettingsError(f"beta: expected a positive number, got {self.beta}")

    def step(self, state: Float[Array, "*batch units"]) -> Float[Array, "*batch units"]:
        """One round: the patterns, weighed by their softmax."""
        return jax.nn.softmax(self.beta * (state @ self.X.T), axis=-1) @ self.X

    def energy(self, state: Float[Array, "*batch units"]) -> Float[Array, "*batch"]:
        """E of each row."""
        most = jnp.max(jnp.sum(self.X * self.X, axis=-1))
        near = jax.nn.logsumexp(self.beta * (state @ self.X.T), axis=-1) - jnp.log(jnp.asarray(len(self.X), most.dtype))
        return (jnp.sum(state * state, axis=-1) + most) / 2 - near / self.beta

    def recall(self, probe: Any, *, rounds: int = 1) -> Float[Array, "*batch units"]:
        """The state after so many rounds from the probe, `(*batch, units)`. Raises `ShapeError`, `SettingsError`."""
        state = jnp.asarray(probe).astype(self.X.dtype)
        if state.ndim == 0 or state.shape[-1] != self.X.shape[1]:
            raise ShapeError(f"probe: expected (*batch, {self.X.shape[1]}), got {state.shape}")
        if rounds < 1:
            raise SettingsError(f"rounds: expected 1 or more, got {rounds}")
        return jax.lax.fori_loop(0, rounds, lambda _, s: self.step(s), state)
