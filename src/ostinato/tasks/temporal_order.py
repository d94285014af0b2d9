"""Temporal order (experiments 6a and 6b of Hochreiter and Schmidhuber, Neural Computation 9, 1997)."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ostinato.data import Examples
from ostinato.errors import SettingsError
from ostinato.losses import cross_entropy
from ostinato.tasks.base import Task, Trial, is_right, mean_of

SYMBOLS = "EBabcdXY"
START, TRIGGER, DISTRACTOR, MARKER = 0, 1, 2, 6
WINDOWS = {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}


class TemporalOrder(Task):
    r"""Say which markers, X or Y, came in which order among random symbols.

    A sequence starts with `E`, ends with the trigger `B`, and is filled with `a`, `b`, `c`, `d`, but for `markers`
    places, one uniform in each of the `windows` (steps counted from 0, ends included), that hold X or Y. The class is
    the binary number of the markers, X = 0, Y = 1, the first one highest: XX, XY, YX, YY are 0 to 3.

    The defaults are those of the paper: lengths uniform from 100 to 110; two markers (4 classes) at 10 to 20 and 50 to
    60, or three (8 classes) at 10 to 20, 33 to 43 and 66 to 76.

    Shapes: inputs `(longest, 8)`, one-hot, masked beyond the length; target a label. Reported: `accuracy`, and
    `within`, the paper's criterion: all outputs (here softmax) within 0.3 of the one-hot target.

    Raises `SettingsError` for windows that overlap or leave the shortest sequence, or for 4 markers without windows.

    ```python
    >>> import jax
    >>> task = TemporalOrder(markers=3)
    >>> examples = task.sample(jax.random.key(0), 2)
    >>> examples.inputs.values.shape, task.strings(examples)[0][0], task.strings(examples)[0][-1], task.chance
    ((2, 110, 8), 'E', 'B', {'accuracy': 0.125})

    ```
    """

    per_sequence: ClassVar[bool] = True
    windows: tuple[tuple[int, int], ...] = eqx.field(static=True)
    lengths: tuple[int, int] = eqx.field(static=True)

    def __init__(
        self,
        markers: int = 2,
        *,
        windows: tuple[tuple[int, int], ...] | None = None,
        lengths: tuple[int, int] = (100, 110),
    ):
        if windows is None and markers not in WINDOWS:
            raise SettingsError(f"markers: expected 2 or 3, or windows for {markers} of them")
        self.windows, self.lengths = WINDOWS[markers] if windows is None else windows, lengths
        if len(self.windows) != markers:
            raise SettingsError(f"windows: expected {markers}, one for each marker, got {len(self.windows)}")
        edges = [0, *(edge for window in self.windows for edge in window), lengths[0] - 1]
        inside = all(low <= high for low, high in [*self.windows, lengths])
        if not inside or any(after <= before for before, after in zip(edges[::2], edges[1::2], strict=True)):
            raise SettingsError(f"windows, lengths: expected rising steps between 1 and {lengths[0] - 2}, got {edges}")

    @property
    def markers(self) -> int:
        return len(self.windows)

    @property
    def input_size(self) -> int:
        return len(SYMBOLS)

    @property
    def output_size(self) -> int:
        return 2**self.markers

    @property
    def time_size(self) -> int:
        return self.lengths[1]

    @property
    def chance(self) -> dict[str, float]:
        return {"accuracy": 1 / self.output_size}

    def trial(self, key: PRNGKeyArray) -> Trial:
        k_fill, k_length, k_places, k_markers = jr.split(key, 4)
        symbols = jr.randint(k_fill, (self.time_size,), DISTRACTOR, MARKER)
        length = jr.randint(k_length, (), self.lengths[0], self.lengths[1] + 1)
        low, high = jnp.asarray(self.windows, jnp.int32).T
        places = jr.randint(k_places, (self.markers,), low, high + 1)
        kinds = jr.randint(k_markers, (self.markers,), 0, 2)
        symbols = symbols.at[places].set(MARKER + kinds).at[0].set(START).at[length - 1].set(TRIGGER)
        label = jnp.sum(kinds * 2 ** jnp.arange(self.markers - 1, -1, -1, dtype=kinds.dtype))
        return Trial(jax.nn.one_hot(symbols, len(SYMBOLS)), label, jnp.arange(self.time_size) < length)

    def loss(self, y: Array, target: Int[Array, ""]) -> Float[Array, ""]:
        return cross_entropy(y, target)

    def metrics(self, ys: Array, examples: Examples) -> dict[str, Float[Array, ""]]:
        wanted = jax.nn.one_hot(examples.targets, self.output_size, dtype=ys.dtype)
        within = jnp.all(jnp.abs(jax.nn.softmax(ys) - wanted) < 0.3, axis=-1)
        return {
            "accuracy": mean_of(is_right(ys, examples.targets), examples.weight),
            "within": mean_of(within, examples.weight),
        }

    def strings(self, examples: Examples) -> list[str]:
        """The trials as strings."""
        codes, lengths = np.argmax(np.asarray(examples.inputs.values), axis=-1), np.asarray(examples.inputs.lengths)
        return ["".join(SYMBOLS[c] for c in row[:n]) for row, n in zip(codes, lengths, strict=True)]
