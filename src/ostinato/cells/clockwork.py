"""Clockwork network: groups of units that each move at their own period (Koutník et al., ICML 2014)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.standard import StandardCell
from ostinato.errors import SettingsError


class Ticking(NamedTuple):
    """What each unit shows, and how many steps it still waits."""

    h: Float[Array, " hidden"]
    wait: Float[Array, " hidden"]


class Clockwork(StandardCell):
    r"""A simple network in groups: group g moves at every T_g-th step, and hears its own and slower groups alone.

    $$h_t^{(g)} = \tanh\Big(W^{(g)} x_t + b^{(g)} + \sum_{g' : T_{g'} \ge T_g} R^{(g g')} h^{(g')}_{t-1}\Big)
      \text{ where } T_g \text{ divides } t,\ \text{else } h_{t-1}^{(g)},\qquad y_t = h_t$$

    Shapes: `x (input,)`, `h, wait (hidden,)`, `W (1, hidden, input)`, `R (1, hidden, hidden)`, `b (1, hidden)`. Entries
    of R from faster to slower groups are there but count nothing; `pause (hidden,)`, the periods less one, is not
    learned. Steps are counted from the start of the sequence, or
    from its last reset; masked steps are not counted.

    `periods`: one for each group, by default 1, 2, 4, ... 128 (fewer groups where there are fewer units); groups are of
    equal size, as nearly as it goes, in rising order. PyTorch and Keras have none. Exact online gradients: RTRL.

    Raises `SettingsError` for periods below 1, that do not rise, or more of them than units.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> cell = Clockwork(1, 4, periods=(1, 3), key=jax.random.key(0))
    >>> ys, _ = ost.unroll(cell, jnp.arange(6.0)[:, None])
    >>> (ys[1:] != ys[:-1]).tolist()[:3]
    [[True, True, False, False], [True, True, False, False], [True, True, True, True]]

    ```
    """

    periods: tuple[int, ...] = eqx.field(static=True)
    pause: Float[Array, " hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        periods: Sequence[int] | None = None,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        super().__init__(input_size, hidden_size, init=init, dtype=dtype, key=key)
        chosen = tuple(2**k for k in range(min(8, hidden_size))) if periods is None else tuple(int(p) for p in periods)
        if not chosen or len(chosen) > hidden_size or chosen[0] < 1 or any(np.diff(chosen) <= 0):
            raise SettingsError(f"periods: expected 1 to {hidden_size} of them, rising from 1 or more, got {chosen}")
        self.periods = chosen
        self.pause = jnp.asarray(self.period_of_units() - 1, self.b.dtype)

    @property
    def fixed(self) -> tuple[str, ...]:
        return ("pause",)

    def period_of_units(self) -> np.ndarray:
        """The period of each unit, `(hidden,)`."""
        groups = np.array_split(np.arange(self.hidden_size), len(self.periods))
        return np.repeat(self.periods, [len(group) for group in groups])

    def init_state(self, *, key: PRNGKeyArray | None = None) -> Ticking:
        del key
        zeros = jnp.zeros(self.hidden_size, self.b.dtype)
        return Ticking(zeros, zeros)

    def recurrent(self) -> tuple[Array, None]:
        period = self.period_of_units()
        return self.R * jnp.asarray(period[None, :, None] <= period[None, None, :], self.R.dtype), None

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Ticking, dt: Any = None
    ) -> tuple[Ticking, Array]:
        del dt
        assert from_hidden is not None
        moves = state.wait <= 0
        h = jnp.where(moves, jnp.tanh((from_input + from_hidden)[0]), state.h)
        wait = jnp.where(moves, self.pause, state.wait - 1)
        return Ticking(h, wait), h
