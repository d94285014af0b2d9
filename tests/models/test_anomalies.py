"""Anomaly scores against counts by hand."""

import numpy as np
import pytest

from ostinato.errors import DataError, SettingsError
from ostinato.models import Persistence
from ostinato.models.forecast.anomalies import anomalies


def test_p_values_are_ranks_among_the_calibrated_errors():
    rng = np.random.default_rng(0)
    y = rng.normal(size=200).cumsum()
    model = Persistence().fit(y[:160])
    old = abs(model.calibration_.errors[:, 0, 0])
    found = anomalies(model, y, 0.1)
    new = np.diff(y[159:])
    p = np.array([(1 + (old >= abs(e)).sum()) / (len(old) + 1) for e in new])
    assert found.columns["row"].tolist() == list(range(160, 200))
    assert found.columns["0_p"] == pytest.approx(p)
    assert found.columns["0_score"] == pytest.approx(new / np.sqrt(np.mean(old**2)))
    assert found.columns["0_forecast"].tolist() == y[159:199].tolist()
    assert found.count == (p <= 0.1).sum() > 0


def test_where_nothing_is_wrong_so_many_are_called_so():
    rng = np.random.default_rng(1)
    y = rng.standard_t(4, size=6000).cumsum()
    assert anomalies(Persistence().fit(y[:4000]), y, 0.05).columns["0_anomaly"].mean() == pytest.approx(0.05, abs=0.015)


def test_what_is_refused():
    y = np.arange(30.0) ** 1.5
    with pytest.raises(DataError, match="no row after"):
        anomalies(Persistence().fit(y), y)
    with pytest.raises(SettingsError, match="threshold"):
        anomalies(Persistence().fit(y[:20]), y, 1.0)
    with pytest.raises(DataError, match="calibrate"):
        anomalies(Persistence().fit(y[:20], calibrate=False), y)
