"""Parts that begin from or after a date or a row, against rows counted by hand."""

import numpy as np
import pytest

from ostinato.data import to_series
from ostinato.data.points import is_point, rows_of
from ostinato.errors import DataError, SettingsError

HOURS = to_series({"t": np.arange("2014-12-30", "2015-01-03", dtype="M8[h]").astype(str), "y": np.arange(96.0)}, "y")
NUMBERS = to_series({"t": [0.5, 1.0, 1.5, 4.0], "y": [1.0, 2.0, 3.0, 5.0]}, "y", "t")
PLAIN = to_series({"y": [1.0, 2.0, 3.0, 5.0]}, "y")


@pytest.mark.parametrize(
    ("point", "row"),
    [
        ("from 2015", 48),
        ("after 2014", 48),
        ("after 2014-12-30", 24),
        ("from 2015-01-01 06:00", 54),
        ("after 2015-01-01T06", 55),
        ("from 7", 7),
        ("after 7", 8),
    ],
)
def test_a_date_is_as_long_as_it_is_written(point: str, row: int) -> None:
    assert rows_of(HOURS, point) == [row]


def test_numbers_and_rows() -> None:
    assert [rows_of(NUMBERS, p) for p in ("from 1", "after 1", "after 1.2")] == [[1], [2], [2]]
    assert [rows_of(PLAIN, p) for p in ("from 1", "after 1")] == [[1], [2]]
    assert is_point("after 1")
    assert not is_point("2015")
    assert not is_point(0.2)


def test_zones_are_read_on_the_clocks_of_the_file() -> None:
    cells = [f"2015-01-0{d} {h:02}:00:00+05:00" for d in (1, 2) for h in range(24)]
    series = to_series({"t": cells, "y": np.arange(48.0)}, "y")
    assert rows_of(series, "from 2015-01-02") == [24]


def test_what_is_refused() -> None:
    for series, point in ((HOURS, "from Friday"), (NUMBERS, "from 2015-01"), (PLAIN, "after x"), (PLAIN, "2015")):
        with pytest.raises(SettingsError, match="test: "):
            rows_of(series, point)
    for series, point in ((HOURS, "after 2015-01-02"), (HOURS, "from 2014"), (PLAIN, "from 4")):
        with pytest.raises(DataError, match="both sides"):
            rows_of(series, point)
