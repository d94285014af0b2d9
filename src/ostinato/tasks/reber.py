"""Reber's grammar (Reber 1967) and the embedded one (experiment 1 of Hochreiter and Schmidhuber 1997)."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ostinato.data import Examples
from ostinato.losses import cross_entropy
from ostinato.tasks.base import Task, Trial, at_least, mean_of

SYMBOLS = "BTSXPVE"

# State to symbol to next state; two arrows leave a state with equal probability. A state without arrows is the end.
REBER: tuple[dict[str, int], ...] = (
    {"B": 1},
    {"T": 2, "P": 3},
    {"S": 2, "X": 4},
    {"T": 3, "V": 5},
    {"X": 3, "S": 6},
    {"P": 4, "V": 6},
    {"E": 7},
    {},
)


def embedded(inner: tuple[dict[str, int], ...]) -> tuple[dict[str, int], ...]:
    """`B`, then `T` or `P`, then a string of the inner grammar, then the same `T` or `P` again, then `E`."""
    size = len(inner)
    last = 2 + 2 * size
    states: list[dict[str, int]] = [{"B": 1}, {"T": 2, "P": 2 + size}]
    for symbol, offset in (("T", 2), ("P", 2 + size)):
        copied = [{s: to + offset for s, to in arrows.items()} for arrows in inner]
        states += [arrows or {symbol: last} for arrows in copied]
    return (*states, {"E": last + 1}, {})


class Next(NamedTuple):
    """What comes next: the symbol that did, and all that the grammar allows."""

    symbol: Int[Array, "*steps"]
    legal: Bool[Array, "*steps 7"]


class Reber(Task):
    r"""Predict the next symbol of a string of Reber's grammar, at every step.

    Inputs are the symbols `BTSXPVE`, one-hot, `(max_length - 1, 7)`: a string of n symbols has n - 1 steps, the rest is
    masked. The loss is the cross-entropy of the symbol that came; a step is judged right where every symbol that the
    grammar allows is more active than every one that it forbids, and a string where all its steps are.

    Strings are drawn from the grammar's own distribution, given that they have at most `max_length` symbols: with
    $Q_k(s)$ the probability to end within k symbols from state s, an arrow $s \to s'$ is taken with probability
    $\propto Q_{k-1}(s')$. Nothing is cut off or drawn again; `coverage` is the share of all strings that are in reach.

    Raises `SettingsError` for a `max_length` shorter than the shortest string (5).

    ```python
    >>> import jax
    >>> task = Reber(max_length=5)
    >>> sorted(set(task.strings(task.sample(jax.random.key(0), 20))))
    ['BPVVE', 'BTXSE']

    ```
    """

    max_length: int = eqx.field(static=True, default=30)

    def __check_init__(self) -> None:
        least = int(np.argmax(self._ends_within[:, 0] > 0)) if self._ends_within[:, 0].any() else self.max_length + 1
        at_least(self.max_length, least, "max_length")

    @property
    def grammar(self) -> tuple[dict[str, int], ...]:
        """State to symbol to next state."""
        return REBER

    @property
    def input_size(self) -> int:
        return len(SYMBOLS)

    @property
    def output_size(self) -> int:
        return len(SYMBOLS)

    @property
    def time_size(self) -> int:
        return self.max_length - 1

    @property
    def chance(self) -> dict[str, float]:
        return {}

    @property
    def coverage(self) -> float:
        """The probability that a string of the grammar has at most `max_length` symbols."""
        return float(self._ends_within[self.max_length, 0])

    def trial(self, key: PRNGKeyArray) -> Trial:
        to, logits = jnp.asarray(self._arrows), jnp.asarray(self._logits)
        end = len(self.grammar) - 1

        def draw(state: Array, inputs: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
            table, key = inputs
            symbol = jr.categorical(key, table[state]).astype(jnp.int32)
            after = jnp.where(state == end, state, to[state, symbol])
            return after, (symbol, after)

        _, (symbols, states) = jax.lax.scan(draw, jnp.zeros((), jnp.int32), (logits, jr.split(key, self.max_length)))
        target = Next(symbols[1:], jnp.asarray(self._arrows >= 0)[states[:-1]])
        return Trial(jax.nn.one_hot(symbols[:-1], len(SYMBOLS)), target, states[:-1] != end)

    def loss(self, y: Array, target: Next) -> Float[Array, ""]:
        return cross_entropy(y, target.symbol)

    def metrics(self, ys: Array, examples: Examples) -> dict[str, Float[Array, ""]]:
        right, steps = self.right(ys, examples.targets), examples.inputs.steps
        strings = jnp.all(right | ~steps, axis=-1)
        return {
            "strings": jnp.mean(strings.astype(ys.dtype)),
            "steps": mean_of(right, steps.astype(ys.dtype)),
        }

    def right(self, ys: Float[Array, "*steps 7"], target: Next) -> Bool[Array, "*steps"]:
        """Whether every legal symbol is more active than every illegal one."""
        infinite = jnp.full_like(ys, jnp.inf)
        least_legal = jnp.min(jnp.where(target.legal, ys, infinite), axis=-1)
        return least_legal > jnp.max(jnp.where(target.legal, -infinite, ys), axis=-1)

    def strings(self, examples: Examples) -> list[str]:
        """The trials as strings, whole."""
        first = np.argmax(np.asarray(examples.inputs.values), axis=-1)[:, :1]
        codes = np.concatenate([first, np.asarray(examples.targets.symbol)], axis=1)
        lengths = np.asarray(examples.inputs.lengths) + 1
        return ["".join(SYMBOLS[c] for c in row[:n]) for row, n in zip(codes, lengths, strict=True)]

    @property
    def _arrows(self) -> np.ndarray:
        """`(states, 7)`: the next state, -1 where the grammar has no arrow."""
        rows = [[arrows.get(symbol, -1) for symbol in SYMBOLS] for arrows in self.grammar]
        return np.array(rows, np.int32)

    @property
    def _ends_within(self) -> np.ndarray:
        """`(max_length + 1, states)`: the probability to reach the end within so many symbols."""
        to = self._arrows
        known = np.zeros(len(to))
        known[-1] = 1
        rows = [known]
        for _ in range(self.max_length):
            reach = np.where(to >= 0, rows[-1][to], 0).sum(1) / np.maximum((to >= 0).sum(1), 1)
            reach[-1] = 1
            rows.append(reach)
        return np.array(rows)

    @property
    def _logits(self) -> np.ndarray:
        """`(max_length, states, 7)`: at each step, the log of each arrow's weight; zeros where none can be taken."""
        to, within = self._arrows, self._ends_within
        weight = np.where(to >= 0, within[:-1][::-1][:, to], 0)
        possible = weight.sum(-1, keepdims=True) > 0
        with np.errstate(divide="ignore"):
            return np.where(possible, np.log(weight), 0).astype(np.float32)


class EmbeddedReber(Reber):
    r"""Reber's grammar inside a frame `B T ... T E` or `B P ... P E`: the second symbol comes back before the end.

    To predict the last symbol but one, a network has to keep the second one over the whole inner string. The metric
    `memory` is the share of strings in which it is right. Without that memory one half of the strings can be right at
    best: `chance`.

    The other things are as in `Reber`. Raises `SettingsError` for a `max_length` shorter than the shortest string (9).

    ```python
    >>> import jax
    >>> task = EmbeddedReber(max_length=9)
    >>> sorted(set(task.strings(task.sample(jax.random.key(0), 40))))
    ['BPBPVVEPE', 'BPBTXSEPE', 'BTBPVVETE', 'BTBTXSETE']

    ```
    """

    max_length: int = eqx.field(static=True, default=40)

    @property
    def grammar(self) -> tuple[dict[str, int], ...]:
        return embedded(REBER)

    @property
    def chance(self) -> dict[str, float]:
        return {"strings": 0.5, "memory": 0.5}

    def metrics(self, ys: Array, examples: Examples) -> dict[str, Float[Array, ""]]:
        # The last step predicts E, the one before it the symbol of the frame.
        place = (examples.inputs.lengths - 2)[..., None]
        remembered = jnp.take_along_axis(self.right(ys, examples.targets), place, axis=-1)
        return {**super().metrics(ys, examples), "memory": jnp.mean(remembered.astype(ys.dtype))}
