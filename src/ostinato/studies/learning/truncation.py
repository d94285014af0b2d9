"""How the error of a truncated gradient falls with the window: as fast as the network forgets.

What truncation leaves out are products of more than `window` Jacobians of the state, which shrink by the largest
Lyapunov exponent λ (Pascanu, Mikolov and Bengio, ICML 2013): the relative error falls like exp(λ window).
"""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array

from ostinato.cells import Elman
from ostinato.data import Examples, SequenceBatch
from ostinato.layers import Readout, Stack, unroll
from ostinato.learning import BPTT, TruncatedBPTT
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.view import Line, line_figure, standalone

UNITS, INPUTS, ROWS, TIME = 16, 2, 8, 240
WINDOWS = (5, 10, 20, 30, 40)
BEFORE = "what forgets least counts most"
SOURCE = "Pascanu, Mikolov and Bengio 2013: products of Jacobians shrink by the largest exponent"


def network(activation: str, radius: float, seed: int = 0) -> Stack:
    """An Elman network whose R is `radius` times an orthogonal matrix; linear, its every exponent is log(radius)."""
    k_cell, k_read, k_turn = jr.split(jr.key(seed), 3)
    cell = Elman(INPUTS, UNITS, activation=activation, key=k_cell)
    turn = jnp.linalg.qr(jr.normal(k_turn, (UNITS, UNITS)))[0]
    cell = eqx.tree_at(lambda c: c.R, cell, radius * turn[None])
    return Stack((cell, Readout(UNITS, 1, key=k_read)))


def exponent(model: Stack, xs: Array) -> float:
    """The largest Lyapunov exponent along the states that the inputs drive the network through, by QR."""
    cell = model.layers[0]
    states, _ = unroll(cell, xs, kernel="reference")
    before = jnp.concatenate([jnp.zeros_like(states[:1]), states[:-1]])
    jacobians = jax.vmap(jax.jacfwd(lambda h, x: cell(x, cell.init_state()._replace(h=h))[1]))(before, xs)
    frame, total = np.eye(UNITS), 0.0
    for J in np.asarray(jacobians, np.float64):
        frame, stretch = np.linalg.qr(J @ frame)
        total += math.log(abs(stretch[0, 0]))
    return total / len(jacobians)


def errors(model: Stack, examples: Examples, windows: tuple[int, ...]) -> list[float]:
    """The relative error of the gradient for each window, errors of every step going back the whole window."""
    exact = _gradient(BPTT(), model, examples)
    found = [_gradient(TruncatedBPTT(window, 1), model, examples) for window in windows]
    return [float(np.linalg.norm(grads - exact) / np.linalg.norm(exact)) for grads in found]


def _gradient(rule: Any, model: Stack, examples: Examples) -> np.ndarray:
    """The gradient of the recurrent layer's weights as one vector."""
    return np.concatenate([np.ravel(g) for g in jax.tree.leaves(_grads(rule, model, examples))]).astype(np.float64)


@eqx.filter_jit
def _grads(rule: Any, model: Stack, examples: Examples) -> Any:
    # Errors that do not depend on the network: the outputs' own memory would add a part that falls twice as fast.
    return rule(model, lambda y, e: jnp.sum(y * e), examples, rule.init(model, examples))[1].layers[0]


def run(settings: StudySettings) -> list[Claim]:
    """Two linear networks, whose exponent is known, and one with tanh, whose exponent is measured."""
    windows = WINDOWS[:2] if settings.quick else WINDOWS
    k_x, k_t, k_long = jr.split(jr.key(1), 3)
    examples = Examples(
        SequenceBatch(jr.normal(k_x, (ROWS, TIME, INPUTS))),
        jr.normal(k_t, (ROWS, TIME, 1)),
        jnp.full((ROWS, TIME), 1 / (ROWS * TIME)),
    )
    claims = []
    for activation, radius in (("linear", 0.8), ("linear", 0.9), ("tanh", 1.0)):
        model = network(activation, radius)
        known = math.log(radius) if activation == "linear" else None
        measured = exponent(model, jr.normal(k_long, (2000, INPUTS)))
        found = errors(model, examples, windows)
        slope = float(np.polyfit(windows, np.log(found), 1)[0])
        reference = measured if known is None else known
        settings.note(f"{activation}, radius {radius}: exponent {reference:.4f}, slope {slope:.4f}")
        bar = Bar.within(0.1, of=1) if known is not None else Bar.between(0.75, 1).noting(BEFORE)
        claims.append(
            Claim(
                f"slope of the logarithm of the gradient's error against the window, {activation}, radius {radius:g}",
                SOURCE,
                None,
                slope,
                bar.of("slope over exponent", slope / reference),
                {"the largest exponent": reference},
                {"windows": list(windows), "errors": found, "measured_exponent": measured, "known_exponent": known},
            )
        )
    return claims


def draw(claims: list[dict[str, Any]]) -> str:
    """The error against the window, on a scale of powers of ten."""
    lines = [Line(c["name"].split(", ", 1)[1], c["detail"]["windows"], c["detail"]["errors"]) for c in claims]
    x, y = "window, steps", "relative error of the gradient"
    return standalone(line_figure(lines, label="truncated gradients", x_label=x, y_label=y, y_kind="log"))
