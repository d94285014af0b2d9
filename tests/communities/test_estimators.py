"""Every model of the room as an estimator: saved, read back, cloned, refusing other features."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from ostinato.communities import (
    COMMUNITY_MODELS,
    ApproximateLotkaVolterra,
    CommunityModel,
    ConsumerResource,
    LotkaVolterra,
)
from ostinato.data import Communities
from ostinato.errors import DataError, NotFitted
from ostinato.models import load


def of(model: Any, data: Communities) -> np.ndarray:
    found = model.predict(data)
    return found.values if isinstance(model, CommunityModel) else found


@pytest.fixture(scope="module")
def data(make) -> Communities:
    return make(12)


@pytest.fixture(scope="module")
def models(data: Communities, fitted: CommunityModel) -> dict[str, Any]:
    """One of each kind, fitted to the same communities."""
    return {
        "community": fitted,
        "approximate-lotka-volterra": ApproximateLotkaVolterra(3, epochs=2, seed=5).fit(data),
        "lotka-volterra": LotkaVolterra(third=True, ridge=1.0).fit(data),
        "consumer-resource": ConsumerResource(ridge=1e-3).fit(data),
    }


@pytest.mark.parametrize("kind", list(COMMUNITY_MODELS))
def test_saved_and_read_back_and_cloned(kind: str, models: dict[str, Any], data: Communities, tmp_path) -> None:
    model = models[kind]
    other = load(model.save(tmp_path / "model"), COMMUNITY_MODELS)
    assert type(other) is type(model)
    assert other.get_params() == model.get_params()
    np.testing.assert_array_equal(of(other, data), of(model, data))
    blank = clone(model)
    assert blank.get_params() == model.get_params()
    assert not blank.is_fitted
    with pytest.raises(NotFitted):
        blank.predict(data)
    renamed = Communities(data.names, ("A", "B", "D"), data.metabolites, data.hours, data.values)
    with pytest.raises(DataError, match="'D' is not known to the model"):
        other.predict(renamed)


def test_given_parameters_are_saved_too(tmp_path) -> None:
    rng = np.random.default_rng(0)
    plain, third = (LotkaVolterra.random(2, third=s, seed=1) for s in (0.0, 0.5))
    for number, model in enumerate((plain, third)):
        other = LotkaVolterra.load(model.save(tmp_path / str(number)))
        np.testing.assert_array_equal(other.growth_, model.growth_)
        np.testing.assert_array_equal(other.interactions_, model.interactions_)
        assert (other.third_ is None, other.species_) == (model.third_ is None, None)
    np.testing.assert_array_equal(LotkaVolterra.load(tmp_path / "1").third_, third.third_)
    c, y, m, d = rng.uniform(0.1, 1, (2, 3)), rng.uniform(0.1, 1, (2, 3)), rng.uniform(0, 1, 2), np.eye(3)[::-1] / 2
    given = ConsumerResource.from_parameters(c, y, m, d)
    other = ConsumerResource.load(given.save(tmp_path / "consumers"))
    for name in ("uptake_", "yields_", "maintenance_", "conversion_"):
        np.testing.assert_array_equal(getattr(other, name), getattr(given, name))
