"""What is given to a network from outside: flags of 0 and 1, and states as other libraries have them."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ostinato as ost
from ostinato.cells import GRU, LSTM, Hidden, LSTMState
from ostinato.errors import DataError, SettingsError, ShapeError, StateError
from ostinato.layers.record import resolve_record
from ostinato.layers.state import fields_of
from ostinato.learning import make_rule

KEY = jax.random.key(0)
MASK = np.array([[1, 1, 1, 0, 1], [0, 1, 1, 1, 0]])
RESET = np.array([[0, 0, 1, 0, 0], [1, 0, 0, 1, 0]])
KERNELS = ("reference", "scan", "hoist", "native", "auto")


@pytest.fixture(scope="module")
def problem():
    xs = jax.random.normal(KEY, (2, 5, 3))
    cell = GRU(3, 4, key=KEY)
    return cell, xs, ost.unroll(cell, xs, mask=MASK == 1, reset=RESET == 1, kernel="reference")


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("as_given", [np.int64, np.float32, np.uint8, list, bool])
def test_flags_may_be_numbers_0_and_1_whatever_the_kernel(problem, kernel, as_given):
    cell, xs, (expected, final) = problem
    mask, reset = ((f.tolist() if as_given is list else f.astype(as_given)) for f in (MASK, RESET))
    ys, state = ost.unroll(cell, xs, mask=mask, reset=reset, kernel=kernel)
    np.testing.assert_allclose(ys, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(state.h, final.h, rtol=1e-5, atol=1e-6)
    assert ost.SequenceBatch(xs, mask, reset).mask.dtype == bool


def test_other_flags_are_refused_by_name_and_place(problem):
    cell, xs, _ = problem
    half = MASK.astype(float)
    half[1, 2] = 0.5
    with pytest.raises(DataError, match=r"mask: expected flags.* got 0.5 at index \(1, 2\)"):
        ost.unroll(cell, xs, mask=half)
    with pytest.raises(DataError, match=r"reset: expected flags.* got 2 at index \(1, 0\)"):
        ost.SequenceBatch(xs, None, RESET * [[1], [2]])
    with pytest.raises(DataError, match=r"observed: expected flags.*got nan"):
        ost.SequenceBatch(xs, observed=np.full(xs.shape, np.nan))
    with pytest.raises(DataError, match=r"mask: expected flags.*of type <U"):
        ost.SequenceBatch(xs, MASK.astype(str))
    with pytest.raises(DataError, match="mask: expected an array of flags, got rows of different lengths"):
        ost.unroll(cell, xs, mask=[[1, 1], [1]])
    with pytest.raises(ShapeError, match=r"mask: expected \(\*batch, time\) = \(2, 5\), got \(5, 2\)"):
        ost.unroll(cell, xs, mask=MASK.T)


def test_numbers_as_flags_in_networks_rules_and_traced_functions(problem):
    _, xs, _ = problem
    model = ost.RNN("gru", 3, 4, output_size=1, key=KEY)
    given, meant = ost.SequenceBatch(xs, MASK, RESET), ost.SequenceBatch(xs, MASK == 1, RESET == 1)
    np.testing.assert_array_equal(model(given)[0], model(meant)[0])
    pooled = ost.ManyToOne(model, 2, key=KEY)
    np.testing.assert_array_equal(pooled(xs, mask=MASK, reset=RESET)[0], pooled(meant)[0])
    traced = jax.jit(lambda mask: model(ost.SequenceBatch(xs, mask))[0])(jnp.asarray(MASK))
    np.testing.assert_allclose(traced, model(ost.SequenceBatch(xs, MASK == 1))[0], rtol=1e-6)
    rule, found = make_rule("rtrl"), []
    for inputs in (given, meant):
        examples = ost.Examples(inputs, jnp.zeros((2, 5, 1)), jnp.full((2, 5), 0.1))
        gradient = eqx.filter_jit(lambda m, e: rule(m, lambda y, t: jnp.sum((y - t) ** 2), e, rule.init(m, e))[1])
        found.append(gradient(model, examples))
    for a, b in zip(*map(jax.tree.leaves, found), strict=True):
        np.testing.assert_array_equal(a, b)
    taught = {"teacher": xs, "state": Hidden(jnp.zeros((2, 3)))}
    cell = GRU(3, 3, key=KEY)
    one, other = (ost.rollout(cell, xs[:, 0], 5, lambda y, t: y, use_teacher=f, **taught)[0] for f in (MASK, MASK == 1))
    np.testing.assert_array_equal(one, other)


Z = jnp.zeros((4, 8))
TWO = "the batch first, got (1, 4, 8); it has an axis more in front, of layers perhaps"


@pytest.mark.parametrize(
    ("make", "state", "words"),
    [
        (GRU, Z, "that of GRU is Hidden(h); got an array of shape (4, 8): Hidden(state)"),
        (LSTM, (Z, Z), "that of LSTM is LSTMState(h, c); got a tuple of 2 arrays: LSTMState(*state)"),
        (LSTM, [Z, Z], "that of LSTM is LSTMState(h, c); got a list of 2 arrays: LSTMState(*state)"),
        (LSTM, Hidden(Z), "that of LSTM is LSTMState(h, c); got Hidden(h)"),
        (LSTM, {"h": Z, "c": Z}, "that of LSTM is LSTMState(h, c); got a dict"),
        (GRU, Hidden(jnp.zeros((6, 8))), "h of Hidden(h): expected (4, 8), the batch first, got (6, 8)"),
        (GRU, Hidden(Z[None]), TWO),
        (GRU, Hidden(Z.astype(jnp.float16)), "h of Hidden(h): expected float32, the type of the weights, got float16"),
    ],
)
def test_a_state_that_is_not_the_cells_is_refused_in_words(make, state, words):
    with pytest.raises(StateError) as caught:
        ost.unroll(make(3, 8, key=KEY), jnp.ones((4, 5, 3)), state)
    assert words in str(caught.value)


def test_leading_axes_of_a_state_are_those_of_the_batch():
    cell, xs = GRU(3, 8, key=KEY), jax.random.normal(KEY, (2, 3, 5, 3))
    state = Hidden(jax.random.normal(KEY, (2, 3, 8)))
    ys, final = ost.unroll(cell, xs, state)
    alone, _ = ost.unroll(cell, xs[1, 2], Hidden(state.h[1, 2]))
    np.testing.assert_allclose(ys[1, 2], alone, rtol=1e-5, atol=1e-6)
    with pytest.raises(StateError, match=r"expected \(2, 3, 8\), the batch first, got \(3, 2, 8\)"):
        ost.unroll(cell, xs, Hidden(final.h.reshape(3, 2, 8)))
    # Numpy's double precision is taken, as everywhere.
    np.testing.assert_array_equal(ost.unroll(cell, xs, Hidden(np.asarray(state.h, np.float64)))[0], ys)


def test_the_states_of_networks_are_said_layer_by_layer():
    xs, state = jnp.ones((4, 5, 3)), LSTMState(Z, Z)
    network = ost.RNN("lstm", 3, 8, 2, output_size=1, key=KEY)
    said = r"that of Stack is \(LSTMState\(h, c\), LSTMState\(h, c\), Nothing\(\)\); got "
    with pytest.raises(StateError, match=said + "a tuple of 2 arrays: one state for each layer, in a tuple"):
        network(xs, (Z, Z))
    with pytest.raises(StateError, match=said + r"LSTMState\(h, c\): one state for each layer"):
        network(xs, state)
    ys, final = network(xs, (state, state, network.init_state()[2]))
    np.testing.assert_array_equal(ys, network(xs)[0])
    assert network(xs, final)[0].shape == (4, 5, 1)
    both = ost.RNN("gru", 3, 8, bidirectional=True, key=KEY)
    with pytest.raises(StateError, match=r"\(BidirectionalState\(forward=Hidden\(h\), backward=Hidden\(h\)\),\)"):
        both(xs, Z)
    with pytest.raises(StateError, match="that of GRU is Hidden"):
        ost.rollout(GRU(3, 3, key=KEY), jnp.ones((4, 3)), 2, lambda y, t: y, state=jnp.zeros((4, 3)))


class Pair(NamedTuple):
    """A state with arrays in a tuple."""

    h: Any
    parts: Any


class Adder(ost.cells.Cell):
    """Adds its inputs up in three places."""

    input_size: int = eqx.field(static=True, default=2)
    hidden_size: int = eqx.field(static=True, default=2)

    def init_state(self, *, key=None):
        zero = jnp.zeros(2)
        return Pair(zero, (zero, {"twice": zero}))

    def __call__(self, x, state, *, dt=None, key=None):
        h, (one, inner) = state
        return Pair(h + x, (one - x, {"twice": inner["twice"] + 2 * x})), h


def test_fields_inside_tuples_are_recorded_by_their_path():
    xs = jax.random.normal(KEY, (3, 4, 2))
    assert list(fields_of(Adder().init_state())) == ["h", "parts/0", "parts/1/twice"]
    _, final, tape = ost.unroll(Adder(), xs, record=("parts/0", "twice"))
    assert list(tape) == ["parts/0", "parts/1/twice"]
    np.testing.assert_allclose(tape["parts/0"], -np.cumsum(xs, axis=1), rtol=1e-6)
    np.testing.assert_allclose(tape["parts/1/twice"], 2 * np.cumsum(xs, axis=1), rtol=1e-6)
    np.testing.assert_array_equal(final.parts[0], tape["parts/0"][:, -1])
    with pytest.raises(SettingsError, match="record: no 'parts' in Adder; it has h, parts/0, parts/1/twice"):
        ost.unroll(Adder(), xs, record="parts")
    with pytest.raises(SettingsError, match="record: expected names of state fields and internals, got 1"):
        resolve_record(Adder(), ("h", 1))
