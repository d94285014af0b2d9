"""A new kind of job is one class and one row, a new report picture one row: then every command knows them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import ostinato as ost
from ostinato.cli.application import application
from ostinato.errors import DataError
from ostinato.jobs import JOBS, Explanation, Job, Option, Predictions
from ostinato.jobs.options import amount
from ostinato.models import Estimator
from ostinato.runs import Evaluation, Score, Section
from ostinato.view import SECTIONS


class Constant(Estimator):
    """Predicts the mean, moved by a constant."""

    kind = "constant"
    value_: float

    def __init__(self, shift: float = 0.0):
        self.shift = shift

    def fit(self, numbers: list[float], **options: Any) -> "Constant":
        self.value_ = sum(numbers) / len(numbers) + self.shift
        return self

    def _fitted(self) -> tuple[Any, dict[str, Any]]:
        return {}, {"value": self.value_}

    def _restore(self, numbers: dict[str, Any], weights: Any) -> None:
        self.value_ = float(numbers["value"])


def reach(model: Constant, most: int) -> Section:
    """The throw-away analysis: how far a model is from 0."""
    return Section("cake", "Reach", {"slices": min(round(model.value_), most)})


@dataclass(frozen=True)
class Lines:
    test: int | float | str = 2
    sha256: str = ""


class Constantly(Job):
    """The throw-away job."""

    name, title, plural = "constant", "Constant", "constants"
    help = "Predict the mean of a file of numbers.\n\nExample: `ostinato fit constant numbers.txt --shift 1`"
    source = "A number in each line."
    options = (
        Option("shift", "Added to the mean.", float, "The constant", "0", "model"),
        Option("test", "Last lines that are held out.", read=amount("--test")),
    )
    asked = (Option("times", "How often.", int, None),)
    explained = (Option("most", "At most so many slices.", int, None),)
    data_settings = Lines

    def estimator(self) -> type[Constant]:
        return Constant

    def read(self, source: Any, settings: Any) -> list[float]:
        if isinstance(source, list):
            return source
        try:
            return [float(line) for line in Path(source).read_text().split()]
        except ValueError as error:
            raise DataError(f"{source}: {error}") from error

    def split(self, data: list[float], settings: Any) -> tuple[Any, Any]:
        return data[: -settings.data.test], data[-settings.data.test :]

    def describe(self, data: list[float]) -> dict[str, Any]:
        return {"numbers": len(data)}

    def evaluate(self, model: Any, baselines: Any, held: list[float], settings: Any) -> Evaluation:
        error = sum(abs(model.value_ - v) for v in held) / len(held)
        picture = Section("cake", "Half a cake", {"slices": 4})
        return Evaluation(
            "", "", f"{len(held)} numbers.", f"MAE {error:g}", (Score("mean", True, {"MAE": error}),), (picture,)
        )

    def unseen(self, model: Any, baselines: Any, data: list[float], settings: Any) -> Evaluation:
        return self.evaluate(model, baselines, data, settings)

    def predict(self, model: Any, source: Any, settings: Any, times: int = 1) -> Predictions:
        return Predictions({"constant": [model.value_] * times})

    def explain(self, model: Any, settings: Any, most: int = 9) -> Explanation:
        return Explanation(Evaluation("", "", "", "", (), (reach(model, most),)), {"value": model.value_})


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(JOBS, "constant", Constantly())
    monkeypatch.setitem(SECTIONS, "cake", lambda section: f"<b>{section.data['slices']} slices</b>")


def answer(*args: object) -> dict[str, Any]:
    done = CliRunner().invoke(application(), [*map(str, args), "--json"])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def said(*args: object) -> str:
    done = CliRunner().invoke(application(), [*map(str, args)])
    assert done.exit_code == 0, done.stderr
    return " ".join(done.stdout.split())


def test_one_class_and_one_row_are_a_job(tmp_path: Path) -> None:
    file, new, out = tmp_path / "numbers.txt", tmp_path / "new.txt", tmp_path / "run"
    file.write_text("1\n2\n6\n5\n7\n")
    new.write_text("4\n")
    assert "Predict the mean of a file of numbers." in said("fit", "--help")
    words = said("fit", "constant", "--help")
    assert "A number in each line." in words
    assert "--shift <float> Added to the mean." in words
    assert "--times" in said("predict", "--help")
    assert {"name": "constant", "description": "Predict the mean of a file of numbers."} in answer("list", "jobs")[
        "jobs"
    ]

    # The mean of 1, 2 and 6, moved by 1, is 4; 5 and 7 are held out.
    found = answer("fit", "constant", file, "--shift", "1", "--out", out)
    assert found["scores"] == [{"model": "mean", "ours": True, "values": {"MAE": 2.0}}]
    assert (out / "settings.toml").read_text().startswith('task = "constant"\n')
    assert answer("predict", out, new, "--times", 3)["columns"] == {"constant": [4.0, 4.0, 4.0]}
    assert answer("evaluate", out, new)["scores"][0]["values"] == {"MAE": 0.0}
    told = answer("info", out)
    assert (told["task"], told["state"], told["data"]) == ("constant", "trained", {"file": "numbers.txt", "numbers": 5})
    (out / "report.html").unlink()
    page = Path(answer("report", out)["report"]).read_text()
    for part in ("<h1>Constant</h1>", "<h2>Half a cake</h2>", "<b>4 slices</b>", "MAE 2"):
        assert part in page

    assert answer("explain", out, "--most", 3)["value"] == 4.0
    assert "<b>3 slices</b>" in (out / "explain.html").read_text()
    assert json.loads((out / "explain.json").read_text()) == {"value": 4.0}
    done = CliRunner().invoke(application(), ["predict", str(out), str(new), "--horizon", "2"])
    assert (done.exit_code, done.stderr) == (3, "Error: --horizon: only forecasts have one\n")


def test_the_same_from_python(tmp_path: Path) -> None:
    record = ost.jobs.run("constant", [1.0, 2.0, 6.0, 5.0, 7.0], {"model": {"shift": 1.0}}, tmp_path / "run")
    assert record.evaluation is not None
    assert record.evaluation.scores[0].values == {"MAE": 2.0}
    assert record.data == {"file": "list", "numbers": 5}
    assert "4 slices" in record.report().read_text()
    assert ost.jobs.predict(tmp_path / "run", [0.0], times=2) == {"constant": [4.0, 4.0]}
    assert ost.jobs.evaluate(tmp_path / "run", [4.0]).verdict == "MAE 0"
