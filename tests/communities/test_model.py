"""The community model: its promises about absent species, hours, bounds, folds and files."""

from dataclasses import replace

import numpy as np
import pytest

from ostinato.communities import CommunityModel
from ostinato.communities.intervals import half_widths, residuals
from ostinato.errors import DataError, NotFitted, SettingsError, ShapeError


def test_fit_predict_save_load(make, fitted: CommunityModel, tmp_path) -> None:
    data, model = make(12), fitted
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


def test_hours_between_and_beyond(make, small) -> None:
    data = make(8)
    model = CommunityModel(**small).fit(data)
    grid = model.predict(data).values
    found = model.predict(data, [0, 4, 8, 24, 32])
    np.testing.assert_allclose(found.values[:, [0, 2, 3]], grid[:, [0, 1, 3]], rtol=1e-12)
    low, high = np.minimum(grid[:, 0], grid[:, 1]), np.maximum(grid[:, 0], grid[:, 1])
    assert ((found.values[:, 1] >= low - 1e-12) & (found.values[:, 1] <= high + 1e-12)).all()
    with pytest.raises(DataError, match="expected times from 0 h on"):
        model.predict(data, [-1.0])
    with pytest.raises(SettingsError, match="set folds"):
        model.predict(data, level=0.9)


def test_bounds_are_ranks_of_errors_on_communities_not_seen(make, fitted: CommunityModel) -> None:
    data, model = make(12), fitted
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


def test_cross_validation_judges_each_by_networks_that_have_not_seen_it(make, small) -> None:
    data = make(10)
    model = CommunityModel(**small | {"epochs": 1})
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
    with pytest.raises(ShapeError, match=r"order: expected \(communities,\) = \(10,\)"):
        model.cross_validate(data, order=[0, 1])
    with pytest.raises(SettingsError, match="order: expected two folds or more"):
        model.cross_validate(data, order=np.zeros(10))


def test_folds_have_not_seen_what_they_are_asked_about(make, small, fitted: CommunityModel) -> None:
    data = make(12)
    changed = data.values.copy()
    changed[0, 1:] *= 3.0
    other = CommunityModel(**small | {"members": 2, "folds": 3}).fit(replace(data, values=changed))
    np.testing.assert_allclose(other.unseen_[0], fitted.unseen_[0], rtol=1e-6)
    apart = np.abs(other.unseen_ - fitted.unseen_).max((1, 2))
    # Four communities are in each fold: the others' networks have seen the change.
    assert (apart > 1e-4).sum() == 8
    assert np.abs(other.predict(data).values - fitted.predict(data).values).max() > 1e-4


def test_missing_samples_and_any_cell(make, small) -> None:
    data = make(10)
    values = data.values.copy()
    values[3, 2], values[5, 1, 3] = np.nan, np.nan
    gaps = replace(data, values=values)
    for cell in ("ctrnn", "gru"):
        model = CommunityModel(cell, **small, pooled_scale=True).fit(gaps)
        assert np.isfinite(model.predict(gaps).values).all()
    assert model.evaluate(gaps)["count"] == 10


def test_what_is_refused(make, small) -> None:
    data = make(6)
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
            CommunityModel(**small | setting).fit(data)
    model = CommunityModel(**small).fit(data)
    with pytest.raises(DataError, match="'D' is not known to the model"):
        model.predict(replace(data, species=("A", "B", "D")))
    with pytest.raises(DataError, match="a sample at 5 h; the model was trained on 0, 8, 16, 24 h"):
        model.evaluate(replace(data, hours=np.array([0.0, 5.0, 16.0, 24.0])))
    with pytest.raises(DataError, match="they begin at 8 h, the model at 0 h"):
        model.evaluate(replace(data, hours=data.hours[1:], values=data.values[:, 1:]))
    values = data.values.copy()
    values[3, 0, 1] = np.nan
    for ask in (model.predict, model.evaluate, CommunityModel(**small).fit):
        with pytest.raises(DataError, match="'B' of community 'c3' is missing at 0 h, the first time"):
            ask(replace(data, values=values))
    # A fit that fails leaves the model as it was.
    before = model.predict(data).values
    with pytest.raises(SettingsError, match="folds: expected 2 to 6"):
        model.set_params(folds=9).fit(data)
    np.testing.assert_array_equal(model.predict(data).values, before)
