"""One output for a whole sequence."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, DTypeLike, Float, PRNGKeyArray

from ostinato.data.batch import SequenceBatch
from ostinato.errors import SettingsError
from ostinato.layers.readout import Readout
from ostinato.layers.rnn import RNN
from ostinato.layers.unroll import unroll
from ostinato.types import State

POOLS = ("last", "mean", "max")


class ManyToOne(eqx.Module):
    """An RNN, a summary over the steps that exist, and a read-out: `(*batch, output)` from `(*batch, time, features)`.

    `pool`: `"last"`, the output of the last step that exists (of a bidirectional network: each direction's last one),
    `"mean"` or `"max"` over the steps that exist. A sequence of length 0 gives the read-out of zeros.

    ```python
    >>> import jax, numpy as np, ostinato as ost
    >>> k0, k1 = jax.random.split(jax.random.key(0))
    >>> model = ManyToOne(ost.RNN("gru", 2, 8, bidirectional=True, key=k0), 3, key=k1)
    >>> y, state = model(ost.SequenceBatch.from_sequences([np.ones((5, 2)), np.ones((3, 2))]))
    >>> y.shape
    (2, 3)

    ```
    """

    rnn: RNN
    readout: Readout
    pool: str = eqx.field(static=True)

    def __init__(
        self,
        rnn: RNN,
        output_size: int,
        *,
        pool: str = "last",
        activation: Any = "linear",
        dtype: DTypeLike | None = None,
        key: PRNGKeyArray,
    ):
        if pool not in POOLS:
            raise SettingsError(f"pool: expected one of {', '.join(POOLS)}, got {pool!r}")
        self.rnn, self.pool = rnn, pool
        self.readout = Readout(rnn.output_size, output_size, activation=activation, dtype=dtype, key=key)

    @property
    def input_size(self) -> int:
        return self.rnn.input_size

    @property
    def output_size(self) -> int:
        return self.readout.output_size

    @property
    def per_sequence(self) -> bool:
        """True: one output for each sequence."""
        return True

    def init_state(self, *, key: PRNGKeyArray | None = None) -> State:
        """The unbatched state before the first step."""
        return self.rnn.init_state(key=key)

    def __call__(self, xs: Any, state: State = None, **options: Any) -> Any:
        """`(y, final)`, or `(y, final, tape)` with `record`."""
        if not isinstance(xs, SequenceBatch):
            xs = SequenceBatch(jnp.asarray(xs), **{n: options.pop(n, None) for n in ("mask", "reset", "dt")})
        ys, *rest = unroll(self.rnn.stack, xs, state, **options)
        return self.apply_head(ys, xs, xs, None), *rest

    def rnn_inputs(self, xs: SequenceBatch, key: PRNGKeyArray | None) -> tuple[SequenceBatch, PRNGKeyArray | None]:
        """What the network sees, and the key that it runs with."""
        return xs, key

    def apply_head(self, ys: Array, inputs: SequenceBatch, xs: SequenceBatch, key: PRNGKeyArray | None) -> Array:
        """The output from those of the network."""
        del xs, key
        summary = pool_steps(ys, inputs.mask, self.pool, backward_size(self.rnn))
        y, _ = unroll(self.readout, summary[..., None, :])
        return y[..., 0, :]


def backward_size(rnn: RNN) -> int:
    """How many of the last outputs run from the end; 0 where the top layer has one direction or sums them."""
    top = rnn.stack.layers[-1]
    return top.backward.output_size if getattr(top, "merge", None) == "concat" else 0


def pool_steps(
    ys: Float[Array, "*batch time features"], mask: Bool[Array, "*batch time"] | None, pool: str, backward: int = 0
) -> Float[Array, "*batch features"]:
    """A summary of the steps that exist; zeros for a sequence without any.

    The last `backward` features end at the first step that exists, so `"last"` takes them there.
    """
    if ys.shape[-2] == 0:
        return jnp.zeros((*ys.shape[:-2], ys.shape[-1]), ys.dtype)
    if mask is None:
        if pool == "last":
            # Slices: a search for the last step in a constant mask costs seconds of compilation at T=1000.
            forward = ys.shape[-1] - backward
            return jnp.concatenate([ys[..., -1, :forward], ys[..., 0, forward:]], axis=-1)
        mask = jnp.ones(ys.shape[:-1], bool)
    some = jnp.any(mask, axis=-1)[..., None]
    if pool == "mean":
        count = jnp.maximum(jnp.sum(mask, axis=-1), 1).astype(ys.dtype)[..., None]
        return jnp.sum(jnp.where(mask[..., None], ys, jnp.zeros_like(ys)), axis=-2) / count
    if pool == "max":
        top = jnp.max(jnp.where(mask[..., None], ys, jnp.full_like(ys, -jnp.inf)), axis=-2)
        return jnp.where(some, top, jnp.zeros_like(top))
    time = ys.shape[-2]
    last = time - 1 - jnp.argmax(jnp.flip(mask, axis=-1), axis=-1)
    first = jnp.argmax(mask, axis=-1)
    ends = _take(ys, last)
    if backward:
        ends = jnp.concatenate([ends[..., :-backward], _take(ys, first)[..., -backward:]], axis=-1)
    return jnp.where(some, ends, jnp.zeros_like(ends))


def _take(ys: Array, index: Array) -> Array:
    return jnp.take_along_axis(ys, index[..., None, None], axis=-2)[..., 0, :]
