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
    assert series.notes == ("time: none, the rows go in the order of the file", "target: 0, 1")


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


def test_two_columns_of_times_are_asked_about():
    table = {"date": DAYS, "loaded": ["2024-01-01"] * 4, "v": [4, 1, 3, 2]}
    with pytest.raises(
        DataError, match=r"'date' and 'loaded' hold times; say which column is the time \(--time, time="
    ):
        to_series(table, "v")
    assert to_series(table, "v", "date").time_name == "date"
    assert to_series(table, "v", "").times is None
    assert to_series({**table, "v": [1.0, 2, 3, 4]}, "v", series="loaded").time_name == "date"


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["2020-01-01 CST", "2020-01-02 CST", "2020-01-03 CST", "2020-01-04 CST"], "row 0: .*'CST' is no zone"),
        (["3/4/2020", "4/4/2020", "5/4/2020", "6/4/2020"], "row 0: .*the order of day and month is not clear"),
        (["2020-01-01", "2020-01-02", "soon", "2020-01-04"], "row 2: 'soon' in column 'when', expected a time"),
    ],
)
def test_times_that_cannot_be_read_are_no_reason_to_go_on_without(cells, words):
    with pytest.raises(DataError, match=words):
        to_series({"when": cells, "v": [1, 2, 3, 4]}, "v")
    assert to_series({"when": cells, "v": [1, 2, 3, 4]}, "v", "").times is None


def test_words_beside_numbers_are_no_times():
    assert to_series({"note": ["see 2020", "", "x", "y"], "v": [1, 2, 3, 4]}, "v").times is None


@pytest.mark.parametrize("name", ["t", "Step", "year", "time", "index"])
def test_a_column_that_counts_is_the_time_and_no_target(name):
    series = to_series({name: [2, 0, 1, 3], "v": [30.0, 10.0, 20.0, 40.0]})
    assert (series.target_names, series.time_name) == (("v",), name)
    np.testing.assert_array_equal(series.target[0][:, 0], [10, 20, 30, 40])
    assert f"time: the column '{name}', of numbers" in series.notes
    assert f"rows were not in the order of '{name}' and were sorted" in series.notes


def test_a_column_that_only_is_called_so_is_no_time():
    repeated = to_series({"hour": [0, 1, 0, 1], "v": [1.0, 2, 3, 4]}, "v")
    assert (repeated.times, repeated.notes) == (None, ("time: none, the rows go in the order of the file",))
    assert to_series({"t": [0.5, 1.5, 2.5], "v": [1, 2, 3]}).target_names == ("t", "v")
    dated = to_series({"index": [0, 1, 2, 3], "day": DAYS, "v": [1, 2, 3, 4]})
    assert (dated.time_name, dated.target_names) == ("day", ("v",))
    long = to_series({"shop": ["a", "a", "b", "b"], "step": [0, 1, 0, 1], "v": [1, 2, 3, 4]}, series="shop")
    assert (long.time_name, long.target_names) == ("step", ("v",))
    # A covariate of such a name is none of the two.
    assert to_series({"t": [0, 1, 2], "v": [1, 2, 3]}, future=["t"]).times is None


def test_tenths_are_steps_of_one_length():
    series = to_series({"time": [str(k / 10) for k in range(12)], "v": range(12)})
    assert (series.time_name, series.target_names, series.dt) == ("time", ("v",), None)
    late = to_series({"timestamp": 1.6e9 + np.arange(12) / 10, "v": range(12)})
    assert (late.times[0][1], late.dt) == (1.6e9 + 0.1, None)
    uneven = to_series({"time": [0.0, 0.1, 0.2, 0.3001], "v": range(4)})
    np.testing.assert_allclose(uneven.dt[0], [1, 1, 1, 1.001], rtol=1e-9)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["0", "1", "0", "1"], "row 2: time 0.0 stands in row 0 already; with several series in one table"),
        (["0", "1", "", "3"], "row 2: no time in column 'time'"),
        (["0", "1", "inf", "3"], "row 2: inf in column 'time', expected a finite number"),
        (
            ["1577836800000000000", "1577836800000000250"],
            r"row 0: 1.5778368e\+18 in column 'time'; .* exact up to 2\^53",
        ),
        (["2020-01-31+02:00", "2020-02-01+02:00"], "row 0: '2020-01-31.02:00' in column 'time', expected a time"),
    ],
)
def test_numbers_called_time_are_the_time(cells, words):
    with pytest.raises(DataError, match=words):
        to_series({"time": cells, "v": range(len(cells))}, "v")


def test_an_hour_that_comes_twice_has_a_hint_about_offsets():
    shown = ["2022-10-30 01:00", "2022-10-30 02:00", "2022-10-30 02:00", "2022-10-30 03:00"]
    hint = "clocks are put back an hour comes twice: write the offset"
    with pytest.raises(DataError, match=f"row 2: time 2022-10-30T02:00:00 stands in row 1 already.*{hint}"):
        to_series({"time": shown, "v": range(4)})
    with pytest.raises(DataError) as days:
        to_series({"day": [*DAYS[:3], DAYS[2]], "v": range(4)})
    assert "clocks" not in str(days.value)


def test_series_without_a_value_and_of_one_row_are_named():
    table = {
        "shop": ["n", "n", "shut", "shut", "one"],
        "day": ["2020-01-01", "2020-01-02", "2020-01-01", "2020-01-02", "2020-01-01"],
        "sold": [1, 2, None, None, 5],
    }
    series = to_series(table, "sold", series="shop")
    assert series.ids == ("n", "one")
    assert "series 'shut': no value of sold, it is left out" in series.notes
    assert "series 'one': a single row" in series.notes


def test_ids_and_their_column_are_kept_in_the_order_of_the_table():
    table = {"store": ["s2", "s10", "01", "s2"], "day": [DAYS[1], DAYS[0], DAYS[0], DAYS[0]], "v": [4, 3, 2, 1]}
    series = to_series(table, "v", series="store")
    assert (series.ids, series.series_name) == (("s2", "s10", "01"), "store")
    np.testing.assert_array_equal(series.target[0][:, 0], [1, 4])


@pytest.mark.parametrize("value", ["1.7976931348623157e308", "-1e200", "1e141"])
def test_a_number_without_a_square_names_its_place(tmp_path, value):
    (tmp_path / "s.csv").write_text(f"day,v,r\n2020-01-01,1,1\n2020-01-02,2,{value}\n2020-01-03,3,1\n")
    with pytest.raises(
        DataError, match=r"s\.csv, line 3: column 'r': .*expected a magnitude of 1e\+140 at most; leave"
    ):
        to_series(read_table(tmp_path / "s.csv"))
    assert to_series(read_table(tmp_path / "s.csv"), "v").lengths == (3,)


def test_the_zone_of_the_file_is_kept_and_noted():
    cells = ["2022-10-29T00:00+02:00", "2022-10-30T00:00+02:00", "2022-10-31T00:00+01:00"]
    series = to_series({"t": cells, "v": [1, 2, 3]}, "v")
    assert (series.frequency.name, series.dt) == ("daily", None)
    assert series.zone.written(series.times[0])[-1] == "2022-10-31T00:00:00+01:00"
    assert "times: in the zone of the file (+01:00 and +02:00, after its end +01:00)" in series.notes
    with pytest.raises(DataError, match=r"row 1: time 2022-10-28T22:00:00\+00:00 stands in row 0 already"):
        to_series({"t": [cells[0], "2022-10-28T22:00:00+00:00"], "v": [1, 2]}, "v")


def test_a_quarter_of_a_second_is_no_duplicate():
    times = np.datetime64("2024-01-01") + np.arange(8) * np.timedelta64(250, "ms")
    series = to_series({"t": [str(t) for t in times], "v": np.arange(8)}, "v")
    assert (series.dt, series.frequency.name) == (None, "every 0.25 seconds")
    np.testing.assert_array_equal(series.times[0], times)
