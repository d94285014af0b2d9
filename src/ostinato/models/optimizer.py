"""The optimiser of the estimators: Adam with a learning-rate schedule, weight decay, and a bound on the gradient.

Its numbers stand in its state, as data: fits that differ in rate, length, decay or bound alone are one program.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, PyTree
from optax import contrib

WARM_UP = 20
"""One in so many steps is warm-up, where there is one: the rate rises from a tenth."""

STAIR, STAIR_EPOCHS, STAIR_END = 0.25, 12, 100
"""The staircase: so many times the rate after each so many epochs, before this epoch."""


class Schedule(NamedTuple):
    """A learning rate over time: `schedule(step)` is the shape of that name, made with these numbers."""

    shape: str
    numbers: tuple[float, ...]

    def __call__(self, step: Any) -> Any:
        return SHAPES[self.shape](step, *self.numbers)


def learning_rate(name: str, rate: float, steps: int, *, per_epoch: int = 1, warm_up: bool = False) -> Schedule:
    r"""The learning rate over so many steps, as a function of the step.

    * `"constant"` and `"plateau"` (see `adam`): the rate itself.
    * `"cosine"`: $\tfrac12 (1 + \cos \pi t / T)$ times the rate (Loshchilov and Hutter, SGDR, ICLR 2017), with
      `warm_up` after a linear rise over the first twentieth.
    * `"staircase"`: a quarter every 12 epochs up to the 99th.

    ```python
    >>> [round(float(learning_rate("cosine", 1.0, 10)(t)), 3) for t in (0, 5, 10)]
    [1.0, 0.5, 0.0]

    ```
    """
    if name == "cosine" and warm_up:
        return Schedule("cosine", (rate, 0.1 * rate, max(steps // WARM_UP, 1), max(steps, 2)))
    if name == "cosine":
        return Schedule("cosine", (rate, rate, 0, max(steps, 1)))
    if name == "staircase":
        return Schedule("staircase", (rate, per_epoch))
    return Schedule("constant", (rate,))


def adam(
    rate: float | Schedule,
    *,
    decay: float | None = None,
    coupled: bool = False,
    mask: Callable[[Any], Any] | None = None,
    clip: float | None = None,
    plateau: int | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Adam (Kingma and Ba, ICLR 2015), as the settings of an estimator ask for it.

    * `decay`: weight decay, by itself (AdamW; Loshchilov and Hutter, ICLR 2019) where `mask` allows it, or `coupled`:
      added to the gradient, as in PyTorch's `Adam(weight_decay=)`.
    * `clip`: the norm that the gradient of all weights together has at most.
    * `plateau`: steps in an epoch; the rate is cut to a tenth where the loss has not fallen for ten epochs.
    """
    schedule = rate if isinstance(rate, Schedule) else Schedule("constant", (rate,))
    given = {"decay": decay, "clip": clip}
    numbers = {"rate": schedule.numbers, **{name: value for name, value in given.items() if value is not None}}
    make = partial(_adam, shape=schedule.shape, coupled=coupled, mask=mask, plateau=plateau)
    return _with_numbers(make, numbers)


class NumbersState(NamedTuple):
    """The numbers of an optimiser, and its state."""

    numbers: PyTree[Array]
    inner: Any


def _with_numbers(
    make: Callable[[Any], optax.GradientTransformation], numbers: PyTree[float]
) -> optax.GradientTransformationExtraArgs:
    """The optimiser `make(numbers)`, its numbers in its state."""

    def init(params: Any) -> NumbersState:
        arrays = jax.tree.map(lambda number: jnp.asarray(number, jnp.result_type(float)), numbers)
        return NumbersState(arrays, make(arrays).init(params))

    def update(updates: Any, state: Any, params: Any = None, **extra: Any) -> tuple[Any, NumbersState]:
        optimizer = optax.with_extra_args_support(make(state.numbers))
        updates, inner = optimizer.update(updates, state.inner, params, **extra)
        return updates, NumbersState(state.numbers, inner)

    return optax.GradientTransformationExtraArgs(init, update)


def _adam(numbers: Any, *, shape: str, coupled: bool, mask: Any, plateau: int | None) -> optax.GradientTransformation:
    decay = numbers.get("decay")
    parts = [optax.clip_by_global_norm(numbers["clip"])] if "clip" in numbers else []
    rate = lambda step: SHAPES[shape](step, *numbers["rate"])
    if decay is None:
        parts.append(optax.adam(rate))
    elif coupled:
        parts += [optax.add_decayed_weights(decay), optax.adam(rate)]
    else:
        parts.append(optax.adamw(rate, weight_decay=decay, mask=mask))
    if plateau is not None:
        parts.append(contrib.reduce_on_plateau(factor=0.1, patience=10, accumulation_size=plateau))
    return optax.chain(*parts)


def _constant(step: Any, rate: Any) -> Any:
    del step
    return rate


def _cosine(step: Any, rate: Any, start: Any, warm: Any, steps: Any) -> Any:
    rising = start + (rate - start) * step / jnp.maximum(warm, 1)
    share = jnp.clip((step - warm) / (steps - warm), 0, 1)
    return jnp.where(step < warm, rising, rate * 0.5 * (1 + jnp.cos(jnp.pi * share)))


def _staircase(step: Any, rate: Any, per_epoch: Any) -> Any:
    ends = jnp.arange(STAIR_EPOCHS, STAIR_END, STAIR_EPOCHS)
    return rate * STAIR ** jnp.sum(step >= ends * per_epoch)


SHAPES: dict[str, Callable[..., Any]] = {"constant": _constant, "cosine": _cosine, "staircase": _staircase}
