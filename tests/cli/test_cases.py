"""Files like those that people really have, at the command: what comes back is right, or the error names the thing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ostinato.data import LabelledSequences, Zone, read_table, to_communities, to_series
from ostinato.jobs import JOBS

from .conftest import SMALL, answer, call, days, refusal, temperatures, write_csv

Run = tuple[Path, dict[str, Any]]
BERLIN = Zone("Europe/Berlin")


def local_days(first: str, count: int) -> np.ndarray:
    """Local midnights of Berlin, in UTC."""
    return BERLIN.moments((np.datetime64(first) + np.arange(count)).astype("M8[s]"))


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of two shops whose days are local midnights across a change of the clocks."""
    folder = tmp_path_factory.mktemp("shops")
    times = BERLIN.written(local_days("2022-10-20", 25)) * 2
    columns = {"store": ["s9"] * 25 + ["01"] * 25, "when": times, "sold": temperatures(50)}
    file = write_csv(folder / "shops.csv", columns)
    options = ["--target", "sold", "--series", "store", "--horizon", 2, "--context", 3, "--test", 5]
    return folder, answer("fit", "forecast", file, *options, *SMALL, "--out", folder / "run")


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of sequences of 5 to 7 steps, whose labels are 01, NA and True."""
    folder = tmp_path_factory.mktemp("classes")
    said = answer("fit", "classify", labelled(folder / "train.csv", 12, True), *SMALL, "--out", folder / "run")
    return folder, said


def labelled(path: Path, count: int, labels: bool, empty: bool = False) -> Path:
    """Sequences in long layout, q11 first, with an own label each, an empty one, or no column of labels."""
    rng, rows = np.random.default_rng(0), ["id,time,x,y" + ",label" * labels]
    for i in range(count):
        label = "" if empty else ("01", "NA", "True")[i % 3]
        for t in range(5 + i % 3):
            x, y = rng.normal(i % 3, 0.1, 2).round(3)
            rows.append(f"q{count - 1 - i},{t},{x},{y}" + f",{label}" * labels)
    path.write_text("\n".join(rows) + "\n")
    return path


def test_forecasts_come_in_the_zone_of_the_file_and_under_its_names(shops: Run) -> None:
    folder, said = shops
    assert any("in the zone of the file (+01:00 and +02:00" in note for note in said["notes"])
    answer("predict", folder / "run", folder / "shops.csv", "--out", folder / "f.csv")
    text = (folder / "f.csv").read_text().splitlines()
    assert text[0].split(",")[:3] == ["store", "when", "sold"]
    assert [",".join(line.split(",")[:2]) for line in text[1:]] == [
        "s9,2022-11-14T00:00:00+01:00",
        "s9,2022-11-15T00:00:00+01:00",
        "01,2022-11-14T00:00:00+01:00",
        "01,2022-11-15T00:00:00+01:00",
    ]


def test_facts_of_the_series(shops: Run) -> None:
    found = json.loads((shops[0] / "run" / "data.json").read_text())
    assert {name: found[name] for name in ("series", "rows", "target", "time", "step", "missing", "from", "to")} == {
        "series": 2,
        "rows": 50,
        "target": ["sold"],
        "time": "when",
        "step": "daily",
        "missing": 0,
        "from": "2022-10-20T00:00:00+02:00",
        "to": "2022-11-13T00:00:00+01:00",
    }


def test_a_file_in_utc_goes_on_in_utc(shops: Run) -> None:
    folder, _ = shops
    columns = {"store": ["x"] * 9, "when": [f"{t}Z" for t in local_days("2022-10-26", 9)], "sold": temperatures(9)}
    said = answer("predict", folder / "run", write_csv(folder / "utc.csv", columns))["columns"]
    assert said["when"] == ["2022-11-03T23:00:00+00:00", "2022-11-04T23:00:00+00:00"]
    assert said["store"] == ["x", "x"]


def test_rows_in_another_step_are_refused(shops: Run) -> None:
    folder, _ = shops
    hours = np.datetime64("2023-01-01T00:00:00") + np.arange(9) * np.timedelta64(1, "h")
    columns = {"store": ["x"] * 9, "when": BERLIN.written(hours), "sold": temperatures(9)}
    file = write_csv(folder / "hours.csv", columns)
    for verb in ("predict", "evaluate"):
        said = refusal(3, verb, folder / "run", file)
        assert "the rows are hourly, those that the model was trained on were daily" in said
    shown = np.delete(local_days("2023-01-01", 9), [6])
    columns = {"store": ["x"] * 8, "when": BERLIN.written(shown), "sold": temperatures(8)}
    said = refusal(3, "predict", folder / "run", write_csv(folder / "gap.csv", columns))
    assert "1 times have no row, the first of them after 2023-01-06T00:00:00+01:00" in said


def test_labels_and_ids_come_back_as_written(classes: Run) -> None:
    folder, _ = classes
    new = labelled(folder / "new.csv", 6, False)
    answer("predict", folder / "run", new, "--out", folder / "labels.csv")
    table = read_table(folder / "labels.csv")
    assert table.names == ("id", "label", "p_01", "p_NA", "p_True")
    assert table.text("id").tolist() == ["q5", "q4", "q3", "q2", "q1", "q0"]
    assert set(table.text("label")) <= {"01", "NA", "True"}
    said = answer("predict", folder / "run", labelled(folder / "empty.csv", 6, True, empty=True))["columns"]
    assert said["label"] == table.text("label").tolist()
    assert "no labels" in refusal(3, "evaluate", folder / "run", folder / "empty.csv")


def test_features_are_found_by_their_names(classes: Run, tmp_path: Path) -> None:
    folder, _ = classes
    file = labelled(tmp_path / "new.csv", 6, False)
    table = read_table(file)
    columns = {name: table.text(name).tolist() for name in table.names}
    plain = answer("predict", folder / "run", file)["columns"]
    swapped = {name: columns[name] for name in ("y", "id", "x", "time")} | {"more": range(len(table))}
    assert answer("predict", folder / "run", write_csv(tmp_path / "swapped.csv", swapped))["columns"] == plain
    del swapped["y"]
    said = refusal(3, "predict", folder / "run", write_csv(tmp_path / "less.csv", swapped))
    assert said == "X: no feature 'y'; it has x, more, expected x, y"
    columns["x"][7] = ""
    said = refusal(3, "predict", folder / "run", write_csv(tmp_path / "gap.csv", columns))
    assert said == "sequence 'q4', step 2: feature 'x' is missing; allow it with missing=True (--missing)"


def test_facts_of_the_sequences(classes: Run) -> None:
    found = json.loads((classes[0] / "run" / "data.json").read_text())
    assert found["labels"] == ["01", "NA", "True"]
    facts = ("sequences", "features", "names", "shortest", "longest", "missing")
    assert [found[name] for name in facts] == [12, 2, ["x", "y"], 5, 7, 0]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"date": days(30), "loaded": ["2024-01-01"] * 30, "v": range(30)}, "'date' and 'loaded' hold times; say which"),
    ({"date": [f"{d} 10:00 CST" for d in days(30)], "v": range(30)}, "line 2: '2020-01-01 10:00 CST' in column 'date'"),
    ({"date": days(30), "v": [*range(29), "1.7976931348623157e308"]}, "line 31: column 'v': 1.7977e+308, expected"),
    ({"date": np.repeat(days(15), 2), "v": range(30)}, "line 3: time 2020-01-01T00:00:00 stands in line 2 already"),
]


@pytest.mark.parametrize(("columns", "said"), REFUSED)
def test_what_cannot_be_read_is_named(tmp_path: Path, columns: dict[str, Any], said: str) -> None:
    file = write_csv(tmp_path / "data.csv", columns)
    assert said in refusal(3, "fit", "forecast", file, "--target", "v", "--quiet", "--out", tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


def test_a_huge_number_in_sequences_is_named(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("id,x,label\na,1,up\na,1e200,up\nb,2,down\n")
    for job in ("classify", "regress"):
        said = refusal(3, "fit", job, tmp_path / "s.csv", "--quiet", "--out", tmp_path / "run")
        assert (
            "line 3: column 'x': 1e+200, expected" in said
            or "line 2: 'up' in column 'label', expected a number" in said
        )


def test_quarters_of_a_second_and_a_first_line_that_was_guessed(tmp_path: Path) -> None:
    times = np.datetime64("2024-01-01") + np.arange(26) * np.timedelta64(250, "ms")
    file = tmp_path / "data.csv"
    file.write_text("\n".join(f"{t},{v}" for t, v in zip(times[:24], temperatures(24), strict=True)) + "\n")
    options = ["--horizon", 2, "--context", 3, "--test", 0, *SMALL, "--out", tmp_path / "run"]
    shown = call("fit", "forecast", file, *options)
    assert shown.exit_code == 0, shown.stderr
    assert "was taken for data, --header yes" in shown.stderr
    answer("predict", tmp_path / "run", file, "--out", tmp_path / "f.csv")
    written = read_table(tmp_path / "f.csv", header=True).text("0").tolist()
    assert written == [f"2024-01-01T00:00:06.{ms}" for ms in ("000", "250")]


def test_facts_of_data_with_gaps_and_rows_ahead() -> None:
    table = {
        "store": ["a"] * 4 + ["b"] * 3,
        "day": [*days(4), *days(3, "2019-12-31")],
        "v": [1, None, 3, None, 5, 6, 7],
    }
    series = to_series({**table, "area": [2] * 4 + [3] * 3, "rain": range(7)}, "v", series="store", static=["area"])
    assert JOBS["forecast"].describe(series) == {
        "series": 2,
        "rows": 7,
        "target": ("v",),
        "static": ("area",),
        "time": "day",
        "step": "daily",
        "missing": 1,  # The last row of a is the time to be forecast.
        "from": "2019-12-31",
        "to": "2020-01-04",
    }
    sequences = LabelledSequences([np.ones((3, 2)), np.full((1, 2), np.nan)], np.array([2.5, -1.0]), ("x", "y"))
    assert JOBS["regress"].describe(sequences) == {
        "sequences": 2,
        "features": 2,
        "names": ("x", "y"),
        "shortest": 1,
        "longest": 3,
        "missing": 2,
        "targets": "-1 to 2.5",
    }


def test_facts_of_communities() -> None:
    rows = {"name": ["u"] * 3 + ["w"] * 3, "time": [0, 24, 48] * 2, "X_OD": [0.1, 0.5, 0.6, 0, 0.1, 0.2]}
    rows |= {"Y_OD": [0.1, 0.2, 0.2, 0.1, 0.9, 1.0], "acid": [0.0, 3.0, 4.0, 0.0, None, 2.0]}
    found = JOBS["community"].describe(to_communities(rows))
    assert found == {
        "communities": 2,
        "species": ("X_OD", "Y_OD"),
        "metabolites": ("acid",),
        "hours": [0.0, 24.0, 48.0],
        "fewest species": 1,
        "most species": 2,
        "missing": 1,
    }
