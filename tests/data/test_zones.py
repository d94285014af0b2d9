"""Zones, offsets and forms of time against Python's own zones, and the frequency that they leave to the days."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato.data import Frequency, Table, Zone, infer_frequency
from ostinato.data.times import Moments, to_times
from ostinato.data.zones import exact
from ostinato.errors import DataError

PLACES = ["Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]


def instants(shown: list[datetime], place: str) -> np.ndarray:
    """Local times as UTC, by Python's zones."""
    utc = [moment.replace(tzinfo=ZoneInfo(place)).astimezone(ZoneInfo("UTC")).replace(tzinfo=None) for moment in shown]
    return np.array(utc, "M8[s]")


def midnights(first: str, days: int, place: str) -> np.ndarray:
    start = datetime.fromisoformat(first)
    return instants([start + timedelta(days=k) for k in range(days)], place)


@given(
    st.lists(st.datetimes(datetime(1950, 1, 1), datetime(2037, 1, 1)), min_size=1, max_size=5), st.sampled_from(PLACES)
)
def test_offsets_are_those_of_the_place(moments, place):
    utc = np.array([m.replace(microsecond=0) for m in moments], "M8[s]")
    found = Zone(place).written(utc)
    wanted = [
        m.astimezone(ZoneInfo(place)).isoformat() for m in (u.replace(tzinfo=ZoneInfo("UTC")) for u in utc.tolist())
    ]
    assert found == wanted


@given(st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1)), st.sampled_from(PLACES))
def test_local_times_are_read_as_python_reads_them(moment, place):
    moment = moment.replace(microsecond=0)
    found = Zone(place).moments(np.array([moment], "M8[s]"))
    np.testing.assert_array_equal(found, instants([moment], place))


def test_local_times_that_are_shown_twice_or_never():
    shown = [datetime(2022, 10, 30, 2, 30), datetime(2023, 3, 26, 2, 30)]
    found = Zone("Europe/Berlin").moments(np.array(shown, "M8[s]"))
    np.testing.assert_array_equal(found, instants(shown, "Europe/Berlin"))
    assert found.astype(str).tolist() == ["2022-10-30T00:30:00", "2023-03-26T01:30:00"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("first", ["2022-09-20", "2023-03-01", "2018-10-20"])
def test_local_midnights_are_days_across_both_changes(place, first):
    days = midnights(first, 60, place)
    zone = Zone(place)
    frequency = infer_frequency(days[:50], zone)
    assert (frequency.name, frequency.season) == ("daily", 7)
    np.testing.assert_array_equal(frequency.gaps(days, zone), np.ones(59))
    np.testing.assert_array_equal(frequency.ahead(days[49], 10, zone), days[50:])


@pytest.mark.parametrize("first", ["2022-10-25", "2023-03-20"])
def test_hours_are_hours_across_both_changes(first):
    hours = np.datetime64(first, "s") + np.arange(300) * np.timedelta64(1, "h")
    zone = Zone("Europe/Berlin")
    frequency = infer_frequency(hours[:200], zone)
    assert frequency == Frequency("second", 3600)
    assert frequency.season == 24
    np.testing.assert_array_equal(frequency.ahead(hours[199], 100, zone), hours[200:])


def test_steps_that_only_the_clocks_have_evenly():
    noons = np.sort(
        np.concatenate(
            [
                instants([datetime(2022, 10, 25, h) + timedelta(days=k) for k in range(20)], "Europe/Berlin")
                for h in (0, 12)
            ]
        )
    )
    zone = Zone("Europe/Berlin")
    frequency = infer_frequency(noons[:30], zone)
    assert (frequency, frequency.season) == (Frequency("local second", 43_200), 2)
    np.testing.assert_array_equal(frequency.ahead(noons[29], 10, zone), noons[30:])
    assert infer_frequency(noons) is None


def test_mixed_offsets_of_one_zone():
    days = midnights("2022-10-20", 30, "Europe/Berlin")
    table = Table({"t": Zone("Europe/Berlin").written(days)})
    zone = table.zone("t")
    np.testing.assert_array_equal(table["t"], days)
    assert (str(zone), zone.fixed, zone.name) == ("+01:00 and +02:00", False, None)
    assert zone.written(days[9:12]) == [
        "2022-10-29T00:00:00+02:00",
        "2022-10-30T00:00:00+02:00",
        "2022-10-31T00:00:00+01:00",
    ]
    frequency = infer_frequency(days, zone)
    assert frequency.name == "daily"
    # After the end of the file its last offset holds.
    assert zone.written(frequency.ahead(days[-1], 1, zone)) == ["2022-11-19T00:00:00+01:00"]


def test_several_places_in_one_column_are_utc():
    cells = [f"2022-10-{d:02d}T00:00:00{o}" for d in range(1, 8) for o in ("+09:00", "+01:00")]
    assert Table({"t": cells}).zone("t") == Zone(None, ((0, 0),))


@pytest.mark.parametrize(
    ("cell", "utc", "zone"),
    [
        ("2022-10-30 00:00:00 UTC", "2022-10-30T00:00:00", "+00:00"),
        ("2022-10-30T00:00:00Z", "2022-10-30T00:00:00", "+00:00"),
        ("2022-10-30 00:00 GMT", "2022-10-30T00:00:00", "+00:00"),
        ("2022-10-30 00:00 CET", "2022-10-29T23:00:00", "+01:00"),
        ("30.10.2022 10:00 CEST", "2022-10-30T08:00:00", "+02:00"),
        ("2022-10-30 10:00 EST", "2022-10-30T15:00:00", "-05:00"),
        ("2022-10-30 00:00:00 +02:00", "2022-10-29T22:00:00", "+02:00"),
        ("30.10.2022 10:00:00.25 +0530", "2022-10-30T04:30:00.250", "+05:30"),
        ("2022-10-30 10:00 UTC-03:30", "2022-10-30T13:30:00", "-03:30"),
        ("2022-10-30 02:30 Europe/Berlin", "2022-10-30T00:30:00", "Europe/Berlin"),
        ("2022-10-30T02:30:00+01:00[Europe/Berlin]", "2022-10-30T01:30:00", "Europe/Berlin"),
        ("31/10/2022 10:00 UTC", "2022-10-31T10:00:00", "+00:00"),
    ],
)
def test_forms_of_zones(cell, utc, zone):
    table = Table({"t": [cell, ""]})
    assert table.kind("t") == "time"
    assert (str(table["t"][0]), str(table.zone("t"))) == (utc, zone)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["2022-10-30 00:00 UTC", "2022-10-31 00:00 CST"], "row 1: .*'CST' is no zone that has one meaning"),
        (["2022-10-30 02:30 Europe/Berlim"], "row 0: .*'Europe/Berlim': not known on this machine"),
        (["2022-10-30T00:00", "2022-10-31T00:00:00+01:00"], "row 1: .*it has an offset, unlike the times before it"),
        (["2022-10-30T00:00Z", "", "2022-10-31T00:00"], "row 2: .*it has no offset, unlike the times before it"),
        (["2024-01-01T00:00:00.1234567891"], "row 0: .*expected a time"),
    ],
)
def test_times_that_cannot_be_read_are_named(cells, words):
    with pytest.raises(DataError, match=words):
        Table({"t": cells}).time("t")


def test_an_unknown_zone():
    with pytest.raises(DataError, match="time zone 'Mars/Base': not known on this machine"):
        Zone("Mars/Base")


@pytest.mark.parametrize(
    ("step", "unit", "name"),
    [
        (1_500_000_000, "ms", "every 1.5 seconds"),
        (250_000_000, "ms", "every 0.25 seconds"),
        (1_000, "us", "every 1e-06 seconds"),
        (333_333_333, "ns", "every 0.333333333 seconds"),
    ],
)
def test_fractions_of_a_second_are_exact(step, unit, name):
    times = np.datetime64("2024-01-01T00:00:00", "ns") + np.arange(40) * np.timedelta64(step, "ns")
    read = to_times([str(t) for t in times[:30]])
    assert isinstance(read, Moments)
    np.testing.assert_array_equal(read.values, times[:30])
    assert np.datetime_data(read.values.dtype)[0] == unit
    frequency = infer_frequency(read.values)
    assert (frequency, frequency.name, frequency.season) == (Frequency("nanosecond", step), name, None)
    np.testing.assert_array_equal(frequency.ahead(read.values[-1], 10), times[30:])
    np.testing.assert_array_equal(frequency.gaps(times[::3]), np.full(13, 3.0))


def test_the_coarsest_unit_that_is_exact():
    for cell, unit in (
        ("2024-01-01T00:00", "s"),
        ("2024-01-01T00:00:00.001", "ms"),
        ("2024-01-01T00:00:00.000001", "us"),
    ):
        assert np.datetime_data(exact(np.array([cell, "NaT"], "M8[ns]")).dtype)[0] == unit


def test_an_offset_keeps_the_phase_of_whole_steps():
    # Hours at a quarter of a second past: the fraction goes on.
    times = np.datetime64("2024-01-01T00:00:00.250") + np.arange(5) * np.timedelta64(1, "h")
    assert infer_frequency(times) == Frequency("second", 3600)
    assert str(Frequency("second", 3600).ahead(times[-1], 1)[0]) == "2024-01-01T05:00:00.250"


def test_frames_keep_zones_and_fractions():
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    days = midnights("2022-10-28", 4, "Europe/Berlin")
    named = pandas.DataFrame({"t": pandas.to_datetime(days, utc=True).tz_convert("Europe/Berlin"), "v": range(4)})
    arrow = pyarrow.table({"t": pyarrow.array(days.astype("M8[ms]"), pyarrow.timestamp("ms", "Europe/Berlin"))})
    for frame in (named, named.set_index("t"), arrow):
        table = Table.from_frame(frame)
        np.testing.assert_array_equal(table["t"], days)
        assert table.zone("t") == Zone("Europe/Berlin")
    fixed = Table.from_frame(pandas.DataFrame({"t": pandas.to_datetime(["2022-10-29T00:00:00.25+02:00"])}))
    assert (str(fixed["t"][0]), str(fixed.zone("t"))) == ("2022-10-28T22:00:00.250", "+02:00")
    assert Table.from_frame(pandas.DataFrame({"t": days})).zone("t") is None
    fine = pandas.DataFrame({"t": pandas.to_datetime(["2024-01-01T00:00:00.000000001", None])})
    assert str(Table.from_frame(fine)["t"][0]) == "2024-01-01T00:00:00.000000001"


def test_parquet_keeps_the_zone(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    from ostinato.data import read_table

    times = np.array(["2022-10-29T22:00:00.5", "2022-10-30T23:00:00.5"], "M8[ms]")
    for name, wanted in (("Europe/Berlin", "Europe/Berlin"), ("+05:30", "+05:30")):
        parquet.write_table(
            pyarrow.table({"t": pyarrow.array(times, pyarrow.timestamp("ms", name))}), tmp_path / "t.parquet"
        )
        table = read_table(tmp_path / "t.parquet")
        np.testing.assert_array_equal(table["t"], times)
        assert str(table.zone("t")) == wanted


def test_a_table_in_parts_keeps_its_zone():
    table = Table({"t": ["2022-10-30T00:00+02:00", "2022-10-31T00:00+01:00"], "v": [1, 2]})
    zone = table.zone("t")
    assert table.take([1]).zone("t") == zone
    assert table.with_columns({"w": [1, 2]}).zone("t") == zone
    assert Table(dict.fromkeys(["t"], Moments(table["t"], zone))).text("t").tolist() == [
        "2022-10-30T00:00:00+02:00",
        "2022-10-31T00:00:00+01:00",
    ]
