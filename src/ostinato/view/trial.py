"""A trial as a picture: what is seen, done and earned, step by step."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ostinato.checks import check_same
from ostinato.view.frame import CHARACTER, WIDE, figure, shortened
from ostinato.view.svg import tag, text
from ostinato.view.ticks import number_ticks

_ROW, _TOP = 26, 22


def trial_figure(
    observations: Any,
    inputs: Sequence[str],
    *,
    label: str,
    actions: Sequence[str] = (),
    rewards: Any = None,
    width: int = WIDE,
) -> str:
    """One row for each input, with its value in each step as the height of a bar; then what was done, and the reward.

    An action that lasts several steps is named once; where a name has no room it is turned. `observations` is
    `(steps, inputs)`; raises `ShapeError` where names or actions do not fit.

    ```python
    >>> svg = trial_figure([[1, 0], [0, 1]], ["light", "sound"], label="two steps", actions=["wait", "go"])
    >>> svg.count("<rect"), "sound" in svg, "go" in svg
    (2, True, True)

    ```
    """
    seen = np.asarray(observations, float).reshape(len(observations), -1)
    check_same(seen.shape[1:], (len(inputs),), "observations", "(inputs,)")
    if actions:
        check_same((len(actions),), seen.shape[:1], "actions", "(steps,)")
    steps = max(len(seen), 1)
    names = [shortened(name) for name in inputs]
    left = 20 + 7.4 * max(len(name) for name in [*names, "reward", "action"])
    wide = (width - left - 12) / steps
    seen = np.where(np.isfinite(seen), seen, 0.0)
    high = max(float(np.abs(seen).max(initial=0)), 1e-9)
    parts = [
        tag("text", text(f"{step:.0f}"), x=left + wide * (step + 0.5), y=14, text_anchor="middle")
        for step in number_ticks(0, steps - 1, max(int((width - left) / 60), 1), whole=True)
    ]
    for row, name in enumerate(names):
        base = _TOP + _ROW * (row + 1)
        parts.append(tag("text", text(name), x=left - 8, y=base - 6, text_anchor="end"))
        parts.append(tag("line", x1=left, x2=width - 12, y1=base, y2=base, class_="grid"))
        for step, value in enumerate(seen[:, row]):
            tall = (_ROW - 8) * (abs(float(value)) / high)
            if tall > 0:
                shade = "ours" if value > 0 else "s0"
                place = {"x": left + wide * step, "y": base - tall, "width": wide, "height": tall}
                parts.append(tag("rect", **place, style=f"fill:var(--{shade});fill-opacity:.75"))
    below = _TOP + _ROW * len(inputs)
    rows = [("action", list(actions))] if actions else []
    if rewards is not None:
        rows.append(("reward", ["" if r == 0 else f"{r:.3g}" for r in np.asarray(rewards, float)]))
    for name, words in rows:
        drawn, tall = _words(words, left, below, wide)
        parts.append(tag("text", text(name), x=left - 8, y=below + 20, text_anchor="end"))
        parts.append(drawn)
        below += tall
    return figure("".join(parts), width, below + 6, label)


def _words(words: Sequence[str], left: float, top: float, wide: float) -> tuple[str, float]:
    """Words under their steps, one for each run of equal ones, and how high they are."""
    runs, at = [], 0
    for word, run in itertools.groupby(words):
        length = len(list(run))
        runs.append((word, at, length))
        at += length
    turned = any(CHARACTER * len(word) > wide * length - 4 for word, _, length in runs)
    tall = 12 + CHARACTER * max((len(word) for word, *_ in runs), default=0) if turned else float(_ROW)
    parts = []
    for word, start, length in runs:
        x = left + wide * (start + length / 2)
        if start:
            edge = left + wide * start
            parts.append(tag("line", x1=edge, x2=edge, y1=top + 6, y2=top + tall, class_="grid"))
        if turned:
            place = {"transform": f"translate({x + 4:.1f} {top + 8:.1f}) rotate(-90)", "text_anchor": "end"}
        else:
            place = {"x": x, "y": top + 20, "text_anchor": "middle"}
        if word:
            parts.append(tag("text", text(word), **place, class_="strong"))
    return "".join(parts), tall
