"""How many parameters there are, where they start, and which settings are refused."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from ostinato import cells
from ostinato.cells import CELLS, count_parameters
from ostinato.cells.init import gate_weights
from ostinato.errors import SettingsError

KEY = jax.random.key(0)
SIZES = [(1, 1), (3, 5), (7, 2)]


def hm_lstm(n, m):
    """Three levels, of 2, 2, 1 units where there are five; the highest has no boundary and hears nothing from above."""
    sizes = [len(units) for units in np.array_split(np.arange(n), min(3, n))]
    rows = [4 * units + 1 for units in sizes[:-1]] + [4 * sizes[-1]]
    heard = zip([m, *sizes], sizes, [*sizes[1:], 0], strict=False)
    return (
        sum(r * (below + own + above + 1) for r, (below, own, above) in zip(rows, heard, strict=True))
        + len(sizes) * n
        + 1
    )


# As functions of the number of units n and inputs m.
COUNTS = {
    "augment": lambda n, m: 3 * m + 3 + 2 * n * m,
    "cfc": lambda n, m: 4 * (n * n + n * m + n),
    "clockwork": lambda n, m: n * n + n * m + 2 * n,
    "cornn": lambda n, m: 2 * n * n + n * m + n,
    "ctrnn": lambda n, m: n * n + n * m + 3 * n,
    "ctrnn-rk4": lambda n, m: n * n + n * m + 3 * n,
    "echo-state": lambda n, m: n * n + n * m + n,
    "elman": lambda n, m: n * n + n * m + n,
    "elman-layernorm": lambda n, m: n * n + n * m + 2 * n,
    "elstm": lambda n, m: 2 * (n * m + 2 * n),
    "es2n": lambda n, m: 2 * n * n + n * m + n,
    "fir": lambda n, m: 3 * n * m + n,
    "gru": lambda n, m: 3 * (n * n + n * m + 2 * n),
    "gru-before": lambda n, m: 3 * (n * n + n * m + n),
    "gru-layernorm": lambda n, m: 3 * (n * n + n * m + 4 * n),
    "gru1": lambda n, m: 3 * (n * n + n * m + n) - 2 * n * m,
    "gru2": lambda n, m: 3 * (n * n + n * m + n) - 2 * (n * m + n),
    "gru3": lambda n, m: 3 * (n * n + n * m + n) - 2 * (n * m + n * n),
    "hm-lstm": hm_lstm,
    "iir": lambda n, m: (3 + 2) * n * m + n,
    "indrnn": lambda n, m: n * m + 2 * n,
    "jordan": lambda n, m: n * n + n * m + n + n * n + n,
    "lstm": lambda n, m: 4 * (n * n + n * m + n),
    "lstm-1997": lambda n, m: 3 * (n * n + n * m + n),
    "lstm-coupled": lambda n, m: 3 * (n * n + n * m + n),
    "lstm-layernorm": lambda n, m: 4 * (n * n + n * m + n) + 8 * n + 2 * n,
    "lstm-peephole": lambda n, m: 4 * (n * n + n * m + n) + 3 * n,
    "lstm-peephole-simple": lambda n, m: 4 * (n * m + n) + 3 * n * n,
    "lstm-projection": lambda n, m: 4 * (n * ((n + 1) // 2) + n * m + n) + n * ((n + 1) // 2),
    "ltc": lambda n, m: n * n + n * m + 3 * n,
    "mgu": lambda n, m: 2 * (n * n + n * m + n),
    "mgu-after": lambda n, m: 2 * (n * n + n * m + n),
    "mgu1": lambda n, m: 2 * (n * n + n * m + n) - n * m,
    "mgu2": lambda n, m: 2 * (n * n + n * m + n) - (n * m + n),
    "mgu3": lambda n, m: 2 * (n * n + n * m + n) - (n * m + n * n),
    "min-gru": lambda n, m: 2 * (n * m + n),
    "min-lstm": lambda n, m: 3 * (n * m + n),
    "mtrnn": lambda n, m: n * n + (n - n // 4) * m + 3 * n,
    "orthogonal": lambda n, m: n * n + n * m + n,
    "recollect": lambda n, m: 2 * (n * m + n),
    "rmlp": lambda n, m: (n * m + n) + (n * n + n * n + n),
    "second-order": lambda n, m: n * n * m + n,
    "slstm": lambda n, m: 4 * (n * n + n * m + n),
}


@pytest.mark.parametrize("name", CELLS)
def test_count(name):
    for inputs, hidden in SIZES:
        cell = jax.eval_shape(lambda i=inputs, h=hidden: eqx.filter(CELLS[name].make(i, h, key=KEY), eqx.is_array))
        assert sum(np.prod(leaf.shape) for leaf in jax.tree.leaves(cell)) == COUNTS[name](hidden, inputs)


def test_count_of_a_model_and_without_hidden_bias():
    assert count_parameters(cells.GRU(3, 5, hidden_bias=False, key=KEY)) == 3 * (25 + 15 + 5)
    assert count_parameters((cells.MGU(3, 5, key=KEY), cells.LSTM(3, 5, key=KEY), "no array")) == 90 + 180


@pytest.mark.parametrize(("name", "row", "bias"), [("lstm", 1, 1), ("lstm-peephole", 1, 1), ("lstm-coupled", 0, -1)])
def test_forget_bias(name, row, bias):
    make = CELLS[name].make
    for init, expected in (("ostinato", bias), ("keras", bias)):
        b = np.asarray(make(3, 5, init=init, key=KEY).b)
        assert (b[row] == expected).all()
        assert (np.delete(b, row, axis=0) == 0).all()
    moved = np.asarray(make(3, 5, forget_bias=3.0, init="torch", key=KEY).b)
    plain = np.asarray(make(3, 5, init="torch", key=KEY).b)
    np.testing.assert_allclose(moved[row] - plain[row], 3 * bias, rtol=1e-6)


def test_input_and_output_bias_of_the_first_lstm():
    b = np.asarray(cells.LSTM1997(3, 5, input_bias=-1.0, output_bias=-2.0, key=KEY).b)
    np.testing.assert_array_equal(b, np.repeat([[-1.0], [0.0], [-2.0]], 5, axis=1))


def test_preset_ostinato_is_orthogonal_gate_by_gate():
    R = np.asarray(cells.LSTM(3, 8, key=KEY).R)
    np.testing.assert_allclose(R @ R.transpose(0, 2, 1), np.broadcast_to(np.eye(8), (4, 8, 8)), atol=1e-6)


def test_preset_keras_is_orthogonal_side_by_side():
    R = np.asarray(cells.LSTM(3, 8, init="keras", key=KEY).R).reshape(32, 8)
    np.testing.assert_allclose(R.T @ R, np.eye(8), atol=1e-6)


def test_preset_torch_is_uniform():
    cell = cells.GRU(30, 64, init="torch", key=KEY)
    for leaf in (cell.W, cell.R, cell.b, cell.b_h):
        assert np.abs(leaf).max() <= 1 / 8
        assert np.abs(leaf).max() > 0.98 / 8
    assert np.std(cell.R) == pytest.approx(1 / 8 / 3**0.5, rel=0.02)


@pytest.mark.parametrize("name", ["elman", "cfc", "mgu-after", "lstm-coupled", "slstm"])
def test_one_bias_is_the_sum_of_the_two_of_the_preset(name):
    cell = CELLS[name].make(3, 5, init="torch", key=KEY)
    drawn = gate_weights("torch", len(cell.b), 5, 3, key=KEY)
    np.testing.assert_array_equal(cell.b, drawn.b + drawn.b_h)
    np.testing.assert_array_equal(cell.W, drawn.W)
    np.testing.assert_array_equal(cell.R, drawn.R)


def test_preset_irnn_is_the_identity():
    cell = cells.Elman(50, 40, activation="relu", init="irnn", key=KEY)
    np.testing.assert_array_equal(cell.R[0], np.eye(40))
    assert not np.any(cell.b)
    assert np.std(cell.W) == pytest.approx(1e-3, rel=0.1)
    with pytest.raises(SettingsError, match="one gate"):
        cells.LSTM(3, 5, init="irnn", key=KEY)


def test_indrnn_starts_as_in_the_paper():
    u = np.asarray(cells.IndRNN(1, 4000, length=20, gamma=4.0, key=KEY).u)
    top = 4 ** (1 / 20)
    assert 0 <= u.min() < 0.01
    assert 0.99 * top < u.max() <= top
    last = np.asarray(cells.IndRNN(1, 4000, length=20, gamma=4.0, epsilon=0.25, last=True, key=KEY).u)
    bottom = 0.25 ** (1 / 20)
    assert bottom <= last.min() < bottom + 0.01
    assert (np.asarray(cells.IndRNN(1, 9, last=True, key=KEY).u) == 1).all()


def test_indrnn_constraint():
    cell = cells.IndRNN(1, 4, length=10, key=KEY)
    bound = 2 ** (1 / 10)
    wild = eqx.tree_at(lambda c: c.u, cell, jnp.array([-3.0, -0.5, 0.5, 3.0]))
    np.testing.assert_allclose(wild.constrained().u, [-bound, -0.5, 0.5, bound], rtol=1e-6)
    free = eqx.tree_at(lambda c: c.u, cells.IndRNN(1, 4, constrain=False, key=KEY), wild.u)
    np.testing.assert_array_equal(free.constrained().u, wild.u)


def test_groups_of_units():
    cell = cells.Clockwork(1, 7, periods=(1, 2, 8), key=KEY)
    assert cell.pause.tolist() == [0, 0, 0, 1, 1, 7, 7]
    heard = np.asarray(cell.recurrent()[0][0]) != 0
    np.testing.assert_array_equal(heard, np.asarray(cell.pause)[:, None] <= np.asarray(cell.pause)[None])
    slow = cells.MTRNN(1, 5, slow=2, fast_tau=2.0, slow_tau=40.0, key=KEY)
    np.testing.assert_allclose(slow.rate, [0.5, 0.5, 0.5, 0.025, 0.025])
    assert slow.seen.tolist() == [1, 1, 1, 0, 0]
    assert count_parameters(eqx.filter(slow, cells.free_parameters(slow))) == 3 + 25 + 5


def test_turns_are_orthogonal_whatever_is_learned():
    cell = cells.Orthogonal(1, 6, key=KEY)
    wild = eqx.tree_at(lambda c: c.A, cell, jax.random.normal(KEY, (1, 6, 6)))
    for c in (cell, wild):
        Q = np.asarray(c.recurrent()[0][0])
        np.testing.assert_allclose(Q @ Q.T, np.eye(6), atol=1e-5)
    angles = np.angle(np.linalg.eigvals(np.asarray(cell.recurrent()[0][0])))
    assert np.abs(angles).max() <= np.pi / 2 + 1e-5
    assert np.abs(angles).max() > 0.3


def test_optimiser_keeps_the_constraint_of_every_cell_in_a_model():
    model = {"a": cells.IndRNN(1, 4, length=10, key=KEY), "b": [cells.GRU(1, 2, key=KEY), cells.IndRNN(2, 3, key=KEY)]}
    params = eqx.filter(model, eqx.is_inexact_array)
    optimiser = optax.chain(optax.sgd(1.0), cells.constrained_updates())
    updates, _ = optimiser.update(jax.tree.map(lambda p: 9 * jnp.ones_like(p), params), optimiser.init(params), params)
    new = eqx.apply_updates(model, updates)
    np.testing.assert_allclose(new["a"].u, -(2 ** (1 / 10)), rtol=1e-6)
    np.testing.assert_allclose(new["b"][1].u, -1, rtol=1e-6)
    np.testing.assert_allclose(new["b"][0].R, model["b"][0].R - 9, rtol=1e-5)
    np.testing.assert_allclose(new["a"].W, model["a"].W - 9, rtol=1e-5)
    with pytest.raises(SettingsError, match="no params"):
        optimiser.update(params, optimiser.init(params))


@pytest.mark.parametrize("name", CELLS)
def test_rows_of_the_table(name):
    entry = CELLS[name]
    assert entry.description
    assert "\n" not in entry.description
    assert entry.reference
    cell = jax.eval_shape(lambda: eqx.filter(entry.make(3, 5, dtype=jnp.float16, key=KEY), eqx.is_array))
    assert {leaf.dtype for leaf in jax.tree.leaves(cell)} == {jnp.dtype(jnp.float16)}


REFUSED = {
    "init": lambda: cells.GRU(3, 5, init="zero", key=KEY),
    "hidden_size >= 1": lambda: cells.GRU(3, 0, key=KEY),
    "input_size >= 0": lambda: cells.LSTM(-1, 4, key=KEY),
    "convention": lambda: cells.GRU(3, 5, convention="wikipedia", key=KEY),
    "convention: .* 'cho'": lambda: cells.GRUBefore(3, 5, convention="cho", key=KEY),
    "activation": lambda: cells.Elman(3, 5, activation="tan", key=KEY),
    "projection_size": lambda: cells.ProjectionLSTM(3, 5, projection_size=6, key=KEY),
    "own_output_size": lambda: cells.Jordan(3, 5, own_output_size=0, key=KEY),
    "length": lambda: cells.IndRNN(3, 5, length=0, key=KEY),
    "epsilon": lambda: cells.IndRNN(3, 5, gamma=0.1, key=KEY),
    "together": lambda: cells.LayerNorm(cells.MGUAfter(3, 5, key=KEY), together=(4,)),
    "method": lambda: cells.CTRNN(3, 5, method="leapfrog", key=KEY),
    "step": lambda: cells.CTRNN(3, 5, step=0.0, key=KEY),
    "tau": lambda: cells.CTRNN(3, 5, tau=(1, 2, 3, 4, 0), key=KEY),
    "no `rate`": lambda: cells.RungeKutta(cells.GRU(3, 5, key=KEY)),
    "candidate": lambda: cells.MinGRU(3, 5, candidate="tanh", key=KEY),
    "forget: ": lambda: cells.SLSTM(3, 5, forget="hard", key=KEY),
    "gamma": lambda: cells.CoRNN(3, 5, gamma=-1.0, key=KEY),
    "step: .* 0": lambda: cells.LTC(3, 5, step=0, key=KEY),
    "periods": lambda: cells.Clockwork(3, 5, periods=(4, 2), key=KEY),
    "periods: .* 1 to 2": lambda: cells.Clockwork(3, 2, periods=(1, 2, 4), key=KEY),
    "slow_tau": lambda: cells.MTRNN(3, 5, slow_tau=0.5, key=KEY),
    "slow: ": lambda: cells.MTRNN(3, 5, slow=5, key=KEY),
    "proximity": lambda: cells.ES2N(3, 5, proximity=0.0, key=KEY),
    "adjoint": lambda: cells.Adaptive(cells.CTRNN(3, 5, key=KEY), adjoint="symplectic"),
    "rtol": lambda: cells.Adaptive(cells.CTRNN(3, 5, key=KEY), rtol=0.0),
    "taps": lambda: cells.Filters(3, 5, taps=0, key=KEY),
    "without b_h": lambda: cells.LayerNorm(cells.GRU(3, 5, key=KEY)),
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused(words):
    with pytest.raises(SettingsError, match=words):
        REFUSED[words]()
