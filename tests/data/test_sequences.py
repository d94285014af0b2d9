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
