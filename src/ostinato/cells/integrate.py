"""Continuous cells with smaller error than Euler's: Runge-Kutta steps, and adaptive steps for uneven times."""

from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, PRNGKeyArray

from ostinato.cells.base import Cell
from ostinato.cells.ctrnn import CTRNN
from ostinato.cells.wrapper import Wrapper
from ostinato.errors import SettingsError
from ostinato.types import State

ADJOINTS = ("checkpoint", "backsolve", "direct", "forward")


@runtime_checkable
class Continuous(Protocol):
    """A cell with a differential equation: `rate` is the derivative of the state, `show` what it gives in a state.

    `step` is the length of a step where the sequence does not say it.
    """

    step: float

    def rate(self, x: Array, state: State) -> State: ...

    def show(self, state: State) -> Array: ...


class Integrated(Wrapper):
    """A continuous cell whose equation is integrated over each step, the input held still."""

    def __init__(self, cell: Any):
        super().__init__(cell)
        if not isinstance(self.cell, Continuous):
            raise SettingsError(f"{type(cell).__name__}: has no `rate`; its time is counted in steps")

    @property
    def output_field(self) -> str | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        return None

    def step_with_hidden(
        self, x: Array, seen: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        return Cell.step_with_hidden(self, x, seen, state, dt=dt, key=key)


class RungeKutta(Integrated):
    r"""A continuous cell by classical Runge-Kutta steps of fourth order.

    $$k_1 = f(s),\quad k_2 = f(s + \tfrac h2 k_1),\quad k_3 = f(s + \tfrac h2 k_2),\quad k_4 = f(s + h k_3),\qquad
      s \leftarrow s + \tfrac h6 (k_1 + 2 k_2 + 2 k_3 + k_4)$$

    with f the cell's `rate` at the input of the step. The four products depend on one another, so this is a plain cell.
    Raises `SettingsError` for a cell without a rate.

    ```python
    >>> import jax
    >>> cell = RungeKutta(CTRNN(3, 5, key=jax.random.key(0)))
    >>> state, y = cell(jnp.ones(3), cell.init_state(), dt=0.5)
    >>> y.shape
    (5,)

    ```
    """

    def __init__(self, cell: Any):
        super().__init__(cell)

    def __call__(
        self, x: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        del key
        h = self.cell.step if dt is None else dt
        moved = lambda part, k: jax.tree.map(lambda s, d: s + part * d, state, k)
        k1 = self.cell.rate(x, state)
        k2 = self.cell.rate(x, moved(h / 2, k1))
        k3 = self.cell.rate(x, moved(h / 2, k2))
        k4 = self.cell.rate(x, moved(h, k3))
        new = moved(h / 6, jax.tree.map(lambda a, b, c, d: a + 2 * b + 2 * c + d, k1, k2, k3, k4))
        return new, self.cell.show(new)


class Adaptive(Integrated):
    """A continuous cell whose equation is solved over each step to a tolerance, in as many parts as it needs.

    Made for steps of uneven length, `dt`, long ones too. The solver is Tsitouras' method of fifth order, by Diffrax.
    `adjoint` says how it is differentiated:

    * `"checkpoint"`: back through the solver's own steps; exact for what was computed.
    * `"backsolve"`: the adjoint equation is solved backwards over each step, which stores nothing and is exact to the
      tolerance only (continuous-time back-propagation; Pearlmutter, Neural Computation 1, 1989).
    * `"direct"`: both modes, through a loop of bounded length; slower.
    * `"forward"`: forward mode only, for `learning.ContinuousRTRL`.

    Raises `SettingsError` for a cell without a rate, an unknown adjoint, tolerances that are not positive. A step that
    needs more than `max_steps` parts raises Diffrax's error when it runs.

    ```python
    >>> import jax
    >>> cell = Adaptive(CTRNN(3, 5, key=jax.random.key(0)))
    >>> state, y = cell(jnp.ones(3), cell.init_state(), dt=jnp.array(7.5))
    >>> y.shape
    (5,)

    ```
    """

    rtol: float = eqx.field(static=True)
    atol: float = eqx.field(static=True)
    adjoint: str = eqx.field(static=True)
    max_steps: int = eqx.field(static=True)

    def __init__(
        self, cell: Any, *, rtol: float = 1e-5, atol: float = 1e-7, adjoint: str = "checkpoint", max_steps: int = 4096
    ):
        super().__init__(cell)
        if adjoint not in ADJOINTS:
            raise SettingsError(f"adjoint: expected one of {', '.join(ADJOINTS)}, got {adjoint!r}")
        if not (rtol > 0 and atol > 0 and max_steps > 0):
            raise SettingsError(f"rtol, atol, max_steps: expected positive numbers, got {rtol}, {atol}, {max_steps}")
        self.rtol, self.atol, self.adjoint, self.max_steps = rtol, atol, adjoint, max_steps

    def __call__(
        self, x: Array, state: State, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[State, Array]:
        del key
        import diffrax  # takes a second to load, which nothing else should wait for

        control = diffrax.PIDController(rtol=self.rtol, atol=self.atol)
        adjoints = {
            "checkpoint": diffrax.RecursiveCheckpointAdjoint,
            "direct": diffrax.DirectAdjoint,
            "forward": diffrax.ForwardMode,
        }
        if self.adjoint == "backsolve":
            adjoint = diffrax.BacksolveAdjoint(solver=diffrax.Tsit5(), stepsize_controller=control)
        else:
            adjoint = adjoints[self.adjoint]()
        dtype = jax.tree.leaves(state)[0].dtype
        stop = jnp.asarray(self.cell.step if dt is None else dt, dtype)
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, s, given: given[0].rate(given[1], s)),
            diffrax.Tsit5(),
            t0=jnp.zeros((), dtype),
            t1=stop,
            dt0=None,
            y0=state,
            args=(self.cell, x),
            stepsize_controller=control,
            adjoint=adjoint,
            max_steps=self.max_steps,
        )
        assert solution.ys is not None
        new = jax.tree.map(lambda leaf: leaf[0], solution.ys)
        return new, self.cell.show(new)


def ctrnn_runge_kutta(
    input_size: int, hidden_size: int, *, dtype: DTypeLike | None = None, key: PRNGKeyArray, **settings: Any
) -> RungeKutta:
    """`CTRNN` by Runge-Kutta steps; takes its settings but for `method`."""
    return RungeKutta(CTRNN(input_size, hidden_size, dtype=dtype, key=key, **settings))
