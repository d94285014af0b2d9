"""Tables from files and frames, and what is said where a file is not what it should be."""

import contextlib
import gzip
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato.data import Table, read_table
from ostinato.errors import CorruptFile, DataError


def write(folder, text: str | bytes, name: str = "t.csv"):
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


PLAIN = "day,Temp,note\n2020-01-01,1.5,a\n2020-01-02,NA,\n2020-01-03,-2e1,c\n"


NEW = ["two boms", "sep", "tab and decimal comma", "utf-32", "utf-16", "day first"]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", ";").replace("1.5", "1,5"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n2020-01-02", "\n\n2020-01-02") + "\n\n",
        '"day","Temp","note"\n"2020-01-01","1.5","a"\n"2020-01-02","","" \n"2020-01-03","-20","c"',
        b"\xef\xbb\xbf" + PLAIN.encode(),
        b"\xef\xbb\xbf" * 2 + PLAIN.encode(),
        "sep=;\r\n" + PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t").replace("1.5", "1,5").replace("-2e1", "-2,0E1"),
        PLAIN.encode("utf-32"),
        PLAIN.encode("utf-16"),
        PLAIN.replace("2020-01-01", "01/01/2020")
        .replace("2020-01-02", "02/01/2020")
        .replace("2020-01-03", "13/01/2020"),
    ],
    ids=["comma", "semicolon", "decimal comma", "tab", "crlf", "empty lines", "quoted", "bom", *NEW],
)
def test_the_same_table_however_it_is_written(tmp_path, content):
    table = read_table(write(tmp_path, content))
    assert table.names == ("day", "Temp", "note")
    assert [table.kind(n) for n in table] == ["time", "number", "text"]
    np.testing.assert_array_equal(table["Temp"], [1.5, np.nan, -20])
    assert [s.strip() for s in table.text("note")] == ["a", "", "c"]
    if b"13/01" not in (tmp_path / "t.csv").read_bytes():
        np.testing.assert_array_equal(table.time("day"), np.array(["2020-01-01", "2020-01-02", "2020-01-03"], "M8[s]"))
    else:
        np.testing.assert_array_equal(table.time("day"), np.array(["2020-01-01", "2020-01-02", "2020-01-13"], "M8[s]"))


def test_gzip_and_no_header(tmp_path):
    path = tmp_path / "t.txt.gz"
    path.write_bytes(gzip.compress(b"1,2.5\n3,4\n"))
    table = read_table(path)
    assert table.names == ("0", "1")
    np.testing.assert_array_equal(table["1"], [2.5, 4])
    assert len(read_table(path, header=True)) == 1


def test_a_header_of_numbers(tmp_path):
    path = write(tmp_path, "2019,2020\n0,1\n1,2\n")
    guessed = read_table(path)
    assert (guessed.names, len(guessed)) == (("0", "1"), 3)
    assert guessed.notes == (
        "the first line (2019, 2020) was taken for data, --header yes (header=True) takes it for names",
    )
    assert "taken for data" in repr(guessed)
    with pytest.raises(DataError, match=r"no column '2019'; it has 0, 1; the first line .* was taken for data"):
        guessed["2019"]
    told = read_table(path, header=True)
    assert (told.names, told["2019"].tolist(), told.notes) == (("2019", "2020"), [0, 1], ())
    told = read_table(path, header=False)
    assert (told.names, told["0"].tolist(), told.notes) == (("0", "1"), [2019, 0, 1], ())


def test_names_that_are_numbers_are_said(tmp_path):
    path = write(tmp_path, ",0\n1821,269\n1822,321\n")
    assert "(, 0) was taken for names, --header no (header=False)" in read_table(path).notes[0]
    assert read_table(path, header=False)["1"].tolist() == [0, 269, 321]
    assert read_table(write(tmp_path, "a,b\n1,2\n")).notes == ()


@pytest.mark.parametrize("text", ["a,b,\n1,2,\n3,4,\n", "a,b\n1,2,\n3,4,\n", "a,b,,\n1,2\t,, \n3,4,,\n"])
def test_a_delimiter_at_the_end_is_no_column(tmp_path, text):
    table = read_table(write(tmp_path, text))
    assert table.names == ("a", "b")
    assert table["b"].tolist() == [2, 4]
    kept = read_table(write(tmp_path, "a,b,\n1,2,\n3,4,5\n"))
    assert kept.names == ("a", "b", "column 2")
    with pytest.raises(DataError, match="line 3: 3 cells, where the first line has 2"):
        read_table(write(tmp_path, "a,b\n1,2,\n3,4,5\n"))


def test_a_space_in_front_of_a_cell(tmp_path):
    path = write(tmp_path, 'a,b\n1, x\n2,y\n3," z"\n')
    assert read_table(path).text("b").tolist() == [" x", "y", " z"]
    spaced = read_table(write(tmp_path, 'a, b, c\n1, x, 2\n2, "y, z", 3\n'))
    assert (spaced.names, spaced.text("b").tolist(), spaced["c"].tolist()) == (("a", "b", "c"), ["x", "y, z"], [2, 3])


def test_commas_that_may_be_thousands(tmp_path):
    table = read_table(write(tmp_path, "a;b\n1,234;1.234\n2,345;0,5\n"))
    assert table["a"].tolist() == [1.234, 2.345]
    assert table.notes == ("column 'a': the comma in cells such as 1,234 was read as that of decimals",)
    with pytest.raises(DataError, match="line 3: '0,5' in column 'b', expected a number"):
        table.number("b")


def test_an_index_without_a_name_is_a_header(tmp_path):
    table = read_table(write(tmp_path, ",0\n1821,269\n1822,321\n"))
    assert table.names == ("index", "0")
    assert len(table) == 2


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1949-03", "1949-03-01T00:00:00"),
        ("1949Q2", "1949-04-01T00:00:00"),
        ("1949/03/07", "1949-03-07T00:00:00"),
        ("07.03.1949 06:30", "1949-03-07T06:30:00"),
        ("Mar 7 1949", "1949-03-07T00:00:00"),
        ("7 Mar 1949", "1949-03-07T00:00:00"),
        ("12/31/1949", "1949-12-31T00:00:00"),
        ("2020-03-07T10:00:00Z", "2020-03-07T10:00:00"),
        ("2020-03-07 10:00:00+02:00", "2020-03-07T08:00:00"),
        ("20200307", "2020-03-07T00:00:00"),
        ("202003", "2020-03-01T00:00:00"),
        ("202003071005", "2020-03-07T10:05:00"),
        ("20200307100509", "2020-03-07T10:05:09"),
    ],
)
def test_forms_of_time(written, expected):
    table = Table({"t": [written, ""]})
    assert str(table.time("t")[0]) == expected
    assert np.isnat(table.time("t")[1])


def test_words_and_numbers_are_no_times():
    assert Table({"t": ["1-01", "1-02"]}).kind("t") == "text"
    assert Table({"t": ["1949", "1950"]}).kind("t") == "number"
    assert Table({"t": ["3/4/2020", "4/3/2020"]}).kind("t") == "text"
    assert Table({"t": ["1_000"]}).kind("t") == "text"
    np.testing.assert_array_equal(Table({"t": ["True", "false", ""]})["t"], [1, 0, np.nan])


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=20))
def test_numbers_written_and_read_again(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("csv") / "n.csv"
    path.write_text("x,y\n" + "".join(f"{'' if n is None else repr(n)},0\n" for n in numbers))
    np.testing.assert_array_equal(read_table(path).number("x"), [np.nan if n is None else n for n in numbers])


def test_lines_are_those_of_the_file_also_with_line_breaks_in_cells(tmp_path):
    path = write(tmp_path, 'a,b\n"two\nlines",1\n\nx,oops\n')
    with pytest.raises(DataError, match=r"t\.csv, line 5: 'oops' in column 'b', expected a number"):
        read_table(path).number("b")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "the file is empty"),
        (" \n\n", "the file is empty"),
        ("a,b\n", "no rows below"),
        ("a,b,a\n1,2,3\n", r"'a' stands over columns \[0, 2\]"),
        ("a,b\n1,2\n3\n", "line 3: 1 cells, where the first line has 2"),
        ("a,b\n1,2\n3,4,5\n", "line 3: 3 cells, where the first line has 2"),
        (b"a,b\n\xff\xf0,1\n", "not UTF-8 text"),
        ("a,b\n1,2\n".encode("utf-16-le"), "line 1: a NUL"),
        ("a,b\n1,2\n3,4\0\n", "line 3: a NUL"),
        ('a,b\n1,x\n2,"x\n3,x\n', "line 3: a quote that begins there is never closed"),
    ],
)
def test_files_that_are_refused(tmp_path, content, words):
    with pytest.raises(DataError, match=words):
        read_table(write(tmp_path, content))


def test_damaged_and_absent_files(tmp_path):
    whole = gzip.compress(PLAIN.encode() * 50)
    for damaged in (whole[:-9], whole[:30] + b"\x00\x01" + whole[32:], b"no gzip"):
        with pytest.raises(CorruptFile, match="damaged gzip"):
            read_table(write(tmp_path, damaged, "t.csv.gz"))
    with pytest.raises(DataError, match="no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(CorruptFile, match="Parquet"):
        read_table(write(tmp_path, "PAR1", "t.parquet"))


def test_a_gzip_file_that_expands_too_far(tmp_path):
    from ostinato.data.files import read_bytes

    path = write(tmp_path, gzip.compress(bytes(100_000)), "t.gz")
    with pytest.raises(CorruptFile, match="expands beyond 99999 bytes"):
        read_bytes(path, 99_999)


def test_a_missing_column_names_the_nearest():
    table = Table({"Temperature": [1.0], "date": ["2020-01-01"]})
    with pytest.raises(
        DataError, match=r"no column 'Temprature'; did you mean 'Temperature'\? it has Temperature, date"
    ):
        table["Temprature"]
    with pytest.raises(DataError, match="did you mean 'date'"):
        table["DATE"]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda t: t.number("day"), "column 'day' holds times"),
        (lambda t: t.number("big"), "row 1: inf in column 'big', expected a finite number"),
        (lambda t: t.time("word"), "row 0: 'x1y2z3' in column 'word', expected a time"),
        (lambda t: t.time("slash"), "order of day and month is not clear"),
        (lambda t: t.time("big"), "expected a time"),
        (lambda t: Table({"a": [1, 2], "b": [1]}), "unequal length"),
        (lambda t: Table({}), "no columns"),
        (lambda t: Table({"a": np.ones((2, 2))}), r"must be \(rows,\)"),
        (lambda t: Table.from_frame("text"), "expected a frame"),
        (lambda t: Table.from_frame(np.ones((2, 2, 2))), r"got ndarray of shape \(2, 2, 2\)"),
    ],
)
def test_what_a_column_cannot_be(ask, words):
    table = Table(
        {"day": ["2020-01-01", ""], "big": ["1", "inf"], "word": ["x1y2z3", ""], "slash": ["3/4/2020", "4/3/2020"]}
    )
    with pytest.raises(DataError, match=words):
        ask(table)


def test_rows_and_columns_by_choice():
    table = Table({"a": ["1", "2", "x"], "b": [1, 2, 3]}, lines=np.array([2, 3, 4]))
    part = table.take(np.array([2, 0])).with_columns({"c": [5, 6]})
    assert part.names == ("a", "b", "c")
    np.testing.assert_array_equal(part["b"], [3, 1])
    assert part.where(0) == "table, line 4"
    assert table.take(slice(0, 2)).text("b").tolist() == ["1", "2"]


def test_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "whole": pandas.array([1, None, 3], dtype="Int64"),
            "word": ["x", None, "z"],
            "zone": pandas.to_datetime(["2020-01-01T01:00+01:00", "2020-01-02T00:00+00:00", None], utc=True),
            "truth": [True, False, True],
        }
    )
    table = Table.from_frame(frame)
    assert [table.kind(n) for n in table] == ["number", "text", "time", "number"]
    np.testing.assert_array_equal(table["whole"], [1, np.nan, 3])
    assert table["word"].tolist() == ["x", "", "z"]
    np.testing.assert_array_equal(table["zone"], np.array(["2020-01-01", "2020-01-02", "NaT"], "M8[s]"))
    assert Table.from_frame(table) is table
    indexed = Table.from_frame(frame.set_index("zone")["truth"])
    assert indexed.names == ("zone", "truth")
    periods = pandas.Series([1.0, 2.0], index=pandas.period_range("2020-01", periods=2, freq="M"))
    np.testing.assert_array_equal(Table.from_frame(periods)["index"], np.array(["2020-01-01", "2020-02-01"], "M8[s]"))
    with pytest.raises(DataError, match="duplicate column names"):
        Table.from_frame(pandas.DataFrame(np.ones((2, 2)), columns=["a", "a"]))


def test_parquet(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"t": pandas.date_range("2020", periods=3), "x": [1.0, None, 3.0]})
    frame.to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert [table.kind(n) for n in table] == ["time", "number"]
    np.testing.assert_array_equal(table["x"], [1, np.nan, 3])


def test_without_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "narwhals", None)
    with pytest.raises(DataError, match=r"needs the extra `frames`: pip install 'ostinato\[frames\]'"):
        read_table(write(tmp_path, "PAR1", "t.parquet"))
    pandas = pytest.importorskip("pandas")
    with pytest.raises(DataError, match="needs the extra `frames`"):
        Table.from_frame(pandas.DataFrame({"a": [1]}))


def test_arrays_and_mappings():
    table = Table.from_frame(np.arange(6).reshape(3, 2))
    assert table.names == ("0", "1")
    np.testing.assert_array_equal(table["1"], [1, 3, 5])
    assert Table.from_frame(np.arange(3.0)).names == ("0",)
    times = Table.from_frame({"t": np.array(["2020-01", "2020-02"], "M8[M]")})
    assert times.kind("t") == "time"


CELLS = st.one_of(
    st.text(alphabet="0123456789.,;\t-+eE:TZ/ \"'\nQabnNAJF_", max_size=12),
    st.sampled_from(
        ["0001-01-01T00:00+23:00", "9999-12-31", "1e999", "-nan", "١٢", "2020-02-30", "Feb 30 2020", "\x00"]
    ),
    st.text(max_size=5),
)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=4), st.sampled_from([",", ";", "\t"]))
def test_any_text_is_a_table_or_an_error_of_ours(tmp_path_factory, rows, delimiter):
    path = tmp_path_factory.mktemp("fuzz") / "t.csv"
    path.write_bytes("\n".join(delimiter.join(row) for row in rows).encode("utf-8", "replace"))
    try:
        table = read_table(path)
    except DataError:
        return
    for name in table:
        assert len(table[name]) == len(table) == len(table.text(name))
        for ask in (table.number, table.time):
            with contextlib.suppress(DataError):
                ask(name)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_table_or_an_error_of_ours(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("fuzz")
    for name in ("t.csv", "t.csv.gz"):
        (folder / name).write_bytes(content)
        try:
            read_table(folder / name)
        except (DataError, CorruptFile):
            continue
