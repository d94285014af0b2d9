"""Beer's oscillator of two neurons: its period by each way to integrate a continuous-time recurrent network.

The network: Beer, "On the dynamics of small continuous-time recurrent neural networks", Adaptive Behavior 3 (1995).
The figures to hold to were computed before, with another program.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from ostinato.cells import CTRNN, Adaptive, Cell, Potential, RungeKutta
from ostinato.layers import unroll
from ostinato.precision import float64
from ostinato.studies import Bar, Claim, StudySettings

SOURCE = "Beer 1995"
WEIGHTS, BIASES, START = ((4.5, 1.0), (-1.0, 4.5)), (-2.75, -1.75), (0.3, -0.2)
LENGTH, SETTLED = 400.0, 100.0
PERIOD, RANGE = 28.9999, (0.189056, 0.810944)


def oscillator(step: float, method: str = "euler") -> CTRNN:
    """The network, without input."""
    cell = CTRNN(0, 2, step=step, method=method, theta=BIASES, dtype="float64", key=jr.key(0))
    return eqx.tree_at(lambda c: c.R, cell, jnp.asarray([WEIGHTS], "float64"))


def output(cell: Cell, step: float) -> np.ndarray:
    """What the first neuron gives at every step."""
    start = Potential(jnp.asarray(START, "float64"))
    ys, _ = unroll(cell, jnp.zeros((round(LENGTH / step), 0), "float64"), start, kernel="reference")
    return np.asarray(ys[:, 0])


def period(ys: np.ndarray, step: float) -> float:
    """The mean time between upward crossings of one half, after the start, between steps by straight lines."""
    at = np.flatnonzero((ys[:-1] < 0.5) & (ys[1:] >= 0.5))
    times = step * (1 + at + (0.5 - ys[at]) / (ys[at + 1] - ys[at]))
    times = times[times > SETTLED]
    return float((times[-1] - times[0]) / (len(times) - 1))


def known_before(value: float, tolerance: float) -> Bar:
    """As close as that to what another program computed."""
    return Bar.within(tolerance, of=value).noting("computed before")


def run(settings: StudySettings) -> list[Claim]:
    """Euler, exponential Euler, Runge-Kutta, adaptive."""
    with float64():
        ways: dict[str, tuple[Any, float, float, float]] = {
            "Runge-Kutta, h = 0.01": (RungeKutta(oscillator(0.01)), 0.01, PERIOD, 1e-4),
            "Euler, h = 0.01": (oscillator(0.01), 0.01, 29.00955, 1e-4),
            "Euler, h = 0.1": (oscillator(0.1), 0.1, 29.09429, 1e-4),
            "exponential Euler, h = 0.01": (oscillator(0.01, "exponential"), 0.01, 29.15, 1e-2),
            "exponential Euler, h = 0.1": (oscillator(0.1, "exponential"), 0.1, 30.57, 1e-2),
        }
        if not settings.quick:
            adaptive = Adaptive(oscillator(0.1), rtol=1e-8, atol=1e-10)
            ways["adaptive, shown every 0.1"] = (adaptive, 0.1, PERIOD, 1e-3)
        found = []
        for name, (cell, step, known, tolerance) in ways.items():
            ys = output(cell, step)
            ours = period(ys, step)
            settings.note(f"oscillator: {name}: period {ours:.5f}")
            found.append(Claim(f"period, {name}", SOURCE, None, ours, known_before(known, tolerance)))
            if name.startswith("Runge"):
                late = ys[round(SETTLED / step) :]
                for word, value, wanted in zip(("lowest", "highest"), (late.min(), late.max()), RANGE, strict=True):
                    text = f"{word} output of the first neuron, {name}"
                    found.append(Claim(text, SOURCE, None, float(value), known_before(wanted, 1e-6)))
        return found
