"""Poles against chosen ones and against numpy's roots; the monitor in training; poles pulled back inside."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import ostinato as ost
from ostinato.analysis import pole_metrics, poles, pull_poles_in, watch_poles
from ostinato.cells import Filters
from ostinato.data import FunctionBatches
from ostinato.errors import SettingsError

pytestmark = pytest.mark.usefixtures("x64")
KEY = jax.random.key(0)
SGD = optax.sgd(2e-2)


def with_poles(roots):
    """A cell of two units and one input whose synapses have these poles."""
    v = np.array([-np.poly(r)[1:].real for r in roots]).T[:, :, None]
    cell = Filters(1, 2, taps=1, feedback=len(v), activation="linear", dtype="float64", key=KEY)
    return eqx.tree_at(lambda c: c.v, cell, jnp.asarray(v))


ROOTS = ([0.5, 0.3 + 0.4j, 0.3 - 0.4j], [-1.2, 0.1, 0.9])


def test_poles_are_the_roots():
    found = np.asarray(poles(with_poles(ROOTS)))[:, 0]
    for one, wanted in zip(found, ROOTS, strict=True):
        np.testing.assert_allclose(np.sort_complex(one), np.sort_complex(wanted), atol=1e-12)
    metrics = pole_metrics(ost.Stack([with_poles(ROOTS), Filters(2, 3, feedback=0, key=KEY)]))
    assert metrics["pole_radius"] == pytest.approx(1.2, rel=1e-12)
    assert metrics["unstable_synapses"] == 1
    assert pole_metrics(ost.cells.GRU(1, 2, key=KEY)) == {"pole_radius": 0, "unstable_synapses": 0}
    with pytest.raises(SettingsError, match="no feedback"):
        poles(Filters(2, 3, feedback=0, key=KEY))


def test_every_new_synapse_is_stable():
    assert all(pole_metrics(Filters(20, 20, feedback=f, key=KEY))["pole_radius"] < 1 for f in (1, 2, 4))


def test_poles_outside_are_pulled_in_and_others_stay():
    cell = with_poles(ROOTS)
    pulled = eqx.filter_jit(pull_poles_in)(ost.Stack([cell])).layers[0]
    np.testing.assert_array_equal(pulled.v[:, 0], cell.v[:, 0])
    found = np.sort_complex(np.asarray(poles(pulled))[1, 0])
    np.testing.assert_allclose(found, np.sort_complex(np.array(ROOTS[1])) * 0.99 / 1.2, atol=1e-12)
    for radius in (0.0, 1.0):
        with pytest.raises(SettingsError, match="radius"):
            pull_poles_in(cell, radius)


def test_the_monitor_says_when_training_leaves_the_circle():
    """A synapse that learns a growing exponential; with the constraint it never does."""
    cell = eqx.tree_at(lambda c: c.w, with_poles(([0.9], [0.5])), jnp.ones((1, 2, 1)))
    xs = jnp.zeros((1, 12, 1)).at[:, 0].set(1.0)
    ys = jnp.stack([1.05 ** jnp.arange(12.0), 0.5 ** jnp.arange(12.0)], axis=1)[None]
    given = ost.Examples(ost.SequenceBatch(xs), ys, jnp.full((1, 12), 1 / 12))
    batches = FunctionBatches(lambda key: given, 2)
    for constrain, outside in ((None, 1), (pull_poles_in, 0)):
        said = []
        result = ost.fit(
            cell,
            batches,
            loss=ost.losses.squared,
            rule=ost.learning.RBP(),
            optimizer=SGD,
            epochs=40,
            validate=watch_poles(lambda model: {"error": 0.0}, said.append),
            constrain=constrain,
        )
        last = result.history[-1]["metrics"]
        assert last["unstable_synapses"] == outside
        assert last["pole_radius"] == pytest.approx(1.05 if outside else 0.99, abs=1e-2)
        assert pole_metrics(cell)["unstable_synapses"] == 0
        assert bool(said) == bool(outside)
        assert all("outside the unit circle" in words for words in said)
