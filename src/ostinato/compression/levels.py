"""Training a history compressor: level after level, each on what the ones below leave over."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from ostinato.data import Examples
from ostinato.errors import SettingsError
from ostinato.learning import GradientRule
from ostinato.learning.base import Loss
from ostinato.losses import cross_entropy
from ostinato.training import fit
from ostinato.training.loop import BatchSource

from .history import HistoryCompressor
from .left_over import left_over


class LevelBatches:
    """The batches of one level: its steps as sequences, the next of them as targets, the answers that are asked.

    Targets are `(symbol, told, answer, asked)` for each step: the next surprise and whether there is one, the target
    of the examples that is asked before the next surprise and its weight. Where several are, the last one counts.
    """

    def __init__(self, batches: BatchSource, compressor: HistoryCompressor, level: int):
        self.batches, self.compressor, self.level = batches, compressor, level

    def __len__(self) -> int:
        return len(self.batches)

    def at(self, step: int) -> Examples:
        """The batch of a step."""
        return at_level(self.compressor, self.batches.at(step), self.level)


def at_level(compressor: HistoryCompressor, examples: Examples, level: int) -> Examples:
    """What `LevelBatches` makes of one batch."""
    left = left_over(compressor, examples.inputs, level)
    symbols, mask = np.asarray(left.batch.values)[..., : compressor.symbols].argmax(-1), left.places >= 0
    told = np.zeros(mask.shape)
    told[:, :-1] = mask[:, 1:]
    if left.batch.reset is not None:
        told[:, :-1] *= ~np.asarray(left.batch.reset)[:, 1:]
    follows = np.concatenate([symbols[:, 1:], symbols[:, -1:]], axis=1)
    weight, answers = np.asarray(examples.weight), np.asarray(examples.targets)
    answer, asked = np.zeros((*mask.shape, *answers.shape[2:]), answers.dtype), np.zeros(mask.shape)
    latest = left.latest(weight.shape[1])
    rows, steps = np.nonzero((weight > 0) & (latest >= 0))
    answer[rows, latest[rows, steps]] = answers[rows, steps]
    asked[rows, latest[rows, steps]] = weight[rows, steps]
    dtype = examples.weight.dtype
    share = lambda flags: jnp.asarray(flags / max(flags.sum(), np.finfo(float).tiny), dtype)
    targets = (jnp.asarray(follows), share(told), jnp.asarray(answer), share(asked))
    return Examples(left.batch, targets, jnp.asarray(mask, dtype))


def fit_levels(
    compressor: HistoryCompressor,
    batches: BatchSource,
    *,
    steps: int | Sequence[int],
    optimizer: optax.GradientTransformation,
    rules: GradientRule | Sequence[GradientRule | None] | None = None,
    answer_loss: Loss | None = None,
    seed: int = 0,
    note: Callable[[str], None] = lambda message: None,
) -> HistoryCompressor:
    r"""Train level 0 to predict, then level 1 on what is left over, and so on: the compressor with trained levels.

    $$L^{(l)} = \text{mean over the steps of level } l \text{ of } -\log p^{(l)}(\text{its next symbol})$$

    * `batches`: examples whose inputs are one-hot symbols `(rows, time, symbols)`. Their targets and weights are used
      where `answer_loss(outputs beyond the symbols, target)` is given: then it is added for the top level, as the mean
      over what is asked.
    * `steps`: of training, for each level; `rules`: how each level finds gradients, by default BPTT over its own steps.

    A level's step is one `fit` step; it costs one run of the compressor and one of the level.

    Raises `SettingsError` for `answer_loss` without outputs for it, or other numbers of steps or rules than levels.
    """
    count = len(compressor.levels)
    per_level = [steps] * count if isinstance(steps, int) else list(steps)
    ruled = [rules] * count if rules is None or isinstance(rules, GradientRule) else list(rules)
    if len(per_level) != count or len(ruled) != count:
        raise SettingsError(f"steps, rules: expected {count} each, got {len(per_level)} and {len(ruled)}")
    if (answer_loss is None) != (compressor.output_size == compressor.symbols):
        raise SettingsError("answer_loss: goes with a top level that has outputs beyond the symbols")
    for i in range(count):
        loss = LevelLoss(compressor.symbols, answer_loss if i == count - 1 else None)
        source = LevelBatches(batches, compressor, i)
        result = fit(
            compressor.levels[i], source, loss=loss, rule=ruled[i], optimizer=optimizer, steps=per_level[i], seed=seed
        )
        compressor = eqx.tree_at(lambda c: c.levels[i], compressor, result.model)  # noqa: B023 - used at once
        note(f"level {i}: loss {result.history[-1]['loss']:.4f} after {result.steps} steps")
    return compressor


class LevelLoss(eqx.Module):
    """The loss of a level at one of its steps; equal ones share what was compiled."""

    symbols: int = eqx.field(static=True)
    answer_loss: Loss | None = eqx.field(static=True, default=None)

    def __call__(self, y: Array, target: Any) -> Float[Array, ""]:
        follows, told, answer, asked = target
        value = told * cross_entropy(y[: self.symbols], follows)
        return value if self.answer_loss is None else value + asked * self.answer_loss(y[self.symbols :], answer)
