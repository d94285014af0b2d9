"""The neural history compressor: predictors on top of each other (Schmidhuber, Neural Computation 4, 1992)."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ostinato.cells import Cell
from ostinato.errors import SettingsError, ShapeError
from ostinato.kernels import select
from ostinato.layers import RNN
from ostinato.types import State


class Levels(NamedTuple):
    """For each level: the state of its cell, what it said last, and the steps since.

    * `inner`: a tuple of states; `said`: a tuple of outputs; `gap (levels,)`: steps for which a level has waited.
    """

    inner: tuple[State, ...]
    said: tuple[Array, ...]
    gap: Float[Array, " levels"]


class HistoryCompressor(Cell):
    r"""A stack of predictors, each of which sees only the symbols that the one below could not predict.

    The input is a symbol as a one-hot vector. Level 0 sees every symbol, and says how probable each symbol is as the
    next one, $p^{(0)}$. Where the symbol that comes had $p^{(l)} < \theta$, it is a surprise to level l, and level
    l + 1 makes a step: it sees the symbol, and $\log(1 + {}$the steps for which it waited$)$, and says $p^{(l+1)}$ of
    the next surprise. All levels above wait; their states stay as they are. Before its first step a level holds all
    symbols equally probable.

    The output is the logarithm of the probability of each symbol as the next one, by all levels together:

    * a level below the top that gives a symbol k at least θ says "k" with that probability, and otherwise asks the
      level above, where k is now impossible;
    * one that gives none as much asks the level above at once; the top level says what it says.

    It is thus a code: $-\log_2$ of it, summed, is the description length of a sequence (`description_length`), and
    `encode` writes it down.

    * `levels`: cells that give logits, level 0 from `symbols` inputs, those above from `symbols + 1`. The top level may
      have further outputs, the answers to another question; they follow the symbols in the output.
    * `threshold`: θ, above 1/2, so that at most one symbol has it.

    Levels are trained one after the other by `fit_levels`. Trained as a whole, gradients reach each level at the steps
    that it makes. Raises `SettingsError` (θ, fewer symbols than levels) and `ShapeError` (sizes that do not meet).

    ```python
    >>> compressor = HistoryCompressor.make("elman", 5, (8, 8), key=jr.key(0))
    >>> state, y = compressor(jax.nn.one_hot(2, 5), compressor.init_state())
    >>> y.shape, round(float(jnp.exp(y).sum()), 6)
    ((5,), 1.0)

    ```
    """

    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    threshold: float = eqx.field(static=True)
    levels: tuple[Cell, ...]

    def __init__(self, levels: Sequence[Cell], *, threshold: float = 0.95):
        self.levels, self.threshold = tuple(levels), threshold
        if not self.levels:
            raise SettingsError("levels: expected one or more, got none")
        if not 0.5 < threshold <= 1:
            raise SettingsError(f"threshold: expected more than 0.5, at most 1, got {threshold}")
        symbols = self.levels[0].input_size
        if symbols < max(2, len(self.levels)):
            raise SettingsError(f"levels: {len(self.levels)} of them need as many symbols, got {symbols}")
        for i, level in enumerate(self.levels):
            fed, top = symbols + (i > 0), i == len(self.levels) - 1
            if level.input_size != fed or level.output_size < symbols or (level.output_size > symbols and not top):
                raise ShapeError(
                    f"levels[{i}]: expected {fed} inputs and {symbols} outputs{' or more' if top else ''}, "
                    f"got {level.input_size} and {level.output_size}"
                )
        self.input_size, self.hidden_size = symbols, self.levels[-1].hidden_size

    @classmethod
    def make(
        cls,
        cell: str | Callable[..., Cell],
        symbols: int,
        hidden_sizes: Sequence[int],
        *,
        answers: int = 0,
        threshold: float = 0.95,
        key: PRNGKeyArray,
        **settings: Any,
    ) -> "HistoryCompressor":
        """One cell of each size with a read-out on it; `cell` and `settings` as in `RNN`."""
        top = len(hidden_sizes) - 1
        levels = [
            RNN(
                cell,
                symbols + (i > 0),
                size,
                output_size=symbols + (answers if i == top else 0),
                key=jr.fold_in(key, i),
                **settings,
            ).cell
            for i, size in enumerate(hidden_sizes)
        ]
        return cls(levels, threshold=threshold)

    @property
    def output_size(self) -> int:
        return self.levels[-1].output_size

    @property
    def symbols(self) -> int:
        """How many symbols there are."""
        return self.input_size

    def init_state(self, *, key: PRNGKeyArray | None = None) -> Levels:
        keys = [None if key is None else jr.fold_in(key, i) for i in range(len(self.levels))]
        inner = tuple(level.init_state(key=k) for level, k in zip(self.levels, keys, strict=True))
        dtype = _dtype(self.levels)
        said = tuple(jnp.zeros(level.output_size, dtype) for level in self.levels)
        return Levels(inner, said, jnp.zeros(len(self.levels), dtype))

    def __call__(
        self, x: Array, state: Levels, *, dt: Any = None, key: PRNGKeyArray | None = None
    ) -> tuple[Levels, Array]:
        del dt
        moved, stamps = self.moved(x, state), jnp.log1p(state.gap)
        inner, said = [], []
        for i, level in enumerate(self.levels):
            seen = x if i == 0 else jnp.concatenate([x, stamps[i][None]])
            new = level(seen, state.inner[i], key=None if key is None else jr.fold_in(key, i))
            held, told = select(moved[i], new, (state.inner[i], state.said[i]))
            inner.append(held)
            said.append(told)
        gap = jnp.where(moved, jnp.zeros_like(state.gap), state.gap + 1)
        return Levels(tuple(inner), tuple(said), gap), jnp.concatenate(
            [self.log_probabilities(tuple(said)), said[-1][self.symbols :]]
        )

    def moved(self, x: Array, state: Levels) -> Bool[Array, " levels"]:
        """Which levels make a step on this symbol."""
        moved = [jnp.ones((), bool)]
        for said in state.said[:-1]:
            moved.append(moved[-1] & (jax.nn.softmax(said) @ x < self.threshold))
        return jnp.stack(moved)

    def internals(self, x: Array, state: Levels) -> dict[str, Array]:
        """`moved` and `stamp` of each level, and `top`, the state of the top level after the step as one vector."""
        top = ravel_pytree(self(x, state)[0].inner[-1])[0]
        return {"moved": self.moved(x, state), "stamp": jnp.log1p(state.gap), "top": top}

    def log_probabilities(self, said: tuple[Array, ...]) -> Float[Array, " symbols"]:
        """The code of all levels together, from what each of them said last."""
        left = jnp.zeros((), said[0].dtype)
        free = jnp.ones(self.symbols, bool)
        total = jnp.zeros(self.symbols, said[0].dtype)
        for logits in said[:-1]:
            known = (jax.nn.softmax(logits) >= self.threshold) & free
            here = logits - jax.nn.logsumexp(logits, where=free)
            total = jnp.where(known, left + here, total)
            missed = jax.nn.logsumexp(here, where=free & ~known)
            left = left + jnp.where(jnp.any(known), missed, jnp.zeros_like(missed))
            free = free & ~known
        top = said[-1][: self.symbols]
        return jnp.where(free, left + top - jax.nn.logsumexp(top, where=free), total)


def _dtype(levels: tuple[Cell, ...]) -> Any:
    return next(leaf.dtype for leaf in jax.tree.leaves(levels) if eqx.is_inexact_array(leaf))
