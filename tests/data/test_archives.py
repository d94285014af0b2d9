"""Files of the time-series archives and of Excel: what stands in them comes back, anything else is named."""

import datetime
import sys
from pathlib import Path

import numpy as np
import pytest

from ostinato.data import by_name, read_sequences, read_table
from ostinato.errors import CorruptFile, DataError

HEAD = "@problemName Toy\n@timeStamps false\n@univariate false\n@classLabel true a b\n@data\n"


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_sequences_of_a_ts_file(tmp_path: Path) -> None:
    found = read_sequences(written(tmp_path, "x.ts", HEAD + "1,2,3:4,?,6:a\n7,8:9,10:b\n"))
    np.testing.assert_array_equal(found.values[0], [[1, 4], [2, np.nan], [3, 6]])
    np.testing.assert_array_equal(found.values[1], [[7, 9], [8, 10]])
    assert found.labels is not None
    assert found.labels.tolist() == ["a", "b"]
    target = HEAD.replace("@classLabel true a b", "@targetLabel true") + "1,2:0.5\n"
    numbers = read_sequences(written(tmp_path, "y.ts", target), numbers=True)
    assert numbers.labels is not None
    assert numbers.labels.tolist() == [0.5]
    bare = read_sequences(written(tmp_path, "z.ts", HEAD.replace("true a b", "false") + "1,2:3,4\n"))
    assert (bare.labels, bare.values[0].tolist()) == (None, [[1, 3], [2, 4]])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no data", "no line '@data'"),
        (HEAD, "no sequences after '@data'"),
        (HEAD + "1,2:3:a\n", "line 6: features of lengths"),
        (HEAD + "1,2:3,4:a\n1,2:a\n", "line 7: 1 features, the first has 2"),
        (HEAD + "1,x:a\n", "line 6: could not convert"),
        (HEAD.replace("Stamps false", "Stamps true") + "(0,1):a\n", "has time stamps"),
    ],
)
def test_a_ts_file_that_is_wrong_is_refused_by_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_sequences(written(tmp_path, "x.ts", text))


def test_sequences_of_an_arff_file(tmp_path: Path) -> None:
    head = "@relation toy\n@attribute t0 numeric\n@attribute t1 numeric\n@attribute target {up,down}\n@data\n"
    found = read_sequences(written(tmp_path, "x.arff", head + "1,2.5,up\n3,4,down\n"))
    assert [v.tolist() for v in found.values] == [[[1.0], [2.5]], [[3.0], [4.0]]]
    assert found.labels is not None
    assert found.labels.tolist() == ["up", "down"]
    with pytest.raises(DataError, match="several features"):
        read_sequences(written(tmp_path, "y.arff", head.replace("t0 numeric", "t0 relational")))
    with pytest.raises(DataError, match="not a readable"):
        read_sequences(written(tmp_path, "z.arff", head + "1,2,sideways\n"))


def test_other_kinds_of_files_are_named(tmp_path: Path) -> None:
    for name, words in (
        ("a.npz", "got arrays"),
        ("a.ts", "got sequences"),
        ("a.pkl", "never read"),
        ("a.xls", "old form"),
    ):
        with pytest.raises(DataError, match=words):
            read_table(written(tmp_path, name, "x"))


def test_excel_is_read_where_its_reader_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "x.xlsx", "no workbook")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match="pip install openpyxl"):
        read_table(path)
    rows = [(None, None), ("day", "sold", "shop"), (datetime.datetime(2020, 1, 31), 1, "a"), (None, 2.5, None)]
    monkeypatch.setitem(sys.modules, "openpyxl", _Reader(rows))
    table = read_table(path)
    assert table.names == ("day", "sold", "shop")
    np.testing.assert_array_equal(table["sold"], [1.0, 2.5])
    assert str(table["day"][0]).startswith("2020-01-31")
    monkeypatch.setitem(sys.modules, "openpyxl", _Reader([("a", "a"), (1, 2)]))
    with pytest.raises(DataError, match="stands over two columns"):
        read_table(path)
    monkeypatch.setitem(sys.modules, "openpyxl", _Reader(None))
    with pytest.raises(CorruptFile, match="not a readable Excel file"):
        read_table(path)


class _Reader:
    """What is used of openpyxl, over rows given; None for a file that it cannot read."""

    def __init__(self, rows: list[tuple[object, ...]] | None):
        self.rows = rows
        self.worksheets = [self]

    def load_workbook(self, path: Path, **options: bool) -> "_Reader":
        if self.rows is None:
            raise ValueError("not a zip file")
        return self

    def iter_rows(self, values_only: bool) -> list[tuple[object, ...]]:
        return self.rows or []

    def close(self) -> None: ...


def test_a_name_of_the_catalogue_is_its_data(data_folder: Path) -> None:
    assert by_name("no-such-set") is None
    train, test = by_name("japanese_vowels"), by_name("japanese_vowels/test")
    assert (len(train), len(test)) == (270, 370)
    assert by_name("univariate_small/daily-min-temperatures").names == ("Date", "Temp")
    with pytest.raises(DataError, match="expected one of univariate_small/airline-passengers, "):
        by_name("univariate_small")
    with pytest.raises(DataError, match="japanese_vowels/valid: expected one of japanese_vowels/train, "):
        by_name("japanese_vowels/valid")
