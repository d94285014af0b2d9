"""The demo does what the command that it prints does."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from ostinato.cli import demonstration
from ostinato.data import read_table

from .conftest import answer, call, refusal


def test_demo_and_its_command_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = {"epochs": 1.0, "hidden": "3", "context": 3, "season": 11}
    monkeypatch.setattr(demonstration, "OPTIONS", demonstration.OPTIONS | short)
    monkeypatch.chdir(tmp_path)
    result = call("demo")
    assert result.exit_code == 0, result.stderr
    for name in ("persistence", "seasonal-naive", "linear(", "skill", "runs/demo/report.html"):
        assert name in result.stdout, name
    table = read_table("runs/sunspots.csv")
    assert (len(table), table["year"][0], table["year"][-1]) == (309, 1700, 2008)
    assert np.isfinite(table["sunspots"]).all()
    command = re.search(r"^ +ostinato (fit forecast .*)$", result.stderr, re.MULTILINE)
    assert command is not None
    # The same settings, or the run folder would be refused.
    said = answer(*shlex.split(command[1]))
    assert said["held_out"].startswith("62 forecasts of 1 step")
    # Other settings than those that are there: the old run is moved aside.
    monkeypatch.setattr(demonstration, "OPTIONS", demonstration.OPTIONS | {"context": 2})
    assert answer("demo")["run"] == "runs/demo"
    assert Path("runs/demo.1/report.html").is_file()


def test_without_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demonstration, "find_spec", lambda name: None)
    assert "ostinato[demo]" in refusal(3, "demo", "--out", tmp_path / "runs" / "demo")
    assert not (tmp_path / "runs").exists()
