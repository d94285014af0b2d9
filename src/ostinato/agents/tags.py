"""Learning by attention-gated tags and a global reward-prediction error (AuGMEnT 2015, RECOLLECT 2024)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ostinato.agents.base import Learner, Signal
from ostinato.cells import CELLS
from ostinato.cells.local import LocalCell
from ostinato.errors import SettingsError, UnsupportedRule
from ostinato.layers import ActionValues

EXPLORATIONS = ("uniform", "boltzmann")


class TagCarry(NamedTuple):
    """The network, its state, and what each synapse holds; `expected` is the value of the last action."""

    network: ActionValues
    state: Any
    traces: Any
    tags: Any
    expected: Float[Array, ""]
    q: Float[Array, " actions"]


class TaggedSarsa(Learner):
    r"""SARSA(λ) with a tag on every synapse; no unrolling and no history.

    In each step the network sees and chooses an action a, and then

    $$\delta = r + \gamma q_a - q_{a'},\qquad \theta \leftarrow \theta + \beta_\theta\, \delta\, T_\theta$$
    $$T \leftarrow \lambda \gamma T,\qquad T_{V_a} \mathrel{+}= y,\quad T_{v_a} \mathrel{+}= 1,\quad
      T_{\theta_{ij}} \mathrel{+}= V_{aj}\, \frac{dy_j}{d\theta_{ij}}$$

    where $q_{a'}$ is the value of the action before. The weights change by the old tags, and the new tags are made with
    the new weights. $\delta$ is one number for the whole network (a neuromodulator), $V_{aj}$ is the feedback of the
    selected action alone, and $dy_j / d\theta_{ij}$ is the cell's own trace (`LocalCell.sensitivities`): with weights
    held still, and λ = 0, a tag is the exact gradient of $q_a$ through all time.

    * `cell`: of the table `CELLS`, any `LocalCell`; `options` are its settings.
    * `beta`: learning rate; `gate`: that of gates relative to it.
    * `exploration`, with probability `epsilon`: `"uniform"` over actions, or `"boltzmann"`: from softmax(q).
    * `episodic`: at the end of a trial the value to come is 0, and memory, traces and tags are cleared (AuGMEnT).
      Otherwise life goes on (RECOLLECT).
    * `blank`: the step that tells the end of a trial shows nothing of the next one, and what is done in it does not
      count, as in the published tasks. With False the memory is cleared before that step is seen.

    Raises `UnsupportedRule` for a cell whose traces are not local.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> learner = TaggedSarsa(4, 3)
    >>> carry = learner.init(jax.random.key(0))
    >>> carry, action, _ = learner.step(carry, Signal(jnp.ones(4), jnp.array(0.0), jnp.array(False)), jnp.ones(2))
    >>> carry.tags.V.shape, carry.tags.cell.W.shape
    ((3, 7), (2, 7, 4))

    ```
    """

    observation_size: int = eqx.field(static=True)
    action_size: int = eqx.field(static=True)
    cell: str = eqx.field(static=True, default="recollect")
    hidden_size: int = eqx.field(static=True, default=7)
    beta: float = eqx.field(static=True, default=0.1)
    gate: float = eqx.field(static=True, default=0.6)
    lambda_: float = eqx.field(static=True, default=0.4)
    gamma: float = eqx.field(static=True, default=0.9)
    epsilon: float = eqx.field(static=True, default=0.025)
    exploration: str = eqx.field(static=True, default="uniform")
    episodic: bool = eqx.field(static=True, default=False)
    blank: bool = eqx.field(static=True, default=True)
    scale: float = eqx.field(static=True, default=0.25)
    options: tuple[tuple[str, Any], ...] = eqx.field(static=True, default=())

    def __check_init__(self) -> None:
        if self.cell not in CELLS:
            raise SettingsError(f"cell: expected one of {', '.join(CELLS)}, got {self.cell!r}")
        if self.exploration not in EXPLORATIONS:
            raise SettingsError(f"exploration: expected one of {', '.join(EXPLORATIONS)}, got {self.exploration!r}")
        for name in ("gamma", "epsilon", "lambda_"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name}: expected 0 to 1, got {getattr(self, name)}")
        made = eqx.filter_eval_shape(self._cell, jax.random.key(0))
        if not isinstance(made, LocalCell):
            raise UnsupportedRule(type(self).__name__, type(made).__name__, "its traces are not local to each synapse")

    def init(self, key: PRNGKeyArray) -> TagCarry:
        k_cell, k_read = jr.split(key)
        network = ActionValues(self._cell(k_cell), self.action_size, scale=self.scale, key=k_read)
        return self.begin(network)

    def begin(self, network: ActionValues) -> TagCarry:
        """A network that is there already, before its first step."""
        assert isinstance(network.cell, LocalCell)
        tags = jax.tree.map(jnp.zeros_like, eqx.filter(network, eqx.is_inexact_array))
        zero = jnp.zeros((), network.v.dtype)
        return TagCarry(network, network.init_state(), network.cell.no_traces(), tags, zero, jnp.zeros_like(network.v))

    def step(self, carry: TagCarry, signal: Signal, noise: Float[Array, " 2"]) -> tuple[TagCarry, Int[Array, ""], None]:
        network, cell = carry.network, carry.network.cell
        assert isinstance(cell, LocalCell)
        state, traces = carry.state, carry.traces
        clear = lambda tree: jax.tree.map(lambda a: jnp.where(signal.done, jnp.zeros_like(a), a), tree)
        afresh = self.episodic and not self.blank
        if afresh:
            state, traces = _begun(cell.init_state(), state, signal.done), clear(traces)
        state, y, traces, slopes = cell.sensitivities(signal.observation, state, traces)
        q = network.action_values(y)
        action = self._choose(q, noise)
        chosen = (jnp.arange(self.action_size, dtype=jnp.int32) == action).astype(q.dtype)
        value = jnp.sum(q * chosen)
        expected = clear(value) if self.episodic else value
        delta = signal.reward + self.gamma * expected - carry.expected

        rates = eqx.tree_at(
            lambda n: (n.cell, n.V, n.v),
            carry.tags,
            (cell.plasticity(self.gate), jnp.ones_like(network.V), jnp.ones_like(network.v)),
        )
        change = jax.tree.map(lambda rate, tag: self.beta * delta * rate * tag, rates, carry.tags)
        network = eqx.apply_updates(network, change)

        feedback = jnp.sum(network.V * chosen[:, None], axis=0)
        made = eqx.tree_at(
            lambda n: (n.cell, n.V, n.v),
            carry.tags,
            (cell.credit(feedback, slopes), chosen[:, None] * y[None, :], chosen),
        )
        old = clear(carry.tags) if afresh else carry.tags
        tags = jax.tree.map(lambda tag, new: self.lambda_ * self.gamma * tag + new, old, made)
        if afresh:
            expected = value
        elif self.episodic:
            state = _begun(cell.restart(state), state, signal.done)
            traces, tags = clear(traces), clear(tags)
        return TagCarry(network, state, traces, tags, expected, q), action, None

    def greedy(self, carry: TagCarry, signal: Signal) -> tuple[TagCarry, Int[Array, ""]]:
        cell, before = carry.network.cell, carry.state
        assert isinstance(cell, LocalCell)
        if self.episodic and not self.blank:
            before = _begun(cell.init_state(), before, signal.done)
        state, q = carry.network(signal.observation, before)
        if self.episodic and self.blank:
            state = _begun(cell.restart(state), state, signal.done)
        return carry._replace(state=state, q=q), jnp.argmax(q).astype(jnp.int32)

    def values(self, carry: TagCarry) -> Float[Array, " actions"]:
        return carry.q

    def _cell(self, key: PRNGKeyArray) -> Any:
        return CELLS[self.cell].make(self.observation_size, self.hidden_size, key=key, **dict(self.options))

    def _choose(self, q: Float[Array, " actions"], noise: Float[Array, " 2"]) -> Int[Array, ""]:
        best = jnp.argmax(q).astype(jnp.int32)
        if self.exploration == "uniform":
            other = jnp.minimum((noise[1] * self.action_size).astype(jnp.int32), self.action_size - 1)
        else:
            below = jnp.cumsum(jax.nn.softmax(q)) < noise[1]
            other = jnp.minimum(jnp.sum(below, dtype=jnp.int32), self.action_size - 1)
        return jnp.where(noise[0] < self.epsilon, other, best)


def _begun(start: Any, state: Any, done: Array) -> Any:
    """The state at the start of a trial where one has ended."""
    return jax.tree.map(lambda new, old: jnp.where(done, new, old), start, state)
