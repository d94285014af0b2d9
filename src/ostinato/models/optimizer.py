"""The optimiser of the estimators: Adam with a learning-rate schedule, weight decay, and a bound on the gradient."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import optax
from optax import contrib

WARM_UP = 20
"""One in so many steps is warm-up, where there is one: the rate rises from a tenth."""

STAIR, STAIR_EPOCHS, STAIR_END = 0.25, 12, 100
"""The staircase: so many times the rate after each so many epochs, before this epoch."""


# Kept, so that a second fit with the same settings finds the update that was compiled for the first.
@lru_cache(maxsize=64)
def learning_rate(name: str, rate: float, steps: int, *, per_epoch: int = 1, warm_up: bool = False) -> Any:
    r"""The learning rate over so many steps: a number, or a function of the step.

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
        return optax.warmup_cosine_decay_schedule(0.1 * rate, rate, max(steps // WARM_UP, 1), max(steps, 2))
    if name == "cosine":
        return optax.cosine_decay_schedule(rate, max(steps, 1))
    if name == "staircase":
        ends = range(STAIR_EPOCHS, STAIR_END, STAIR_EPOCHS)
        return optax.piecewise_constant_schedule(rate, {epoch * per_epoch: STAIR for epoch in ends})
    return rate


@lru_cache(maxsize=64)
def adam(
    rate: Any,
    *,
    decay: float | None = None,
    coupled: bool = False,
    mask: Callable[[Any], Any] | None = None,
    clip: float | None = None,
    plateau: int | None = None,
) -> optax.GradientTransformation:
    """Adam (Kingma and Ba, ICLR 2015), as the settings of an estimator ask for it.

    * `decay`: weight decay, by itself (AdamW; Loshchilov and Hutter, ICLR 2019) where `mask` allows it, or `coupled`:
      added to the gradient, as in PyTorch's `Adam(weight_decay=)`.
    * `clip`: the norm that the gradient of all weights together has at most.
    * `plateau`: steps in an epoch; the rate is cut to a tenth where the loss has not fallen for ten epochs.
    """
    parts = [] if clip is None else [optax.clip_by_global_norm(clip)]
    if decay is None:
        parts.append(optax.adam(rate))
    elif coupled:
        parts += [optax.add_decayed_weights(decay), optax.adam(rate)]
    else:
        parts.append(optax.adamw(rate, weight_decay=decay, mask=mask))
    if plateau is not None:
        parts.append(contrib.reduce_on_plateau(factor=0.1, patience=10, accumulation_size=plateau))
    return parts[0] if len(parts) == 1 else optax.chain(*parts)
