"""Policy gradients through time: what the local rules are compared with (Williams 1992; Mnih et al. 2016)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ostinato.agents.base import Learner, Signal
from ostinato.cells import CELLS
from ostinato.cells.base import Cell
from ostinato.errors import SettingsError
from ostinato.kernels import select
from ostinato.layers import Readout


class PolicyNetwork(eqx.Module):
    """A recurrent cell with two read-outs: preferences for actions, and the value of where one is."""

    cell: Cell
    policy: Readout
    value: Readout

    def __call__(self, x: Array, state: Any, fresh: Array) -> tuple[Any, Array, Array]:
        """The state after a step that may be the first of a trial; preferences; value."""
        state = select(fresh, self.cell.init_state(), state)
        state, y = self.cell(x, state)
        return state, self.policy(y, self.policy.init_state())[1], self.value(y, self.value.init_state())[1][0]


class Experience(NamedTuple):
    """One step: what was seen, the reward for the action before, whether a trial had ended, what was done."""

    observation: Array
    reward: Array
    done: Array
    action: Array


class PolicyCarry(NamedTuple):
    """The network and its optimiser; the state before the last step, and that step; the state now; the baseline."""

    network: PolicyNetwork
    optimizer: Any
    before: Any
    tail: Experience
    started: Array
    state: Any
    baseline: Float[Array, ""]
    preferences: Float[Array, " actions"]


class ActorCritic(Learner):
    r"""Advantage actor-critic by back-propagation through each stretch of steps, with the state reset between trials.

    $$A_t = \sum_k (\gamma\lambda)^k \delta_{t+k},\qquad \delta_t = r_{t+1} + \gamma V_{t+1} - V_t$$
    $$\ell = -\frac1n \sum_t \big(A_t \log \pi(a_t) + \eta H_t\big) + \frac{c}{n} \sum_t (V_t - \hat R_t)^2$$

    No value goes over the end of a trial. With `critic=False` this is REINFORCE: returns of whole trials, less the
    running mean of all returns; steps of trials that do not end within the stretch do not count.

    `cell` is any of `CELLS`; `learning_rate` is Adam's, gradients are clipped to norm 1.
    """

    observation_size: int = eqx.field(static=True)
    action_size: int = eqx.field(static=True)
    cell: str = eqx.field(static=True, default="lstm")
    hidden_size: int = eqx.field(static=True, default=16)
    learning_rate: float = eqx.field(static=True, default=3e-3)
    gamma: float = eqx.field(static=True, default=0.9)
    lambda_: float = eqx.field(static=True, default=0.9)
    entropy: float = eqx.field(static=True, default=0.01)
    value_weight: float = eqx.field(static=True, default=0.5)
    critic: bool = eqx.field(static=True, default=True)
    options: tuple[tuple[str, Any], ...] = eqx.field(static=True, default=())

    def __check_init__(self) -> None:
        if self.cell not in CELLS:
            raise SettingsError(f"cell: expected one of {', '.join(CELLS)}, got {self.cell!r}")
        if self.learning_rate <= 0:
            raise SettingsError(f"learning_rate: expected a positive number, got {self.learning_rate}")

    @property
    def optimizer(self) -> optax.GradientTransformation:
        return optax.chain(optax.clip_by_global_norm(1.0), optax.adam(self.learning_rate))

    def init(self, key: PRNGKeyArray) -> PolicyCarry:
        k_cell, k_policy, k_value = jr.split(key, 3)
        cell = CELLS[self.cell].make(self.observation_size, self.hidden_size, key=k_cell, **dict(self.options))
        policy = Readout(cell.output_size, self.action_size, key=k_policy)
        network = PolicyNetwork(cell, policy, Readout(cell.output_size, 1, key=k_value))
        state = cell.init_state()
        zero, never = jnp.zeros(()), jnp.zeros((), bool)
        tail = Experience(jnp.zeros(self.observation_size), zero, never, jnp.zeros((), jnp.int32))
        opt = self.optimizer.init(eqx.filter(network, eqx.is_inexact_array))
        return PolicyCarry(network, opt, state, tail, never, state, zero, jnp.zeros(self.action_size))

    def step(
        self, carry: PolicyCarry, signal: Signal, noise: Float[Array, " 2"]
    ) -> tuple[PolicyCarry, Int[Array, ""], tuple[Experience, Any]]:
        state, preferences, _ = carry.network(signal.observation, carry.state, signal.done)
        below = jnp.cumsum(jax.nn.softmax(preferences)) < noise[1]
        action = jnp.minimum(jnp.sum(below, dtype=jnp.int32), self.action_size - 1)
        experience = Experience(signal.observation, signal.reward, signal.done, action)
        return carry._replace(state=state, preferences=preferences), action, (experience, carry.state)

    def greedy(self, carry: PolicyCarry, signal: Signal) -> tuple[PolicyCarry, Int[Array, ""]]:
        state, preferences, _ = carry.network(signal.observation, carry.state, signal.done)
        return carry._replace(state=state, preferences=preferences), jnp.argmax(preferences).astype(jnp.int32)

    def values(self, carry: PolicyCarry) -> Float[Array, " actions"]:
        return carry.preferences

    def consolidate(self, carry: PolicyCarry, experience: Any) -> PolicyCarry:
        steps, states = experience
        # The last action of a stretch is judged in the next one: the steps overlap by one.
        whole = jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), carry.tail, steps)
        weight = jnp.ones(steps.reward.shape[0]).at[0].set(carry.started.astype(carry.baseline.dtype))
        baseline = carry.baseline

        @eqx.filter_grad(has_aux=True)
        def gradient(network: PolicyNetwork) -> tuple[Array, Array]:
            def one(state: Any, at: Experience) -> Any:
                state, preferences, value = network(at.observation, state, at.done)
                return state, (preferences, value)

            _, (preferences, values) = jax.lax.scan(one, carry.before, whole)
            logs = jax.nn.log_softmax(preferences[:-1])
            chosen = jnp.take_along_axis(logs, whole.action[:-1, None], axis=1)[:, 0]
            entropy = -jnp.sum(jnp.exp(logs) * logs, axis=1)
            kept = jax.lax.stop_gradient(values)
            reward, done = whole.reward[1:], whole.done[1:]
            if self.critic:
                advantage = _advantage(reward, done, kept, self.gamma, self.lambda_)
                counts, mean = weight, baseline
                fitted = jnp.square(values[:-1] - advantage - kept[:-1])
            else:
                returns, whole_trial = _returns(reward, done, self.gamma)
                counts = weight * whole_trial
                advantage, fitted = returns - baseline, jnp.zeros_like(returns)
                seen = jnp.sum(counts * returns) / jnp.maximum(jnp.sum(counts), 1)
                mean = jnp.where(jnp.sum(counts) > 0, 0.95 * baseline + 0.05 * seen, baseline)
            terms = -advantage * chosen - self.entropy * entropy + self.value_weight * fitted
            return jnp.sum(counts * terms) / counts.shape[0], mean

        grads, mean = gradient(carry.network)
        weights = eqx.filter(carry.network, eqx.is_inexact_array)
        with jax.numpy_dtype_promotion("standard"):
            updates, opt = self.optimizer.update(grads, carry.optimizer, weights)
        return carry._replace(
            network=eqx.apply_updates(carry.network, updates),
            optimizer=opt,
            before=jax.tree.map(lambda a: a[-1], states),
            tail=jax.tree.map(lambda a: a[-1], steps),
            started=jnp.ones((), bool),
            baseline=mean,
        )


def _advantage(reward: Array, done: Array, values: Array, gamma: float, lambda_: float) -> Array:
    """Generalised advantages (Schulman et al. 2016) of n actions from n + 1 values."""
    going = (~done).astype(reward.dtype)
    delta = reward + gamma * going * values[1:] - values[:-1]

    def one(after: Array, at: Any) -> Any:
        now = at[0] + gamma * lambda_ * at[1] * after
        return now, now

    return jax.lax.scan(one, jnp.zeros((), reward.dtype), (delta, going), reverse=True)[1]


def _returns(reward: Array, done: Array, gamma: float) -> tuple[Array, Array]:
    """Discounted rewards to the end of the trial, and whether that end is there."""
    going = (~done).astype(reward.dtype)

    def one(after: Any, at: Any) -> Any:
        total, ended = at[0] + gamma * at[1] * after[0], jnp.maximum(1 - at[1], after[1])
        return (total, ended), (total, ended)

    zero = jnp.zeros((), reward.dtype)
    return jax.lax.scan(one, (zero, zero), (reward, going), reverse=True)[1]
