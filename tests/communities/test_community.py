"""The community model against a recurrence by hand, its promises about absent species, folds, intervals and files."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ostinato as ost
from ostinato.communities import CommunityModel
from ostinato.communities.baselines import CommunityLinear, CommunityMean, _left_out, _solve
from ostinato.communities.batches import MemberBatches
from ostinato.communities.intervals import half_widths, residuals
from ostinato.communities.members import Member, ScaledNetworks
from ostinato.communities.network import CommunityCell, CommunityNetwork, seen_squared
from ostinato.communities.scores import by_feature, by_time, coverage, summary
from ostinato.data import Communities, SequenceBatch
from ostinato.errors import DataError, NotFitted, SettingsError
from ostinato.models.measures import pearson

SMALL = {"hidden_size": 4, "members": 1, "folds": 0, "epochs": 2, "batch_size": 4}


def made(count: int = 10, times: int = 4, seed: int = 0) -> Communities:
    """Three species and an acid, which one of them makes out of what another leaves."""
    rng = np.random.default_rng(seed)
    present = rng.integers(0, 2, (count, 3)).astype(bool)
    present[np.arange(count), np.arange(count) % 3] = True
    start = np.where(present, 0.01, 0.0)
    hours = np.arange(times) * 8.0
    growth = np.array([1.0, 2.0, 0.5]) - 0.4 * present.sum(1, keepdims=True)
    values = start[:, None] * np.exp(np.minimum(growth[:, None] * hours[:, None] / 8, 4.0))
    acid = 5 + 20 * values[..., :1] + rng.normal(size=(count, times, 1)) * 0.01
    names = tuple(f"c{i}" for i in range(count))
    return Communities(names, ("A", "B", "C"), ("acid",), hours, np.concatenate([values, acid], axis=-1))


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


def test_rows_come_round_and_round() -> None:
    values = [np.arange(5.0)[:, None, None] * np.ones((1, 2, 1)), np.arange(3.0)[:, None, None] * np.ones((1, 2, 1))]
    members = [Member(np.arange(5), 0), Member(np.arange(3), 1)]
    plain = MemberBatches(members, values, 2, shuffle=False)
    assert len(plain) == 3
    rows = np.concatenate([np.asarray(plain.at(s).inputs.values)[:, :, 0, 0] for s in range(5)], axis=1)
    np.testing.assert_array_equal(rows[0], np.arange(10) % 5)
    np.testing.assert_array_equal(rows[1], np.arange(10) % 3)
    mixed = MemberBatches(members, values, 2, shuffle=True)
    rows = np.concatenate([np.asarray(mixed.at(s).inputs.values)[:, :, 0, 0] for s in range(5)], axis=1)
    assert sorted(rows[0, :5]) == sorted(rows[0, 5:]) == [0, 1, 2, 3, 4]
    assert not np.array_equal(rows[0, :5], rows[0, 5:])


def trained(model: CommunityModel, data: Communities, members: list[Member]) -> ScaledNetworks:
    scales, result = model._train_members(data, members)
    return ScaledNetworks(result.model, scales)


def test_networks_side_by_side_are_those_trained_alone() -> None:
    data, model = made(), CommunityModel(**SMALL)
    members = [Member(np.arange(10), 0), Member(np.arange(9), 3)]
    together, alone = (trained(model, data, part) for part in (members, members[1:]))
    # The longest job sets how many steps there are: ten rows and nine both make three batches of four.
    a = together.forecast(data.initial, 3)[1]
    b = alone.forecast(data.initial, 3)[0]
    longest = [len(MemberBatches(j, [data.values[x.rows] for x in j], 4, True)) for j in (members, members[1:])]
    assert longest[0] == longest[1]
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert together.scales[1].mean[1, 3] == pytest.approx(data.values[:9, 1, 3].mean())


def test_fit_predict_save_load(tmp_path) -> None:
    data = made(12)
    model = CommunityModel(**SMALL | {"members": 2, "folds": 3}).fit(data)
    found = model.predict(data, level=0.9)
    np.testing.assert_array_equal(found.hours, data.hours)
    np.testing.assert_array_equal(found.values[:, 0], data.initial)
    absent = ~data.present
    assert (found.values[..., :3][np.repeat(absent[:, None], 4, axis=1)] == 0).all()
    assert found.lower is not None
    assert found.upper is not None
    assert (found.lower <= found.values).all()
    assert (found.upper[..., :3][np.repeat(absent[:, None], 4, axis=1)] == 0).all()
    np.testing.assert_allclose(model.predict_members(data).mean(0), found.values[:, 1:], rtol=1e-12, atol=1e-12)
    other = CommunityModel.load(model.save(tmp_path / "model"))
    assert isinstance(other, CommunityModel)
    again = other.predict(data, level=0.9)
    np.testing.assert_array_equal(again.values, found.values)
    np.testing.assert_array_equal(again.upper, found.upper)
    assert other.evaluate(data)["coverage"] == model.evaluate(data)["coverage"]
    assert other.parameters_ == 4 * 4 * (4 + 4 + 1) + 4 * 5


def test_hours_between_and_beyond() -> None:
    data = made(8)
    model = CommunityModel(**SMALL).fit(data)
    grid = model.predict(data).values
    found = model.predict(data, [0, 4, 8, 24, 32])
    np.testing.assert_allclose(found.values[:, [0, 2, 3]], grid[:, [0, 1, 3]], rtol=1e-12)
    low, high = np.minimum(grid[:, 0], grid[:, 1]), np.maximum(grid[:, 0], grid[:, 1])
    assert ((found.values[:, 1] >= low - 1e-12) & (found.values[:, 1] <= high + 1e-12)).all()
    with pytest.raises(DataError, match="expected times from 0 h on"):
        model.predict(data, [-1.0])
    with pytest.raises(SettingsError, match="set folds"):
        model.predict(data, level=0.9)


def test_bounds_are_ranks_of_errors_on_communities_not_seen() -> None:
    data = made(12)
    model = CommunityModel(**SMALL | {"folds": 3}).fit(data)
    errors = residuals(data, model.unseen_)
    assert np.isfinite(model.unseen_).all()
    # Acid: all twelve communities; the rank is that of 13 * 0.9 among all 36 errors, as 12 are few.
    pooled = np.sort(errors[:, 3].ravel())
    half = half_widths(errors, 0.9)[:, 3]
    np.testing.assert_allclose(half, pooled[int(np.ceil(37 * 0.9)) - 1])
    found = model.predict(data, level=0.9)
    assert found.upper is not None
    np.testing.assert_allclose(found.upper[:, 1, 3] - found.values[:, 1, 3], half[0])
    beyond = model.predict(data, [40.0], level=0.9)
    assert beyond.upper is not None
    assert np.isnan(beyond.upper).all()


def test_cross_validation_judges_each_by_networks_that_have_not_seen_it() -> None:
    data = made(10)
    model = CommunityModel(**SMALL | {"epochs": 1})
    order = np.arange(10) % 2
    before = model.cross_validate(data, order=order)
    changed = data.values.copy()
    changed[0, 1:] *= 3.0
    after = model.cross_validate(replace(data, values=changed), order=order)
    # Community 0 lies in the first fold: the second fold's predictions see the change, its own do not.
    np.testing.assert_allclose(after[0], before[0], rtol=1e-6)
    assert np.abs(after[1] - before[1]).max() > 1e-4
    assert not model.is_fitted
    with pytest.raises(SettingsError, match="folds: expected 2 to 10"):
        model.cross_validate(data, 11)


def test_missing_samples_and_any_cell() -> None:
    data = made(10)
    values = data.values.copy()
    values[3, 2], values[5, 1, 3] = np.nan, np.nan
    gaps = replace(data, values=values)
    for cell in ("ctrnn", "gru"):
        model = CommunityModel(cell, **SMALL, pooled_scale=True).fit(gaps)
        assert np.isfinite(model.predict(gaps).values).all()
    assert model.evaluate(gaps)["count"] == 10


def test_scores_against_their_definitions() -> None:
    data = made(9)
    predicted = data.values[:, 1:] * 1.5 + 0.1
    rows = by_time(data, predicted)
    t, p = data.values[:, 1, :3].ravel(), predicted[:, 0, :3].ravel()
    assert rows[0]["r2"]["species"] == pytest.approx(np.corrcoef(t, p)[0, 1] ** 2, rel=1e-9)
    t, p = data.values[:, 2, 3], predicted[:, 1, 3]
    assert rows[1]["determination"]["acid"] == pytest.approx(1 - ((t - p) ** 2).sum() / ((t - t.mean()) ** 2).sum())
    features = by_feature(data, predicted)
    there = data.present[:, 0]
    t, p = data.values[there, 1:, 0].ravel(), predicted[there, :, 0].ravel()
    assert features[0]["r"] == pytest.approx(np.corrcoef(t, p)[0, 1], rel=1e-9)
    assert features[0]["rmse"] == pytest.approx(np.sqrt(((t - p) ** 2).mean()))
    assert summary(features)["species_r"] == pytest.approx(np.mean([f["r"] for f in features[:3]]))
    counted = data.present.sum() * 3 + 9 * 3
    lower, upper = np.full_like(predicted, -1.0), data.values[:, 1:] - 1e-9
    upper[0, 0, 3] += 1.0
    assert coverage(data, lower, upper) == pytest.approx(1 / counted)


def test_baselines_against_their_definitions() -> None:
    data = made(14)
    mean = CommunityMean.fit(data).predict(data)
    there = data.present[:, 1]
    np.testing.assert_allclose(mean[there, 0, 1], data.values[there, 1, 1].mean())
    assert (mean[~there, :, 1] == 0).all()
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(8, 2)), rng.normal(size=(8, 1))
    for i in range(8):
        rest = np.arange(8) != i
        centre, constant = inputs[rest].mean(0), targets[rest].mean(0)
        w = _solve(inputs[rest] - centre, targets[rest] - constant, 0.7)
        alone = targets[i] - constant - (inputs[i] - centre) @ w
        np.testing.assert_allclose(_left_out(inputs, targets, 0.7)[i], alone, rtol=1e-9)
    linear = CommunityLinear.fit(data).predict(data)
    assert pearson(data.values[:, 1:, 3], linear[..., 3]) > pearson(data.values[:, 1:, 3], mean[..., 3])


def test_gradients_do_not_reach_what_is_fixed() -> None:
    data = made(6)
    model = CommunityModel(**SMALL, mask=True).fit(data)
    cell = model.networks_.networks.member(0).cell
    np.testing.assert_allclose(
        cell.zero, -model.networks_.scales[0].mean[:, :3] / model.networks_.scales[0].scale[:, :3], rtol=1e-6
    )
    np.testing.assert_allclose(cell.dt, 1.0)
    assert eqx.is_array(cell.zero)


def test_what_is_refused() -> None:
    data = made(6)
    with pytest.raises(NotFitted):
        CommunityModel().predict(data)
    for setting, said in (
        ({"forcing": "always"}, "forcing: expected one of"),
        ({"folds": 1}, "folds: expected 0, or 2 or more"),
        ({"folds": 7}, "folds: expected 2 to 6"),
        ({"schedule": "steps"}, "schedule"),
        ({"cell": "lstmm"}, "lstmm"),
    ):
        with pytest.raises(SettingsError, match=said):
            CommunityModel(**SMALL | setting).fit(data)
    model = CommunityModel(**SMALL).fit(data)
    with pytest.raises(DataError, match="'D' is not known to the model"):
        model.predict(replace(data, species=("A", "B", "D")))
    with pytest.raises(DataError, match="a sample at 5 h; the model was trained on 0, 8, 16, 24 h"):
        model.evaluate(replace(data, hours=np.array([0.0, 5.0, 16.0, 24.0])))
