"""What the reset-before GRU and the cells derived from it share: a candidate that sees the gated state."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float, PRNGKeyArray

from ostinato.cells.base import Cell, Hidden
from ostinato.cells.init import gate_weights
from ostinato.cells.standard import StandardCell
from ostinato.errors import SettingsError

CONVENTIONS = ("torch", "chung")


def check_convention(convention: str) -> str:
    """The convention itself; raises `SettingsError` for an unknown one."""
    if convention not in CONVENTIONS:
        raise SettingsError(f"convention: expected one of {', '.join(CONVENTIONS)}, got {convention!r}")
    return convention


def blend(convention: str, z: Array, n: Array, h: Array) -> Array:
    """Old state and candidate, weighed by the update gate: `"torch"` lets z keep the state, `"chung"` lets it write."""
    if convention == "torch":
        return (1 - z) * n + z * h
    return (1 - z) * h + z * n


class ResetBefore(Cell):
    r"""A cell whose candidate sees the gated state, in $R_n (r \odot h_{t-1})$.

    A subclass says how many gates there are (`gate_count`: 2 for reset and update, 1 where one gate is both) and what
    they see (`gate_sees`: `"xhb"`, `"hb"` or `"h"`; x the input, h the state, b a bias). The candidate always sees all
    three. The last row of each parameter is the candidate's.
    """

    output_field = "h"
    gate_count: ClassVar[int]
    gate_sees: ClassVar[str]

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    convention: str = eqx.field(static=True)
    W: Float[Array, "_ hidden input"]
    R: Float[Array, "_ hidden hidden"]
    b: Float[Array, "_ hidden"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        convention: str,
        init: str,
        dtype: DTypeLike | None,
        key: PRNGKeyArray,
    ):
        self.input_size, self.hidden_size = input_size, hidden_size
        self.convention = check_convention(convention)
        weights = gate_weights(init, self.gate_count + 1, hidden_size, input_size, key=key, dtype=dtype)
        bias = weights.b + weights.b_h
        self.R = weights.R
        self.W = weights.W if "x" in self.gate_sees else weights.W[-1:]
        self.b = bias if "b" in self.gate_sees else bias[-1:]

    def init_state(self, *, key: PRNGKeyArray | None = None) -> Hidden:
        del key
        return Hidden(jnp.zeros(self.hidden_size, self.b.dtype))

    def hidden(self, state: Hidden) -> Float[Array, " hidden"]:
        return state.h

    def gates(self, x: Array, seen: Array) -> tuple[Array, Array]:
        """The activated gates, `(gate_count, hidden)`, and the candidate."""
        from_input = self.W @ x
        a = jnp.einsum("ghk,k->gh", self.R[:-1], seen)
        if "x" in self.gate_sees:
            a = a + from_input[:-1]
        if "b" in self.gate_sees:
            a = a + self.b[:-1]
        gates = jax.nn.sigmoid(a)
        return gates, jnp.tanh(from_input[-1] + self.b[-1] + self.R[-1] @ (gates[0] * seen))

    def step_with_hidden(
        self, x: Array, seen: Array, state: Hidden, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Hidden, Array]:
        del dt, key
        gates, n = self.gates(x, seen)
        h = blend(self.convention, gates[-1], n, state.h)
        return Hidden(h), h

    def __call__(
        self, x: Array, state: Hidden, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Hidden, Array]:
        return self.step_with_hidden(x, self.hidden(state), state, dt=dt, key=key)

    def internals(self, x: Array, state: Hidden) -> dict[str, Array]:
        gates, n = self.gates(x, self.hidden(state))
        return {"gates": jnp.concatenate([gates, n[None]])}


class ReducedGates(ResetBefore):
    """Base of units whose gates see less than those of `GRUBefore`, in the convention of Chung et al."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        init: str = "ostinato",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        super().__init__(input_size, hidden_size, convention="chung", init=init, dtype=dtype, key=key)


class ConstantGates(StandardCell):
    r"""A cell whose gates are learned constants, $\sigma(b)$, so that one product is left, with $R\,\mathrm{diag}(r)$.

    `gate_count` is 2 for reset and update, 1 where one gate is both. The last row of `b` is the candidate's.
    """

    gate_count: ClassVar[int]

    def draw(self, init: str, dtype: DTypeLike | None, key: PRNGKeyArray) -> None:
        weights = gate_weights(init, self.gate_count + 1, self.hidden_size, self.input_size, key=key, dtype=dtype)
        self.W, self.R, self.b = weights.W[-1:], weights.R[-1:], weights.b + weights.b_h

    def project(self, x: Float[Array, " input"]) -> Float[Array, "1 hidden"]:
        return self.W @ x + self.b[-1:]

    def recurrent(self) -> tuple[Array, None]:
        return self.R * jax.nn.sigmoid(self.b[0])[None, None, :], None

    def update(
        self, from_input: Array, from_hidden: Array | None, state: Hidden, dt: Any = None
    ) -> tuple[Hidden, Array]:
        del dt
        assert from_hidden is not None
        n = jnp.tanh(from_input[0] + from_hidden[0])
        h = blend("chung", jax.nn.sigmoid(self.b[-2]), n, state.h)
        return Hidden(h), h

    def gate_values(self, from_input: Array, from_hidden: Array | None, state: Hidden) -> dict[str, Array]:
        del state
        assert from_hidden is not None
        n = jnp.tanh(from_input + from_hidden)
        return {"gates": jnp.concatenate([jax.nn.sigmoid(self.b[:-1]), n])}
