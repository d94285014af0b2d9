"""Networks side by side: the rows that each is given, and that none sees another."""

import equinox as eqx
import numpy as np
import pytest

from ostinato.communities import CommunityModel
from ostinato.communities.batches import MemberBatches
from ostinato.communities.members import Member, ScaledNetworks
from ostinato.data import Communities


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


def test_networks_side_by_side_are_those_trained_alone(make, small) -> None:
    data, model = make(), CommunityModel(**small)
    members = [Member(np.arange(10), 0), Member(np.arange(9), 3)]
    together, alone = (trained(model, data, part) for part in (members, members[1:]))
    # The longest job sets how many steps there are: ten rows and nine both make three batches of four.
    a = together.forecast(data.initial, 3)[1]
    b = alone.forecast(data.initial, 3)[0]
    longest = [len(MemberBatches(j, [data.values[x.rows] for x in j], 4, True)) for j in (members, members[1:])]
    assert longest[0] == longest[1]
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert together.scales[1].mean[1, 3] == pytest.approx(data.values[:9, 1, 3].mean())


def test_what_is_fixed_is_not_learned(fitted: CommunityModel) -> None:
    cell, scale = fitted.network_.member(0).cell, fitted.scales_[0]
    np.testing.assert_allclose(cell.zero, -scale.mean[:, :3] / scale.scale[:, :3], rtol=1e-6)
    np.testing.assert_allclose(cell.dt, 1.0)
    assert eqx.is_array(cell.zero)
