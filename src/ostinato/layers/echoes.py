"""A reservoir through time, many stretches of it at once: what fades can be computed out of order."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ostinato.cells.activations import activation_function
from ostinato.cells.base import Hidden
from ostinato.cells.echo_state import EchoState
from ostinato.checks import check_features
from ostinato.kernels import Packed, pack, sparse_product

SEGMENTS = 16
SHORTEST = 32
"""Stretches shorter than this are not worth it."""
WARM = 320
"""So many steps from 0 make the first guess of where a stretch ends."""
FEW = 16


def echo_states(
    cell: EchoState, xs: Float[Array, "*batch time input"], *, packed: Packed | None = None, segments: int | None = None
) -> tuple[Float[Array, "*batch time hidden"], Hidden]:
    r"""`unroll(cell, xs)` for a reservoir, faster: `(ys, final)`, without a derivative.

    The sequence is cut into `segments` stretches (default 16) that run side by side, each from where the stretch before
    it ended in the last pass:

    $$s^{(p)}_k = \mathrm{end}_{k-1}(s^{(p-1)}_{k-1})$$

    until nothing changes beyond rounding. After pass p the first p stretches are right in any case, so it ends, and
    with the states of the loop one after the other; where the reservoir forgets within a stretch, one pass does after a
    guess from the last steps. A product of a sparse matrix with several vectors costs hardly more than with one, so
    that even a reservoir that does not forget takes about as long as one step after the other.

    `packed` is `kernels.pack(cell.R[0])`, needed where the weights are traced. No masks and no resets.

    ```python
    >>> import jax, numpy as np, ostinato as ost
    >>> cell = ost.cells.EchoState(1, 50, key=jax.random.key(0))
    >>> xs = jax.random.normal(jax.random.key(1), (600, 1))
    >>> ys, final = echo_states(cell, xs)
    >>> bool(np.allclose(ys, ost.unroll(cell, xs)[0], atol=1e-6))
    True

    ```
    """
    check_features(xs.shape, cell.input_size)
    packed = pack(cell.R[0]) if packed is None else packed
    *lead, time, inputs = xs.shape
    flat = jnp.asarray(xs).astype(cell.R.dtype).reshape(-1, time, inputs)
    count = segments or (SEGMENTS if time >= SEGMENTS * SHORTEST else 1)
    ys, final = _run(cell, packed, flat, max(1, min(count, time)))
    return ys.reshape(*lead, time, cell.hidden_size), Hidden(final.reshape(*lead, cell.hidden_size))


@partial(jax.jit, static_argnums=3)
def _run(cell: EchoState, packed: Packed, xs: Float[Array, "rows time input"], segments: int) -> tuple[Array, Array]:
    rows, time, inputs = xs.shape
    units, dtype = cell.hidden_size, cell.R.dtype
    length = -(-time // segments)
    width = rows * segments
    padded = jnp.pad(xs, ((0, 0), (0, length * segments - time), (0, 0)))
    # (length, input, rows * segments): the stretches of a row stand side by side.
    stretches = padded.reshape(rows, segments, length, inputs).transpose(2, 3, 0, 1).reshape(length, inputs, width)
    activation, W, bias = activation_function(cell.activation), cell.W[0], cell.b[0][:, None]

    def driven(x: Array) -> Array:
        # A few inputs are added up in the pass over the units that follows; a product of its own would call up threads.
        few = (W[:, i : i + 1] * x[None, i] for i in range(inputs))
        return sum(few, start=bias) if 1 <= inputs <= FEW else W @ x + bias

    def one(h: Array, x: Array) -> tuple[Array, Array]:
        new = activation(sparse_product(packed, h, units) + driven(x))
        h = new if cell.leak == 1 else (1 - cell.leak) * h + cell.leak * new
        return h, h.T

    def following(end: Array) -> Array:
        by_row = end.reshape(units, rows, segments)
        return jnp.concatenate([jnp.zeros_like(by_row[..., :1]), by_row[..., :-1]], axis=-1).reshape(units, width)

    def a_pass(start: Array) -> tuple[Array, Array]:
        end, ys = jax.lax.scan(one, start, stretches)
        return following(end), ys

    def going(at: Any) -> Array:
        start, then, _, number = at
        near = 512 * jnp.finfo(dtype).eps * jnp.maximum(jnp.max(jnp.abs(then)), 1)
        return (number < segments) & (jnp.max(jnp.abs(then - start)) > near)

    def again(at: Any) -> Any:
        _, start, _, number = at
        return (start, *a_pass(start), number + 1)

    # A first guess of the starts: what comes before the end of a stretch by more than this is mostly forgotten.
    guess = jnp.zeros((units, width), dtype)
    if segments > 1:
        guess = following(jax.lax.scan(lambda h, x: (one(h, x)[0], None), guess, stretches[-WARM:])[0])
    _, _, ys, _ = jax.lax.while_loop(going, again, (guess, *a_pass(guess), jnp.ones((), jnp.int32)))
    whole = ys.reshape(length, rows, segments, units).transpose(1, 2, 0, 3).reshape(rows, length * segments, units)
    whole = whole[:, :time]
    return whole, whole[:, -1] if time else jnp.zeros((rows, units), dtype)
