"""What is held out: amounts in words, ends of series, rows by class and whole groups."""

from pathlib import Path

import numpy as np
import pytest

from ostinato.data import permutation, to_series
from ostinato.data.holdout import check_amount, cut_series, held_rows, held_stops, read_amount, split_series
from ostinato.errors import DataError, SettingsError


def panel(*rows: int) -> dict[str, list]:
    """Series `s0`, `s1`, ... in the long layout, counting up."""
    return {
        "id": [f"s{i}" for i, n in enumerate(rows) for _ in range(n)],
        "y": [float(k) for n in rows for k in range(n)],
    }


def test_an_amount_is_a_number_a_share_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a\n")
    assert [read_amount("--test", text) for text in ("12", "0.25", "0", "0.0")] == [12, 0.25, 0, 0.0]
    assert type(read_amount("--test", "1")) is int
    assert read_amount("--test", str(file), file=True) == str(file)


@pytest.mark.parametrize("text", ["1.0", "2.5", "-1", "-0.5", "nan", "inf", "", "20%", "there/is/none.csv", "True"])
def test_other_amounts_are_refused_with_the_name_of_the_option(text: str) -> None:
    with pytest.raises(SettingsError, match="--test: expected a share below 1, a number, or a file, got"):
        read_amount("--test", text, file=True)
    with pytest.raises(SettingsError, match="--validation: expected a share below 1, or a number of rows, got"):
        read_amount("--validation", text)


@pytest.mark.parametrize("value", [True, None, "a.csv", 1.0, -1, float("nan")])
def test_settings_are_judged_alike(value: object) -> None:
    with pytest.raises(SettingsError, match=r"data\.test: expected"):
        check_amount("data.test", value)


def test_the_end_of_each_series_is_held_out_and_a_short_one_is_named() -> None:
    series = to_series(panel(10, 4, 1), "y", series="id")
    train, stops = split_series(series, 0.2)
    assert stops == [8, 3, 1]
    assert [t[:, 0].tolist() for t in train.target] == [[*map(float, range(n))] for n in (8, 3, 1)]
    train, stops = split_series(series, 4)
    assert stops == [6, 4, 1]
    assert "test: nothing is held out of series 's1', 's2': too few rows" in train.notes
    assert split_series(series, 0)[0].notes == series.notes
    with pytest.raises(DataError, match=r"data\.test: 10 rows .* none to train on; the longest series has 10"):
        held_stops(10, series.history, name="data.test")


def test_rows_that_are_still_to_be_forecast_are_no_held_out_end() -> None:
    table = {"y": [1.0, 2.0, 3.0, 4.0, np.nan, np.nan], "z": [0.0] * 6}
    series = to_series(table, "y", future=("z",))
    assert split_series(series, 1)[1] == [3]
    assert [len(f) for f in cut_series(series, [1], [5]).future] == [4]


def test_a_share_of_each_class_by_the_seed() -> None:
    classes = np.array(list("abababaaaa"))
    held = held_rows(0.4, 3, 10, classes=classes)
    expected = []
    for i, name in enumerate("ab"):
        own = np.flatnonzero(classes == name)
        expected += own[permutation(len(own), 3, i, name="validation")[: round(0.4 * len(own))]].tolist()
    assert held.tolist() == sorted(expected)
    assert held_rows(0.4, 4, 10, classes=classes).tolist() != held.tolist()


def test_a_number_is_shared_out_among_the_classes() -> None:
    classes = np.repeat([0, 1, 2], [20, 10, 1])
    for wanted in (1, 3, 7, 28):
        held = held_rows(wanted, 0, 31, classes=classes)
        counts = np.bincount(classes[held], minlength=3)
        assert counts.sum() == wanted
        assert counts[2] == 0
        assert wanted == 28 or abs(counts[0] - 2 * counts[1]) <= 2
    with pytest.raises(DataError, match="one of each class must stay"):
        held_rows(29, 0, 31, classes=classes)


def test_groups_stay_whole() -> None:
    groups = np.repeat(np.arange(5), [1, 2, 3, 4, 5])
    for amount, wanted in ((0.2, 1), (0.01, 1), (2, 2), (0.99, 4)):
        held = held_rows(amount, 0, 15, groups=groups)
        assert len(set(groups[held])) == wanted
        assert set(groups[held]).isdisjoint(np.delete(groups, held))
    with pytest.raises(DataError, match="two or more groups"):
        held_rows(0.2, 0, 3, groups=[1, 1, 1])


def test_nothing_to_judge_by_is_an_error() -> None:
    with pytest.raises(DataError, match=r"validation: 0\.01 of 10 leaves 10 to train on and 0 to judge by"):
        held_rows(0.01, 0, 10)
    with pytest.raises(DataError, match="test: 9 of 10 leaves 1 to train on"):
        held_rows(9, 0, 10, keep=2, name="test")
