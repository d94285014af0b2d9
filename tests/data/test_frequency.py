"""Steps, seasons and the times that follow, against pandas' date ranges; waves of the calendar against dates."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato.data import Frequency, calendar, infer_frequency
from ostinato.errors import DataError

pandas = pytest.importorskip("pandas")


@pytest.mark.parametrize(
    ("rule", "name", "season"),
    [
        ("15min", "every 900 seconds", 96),
        ("h", "hourly", 24),
        ("4h", "every 14400 seconds", 6),
        ("D", "daily", 7),
        ("B", "business daily", 5),
        ("W", "weekly", 52),
        ("MS", "monthly", 12),
        ("ME", "monthly", 12),
        ("QS", "quarterly", 4),
        ("QE", "quarterly", 4),
        ("YS", "yearly", None),
        ("YE", "yearly", None),
    ],
)
@pytest.mark.parametrize("start", ["2019-12-17 05:30", "2015-01-31 00:00"])
def test_frequencies_of_date_ranges(rule, name, season, start):
    times = pandas.date_range(start, periods=60, freq=rule).to_numpy()
    frequency = infer_frequency(times[:40])
    assert frequency.name == name
    assert frequency.season == season
    np.testing.assert_array_equal(frequency.ahead(times[39], 20), times[40:])
    np.testing.assert_array_equal(frequency.gaps(times), np.ones(59))


def test_seasons():
    assert infer_frequency(pandas.date_range("2020", periods=30, freq="h")).seasons == (24, 168, 8766)
    assert infer_frequency(pandas.date_range("2020", periods=30, freq="D")).seasons == (7, 365.25)
    assert infer_frequency(pandas.date_range("2020", periods=30, freq="MS")).seasons == (12,)


@given(st.lists(st.integers(1, 3), min_size=8, max_size=40), st.sampled_from([60, 3600, 86400, 604800]))
def test_gaps_are_counted_where_most_steps_are_one(extra, every):
    gaps = np.array([1] * (len(extra) + 2) + extra)
    start = np.datetime64("2021-03-06T00:00:00", "s")
    times = start + np.concatenate([[0], np.cumsum(gaps)]) * np.timedelta64(every, "s")
    frequency = infer_frequency(times)
    assert frequency == Frequency("second", every)
    np.testing.assert_array_equal(frequency.gaps(times), gaps)


def test_a_day_that_the_month_lacks():
    ahead = Frequency("month", 1).ahead(np.datetime64("2023-12-30T00:00:00"), 3)
    assert ahead.astype("M8[D]").astype(str).tolist() == ["2024-01-30", "2024-02-29", "2024-03-30"]
    last = Frequency("month end", 1).ahead(np.datetime64("2024-02-29T00:00:00"), 2)
    assert last.astype("M8[D]").astype(str).tolist() == ["2024-03-31", "2024-04-30"]


def test_no_frequency():
    assert infer_frequency(np.array(["2020-01-01"], "M8[s]")) is None
    assert infer_frequency(np.array([0, 3, 10, 12, 40], "M8[s]")) is None
    assert infer_frequency(np.array(["2020-01-01", "NaT"], "M8[s]")) is None


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))
def test_places_in_the_calendar(moment):
    waves = calendar(np.array([moment], "M8[s]"), ["hour", "weekday", "month", "yearday:2"])
    moment = moment.replace(microsecond=0)
    begin, end = datetime(moment.year, 1, 1), datetime(moment.year + 1, 1, 1)
    places = {
        "hour": (moment.hour * 3600 + moment.minute * 60 + moment.second) / 86400,
        "weekday": moment.weekday() / 7,
        "month": (moment.month - 1) / 12,
        "yearday": (moment - begin) / (end - begin),
    }
    assert list(waves) == [
        f"{n}_{w}{k}" for n in places for k in ((1, 2) if n == "yearday" else (1,)) for w in ("sin", "cos")
    ]
    for name, place in places.items():
        for k in (1, 2) if name == "yearday" else (1,):
            np.testing.assert_allclose(waves[f"{name}_sin{k}"], np.sin(2 * np.pi * k * place), atol=1e-12)
            np.testing.assert_allclose(waves[f"{name}_cos{k}"], np.cos(2 * np.pi * k * place), atol=1e-12)


@pytest.mark.parametrize("name", ["century", "hour:0", "hour:x", "hour:-1"])
def test_unknown_waves(name):
    with pytest.raises(DataError, match="expected one of hour, weekday, month, yearday"):
        calendar(np.array(["2020-01-01"], "M8[s]"), [name])
    with pytest.raises(DataError, match="expected times"):
        calendar(np.array([1.0]), ["hour"])
