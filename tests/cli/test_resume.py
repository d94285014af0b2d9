"""A signal stops training after a checkpoint with 75; the same command goes on, past a damaged checkpoint too."""

import json
import os
import signal
from pathlib import Path

import pytest

from ostinato.runs import checkpoints
from ostinato.runs.lock import Lock
from ostinato.training import Event
from ostinato.training.bar import Bar

from .conftest import answer, call, days, refusal, temperatures, write_csv

OPTIONS = ["--target", "Temp", "--context", "6", "--test", "20", "--cell", "elman", "--hidden", "3"]
OPTIONS += ["--set", "model.steps=60", "--set", "model.epochs=none", "--batch-size", "8"]


@pytest.fixture
def stop_at(monkeypatch: pytest.MonkeyPatch):
    """Send this process a signal as soon as training has come to a step."""
    taken = Bar.__call__

    def arm(step: int, number: int) -> None:
        def call_and_stop(self: Bar, event: Event) -> None:
            taken(self, event)
            if event.step >= step and event.kind in ("steps", "evaluation"):
                monkeypatch.setattr(Bar, "__call__", taken)
                os.kill(os.getpid(), number)

        monkeypatch.setattr(Bar, "__call__", call_and_stop)

    return arm


def weights(folder: Path) -> bytes:
    return (folder / "model" / "weights.safetensors").read_bytes()


def test_stopped_twice_and_damaged_once(tmp_path: Path, stop_at) -> None:
    file = write_csv(tmp_path / "data.csv", {"day": days(80), "Temp": temperatures()})
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    answer("fit", "forecast", file, *OPTIONS, "--out", whole)
    command = ["fit", "forecast", file, *OPTIONS, "--out", cut]

    stop_at(10, signal.SIGTERM)
    first = call(*command, "--json")
    assert first.exit_code == 75
    error = json.loads(first.stdout)["error"]
    assert error["exit_code"] == 75
    assert "SIGTERM: stopped after step" in error["message"]
    assert "stopped before its end" in answer("info", cut)["state"]
    assert "training has not ended" in refusal(3, "predict", cut, file)

    stop_at(40, signal.SIGINT)
    second = call(*command)
    assert second.exit_code == 75
    assert "Going on from step" in second.stderr
    assert "Traceback" not in second.stderr

    newest, older = checkpoints(cut / "checkpoints")[:2]
    content = (newest / "weights.safetensors").read_bytes()
    (newest / "weights.safetensors").write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
    done = call(*command)
    assert done.exit_code == 0, done.stderr
    assert "SHA-256" in done.stderr
    assert f"Going on from step {int(older.name.split('-')[1])} " in done.stderr
    assert weights(cut) == weights(whole)
    assert "SHA-256" in (cut / "report.html").read_text()


def test_two_cannot_train_into_one_folder(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "data.csv", {"day": days(80), "Temp": temperatures()})
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "settings.toml").write_text("")
    lock = Lock(tmp_path / "run" / "lock")
    try:
        for more in ([], ["--fresh"]):
            message = refusal(3, "fit", "forecast", file, *OPTIONS, "--out", tmp_path / "run", *more)
            assert f"in use by process {os.getpid()}" in message
    finally:
        lock.release()
    assert (tmp_path / "run" / "settings.toml").exists()
