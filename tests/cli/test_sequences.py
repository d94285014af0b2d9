"""`fit classify` and `fit regress`: sequences of any lengths from a file, held out, judged, labelled."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ostinato.data import LabelledSequences, read_sequences, read_table
from ostinato.jobs import job_of
from ostinato.jobs.settings import complete
from ostinato.models import load

from .conftest import SMALL, answer, labelled, refusal

Run = tuple[Path, dict[str, Any]]


@pytest.fixture(scope="module")
def class_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("classes")
    train = labelled(40, 0, folder / "train.npz")
    return folder / "run", answer("fit", "classify", train, *SMALL, "--test", 0.25, "--out", folder / "run")


def test_held_out_share_of_each_class(class_run: Run) -> None:
    folder, said = class_run
    scores = {s["model"]: s["values"] for s in said["scores"]}
    assert said["held_out"] == "10 sequences that were held out."
    # Of each class alike: the most frequent one is right half of the time.
    assert scores["most frequent class"]["accuracy"] == 0.5
    sections = json.loads((folder / "evaluation.json").read_text())["sections"]
    shown, by_class = sections[:2]
    rows = {row[0]: row[1:] for row in by_class["data"]["rows"]}
    counts = np.array(shown["data"]["counts"])
    for i, name in enumerate(shown["data"]["classes"]):
        right, given, there = counts[i, i], counts[:, i].sum(), counts[i].sum()
        assert rows[name] == pytest.approx(
            [right / max(given, 1), right / max(there, 1), 2 * right / max(given + there, 1), there]
        )
    assert sections[-1]["title"] == "The network"
    counts = np.array(shown["data"]["counts"])
    assert counts.sum(axis=1).tolist() == [5, 5]
    assert scores["elman"]["accuracy"] == np.trace(counts) / 10
    assert json.loads((folder / "data.json").read_text())["labels"] == ["down", "up"]


def test_evaluate_and_predict_another_file(class_run: Run, tmp_path: Path) -> None:
    folder, _ = class_run
    test = labelled(30, 1, tmp_path / "test.npz")
    sequences, model = read_sequences(test), load(folder / "model")
    wanted: Any = model.predict(sequences)  # pyright: ignore
    found = answer("evaluate", folder, test)
    accuracy = float(np.mean(wanted == sequences.labels))
    assert next(s for s in found["scores"] if s["ours"])["values"]["accuracy"] == pytest.approx(accuracy)
    answer("predict", folder, test, "--out", tmp_path / "labels.csv")
    table = read_table(tmp_path / "labels.csv")
    assert table.names == ("sequence", "label", "p_down", "p_up")
    assert table["label"].tolist() == wanted.tolist()
    np.testing.assert_allclose(table["p_down"] + table["p_up"], 1, rtol=1e-6)
    report = (folder / "report.html").read_text()
    assert "Confusion" in report


def test_what_does_not_fit_the_model_is_refused(class_run: Run, tmp_path: Path) -> None:
    folder, _ = class_run
    rng = np.random.default_rng(0)
    wide = {"values": rng.normal(size=(6, 3)), "lengths": np.array([4, 2]), "labels": np.array(["up", "down"])}
    np.savez(tmp_path / "wide.npz", **wide)
    assert "expected (time, 2), got (4, 3)" in refusal(3, "predict", folder, tmp_path / "wide.npz")
    np.savez(tmp_path / "other.npz", **{**wide, "values": wide["values"][:, :2], "labels": np.array(["up", "left"])})
    assert "'left' was not seen in training" in refusal(3, "evaluate", folder, tmp_path / "other.npz")
    nothing = {"values": wide["values"][:, :2], "lengths": wide["lengths"]}
    np.savez(tmp_path / "nothing.npz", **nothing)
    assert "no labels" in refusal(3, "evaluate", folder, tmp_path / "nothing.npz")
    assert "no labels" in refusal(3, "fit", "classify", tmp_path / "nothing.npz", "--out", tmp_path / "r")
    assert "only forecasts have one" in refusal(3, "predict", folder, tmp_path / "nothing.npz", "--horizon", 2)
    assert not (tmp_path / "r").exists()


def test_numbers_for_sequences_with_nothing_held_out(tmp_path: Path) -> None:
    train = labelled(24, 0, tmp_path / "train.npz", numbers=True)
    test = labelled(9, 1, tmp_path / "test.npz", numbers=True)
    out = tmp_path / "run"
    said = answer("fit", "regress", train, "--test", 0, *SMALL, "--out", out)
    assert said["scores"] == []
    assert "No evaluation yet: nothing was held out" in (out / "report.html").read_text()
    said = answer("evaluate", out, test, "--keep")
    assert said["held_out"] == "9 sequences."
    scores = {s["model"]: s["values"] for s in said["scores"]}
    given, trained = read_sequences(test).labels, read_sequences(train).labels
    assert given is not None
    assert trained is not None
    assert scores["mean"]["RMSE"] == pytest.approx(np.sqrt(np.mean((given - trained.mean()) ** 2)), rel=1e-6)
    answer("predict", out, test, "--out", tmp_path / "numbers.csv")
    predicted = read_table(tmp_path / "numbers.csv")["predicted"]
    assert scores["elman"]["RMSE"] == pytest.approx(np.sqrt(np.mean((given - predicted) ** 2)), rel=1e-6)
    assert "Residuals" in (out / "report.html").read_text()
    both = json.loads((out / "evaluation.json").read_text())["sections"][0]
    assert [shown["kind"] for shown in both["data"]["sections"]] == ["scatter", "residuals"]
    for shown in both["data"]["sections"]:
        assert shown["data"]["truth"] == pytest.approx(given.tolist())


def test_another_file_is_held_out(tmp_path: Path) -> None:
    train, test = labelled(24, 0, tmp_path / "train.npz"), labelled(9, 1, tmp_path / "test.npz")
    job = job_of("classify")
    settings = complete(job, {"data": {"test": str(test)}})
    rest, held = job.split(job.read(train, settings), settings)
    assert held is not None
    assert (len(rest), len(held)) == (24, 9)
    np.testing.assert_array_equal(held.values[3], read_sequences(test).values[3])


def test_groups_are_not_torn_apart() -> None:
    groups = np.repeat(np.arange(10), 3)
    values = [np.ones((2, 1))] * 30
    sequences = LabelledSequences(values, labels=np.arange(30) % 2, groups=groups)
    job = job_of("classify")
    for seed in range(5):
        rest, held = job.split(sequences, complete(job, {"model": {"seed": seed}}))
        assert (len(rest), len(held)) == (24, 6)
        assert not set(held.groups) & set(rest.groups)
