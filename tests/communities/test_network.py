"""The network of a community against a recurrence by hand: closed loop, absent species, what is fed in."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ostinato as ost
from ostinato.communities.network import CommunityCell, CommunityNetwork, seen_squared
from ostinato.data import SequenceBatch


def network(steps: int, forcing: str, key: int = 0, zero: float = -1.0) -> CommunityNetwork:
    rnn = ost.RNN("lstm", 3, 5, output_size=3, key=jax.random.key(key))
    cell = CommunityCell(rnn.cell, jnp.full((steps + 1, 2), zero), jnp.ones(steps))
    return CommunityNetwork(cell, jnp.asarray(0, jnp.int32), forcing)


def by_hand(net: CommunityNetwork, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """The LSTM in float64 on a given list of inputs, None where the last output is fed back."""
    lstm, readout = net.cell.stack.layers
    W, R, b, V, c = (np.asarray(a, float) for a in (lstm.W, lstm.R, lstm.b, readout.V, readout.c))
    sigmoid = lambda a: 1 / (1 + np.exp(-a))
    h = s = np.zeros(5)
    y, ys = inputs[0], []
    absent = inputs[0][:2] <= -1.0
    for x in inputs:
        i, f, g, o = W @ (y if x is None else x) + R @ h + b
        s = sigmoid(f) * s + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(s)
        y = V @ h + c
        y[:2] = np.where(absent, -1.0, y[:2])
        ys.append(y)
    return ys


def test_the_closed_loop_and_the_mask() -> None:
    net = network(4, "none")
    first = np.array([0.3, -1.0, 0.7], np.float32)
    found = net.forecast(jnp.asarray(first)[None], 6)[0]
    expected = by_hand(net, [first.astype(float), None, None, None, None, None])
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-7)
    np.testing.assert_array_equal(found[:, 1], -1.0)


@pytest.mark.parametrize(("forcing", "shift"), [("sampled", 0), ("published", 1)])
def test_what_is_fed_in_when_it_is_forced(forcing: str, shift: int) -> None:
    """Every run is one of the sixteen ways to force four steps after the first; the published ones leak the target."""
    net = network(5, forcing)
    xs = np.random.default_rng(0).normal(size=(1, 6, 3)).astype(np.float32)
    batch = SequenceBatch(jnp.asarray(np.repeat(xs, 64, axis=0)))
    runs = np.asarray(net(batch, key=jax.random.key(3))[0])
    later = 5 - max(5 // 2, 1)
    ways = {}
    for free in (1, 2):
        for coins in np.ndindex(*(2,) * free):
            inputs: list = [xs[0, t].astype(float) for t in range(5 - free)]
            inputs += [xs[0, 5 - free + i + shift].astype(float) if c else None for i, c in enumerate(coins)]
            ways[free, coins] = np.array(by_hand(net, inputs))
    assert later == 3
    seen = set()
    for run in runs:
        apart = {way: np.abs(run - y).max() for way, y in ways.items()}
        best = min(apart, key=apart.__getitem__)
        assert apart[best] < 5e-6
        seen.add(best)
    assert len(seen) >= (4 if shift == 0 else 6)


def test_a_missing_step_is_never_forced() -> None:
    net = network(3, "sampled")
    xs = np.random.default_rng(0).normal(size=(1, 4, 3)).astype(np.float32)
    observed = np.ones((1, 4, 3), bool)
    observed[:, 1:, 0] = False
    batch = SequenceBatch(jnp.asarray(xs), observed=jnp.asarray(observed))
    found = np.asarray(net(batch, key=jax.random.key(0))[0][0])
    np.testing.assert_allclose(found, by_hand(net, [xs[0, 0].astype(float), None, None]), rtol=2e-6, atol=1e-6)


def test_the_loss_leaves_out_what_is_missing() -> None:
    y, t = jnp.array([1.0, 2.0, 3.0]), jnp.array([0.0, 0.0, 9.0])
    seen = jnp.array([True, True, False])
    assert float(seen_squared(y, (t, seen))) == pytest.approx((1 + 4) / 3)
