"""Several seeds side by side: members of an ensemble do not meet, and the rates of each are its own."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import ostinato as ost
from ostinato.data import FunctionBatches
from ostinato.studies.batches import SeedBatches
from ostinato.studies.optimizers import at_rates, fading_adam
from ostinato.studies.seeds import mean_needed
from ostinato.tasks import Adding
from ostinato.training import Ensemble, each


def test_each_member_is_trained_as_if_alone():
    """A seed beside another against `fit` on it alone, with a norm clipped that would couple them; float64 to 1e-12."""
    with jax.enable_x64(True):
        task, seeds, steps = Adding(length=7), [3, 8], 4
        make = lambda key: ost.ManyToOne(ost.RNN("elman", 2, 4, key=key), 1, key=key)
        optimizer = optax.chain(optax.clip_by_global_norm(1e-3), optax.sgd(1.0))
        model = Ensemble.make(make, seeds)
        together = ost.fit(
            model, SeedBatches(task, 5, seeds, steps), loss=task.loss, optimizer=each(optimizer), steps=steps
        ).model
        alone = ost.fit(
            model.member(1),
            FunctionBatches(lambda key: task.sample(key, 5), steps, seed=seeds[1]),
            loss=task.loss,
            optimizer=optimizer,
            steps=steps,
        ).model
        for a, b in zip(jax.tree.leaves(together.member(1)), jax.tree.leaves(alone), strict=True):
            if isinstance(a, jax.Array):
                np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
                assert a.dtype == jnp.float64


def test_mean_needed():
    assert mean_needed([4, None, 8]) == 6
    assert mean_needed([None]) is None


def test_each_member_moves_at_a_rate_of_its_own():
    optimizer = at_rates([1.0, 0.5])
    updates = {"W": jnp.ones((2, 3, 4)), "b": jnp.ones((2, 3)), "none": None}
    moved, _ = optimizer.update(updates, optimizer.init(updates), updates)
    np.testing.assert_array_equal(moved["W"][1], 0.5 * moved["W"][0])
    np.testing.assert_array_equal(moved["b"], [[1] * 3, [0.5] * 3])


def test_a_rate_falls_to_nothing_and_gradients_are_clipped():
    """Adam's first step has the size of the rate, whatever the gradient; after all steps nothing moves."""
    optimizer, weights = fading_adam(0.5, 4), jnp.zeros(2)
    state, sizes = optimizer.init(weights), []
    for _ in range(5):
        with jax.numpy_dtype_promotion("standard"):
            moved, state = optimizer.update(jnp.array([3e4, -3e4]), state)
        sizes.append(float(moved[1]))
    np.testing.assert_allclose(sizes, 0.25 * (1 + np.cos(np.pi * np.arange(5) / 4)), atol=1e-4)
    # Clipped, the second moment is that of a gradient of norm 1.
    assert float(jax.tree.leaves(state[1][0].nu)[0][0]) < 1
