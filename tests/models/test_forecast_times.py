"""When forecasts are for: zones, fractions of a second, and the step of the training for files that come later."""

import numpy as np
import pytest

from ostinato.data import Table, Zone, read_table
from ostinato.data.columns import as_csv
from ostinato.errors import DataError, LeakError, NonFiniteError
from ostinato.models import Forecaster, LinearAR, Persistence, SeasonalNaive, load

BERLIN = Zone("Europe/Berlin")
SMALL = {"cell": "elman", "hidden_size": 2, "context": 3, "steps": 1, "epochs": None, "validation": 0}


def local_days(first: str, count: int) -> np.ndarray:
    """Local midnights of Berlin, in UTC."""
    return BERLIN.moments((np.datetime64(first) + np.arange(count)).astype("M8[s]"))


def wave(count: int) -> np.ndarray:
    return np.arange(count) % 7.0


def saved(model, folder):
    return load(model.save(folder / "m") or folder / "m")


def test_days_across_a_change_of_the_clocks_come_back_with_their_offset(tmp_path):
    table = Table({"t": BERLIN.written(local_days("2022-10-20", 20)), "v": wave(20)})
    model = SeasonalNaive(horizon=7).fit(table, "v")
    for said in (model.predict(), saved(model, tmp_path).predict(), model.predict(table)):
        assert said["t"].tolist() == [f"2022-11-{d:02d}T00:00:00+01:00" for d in range(9, 16)]
        np.testing.assert_array_equal(said["v"], wave(27)[20:])


def test_a_named_zone_goes_over_the_next_change():
    pandas = pytest.importorskip("pandas")
    for first, after in (("2022-10-20", "+01:00"), ("2023-03-16", "+02:00")):
        frame = pandas.DataFrame(
            {"t": pandas.to_datetime(local_days(first, 10), utc=True).tz_convert("Europe/Berlin"), "v": wave(10)}
        )
        said = SeasonalNaive(horizon=3).fit(frame, "v").predict()
        shown = said.to_pandas()["t"]
        assert str(shown.dt.tz) == "Europe/Berlin"
        assert (shown.dt.hour == 0).all()
        assert said["t"][-1].endswith(f"T00:00:00{after}")
        assert said.times is not None
        np.testing.assert_array_equal(said.times[0], local_days(first, 13)[10:])


def test_hours_across_a_change_of_the_clocks():
    hours = np.datetime64("2022-10-29T12:00:00") + np.arange(30) * np.timedelta64(1, "h")
    table = Table({"t": BERLIN.written(hours[:10]), "v": np.arange(10.0)})
    said = Persistence(horizon=5).fit(table, "v").predict()
    # Nothing in the file tells that the clocks change after its end.
    assert said["t"][[0, 4]].tolist() == ["2022-10-30T00:00:00+02:00", "2022-10-30T04:00:00+02:00"]
    named = Table({"t": [f"{t}[Europe/Berlin]" for t in BERLIN.written(hours[:10])], "v": np.arange(10.0)})
    said = Persistence(horizon=5).fit(named, "v").predict()
    assert said["t"].tolist() == BERLIN.written(hours[10:15])


@pytest.mark.parametrize("offset", ["Z", "+00:00", "+05:30"])
def test_a_file_in_another_offset_comes_back_in_its_own(offset, tmp_path):
    model = SeasonalNaive(horizon=2).fit(Table({"t": BERLIN.written(local_days("2022-10-01", 40)), "v": wave(40)}), "v")
    model = saved(model, tmp_path)
    new = local_days("2022-10-25", 9)
    zone = Zone(None, ((0, 19_800 if "30" in offset else 0),))
    table = Table({"t": [f"{t}{offset}" for t in zone.local(new)], "v": wave(9)})
    said = model.predict(table)
    assert said.times is not None
    np.testing.assert_array_equal(said.times[0], local_days("2022-10-25", 11)[9:])
    assert said["t"].tolist() == zone.written(local_days("2022-10-25", 11)[9:])
    shown = said.to_pandas()["t"]
    assert [t.isoformat() for t in shown] == said["t"].tolist()
    # Times without an offset are taken as the clocks of the training data show them.
    plain = model.predict(Table({"t": [str(t) for t in BERLIN.local(new)], "v": wave(9)}))
    assert [str(t) for t in plain["t"]] == ["2022-11-03T00:00:00", "2022-11-04T00:00:00"]


def test_a_backtest_shows_the_times_of_the_file_and_knows_what_was_trained_on():
    table = Table({"t": BERLIN.written(local_days("2022-10-20", 30)), "v": wave(30)})
    model = Persistence().fit(table.take(slice(0, 20)), "v")
    test = model.backtest(table, 10)
    assert test.times is not None
    assert str(test.times[0, 0]) == "2022-11-09T00:00:00"
    in_utc = Table({"t": [f"{t}Z" for t in local_days("2022-10-20", 30)], "v": wave(30)})
    with pytest.raises(LeakError, match="begins with row 19"):
        model.backtest(in_utc, 11)


def test_waves_of_the_calendar_are_those_of_the_local_clock():
    hours = np.datetime64("2022-10-29T00:00:00") + np.arange(60) * np.timedelta64(1, "h")
    local = np.cos(2 * np.pi * (BERLIN.local(hours) - BERLIN.local(hours).astype("M8[D]")) / np.timedelta64(1, "D"))
    table = Table({"t": [f"{t}[Europe/Berlin]" for t in BERLIN.written(hours[:50])], "v": local[:50]})
    said = LinearAR(1, 10, calendar=("hour",)).fit(table, "v").predict()
    np.testing.assert_allclose(said["v"], local[50:], atol=1e-4)


def test_a_quarter_of_a_second_read_and_written(tmp_path):
    times = np.datetime64("2024-01-01") + np.arange(12) * np.timedelta64(250, "ms")
    (tmp_path / "s.csv").write_text(as_csv({"t": times[:10], "v": np.arange(10.0)}))
    model = saved(Persistence(horizon=2).fit(read_table(tmp_path / "s.csv"), "v"), tmp_path)
    for said in (model.predict(), model.predict(read_table(tmp_path / "s.csv"))):
        np.testing.assert_array_equal(said["t"], times[10:])
        assert as_csv(said.columns()).splitlines()[1].startswith("2024-01-01T00:00:02.500,9,")


def test_business_days_go_on_after_a_short_file():
    work = np.array([d for d in np.datetime64("2020-01-01") + np.arange(60) if np.is_busday(d)]).astype("M8[s]")
    model = Persistence(horizon=4).fit({"day": work[:30], "v": np.arange(30.0)}, "v")
    said = model.predict({"day": work[31:37], "v": np.arange(6.0)})
    np.testing.assert_array_equal(said["day"], work[37:41])


def test_hours_to_a_model_of_days_are_refused_everywhere():
    days = np.datetime64("2020-01-01") + np.arange(30)
    hours = np.datetime64("2020-03-01") + np.arange(30) * np.timedelta64(1, "h")
    model = Persistence().fit({"day": days, "v": wave(30)}, "v")
    given = {"day": hours, "v": wave(30)}
    for ask in (model.predict, model.backtest, model.score):
        with pytest.raises(DataError, match="the rows are hourly, those that the model was trained on were daily"):
            ask(given)


def test_a_gap_in_a_later_file():
    days = np.datetime64("2020-01-01") + np.arange(40)
    model = Forecaster(**SMALL).fit({"day": days[:20], "v": wave(20)}, "v")
    late = np.delete(np.arange(20, 32), [9, 10])
    with pytest.raises(NonFiniteError, match="2 times have no row, the first of them after 2020-01-29T00:00:00"):
        model.predict({"day": days[late], "v": wave(40)[late]})
    early = np.delete(np.arange(20, 32), [2, 3])
    said = model.predict({"day": days[early], "v": wave(40)[early]})
    whole = model.predict({"day": days[20:32], "v": wave(40)[20:32]})
    np.testing.assert_array_equal(said["v"], whole["v"])
    assert said.notes == (
        "2 times have no row, the first of them after 2020-01-22T00:00:00; their values count as missing",
    )
    assert whole.notes == ()
    seasonal = SeasonalNaive(horizon=1).fit({"day": days[:20], "v": wave(20)}, "v")
    assert seasonal.predict({"day": days[late], "v": wave(40)[late]})["v"].tolist() == [wave(40)[32]]


def test_lengths_of_steps_are_told_in_those_of_the_training():
    uneven = {"t": np.array([0.0, 1, 2, 4, 5, 6, 9, 10]), "v": wave(8)}
    model = Forecaster(**SMALL).fit(uneven, "v", time="t")
    slow = {"t": np.array([0.0, 2, 4, 8]), "v": wave(4)}
    fast = {"t": np.array([0.0, 1, 2, 4]), "v": wave(4)}
    assert model.predict(slow)["t"].tolist() == [9.0]
    assert model.predict(slow)["v"][0] != model.predict(fast)["v"][0]


def test_series_come_back_under_the_name_of_their_column(tmp_path):
    table = {
        "store": ["s2", "s2", "01", "01"],
        "day": np.array(["2020-01-01", "2020-01-02"] * 2, "M8[s]"),
        "v": [1.0, 2, 3, 4],
    }
    model = saved(Persistence().fit(table, "v", series="store"), tmp_path)
    for said in (model.predict(), model.predict(table)):
        assert said.names[:3] == ("store", "day", "v")
        assert (said["store"].tolist(), said["v"].tolist()) == (["s2", "01"], [2, 4])
    one = {name: column[:2] for name, column in table.items()}
    assert model.predict(one)["store"].tolist() == ["s2"]


def test_later_data_need_no_other_columns_and_may_have_more():
    days = np.datetime64("2020-01-01") + np.arange(10)
    model = Persistence().fit({"day": days, "v": wave(10)})
    more = {"seen": days + 1, "day": days, "v": wave(10), "w": wave(10)}
    assert model.predict(more)["day"].tolist() == [np.datetime64("2020-01-11", "s").astype(object)]
    assert model.predict({"v": wave(4)}, level=()).names == ("step", "v")
