"""The noise of training: each step draws its own, and says from where."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax

import ostinato as ost
from ostinato.data import FunctionBatches
from ostinato.layers import Dropout, Readout, Stack
from ostinato.training import stream


def squares(y, target):
    return jnp.sum((y - target) ** 2)


def test_each_training_step_has_noise_of_its_own(x64):
    """With a learning rate of 0 and one batch, losses differ by noise alone; each is that of the step's stream."""
    k0, k1 = jr.split(jr.key(0))
    model = Stack((ost.cells.Elman(2, 8, key=k0), Dropout(8, 0.5), Readout(8, 1, key=k1)))
    xs = jr.normal(jr.key(1), (3, 4, 2))
    examples = ost.Examples(ost.SequenceBatch(xs), xs[..., :1], jnp.full((3, 4), 1 / 12))
    batches = FunctionBatches(lambda key: examples, 1)
    result = ost.fit(model, batches, loss=squares, optimizer=optax.sgd(0.0), steps=3, seed=5, every=1)
    losses = [record["loss"] for record in result.history]
    for step, loss in enumerate(losses):
        ys, _ = ost.unroll(model, xs, key=stream(5, "noise", step))
        np.testing.assert_allclose(loss, jnp.sum((ys - xs[..., :1]) ** 2) / 12, rtol=1e-9)
    assert len(losses) == 3
    assert len(set(losses)) == 3
