"""What `.plot()` gives: shown by a notebook, kept as a file; and reprs that are one line."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from ostinato.agents.figures import learned_and_right
from ostinato.communities.forecast import CommunityForecast
from ostinato.data import LabelledSequences, to_series
from ostinato.errors import SettingsError
from ostinato.models import Backtest, Forecast
from ostinato.training import History
from ostinato.view import Curve, Figure, Lines, Multiples, Table, section

from .test_figures import back, curves, scale

LINE = section("Error", Lines((1.0, 2.0), (Curve("gru", "ours", (0.5, 0.25)),), "epoch"))


def drawn(figure: Figure) -> str:
    """The first drawing of the first figure."""
    return "<svg" + figure._repr_html_().split("<svg", 1)[1].split("</svg>", 1)[0] + "</svg>"


def test_a_figure_is_kept_as_a_page_and_alone_as_svg(tmp_path: Path) -> None:
    page = Figure(LINE).save(tmp_path / "a.html").read_text()
    assert page.startswith("<!doctype html>")
    svg = Figure(LINE).save(tmp_path / "a.svg").read_text()
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert ">gru</" in svg
    for figure in (Figure(LINE, LINE), Figure(section("m", Multiples((LINE,)))), Figure(section("t", Table((), ())))):
        with pytest.raises(SettingsError, match="SVG holds one figure"):
            figure.save(tmp_path / "b.svg")
    with pytest.raises(SettingsError, match=r"ends in \.html or \.svg"):
        Figure(LINE).save(tmp_path / "a.png")


def test_a_forecast_draws_its_values_and_its_widest_interval() -> None:
    values = np.array([[[2.0], [3.0], [5.0]]])
    ends = np.stack([values - 1, values - 2], -1), np.stack([values + 1, values + 4], -1)
    made = Forecast(values, ("sold",), ("0",), level=(80.0, 95.0), lower=ends[0], upper=ends[1])
    assert repr(made) == "Forecast(3 steps of sold)"
    svg = drawn(made.plot())
    ((_, points),) = curves(svg)
    assert [back(py, scale(svg, "y")) for _, _, py in points] == pytest.approx([2, 3, 5], abs=0.03)
    edges = made.plot().sections[0].data["band"]
    assert edges == [[0.0, 1.0, 3.0], [6.0, 7.0, 9.0]]
    assert "interval of 95 %" in made.plot().sections[0].note


def test_a_backtest_is_a_line_a_table_and_figures() -> None:
    truth = np.arange(40.0).reshape(20, 2, 1)
    said = {"mine": truth + 1, "mean": truth + 3, "persistence": truth + 2}
    test = Backtest(truth, said, np.zeros(20, int), np.arange(20), ("x",))
    assert repr(test) == "Backtest(mine beside 2 others, 20 origins of 2 steps)"
    html = test._repr_html_()
    assert html.count("<tr") == 4
    assert test.verdict() in html
    stretch, errors, residuals = test.plot().sections
    assert [curve["name"] for curve in stretch.data["curves"]] == ["x", "mine", "persistence"]
    assert errors.data["curves"][0] == {"name": "mine", "role": "ours", "y": [1.0, 1.0]}
    assert residuals.data["sections"][0]["data"]["predicted"][0] == 1.0


def test_autocorrelation_of_errors_is_that_of_the_textbook() -> None:
    rng = np.random.default_rng(0)
    errors = np.convolve(rng.normal(size=301), [1.0, 0.6], "valid")
    truth = errors[:, None, None]
    test = Backtest(truth, {"mine": np.zeros_like(truth)}, np.zeros(300, int), np.arange(300), ("x",))
    chart = test.plot().sections[-1].data["sections"][1]["data"]
    left = errors - errors.mean()
    wanted = [np.dot(left[:-k], left[k:]) / np.dot(left, left) for k in range(1, 21)]
    assert chart["curves"][0]["y"] == pytest.approx(wanted)
    assert chart["band"][1][0] == pytest.approx(1.96 / np.sqrt(300))


def test_a_history_draws_loss_and_validation() -> None:
    records = [{"step": 10 * e, "epoch": float(e), "loss": 1.0 / e, "metrics": {"mse": abs(e - 2)}} for e in (1, 2, 3)]
    history = History(records)
    assert (history, repr(history)) == (records, "History(3 evaluations, to epoch 3, loss 0.3333)")
    (figure,) = history.plot().sections
    assert figure.data["marks"] == [[2.0, "best"]]
    assert [curve["y"] for curve in figure.data["curves"]] == [[1.0, 0.5, 1 / 3], [1.0, 0.0, 1.0]]


def test_learning_by_trials_is_drawn_as_steps() -> None:
    share, right = learned_and_right(
        np.array([300, -1, 100]), np.array([[0.2, 0.4], [0.6, np.nan]]), np.array([50, 90])
    )
    assert share.data["steps"]
    assert (share.data["x"], share.data["curves"][0]["y"]) == ([0.0, 100.0, 300.0], [0.0, 1 / 3, 2 / 3])
    assert right.data["curves"][0]["y"] == pytest.approx([0.3, 0.6, 0.6])


def test_communities_over_time_and_reprs_of_one_line() -> None:
    values = np.ones((5, 3, 2))
    made = CommunityForecast(tuple("abcde"), ("X", "acid"), np.arange(3.0), values, values - 1, values + 1)
    assert [(s.title, len(s.data["sections"])) for s in made.plot(2).sections] == [("a", 2), ("b", 2)]
    assert "\n" not in repr(made)
    series = to_series({"x": np.arange(5000.0)}, "x")
    assert repr(series) == "Series(1 of 5,000 rows, target x)"
    found = LabelledSequences([np.zeros((3, 2)), np.zeros((5, 2))], np.array(["a", "b"]))
    assert repr(found) == "LabelledSequences(2 sequences of 3 to 5 steps, 2 features, labels)"
