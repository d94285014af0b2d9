"""Communities from tables: which columns are what, what is refused and where, scaling at each time."""

from pathlib import Path

import numpy as np
import pytest

from ostinato.data import TimeStandardizer, compositions, load, read_communities, read_table, to_communities
from ostinato.errors import DataError

GOOD = """name,Time,X_OD,Y_OD,acid
a,0,0.1,0.1,2
b,0,0,0.2,2
a,24,0.5,0.2,5
b,24,0,0.9,9
a,48,0.6,0.1,7
b,48,0,0.8,8
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(text)
    return path


def test_columns_are_found_and_samples_put_in_place(tmp_path) -> None:
    found = read_communities(write(tmp_path, GOOD))
    assert (found.names, found.species, found.metabolites) == (("a", "b"), ("X_OD", "Y_OD"), ("acid",))
    np.testing.assert_array_equal(found.hours, [0, 24, 48])
    np.testing.assert_array_equal(found.values[:, 1], [[0.5, 0.2, 5], [0, 0.9, 9]])
    np.testing.assert_array_equal(found.present, [[True, True], [False, True]])
    assert found.notes == ()
    assert found.take([1]).names == ("b",)
    same = read_communities(write(tmp_path, GOOD), metabolites=["acid"], community="name", time="Time")
    np.testing.assert_array_equal(same.values, found.values)
    alone = read_communities(write(tmp_path, GOOD), ["Y_*"], [])
    assert alone.features == ("Y_OD",)


def test_missing_and_uneven_samples(tmp_path) -> None:
    text = GOOD.replace("b,24,0,0.9,9\n", "").replace("a,48,0.6,0.1,7", "a,48,0.6,0.1,").replace("b,48", "b,40")
    found = read_communities(write(tmp_path, text))
    np.testing.assert_array_equal(found.hours, [0, 24, 40, 48])
    missing = np.isnan(found.values)
    assert missing[1, 1].all()
    assert missing[0, 2].all()
    assert missing[0, 3].tolist() == [False, False, True]
    assert "3 of 8 samples are missing" in found.notes[0]


def test_a_species_that_was_not_put_in_is_told(tmp_path) -> None:
    (said,) = read_communities(write(tmp_path, GOOD.replace("b,48,0,", "b,48,0.3,"))).notes
    assert said.startswith("1 samples hold a species that was not put in, up to 0.3 of X_OD")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("a,24,0.5", "a,24,1e300", r"line 4: column 'X_OD': 1e\+300, expected a magnitude of 1e\+140 at most"),
        ("a,24,0.5", "a,24,-0.5", r"line 4: -0.5 in column 'X_OD', expected an amount of 0 or more"),
        ("a,24,0.5", "a,24,lots", r"line 4: 'lots' in column 'X_OD', expected a number"),
        ("a,48", "a,24", r"line 6: community 'a' is there already at 24 h \(line 4\)"),
        ("a,48", "a,12", r"line 6: community 'a' at 12 h comes after 24 h \(line 4\)"),
        ("a,24,0.5,0.2,5", "c,24,0.5,0.2,5", r"line 4: community 'c' was measured once"),
        ("a,0,0.1", "a,12,0.1", r"line 2: community 'a' has no sample at 0 h, where others begin"),
        ("a,24,0.5", "a,24,", r"line 4: 'X_OD' is missing where other species are there"),
        ("b,0,0,0.2,2", "b,0,0,0.2,", r"line 3: 'acid' is missing at the first time"),
        ("b,0,0,0.2,2", "b,0,0,0,2", r"line 3: community 'b' has no species"),
        ("b,24", "b,", r"line 5: no time in column 'Time'"),
        ("b,24", ",24", r"line 5: no community in column 'name'"),
        ("name,Time", "name,when", r"say which column holds the hours \(--time\)"),
        ("X_OD,Y_OD", "X,Y", r"not clear which columns are species; found no ending that columns share"),
    ],
)
def test_what_is_refused(tmp_path, old: str, new: str, said: str) -> None:
    text = GOOD
    assert old in text
    path = write(tmp_path, text.replace(old, new, 1) if old != "b,24" else text.replace("b,24", new))
    with pytest.raises(DataError, match=said):
        read_communities(path)


def test_constant_metabolites_and_unknown_columns_are_refused(tmp_path) -> None:
    lines = [line.rsplit(",", 1)[0] + ",3" for line in GOOD.splitlines()[1:]]
    path = write(tmp_path, "\n".join([GOOD.splitlines()[0], *lines]))
    with pytest.raises(DataError, match=r"line 4: metabolite 'acid' is 3 in every sample after the first time"):
        read_communities(path)
    lines = [line if ",0," in line[:5] else line.rsplit(",", 1)[0] + "," for line in GOOD.splitlines()[1:]]
    path = write(tmp_path, "\n".join([GOOD.splitlines()[0], *lines]))
    with pytest.raises(DataError, match=r"metabolite 'acid' has no value after the first time"):
        read_communities(path)
    with pytest.raises(DataError, match=r"no column 'Z_OD'; did you mean"):
        read_communities(write(tmp_path, GOOD), ["Z_OD"])
    with pytest.raises(DataError, match=r"no column of numbers is named like '\*_RNA'"):
        read_communities(write(tmp_path, GOOD), ["*_RNA"])
    with pytest.raises(DataError, match="among the species and among the metabolites"):
        to_communities({"n": ["a"], "t": [0.0], "X": [1.0]}, ["X"], ["X"])


def test_compositions_for_a_prediction(tmp_path) -> None:
    known = (["X_OD", "Y_OD"], ["acid"])
    found = compositions({"name": ["p", "q"], "Y_OD": [0.1, 0.2]}, *known, medium={"acid": 28.0})
    np.testing.assert_array_equal(found.initial, [[0, 0.1, 28], [0, 0.2, 28]])
    first = compositions({"name": ["p", "p"], "time": [0, 24], "X_OD": [0.1, 0.9]}, *known, medium={"acid": 1.0})
    assert first.names == ("p",)
    with pytest.raises(DataError, match="column 'Z_OD' is no species or metabolite of the model"):
        compositions({"name": ["p"], "Z_OD": [0.1]}, *known, medium={"acid": 1.0})
    with pytest.raises(DataError, match="row 1: community 'p' is there twice"):
        compositions({"name": ["p", "p"], "X_OD": [0.1, 0.1]}, *known, medium={"acid": 1.0})
    with pytest.raises(DataError, match="row 0: community 'p' has no species"):
        compositions({"name": ["p"], "X_OD": [0.0]}, *known, medium={"acid": 1.0})
    with pytest.raises(DataError, match="row 0: -1 in column 'X_OD'"):
        compositions({"name": ["p"], "X_OD": [-1.0]}, *known, medium={"acid": 1.0})


LATE = """name,Time,X_OD,Y_OD,acid
x,0,0.05,0.05,20
x,4,0.1,0.07,19
y,2,0.05,0.02,20
y,4,0.06,0.03,19
z,0,0.01,0.02,20
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            LATE,
            r"line 4: community 'y' has no sample at 0 h, where others begin; later begin 'y' at 2 h\. A prediction",
        ),
        # Rows of any order, several late ones, one that was measured once, a first sample that is empty.
        (LATE.replace("z,0", "z,7"), r"line 4: .*later begin 'y' at 2 h, 'z' at 7 h\."),
        ("\n".join([LATE.splitlines()[0], *LATE.splitlines()[:0:-1]]), r"line 4: .*later begin 'y' at 2 h\."),
        (LATE.replace("x,0,", "x,1,").replace("z,0", "z,1"), r"line 4: community 'y' has no sample at 1 h"),
        (LATE + "".join(f"c{i},3,0.1,0.1,20\n" for i in range(9)), r"'c3' at 3 h and 5 more\."),
        (LATE.replace("y,2", "y,0").replace("z,0,0.01", "z,0,"), r"line 6: 'X_OD' of community 'z' is missing"),
        (LATE.replace("y,2", "y,"), r"line 4: no time in column 'Time'"),
        (LATE.replace("y,2", ",2"), r"line 4: no community in column 'name'"),
    ],
)
@pytest.mark.parametrize("time", [None, "Time"])
def test_nobody_is_left_out_of_a_prediction_without_a_word(tmp_path, text: str, said: str, time: str | None) -> None:
    table = read_table(write(tmp_path, text))
    with pytest.raises(DataError, match=said):
        compositions(table, ["X_OD", "Y_OD"], ["acid"], medium={"acid": 20.0}, time=time)


def test_rows_of_any_order_begin_where_their_community_does(tmp_path) -> None:
    lines = LATE.replace("y,2", "y,0").splitlines()
    known = (["X_OD", "Y_OD"], ["acid"])
    for text in ("\n".join(lines), "\n".join([lines[0], *lines[:0:-1]])):
        found = compositions(read_table(write(tmp_path, text)), *known, medium={"acid": 1.0})
        first = dict(zip(found.names, found.initial.tolist(), strict=True))
        assert first == {"x": [0.05, 0.05, 20], "y": [0.05, 0.02, 20], "z": [0.01, 0.02, 20]}
    # A table of compositions alone, for a run whose data had times.
    alone = compositions({"name": ["p"], "X_OD": [0.1]}, *known, medium={"acid": 1.0}, time="Time")
    assert alone.initial.tolist() == [[0.1, 0.0, 1.0]]


def test_scaling_at_each_time() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(9, 3, 2)) * [1.0, 5.0] + np.arange(3)[:, None]
    values[4, 1] = np.nan
    values[:, 0, 1] = 7.0
    scale = TimeStandardizer.fit(values, width=4.0)
    z = scale.transform(values)
    np.testing.assert_allclose(np.nanmean(z, axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.nanstd(z, axis=0)[1:], 0.25, rtol=1e-12)
    np.testing.assert_array_equal(scale.scale[0, 1], 1.0)
    np.testing.assert_allclose(scale.inverse(z[:, 1:], 1), values[:, 1:], rtol=1e-12)
    beyond = scale.inverse(np.zeros((1, 4, 2)), 1)
    np.testing.assert_array_equal(beyond[0, 2:], scale.mean[[2, 2]])
    pooled = TimeStandardizer.fit(values, pooled=True)
    np.testing.assert_allclose(pooled.mean[0], np.nanmean(values.reshape(-1, 2), axis=0), rtol=1e-12)
    np.testing.assert_array_equal(pooled.scale[0], pooled.scale[2])
    values[1:, 2] = np.nan
    with pytest.raises(DataError, match="time 2 has 1 of feature 0; pool the times"):
        TimeStandardizer.fit(values)


def test_the_public_table(data_folder) -> None:
    train, test = load("microbiome", data_folder)
    assert (len(train), len(test)) == (60, 35)
    assert train.metabolites == ("Butyrate", "Acetate", "Lactate", "Succinate")
    assert test.present[-1].all()
    # What the source says of the table: every species begins with 0.0066 / richness.
    whole = np.concatenate([train.initial, test.initial])[:, :25]
    np.testing.assert_allclose(whole, (whole > 0) * 0.0066 / (whole > 0).sum(1, keepdims=True), atol=1e-9)
    assert sorted(set((whole > 0).sum(1))) == [*range(11, 18), 25] or (whole > 0).sum(1).min() == 11
