"""One cell from the start and one from the end (Schuster and Paliwal, IEEE Trans. Signal Processing 45, 1997)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import PRNGKeyArray

from ostinato.errors import SettingsError, ShapeError
from ostinato.kernels import LoopInputs
from ostinato.layers.record import above, below
from ostinato.layers.run import UnrollOptions, UnrollResult, run
from ostinato.types import State


class BidirectionalState(NamedTuple):
    """The states of the two directions."""

    forward: State
    backward: State


class Bidirectional(eqx.Module):
    r"""Two cells over the same sequence, joined: $y_t = [\overrightarrow{y}_t;\, \overleftarrow{y}_t]$ or their sum.

    The backward cell starts at the last step that exists, because masked steps keep the state: padding changes nothing.
    It sees the whole sequence, so online rules and single steps do not hold for it. Merge: `"concat"` or `"sum"`.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> from ostinato import unroll
    >>> from ostinato.cells import LSTM
    >>> k0, k1 = jax.random.split(jax.random.key(0))
    >>> layer = Bidirectional(LSTM(3, 4, key=k0), LSTM(3, 4, key=k1))
    >>> ys, state = unroll(layer, jnp.ones((2, 6, 3)))
    >>> ys.shape
    (2, 6, 8)

    ```
    """

    forward: Any
    backward: Any
    merge: str = eqx.field(static=True)

    def __init__(self, forward: Any, backward: Any, *, merge: str = "concat"):
        if forward.input_size != backward.input_size:
            raise ShapeError(f"backward: expected input_size {forward.input_size}, got {backward.input_size}")
        if merge not in ("concat", "sum"):
            raise SettingsError(f"merge: expected 'concat' or 'sum', got {merge!r}")
        if merge == "sum" and forward.output_size != backward.output_size:
            raise ShapeError(f"backward: expected output_size {forward.output_size}, got {backward.output_size}")
        self.forward, self.backward, self.merge = forward, backward, merge

    @property
    def input_size(self) -> int:
        return self.forward.input_size

    @property
    def hidden_size(self) -> int:
        return self.forward.hidden_size

    @property
    def output_size(self) -> int:
        both = self.forward.output_size + self.backward.output_size
        return both if self.merge == "concat" else self.forward.output_size

    @property
    def causal(self) -> bool:
        return False

    @property
    def pointwise(self) -> bool:
        return False

    def parts(self) -> dict[str, Any]:
        """The directions by the names that they have on the tape."""
        return {"forward": self.forward, "backward": self.backward}

    def init_state(self, *, key: PRNGKeyArray | None = None) -> BidirectionalState:
        keys = (None, None) if key is None else (jr.fold_in(key, 0), jr.fold_in(key, 1))
        return BidirectionalState(self.forward.init_state(key=keys[0]), self.backward.init_state(key=keys[1]))

    def through_time(self, loop: LoopInputs, state: BidirectionalState, plan: UnrollOptions) -> UnrollResult:
        """Both directions over the whole loop."""
        rans = []
        for i, (name, cell) in enumerate(self.parts().items()):
            turned = loop._replace(path=(*loop.path, i), reverse=loop.reverse != bool(i))
            rans.append(run(cell, turned, state[i], plan._replace(record=below(plan.record, name))))
        one, other = rans
        ys = jnp.concatenate([one.ys, other.ys], axis=-1) if self.merge == "concat" else one.ys + other.ys
        tape = above(one.tape, "forward") | above(other.tape, "backward")
        return UnrollResult(ys, BidirectionalState(one.final, other.final), tape)
