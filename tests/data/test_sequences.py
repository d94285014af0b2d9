"""Labelled sequences to and from files, whole and damaged."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato.data import LabelledSequences, SequenceBatch, read_sequences, write_sequences
from ostinato.errors import CorruptFile, DataError, LengthError, NonFiniteError, OstinatoError, ShapeError

lengths = st.lists(st.integers(0, 6), min_size=1, max_size=6)


def made(sizes: list[int], features: int = 3) -> list[np.ndarray]:
    rng = np.random.default_rng(len(sizes))
    return [rng.normal(size=(n, features)) for n in sizes]


@given(lengths, st.booleans())
def test_written_and_read_again(tmp_path_factory, sizes, words):
    path = tmp_path_factory.mktemp("npz") / "s.npz"
    labels = np.array([f"class {i % 3}" for i in range(len(sizes))]) if words else np.arange(len(sizes)) / 2
    values = made(sizes)
    if sizes[0]:
        values[0][0, 0] = np.nan
    write_sequences(path, LabelledSequences(values, labels, ("a", "b", "c")))
    again = read_sequences(path)
    assert again.names == ("a", "b", "c")
    np.testing.assert_array_equal(again.labels, labels)
    assert again.lengths.tolist() == sizes
    for one, other in zip(values, again.values, strict=True):
        np.testing.assert_array_equal(one, other)


@given(lengths)
def test_padded_and_cut_again(sizes):
    values = [v.astype(np.float32) for v in made(sizes)]
    for v in values:
        v[::2, 1] = np.nan
    again = SequenceBatch.from_sequences(values, missing=True, pad_to=7).to_sequences()
    for one, other in zip(values, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_padded_layout(tmp_path):
    values = np.arange(24.0).reshape(2, 4, 3)
    np.savez(tmp_path / "p.npz", values=values, lengths=np.array([2, 4]), labels=np.array([1, 0]))
    read = read_sequences(tmp_path / "p.npz")
    np.testing.assert_array_equal(read.values[0], values[0, :2])
    np.testing.assert_array_equal(read.values[1], values[1])
    np.savez(tmp_path / "f.npz", values=values.astype(np.int16))
    assert read_sequences(tmp_path / "f.npz").labels is None
    part = read.take(np.array([False, True]))
    assert (len(part), part.labels.tolist()) == (1, [0])


def test_a_long_table(tmp_path):
    (tmp_path / "s.csv").write_text(
        "id,time,x,y,label\nb,2,5,6,up\nb,1,3,,up\na,1,1,2,down\na,4,7,8,down\nb,3,9,9,up\n"
    )
    read = read_sequences(tmp_path / "s.csv")
    assert (read.names, read.labels.tolist(), read.lengths.tolist()) == (("x", "y"), ["up", "down"], [3, 2])
    np.testing.assert_array_equal(read.values[0], [[3, np.nan], [5, 6], [9, 9]])
    np.testing.assert_array_equal(read.dt[1], [1, 3])
    (tmp_path / "n.csv").write_text("who,x,score\n1,1,2.5\n1,0,2.5\n2,4,-1\n")
    read = read_sequences(tmp_path / "n.csv", series="who", label="score", numbers=True)
    np.testing.assert_array_equal(read.labels, [2.5, -1])
    np.testing.assert_array_equal(read.values[0], [[1], [0]])
    assert read.dt is None


@pytest.mark.parametrize(
    ("parts", "error", "words"),
    [
        ({"x": np.ones(2)}, DataError, "no array 'values'; it has x"),
        ({"values": np.ones((4, 2))}, DataError, "need 'lengths'"),
        ({"values": np.ones((4, 2)), "lengths": np.array([2, 3])}, DataError, "add up to 5, 'values' has 4 rows"),
        ({"values": np.ones((4, 2)), "lengths": np.array([5, -1])}, DataError, "add up to 4, 'values' has 4"),
        ({"values": np.ones((4, 2)), "lengths": np.array([2.0, 2.0])}, DataError, "whole numbers"),
        ({"values": np.ones((2, 3, 1)), "lengths": np.array([2, 4])}, LengthError, "0 to time = 3, got 4 in row 1"),
        ({"values": np.ones((2, 3, 1)), "labels": np.ones(3)}, DataError, r"'labels' of shape \(3,\) for 2 sequences"),
        ({"values": np.ones((2, 3, 1)), "names": np.array(["a", "b"])}, DataError, "for 1 features"),
        ({"values": np.ones(3)}, DataError, "must be numbers"),
        ({"values": np.full((1, 2, 1), np.inf)}, NonFiniteError, "sequence 0: inf"),
        ({"values": np.array([["a"]])}, DataError, "must be numbers"),
        ({"values": np.ones((0, 2, 1))}, DataError, "no sequences"),
        ({"values": np.array([[{}]], object)}, CorruptFile, "Object arrays cannot be loaded"),
    ],
)
def test_parts_that_do_not_fit(tmp_path, parts, error, words):
    np.savez(tmp_path / "s.npz", **parts)
    with pytest.raises(error, match=words):
        read_sequences(tmp_path / "s.npz")


def test_more_bytes_than_allowed(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", values=np.zeros((1, 100_000, 1)))
    assert (tmp_path / "bomb.npz").stat().st_size < 5000
    with pytest.raises(CorruptFile, match="expands to 800128 bytes, above 100000, refused"):
        read_sequences(tmp_path / "bomb.npz", largest=100_000)


def test_a_header_that_promises_more_than_the_file_holds(tmp_path):
    inner = io.BytesIO()
    np.save(inner, np.zeros((2, 3)))
    content = inner.getvalue().replace(b"(2, 3), }                ", b"(2, 30000000000000000), }")
    with zipfile.ZipFile(tmp_path / "s.npz", "w") as archive:
        archive.writestr("values.npy", content)
    with pytest.raises(CorruptFile, match="damaged"):
        read_sequences(tmp_path / "s.npz")


@given(st.data())
def test_damage_is_refused_or_harmless(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damage")
    values = made([3, 2])
    write_sequences(folder / "s.npz", LabelledSequences(values, np.array([0, 1])))
    content = bytearray((folder / "s.npz").read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (folder / "s.npz").write_bytes(content)
    try:
        again = read_sequences(folder / "s.npz")
    except OstinatoError:
        return
    # A flip outside what is read (a date, say) may pass, and a changed name may lose the labels; values never change.
    for one, other in zip(values, again.values, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,x,label\n1,2,a\n1,3,b\n", "line 3: label 'b' in sequence '1', begun with 'a'"),
        ("id,label\n1,a\n", "no features"),
        ("id,x\n1,two\n", "line 2: 'two' in column 'x', expected a number"),
        ("name,x\nu,1\n", "no column 'id'"),
        ("", "empty"),
    ],
)
def test_tables_that_are_refused(tmp_path, text, words):
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(DataError, match=words):
        read_sequences(tmp_path / "s.csv")


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(ShapeError, match="one number of features"):
        write_sequences(tmp_path / "s.npz", LabelledSequences([np.ones((1, 2)), np.ones((1, 3))]))
    with pytest.raises(DataError, match=r"written as \.npz"):
        write_sequences(tmp_path / "s.csv", LabelledSequences([np.ones((1, 2))]))
    with pytest.raises(DataError, match="'labels' must be numbers or strings"):
        write_sequences(tmp_path / "s.npz", LabelledSequences([np.ones((1, 2))], np.array([{}], object)))
    with pytest.raises(DataError, match="no such file"):
        read_sequences(tmp_path / "none.npz")


LABELS = "who,time,x,label\nb,2,5,{0}\nb,1,3,{0}\na,1,1,{1}\nc,1,7,{2}\n"


@pytest.mark.parametrize(
    "labels",
    [("01", "2", "10"), ("True", "FALSE", "true"), ("NA", "nan", "None"), ("1.0", "1", "1e0"), (" a", "a", "a ")],
)
def test_labels_come_back_as_they_are_written(tmp_path, labels):
    (tmp_path / "s.csv").write_text(LABELS.format(*labels))
    read = read_sequences(tmp_path / "s.csv", series="who")
    assert read.labels.tolist() == list(labels)
    assert (read.ids, read.series_name) == (("b", "a", "c"), "who")
    read.check_labels()


def test_labels_of_a_parquet_file_keep_their_words(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"id": ["b", "b", "a"], "x": [1.0, 2, 3], "label": [True, True, False]})
    frame.to_parquet(tmp_path / "s.parquet")
    assert read_sequences(tmp_path / "s.parquet").labels.tolist() == ["True", "False"]
    frame.assign(label=[1.0, 1.0, None]).to_parquet(tmp_path / "s.parquet")
    assert read_sequences(tmp_path / "s.parquet").labels.tolist() == ["1", ""]


def test_numbers_as_labels(tmp_path):
    (tmp_path / "s.csv").write_text(LABELS.format("2.5", "-1", ""))
    read = read_sequences(tmp_path / "s.csv", series="who", numbers=True)
    np.testing.assert_array_equal(read.labels, [2.5, -1, np.nan])
    with pytest.raises(DataError, match="sequence 'c' has no label"):
        read.check_labels()
    (tmp_path / "s.csv").write_text(LABELS.format("2.5", "low", "1"))
    with pytest.raises(DataError, match="line 4: 'low' in column 'label', expected a number"):
        read_sequences(tmp_path / "s.csv", series="who", numbers=True)
    (tmp_path / "s.csv").write_text(LABELS.format("2.5", "1e300", "1"))
    with pytest.raises(DataError, match=r"line 4: column 'label': 1e\+300, expected a magnitude"):
        read_sequences(tmp_path / "s.csv", series="who", numbers=True)


def test_labels_that_are_missing_do_not_matter_until_they_are_needed(tmp_path):
    (tmp_path / "s.csv").write_text(LABELS.format("", "a", "b"))
    read = read_sequences(tmp_path / "s.csv", series="who")
    assert read.labels.tolist() == ["", "a", "b"]
    with pytest.raises(DataError, match="sequence 'b' has no label"):
        read.check_labels()
    for numbers in (False, True):
        (tmp_path / "s.csv").write_text(LABELS.format("", "", ""))
        none = read_sequences(tmp_path / "s.csv", series="who", numbers=numbers)
        assert none.labels is None
        with pytest.raises(DataError, match="no labels"):
            none.check_labels()
        (tmp_path / "s.csv").write_text("who,x\nb,1\na,2\n")
        assert read_sequences(tmp_path / "s.csv", series="who", numbers=numbers).labels is None


def test_a_label_for_each_step(tmp_path):
    (tmp_path / "s.csv").write_text("id,time,x,label\nb,2,5,up\nb,1,3,down\na,1,1,01\n")
    with pytest.raises(DataError, match=r"line 3: label 'down' in sequence 'b', begun with 'up'; .* per_step"):
        read_sequences(tmp_path / "s.csv")
    read = read_sequences(tmp_path / "s.csv", per_step=True)
    assert [part.tolist() for part in read.labels] == [["down", "up"], ["01"]]
    assert [v[:, 0].tolist() for v in read.values] == [[3, 5], [1]]
    assert {name: column.tolist() for name, column in read.id_columns(True).items()} == {
        "id": ["b", "b", "a"],
        "step": [0, 1, 0],
    }
    assert [part.tolist() for part in read.take([1]).labels] == [["01"]]
    write_sequences(tmp_path / "s.npz", LabelledSequences(read.values, read.labels, ids=read.ids))
    again = read_sequences(tmp_path / "s.npz", per_step=True)
    assert [part.tolist() for part in again.labels] == [["down", "up"], ["01"]]
    assert again.ids == ("b", "a")
    np.savez(tmp_path / "p.npz", values=np.ones((2, 3, 1)), lengths=np.array([2, 3]), labels=np.arange(6).reshape(2, 3))
    assert [p.tolist() for p in read_sequences(tmp_path / "p.npz", per_step=True).labels] == [[0, 1], [3, 4, 5]]
    np.savez(tmp_path / "p.npz", values=np.ones((2, 3, 1)), labels=np.arange(5))
    with pytest.raises(DataError, match=r"'labels' of shape \(5,\) for 6 steps"):
        read_sequences(tmp_path / "p.npz", per_step=True)


def test_ids_are_kept_and_written(tmp_path):
    (tmp_path / "s.csv").write_text("unit,x\nq9,1\nq9,2\n007,3\nq4,4\n")
    read = read_sequences(tmp_path / "s.csv", series="unit")
    assert read.id_columns()["unit"].tolist() == ["q9", "007", "q4"]
    assert read.take([2, 0]).ids == ("q4", "q9")
    write_sequences(tmp_path / "s.npz", read)
    assert read_sequences(tmp_path / "s.npz").ids == ("q9", "007", "q4")
    assert LabelledSequences(read.values).id_columns()["sequence"].tolist() == [0, 1, 2]


def test_rows_out_of_order_are_said(tmp_path):
    (tmp_path / "s.csv").write_text("id,time,x\nb,2,5\nb,1,3\n")
    assert read_sequences(tmp_path / "s.csv").notes == ("rows were not in the order of 'time' and were sorted",)


def test_a_header_of_numbers_of_sequences(tmp_path):
    (tmp_path / "s.csv").write_text("1,2\n0,5\n0,6\n")
    named = read_sequences(tmp_path / "s.csv", series="1", header=True)
    assert (named.names, named.values[0].tolist()) == (("2",), [[5.0], [6.0]])
    with pytest.raises(DataError, match=r"no column 'id'.*was taken for data"):
        read_sequences(tmp_path / "s.csv")


def test_a_huge_value_names_the_sequence_and_the_step(tmp_path):
    np.savez(tmp_path / "s.npz", values=np.array([[1.0], [2.0], [1e200]]), lengths=np.array([1, 2]))
    with pytest.raises(DataError, match=r"sequence 1, step 1: 1e\+200, expected a magnitude of 1e\+140 at most"):
        read_sequences(tmp_path / "s.npz")
    np.savez(tmp_path / "s.npz", values=np.ones((2, 1, 1)), labels=np.array([1.0, 1e300]))
    with pytest.raises(DataError, match=r"label of sequence 1: 1e\+300"):
        read_sequences(tmp_path / "s.npz")
