"""Read-outs: ridge and recursive least squares against the normal equations, LMS and FORCE against numpy loops."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import ostinato as ost
from ostinato.errors import SettingsError, ShapeError, UnsupportedRule
from ostinato.layers import OutputFeedback
from ostinato.learning import FORCE, LMS, RLS, Ridge
from ostinato.learning.readout import body_of
from ostinato.training import fit
from tests.listed import Listed

SQUARED = ost.losses.squared


def make(seed, rows=3, time=12):
    """Sequences whose targets are no linear function of anything, with steps that do not count and uneven weights."""
    rng = np.random.default_rng(seed)
    xs, targets = rng.normal(size=(rows, time, 2)), rng.normal(size=(rows, time, 2))
    weight = rng.uniform(0.5, 1.5, (rows, time)) * (rng.random((rows, time)) < 0.8)
    targets[weight == 0] = np.nan
    return ost.Examples(ost.SequenceBatch(jnp.asarray(xs)), jnp.asarray(targets), jnp.asarray(weight))


@pytest.fixture
def problem(x64):
    model = ost.RNN("echo-state", 2, 7, output_size=2, leak=0.6, bias_scaling=0.3, key=jr.key(0))
    return model, [make(1), make(2)]


def design(model, batches):
    """Features, targets and weights of all that counts, in the order of time, by a numpy loop over the steps."""
    cell = model.stack.layers[0]
    W, R, b = (np.asarray(a[0]) for a in (cell.W, cell.R, cell.b))
    found = []
    for examples in batches:
        xs, targets, weight = (np.asarray(a) for a in (examples.inputs.values, examples.targets, examples.weight))
        h = np.zeros((len(xs), 7))
        for t in range(xs.shape[1]):
            h = 0.4 * h + 0.6 * np.tanh(xs[:, t] @ W.T + h @ R.T + b)
            found += [(h[i], targets[i, t], weight[i, t]) for i in range(len(xs)) if weight[i, t]]
    X, Y, w = (np.array(part) for part in zip(*found, strict=True))
    return X, Y, w


def close(model, V, c, rtol=1e-8):
    readout = model.stack.layers[-1]
    np.testing.assert_allclose(readout.V, V, rtol=rtol, atol=rtol * np.abs(V).max())
    np.testing.assert_allclose(readout.c, c, rtol=rtol, atol=rtol * np.abs(V).max())


@pytest.mark.parametrize("intercept", [True, False])
def test_ridge_equals_the_augmented_least_squares_problem(problem, intercept):
    model, batches = problem
    result = fit(model, Listed(batches), loss=SQUARED, rule=Ridge(0.3, intercept=intercept), epochs=1)
    X, Y, w = design(model, batches)
    # Rows sqrt(w) (x, 1) and sqrt(penalty) I, by QR: no normal equations, no centring.
    rows = np.sqrt(w)[:, None] * np.hstack([X, np.ones((len(X), 1)) * intercept])
    shrink = np.sqrt(0.3) * np.hstack([np.eye(7), np.zeros((7, 1))])
    found = np.linalg.lstsq(np.vstack([rows, shrink]), np.vstack([np.sqrt(w)[:, None] * Y, np.zeros((7, 2))]), None)[0]
    close(result.model, found[:7].T, found[7])
    np.testing.assert_array_equal(result.model.stack.layers[0].R, model.stack.layers[0].R)
    # The order of the batches is of no account; the loss is that of the new read-out.
    other = fit(model, Listed(batches[::-1]), loss=SQUARED, rule=Ridge(0.3, intercept=intercept), epochs=1)
    close(other.model, found[:7].T, found[7])
    errors = X @ found[:7] + found[7] - Y
    last = len(design(model, batches[:1])[0])
    loss = np.sum(w[last:] * np.mean(errors[last:] ** 2, axis=1))
    np.testing.assert_allclose(result.history[-1]["measured"]["loss"], loss, rtol=1e-8)


@pytest.mark.parametrize("forget", [1.0, 0.95])
def test_recursive_least_squares_minimise_what_they_say(problem, forget):
    model, batches = problem
    result = fit(model, Listed(batches), loss=SQUARED, rule=RLS(alpha=0.2, forget=forget), epochs=1)
    X, Y, _ = design(model, batches)
    X = np.hstack([X, np.ones((len(X), 1))])
    w = forget ** np.arange(len(X) - 1, -1, -1)
    readout = model.stack.layers[-1]
    V0 = np.hstack([readout.V, readout.c[:, None]])
    penalty = 0.2 * forget ** len(X) * np.eye(8)
    V = V0 + np.linalg.solve((w[:, None] * X).T @ X + penalty, (w[:, None] * X).T @ (Y - X @ V0.T)).T
    close(result.model, V[:, :7], V[:, 7])


@pytest.mark.parametrize("normalised", [True, False])
def test_least_mean_squares_step_by_step(problem, normalised):
    model, batches = problem
    result = fit(model, Listed(batches), loss=SQUARED, rule=LMS(0.1, normalised=normalised), epochs=1)
    readout = model.stack.layers[-1]
    V, total = np.hstack([readout.V, readout.c[:, None]]), 0.0
    X, Y, w = design(model, batches)
    last = len(design(model, batches[:1])[0])
    for i, (x, y) in enumerate(zip(np.hstack([X, np.ones((len(X), 1))]), Y, strict=True)):
        error = y - V @ x
        total += (i >= last) * w[i] * np.mean(error**2)
        V = V + 0.1 * np.outer(error, x) / ((1e-8 + x @ x) if normalised else 1)
    close(result.model, V[:, :7], V[:, 7])
    np.testing.assert_allclose(result.history[-1]["measured"]["loss"], total, rtol=1e-8)


def test_ridge_reads_summaries_of_whole_sequences(x64):
    model = ost.ManyToOne(ost.RNN("echo-state", 2, 5, bidirectional=True, key=jr.key(0)), 1, pool="mean", key=jr.key(1))
    inputs = ost.SequenceBatch.from_padded(jr.normal(jr.key(2), (30, 6, 2)), np.arange(30) % 6 + 1)
    targets = jr.normal(jr.key(3), (30, 1))
    examples = ost.Examples(inputs, targets, jnp.ones(30))
    found = fit(model, Listed([examples]), loss=SQUARED, rule=Ridge(0.1), steps=1).model
    X = np.stack([np.mean(model.rnn(row[None])[0][0], axis=0) for row in map(jnp.asarray, inputs.to_sequences())])
    X, Y = X - X.mean(axis=0), targets - targets.mean()
    np.testing.assert_allclose(
        found.readout.V[0], np.linalg.solve(X.T @ X + 0.1 * np.eye(10), X.T @ Y)[:, 0], rtol=1e-8
    )


def wave(time=400):
    t = np.arange(time)
    return np.sin(0.2 * t) + 0.5 * np.sin(0.4 * t + 1)


@pytest.fixture
def loop(x64):
    k0, k1 = jr.split(jr.key(0))
    reservoir = ost.cells.EchoState(1, 60, spectral_radius=1.2, leak=0.5, bias_scaling=0.3, key=k0)
    return OutputFeedback(ost.Stack([reservoir, ost.Readout(60, 1, key=k1)]))


def test_without_a_penalty_the_smallest_of_the_best_readouts(problem) -> None:
    model, _ = problem
    few = make(3, rows=1, time=5)
    found = fit(model, Listed([few]), loss=SQUARED, rule=Ridge(0.0, intercept=False), steps=1).model
    X, Y, w = design(model, [few])
    assert len(X) < X.shape[1]
    V = np.linalg.lstsq(np.sqrt(w)[:, None] * X, np.sqrt(w)[:, None] * Y)[0].T
    np.testing.assert_allclose(found.stack.layers[-1].V, V, rtol=1e-6)


def test_force_step_by_step_and_the_network_goes_on_by_itself(loop):
    targets = jnp.asarray(wave())[None, :, None]
    empty = ost.SequenceBatch(jnp.zeros((1, 400, 0)))
    examples = ost.Examples(empty, targets, jnp.full((1, 400), 1 / 400))
    result = fit(loop, Listed([examples]), loss=SQUARED, rule=FORCE(alpha=0.1), steps=1)
    cell, readout = loop.stack.layers
    W, R, b = (np.asarray(a[0]) for a in (cell.W, cell.R, cell.b))
    V, P, h, y, total = np.asarray(readout.V), np.eye(60) / 0.1, np.zeros(60), np.zeros(1), 0.0
    for target in wave():
        h = 0.5 * h + 0.5 * np.tanh(W @ y + b + R @ h)
        y = V @ h
        total += (target - y[0]) ** 2 / 400
        k = P @ h / (1 + h @ P @ h)
        V, P = V + np.outer(target - y, k), P - np.outer(k, h @ P)
    np.testing.assert_allclose(result.last.stack.layers[1].V, V, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(result.history[-1]["measured"]["loss"], total, rtol=1e-6)
    # Alone, after the first hundred steps of the same run, it still makes the wave.
    ys = np.asarray(ost.unroll(result.last, jnp.zeros((400, 0)))[0])[:, 0]
    lags = [np.corrcoef(ys[200:300], wave()[200 + lag : 300 + lag])[0, 1] for lag in range(-40, 40)]
    assert max(lags) > 0.95
    before = np.asarray(ost.unroll(loop, jnp.zeros((400, 0)))[0])[:, 0]
    assert np.std(before[200:300]) < 0.1


def test_feedback_is_the_loop_written_out(loop):
    xs = jr.normal(jr.key(3), (5, 2))
    k0, k1 = jr.split(jr.key(1))
    cell = OutputFeedback(ost.Stack([ost.cells.GRU(3, 4, key=k0), ost.Readout(4, 1, key=k1)]))
    ys, final = ost.unroll(cell, xs)
    state, y = cell.stack.init_state(), jnp.zeros(1)
    for x, expected in zip(xs, ys, strict=True):
        state, y = cell.stack(jnp.concatenate([x, y]), state)
        np.testing.assert_allclose(expected, y, rtol=1e-12)
    np.testing.assert_allclose(final.inner[0].h, state[0].h, rtol=1e-12)
    with pytest.raises(ShapeError, match="stack: expected at least 4 inputs"):
        OutputFeedback(ost.Stack([ost.cells.GRU(3, 4, key=k0)]))


def test_what_is_refused(loop):
    plain = ost.RNN("gru", 2, 3, key=jr.key(0))
    bent = ost.RNN("gru", 2, 3, output_size=1, output_activation="tanh", key=jr.key(0))
    good = ost.RNN("gru", 2, 3, output_size=1, key=jr.key(0))
    residual = ost.RNN("gru", 3, 3, output_size=3, residual=True, key=jr.key(0))
    for rule in (Ridge(), RLS(), LMS()):
        for model, why in (
            (plain, "its last layer is no Readout"),
            (bent, "its read-out is tanh"),
            (residual, "the stack is residual"),
        ):
            with pytest.raises(UnsupportedRule, match=why):
                rule.check(model)
        assert type(rule.applies(good)).__name__ == "Exact"
    assert type(FORCE().applies(loop)).__name__ == "Approximate"
    with pytest.raises(UnsupportedRule, match="FORCE is the rule"):
        RLS().check(loop)
    with pytest.raises(UnsupportedRule, match="RLS is the rule"):
        FORCE().check(good)
    for wrong in (lambda: Ridge(-1.0), lambda: RLS(alpha=0.0), lambda: RLS(forget=1.1), lambda: LMS(rate=0.0)):
        with pytest.raises(SettingsError, match="expected"):
            wrong()
    assert body_of(ost.Readout(2, 1, key=jr.key(0))) is None
