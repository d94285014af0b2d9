"""Discretised Lotka-Volterra with a network for the metabolites, beside numpy; what it learns from; what it refuses."""

import jax
import numpy as np
import pytest

from ostinato.communities import ApproximateLotkaVolterra
from ostinato.communities.approximate_lotka_volterra import LotkaVolterraStep
from ostinato.data import Communities
from ostinato.errors import NotFitted, SettingsError
from ostinato.layers import Stack


def test_a_closed_loop_is_the_equations_step_by_step(x64: None) -> None:
    rng = np.random.default_rng(0)
    cell = LotkaVolterraStep(3, 2, 4, key=jax.random.key(0))
    shapes = jax.tree.map(lambda a: rng.normal(0, 0.7, a.shape), cell)
    model = ApproximateLotkaVolterra()
    model.network_ = Stack((jax.tree.map(jax.numpy.asarray, shapes),))
    model.species_, model.metabolites_ = ("A", "B", "C"), ("m", "n")
    first = np.concatenate([rng.uniform(0, 1, (5, 3)), rng.uniform(0, 9, (5, 2))], axis=1)
    values = np.concatenate([first[:, None], np.ones((5, 3, 5))], axis=1)
    data = Communities(tuple("abcde"), ("A", "B", "C"), ("m", "n"), np.arange(4.0), values)
    s = first[:, :3]
    for t in range(3):
        s = np.maximum(0, s + s * (s @ shapes.A.T + shapes.mu))
        m = np.maximum(0, s @ shapes.W1.T + shapes.b1) @ shapes.W2.T + shapes.b2
        np.testing.assert_allclose(model.predict(data)[:, t], np.maximum(np.concatenate([s, m], 1), 0), rtol=1e-12)


def test_a_step_with_a_missing_end_counts_nothing() -> None:
    """Numbers that would spoil everything stand where nothing is known."""
    x = np.array([[0.1, 0.3, 0.2], [0.3, 0.1, 0.4], [0.2, 0.2, 0.3], [0.1, 0.1, 0.2]])
    values = np.stack([x, 1.5 * x, 2.25 * x], axis=1)
    names = (tuple("abcd"), ("A", "B"), ("m",), np.arange(3.0))
    spoiled = values.copy()
    spoiled[1, 2] = np.nan
    options = {"hidden_size": 2, "epochs": 5}
    found = ApproximateLotkaVolterra(**options).fit(Communities(*names, spoiled)).cell_
    assert all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(found))
    # The last sample of community 1 is in no complete step; without it the same steps remain, in the same batches.
    spoiled[1, 2] = [np.nan, 1e9, 1e9]
    again = ApproximateLotkaVolterra(**options, scaled=False).fit(Communities(*names, spoiled)).cell_
    spoiled[1, 2] = np.nan
    same = ApproximateLotkaVolterra(**options, scaled=False).fit(Communities(*names, spoiled)).cell_
    for one, other in zip(jax.tree.leaves(again), jax.tree.leaves(same), strict=True):
        np.testing.assert_array_equal(one, other)


def test_refused() -> None:
    data = Communities(("a",), ("A",), (), np.arange(2.0), np.ones((1, 2, 1)))
    for settings, said in (
        ({"hidden_size": 0}, "hidden_size: expected 1"),
        ({"learning_rate": -1}, "above 0"),
    ):
        with pytest.raises(SettingsError, match=said):
            ApproximateLotkaVolterra(**settings).fit(data)
    with pytest.raises(NotFitted):
        ApproximateLotkaVolterra().predict(data)
