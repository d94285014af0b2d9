"""Columns as text, and read again."""

import numpy as np
import pytest

from ostinato.data import read_table
from ostinato.data.columns import as_csv, as_text


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (np.array(["2020-01-31", "NaT"], "M8[s]"), ["2020-01-31", ""]),
        (np.array(["2020-01-31T06", "2020-02-01"], "M8[s]"), ["2020-01-31T06:00:00", "2020-02-01T00:00:00"]),
        (np.array(["2020-01-31T00:00:01.5"], "M8[us]"), ["2020-01-31T00:00:01.500"]),
        (np.array(["2020-01-31T00:00:00.000001"], "M8[ns]"), ["2020-01-31T00:00:00.000001"]),
        (np.array(["2020-01-31T00:00:00.000000001"], "M8[ns]"), ["2020-01-31T00:00:00.000000001"]),
        ([0.1, 3.0, np.nan, 1e300], ["0.1", "3", "", "1e+300"]),
        (["01", " a", "True"], ["01", " a", "True"]),
    ],
)
def test_entries(column, text):
    assert as_text(column) == text


def test_what_is_written_is_read_again(tmp_path):
    times = np.datetime64("2024-01-01") + np.arange(4) * np.timedelta64(250, "ms")
    columns = {"t": times, "who": ["a,b", ' "c"', " d", "01"], "v": [1 / 3, np.nan, 2.0, -1e-300]}
    (tmp_path / "t.csv").write_text(as_csv(columns))
    table = read_table(tmp_path / "t.csv")
    np.testing.assert_array_equal(table["t"], times)
    np.testing.assert_array_equal(table["v"], columns["v"])
    assert table.text("who").tolist() == columns["who"]
