"""How a population learned, as figures: networks that met the criterion, and right answers on the way."""

import numpy as np

from ostinato.runs import Section
from ostinato.view import Curve, Lines, numbers, section


def learned_and_right(learned: np.ndarray, curve: np.ndarray, curve_steps: np.ndarray) -> list[Section]:
    """Steps of the share of networks that learned, over trials, and of the share of right answers, over steps.

    The arguments are those of `AgentsResult`.
    """
    sections, times = [], np.sort(learned[learned >= 0])
    if len(times):
        share = Curve("networks", "ours", numbers(np.arange(len(times) + 1) / len(learned)))
        drawn = Lines((0.0, *numbers(times)), (share,), "trials", "share of networks", zero=True, steps=True)
        sections.append(section("Networks that learned the task", drawn))
    if len(curve_steps):
        with np.errstate(all="ignore"):
            there = np.isfinite(curve)
            mean = np.where(there, curve, 0).sum(axis=1) / there.sum(axis=1)
        right = Curve("mean of the networks that still learn", "ours", numbers([*mean, mean[-1]]))
        # Each share is that of the stretch of steps that ends there.
        stretches = (0.0, *numbers(curve_steps))
        drawn = Lines(stretches, (right,), "steps", "share of right answers", zero=True, steps=True)
        sections.append(section("Learning curve", drawn))
    return sections
