"""The builder: layers, directions, dropout and read-out in one object that is called on sequences."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax.random as jr
from jaxtyping import Array, PRNGKeyArray

from ostinato.cells.base import Cell
from ostinato.errors import SettingsError, UnsupportedRule, did_you_mean
from ostinato.layers.bidirectional import Bidirectional
from ostinato.layers.dropout import Dropout
from ostinato.layers.readout import Readout
from ostinato.layers.stack import Stack
from ostinato.layers.summary import Summary, summary
from ostinato.layers.unroll import unroll
from ostinato.types import State


class RNN(eqx.Module):
    """A recurrent network of any cell: `ys, state = rnn(batch)`.

    * `cell`: a constructor `(input_size, hidden_size, *, key, **settings)`, such as `ost.cells.GRU`, or a name in
      `CELLS`.
    * `hidden_size`: a number, or one for each layer.
    * `output_size`: adds a `Readout` on top, with `output_activation`; without it the outputs are those of the last
      cell.
    * `dropout`: rate between the layers; takes effect where a key is given.
    * `settings`: everything else goes to the cell.

    Inputs and outputs are `(*batch, time, features)`, states `(*batch, ...)`. With `bidirectional=True` each layer is
    `Bidirectional` and gives `2 hidden_size` outputs.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> key = jax.random.key(0)
    >>> model = ost.RNN(ost.cells.GRU, input_size=12, hidden_size=64, num_layers=2, bidirectional=True, key=key)
    >>> ys, state = model(jnp.ones((4, 7, 12)))
    >>> ys.shape
    (4, 7, 128)

    ```
    """

    stack: Stack

    def __init__(
        self,
        cell: str | Callable[..., Cell],
        input_size: int,
        hidden_size: int | Sequence[int],
        num_layers: int | None = None,
        *,
        bidirectional: bool = False,
        merge: str = "concat",
        residual: bool = False,
        dropout: float = 0.0,
        output_size: int | None = None,
        output_activation: str | Callable[[Array], Array] = "linear",
        key: PRNGKeyArray,
        **settings: Any,
    ):
        sizes = [hidden_size] * (num_layers or 1) if isinstance(hidden_size, int) else list(hidden_size)
        if num_layers is not None and num_layers != len(sizes):
            raise SettingsError(f"hidden_size: expected {num_layers} sizes, one for each layer, got {len(sizes)}")
        make = cell_constructor(cell)
        layers: list[Any] = []
        width = input_size
        for i, size in enumerate(sizes):
            if i and dropout:
                layers.append(Dropout(width, dropout))
            layer_key = jr.fold_in(key, i)
            if bidirectional:
                k_forward, k_backward = jr.split(layer_key)
                forward = make(width, size, key=k_forward, **settings)
                layer = Bidirectional(forward, make(width, size, key=k_backward, **settings), merge=merge)
            else:
                layer = make(width, size, key=layer_key, **settings)
            layers.append(layer)
            width = layer.output_size
        if output_size is not None:
            readout_key = jr.fold_in(key, len(sizes))
            dtype = settings.get("dtype")
            layers.append(Readout(width, output_size, activation=output_activation, dtype=dtype, key=readout_key))
        self.stack = Stack(layers, residual=residual)

    @property
    def input_size(self) -> int:
        return self.stack.input_size

    @property
    def output_size(self) -> int:
        return self.stack.output_size

    @property
    def per_sequence(self) -> bool:
        """False: one output for each step."""
        return False

    def summary(self) -> Summary:
        """The layers with their sizes and numbers of parameters, as a table that prints."""
        return summary(self)

    @property
    def cell(self) -> Stack:
        """The whole network as one cell; raises `UnsupportedRule` where it is bidirectional."""
        if not self.stack.causal:
            raise UnsupportedRule("one step", "a bidirectional network", "it needs the whole sequence")
        return self.stack

    def init_state(self, *, key: PRNGKeyArray | None = None) -> State:
        """The unbatched state before the first step."""
        return self.stack.init_state(key=key)

    def __call__(self, xs: Any, state: State = None, **options: Any) -> Any:
        """`(ys, final)`, or `(ys, final, tape)` with `record`; takes all options of `unroll`."""
        return unroll(self.stack, xs, state, **options)


def cell_constructor(cell: str | Callable[..., Cell]) -> Callable[..., Cell]:
    """The constructor itself, or the one of that name in `CELLS`; raises `SettingsError` with the known names."""
    if callable(cell):
        return cell
    from ostinato.cells.table import CELLS

    if cell not in CELLS:
        words = f"cell: expected one of {', '.join(sorted(CELLS))}, got {cell!r}"
        raise SettingsError(words + did_you_mean(cell, CELLS))
    return CELLS[cell].make
