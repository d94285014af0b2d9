"""`fit forecast` on a file, then every command on its run folder: the figures are those of the data and the model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ostinato.data import read_table
from ostinato.jobs.folder import move_aside
from ostinato.jobs.reporter import SILENT
from ostinato.models import load

from .conftest import SMALL, answer, call, days, refusal, temperatures, write_csv

Run = tuple[Path, dict[str, Any]]


def rmse(origins: range, values: np.ndarray, said: dict[int, np.ndarray]) -> float:
    errors = [said[o] - values[o : o + 2] for o in origins]
    return float(np.sqrt(np.mean(np.square(errors))))


def test_scores_are_those_of_the_held_out_end(forecast_run: Run) -> None:
    folder, said = forecast_run
    values, origins = temperatures(), range(60, 79)
    scores = {score["model"]: score for score in said["scores"]}
    persistence = rmse(origins, values, {o: np.repeat(values[o - 1], 2) for o in origins})
    seasonal = rmse(origins, values, {o: values[o - 7 : o - 5] for o in origins})
    mean = rmse(origins, values, {o: np.repeat(values[:60].mean(), 2) for o in origins})
    assert scores["persistence"]["values"]["RMSE"] == pytest.approx(persistence, rel=1e-9)
    assert scores["seasonal-naive"]["values"]["RMSE"] == pytest.approx(seasonal, rel=1e-9)
    assert scores["mean"]["values"]["RMSE"] == pytest.approx(mean, rel=1e-9)
    assert scores["persistence"]["values"]["skill"] == 0
    assert scores["mean"]["values"]["skill"] == pytest.approx(1 - mean**2 / persistence**2, rel=1e-6)
    assert any(name.startswith("linear") for name in scores)
    (ours,) = [s for s in said["scores"] if s["ours"]]
    model = load(folder / "model")
    forecasts = {}
    for o in origins:
        table = {"day": days(o), "Temp": values[:o]}
        forecasts[o] = np.asarray(model.predict(_series(table)).values[0, :, 0])  # pyright: ignore
    assert ours["values"]["RMSE"] == pytest.approx(rmse(origins, values, forecasts), rel=1e-5)
    best = min(scores, key=lambda name: scores[name]["values"]["RMSE"])
    assert said["verdict"].startswith(f"{best} wins: RMSE {scores[best]['values']['RMSE']:.4g}")


def _series(table: dict[str, Any]) -> Any:
    from ostinato.data import to_series

    return to_series(table, "Temp", "day")


def test_run_folder_holds_everything(forecast_run: Run) -> None:
    folder, said = forecast_run
    names = {path.name for path in folder.iterdir()}
    assert names >= {"settings.toml", "environment.json", "log.jsonl", "checkpoints", "model", "metrics.json"}
    assert names >= {"report.html", "data.json", "evaluation.json", "baselines"}
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["steps"] > 0
    # Scores stand in one file, the weights in one folder.
    assert "scores" not in metrics
    assert json.loads((folder / "evaluation.json").read_text())["scores"] == said["scores"]
    assert [path.parent.name for path in folder.rglob("weights.safetensors") if "baselines" not in path.parts] == [
        "model"
    ]
    machine = json.loads((folder / "environment.json").read_text())
    assert machine["cores"] >= 1
    assert machine["kernel"].startswith(("native (", "hoist ("))
    assert json.loads((folder / "data.json").read_text())["rows"] == 80
    assert (folder / "report.html").read_text().count("persistence") >= 3


def test_same_command_again_changes_nothing(forecast_run: Run, series_file: Path) -> None:
    folder, said = forecast_run
    before = (folder / "model" / "weights.safetensors").read_bytes()
    options = ["--target", "Temp", "--horizon", 2, "--context", 6, "--test", 20]
    assert answer("fit", "forecast", series_file, *options, *SMALL, "--out", folder) == said
    assert (folder / "model" / "weights.safetensors").read_bytes() == before


def test_other_settings_and_other_data_are_refused(forecast_run: Run, series_file: Path, tmp_path: Path) -> None:
    folder, _ = forecast_run
    options = ["--target", "Temp", "--horizon", 2, "--context", 6, "--test", 20, *SMALL, "--out", folder]
    message = refusal(3, "fit", "forecast", series_file, *options, "--hidden", 5)
    assert "model.hidden_size: 3 there, 5 asked for" in message
    other = write_csv(tmp_path / "data.csv", {"day": days(80), "Temp": temperatures(seed=1)})
    assert "data.sha256" in refusal(3, "fit", "forecast", other, *options)
    assert "resume it" in refusal(3, "fit", "forecast", series_file, *options, "--no-resume")


def test_settings_file_and_overrides(forecast_run: Run, series_file: Path) -> None:
    folder, said = forecast_run
    given = ["--settings", folder / "settings.toml", "--out", folder]
    assert answer("fit", "forecast", series_file, *given) == said
    message = refusal(3, "fit", "forecast", series_file, *given, "--set", "model.clip=0.5")
    assert "model.clip: 1.0 there, 0.5 asked for" in message
    # An option stands above `--set`, and `--set` above the file.
    assert answer("fit", "forecast", series_file, *given, "--set", "model.hidden_size=9", "--hidden", 3) == said
    assert "did you mean 'model.clip'" in refusal(3, "fit", "forecast", series_file, *given, "--set", "model.clp=1")


def test_predict_writes_what_the_model_says(forecast_run: Run, series_file: Path, tmp_path: Path) -> None:
    folder, _ = forecast_run
    out = tmp_path / "deep" / "forecast.csv"
    said = answer("predict", folder, series_file, "--out", out)
    assert (said["rows"], said["out"]) == (2, str(out))
    table = read_table(out)
    assert table.names == ("day", "Temp", "Temp_lo80", "Temp_hi80", "Temp_lo95", "Temp_hi95")
    assert table.text("day").tolist() == ["2020-03-21", "2020-03-22"]
    model: Any = load(folder / "model")
    expected = model.predict(_series({"day": days(80), "Temp": temperatures()})).values[0, :, 0]
    np.testing.assert_array_equal(table["Temp"], expected)
    columns = answer("predict", folder, series_file)["columns"]
    assert columns["Temp"] == expected.tolist()
    assert "2020-03-21" in call("predict", folder, series_file).stdout
    assert "ends in .csv" in refusal(3, "predict", folder, series_file, "--out", tmp_path / "forecast.xlsx")
    assert "horizon" in refusal(3, "predict", folder, series_file, "--horizon", 5)
    assert f"{folder}: expected a run of community, got one of 'forecast'" in refusal(3, "explain", folder)
    before = series_file.read_bytes()
    assert "is the file that is read" in refusal(3, "predict", folder, series_file, "--out", series_file)
    assert series_file.read_bytes() == before


def test_evaluate_the_same_file_and_what_came_later(forecast_run: Run, series_file: Path, tmp_path: Path) -> None:
    folder, said = forecast_run
    again = answer("evaluate", folder, series_file)
    assert again["scores"] == said["scores"]
    # More rows than `fit` saw: judged on all that came after the 60 it was trained on.
    values = temperatures(100)
    longer = write_csv(tmp_path / "longer.csv", {"day": days(100), "Temp": values})
    later = {s["model"]: s["values"] for s in answer("evaluate", folder, longer)["scores"]}
    origins = range(60, 99)
    expected = rmse(origins, values, {o: np.repeat(values[o - 1], 2) for o in origins})
    assert later["persistence"]["RMSE"] == pytest.approx(expected, rel=1e-9)
    seen = write_csv(tmp_path / "seen.csv", {"day": days(50), "Temp": values[:50]})
    assert "0 rows after those that the model was trained on" in refusal(3, "evaluate", folder, seen)


def test_evaluate_keeps_when_asked(forecast_run: Run, series_file: Path, tmp_path: Path) -> None:
    folder, said = forecast_run
    longer = write_csv(tmp_path / "longer.csv", {"day": days(100), "Temp": temperatures(100)})
    kept = answer("evaluate", folder, longer, "--keep")
    try:
        assert json.loads((folder / "evaluation.json").read_text())["held_out"] == kept["held_out"]
        assert kept["held_out"].split(",")[0] in (folder / "report.html").read_text()
        assert kept["held_out"] != said["held_out"]
    finally:
        answer("evaluate", folder, series_file, "--keep")


def test_report_and_info(forecast_run: Run, tmp_path: Path) -> None:
    folder, said = forecast_run
    out = tmp_path / "r.html"
    assert answer("report", folder, "--out", out)["report"] == str(out)
    assert out.read_text() == (folder / "report.html").read_text()
    info = answer("info", folder)
    assert (info["task"], info["state"], info["scores"]) == ("forecast", "trained", said["scores"])
    model: Any = load(folder / "model")
    shapes = [w.shape for w in _weights(model)]
    assert info["parameters"] == sum(int(np.prod(s)) for s in shapes)
    assert info["settings"]["model"]["horizon"] == 2
    words = call("info", folder).stdout
    assert "trained" in words
    assert "persistence" in words


def _weights(model: Any) -> list[np.ndarray]:
    import jax

    return [np.asarray(w) for w in jax.tree.leaves(model.network_) if hasattr(w, "dtype") and w.dtype == np.float32]


def test_words_for_people(forecast_run: Run, series_file: Path) -> None:
    folder, said = forecast_run
    result = call("evaluate", folder, series_file)
    for word in ("RMSE", "MAE", "skill", "persistence", "seasonal-naive", said["verdict"].split(":")[0]):
        assert word in result.stdout


def test_fresh_moves_the_old_run_aside(forecast_run: Run, series_file: Path, tmp_path: Path) -> None:
    folder, _ = forecast_run
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "thesis.tex").write_text("x")
    message = refusal(3, "fit", "forecast", series_file, *SMALL, "--out", stranger, "--fresh")
    assert "not a run folder" in message
    assert (stranger / "thesis.tex").read_text() == "x"
    moved = folder.with_name("run.1")
    # The new run is refused before anything is trained: the old one stays where it is.
    refusal(3, "fit", "forecast", series_file, "--hidden", 4, "--context", 500, "--out", folder, "--fresh", "--quiet")
    assert (folder / "settings.toml").is_file()
    assert not moved.exists()
    move_aside(folder, SILENT)
    assert (moved / "settings.toml").is_file()
    assert not folder.exists()
    moved.rename(folder)
