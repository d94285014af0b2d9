"""Batches gathered on the device, many steps in one call: the same examples, the same bits, however long the window."""

import os
import signal

import jax
import numpy as np
import optax
import pytest

import ostinato as ost
from ostinato.communities.batches import MemberBatches
from ostinato.communities.members import Member
from ostinato.data import Batches, FunctionBatches, SequenceSource, WindowSource
from ostinato.errors import Interrupted
from ostinato.layers.dropout import Dropout
from ostinato.models.forecast.features import Layout
from ostinato.models.forecast.windows import OriginWindows
from ostinato.runs import Run
from ostinato.studies.batches import SeedBatches
from ostinato.tasks import Adding
from ostinato.training import fit

ADAM = optax.adam(0.01)


def ragged(per_step=True, **options):
    """Eleven sequences in two buckets, with gaps, uneven steps and weights."""
    rng = np.random.default_rng(3)
    lengths = [2, 3, 3, 1, 2, 6, 5, 6, 3, 6, 2]
    values = [np.where(rng.random((n, 2)) < 0.2, np.nan, rng.normal(size=(n, 2))) for n in lengths]
    targets = [rng.normal(size=(n, 1)) for n in lengths] if per_step else rng.normal(size=(11, 1))
    weight = [rng.uniform(size=n) for n in lengths] if per_step else rng.uniform(size=11)
    dt = [rng.uniform(0.5, 2, size=n) for n in lengths]
    source = SequenceSource(values, targets, per_step=per_step, weight=weight, dt=dt, missing=True)
    return Batches(source, 4, buckets=[3, 6], seed=5, **options)


def windows(per_step):
    """Of two series with gaps, one of them with targets of their own."""
    rng = np.random.default_rng(1)
    series = [np.where(rng.random((n, 2)) < 0.1, np.nan, rng.normal(size=(n, 2))) for n in (9, 7)]
    targets = [s[:, :1] * 2 for s in series] if per_step else None
    return Batches(WindowSource(series, 3, targets, horizon=2, per_step=per_step), 4)


def origins(missing):
    """Targets, a past and a future column; windows with and without truth."""
    rng = np.random.default_rng(2)
    arrays = [rng.normal(size=(n, 4)) for n in (12, 9)]
    arrays[0][7:10, :2] = np.nan
    source = OriginWindows(arrays, Layout(2, 1, 1, 0, 0), 4, 2, [np.arange(4, 11), np.arange(4, 8)], missing=missing)
    return Batches(source, 4, buckets=1)


def members():
    rng = np.random.default_rng(0)
    rows = [np.arange(5), np.array([0, 2, 4])]
    values = [np.where(rng.random((len(r), 3, 2)) < 0.2, np.nan, rng.normal(size=(len(r), 3, 2))) for r in rows]
    return MemberBatches([Member(r, s) for s, r in enumerate(rows)], values, 2, shuffle=True)


@pytest.mark.parametrize(
    "batches",
    [
        ragged(),
        ragged(per_step=False),
        ragged(weight="given", drop_last=True),
        windows(per_step=False),
        windows(per_step=True),
        origins(missing=False),
        origins(missing=True),
        members(),
        FunctionBatches(lambda key: Adding(length=4).sample(key, 3), 4, seed=2),
        SeedBatches(Adding(length=4), 3, [0, 1], 4),
    ],
    ids=["per step", "per sequence", "given", "windows", "steps", "origins", "missing", "members", "function", "seeds"],
)
def test_what_is_gathered_is_the_batch_of_the_step(batches):
    stored = batches.stored()
    shapes = [jax.jit(gather) for gather in stored.gathers]
    found = []
    for step in range(2 * len(batches)):
        shape, rows = stored.rows(step)
        mine, expected = shapes[shape](stored.data, rows), batches.at(step)
        assert jax.tree.structure(mine) == jax.tree.structure(expected)
        for a, b in zip(jax.tree.leaves(mine), jax.tree.leaves(expected), strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=0)
        found.append(np.asarray(mine.inputs.values).tobytes())
    assert len(set(found)) > len(batches)


@pytest.fixture(scope="module")
def model():
    """Noise, and a state that runs through time."""
    cell = ost.RNN("elman", 2, 3, key=jax.random.key(0))
    return ost.Stack([Dropout(2, 0.3), *cell.stack.layers, ost.Readout(3, 1, key=jax.random.key(1))])


def leaves(result):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(result.last) if hasattr(leaf, "dtype")]


def test_windows_of_any_length_give_the_same_bits(model, linear):
    batches, seen = ragged(), {}
    count = 0
    for every in (1, 7):
        result = fit(model, batches, loss=ost.losses.squared, optimizer=ADAM, steps=18, every=every)
        seen[every] = leaves(result)
        assert [r["step"] for r in result.history] == sorted({*range(every, 19, every), 18})
        count += result.compilations
    assert seen[1] == seen[7]
    assert count == 2
    # Batch after batch from the host: the same sums, in another program.
    alone = fit(
        model, linear.Listed([batches.at(t) for t in range(18)]), loss=ost.losses.squared, optimizer=ADAM, steps=18
    ).last
    for a, b in zip(jax.tree.leaves(alone), jax.tree.leaves(result.last), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_an_interrupted_window_ends_with_the_same_bits(model, tmp_path):
    stops = [3, 7]

    def tell(event):
        if stops and event.kind == "evaluation" and event.step >= stops[0]:
            stops.pop(0)
            os.kill(os.getpid(), signal.SIGTERM)

    options = {"loss": ost.losses.squared, "optimizer": ADAM, "steps": 18, "every": 3}
    whole = fit(model, ragged(), **options)
    for _ in range(2):
        with pytest.raises(Interrupted), Run(tmp_path, {}) as run:
            fit(model, ragged(), run=run, callback=tell, **options)
    with Run(tmp_path, {}) as run:
        again = fit(model, ragged(), run=run, **options)
    assert leaves(again) == leaves(whole)
    assert [r["loss"] for r in again.history] == [r["loss"] for r in whole.history]
