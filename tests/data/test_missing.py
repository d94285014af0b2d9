"""Filling of missing values against a loop over rows, steps and features."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.data import SequenceBatch, filled

RNG = np.random.default_rng(0)
SHAPE = (3, 9, 2)
VALUES = RNG.normal(size=SHAPE).astype(np.float32)
OBSERVED = RNG.random(SHAPE) < 0.5
MASK = RNG.random(SHAPE[:2]) < 0.8
RESET = RNG.random(SHAPE[:2]) < 0.25


def slow(how: str, reset: np.ndarray | None, mask: np.ndarray) -> np.ndarray:
    out = np.zeros(SHAPE)
    for row in range(SHAPE[0]):
        for feature in range(SHAPE[2]):
            seen: list[float] = []
            for t in range(SHAPE[1]):
                if reset is not None and reset[row, t]:
                    seen = []
                if OBSERVED[row, t, feature] and mask[row, t]:
                    seen.append(VALUES[row, t, feature])
                    out[row, t, feature] = seen[-1]
                elif seen:
                    out[row, t, feature] = {"zero": 0, "forward": seen[-1], "mean": np.mean(seen)}[how]
    return out


@pytest.mark.parametrize("how", ["zero", "forward", "mean"])
@pytest.mark.parametrize("reset", [RESET, None], ids=["resets", "none"])
def test_against_a_loop(how, reset):
    dirty = np.where(OBSERVED, VALUES, 1e9 if how == "zero" else 7).astype(np.float32)
    resets = None if reset is None else jnp.asarray(reset)
    batch = SequenceBatch(jnp.asarray(dirty), jnp.asarray(MASK), resets, None, jnp.asarray(OBSERVED))
    result = jax.jit(lambda b: filled(b, how, indicator=True))(batch)
    np.testing.assert_allclose(result.values[..., :2], slow(how, reset, MASK), atol=1e-6)
    np.testing.assert_array_equal(result.values[..., 2:], OBSERVED & MASK[..., None])
    assert result.observed is None
    assert result.mask is batch.mask or (result.mask == batch.mask).all()


def test_without_missing_entries_nothing_changes_and_batch_axes_are_free():
    fill = jax.jit(filled, static_argnums=1)
    for how in ("forward", "mean"):
        np.testing.assert_array_equal(fill(SequenceBatch(jnp.asarray(VALUES)), how).values, VALUES)
    one = SequenceBatch(jnp.asarray(VALUES[0]), None, None, None, jnp.asarray(OBSERVED[0]))
    expected = slow("forward", None, np.ones(SHAPE[:2], bool))[0]
    np.testing.assert_allclose(fill(one, "forward").values, expected, atol=1e-6)
