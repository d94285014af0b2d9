"""Series from wide and long tables, and tables from which none should come."""

import numpy as np
import pytest

from ostinato.data import Table, read_table, to_series
from ostinato.errors import DataError, LeakError

DAYS = ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"]
WIDE = {"day": DAYS, "a": ["1", "2", "", "4"], "b": [5, 6, 7, 8], "rain": [0, 1, 0, 1], "word": ["x", "y", "z", "w"]}
LONG = {
    "shop": ["n", "s", "n", "s", "n"],
    "day": ["2020-01-01", "2020-01-01", "2020-01-02", "2020-01-03", "2020-01-03"],
    "sold": [1, 10, 2, 30, 3],
    "area": [7, 9, 7, 9, 7],
}


def test_wide_with_covariates():
    series = to_series(WIDE, ["a", "b"], future=["rain"])
    assert (len(series), series.lengths, series.history) == (1, (4,), (4,))
    np.testing.assert_array_equal(series.target[0], [[1, 5], [2, 6], [np.nan, 7], [4, 8]])
    np.testing.assert_array_equal(series.future[0], [[0], [1], [0], [1]])
    np.testing.assert_array_equal(series.observed[0][:, 0], [True, True, False, True])
    assert series.past[0].shape == (4, 0)
    assert series.static.shape == (1, 0)
    assert (series.time_name, series.frequency.name, series.dt) == ("day", "daily", None)
    assert series.notes == ("time: the column 'day'",)


def test_a_series_for_each_target():
    apart = to_series(WIDE, ["a", "b"], future=["rain"]).apart()
    assert (apart.ids, apart.target_names) == (("a", "b"), ("value",))
    np.testing.assert_array_equal(apart.target[1], [[5], [6], [7], [8]])
    assert len(apart.future) == len(apart.times) == len(apart.static) == 2


def test_long_with_statics_and_a_gap():
    series = to_series(LONG, "sold", series="shop", static=["area"])
    assert series.ids == ("n", "s")
    np.testing.assert_array_equal(series.target[0][:, 0], [1, 2, 3])
    np.testing.assert_array_equal(series.target[1][:, 0], [10, 30])
    np.testing.assert_array_equal(series.static, [[7], [9]])
    assert series.frequency.name == "daily"
    np.testing.assert_array_equal(series.dt[0], [1, 1, 1])
    np.testing.assert_array_equal(series.dt[1], [1, 2])
    assert "1 of 3 steps differ from daily" in series.notes[-1]


def test_unsorted_rows_are_sorted_and_noted():
    series = to_series({"day": DAYS[::-1], "a": [4, 3, 2, 1], "b": [8, 7, 6, 5]}, "a", past=["b"])
    np.testing.assert_array_equal(series.target[0][:, 0], [1, 2, 3, 4])
    np.testing.assert_array_equal(series.past[0][:, 0], [5, 6, 7, 8])
    assert any("sorted" in note for note in series.notes)


def test_times_that_are_numbers():
    years = to_series({"year": [1900, 1901, 1902], "v": [1, 2, 3]}, "v", "year")
    assert (years.dt, years.frequency) == (None, None)
    uneven = to_series({"hours": [0, 2, 4, 9], "v": [1, 2, 3, 4]}, "v", "hours")
    np.testing.assert_array_equal(uneven.dt[0], [1, 1, 1, 2.5])
    compact = to_series({"day": ["20200101", "20200102"], "v": ["1", "2"]}, "v", "day")
    assert compact.frequency.name == "daily"


def test_no_time_and_no_named_target():
    series = to_series(np.arange(6.0).reshape(3, 2))
    assert (series.target_names, series.times, series.dt) == (("0", "1"), None, None)
    assert series.notes == ("target: 0, 1",)


def test_rows_to_be_forecast_and_cuts():
    series = to_series({"day": DAYS, "a": ["1", "", "3", ""], "rain": [0, 1, 0, 1]}, "a", future=["rain"])
    assert series.history == (3,)
    cut = series.cut(1, -1)
    np.testing.assert_array_equal(cut.future[0][:, 0], [1, 0])
    assert cut.times[0].astype("M8[D]").astype(str).tolist() == DAYS[1:3]


@pytest.mark.parametrize(
    ("table", "settings", "error", "words"),
    [
        (WIDE, {"target": "c"}, DataError, "no column 'c'; "),
        (WIDE, {"target": "word"}, DataError, "row 0: 'x' in column 'word', expected a number"),
        (WIDE, {"target": "a", "future": ["a"]}, LeakError, "target 'a' stands among the future covariates"),
        (WIDE, {"target": "a", "past": ["b"], "future": ["b"]}, DataError, "'b' has 2 parts"),
        (WIDE, {"target": "a", "past": ["a"]}, DataError, "'a' has 2 parts"),
        (WIDE, {"target": "a", "static": ["b"]}, DataError, "row 1: static column 'b' must have one value"),
        (LONG, {"target": "sold"}, DataError, r"row 1: time 2020-01-01T00:00:00 stands in row 0 already; .*series="),
        ({"t": DAYS[:2], "a": ["", "NA"]}, {"target": "a"}, DataError, "target 'a' has no value"),
        ({"t": [DAYS[0], ""], "a": [1, 2]}, {"target": "a"}, DataError, "row 1: no time in column 't'"),
        ({"s": ["u", ""], "a": [1, 2]}, {"target": "a", "series": "s"}, DataError, "row 1: no name in the series"),
        ({"w": ["u", "v"]}, {}, DataError, "no target: it has no column of numbers"),
        ({"a": []}, {"target": "a"}, DataError, "no rows"),
        (WIDE, {"target": "a", "time": "word"}, DataError, "'x' in column 'word', expected a time"),
    ],
)
def test_bad_input(table, settings, error, words):
    with pytest.raises(error, match=words):
        to_series(table, **settings)


def test_a_copy_of_the_target_leaks_too():
    table = Table({"a": ["1", "", "3"], "same": [1, 9, 3], "other": [1, 2, 4]})
    with pytest.raises(LeakError, match="the future covariate 'same' is the target 'a'"):
        to_series(table, "a", future=["other", "same"])
    assert to_series(table, "a", future=["other"], past=["same"]).future_names == ("other",)


def test_a_duplicate_time_names_the_lines_of_the_file(tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("day,v\n2020-01-01,1\n2020-01-02,2\n2020-01-01,3\n")
    with pytest.raises(DataError, match=r"s\.csv, line 4: time .* stands in line 2 already"):
        to_series(read_table(path), "v")
