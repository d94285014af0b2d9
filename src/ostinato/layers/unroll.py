"""A cell, stack or bidirectional layer through time: the one entry to running sequences."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from ostinato.checks import check_features, check_same
from ostinato.data.batch import SequenceBatch
from ostinato.errors import NotConverged, SettingsError, ShapeError
from ostinato.kernels import DIVERGED, LoopInputs, check_kernel
from ostinato.layers.record import resolve_record
from ostinato.layers.run import UnrollOptions, initial_state, run
from ostinato.layers.state import check_state
from ostinato.types import State

FORWARD_MODE = (
    "the fast kernels have no forward-mode derivative (jvp, jacfwd): use unroll(..., kernel='reference'), "
    "which has every derivative"
)


def unroll(
    layer: Any,
    xs: Any,
    state: State = None,
    *,
    mask: Any = None,
    reset: Any = None,
    dt: Any = None,
    key: PRNGKeyArray | None = None,
    start: Any = 0,
    reverse: bool = False,
    record: tuple[str, ...] | str = (),
    checkpoint: bool | int | None = None,
    kernel: str = "auto",
) -> Any:
    r"""Run a layer over `(*batch, time, features)`: `(ys, final)`, or `(ys, final, tape)` where `record` is given.

    $$s_t, y_t = \mathrm{cell}(x_t, s_{t-1}),\qquad t = 0, \ldots, T-1$$

    * `xs`: an array, or a `SequenceBatch` with its own mask, resets and time steps.
    * `state`: of the structure of `layer.init_state()`, with leaves `(*batch, ...)`; None starts from that. `final` has
      the same shapes, so a sequence can be run in chunks: give `final` back, and `start` as the number of steps before,
      which keeps the noise of the whole.
    * `mask` `(*batch, time)`: a masked step keeps the state and gives zero. `reset` `(*batch, time)`: the state is
      replaced by `init_state()` before that step (after it in reverse). Both are booleans, or numbers 0 and 1. `dt`
      `(*batch, time)`: for cells that know time.
    * `key`: step t has the key `fold_in(key, start + t)`, folded by the row.
    * `record`: names of state fields and internals, e.g. `("h", "gates")`; in a stack `"1/h"`, or `"h"` for every
      layer. The tape maps each full name to `(*batch, time, ...)`.
    * `checkpoint`: True keeps only every sqrt(T)-th state for the backward pass and recomputes between; a number is
      the length of these segments.
    * `kernel`: `"auto"`, `"reference"`, `"scan"`, `"hoist"`, `"native"`; see `ostinato.kernels.choose`. `"parallel"`
      runs all steps side by side where they are affine in the state (`MinGRU`, `MinLSTM`, `Recollect`); `"deer"` runs
      those of any cell that forgets, by Newton's method.

    Raises `ShapeError`, `StateError` (a state that is not the layer's), `DataError` (a mask or reset of other values),
    `SettingsError`; `NotConverged` where `"deer"` finds no solution (inside a function of your own
    under `jit`, as Equinox's error there); `TypeError` for a forward-mode derivative of a fast kernel.

    ```python
    >>> import jax, jax.numpy as jnp
    >>> from ostinato.cells import GRU
    >>> cell = GRU(2, 4, key=jax.random.key(0))
    >>> ys, final, tape = unroll(cell, jnp.ones((3, 5, 2)), record=("h",))
    >>> ys.shape, final.h.shape, tape["h"].shape
    ((3, 5, 4), (3, 4), (3, 5, 4))

    ```
    """
    if isinstance(xs, SequenceBatch):
        if mask is not None or reset is not None or dt is not None:
            raise ShapeError("xs: a SequenceBatch brings its own mask, reset and dt; give them there")
        check_features(xs.values.shape, layer.input_size)
        batch = xs.check()
    else:
        xs = jnp.asarray(xs)
        check_features(xs.shape, layer.input_size)
        batch = SequenceBatch(xs, mask, reset, None if dt is None else jnp.asarray(dt))
        for name in ("mask", "reset", "dt"):
            field = getattr(batch, name)
            if field is not None:
                check_same(field.shape, xs.shape[:-1], name, "(*batch, time)")
    check_kernel(kernel)
    names = resolve_record(layer, (record,) if isinstance(record, str) else tuple(record))
    plan = UnrollOptions(kernel, names, _segment(checkpoint, batch.time_size))
    try:
        ys, final, tape = _unroll(layer, batch, state, key, jnp.asarray(start, jnp.int32), reverse, plan)
    except TypeError as error:
        if "custom_vjp" in str(error):
            raise TypeError(FORWARD_MODE) from error
        raise
    except eqx.EquinoxRuntimeError as error:
        if DIVERGED in str(error):
            raise NotConverged(DIVERGED) from error
        raise
    return (ys, final, tape) if record else (ys, final)


@eqx.filter_jit
def _unroll(
    layer: Any,
    batch: SequenceBatch,
    state: State,
    key: PRNGKeyArray | None,
    start: Array,
    reverse: bool,
    plan: UnrollOptions,
) -> tuple[Array, State, dict[str, Array]]:
    lead = batch.batch_shape
    rows = math.prod(lead)
    time = batch.time_size
    if batch.observed is not None:
        values = jnp.where(batch.observed, batch.values, jnp.zeros_like(batch.values))
    else:
        values = batch.values

    def inward(field: Array | None) -> Array | None:
        return None if field is None else jnp.moveaxis(field.reshape(rows, time, *field.shape[len(lead) + 1 :]), 1, 0)

    def outward(field: Array) -> Array:
        moved = jnp.moveaxis(field, 0, 1)
        return moved.reshape(*lead, *moved.shape[1:])

    if state is None:
        flat = initial_state(layer, rows, key)
    else:
        state = check_state(layer, state, lead)
        flat = jax.tree.map(lambda leaf: leaf.reshape(rows, *leaf.shape[len(lead) :]), state)
    mask, reset, dt = (inward(field) for field in (batch.mask, batch.reset, batch.dt))
    time_major = jnp.moveaxis(values.reshape(rows, time, values.shape[-1]), 1, 0)
    loop = LoopInputs(time_major, mask, reset, dt, key, start, (), reverse)
    ran = run(layer, loop, flat, plan)
    final = jax.tree.map(lambda leaf: leaf.reshape(*lead, *leaf.shape[1:]), ran.final)
    return outward(ran.ys), final, {name: outward(values) for name, values in ran.tape.items()}


def _segment(checkpoint: bool | int | None, time: int) -> int:
    if checkpoint is None or checkpoint is False or time == 0:
        return 0
    if checkpoint is True:
        return max(1, math.isqrt(time))
    if checkpoint < 1:
        raise SettingsError(f"checkpoint: expected True or a number of steps from 1 up, got {checkpoint}")
    return min(int(checkpoint), time)
