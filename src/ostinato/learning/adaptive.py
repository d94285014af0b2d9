"""Read-outs that learn at every step: least mean squares, recursive least squares, FORCE."""

import abc
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.data.batch import Examples
from ostinato.errors import SettingsError
from ostinato.kernels import step
from ostinato.layers import OutputFeedback
from ostinato.layers.run import initial_state
from ostinato.learning.base import Approximate, Exact, Loss, Refusal, weighted_loss
from ostinato.learning.direct import Metrics, UpdateRule, as_metric
from ostinato.learning.readout import body_of, by_step, features, linear_readout, readout_of, rows, with_readout

Weights = Float[Array, "output features"]


class AdaptiveCarry(NamedTuple):
    """The network, and what the rule remembers beside its read-out."""

    model: Any
    memory: Any


class OnlineReadout(UpdateRule):
    """The read-out is corrected after each step of each sequence, in the order of time; rows of a batch take turns.

    The error is that before the correction; the loss among the metrics is of these errors: what was said of each step
    before its target was known. Steps of weight 0 correct nothing, and other weights are not told apart. Sequences
    start from the initial state.
    """

    intercept: eqx.AbstractVar[bool]

    @abc.abstractmethod
    def memory(self, size: int, dtype: Any) -> Any:
        """What is remembered of `size` features before the first step."""

    @abc.abstractmethod
    def correct(
        self, memory: Any, V: Weights, x: Float[Array, " features"], error: Float[Array, " output"]
    ) -> tuple[Any, Weights]:
        """The memory and the read-out after a step whose `error` was target minus output."""

    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        if isinstance(model, OutputFeedback):
            return Refusal("its output changes its own inputs: FORCE is the rule for it")
        return linear_readout(model, self.why)

    @property
    @abc.abstractmethod
    def why(self) -> str:
        """In what sense the rule is exact."""

    def init(self, model: Any, key: PRNGKeyArray) -> AdaptiveCarry:
        del key
        V = readout_of(self.check(model) and model).V
        return AdaptiveCarry(model, self.memory(V.shape[1] + self.intercept, V.dtype))

    def step(
        self, carry: AdaptiveCarry, loss: Loss, examples: Examples, key: PRNGKeyArray
    ) -> tuple[AdaptiveCarry, Metrics]:
        xs, targets, w = rows(examples, features(carry.model, examples.inputs, key))

        def one(learned: Any, at: Any) -> tuple[Any, Array]:
            return self._correct(learned, *at)

        learned = (carry.memory, self._weights(carry.model))
        (memory, V), ys = jax.lax.scan(one, learned, (xs.astype(learned[1].dtype), targets, w != 0))
        return self._done(carry, memory, V, loss, examples, ys, w)

    def model(self, carry: AdaptiveCarry) -> Any:
        return carry.model

    def _weights(self, model: Any) -> Weights:
        readout = readout_of(model)
        return jnp.concatenate([readout.V, readout.c[:, None]], axis=1) if self.intercept else readout.V

    def _correct(self, learned: Any, x: Array, target: Array, counts: Array) -> tuple[Any, Array]:
        memory, V = learned
        x = jnp.concatenate([x, jnp.ones(1, x.dtype)]) if self.intercept else x
        y = V @ x
        after = self.correct(memory, V, x, target.astype(y.dtype) - y)
        return jax.tree.map(lambda new, old: jnp.where(counts, new, old), after, learned), y

    def _done(
        self, carry: AdaptiveCarry, memory: Any, V: Weights, loss: Loss, examples: Examples, ys: Array, w: Array
    ) -> tuple[AdaptiveCarry, Metrics]:
        """The new carry; the loss of the outputs in the order of `rows`."""
        c = V[:, -1] if self.intercept else readout_of(carry.model).c
        model = with_readout(carry.model, V[:, :-1] if self.intercept else V, c)
        if not examples.per_sequence:
            *lead, time = examples.weight.shape
            ys = jnp.moveaxis(ys.reshape(time, *lead, -1), 0, len(lead))
        ys = ys.reshape(examples.targets.shape)
        return AdaptiveCarry(model, memory), {"loss": as_metric(weighted_loss(loss, ys, examples))}


class RateReadout(OnlineReadout):
    """A read-out that moves by a learning rate and remembers nothing."""

    rate: eqx.AbstractVar[float]

    def __check_init__(self) -> None:
        if self.rate <= 0:
            raise SettingsError(f"rate: expected more than 0, got {self.rate}")

    def memory(self, size: int, dtype: Any) -> tuple[()]:
        del size, dtype
        return ()


class LMS(RateReadout):
    r"""Least mean squares (Widrow and Hoff 1960): $V \leftarrow V + \mu\, e_t x_t^\top$, e the error before it.

    With `normalised`, $\mu$ is divided by $\epsilon + \lVert x_t \rVert^2$; it is then stable for $0 < \mu < 2$.
    """

    rate: float = eqx.field(static=True, default=0.01)
    normalised: bool = eqx.field(static=True, default=False)
    intercept: bool = eqx.field(static=True, default=True)

    @property
    def why(self) -> str:
        return "the gradient of each step's squared error for the read-out; what is below it is not learned"

    def correct(
        self, memory: Any, V: Weights, x: Float[Array, " features"], error: Float[Array, " output"]
    ) -> tuple[Any, Weights]:
        rate = self.rate / (1e-8 + x @ x) if self.normalised else self.rate
        return memory, V + rate * jnp.outer(error, x)


class RLS(OnlineReadout):
    r"""Recursive least squares: at every step the read-out is the best for all steps so far.

    $$k_t = \frac{P x_t}{\gamma + x_t^\top P x_t},\qquad V \leftarrow V + e_t k_t^\top,\qquad
      P \leftarrow \frac{1}{\gamma} (P - k_t x_t^\top P),\qquad P_0 = I / \alpha$$

    After N steps it minimises $\sum_t \gamma^{N-t} \lVert y^*_t - V x_t \rVert^2 + \alpha \gamma^N \lVert V - V_0
    \rVert^2$: with `forget` $\gamma$ = 1 it is ridge regression with the penalty `alpha` about the read-out that was
    given, the intercept shrunk like the rest. Costs $O(n^2)$ a step. See Haykin, "Adaptive filter theory".

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> from ostinato.data import FunctionBatches
    >>> def make(key):
    ...     xs = jax.random.uniform(key, (1, 50, 2))
    ...     return ost.Examples(ost.SequenceBatch(xs), xs @ jnp.array([[2.0], [-1.0]]) + 0.5, jnp.ones((1, 50)))
    >>> model = ost.Readout(2, 1, key=jax.random.key(0))
    >>> rule = RLS(alpha=1e-3)
    >>> found = ost.fit(model, FunctionBatches(make, 1), loss=ost.losses.squared, rule=rule, steps=4).model
    >>> [round(float(v), 2) for v in (*found.V[0], *found.c)]
    [2.0, -1.0, 0.5]

    ```
    """

    alpha: float = eqx.field(static=True, default=1.0)
    forget: float = eqx.field(static=True, default=1.0)
    intercept: bool = eqx.field(static=True, default=True)

    def __check_init__(self) -> None:
        if self.alpha <= 0 or not 0 < self.forget <= 1:
            raise SettingsError(
                f"alpha, forget: expected more than 0, and more than 0 to 1, got {self.alpha}, {self.forget}"
            )

    @property
    def why(self) -> str:
        return "least squares of the read-out over all steps so far; what is below it is not learned"

    def memory(self, size: int, dtype: Any) -> Float[Array, "features features"]:
        return jnp.eye(size, dtype=dtype) / self.alpha

    def correct(
        self, memory: Any, V: Weights, x: Float[Array, " features"], error: Float[Array, " output"]
    ) -> tuple[Any, Weights]:
        Px = memory @ x
        k = Px / (self.forget + x @ Px)
        P = (memory - jnp.outer(k, Px)) / self.forget
        return (P + P.T) / 2, V + jnp.outer(error, k)


class FORCE(RLS):
    r"""Recursive least squares inside the loop (Sussillo and Abbott, Neuron 63, 2009): the output feeds the network.

    The network, an `OutputFeedback`, runs on its own outputs as it learns; since the read-out is corrected fast and at
    every step, these stay near the targets, and when learning stops the network goes on by itself. What is fed back is
    the output before the correction. `alpha` sets how fast; the intercept is off, as in the paper.

    Exact for the features that were seen; approximate as a whole, since corrections change what comes after them.
    """

    intercept: bool = eqx.field(static=True, default=False)

    def applies(self, model: Any) -> Exact | Approximate | Refusal:
        if not isinstance(model, OutputFeedback):
            return Refusal("its output does not change its inputs: RLS is the rule for it, or OutputFeedback the model")
        if body_of(model) is None:
            return Refusal("there is nothing below its read-out")
        found = linear_readout(model, "")
        if isinstance(found, Refusal):
            return found
        return Approximate("least squares at each step; how a correction changes later features is left out")

    def step(
        self, carry: AdaptiveCarry, loss: Loss, examples: Examples, key: PRNGKeyArray
    ) -> tuple[AdaptiveCarry, Metrics]:
        inputs, body = examples.inputs, body_of(carry.model)
        time = examples.weight.shape[-1]
        V = self._weights(carry.model)
        values, fields = by_step(inputs)
        _, targets, w = rows(examples, inputs.values)
        count = w.size // time
        through = lambda leaf: leaf.reshape(time, count, *leaf.shape[1:])
        y0 = jnp.zeros((count, V.shape[0]), V.dtype)

        def one(moving: Any, at: Any) -> tuple[Any, Array]:
            learned, state, fed = moving
            t, x, target, counts, (mask, reset, dt) = at
            fed = fed if reset is None else jnp.where(reset[:, None], y0, fed)
            keys = jr.split(jr.fold_in(key, t), count)
            x = jnp.concatenate([x.astype(fed.dtype), fed], axis=1)
            state, seen = jax.vmap(lambda i, s: step(body, i, s))((x, mask, reset, dt, keys), state)
            learned, ys = jax.lax.scan(lambda c, a: self._correct(c, *a), learned, (seen, target, counts))
            fed = ys if mask is None else jnp.where(mask[:, None], ys, fed)
            return (learned, state, fed), ys

        start = ((carry.memory, V), initial_state(body, count, key), y0)
        over = (jnp.arange(time), values, through(targets), through(w != 0), fields)
        ((memory, V), _, _), ys = jax.lax.scan(one, start, over)
        return self._done(carry, memory, V, loss, examples, ys.reshape(time * count, -1), w)
