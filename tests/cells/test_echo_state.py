"""The reservoir: how it is drawn, and that training keeps it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import ostinato as ost
from ostinato.cells import EchoState, free_parameters
from ostinato.errors import SettingsError
from ostinato.training import fit


class Same:
    def __init__(self, examples):
        self.examples = examples

    def __len__(self):
        return 1

    def at(self, step):
        return self.examples


def test_drawn_as_asked():
    cell = EchoState(3, 200, spectral_radius=0.7, connectivity=0.05, input_scaling=0.4, bias_scaling=0.2, key=jr.key(0))
    R = np.asarray(cell.R[0], np.float64)
    assert np.abs(np.linalg.eigvals(R)).max() == pytest.approx(0.7, rel=1e-4)
    assert np.mean(R != 0) == pytest.approx(0.05, rel=0.1)
    for leaf, scale in ((cell.W, 0.4), (cell.b, 0.2)):
        assert 0.95 * scale < np.abs(leaf).max() <= scale
    assert not np.any(EchoState(1, 4, connectivity=1.0, spectral_radius=0.0, key=jr.key(0)).R)
    assert np.isfinite(np.asarray(EchoState(1, 1, connectivity=1e-9, key=jr.key(0)).R)).all()
    for wrong in ({"leak": 0.0}, {"leak": 1.1}, {"connectivity": 0.0}, {"spectral_radius": -1.0}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            EchoState(1, 4, key=jr.key(0), **wrong)


@pytest.mark.parametrize("trainable", [False, True])
def test_training_by_gradient_keeps_the_reservoir_unless_asked(trainable):
    model = ost.RNN("echo-state", 1, 5, output_size=1, bias_scaling=0.1, trainable=trainable, key=jr.key(0))
    xs = jr.normal(jr.key(1), (2, 4, 1))
    batches = Same(ost.Examples(ost.SequenceBatch(xs), -xs, jnp.full((2, 4), 1 / 8)))
    decay = optax.adamw(0.1, weight_decay=0.5)
    after = fit(model, batches, loss=ost.losses.squared, optimizer=decay, steps=2).model
    spec = jax.tree.leaves(free_parameters(model))
    changed = [
        bool(np.any(a != b)) if eqx.is_array(a) else False
        for a, b in zip(jax.tree.leaves(model), jax.tree.leaves(after), strict=True)
    ]
    assert changed == spec
    assert changed == [trainable] * 3 + [True] * 2
