"""Networks that settle, against numpy in float64: energies, stored matrices, recall, and Kosko's example."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato.associative import ASSOCIATIVE, BAM, Hopfield, ModernHopfield, bipolar, overlap
from ostinato.errors import DataError, SettingsError, ShapeError

KEY = jax.random.key(0)


def signs(rng, *shape):
    return rng.choice([-1.0, 1.0], shape)


def test_hebbian_weights_and_energy(x64):
    rng = np.random.default_rng(0)
    X, s = signs(rng, 5, 40), signs(rng, 7, 40)
    network = Hopfield.store(X)
    W = sum(np.outer(x, x) for x in X) / 40 * (1 - np.eye(40))
    np.testing.assert_allclose(network.W, W, rtol=0, atol=1e-15)
    np.testing.assert_allclose(network.energy(jnp.asarray(s)), [-0.5 * r @ W @ r for r in s], rtol=1e-13)


def test_energy_never_rises_and_is_that_of_the_state_at_every_step(x64):
    rng = np.random.default_rng(1)
    W = rng.normal(size=(30, 30))
    W = (W + W.T) * (1 - np.eye(30))
    network, s = Hopfield(jnp.asarray(W)), signs(rng, 3, 30)
    order = rng.permutation(np.tile(np.arange(30), 4))
    last, energies = network.sweep(jnp.asarray(s), jnp.asarray(order))
    for row in range(3):
        state, expected = s[row].copy(), []
        for i in order:
            state[i] = np.sign(W[i] @ state)
            expected.append(-0.5 * state @ W @ state)
        np.testing.assert_array_equal(last[row], state)
        np.testing.assert_allclose(energies[:, row], expected, rtol=0, atol=1e-11)
    assert (np.diff(energies, axis=0) <= 1e-12).all()
    assert (energies[-1] < energies[0]).all()


@pytest.mark.parametrize("order", ["random", "cyclic"])
def test_recall_ends_where_no_unit_would_change(order):
    rng = np.random.default_rng(2)
    X = signs(rng, 6, 120)
    network = Hopfield.store(X)
    noisy = np.where(rng.random((6, 120)) < 0.15, -X, X)
    found = network.recall(noisy, order=order, key=KEY)
    assert found.converged.all()
    assert found.state.shape == (6, 120)
    field = np.asarray(found.state, np.float64) @ np.asarray(network.W, np.float64)
    assert (field * np.asarray(found.state) > -1e-6).all()
    np.testing.assert_array_equal(overlap(found.state, jnp.asarray(X, jnp.float32)), np.ones(6))


def test_projection_holds_more_and_similar_patterns():
    rng = np.random.default_rng(3)
    X = signs(rng, 40, 100)
    X[1] = X[0] * np.where(np.arange(100) < 4, -1, 1)
    held = {rule: Hopfield.store(X, rule=rule).recall(X, order="cyclic") for rule in ("hebb", "pseudo-inverse")}
    np.testing.assert_array_equal(held["pseudo-inverse"].state, X)
    assert np.mean(np.asarray(held["hebb"].state) == X) < 0.9


@pytest.mark.parametrize("count", [15, 16])
def test_as_many_independent_patterns_as_units_stand_still(count):
    """In single precision: where units see nothing of the others, or little, rounding alone decided before."""
    rng = np.random.default_rng(5)
    for _ in range(4):
        X = signs(rng, count, 16)
        while np.linalg.matrix_rank(X) < count:
            X = signs(rng, count, 16)
        network = Hopfield.store(X, rule="pseudo-inverse")
        projection = np.linalg.pinv(X) @ X
        np.testing.assert_allclose(network.W, projection * (1 - np.eye(16)), rtol=0, atol=1e-7)
        for options in ({"order": "cyclic"}, {"order": "synchronous"}, {"key": KEY}):
            found = network.recall(X, **options)
            np.testing.assert_array_equal(found.state, X)
            assert found.converged.all()
    traced = jax.jit(lambda X: Hopfield.store(X, rule="pseudo-inverse").W)(jnp.asarray(X[:9]))
    np.testing.assert_allclose(traced, Hopfield.store(X[:9], rule="pseudo-inverse").W, rtol=0, atol=1e-5)


def test_a_unit_without_a_field_stays_as_it_was():
    alone = Hopfield(jnp.asarray([[0.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, -1.0, 0.0]]))
    states = np.array([[1.0, 1.0, -1.0], [-1.0, 1.0, -1.0]])
    for order in ("cyclic", "synchronous"):
        np.testing.assert_array_equal(alone.recall(states, order=order).state, states)
    # Two that nearly cancel: by the last place of single precision it is rounding, by a hundredth it is a field.
    for rest, wanted in ((2.0**-24, -1), (0.01, 1)):
        W = np.zeros((3, 3), np.float32)
        W[0, 1:] = W[1:, 0] = [1, rest - 1]
        network, start = Hopfield(jnp.asarray(W)), jnp.asarray([-1.0, 1.0, 1.0])
        assert network.sweep(start, jnp.asarray([0]))[0][0] == wanted


def test_all_at_once_may_swing_for_ever():
    # Two units that want to be alike, and start apart, change places.
    pair = Hopfield(jnp.asarray([[0.0, 1.0], [1.0, 0.0]]))
    found = pair.recall([[1.0, -1.0], [1.0, 1.0]], order="synchronous")
    assert found.converged.tolist() == [False, True]
    assert found.steps < 5
    assert pair.recall([1.0, -1.0], order="cyclic").state.tolist() == [-1.0, -1.0]


def test_modern_recall_is_attention_and_its_energy_falls(x64):
    rng = np.random.default_rng(4)
    X, state = rng.normal(size=(9, 16)), rng.normal(size=(5, 16))
    network = ModernHopfield(jnp.asarray(X), beta=0.7)
    a = np.exp(0.7 * state @ X.T)
    np.testing.assert_allclose(network.step(jnp.asarray(state)), a / a.sum(1, keepdims=True) @ X, rtol=1e-12)
    energies, s = [], jnp.asarray(state)
    for _ in range(6):
        energies.append(np.asarray(network.energy(s)))
        expected = -np.log(np.exp(0.7 * np.asarray(s) @ X.T).sum(1)) / 0.7 + (np.asarray(s) ** 2).sum(1) / 2
        expected += np.log(9) / 0.7 + max((X**2).sum(1)) / 2
        np.testing.assert_allclose(energies[-1], expected, rtol=1e-12)
        s = network.step(s)
    assert (np.diff(energies, axis=0) <= 1e-12).all()
    assert np.min(energies) >= 0


def test_modern_recall_of_patterns_apart_in_one_step():
    X = np.random.default_rng(5).normal(size=(50, 100))
    found = ModernHopfield(jnp.asarray(X, jnp.float32)).recall(X + 0.3)
    assert np.abs(found - X).max() < 1e-3


def test_koskos_example():
    A, B = bipolar(["101010", "111000"]), bipolar(["1100", "1010"])
    memory = BAM.store(A, B)
    rows = [(2, 0, 0, -2), (0, -2, 2, 0), (2, 0, 0, -2), (-2, 0, 0, 2), (0, 2, -2, 0), (-2, 0, 0, 2)]
    np.testing.assert_array_equal(memory.W, rows)
    np.testing.assert_array_equal((1, 0, 1, 0, 1, 0) @ np.asarray(memory.W), (4, 2, -2, -4))
    forth, back = memory.recall(a=A), memory.recall(b=B)
    for found in (forth, back):
        np.testing.assert_array_equal(found.a, A)
        np.testing.assert_array_equal(found.b, B)
        assert found.converged.all()
    np.testing.assert_array_equal(memory.energy(A, B), -(np.asarray(A) @ rows * np.asarray(B)).sum(1))


@given(st.integers(0, 2**32 - 1))
def test_a_bam_comes_to_rest_for_any_matrix(seed):
    rng = np.random.default_rng(seed)
    memory = BAM(jnp.asarray(rng.normal(size=(11, 7)), jnp.float32))
    a, b = signs(rng, 4, 11), signs(rng, 4, 7)
    found = memory.recall(a=a, b=b)
    assert found.converged.all()
    before = memory.energy(jnp.asarray(a, jnp.float32), jnp.asarray(b, jnp.float32))
    assert (memory.energy(found.a, found.b) <= before + 1e-4).all()
    # Each layer is what the other calls up.
    np.testing.assert_array_equal(np.sign(np.asarray(found.a) @ np.asarray(memory.W)), found.b)
    np.testing.assert_array_equal(np.sign(np.asarray(found.b) @ np.asarray(memory.W).T), found.a)


REFUSED = {
    "bits: expected 0 and 1": (DataError, lambda: bipolar([0, 2])),
    "rows of one length": (ShapeError, lambda: bipolar(["10", "1"])),
    r"patterns: expected \+1 and -1, got 0.5 at index \(0, 1\)": (DataError, lambda: Hopfield.store([[1.0, 0.5]])),
    r"patterns: expected \(count, units\)": (ShapeError, lambda: Hopfield.store([1.0, -1.0])),
    "rule: expected one of hebb": (SettingsError, lambda: Hopfield.store([[1.0]], rule="oja")),
    "probe: expected .*, 2": (ShapeError, lambda: Hopfield.store([[1.0, 1.0]]).recall([1.0], key=KEY)),
    "key: a random order": (SettingsError, lambda: Hopfield.store([[1.0, 1.0]]).recall([1.0, 1.0])),
    "order: expected one of": (SettingsError, lambda: Hopfield.store([[1.0]]).recall([1.0], order="sideways")),
    "as many rows in both": (ShapeError, lambda: BAM.store([[1.0]], [[1.0], [1.0]])),
    "at least one layer": (SettingsError, lambda: BAM(jnp.ones((2, 2))).recall()),
    "beta: expected a positive": (SettingsError, lambda: ModernHopfield(jnp.ones((2, 2)), beta=0.0)),
    r"W: expected \(units, units\)": (ShapeError, lambda: Hopfield(jnp.ones((2, 3)))),
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused(words):
    error, call = REFUSED[words]
    with pytest.raises(error, match=words):
        call()


def test_the_table():
    assert all(entry.description and entry.reference for entry in ASSOCIATIVE.values())
