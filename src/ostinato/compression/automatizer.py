"""Distillation: one network learns to do what a history compressor does (Schmidhuber 1992; "collapsing" the levels)."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from ostinato.data import Examples, SequenceBatch
from ostinato.errors import SettingsError
from ostinato.layers import unroll
from ostinato.losses import cross_entropy
from ostinato.training.loop import BatchSource

from .history import HistoryCompressor


class Imitation(eqx.Module):
    r"""What a single network, the automatizer, minimises to take over from a compressor, at every step.

    $$\ell = -\log p(x_{t+1}) \;+\; \lambda\,\frac1n \lVert q_t - h_t \rVert^2 \;-\; \sum_k a_{t,k} \log \hat a_{t,k}$$

    with h the state of the compressor's top level, which changes at surprises only, and a its answers as probabilities
    (`HistoryCompressor` with further outputs). The long time lag is thus a short one: h is to be kept from one step to
    the next. Outputs of the network are the logits of the next symbol, of the answers, and q: `output_size` in all.

    * `strength`: λ.

    Use it as the `loss` of `fit` with the batches of `Lessons`.

    ```python
    >>> import jax, ostinato as ost
    >>> compressor = HistoryCompressor.make("elman", 5, (8, 6), answers=2, key=jax.random.key(0))
    >>> Imitation.of(compressor).output_size
    13

    ```
    """

    symbols: int = eqx.field(static=True)
    answers: int = eqx.field(static=True)
    state_size: int = eqx.field(static=True)
    strength: float = eqx.field(static=True, default=1.0)

    @classmethod
    def of(cls, compressor: HistoryCompressor, strength: float = 1.0) -> "Imitation":
        """The sizes from a compressor. Raises `SettingsError` where it has one level: there is nothing to learn."""
        if len(compressor.levels) < 2:
            raise SettingsError("compressor: expected two levels or more")
        size = ravel_pytree(compressor.levels[-1].init_state())[0].size
        return cls(compressor.symbols, compressor.output_size - compressor.symbols, size, strength)

    @property
    def output_size(self) -> int:
        """How many outputs the network needs."""
        return self.symbols + self.answers + self.state_size

    def __call__(self, y: Array, target: Any) -> Float[Array, ""]:
        follows, told, state, answers = target
        end = self.symbols + self.answers
        value = told * cross_entropy(y[: self.symbols], follows)
        value = value + self.strength * jnp.mean(jnp.square(y[end:] - state))
        if self.answers:
            value = value - jnp.sum(jax.nn.softmax(answers) * jax.nn.log_softmax(y[self.symbols : end]))
        return value


class Lessons:
    """The batches of another source with what a compressor makes of them as targets; its own targets are not used.

    Targets are `(symbol, told, state, answers)` for each step: the next symbol and whether there is one, the state of
    the top level and its answers.
    """

    def __init__(self, batches: BatchSource, compressor: HistoryCompressor):
        self.batches, self.compressor = batches, compressor

    def __len__(self) -> int:
        return len(self.batches)

    def at(self, step: int) -> Examples:
        """The batch of a step."""
        inputs = self.batches.at(step).inputs
        state, answers = _shown(self.compressor, inputs)
        steps, told = np.asarray(inputs.steps), np.zeros(inputs.steps.shape)
        told[..., :-1] = steps[..., 1:] if inputs.reset is None else steps[..., 1:] & ~np.asarray(inputs.reset)[..., 1:]
        symbols = jnp.argmax(inputs.values, axis=-1)
        follows = jnp.concatenate([symbols[..., 1:], symbols[..., -1:]], axis=-1)
        weight = jnp.asarray(steps / max(steps.sum(), 1), inputs.values.dtype)
        return Examples(inputs, (follows, jnp.asarray(told, weight.dtype), state, answers), weight)


@eqx.filter_jit
def _shown(compressor: HistoryCompressor, batch: SequenceBatch) -> tuple[Array, Array]:
    ys, _, tape = unroll(compressor, batch, record=("top",))
    return tape["top"], ys[..., compressor.symbols :]
