"""Curves lie where their values say, whatever the values and names are."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from ostinato.errors import ShapeError
from ostinato.view import Line, confusion_figure, line_figure, scatter_figure, standalone
from ostinato.view.frame import Scale, extent
from ostinato.view.lines import thin
from ostinato.view.ticks import log_ticks, number_label, number_ticks, time_label, time_ticks

HOSTILE = "\"><script>alert(1)</script><b x='&amp;"


def curves(svg: str) -> list[tuple[str, list[tuple[str, float, float]]]]:
    """Name and points of each curve, as drawn."""
    found = []
    for path in ElementTree.fromstring(svg).iter("path"):
        if path.get("data-name") is not None:
            points = re.findall(r"([ML])([-\d.]+) ([-\d.]+)", path.get("d") or "")
            found.append((path.get("data-name"), [(k, float(x), float(y)) for k, x, y in points]))
    return found


def scale(svg: str, axis: str) -> tuple[str, float, float, float, float]:
    kind, *numbers = (ElementTree.fromstring(svg).get(f"data-{axis}") or "").split()
    low, high, start, stop = map(float, numbers)
    return kind, low, high, start, stop


def back(point: float, axis: tuple[str, float, float, float, float]) -> float:
    """The value at a point, by the numbers that the figure gives to its reader."""
    kind, low, high, start, stop = axis
    part = (point - start) / (stop - start)
    if kind == "log":
        return 10 ** (np.log10(low) + part * (np.log10(high) - np.log10(low)))
    return low + part * (high - low)


@pytest.mark.parametrize(("kind", "x_kind"), [("number", "number"), ("log", "time")])
def test_points_give_their_values_back(kind: str, x_kind: str) -> None:
    rng = np.random.default_rng(0)
    x, y = np.sort(rng.uniform(1e8, 9e8, 50)), rng.lognormal(0, 2, 50)
    svg = line_figure([Line("a", x, y)], label="l", x_kind=x_kind, y_kind=kind)
    ((_, points),) = curves(svg)
    x_axis, y_axis = scale(svg, "x"), scale(svg, "y")
    read_x = [back(px, x_axis) for _, px, _ in points]
    read_y = [back(py, y_axis) for _, _, py in points]
    # Points are written with one digit: half a tenth of the length of an axis.
    np.testing.assert_allclose(read_x, x, atol=0.06 / 780 * (x[-1] - x[0]))
    if kind == "number":
        np.testing.assert_allclose(read_y, y, atol=0.06 / 240 * (y.max() - y.min()) * 1.1)
    else:
        np.testing.assert_allclose(np.log10(read_y), np.log10(y), atol=0.06 / 240 * np.log10(y.max() / y.min()) * 1.2)


def test_gap_begins_a_new_piece() -> None:
    svg = line_figure([Line("a", range(5), [1.0, np.nan, 2.0, 3.0, np.inf])], label="l")
    ((_, points),) = curves(svg)
    assert [kind for kind, _, _ in points] == ["M", "M", "L"]


@pytest.mark.parametrize(
    "y", [[], [np.nan, np.nan], [2.0], [0.0, 0.0], [-3.0, -3.0], [1e300, -1e300], [1e-300, 1e-299]]
)
@pytest.mark.parametrize("kind", ["number", "log"])
def test_any_values_can_be_drawn(y: list[float], kind: str) -> None:
    svg = line_figure([Line("a", range(len(y)), y)], label="l", y_kind=kind, zero=True)
    for _, points in curves(svg):
        assert all(np.isfinite([px, py]).all() for _, px, py in points)


def test_names_are_escaped_everywhere() -> None:
    lines = [Line(HOSTILE, [0, 1], [1.0, 2.0], points=True)]
    figures = [
        line_figure(lines, label=HOSTILE, x_label=HOSTILE, y_label=HOSTILE, marks=[(0.5, HOSTILE)]),
        confusion_figure([[1, 0], [2, 3]], [HOSTILE, "b"], label=HOSTILE),
        scatter_figure([1, 2], [1, 2], label=HOSTILE, x_label=HOSTILE, y_label=HOSTILE, diagonal=True),
    ]
    for svg in figures:
        tree = ElementTree.fromstring(svg)  # not even well-formed where something got through
        assert not list(tree.iter("script"))
        assert tree.get("aria-label") == HOSTILE
    assert [name for name, _ in curves(figures[0])] == [HOSTILE]


def test_band_is_closed_and_inside() -> None:
    low, high = [0.0, 1.0, np.nan, 2.0], [2.0, 3.0, 3.0, 4.0]
    svg = line_figure([Line("a", range(4), [1.0, 2.0, 2.0, 3.0])], label="l", band=(range(4), low, high))
    band = next(p for p in ElementTree.fromstring(svg).iter("path") if p.get("class") == "band")
    pieces = (band.get("d") or "").split("Z")[:-1]
    assert [piece.count("L") for piece in pieces] == [3, 1]
    axis = scale(svg, "y")
    first = [back(float(y), axis) for y in re.findall(r"[ML][-\d.]+ ([-\d.]+)", pieces[0])]
    np.testing.assert_allclose(first, [2.0, 3.0, 1.0, 0.0], atol=0.02)


def test_confusion_says_every_cell() -> None:
    counts = np.array([[8, 2, 0], [0, 0, 0], [1, 3, 6]])
    svg = confusion_figure(counts, ["a", "b", "c"], label="l")
    titles = [e.text for e in ElementTree.fromstring(svg).iter("title")]
    assert "true a, predicted b: 2 (20.0 %)" in titles
    assert "true b, predicted b: 0 (0.0 %)" in titles
    assert len(titles) == 9
    with pytest.raises(ShapeError, match="classes"):
        confusion_figure(counts, ["a", "b"], label="l")


def test_thinning_keeps_extremes_and_order() -> None:
    rng = np.random.default_rng(1)
    x, y = np.arange(10_000.0), rng.normal(size=10_000)
    y[[17, 4711]] = [50.0, -50.0]
    kept_x, kept_y = thin(x, y, 100)
    assert len(kept_x) <= 200
    assert (kept_y.max(), kept_y.min()) == (50.0, -50.0)
    assert (np.diff(kept_x) > 0).all()


def test_figure_stands_alone() -> None:
    svg = standalone(line_figure([Line("a", [0, 1], [1.0, 2.0])], label="l"))
    tree = ElementTree.fromstring(svg)
    assert tree.tag == "{http://www.w3.org/2000/svg}svg"
    assert "--ours:" in (tree[0].text or "")


def test_ticks_lie_inside_and_are_round() -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        low = rng.normal() * 10.0 ** rng.integers(-6, 7)
        high = low + 10 ** rng.uniform(-5, 7)
        ticks = number_ticks(low, high)
        assert 2 <= len(ticks) <= 12
        assert all(low - 1e-6 * (high - low) <= t <= high + 1e-6 * (high - low) for t in ticks)
        steps = np.diff(ticks)
        np.testing.assert_allclose(steps, steps[0], rtol=1e-3)
        assert round(steps[0] / 10 ** np.floor(np.log10(steps[0] * 1.0001)), 3) in (1, 2, 5)
    assert log_ticks(1e-8, 1e4) == [10.0**k for k in range(-8, 5, 3)]


def test_time_ticks_are_dates() -> None:
    def at(text: str) -> float:
        return float(np.datetime64(text, "s").astype(int))

    assert [t for _, t in time_ticks(at("1957-03-02"), at("2001-01-01"))] == ["1960", "1970", "1980", "1990", "2000"]
    assert time_ticks(at("2020-01-30"), at("2020-06-02"), 4)[1] == (at("2020-03-01"), "2020-03")
    day = time_ticks(at("2020-05-01T00:30"), at("2020-05-01T05:59"), 5)
    assert [label for _, label in day] == ["01:00", "02:00", "03:00", "04:00", "05:00"]
    assert time_label(at("2020-05-01T06:00")) == "2020-05-01 06:00"
    assert time_label(at("2020-05-01T06:00:07") + 0.25) == "2020-05-01 06:00:07.25"
    start = at("2020-05-01T06:00:07")
    assert [label for _, label in time_ticks(start, start + 2, 4)][:2] == ["06:00:07", "06:00:07.5"]


@pytest.mark.parametrize(
    ("value", "label"),
    [(0.5, "0.5"), (1234.0, "1234"), (12345.6, "12,346"), (2e12, "2e+12"), (np.inf, "inf"), (-0.00002, "-2e-05")],
)
def test_number_labels(value: float, label: str) -> None:
    assert number_label(value) == label


def test_extent_ignores_what_is_not_finite() -> None:
    assert extent([[1.0, np.nan, 3.0], [np.inf]]) == (1.0, 3.0)
    assert extent([[0.0, -1.0, 10.0]], "log") == (5.0, 20.0)
    assert float(Scale(0.0, 10.0, 100.0, 0.0)(2.5)) == 75.0
