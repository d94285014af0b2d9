"""Zoneout, variational dropout and the trainable initial state around every cell of the table."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.cells import CELLS, GRU, LSTM, GatedCell, Hidden, IndRNN, LayerNorm, PeepholeLSTM
from ostinato.errors import SettingsError
from ostinato.layers import Stack, VariationalDropout, Zoneout, learn_initial_state, unroll
from ostinato.layers.variational import VariationalState

from . import oracle
from .test_oracle import HIDDEN, INPUT, anywhere, made, parameters, relative

KEY = jax.random.key(0)
TIME = 6


# What these show is no field of their state, or they do not say what their products see: the wrappers refuse them.
REFUSED = ("augment", "cornn", "ctrnn", "ctrnn-rk4", "fir", "hm-lstm", "iir", "mtrnn")


@pytest.mark.parametrize("name", [name for name in CELLS if name not in REFUSED])
def test_around_every_cell(x64, name):
    """One compiled function per cell: wrappers in two orders, step by step against the oracle."""
    cell = made(name, 1)
    xs = np.random.default_rng(2).normal(size=(TIME, INPUT))
    start = anywhere(cell.init_state(), 3)

    @eqx.filter_jit
    def ours(cell, xs, start):
        zoned = Zoneout(cell, 0.3)
        dropped = VariationalDropout(zoned, input_rate=0.4, hidden_rate=0.5)
        first = dropped.init_state(key=jax.random.key(7))._replace(state=start)
        plain, plain_ys = jax.lax.scan(lambda s, x: zoned(x, s), start, xs)
        masked, masked_ys = jax.lax.scan(lambda s, x: dropped(x, s), first, xs)
        return (plain_ys, plain), (masked_ys, masked)

    (plain_ys, plain), (masked_ys, masked) = ours(cell, jnp.asarray(xs), start)
    p, step = parameters(cell), oracle.STEPS[name]

    state, ys = {k: np.asarray(v) for k, v in start._asdict().items()}, []
    for x in xs:
        new, _ = step(p, x, state)
        state = {k: 0.3 * state[k] + 0.7 * new[k] for k in state}
        ys.append(state[cell.output_field])
    assert relative(plain_ys, np.array(ys)) < 1e-12
    assert all(relative(getattr(plain, k), v) < 1e-12 for k, v in state.items())

    # The masks stay, scale what is left, and reach only what the recurrent products see.
    m_x, m_h = np.asarray(masked.input_mask), np.asarray(masked.hidden_mask)
    assert set(m_x) <= {0, 1 / 0.6}
    assert set(m_h) <= {0, 2}
    state, ys = {k: np.asarray(v) for k, v in start._asdict().items()}, []
    for x in xs:
        seen = "c" if name == "lstm-peephole-simple" else cell.output_field
        dimmed = step_seeing(name, step, p, x * m_x, state, seen, m_h)
        state = {k: 0.3 * state[k] + 0.7 * dimmed[k] for k in state}
        ys.append(state[cell.output_field])
    assert relative(masked_ys, np.array(ys)) < 1e-12
    assert all(relative(getattr(masked.state, k), v) < 1e-12 for k, v in state.items())


def step_seeing(name, step, p, x, state, field, mask):
    """The oracle's step whose recurrent products see `mask * state[field]`: the mask moved into the columns of R.

    Where the state also goes through the cell unmultiplied, that part is untouched by the columns of R.
    """
    if name == "indrnn":
        return step({**p, "u": p["u"] * mask}, x, state)[0]
    if name == "elstm":
        return step({**p, "w": p["w"] * mask}, x, state)[0]
    if name in ("min-gru", "min-lstm", "orthogonal", "recollect"):
        return step(p, x, {"h": state["h"] * mask})[0]
    dimmed = {k: v * mask if k.endswith("R") else v for k, v in p.items()}
    return step(dimmed, x, state)[0]


def test_zoneout_keeps_the_given_share_and_shows_it():
    cell = Zoneout(LSTM(3, 400, key=KEY), {"c": 0.3})
    state = anywhere(cell.init_state(), 1)
    state = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), state)
    new, y = eqx.filter_jit(cell)(jnp.ones(3), state, key=jax.random.key(3))
    plain, _ = eqx.filter_jit(cell.cell)(jnp.ones(3), state)
    kept = np.asarray(new.c == state.c)
    assert 0.23 < kept.mean() < 0.37
    np.testing.assert_allclose(np.asarray(new.c)[~kept], np.asarray(plain.c)[~kept], rtol=1e-6)
    np.testing.assert_allclose(new.h, plain.h, rtol=1e-6)
    np.testing.assert_array_equal(y, new.h)


def test_zoneout_draws_anew_at_every_step_and_chunks_equal_the_whole():
    cell = Zoneout(GRU(2, 50, key=KEY), 0.5)
    xs = jax.random.normal(KEY, (2, 6, 2))
    key = jax.random.key(5)
    ys, final = unroll(cell, xs, key=key)
    kept = np.asarray(ys[:, 1:] == ys[:, :-1])
    assert 0.4 < kept.mean() < 0.6
    assert not (kept[:, 0] == kept[:, 1]).all()
    assert not (kept[0] == kept[1]).all()
    first, middle = unroll(cell, xs[:, :3], key=key)
    second, last = unroll(cell, xs[:, 3:], middle, key=key, start=3)
    np.testing.assert_array_equal(np.concatenate([first, second], axis=1), ys)
    np.testing.assert_array_equal(last.h, final.h)


def test_variational_masks_differ_by_row_stay_in_time_and_vanish_without_a_key():
    cell = VariationalDropout(GRU(8, 50, key=KEY), input_rate=0.5, hidden_rate=0.5)
    xs = jax.random.normal(KEY, (2, 4, 8))
    _, final = unroll(cell, xs, key=jax.random.key(5))
    assert not np.array_equal(final.hidden_mask[0], final.hidden_mask[1])
    assert 0.3 < np.mean(np.asarray(final.hidden_mask) == 0) < 0.7
    ys, _ = unroll(cell, xs, kernel="reference")
    plain, _ = unroll(cell.cell, xs, kernel="reference")
    np.testing.assert_array_equal(ys, plain)
    # A reset begins another sequence: other masks.
    reset = jnp.zeros((2, 4), bool).at[:, 2].set(True)
    _, other = unroll(cell, xs, reset=reset, key=jax.random.key(5))
    assert not np.array_equal(final.hidden_mask, other.hidden_mask)


def test_learned_initial_state_is_where_sequences_and_resets_start(x64):
    cell = learn_initial_state(made("lstm", 1))
    cell = eqx.tree_at(lambda c: c.initial, cell, anywhere(cell.initial, 5))
    xs = jnp.asarray(np.random.default_rng(2).normal(size=(1, 4, INPUT)))
    reset = jnp.array([[False, False, True, False]])

    def loss(cell):
        return jnp.sum(unroll(cell, xs, reset=reset)[0] ** 2)

    def parts(p):
        start = {"h": p["initial.h"], "c": p["initial.c"]}
        inner = {k.removeprefix("cell."): v for k, v in p.items()}
        pieces = [oracle.through_time(oracle.lstm, inner, np.asarray(xs[0, i : i + 2]), start)[0] for i in (0, 2)]
        return (np.concatenate(pieces) ** 2).sum()

    p = parameters(cell)
    value, grads = eqx.filter_value_and_grad(loss)(cell)
    assert value == pytest.approx(parts(p), rel=1e-13)
    expected, found = oracle.gradients(parts, p), parameters(grads)
    assert found.keys() == expected.keys() == {"cell.W", "cell.R", "cell.b", "initial.h", "initial.c"}
    for path, gradient in expected.items():
        assert relative(found[path], gradient) < 1e-11, path


def test_gated_cells_stay_gated_and_masks_are_not_learned():
    for name in CELLS:
        cell = eqx.filter_eval_shape(CELLS[name].make, INPUT, HIDDEN, key=KEY)
        learned = eqx.filter_eval_shape(lambda n=name: learn_initial_state(CELLS[n].make(INPUT, HIDDEN, key=KEY)))
        assert isinstance(learned, GatedCell) == isinstance(cell, GatedCell)
    nested = learn_initial_state(VariationalDropout(GRU(2, 3, key=KEY), input_rate=0.5, hidden_rate=0.5))
    assert nested.initial == VariationalState(Hidden(nested.initial.state.h), None, None)
    state = nested.init_state(key=KEY)
    assert state.input_mask.shape == (2,)
    assert state.hidden_mask.shape == (3,)


def test_layer_norm_around_any_gated_cell(x64):
    """Each gate by itself, around a cell that no paper normalised."""
    cell = anywhere(LayerNorm(PeepholeLSTM(INPUT, HIDDEN, key=KEY)), 4)
    x, state = np.random.default_rng(1).normal(size=INPUT), anywhere(cell.init_state(), 3)
    new, _ = cell(jnp.asarray(x), state)
    p = parameters(cell)
    norm = oracle.layer_norm
    from_x = [g * norm(W @ x) + b for g, W, b in zip(p["gain_x"], p["cell.W"], p["cell.b"], strict=True)]
    from_h = [g * norm(R @ np.asarray(state.h)) for g, R in zip(p["gain_h"], p["cell.R"], strict=True)]
    i, f, g, o = (a + b for a, b in zip(from_x, from_h, strict=True))
    c0 = np.asarray(state.c)
    p_i, p_f, p_o = p["cell.p"]
    c = oracle.sigmoid(f + p_f * c0) * c0 + oracle.sigmoid(i + p_i * c0) * np.tanh(g)
    assert relative(new.c, c) < 1e-12
    assert relative(new.h, oracle.sigmoid(o + p_o * c) * np.tanh(c)) < 1e-12


REFUSED = {
    "rate: expected 0 to 1": lambda cell: Zoneout(cell, 1.5),
    "fields of h, got 'c'": lambda cell: Zoneout(cell, {"c": 0.1}),
    "input_rate": lambda cell: VariationalDropout(cell, input_rate=1.0),
    "hidden_rate": lambda cell: VariationalDropout(cell, hidden_rate=-0.1),
    "no `step_with_hidden`": lambda cell: VariationalDropout(LayerNorm(IndRNN(2, 3, key=KEY)), hidden_rate=0.1),
    "Stack: .* no `hidden`": lambda cell: VariationalDropout(Stack([cell]), hidden_rate=0.1),
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused(words):
    with pytest.raises(SettingsError, match=words):
        REFUSED[words](GRU(2, 3, key=KEY))
