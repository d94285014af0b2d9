"""`jobs.run`: what it leaves in its folder, when it trains and when not, and what a failure or a stop leaves behind."""

import json
import math
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ostinato as ost
from ostinato.data import LabelledSequences, to_series, write_sequences
from ostinato.errors import DataError, Interrupted, LengthError, NonFiniteError, OstinatoError, RunLocked, SettingsError
from ostinato.jobs import Silent
from ostinato.models import Forecaster, SequenceClassifier, SequenceRegressor, load
from ostinato.runs import Run, checkpoints
from ostinato.runs.lock import Lock

WAVES = {"day": [f"2020-01-{d:02}" for d in range(1, 31)], "y": [round(math.sin(d), 6) for d in range(30)]}
SMALL = {"hidden_size": 2, "context": 4, "epochs": 1, "cell": "elman"}


def settings(data: dict[str, Any] | None = None, **model: Any) -> dict[str, Any]:
    return {"data": {"target": ["y"], **(data or {})}, "model": {**SMALL, **model}}


class Told(Silent):
    def __init__(self) -> None:
        self.words: list[str] = []

    def note(self, words: str) -> None:
        self.words.append(words)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("jobs") / "waves"
    ost.jobs.run("forecast", WAVES, settings(), path)
    return path


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be trained."""
    for model in (Forecaster, SequenceClassifier, SequenceRegressor):
        monkeypatch.setattr(model, "fit", lambda *args, **options: pytest.fail("trained"))


def test_a_frame_a_series_and_a_table_are_one_job(folder: Path, tmp_path: Path) -> None:
    weights = (folder / "model" / "weights.safetensors").read_bytes()
    series = to_series(WAVES, "y", "day")
    record = ost.jobs.run("forecast", series, settings(), tmp_path / "series")
    assert (tmp_path / "series" / "model" / "weights.safetensors").read_bytes() == weights
    assert record.data["file"] == "Series"
    assert record.evaluation == ost.jobs.evaluate(folder, WAVES)
    # The same as the estimator by itself, fitted to the rows before the last fifth.
    model = Forecaster(**SMALL).fit(to_series({n: v[:24] for n, v in WAVES.items()}, "y", "day"))
    ours, saved = model.predict(), load(folder / "model").predict()  # pyright: ignore
    np.testing.assert_array_equal(ours.values, saved.values)
    columns = ost.jobs.predict(folder, WAVES)
    assert list(columns)[:3] == ["day", "y", "y_lo80"]


def test_each_file_of_a_run_says_one_thing(folder: Path) -> None:
    read = lambda name: json.loads((folder / name).read_text())
    assert set(read("metrics.json")) == {"steps", "stopped", "best", "last", "skipped"}
    assert set(read("data.json")) >= {"file", "rows", "target"}
    assert [score["ours"] for score in read("evaluation.json")["scores"]].count(True) == 1
    assert read("environment.json")["kernel"]
    assert [p.parent.name for p in folder.rglob("weights.safetensors") if "baselines" not in p.parts] == ["model"]


def test_a_run_that_ended_is_given_back_and_not_trained_again(folder: Path, untrained: None) -> None:
    (folder / "report.html").unlink()
    again = ost.jobs.run("forecast", WAVES, settings(), folder)
    assert again.evaluation is not None
    assert again.evaluation.held_out.startswith("6 forecasts")
    assert (folder / "report.html").exists()
    with pytest.raises(SettingsError, match=r"data\.sha256"):
        ost.jobs.run("forecast", {**WAVES, "y": WAVES["y"][::-1]}, settings(), folder)
    with pytest.raises(SettingsError, match=r"model\.hidden_size: 2 there, 3 asked for"):
        ost.jobs.run("forecast", WAVES, settings(hidden_size=3), folder)


def sequences(*labels: Any, features: int = 2, value: float = 1.0) -> LabelledSequences:
    return LabelledSequences([np.full((3, features), value)] * len(labels), np.array(labels))


@pytest.mark.parametrize(
    ("asked", "data", "error", "words"),
    [
        (settings({"test": 2}, horizon=3), WAVES, LengthError, "the held-out ends have 2 rows"),
        (settings(season=24), WAVES, SettingsError, "season: expected 1 to below 24 steps, got 24"),
        (settings({"test": 0.99}), WAVES, DataError, "leave none to train on"),
        (settings(), {**WAVES, "y": [*WAVES["y"][:-3], math.nan, 1.0, 2.0]}, NonFiniteError, "is missing in row 27"),
    ],
)
def test_series_are_checked_before_training(tmp_path, untrained, asked, data, error, words) -> None:
    with pytest.raises(error, match=words):
        ost.jobs.run("forecast", data, asked, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "held", "error", "words"),
    [
        ("classify", sequences("a", "c"), DataError, "'c' was not seen in training"),
        ("classify", sequences("a", "b", features=3), OstinatoError, r"expected \(time, 2\), got \(3, 3\)"),
        ("classify", sequences("a", "b", value=math.nan), NonFiniteError, "held: "),
        ("classify", LabelledSequences([np.ones((3, 2))]), DataError, "held: the file has no labels"),
        ("regress", sequences(1.0, math.inf), DataError, "held: expected a finite number"),
    ],
)
def test_another_file_is_checked_before_training(tmp_path, monkeypatch, untrained, name, held, error, words) -> None:
    train = sequences("a", "b", "a", "b") if name == "classify" else sequences(1.0, 2.0, 3.0)
    job = ost.jobs.job_of(name)
    read = type(job).read
    monkeypatch.setattr(type(job), "read", lambda self, x, s: held if str(x) == "held" else read(self, x, s))
    monkeypatch.chdir(tmp_path)
    Path("held").write_text("")
    with pytest.raises(error, match=words):
        ost.jobs.run(name, train, {"data": {"test": "held"}}, tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["held"]


def test_another_file_that_changes_is_another_run(tmp_path: Path) -> None:
    """What is held out belongs to a run as what it was trained on does: figures of an older file are not given back."""
    held, small = tmp_path / "held.npz", {"cell": "elman", "hidden_size": 2, "epochs": 1}
    asked = {"data": {"test": str(held)}, "model": small}
    write_sequences(held, sequences("a", "b"))
    train = sequences("a", "b", "a", "b")
    first = ost.jobs.run("classify", train, asked, tmp_path / "run")
    assert ost.jobs.run("classify", train, asked, tmp_path / "run").evaluation == first.evaluation
    write_sequences(held, sequences("b", "b"))
    with pytest.raises(SettingsError, match=r"data\.test_sha256"):
        ost.jobs.run("classify", train, asked, tmp_path / "run")


def test_what_python_gives_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="expected a run of forecast, classify"):
        ost.jobs.run("guess", WAVES, {}, tmp_path / "run")
    with pytest.raises(SettingsError, match=r"did you mean 'model\.hidden_size'"):
        ost.jobs.run("forecast", WAVES, {"model": {"hiden_size": 3}}, tmp_path / "run")
    with pytest.raises(SettingsError, match="devices: forecast has no such option"):
        ost.jobs.run("forecast", WAVES, settings(), tmp_path / "run", devices=2)
    with pytest.raises(SettingsError, match="agents learn a task that their settings name"):
        ost.jobs.run("agent", WAVES, {}, tmp_path / "run")
    with pytest.raises(DataError, match="LabelledSequences`, got dict"):
        ost.jobs.run("classify", WAVES, {}, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_which_nothing_was_trained_lets_other_settings_in(tmp_path: Path) -> None:
    """What a process leaves that is killed while it compiles; a file of somebody else stays."""
    path = tmp_path / "run"
    with Run(path, {"task": "forecast", "model": {"hidden_size": 9}}):
        pass
    (path / "mine.txt").write_text("kept")
    lock = Lock(path / "lock")
    try:
        with pytest.raises(RunLocked):
            ost.jobs.run("forecast", WAVES, settings(), path)
    finally:
        lock.release()
    ost.jobs.run("forecast", WAVES, settings(), path)
    assert (path / "mine.txt").read_text() == "kept"
    assert "hidden_size = 2" in (path / "settings.toml").read_text()


def test_a_failure_before_the_first_checkpoint_leaves_nothing(tmp_path, monkeypatch) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Forecaster, "fit", broken)
    with pytest.raises(KeyboardInterrupt):
        ost.jobs.run("forecast", WAVES, settings(), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_stop_between_two_pieces_of_work(tmp_path, monkeypatch) -> None:
    """Before training nothing stays; after it the folder resumes, and ends with the bits of a run without a stop."""
    path, job = tmp_path / "run", type(ost.jobs.job_of("forecast"))
    stop = lambda: os.kill(os.getpid(), signal.SIGINT)
    describe, baselines = job.describe, job.baselines
    with monkeypatch.context() as early:
        early.setattr(job, "describe", lambda *args: stop() or describe(*args))
        early.setattr(Forecaster, "fit", lambda *args, **options: pytest.fail("trained"))
        with pytest.raises(KeyboardInterrupt):
            ost.jobs.run("forecast", WAVES, settings(), path)
        assert not path.exists()
    with monkeypatch.context() as late:
        late.setattr(job, "baselines", lambda *args: stop() or baselines(*args))
        with pytest.raises(Interrupted, match="SIGINT: stopped after training, with a checkpoint"):
            ost.jobs.run("forecast", WAVES, settings(), path)
    assert checkpoints(path / "checkpoints")
    assert not (path / "model").exists()
    record = ost.jobs.run("forecast", WAVES, settings(), path)
    whole = ost.jobs.run("forecast", WAVES, settings(), tmp_path / "whole")
    assert record.evaluation == whole.evaluation
    assert not checkpoints(path / "checkpoints")


def test_notes_reach_the_reporter_and_the_record(tmp_path: Path) -> None:
    told = Told()
    record = ost.jobs.run("forecast", {"y": WAVES["y"]}, settings({"time": None}), tmp_path / "run", reporter=told)
    assert tuple(told.words) == record.said
    again = Told()
    ost.jobs.run("forecast", {"y": WAVES["y"]}, settings(), tmp_path / "run", fresh=True, reporter=again)
    assert f"The run that was there is now {tmp_path / 'run.1'}." in again.words
