"""What an estimator of sequences chooses where it is left to it, from the training part alone, and why."""

from collections.abc import Sequence
from typing import Any

import numpy as np

AUTO = "auto"

PLAIN: dict[str, Any] = {
    "hidden_size": 64,
    "bidirectional": False,
    "pool": "last",
    "stack": 1,
    "dropout": 0.0,
    "validation": 0.0,
    "filters": 0,
    "class_weights": "none",
}
"""What "auto" stands for where the number of epochs is given: that network, and nothing beside it."""

BUDGET = 1_500_000
"""Steps of sequences that a network reads in training at most, all updates together."""

FEWEST, MOST = 200, 1500
"""Updates, whatever the budget says."""

READ = 100
"""Steps of a usual sequence that a network reads one by one; of longer ones several at a time."""

FEATURES = 1 << 24
"""Features of all training sequences together that random filters make at most."""

FILTERS = 3024, 504
"""How many features random filters make at most, and at least."""

SKEWED = 3.0
"""So many times as many sequences of one class as of another, and the rare ones count more."""

STILL, WHILE = 0.95, 50
"""Training has moved where its loss is below so much of what guessing has, if there were so many updates."""

GROUPS = 5
"""Of so many groups whole ones are held out; of fewer, one would be too much of all that there is to learn from."""

EVALUATIONS, PATIENCE = 40, 10
"""How often the held-out part is looked at in a whole budget, and after how many times without a better one it ends."""


def choose(
    asked: dict[str, Any], lengths: Sequence[int], counts: np.ndarray | None, groups: Any, *, per_step: bool, dt: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    """The settings with nothing left open, and for each that was chosen the reason in words.

    `asked`: those of `PLAIN`, and `epochs`, `batch_size`; `counts`: sequences of each class, None for numbers.
    """
    found: dict[str, Any] = {name: asked[name] for name in PLAIN}
    left = [name for name in PLAIN if asked[name] == AUTO]
    if asked["epochs"] is not None:
        return found | {name: PLAIN[name] for name in left}, {}
    rows, usual = len(lengths), float(np.median(lengths))
    size = 32 if rows < 400 else 64
    stack = 1 if per_step or dt else max(round(usual / READ), 1)
    features = FILTERS[0] if rows * FILTERS[0] <= FEATURES else max(FEATURES // rows, FILTERS[1])
    skewed = counts is not None and len(counts) > 1 and counts.max() > SKEWED * max(counts.min(), 1)
    held, why_held = _held(rows, counts, groups)
    choices: dict[str, tuple[Any, str]] = {
        "hidden_size": (size, f"{rows} sequences"),
        "bidirectional": (True, "the whole sequence is known"),
        "pool": ("last" if per_step else "all", "mean, largest and last output side by side"),
        "stack": (stack, f"a usual sequence has {usual:g} steps"),
        "dropout": (0.2, "against overfitting"),
        "validation": (held, why_held),
        "filters": (0 if per_step else features, f"{rows} sequences"),
        "class_weights": (
            "balanced" if skewed and not per_step else "none",
            "no class is rare"
            if counts is None or not skewed
            else f"from {counts.min()} to {counts.max()} sequences of a class",
        ),
    }
    for name in left:
        found[name] = choices[name][0]
    return found, {name: choices[name][1] for name in left}


def budget(batch_size: int, lengths: Sequence[int], per_epoch: int) -> tuple[int, int]:
    """How many updates there are at most, and after how many the held-out part is looked at each time."""
    steps = BUDGET / (batch_size * max(float(np.mean(lengths)), 1.0))
    updates = int(np.clip(steps, FEWEST, MOST))
    return updates, max(min(per_epoch, updates), updates // EVALUATIONS)


def balanced(counts: np.ndarray) -> list[float]:
    r"""Weights of classes by which each counts alike, $n / (K n_c)$ for $n_c$ of $n$ sequences.

    ```python
    >>> balanced(np.array([30, 10]))
    [0.6666666666666666, 2.0]

    ```
    """
    return (counts.sum() / (len(counts) * np.maximum(counts, 1))).tolist()


def told(chosen: dict[str, Any], steps: int, weights: dict[str, float]) -> str:
    """What was chosen, in a sentence or two."""
    size = chosen["hidden_size"]
    units = f"{', '.join(map(str, size))} units" if isinstance(size, (tuple, list)) else f"{size} units"
    ways = "in both directions" if chosen["bidirectional"] else "forwards"
    at_once = f", {chosen['stack']} steps at once" if chosen["stack"] > 1 else ""
    held = chosen["validation"]
    amount = f"{100 * held:.3g} %" if isinstance(held, float) else str(held)
    words = f"Chosen: {units} {ways}{at_once}; the weights after {steps} of at most {chosen['updates']} updates"
    words += f", by {amount} held out." if held else "."
    if weights:
        shares = sorted(weights.items(), key=lambda item: -item[1])
        words += f" Shares in the prediction: {', '.join(f'{name} {100 * w:.0f} %' for name, w in shares)}."
    return words


def idle(losses: Sequence[float], updates: int, guessing: float) -> str:
    """In words, that training has not moved, where its loss is still that of the best constant; otherwise "".

    Of fewer than `WHILE` updates nothing is expected.

    ```python
    >>> idle([0.70, 0.69], 120, 0.693)
    'training has not moved: its loss is 0.69 after 120 updates, and that of guessing 0.693'
    >>> idle([0.70, 0.31], 120, 0.693)
    ''

    ```
    """
    if updates < WHILE or not losses or not losses[-1] > STILL * guessing:
        return ""
    said = f"training has not moved: its loss is {losses[-1]:.3g} after {updates} updates"
    return f"{said}, and that of guessing {guessing:.3g}"


def _held(rows: int, counts: np.ndarray | None, groups: Any) -> tuple[int | float, str]:
    """How much is held out of the training part to stop by, and to weigh the network by."""
    if groups is not None and len(np.unique(np.asarray(groups))) >= GROUPS:
        return 0.2, "whole groups"
    spare = rows if counts is None else int((counts - 1).clip(0).sum())
    held = min(max(round(0.2 * rows), 4), spare, 2000)
    return (held, f"of {rows} sequences") if rows >= 12 and held >= 2 else (0, f"{rows} sequences are too few")
