"""The loop through time against a plain Python loop over the cell, in float64."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import ostinato as ost
from ostinato.errors import NonFiniteError, SettingsError, ShapeError
from ostinato.layers import Dropout

pytestmark = pytest.mark.usefixtures("x64")
KEY = jr.key(7)


def by_hand(cell, xs, mask, reset, reverse=False):
    """One row at a time, one step at a time, with the semantics as the plan states them."""
    outputs, finals = [], []
    step, init = eqx.filter_jit(type(cell).__call__), cell.init_state()
    for b in range(xs.shape[0]):
        state = init
        ys = {}
        for t in reversed(range(xs.shape[1])) if reverse else range(xs.shape[1]):
            if reset[b, t] and not reverse:
                state = init
            if mask[b, t]:
                state, ys[t] = step(cell, xs[b, t], state)
            else:
                ys[t] = np.zeros(cell.output_size)
            if reset[b, t] and reverse:
                state = init
        outputs.append(np.stack([ys[t] for t in range(xs.shape[1])]))
        finals.append(state)
    return np.stack(outputs), jax.tree.map(lambda *leaves: np.stack(leaves), *finals)


@pytest.fixture
def problem(x64):
    k = jr.split(jr.key(0), 4)
    xs = jr.normal(k[0], (3, 6, 2))
    mask = jr.bernoulli(k[1], 0.7, (3, 6)).at[2].set(False)
    reset = jr.bernoulli(k[2], 0.3, (3, 6))
    return ost.cells.LSTM(2, 4, key=k[3]), xs, mask, reset


@pytest.mark.parametrize(("kernel", "reverse"), list(itertools.product(("reference", "scan", "hoist"), (False, True))))
def test_masks_and_resets_equal_the_python_loop(problem, kernel, reverse):
    cell, xs, mask, reset = problem
    expected_ys, expected_final = by_hand(cell, *map(np.asarray, (xs, mask, reset)), reverse)
    # What stands in the padding must not matter, not even a NaN.
    dirty = jnp.where(mask[..., None], xs, jnp.nan)
    ys, final = ost.unroll(cell, dirty, mask=mask, reset=reset, reverse=reverse, kernel=kernel)
    np.testing.assert_allclose(ys, expected_ys, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(final.c, expected_final.c, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("reverse", [False, True])
def test_kernels_agree_in_every_gradient(problem, reverse):
    cell, xs, mask, reset = problem
    state = jax.tree.map(lambda leaf: jr.normal(jr.key(5), (3, *leaf.shape)), cell.init_state())

    def loss(given, kernel):
        cell, xs, state = given
        ys, final, tape = ost.unroll(
            cell, xs, state, mask=mask, reset=reset, reverse=reverse, kernel=kernel, record=("c", "gates")
        )
        return jnp.sum(ys**2) + jnp.sum(final.c**3) + jnp.sum(jnp.sin(tape["c"])) + jnp.sum(tape["gates"] ** 2)

    dirty = jnp.where(mask[..., None], xs, jnp.nan)
    grad = eqx.filter_jit(eqx.filter_grad(loss))
    grads = {k: grad((cell, dirty, state), k) for k in ("reference", "scan", "hoist")}
    assert max(np.abs(g).max() for g in jax.tree.leaves(grads["reference"])) > 0.1
    for kernel in ("scan", "hoist"):
        for ours, theirs in zip(jax.tree.leaves(grads[kernel]), jax.tree.leaves(grads["reference"]), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12)


def test_chunks_equal_the_whole_bitwise(problem):
    cell, xs, mask, reset = problem
    whole, final = ost.unroll(cell, xs, mask=mask, reset=reset, kernel="reference")
    state, pieces = None, []
    for a, b in ((0, 2), (2, 3), (3, 6)):
        ys, state = ost.unroll(
            cell, xs[:, a:b], state, mask=mask[:, a:b], reset=reset[:, a:b], start=a, kernel="reference"
        )
        pieces.append(ys)
    assert bool(jnp.all(jnp.concatenate(pieces, axis=1) == whole))
    assert bool(jnp.all(state.c == final.c))


def test_noise_is_a_function_of_the_step_so_chunks_equal_the_whole(x64):
    model = ost.RNN("gru", 2, 4, num_layers=2, dropout=0.5, key=jr.key(0))
    xs, key = jr.normal(jr.key(1), (3, 6, 2)), jr.key(2)
    whole, _ = model(xs, key=key)
    first, state = model(xs[:, :4], key=key)
    second, _ = model(xs[:, 4:], state, key=key, start=4)
    np.testing.assert_allclose(jnp.concatenate([first, second], axis=1), whole, rtol=1e-13)
    assert float(jnp.max(jnp.abs(whole - model(xs)[0]))) > 1e-2


def test_a_stack_through_time_equals_its_steps(x64):
    k = jr.split(jr.key(0), 3)
    stack = ost.Stack((ost.cells.LSTM(2, 4, key=k[0]), ost.cells.Elman(4, 4, key=k[1])), residual=True)
    xs = jr.normal(k[2], (2, 5, 2))
    mask, reset = jr.bernoulli(k[0], 0.7, (2, 5)), jr.bernoulli(k[1], 0.3, (2, 5))
    ys, final = ost.unroll(stack, xs, mask=mask, reset=reset)
    expected, state = by_hand(stack, *map(np.asarray, (xs, mask, reset)))
    np.testing.assert_allclose(ys, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(final[1].h, state[1].h, rtol=1e-12, atol=1e-14)


def test_bidirectional_padding_changes_nothing(x64):
    model = ost.RNN("lstm", 2, 3, num_layers=2, bidirectional=True, key=jr.key(0))
    lengths = (5, 2, 0)
    rows = [np.random.default_rng(i).normal(size=(n, 2)) for i, n in enumerate(lengths)]
    ys, _ = model(ost.SequenceBatch.from_sequences(rows, pad_to=7))
    for i, row in enumerate(rows):
        alone, _ = model(jnp.asarray(row))
        np.testing.assert_allclose(np.asarray(ys)[i, : lengths[i]], alone, rtol=1e-12, atol=1e-14)
        assert not np.any(np.asarray(ys)[i, lengths[i] :])


def test_record_names_and_values(problem):
    cell, xs, mask, reset = problem
    stack = ost.Stack(
        (cell, ost.Bidirectional(ost.cells.Elman(4, 3, key=jr.key(1)), ost.cells.Elman(4, 3, key=jr.key(2))))
    )
    _, _, tape = ost.unroll(stack, xs, mask=mask, reset=reset, record=("h", "0/gates"))
    assert sorted(tape) == ["0/gates", "0/h", "1/backward/h", "1/forward/h"]
    ys, _ = ost.unroll(cell, xs, mask=mask, reset=reset)
    np.testing.assert_allclose(jnp.where(mask[..., None], tape["0/h"], 0.0), ys, rtol=1e-13)
    # The gates on the tape are those that made the state: o * tanh(c) = h.
    _, _, alone = ost.unroll(cell, xs, mask=mask, reset=reset, record=("gates", "c"))
    h = alone["gates"][..., 3, :] * jnp.tanh(alone["c"])
    np.testing.assert_allclose(jnp.where(mask[..., None], h, 0.0), ys, rtol=1e-12, atol=1e-14)
    with pytest.raises(SettingsError, match=r"no 'z'.*it has h, c, gates"):
        ost.unroll(cell, xs, record="z")


@pytest.mark.parametrize(("time", "reverse"), [(10, False), (9, True), (7, False), (1, False)])
def test_checkpointed_segments_change_nothing(time, reverse, x64):
    cell = ost.cells.GRU(2, 3, key=jr.key(0))
    xs = jr.normal(jr.key(1), (2, time, 2))
    reset = jr.bernoulli(jr.key(2), 0.3, (2, time))

    def loss(cell, checkpoint):
        ys, final, tape = ost.unroll(cell, xs, reset=reset, reverse=reverse, checkpoint=checkpoint, record="h")
        return jnp.sum(ys**2) + jnp.sum(final.h) + jnp.sum(tape["h"] ** 3)

    graded = eqx.filter_jit(eqx.filter_value_and_grad(loss))
    plain, cut = (graded(cell, c) for c in (None, True))
    for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(cut), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11)


@pytest.mark.parametrize("time", [6, 7])
def test_checkpointed_segments_draw_the_noise_of_the_whole(time):
    xs = jr.normal(jr.key(1), (2, time, 3))
    k0, k1 = jr.split(jr.key(0))
    lower, upper = ost.cells.Elman(3, 4, key=k0), ost.cells.Elman(4, 2, key=k1)
    cell = ost.Stack((lower, Dropout(4, 0.5), upper))
    whole, _ = ost.unroll(cell, xs, key=KEY)
    np.testing.assert_allclose(ost.unroll(cell, xs, key=KEY, checkpoint=2)[0], whole, rtol=1e-12)


def test_noise_is_another_one_for_each_row_and_step():
    kept, _ = ost.unroll(Dropout(40, 0.5), jnp.ones((3, 4, 40)), key=KEY)
    assert len({tuple(step) for row in kept.tolist() for step in row}) == 12


def test_what_was_not_observed_is_not_read():
    cell, xs = ost.cells.GRU(3, 4, key=KEY), jr.normal(jr.key(1), (2, 5, 3))
    seen = jr.bernoulli(jr.key(2), 0.6, xs.shape)
    expected, _ = ost.unroll(cell, jnp.where(seen, xs, 0.0), kernel="reference")
    for kernel in ("reference", "auto"):
        found, _ = ost.unroll(cell, ost.SequenceBatch(jnp.where(seen, xs, jnp.nan), observed=seen), kernel=kernel)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert jnp.max(jnp.abs(ost.unroll(cell, xs)[0] - expected)) > 0.01


def test_checkpoints_keep_the_memory_of_a_segment(x64):
    cell = ost.cells.GRU(2, 8, key=jr.key(0))
    xs = jr.normal(jr.key(1), (2_500, 2))

    def temporary(checkpoint):
        grad = jax.jit(lambda c: eqx.filter_grad(lambda c: jnp.sum(ost.unroll(c, xs, checkpoint=checkpoint)[1].h))(c))
        return grad.lower(cell).compile().memory_analysis().temp_size_in_bytes

    assert temporary(True) < temporary(None) / 8


def test_gradients_reach_a_trainable_initial_state_through_resets(problem):
    cell, xs, _, _ = problem
    reset = jnp.zeros((3, 6), bool).at[:, 3].set(True)

    class Started(ost.cells.LSTM):
        start: jax.Array

        def __init__(self, like):
            super().__init__(2, 4, key=jr.key(0))
            self.start = jnp.full(4, 0.3)

        def init_state(self, *, key=None):
            return type(super().init_state())(jnp.zeros(4), self.start)

    started = Started(cell)

    def loss(start, kernel):
        model = eqx.tree_at(lambda m: m.start, started, start)
        return jnp.sum(ost.unroll(model, xs, reset=reset, kernel=kernel)[0] ** 2)

    eps = 1e-6
    nudge = jnp.zeros(4).at[1].set(eps)
    slope = (loss(started.start + nudge, "reference") - loss(started.start - nudge, "reference")) / (2 * eps)
    for kernel in ("reference", "scan", "hoist"):
        grad = jax.jit(jax.grad(loss), static_argnums=1)(started.start, kernel)
        np.testing.assert_allclose(np.asarray(grad)[1], slope, rtol=1e-6)


@pytest.mark.parametrize(("batch", "time"), [((), 4), ((0,), 4), ((2,), 0), ((2, 3), 1)])
def test_any_batch_shape_and_length_is_legal(batch, time, x64):
    for kernel in ("reference", "scan", "hoist"):
        cell = ost.cells.LSTM(2, 3, key=jr.key(0))
        ys, final = ost.unroll(cell, jnp.ones((*batch, time, 2)), kernel=kernel)
        assert ys.shape == (*batch, time, 3)
        assert final.h.shape == (*batch, 3)
        expected = ys[..., -1, :] if time else jnp.zeros((*batch, 3))
        np.testing.assert_array_equal(final.h, expected)


def test_forward_mode_of_a_fast_kernel_names_the_reference(problem):
    cell, xs, _, _ = problem
    with pytest.raises(TypeError, match="kernel='reference'"):
        jax.jvp(lambda x: ost.unroll(cell, x, kernel="hoist")[0], (xs,), (xs,))
    _, tangent = jax.jvp(lambda x: ost.unroll(cell, x, kernel="reference")[0], (xs,), (xs,))
    eps = 1e-6
    ends = [ost.unroll(cell, xs * (1 + s * eps), kernel="reference")[0] for s in (1, -1)]
    np.testing.assert_allclose(tangent, (ends[0] - ends[1]) / (2 * eps), rtol=1e-5, atol=1e-8)


def test_second_derivatives_of_the_hoist(problem):
    cell, xs, mask, reset = problem

    def curvature(kernel):
        def slope(R):
            model = eqx.tree_at(lambda c: c.R, cell, R)
            return jnp.sum(ost.unroll(model, xs, mask=mask, reset=reset, kernel=kernel)[0] ** 2)

        return jax.jit(jax.grad(lambda R: jnp.sum(jax.grad(slope)(R) ** 2)))(cell.R)

    np.testing.assert_allclose(curvature("hoist"), curvature("reference"), rtol=1e-9, atol=1e-12)


def test_mapped_over_models(problem):
    _, xs, mask, reset = problem
    keys = jr.split(jr.key(3), 3)
    cells = eqx.filter_vmap(lambda k: ost.cells.LSTM(2, 4, key=k))(keys)

    def grads(cell, kernel):
        loss = lambda c: jnp.sum(ost.unroll(c, xs, mask=mask, reset=reset, kernel=kernel)[0] ** 2)
        return eqx.filter_grad(loss)(cell).R

    together = np.asarray(eqx.filter_jit(eqx.filter_vmap(lambda c: grads(c, "hoist")))(cells))
    for i in range(3):
        alone = eqx.filter_jit(grads)(ost.cells.LSTM(2, 4, key=keys[i]), "reference")
        np.testing.assert_allclose(together[i], alone, rtol=1e-11, atol=1e-13)


def test_bad_input_names_axis_expected_and_found(problem):
    cell, xs, mask, _ = problem
    with pytest.raises(ShapeError, match=r"inputs: expected \(batch, time, 2\), got \(batch, time, 3\)"):
        ost.unroll(cell, jnp.ones((3, 6, 3)))
    with pytest.raises(ShapeError, match=r"mask: expected \(\*batch, time\) = \(3, 6\), got \(3, 5\)"):
        ost.unroll(cell, xs, mask=mask[:, :5])
    with pytest.raises(SettingsError, match="kernel: expected one of"):
        ost.unroll(cell, xs, kernel="fast")
    with pytest.raises(NonFiniteError, match="values: nan at index"):
        ost.unroll(cell, ost.SequenceBatch(xs.at[1, 2, 0].set(jnp.nan)))
    with pytest.raises(SettingsError, match="not a GatedCell"):
        ost.unroll(ost.cells.CELLS["jordan"].make(2, 3, key=jr.key(0)), xs, kernel="hoist")
