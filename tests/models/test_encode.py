"""The state of a forecaster's network: what its head sees."""

import numpy as np
import pytest

from ostinato.errors import LengthError, SettingsError
from ostinato.models import Forecaster, Persistence
from ostinato.models.forecast.encode import encode

SMALL = {"cell": "elman", "hidden_size": 3, "context": 5, "epochs": None, "steps": 0, "validation": 0}


def test_the_head_on_the_states_is_the_forecast():
    rng = np.random.default_rng(0)
    table = {"id": ["a"] * 20 + ["b"] * 30, "y": np.r_[rng.normal(size=20), 50 * rng.normal(size=30)]}
    model = Forecaster(horizon=2, **SMALL).fit(table, "y", series="id", calibrate=False)
    states, head = encode(model), model.network_.head
    assert states.shape == (2, 3)
    V, c = np.asarray(head.V), np.asarray(head.c)
    scaled = np.einsum("koh,nh->nko", V, states) + c
    said = model.predict(level=()).values
    for i in range(2):
        assert model.features_.to_units(scaled[i], model.tail_, i) == pytest.approx(said[i], rel=1e-4, abs=1e-5)
    longer = table | {"y": table["y"] + np.r_[np.zeros(49), 9.0]}
    assert encode(model, longer)[0].tolist() == states[0].tolist() != encode(model, longer)[1].tolist()


def test_what_has_no_state_is_refused():
    with pytest.raises(SettingsError, match="one network"):
        encode(Persistence().fit(np.arange(9.0)))
    model = Forecaster(**SMALL).fit(np.sin(np.arange(30.0)), calibrate=False)
    with pytest.raises(LengthError, match="needs 5 rows"):
        encode(model, np.arange(4.0))
