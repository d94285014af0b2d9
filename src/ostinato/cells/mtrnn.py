"""Multiple timescales network (Yamashita and Tani, PLoS Computational Biology 4, 2008)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.init import gate_weights
from ostinato.cells.standard import StandardCell
from ostinato.errors import SettingsError


class MembranePotential(NamedTuple):
    """The potential of each unit, before its activation."""

    u: Float[Array, " hidden"]


class MTRNN(StandardCell):
    r"""Fast and slow units that hear one another; the world is heard by the fast ones, and sees those, alone.

    $$u_t = \Big(1 - \frac1\tau\Big) \odot u_{t-1} + \frac1\tau \odot (W x_t + b + R \tanh(u_{t-1})),\qquad
      y_t = \tanh(u_t)$$

    with $\tau$ = `fast_tau` for the first units, `slow_tau` for the last `slow` of them (by default a quarter). W has
    rows for the fast units, and y is 0 for the slow ones.

    What the slow units start from chooses among sequences: give it as the `state` of `unroll`, learned for each
    sequence, or `learn_initial_state(cell)` for one that all share.

    Shapes: `x (input,)`, `u (hidden,)`, `W (1, fast, input)`, `R (1, hidden, hidden)`, `b (1, hidden)`; `rate
    (hidden,)`, which is 1/τ, and `seen (hidden,)`, 1 for fast units, are not learned. PyTorch and Keras have none.
    Exact online gradients: RTRL.

    Raises `SettingsError` for time constants below 1, or as many slow units as there are units.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> cell = MTRNN(3, 8, key=jax.random.key(0))
    >>> state, y = cell(jnp.ones(3), cell.init_state())
    >>> state.u.shape, y[6:].tolist()
    ((8,), [0.0, 0.0])

    ```
    """

    shown = None

    slow: int = eqx.field(static=True)
    W: Float[Array, "1 fast input"]
    rate: Float[Array, " hidden"]
    seen: Float[Array, " hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        slow: int | None = None,
        fast_tau: float = 5.0,
        slow_tau: float = 70.0,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        weights = gate_weights(init, 1, hidden_size, input_size, key=key, dtype=dtype)
        if fast_tau < 1 or slow_tau < 1:
            raise SettingsError(f"fast_tau, slow_tau: expected 1 or more, in steps, got {fast_tau} and {slow_tau}")
        slow = hidden_size // 4 if slow is None else slow
        if not 0 <= slow < hidden_size:
            raise SettingsError(f"slow: expected 0 to {hidden_size - 1} of {hidden_size} units, got {slow}")
        self.input_size, self.hidden_size, self.slow = input_size, hidden_size, slow
        self.W, self.R, self.b = weights.W[:, : hidden_size - slow], weights.R, weights.b + weights.b_h
        is_slow = np.arange(hidden_size) >= hidden_size - slow
        self.rate = jnp.asarray(np.where(is_slow, 1 / slow_tau, 1 / fast_tau), self.b.dtype)
        self.seen = jnp.asarray(~is_slow, self.b.dtype)

    @property
    def fixed(self) -> tuple[str, ...]:
        return ("rate", "seen")

    def init_state(self, *, key: PRNGKeyArray | None = None) -> MembranePotential:
        del key
        return MembranePotential(jnp.zeros(self.hidden_size, self.b.dtype))

    def project(self, x: Float[Array, " input"]) -> Float[Array, "1 hidden"]:
        return jnp.pad(self.W @ x, ((0, 0), (0, self.slow))) + self.b

    def hidden(self, state: MembranePotential) -> Float[Array, " hidden"]:
        return jnp.tanh(state.u)

    def update(
        self, from_input: Array, from_hidden: Array | None, state: MembranePotential, dt: Any = None
    ) -> tuple[MembranePotential, Array]:
        del dt
        assert from_hidden is not None
        u = (1 - self.rate) * state.u + self.rate * (from_input + from_hidden)[0]
        return MembranePotential(u), self.seen * jnp.tanh(u)
