"""Bad input gets words and an exit code, and leaves nothing behind that was not there."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import SMALL, answer, call, days, refusal, temperatures, write_csv


def good(rows: int = 60) -> dict[str, Any]:
    return {"day": days(rows), "Temp": temperatures(rows), "rain": np.arange(rows) % 5}


def changed(column: str, row: int, value: str) -> dict[str, Any]:
    table = {name: list(map(str, values)) for name, values in good().items()}
    table[column][row] = value
    return table


@pytest.mark.parametrize(
    ("table", "options", "said"),
    [
        (good(), ["--target", "Tmp"], "no column 'Tmp'; did you mean 'Temp'?"),
        (good(), ["--target", "Temp", "--past", "snow"], "no column 'snow'"),
        (good(), ["--target", "Temp", "--time", "hour"], "no column 'hour'"),
        (changed("Temp", 20, "cold"), ["--target", "Temp"], "line 22: 'cold' in column 'Temp', expected a number"),
        (changed("Temp", 20, ""), ["--target", "Temp"], "'Temp' of series '0' is missing in row 20"),
        (changed("Temp", 20, "inf"), ["--target", "Temp"], "expected a finite number"),
        (changed("rain", 20, ""), ["--target", "Temp", "--future", "rain"], "'rain'"),
        (changed("day", 20, "2020-01-05"), ["--target", "Temp"], "stands in line 6 already"),
        (good(), ["--target", "Temp", "--future", "Temp"], "stands among the future covariates"),
        (
            {**good(), "copy": good()["Temp"]},
            ["--target", "Temp", "--future", "copy"],
            "is the target 'Temp', row by row",
        ),
        (good(), ["--target", "Temp", "--context", 70], "context 70"),
        (good(), ["--target", "Temp", "--horizon", 0], "horizon"),
        (good(), ["--target", "Temp", "--cell", "lstmm"], "lstmm"),
        (good(), ["--target", "Temp", "--test", 60], "leave none to train on"),
        (good(), ["--target", "Temp", "--test", 1.5], "data.test"),
        (good(), ["--target", "Temp", "--calendar", "moon"], "moon"),
        (good(), ["--target", "Temp", "--mode", "magic"], "mode"),
        (good(), ["--target", "Temp", "--set", "model.hidden_size=many"], "model.hidden_size"),
        (good(), ["--target", "Temp", "--settings", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_tables(tmp_path: Path, table: dict[str, Any], options: list[Any], said: str) -> None:
    file = write_csv(tmp_path / "data.csv", table)
    message = refusal(3, "fit", "forecast", file, *options, *SMALL[2:], "--quiet", "--out", tmp_path / "run")
    assert said in message
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


def test_a_seed_of_more_than_64_bits(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "data.csv", good())
    fit = ["fit", "forecast", file, "--target", "Temp", "--context", 5, "--quiet", "--out", tmp_path / "run"]
    assert "seed: expected a whole number of 64 bits, got 1000000" in refusal(3, *fit, "--seed", 10**20)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty"), (b"\n \n", "empty"), (b"a,b\n", "no rows"), (b"a,b\n1,2\n3\n", "line 3: 1 cells")],
)
def test_files_that_are_no_tables(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "data.csv").write_bytes(content)
    assert said in refusal(3, "fit", "forecast", tmp_path / "data.csv", "--out", tmp_path / "run")


def test_files_that_are_something_else(tmp_path: Path) -> None:
    run = ["--out", tmp_path / "run"]
    assert "no such file" in refusal(3, "fit", "forecast", tmp_path / "none.csv", *run)
    assert "is a folder" in refusal(3, "fit", "forecast", tmp_path, *run)
    (tmp_path / "data.csv").write_bytes(bytes(range(256)) * 20)
    assert "not UTF-8 text" in refusal(3, "fit", "forecast", tmp_path / "data.csv", *run)
    (tmp_path / "data.parquet").write_bytes(b"PAR1 but not really")
    assert "Parquet" in refusal(4, "fit", "forecast", tmp_path / "data.parquet", *run)
    (tmp_path / "data.csv.gz").write_bytes(b"\x1f\x8b\x08\x00 cut")
    assert "gzip" in refusal(4, "fit", "forecast", tmp_path / "data.csv.gz", *run)
    (tmp_path / "data.npz").write_bytes(b"PK\x03\x04 cut")
    assert "damaged" in refusal(4, "fit", "classify", tmp_path / "data.npz", *run)
    np.savez(tmp_path / "long.npz", values=np.ones((2, 3, 1)), lengths=np.array([3, 4]), labels=np.array([0, 1]))
    assert "time = 3, got 4 in row 1" in refusal(3, "fit", "classify", tmp_path / "long.npz", *run)
    np.savez(tmp_path / "one.npz", values=np.ones((2, 3, 1)), labels=np.array([1, 1]))
    assert "at least two classes" in refusal(3, "fit", "classify", tmp_path / "one.npz", "--test", 0, *run)
    objects = np.array([np.ones(2), np.ones(3)], object)
    np.savez(tmp_path / "objects.npz", values=objects, labels=np.array([0, 1]), allow_pickle=True)
    refusal(4, "fit", "classify", tmp_path / "objects.npz", *run)
    assert not (tmp_path / "run").exists()


def test_folders_that_are_no_runs(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "data.csv", good())
    for args in (["predict", tmp_path, file], ["evaluate", tmp_path, file], ["report", tmp_path], ["info", tmp_path]):
        assert "not a run folder" in refusal(3, *args)
    (tmp_path / "settings.toml").write_text('task = "steal"\n')
    assert "expected a run of forecast" in refusal(3, "info", tmp_path)
    (tmp_path / "settings.toml").write_text("task = \x00")
    refusal(4, "info", tmp_path)


@pytest.mark.parametrize("where", ["model/weights.safetensors", "model/manifest.json", "baselines/mean/manifest.json"])
def test_damaged_files_of_a_run(forecast_run: tuple[Path, Any], series_file: Path, where: str) -> None:
    path = forecast_run[0] / where
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], content[:-40] + bytes([content[-40] ^ 4]) + content[-39:]):
        path.write_bytes(damaged)
        try:
            refusal(4, "evaluate", forecast_run[0], series_file)
        finally:
            path.write_bytes(content)
    answer("evaluate", forecast_run[0], series_file)


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can grow: what a full disk does, with another number (EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_full_disk_keeps_what_was_there(forecast_run: tuple[Path, Any], series_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "forecast.csv"
    answer("predict", forecast_run[0], series_file, "--out", out)
    before = out.read_bytes()
    report = (forecast_run[0] / "report.html").read_bytes()
    with full_disk():
        said = call("predict", forecast_run[0], series_file, "--out", out)
        again = call("report", forecast_run[0])
    for result in (said, again):
        assert result.exit_code == 3
        assert "cannot be written" in result.stderr
    assert "what was there before is kept" in said.stderr
    assert out.read_bytes() == before
    assert (forecast_run[0] / "report.html").read_bytes() == report


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = call("--debug", "info", tmp_path)
    assert result.exit_code == 3
    assert "Traceback" in result.stderr
    assert "Error: " in result.stderr


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ZeroDivisionError("division by zero"), 1, "a fault of ostinato itself"),
        (MemoryError(), 3, "more memory asked for than there is"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes."), 3, "more memory asked for"),
    ],
)
def test_what_is_no_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, code: int, words: str
) -> None:
    def broken(*args: object) -> None:
        raise error

    monkeypatch.setattr("ostinato.view.write_report", broken)
    assert words in refusal(code, "report", tmp_path)
