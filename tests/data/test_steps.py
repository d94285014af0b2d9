"""Rows that are left out, and rows counted by the steps of other series."""

import numpy as np
import pytest

from ostinato.data import Frequency, Table, Zone, counted_by, on_grid, places, to_series
from ostinato.errors import DataError

DAILY = Frequency("second", 86_400)


def days(*places: int, first: str = "2020-01-01") -> np.ndarray:
    return (np.datetime64(first) + np.array(places)).astype("M8[s]")


def test_missing_dates_become_missing_values():
    table = {
        "shop": ["a", "a", "a", "b", "b", "b"],
        "day": np.concatenate([days(0, 1, 4), days(0, 1, 2)]),
        "sold": [1.0, 2, 5, 10, 20, 30],
        "rain": [0.0, 1, 0, 1, 1, 0],
    }
    series = to_series(table, "sold", series="shop", future=["rain"])
    assert any(note.endswith("2 times have no row") for note in series.notes)
    grid = on_grid(series)
    np.testing.assert_array_equal(grid.target[0][:, 0], [1, 2, np.nan, np.nan, 5])
    np.testing.assert_array_equal(grid.target[1][:, 0], [10, 20, 30])
    np.testing.assert_array_equal(grid.future[0][:, 0], [0, 1, 1, 1, 0])
    np.testing.assert_array_equal(grid.times[0], days(0, 1, 2, 3, 4))
    assert grid.dt is None
    assert [p.tolist() for p in places(series)] == [[0, 1, 4], [0, 1, 2]]
    assert on_grid(grid) is grid


def test_missing_dates_of_months_and_business_days():
    months = np.array(["2020-01-31", "2020-02-29", "2020-03-31", "2020-05-31"], "M8[s]")
    grid = on_grid(to_series({"t": months, "v": [1.0, 2, 3, 5]}, "v"))
    np.testing.assert_array_equal(grid.target[0][:, 0], [1, 2, 3, np.nan, 5])
    assert str(grid.times[0][3]) == "2020-04-30T00:00:00"
    work = np.array([d for d in days(*range(30)) if np.is_busday(d.astype("M8[D]"))])
    kept = np.delete(work, [7, 8])
    grid = on_grid(to_series({"t": kept, "v": np.arange(len(kept))}, "v"))
    np.testing.assert_array_equal(grid.times[0], work)
    assert np.flatnonzero(np.isnan(grid.target[0][:, 0])).tolist() == [7, 8]


def test_missing_dates_across_a_change_of_the_clocks():
    zone = Zone("Europe/Berlin")
    shown = days(*range(28, 36), first="2022-10-01")
    table = Table({"t": zone.written(np.delete(zone.moments(shown), 2)), "v": np.arange(7)})
    grid = on_grid(to_series(table, "v"))
    np.testing.assert_array_equal(grid.zone.local(grid.times[0]), shown)
    assert np.flatnonzero(np.isnan(grid.target[0])).tolist() == [2]


def counted(times, frequency=DAILY, length=None, zone=None, uneven=False):
    return counted_by(
        to_series({"t": times, "v": np.arange(float(len(times)))}, "v", "t"), frequency, length, zone, uneven
    )


def test_business_days_go_on_over_a_week_end():
    # Eight rows do not tell business days from days.
    work = [d for d in days(*range(12)) if np.is_busday(d.astype("M8[D]"))][:8]
    found = counted(np.array(work), Frequency("business", 1))
    assert (found.frequency, found.dt) == (Frequency("business", 1), None)


@pytest.mark.parametrize(
    ("times", "frequency", "words"),
    [
        (np.datetime64("2020-06-01") + np.arange(8) * np.timedelta64(1, "h"), DAILY, "hourly, .* were daily"),
        (days(0, 2, 4, 6, 8), DAILY, "every 2 days, .* were daily"),
        (days(0, 31, 60, 91), DAILY, "monthly, .* were daily"),
        (days(0, 1, 2, 3, 4), Frequency("second", 3600), "daily, .* were hourly"),
        (days(0, 1, 2, 3, 4), Frequency("business", 1), "daily, .* were business daily"),
        (days(0, 31, 60, 91), Frequency("month", 12), "monthly, .* were yearly"),
        (days(0, 1, 2, 3, 4), Frequency("nanosecond", 1_500_000_000), r"daily, .* were every 1\.5 seconds"),
    ],
)
def test_rows_in_other_steps_are_refused_with_both_named(times, frequency, words):
    for uneven in (False, True):
        with pytest.raises(DataError, match=f"the rows are {words}"):
            counted(times, frequency, uneven=uneven)


def test_a_gap_is_filled_and_said():
    found = counted(days(0, 1, 2, 5, 6))
    np.testing.assert_array_equal(found.target[0][:, 0], [0, 1, 2, np.nan, np.nan, 3, 4])
    assert found.notes[-1] == (
        "2 times have no row, the first of them after 2020-01-03T00:00:00; their values count as missing"
    )
    assert not any("dt" in note for note in found.notes)


def test_a_gap_is_told_to_a_model_that_has_seen_some():
    found = counted(days(0, 1, 2, 5, 6), uneven=True)
    np.testing.assert_array_equal(found.dt[0], [1, 1, 1, 3, 1])
    np.testing.assert_array_equal(found.target[0][:, 0], [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(counted(days(0, 1, 2), uneven=True).dt[0], [1, 1, 1])


def test_numbers_are_counted_by_the_step_of_training():
    assert counted(np.arange(5.0) * 0.1, None, 0.1).dt is None
    with pytest.raises(DataError, match=r"the rows are 2 of these apart, .* were 1 apart"):
        counted(np.arange(5.0) * 2, None, 1.0)
    with pytest.raises(DataError, match=r"1 times have no row, the first of them after 2.0, and the model was trained"):
        counted(np.array([0.0, 1, 2, 4, 5]), None, 1.0)
    np.testing.assert_array_equal(counted(np.array([0.0, 1, 4]), None, 2.0, uneven=True).dt[0], [1, 0.5, 1.5])
    with pytest.raises(DataError, match="numbers, where those that the model was trained on were daily"):
        counted(np.arange(5.0))


def test_the_clocks_of_another_file():
    berlin = Zone("Europe/Berlin")
    shown = days(*range(26, 34), first="2022-10-01")
    utc = berlin.moments(shown)
    values = {"v": np.arange(8.0)}
    local = Frequency("local second", 86_400)

    def read(cells):
        return to_series(Table({"t": cells, **values}), "v")

    # A file in UTC to a model of local midnights, and the other way round.
    in_utc = counted_by(read([f"{t}Z" for t in utc]), local, None, berlin, False)
    assert (in_utc.zone, in_utc.dt) == (berlin, None)
    plain = counted_by(read(berlin.written(utc)), DAILY, None, None, False)
    np.testing.assert_array_equal(plain.times[0], shown)
    assert plain.zone is None
    without = counted_by(read([str(t) for t in shown]), local, None, berlin, False)
    np.testing.assert_array_equal(without.times[0], utc)
    # A model that saw one offset, or the offsets of another year, and days across the change.
    summer = Zone(None, ((0, 7200),))
    for frequency, zone in ((DAILY, summer), (local, Zone(None, ((0, 7200), (10**9, 3600))))):
        found = counted_by(read(berlin.written(utc)), frequency, None, zone, False)
        assert (found.dt, found.frequency) == (None, local)
