"""Bodies of small networks: what the rays see by geometry, a leg by hand, and networks that do not fit."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.cells import CTRNN
from ostinato.environments import walk, watch_fall
from ostinato.environments.embodied import _to_disc, _to_line
from ostinato.errors import ShapeError

ANGLES = np.linspace(-np.pi / 12, np.pi / 12, 7)


def marched(x, y, angle, inside):
    """The length of a ray by small steps."""
    lengths = np.arange(0, 220, 0.01)
    met = inside((15 + lengths) * np.sin(angle) - x, (15 + lengths) * np.cos(angle) - y)
    return lengths[met.argmax()] if met.any() else 220.0


def test_rays(x64):
    for x, y in ((0.0, 100.0), (20.0, 60.0), (-35.0, 150.0), (90.0, 80.0)):
        disc = [marched(x, y, a, lambda u, v: u * u + v * v <= 225) for a in ANGLES]
        np.testing.assert_allclose(_to_disc(jnp.asarray(x), jnp.asarray(y), jnp.asarray(ANGLES)), disc, atol=0.02)
        line = [marched(x, y, a, lambda u, v: (abs(v) <= 0.01) & (abs(u) <= 15)) for a in ANGLES]
        np.testing.assert_allclose(_to_line(jnp.asarray(x), jnp.asarray(y), jnp.asarray(ANGLES)), line, atol=0.02)


def constant(inputs, outputs):
    """A network whose outputs stand still: no weights, and biases that say what they are."""
    bias = np.log(np.array(outputs) / (1 - np.array(outputs)))
    cell = CTRNN(inputs, len(outputs), theta=bias, dtype="float64", key=jax.random.key(0))
    return eqx.tree_at(lambda c: (c.W, c.R), cell, (jnp.zeros_like(cell.W), jnp.zeros_like(cell.R)))


def test_an_agent_that_sees_nothing_drifts(x64):
    path = watch_fall(constant(7, [0.6, 0.5]), 10.0, True)
    np.testing.assert_allclose(path, 10 + 0.05 * np.arange(1, 868), rtol=1e-12)
    assert watch_fall(constant(7, [0.9, 0.1]), 0.0, False)[-1] == 200


def test_a_leg_that_only_swings_or_only_stands(x64):
    np.testing.assert_array_equal(walk(constant(0, [0.4, 0.9, 0.1]), time=20.0), 0.0)
    path = np.asarray(walk(constant(0, [0.6, 0.9, 0.1]), time=1.0))
    # Pushed by 0.04 from rest, within reach of its foot.
    speed = 0.1 * 0.04 * np.arange(1, len(path) + 1)
    np.testing.assert_allclose(path, 0.1 * np.cumsum(speed), rtol=1e-12)
    long = np.asarray(walk(constant(0, [0.6, 0.9, 0.1])))
    assert long[-1] == long[-500]
    assert 20 < long[-1] - 15 * np.sin(np.pi / 6) < 21


def test_refused():
    with pytest.raises(ShapeError, match="expected 7 inputs and 2 outputs or more, got 3 and 2"):
        watch_fall(CTRNN(3, 2, key=jax.random.key(0)), 0.0, False)
    with pytest.raises(ShapeError, match="expected no inputs and 3 outputs"):
        walk(CTRNN(0, 2, key=jax.random.key(0)))
