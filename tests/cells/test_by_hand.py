"""One step of one unit, worked by hand: ln 3 makes a gate 3/4, 0 makes it 1/2."""

import dataclasses
from math import log, tanh

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from ostinato.cells import (
    GRU,
    HMLSTM,
    LSTM,
    LSTM1997,
    MGU,
    CoupledLSTM,
    Elman,
    GRUBefore,
    Hidden,
    IndRNN,
    Jordan,
    LSTMState,
    PeepholeLSTM,
    ProjectionLSTM,
    SimplePeepholeLSTM,
)

pytestmark = pytest.mark.usefixtures("x64")
L3 = log(3)


def with_values(cell, **values):
    """All parameters zero but for those named, given row by row."""
    cell = jax.tree.map(lambda leaf: jnp.zeros_like(leaf) if eqx.is_array(leaf) else leaf, cell)
    for name, rows in values.items():
        old = getattr(cell, name)
        cell = eqx.tree_at(lambda c, n=name: getattr(c, n), cell, jnp.asarray(rows, old.dtype).reshape(old.shape))
    return cell


def shown(cell, x, *state):
    fields = [jnp.array([v], float) for v in state]
    new, y = cell(jnp.array([x], float), type(cell.init_state())(*fields))
    return [v.item() for v in new], y.item()


def make(cls, **settings):
    return cls(1, 1, key=jax.random.key(0), **settings)


def test_elman_adds_what_it_sees_and_what_it_was():
    cell = with_values(make(Elman, activation="linear"), W=[2], R=[3], b=[5])
    assert shown(cell, 7.0, 11.0)[1] == 2 * 7 + 3 * 11 + 5


def test_jordan_feeds_back_its_output_not_its_hidden_layer():
    cell = with_values(make(Jordan, activation="linear"), W=[2], R=[3], b=[1], V=[10], b_y=[4])
    assert shown(cell, 1.0, 5.0) == ([10 * (2 + 15 + 1) + 4], 184)


def test_indrnn_multiplies_its_state():
    cell = with_values(make(IndRNN), W=[2], b=[-1], u=[0.5])
    assert shown(cell, 1.0, 3.0)[1] == 2 - 1 + 1.5
    assert shown(cell, -9.0, 3.0)[1] == 0


@pytest.mark.parametrize(("convention", "expected"), [("torch", 0.75 * 8), ("chung", 0.25 * 8)])
@pytest.mark.parametrize("cls", [GRU, GRUBefore])
def test_gru_keeps_or_writes(cls, convention, expected):
    # z = 3/4, n = 0, old state 8
    cell = with_values(make(cls, convention=convention), b=[0, L3, 0])
    assert shown(cell, 1.0, 8.0)[1] == pytest.approx(expected, rel=1e-15)


def test_reset_gate_after_and_before_the_hidden_bias():
    # r = 3/4, z = 1/2, old state 2: after, the gate also acts on the bias of the product
    after = with_values(make(GRU), b=[L3, 0, 0], R=[0, 0, 1], b_h=[0, 0, 4])
    assert shown(after, 0.0, 2.0)[1] == pytest.approx(0.5 * tanh(0.75 * (2 + 4)) + 1, rel=1e-15)
    before = with_values(make(GRUBefore), b=[L3, 0, 4], R=[0, 0, 1])
    assert shown(before, 0.0, 2.0)[1] == pytest.approx(0.5 * tanh(0.75 * 2 + 4) + 1, rel=1e-15)


def test_mgu_writes_where_its_gate_is_open():
    cell = with_values(make(MGU), b=[L3, 100])
    assert shown(cell, 0.0, 8.0)[1] == pytest.approx(0.25 * 8 + 0.75, rel=1e-15)


def test_lstm_writes_keeps_and_shows():
    # i = 3/4, f = 1/2, g = 1, o = 1/4
    cell = with_values(make(LSTM), b=[L3, 0, 100, -L3])
    (h, c), y = shown(cell, 0.0, 0.0, 4.0)
    assert c == pytest.approx(0.5 * 4 + 0.75, rel=1e-15)
    assert h == y == pytest.approx(0.25 * tanh(2.75), rel=1e-15)


def test_peepholes_see_the_old_memory_and_the_output_gate_the_new():
    # c was 1: i and f are 3/4, g = 1, so c is 3/2; o sees p_o * 3/2
    cell = with_values(make(PeepholeLSTM), b=[0, 0, 100, 0], p=[L3, L3, L3 / 1.5])
    (h, c), _ = shown(cell, 0.0, 0.0, 1.0)
    assert c == pytest.approx(1.5, rel=1e-15)
    assert h == pytest.approx(0.75 * tanh(1.5), rel=1e-15)


def test_simple_peepholes_all_see_the_old_memory_and_never_the_output():
    cell = with_values(make(SimplePeepholeLSTM), b=[0, 0, 100, 0], R=[L3, L3, -L3])
    (h, c), _ = shown(cell, 0.0, 0.0, 1.0)
    assert c == pytest.approx(1.5, rel=1e-15)
    assert h == pytest.approx(0.25 * tanh(1.5), rel=1e-15)
    assert shown(cell, 0.0, 1e6, 1.0) == ([h, c], h)


def test_lstm_of_1997_never_forgets():
    # i = 1/4, g = 4 * 3/4 - 2 = 1, o = 1/2: c grows by 1/4; from L3 - 1/4 it is L3, shown as 2 * 3/4 - 1
    cell = with_values(make(LSTM1997), b=[-L3, L3, 0])
    (h, c), _ = shown(cell, 0.0, 0.0, L3 - 0.25)
    assert c == pytest.approx(L3, rel=1e-15)
    assert h == pytest.approx(0.5 * 0.5, rel=1e-14)


def test_coupled_lstm_forgets_what_it_writes():
    cell = with_values(make(CoupledLSTM), b=[L3, 100, 0])
    assert shown(cell, 0.0, 0.0, 4.0)[0][1] == pytest.approx(0.25 * 4 + 0.75, rel=1e-15)


def test_projection_scales_what_is_shown_and_fed_back():
    cell = with_values(make(ProjectionLSTM), b=[0, 0, 0, 0], R=[0, 0, 1, 0], P=[10])
    (h, c), _ = shown(cell, 0.0, 2.0, 0.0)
    assert c == pytest.approx(0.5 * tanh(2), rel=1e-15)
    assert h == pytest.approx(10 * 0.5 * tanh(c), rel=1e-15)


def test_states_are_named():
    assert make(GRU).init_state() == Hidden(jnp.zeros(1))
    assert make(LSTM).init_state()._fields == LSTMState._fields == ("h", "c")
    assert dataclasses.is_dataclass(LSTM)


def test_hm_lstm_copies_updates_and_flushes():
    """Two levels of a unit each. All gates are 1/2; g is the input below (W = 1); a segment ends where x > 0."""
    cell = cells_of_two_levels()
    start = cell.init_state()
    # x = -1: no segment ends, so the level above stays as it is.
    first, _ = cell(jnp.array([-1.0]), start)
    c = 0.5 * tanh(-1)
    assert first.c.tolist() == pytest.approx([c, 0], rel=1e-15)
    assert first.h.tolist() == pytest.approx([0.5 * tanh(c), 0], rel=1e-15)
    assert first.z.tolist() == [0, 0]
    # x = 2: half of the old memory is kept, a segment ends, and the level above hears h.
    second, _ = cell(jnp.array([2.0]), first)
    c = 0.5 * c + 0.5 * tanh(2)
    h = 0.5 * tanh(c)
    assert second.c.tolist() == pytest.approx([c, 0.5 * tanh(h)], rel=1e-15)
    assert second.z.tolist() == [1, 0]
    # After its end the lower level begins anew, whatever it held, with what the level above shows (D = 1) in its g.
    third, y = cell(jnp.array([-3.0]), second)
    above = 0.5 * tanh(second.c[1].item())
    c = 0.5 * tanh(-3 + above)
    assert third.c.tolist() == pytest.approx([c, second.c[1].item()], rel=1e-15)
    assert third.h.tolist() == pytest.approx([0.5 * tanh(c), second.h[1].item()], rel=1e-15)
    assert third.z.tolist() == [0, 0]
    assert y.tolist() == pytest.approx([0.5 * h for h in third.h.tolist()], rel=1e-15)


def cells_of_two_levels():
    cell = with_values(HMLSTM(1, 2, levels=2, key=jax.random.key(0)), slope=[1])
    candidate, end = jnp.zeros((5, 1)).at[2, 0].set(1), jnp.zeros((5, 1)).at[4, 0].set(1)
    below = (candidate + end, candidate[:4])
    return eqx.tree_at(lambda c: (c.W, c.D), cell, (below, (candidate,)))
