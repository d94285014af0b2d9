"""The studies of forecasts: nothing is fitted to a row that judges, and every row that judges is judged."""

from types import SimpleNamespace

import numpy as np
import pytest

from ostinato.data import Table, to_series
from ostinato.models import LinearAR, Persistence
from ostinato.studies import StudySettings
from ostinato.studies.series import backtests, ett, stocks, temperature

TWO = StudySettings(seeds=2)


@pytest.fixture
def fitted(monkeypatch):
    """What stands in the place of the network: it forecasts the last value, and keeps what it was fitted to."""
    made = []

    class Recorder:
        def __init__(self, *, horizon=1, **options):
            self.options, self.model = options, Persistence(horizon)

        def fit(self, series):
            made.append(SimpleNamespace(options=self.options, series=series))
            self.model.fit(series)
            return self

        def backtest(self, series, held, *, baselines):
            made[-1].judged = (series, held)
            return self.model.backtest(series, held, baselines=baselines)

    monkeypatch.setattr(backtests, "Forecaster", Recorder)
    return made


def autoregression(past, held, order):
    """The root of the mean squared error one step ahead of least squares on the past alone."""
    rows = lambda values, ends: np.stack([values[ends - k] for k in range(1, order + 1)] + [np.ones(len(ends))], axis=1)
    weights = np.linalg.lstsq(rows(past, np.arange(order, len(past))), past[order:], rcond=None)[0]
    whole = np.concatenate([past, held])
    ends = np.arange(len(past), len(whole))
    return np.sqrt(np.mean((rows(whole, ends) @ weights - held) ** 2))


def test_temperature_is_fitted_before_1989(fitted):
    days = np.arange("1987-01-01", "1989-03-01", dtype="datetime64[D]")
    rng = np.random.default_rng(0)
    values = rng.normal(size=len(days))
    held = int(np.sum(days >= np.datetime64("1989-01-01")))
    # Another law from 1989 on: who has seen it is better there.
    values[-held:] = 5 * np.cumsum(rng.normal(size=held))
    series = to_series(Table({"Date": days.astype(str).tolist(), "Temp": values.tolist()}), "Temp", "Date")
    (claim,) = temperature.judged(series, {}, TWO)
    assert [one.options for one in fitted] == [{"seed": 0}, {"seed": 1}]
    for one in fitted:
        assert one.series.times[0].max() < np.datetime64("1989-01-01")
        assert one.series.lengths == (len(days) - held,)
        assert one.judged == (series, held)
    assert claim.detail["days"] == held == 59
    last = np.sqrt(np.mean(np.diff(values)[-held:] ** 2))
    assert claim.ours == pytest.approx(last, rel=1e-9)
    assert claim.detail["rmse_by_seed"] == pytest.approx([last, last])
    assert claim.baseline["persistence"] == pytest.approx(last)
    assert claim.baseline["AR(7)"] == pytest.approx(autoregression(values[:-held], values[-held:], 7), rel=1e-6)
    assert claim.holds == (claim.ours <= 2.145)


def test_ett_fits_chooses_and_judges_on_three_stretches(fitted):
    stop, begin, rows = 260, 300, 380
    rng = np.random.default_rng(0)
    values = rng.normal(size=rows)
    values[stop:begin] += 50
    values[begin:] = 500 + 40 * rng.normal(size=rows - begin)
    hours = np.datetime64("2016-07-01T00") + np.arange(rows) * np.timedelta64(1, "h")
    series = to_series(Table({"date": hours.astype(str).tolist(), "OT": values.tolist()}), "OT", "date")
    claim, stretch = ett.judged(series, stop, begin, {"horizon": ett.HORIZON}, TWO)
    for one in fitted:
        assert one.series.lengths == (begin,)
        assert one.options["validation"] == begin - stop
        assert one.judged == (series, rows - begin)
    unit = np.std(values[:stop])
    alone = LinearAR(96, 24).fit(series.cut(0, stop)).backtest(series, rows - begin, baselines={})
    assert claim.baseline["linear(96)"] == pytest.approx(alone.mse(alone.model) / unit**2)
    ahead = np.arange(begin, rows - 23)[:, None] + np.arange(24)
    last = np.mean((values[ahead] - values[ahead[:, :1] - 1]) ** 2) / unit**2
    assert claim.ours == stretch.ours == pytest.approx(last)
    assert claim.detail["origins"] == len(ahead)
    assert "validation" not in claim.detail["settings"]


def test_stocks_hold_out_the_last_fifth(fitted):
    values = np.array([9.0, 11.0] * 40 + [12.0, 14.0] * 10)
    series = to_series(Table({"close": values.tolist()}), "close")
    (claim,) = stocks.judged(series, {}, TWO)
    assert [one.series.lengths for one in fitted] == [(80,), (80,)]
    # The mean of what was seen, 10, is 2 or 4 away from all that is judged.
    assert claim.baseline["mean"] == pytest.approx(np.sqrt(10))
    assert claim.ours == pytest.approx(np.sqrt((1 + 19 * 4) / 20))
    assert claim.detail["days"] == 20
    assert claim.holds


@pytest.mark.parametrize(("error", "holds"), [(1.019, True), (1.021, False)])
def test_the_bar_of_stocks_is_two_per_cent_above_persistence(monkeypatch, error, holds):
    test = SimpleNamespace(model="LSTM", origins=[0], rmse=lambda name: error if name == "LSTM" else 1.0)
    test.skill = lambda name: 0.0
    monkeypatch.setattr(stocks, "backtests", lambda *given: [(0, test)])
    series = to_series(Table({"close": np.arange(1.0, 101.0).tolist()}), "close")
    assert stocks.judged(series, {}, StudySettings())[0].holds is holds
