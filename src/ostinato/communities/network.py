"""The network of a community model: any cells, a read-out, species that stay absent, its own output as next input."""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ostinato.cells.base import Cell
from ostinato.data import SequenceBatch
from ostinato.layers import Stack, rollout
from ostinato.types import State

FORCING = ("sampled", "none", "published")


class CommunityState(NamedTuple):
    """The state of the cells inside, which species were not put in, and the number of steps so far."""

    inner: State
    absent: Bool[Array, " species"]
    step: Int[Array, ""]


class CommunityCell(Cell):
    r"""A stack that maps what a community is to what it will be at the next time; who is absent stays absent.

    $$s_t, \hat z = \mathrm{stack}(z_t, s_{t-1}),\qquad
      z_{t+1,i} = \begin{cases} z^0_{t+1,i} & i \text{ is a species that was absent at the first step}\\
      \hat z_i & \text{otherwise}\end{cases}$$

    `zero` $z^0$ `(times, species)` is what an abundance of 0 is after scaling, at each time; `dt (steps,)` the time to
    the next sample, which continuous cells take into account. After the last time both stay as they are. With no
    species (`zero` of width 0) nothing is masked.
    """

    fixed: ClassVar[tuple[str, ...]] = ("zero", "dt")

    stack: Stack
    zero: Float[Array, "times species"]
    dt: Float[Array, " steps"]
    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)

    def __init__(self, stack: Stack, zero: Array, dt: Array):
        self.stack, self.zero, self.dt = stack, zero, dt
        self.input_size, self.hidden_size = stack.input_size, stack.hidden_size

    @property
    def output_size(self) -> int:
        return self.stack.output_size

    def init_state(self, *, key: PRNGKeyArray | None = None) -> CommunityState:
        return CommunityState(
            self.stack.init_state(key=key), jnp.zeros(self.zero.shape[-1], bool), jnp.zeros((), jnp.int32)
        )

    def __call__(
        self, x: Array, state: CommunityState, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[CommunityState, Array]:
        species, last = self.zero.shape[-1], len(self.dt) - 1
        absent = jnp.where(state.step == 0, x[:species] <= self.zero[0], state.absent)
        dt = self.dt[jnp.minimum(state.step, last)] if dt is None else dt
        inner, y = self.stack(x, state.inner, dt=dt, key=key)
        nothing = self.zero[jnp.minimum(state.step, last) + 1]
        y = jnp.concatenate([jnp.where(absent, nothing, y[:species]), y[species:]])
        return CommunityState(inner, absent, state.step + 1), y


class CommunityNetwork(eqx.Module):
    """Trajectories `(batch, times, features)` in, what follows each of their times but the last out.

    Without a key only the first time is read. With a key, that is in training, true values are fed in between by
    `forcing` (a step is only forced where nothing is missing at it):

    * `"sampled"`: of T steps the first T - f take true inputs, f uniform in 1..max(1, T // 2), each later one with
      probability 1/2 (Bengio et al. 2015; the scheme of Baranwal et al. 2022).
    * `"published"`: the same with the index of the published notebooks: a later step is given what it is to predict.
    * `"none"`: only the first time is read.
    """

    cell: CommunityCell
    number: Int[Array, ""]
    forcing: str = eqx.field(static=True)

    def init_state(self, *, key: PRNGKeyArray | None = None) -> State:
        """The unbatched state before the first step."""
        return self.cell.init_state(key=key)

    def __call__(
        self, xs: SequenceBatch, state: State = None, *, key: PRNGKeyArray | None = None, start: Any = 0
    ) -> tuple[Array, State]:
        del start
        values = xs.values
        rows, steps = values.shape[0], values.shape[1] - 1
        if key is None or self.forcing == "none":
            return rollout(self.cell, values[:, 0], steps, as_it_is, state=state)
        tail, coin = jr.split(jr.fold_in(key, self.number))
        free = jr.randint(tail, (rows, 1), 1, max(steps // 2, 1) + 1)
        later = jnp.arange(steps)[None, :] >= steps - free
        use = ~later | jr.bernoulli(coin, 0.5, (rows, steps))
        shift = later & (self.forcing == "published")
        teacher = jnp.where(shift[..., None], values[:, 1:], values[:, :-1])
        if xs.observed is not None:
            whole = jnp.all(xs.observed, axis=-1)
            use &= jnp.where(shift, whole[:, 1:], whole[:, :-1])
        use = use.at[:, 0].set(False)
        return rollout(self.cell, values[:, 0], steps, as_it_is, teacher=teacher, use_teacher=use, state=state)

    def forecast(self, first: Float[Array, "batch features"], steps: int) -> Float[Array, "batch steps features"]:
        """The closed loop from the first time."""
        return rollout(self.cell, first, steps, as_it_is)[0]


def as_it_is(y: Array, t: Array) -> Array:
    """The output is the next input."""
    del t
    return y


def seen_squared(y: Float[Array, " features"], target: tuple[Array, Array]) -> Float[Array, ""]:
    r"""$\frac1F \sum_{f\ \mathrm{seen}} (y_f - y^*_f)^2$; the target is `(values, seen)`."""
    values, seen = target
    return jnp.sum(jnp.where(seen, jnp.square(y - values), jnp.zeros_like(y))) / y.shape[-1]


@eqx.filter_jit
def forecasts(
    networks: Any, first: Float[Array, "members batch features"], steps: int
) -> Float[Array, "members batch steps features"]:
    """The closed loops of networks side by side, each with its own scaling of the first time."""
    return eqx.filter_vmap(lambda one, x: one.forecast(x, steps))(networks, first)
