"""`--rule` and `list rules`: a rule by name trains, one that does not hold is refused before anything is trained."""

import json

import pytest

from ostinato.cells import CELLS
from ostinato.learning import RULES

from .conftest import SMALL, answer, call, days, refusal, temperatures, write_csv


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "temperature.csv"
    return write_csv(path, {"day": days(60), "temp": temperatures(60)})


def fitted(series, folder, *options):
    small = [*SMALL, "--context", "12", "--horizon", "2", "--batch-size", "16"]
    return answer("fit", "forecast", series, "--target", "temp", *small, *options, "--out", folder, "--quiet")


def test_two_ways_to_the_same_gradient_give_the_same_run(series, tmp_path):
    """Forward derivatives, and a window over the whole context: only rounding differs."""
    forward = fitted(series, tmp_path / "forward", "--rule", "rtrl")
    backward = fitted(series, tmp_path / "backward", "--rule", "truncated-bptt", "--window", "12")
    for one, other in zip(forward["scores"], backward["scores"], strict=True):
        assert one["values"] == pytest.approx(other["values"], rel=1e-4)
    settings = (tmp_path / "backward" / "settings.toml").read_text()
    assert 'rule = "truncated-bptt"' in settings
    assert "window = 12" in settings


def test_refused_before_anything_is_trained(series, tmp_path):
    fit = ("fit", "forecast", series, "--target", "temp", "--context", "12", "--cell", "gru", "--quiet")
    message = refusal(3, *fit, "--rule", "lstm-1997", "--out", tmp_path / "a")
    assert message == "LSTM1997 does not hold for ForecastNet: it has no memory apart from what its gates see"
    assert not (tmp_path / "a").exists()
    assert "did you mean 'rtrl'?" in refusal(3, *fit, "--rule", "rtlr", "--out", tmp_path / "b")
    assert "rule_settings.window: truncated-bptt needs it" in refusal(
        3, *fit, "--rule", "truncated-bptt", "--out", tmp_path / "c"
    )
    assert "rule_settings.window: no such setting of rtrl; it has diagonal" in refusal(
        3, *fit, "--rule", "rtrl", "--window", "3", "--out", tmp_path / "d"
    )


def test_the_grid_is_listed():
    done = call("list", "rules", "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert [row["name"] for row in found["rules"]] == list(RULES) == list(found["grid"])
    for row in found["grid"].values():
        assert list(row) == list(CELLS)
        assert {entry["answer"] for entry in row.values()} <= {"exact", "approximate", "refused"}
        assert all(entry["why"] for entry in row.values())
    assert found["grid"]["e-prop"]["indrnn"]["answer"] == "exact"
    assert found["grid"]["e-prop"]["lstm"]["answer"] == "approximate"
    assert found["grid"]["e-prop"]["jordan"]["answer"] == "refused"
