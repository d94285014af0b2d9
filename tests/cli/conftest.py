"""Files like those that users bring, and one small run of each task to try the commands on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from ostinato.cli.application import application

Invoke = Callable[..., Result]
SMALL = ["--cell", "elman", "--hidden", "3", "--epochs", "1", "--seed", "3"]


def call(*args: object) -> Result:
    """Run the command in this process, with its two streams apart."""
    return CliRunner().invoke(application(), [str(arg) for arg in args])


def answer(*args: object) -> dict[str, Any]:
    """The one JSON object of a command that succeeds; anything else on standard output fails here."""
    result = call(*args, "--json")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout)


def refusal(code: int, *args: object) -> str:
    """What a command says that has to end with that exit code: one message, no traceback, in both forms."""
    result = call(*args)
    assert result.exit_code == code, (result.exit_code, result.output)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    _, message = f"\n{result.stderr}".split("\nError: ")
    message = message.rstrip("\n")
    spoken = call(*args, "--json")
    error = json.loads(spoken.stdout)["error"]
    assert (error["message"], error["exit_code"], spoken.exit_code) == (message, code, code)
    return message


def temperatures(rows: int = 80, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.round(10 + 5 * np.sin(2 * np.pi * np.arange(rows) / 7) + rng.normal(0, 1, rows), 3)


def days(rows: int, start: str = "2020-01-01") -> np.ndarray:
    return np.datetime64(start) + np.arange(rows)


def write_csv(path: Path, columns: dict[str, Any]) -> Path:
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


@pytest.fixture(scope="module")
def series_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 days of a weekly wave with noise."""
    folder = tmp_path_factory.mktemp("series")
    return write_csv(folder / "data.csv", {"day": days(80), "Temp": temperatures()})


@pytest.fixture(scope="module")
def forecast_run(series_file: Path) -> tuple[Path, dict[str, Any]]:
    """A run folder of `fit forecast`, and what the command said."""
    out = series_file.parent / "run"
    options = ["--target", "Temp", "--horizon", 2, "--context", 6, "--test", 20]
    return out, answer("fit", "forecast", series_file, *options, *SMALL, "--out", out)


def labelled(count: int, seed: int, path: Path, numbers: bool = False) -> Path:
    """Sequences whose class is the sign of their mean, or whose number is their sum, in ragged layout."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 7, count)
    signs = np.where(np.arange(count) % 2, 1.0, -1.0)
    values = [rng.normal(sign, 0.5, (n, 2)) for sign, n in zip(signs, lengths, strict=True)]
    labels = np.array([v.sum() for v in values]) if numbers else np.where(signs > 0, "up", "down")
    np.savez(path, values=np.concatenate(values), lengths=lengths, labels=labels)
    return path
