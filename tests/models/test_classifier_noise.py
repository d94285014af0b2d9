"""Noise in training: what each kind does to a sequence, and that it leaves prediction alone."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

import ostinato as ost
from ostinato.layers import Readout
from ostinato.layers.dropout import Dropout
from ostinato.models.sequences.network import Noise, SequenceNetwork

ROWS, TIME, FEATURES = 400, 12, 8


def noise(**kinds: float) -> np.ndarray:
    return np.asarray(Noise(**kinds)(jnp.ones((ROWS, TIME, FEATURES)), jr.key(0)), np.float64)


def test_noise_at_each_entry() -> None:
    added = noise(step=0.5) - 1
    # 38,400 draws: mean and deviation within 5 standard errors.
    assert abs(added.mean()) < 5 * 0.5 / np.sqrt(added.size)
    assert abs(added.std() - 0.5) < 5 * 0.5 / np.sqrt(2 * added.size)
    assert np.abs(np.corrcoef(added.reshape(ROWS, -1).T) - np.eye(TIME * FEATURES)).max() < 6 / np.sqrt(ROWS)


def test_an_offset_that_a_sequence_keeps() -> None:
    added = noise(sequence=0.5) - 1
    np.testing.assert_allclose(added, np.broadcast_to(added[:, :1], added.shape), atol=1e-6)
    assert abs(added[:, 0].std() - 0.5) < 5 * 0.5 / np.sqrt(2 * ROWS * FEATURES)


def widths_of_runs(hidden: np.ndarray) -> list[int]:
    """Lengths of the runs of True in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], hidden.astype(int), [0]])))
    return (edges[1::2] - edges[::2]).tolist()


def test_bands_are_hidden_in_time_and_features() -> None:
    for kinds, axis in (({"time_band": 3}, 2), ({"feature_band": 3}, 1)):
        left = noise(**kinds)
        assert set(np.unique(left)) == {0.0, 1.0}
        # Along the other axis all entries share the band.
        assert np.array_equal(left.min(axis), left.max(axis))
        runs = [widths_of_runs(row == 0) for row in left.min(axis)]
        assert max(map(len, runs)) == 2
        assert {width for run in runs if len(run) == 2 for width in run} == {1, 2, 3}
        # Two bands of 0 to 3 that may meet: none hidden in a sixteenth of the sequences.
        assert 0.02 < np.mean([not run for run in runs]) < 0.13


def test_noise_is_for_training_only() -> None:
    keys = jr.split(jr.key(1), 3)
    rnn = ost.RNN("gru", 2, 4, key=keys[0])
    quiet = SequenceNetwork(rnn, Dropout(4, 0.0), Readout(4, 3, key=keys[1]), Noise(), "mean")
    loud = eqx.tree_at(lambda n: (n.dropout, n.noise), quiet, (Dropout(4, 0.5), Noise(0.5, 0.5, 2, 1)))
    batch = ost.SequenceBatch.from_sequences([np.ones((5, 2)), np.ones((3, 2))])
    expected = np.asarray(quiet(batch)[0])
    assert np.array_equal(loud(batch)[0], expected)
    one, other = (np.asarray(loud(batch, key=jr.key(k))[0]) for k in (0, 1))
    assert np.abs(one - expected).max() > 0.01
    assert np.abs(one - other).max() > 0.01
    assert np.array_equal(one, loud(batch, key=jr.key(0))[0])
    assert jax.tree.structure(quiet(batch)[1]) == jax.tree.structure(loud(batch)[1])
