"""Timing in turns, and what a bench says of it."""

import getpass
import platform
from pathlib import Path

import pytest

from ostinato.benches import BENCHES, BenchSettings, Row, interleaved, load_bench, run_bench
from ostinato.errors import SettingsError
from ostinato.runs import describe_machine


def test_functions_take_turns() -> None:
    calls: list[str] = []
    interleaved({name: lambda name=name: calls.append(name) for name in "abc"}, repeats=3, warmup=2)
    assert "".join(calls) == "aabbcc" + "abc" + "cba" + "abc"
    with pytest.raises(SettingsError, match="repeats"):
        interleaved({}, repeats=0)


def test_median_of_what_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.001, 1.0, 1.005, 2.0, 2.002])  # 1, 5 and 2 milliseconds
    monkeypatch.setattr("ostinato.benches.timer.time.perf_counter", lambda: next(clock))
    assert interleaved({"a": lambda: None}, repeats=3, warmup=0) == pytest.approx({"a": 2000.0})


def test_rows_say_how_many_times_faster() -> None:
    assert Row("a", 200.0, "peer", 500.0).ratio == 2.5
    assert Row("a", 200.0).to_dict()["ratio"] is None
    assert BenchSettings(quick=True).repeat_count(50) == 3
    assert BenchSettings(quick=True, repeats=7).repeat_count(50) == 7
    assert BenchSettings().repeat_count(50) == 50


def test_machine_names_nobody() -> None:
    machine = describe_machine()
    assert machine["memory_gib"] > 0
    words = " ".join(map(str, machine.values()))
    for name in (platform.node(), getpass.getuser(), str(Path.home()), platform.release()):
        assert name not in words, name


@pytest.mark.parametrize("name", BENCHES)
def test_every_bench_has_its_words_and_its_file(name: str) -> None:
    assert len(BENCHES[name].description) > 10
    assert load_bench(name).__module__ == f"ostinato.benches.{name}"


def test_unknown_bench() -> None:
    with pytest.raises(SettingsError, match="expected one of hoist"):
        run_bench("nothing")
