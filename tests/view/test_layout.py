"""Nothing sticks out of a figure, nothing is drawn over something else, and marks and shades say what they mean."""

import itertools
import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ostinato.view import (
    SECTIONS,
    Curve,
    Line,
    Lines,
    confusion_figure,
    line_figure,
    matrix_figure,
    network_figure,
    scatter_figure,
    section,
    trial_figure,
)
from ostinato.view.frame import NARROW, WIDE, Scale
from ostinato.view.page import listing
from ostinato.view.page import section as part

from .test_figures import back, scale

LONG = [f"a name that is longer than anybody has room for, number {i}" for i in range(60)]
SIZE = 6.5
"""Width of a letter of 13 points, as a mean over words."""


def words(svg: str) -> list[tuple[str, float, float, float, float]]:
    """Each text of a figure with the corners of the box that it fills: left, top, right, bottom."""
    found = []
    for element in ElementTree.fromstring(svg).iter("text"):
        word = element.text or ""
        smaller = re.findall(r"font-size:([\d.]+)px", element.get("style") or "")
        part = float(smaller[0]) / 13 if smaller else 1.0
        wide, turn = SIZE * part * len(word), 0.0
        x, y = float(element.get("x") or 0), float(element.get("y") or 0)
        transform = element.get("transform") or ""
        if transform:
            x, y = map(float, re.findall(r"translate\(([-\d.]+) ([-\d.]+)\)", transform)[0])
            turn = math.radians(float(re.findall(r"rotate\(([-\d.]+)\)", transform)[0]))
        anchor = element.get("text-anchor") or "start"
        start = {"middle": -wide / 2, "end": -wide, "start": 0.0}[anchor]
        corners = [(start + a * wide, b) for a in (0, 1) for b in (-9 * part, 2)]
        at = [(x + u * math.cos(turn) - v * math.sin(turn), y + u * math.sin(turn) + v * math.cos(turn))
              for u, v in corners]  # fmt: skip
        xs, ys = zip(*at, strict=True)
        found.append((word, min(xs), min(ys), max(xs), max(ys)))
    return found


def figures(count: int) -> list[Callable[[int], str]]:
    names, rng = LONG[:count], np.random.default_rng(0)
    square = rng.integers(0, 999, (count, count))
    lines = [Line(name, range(9), rng.normal(size=9)) for name in names[:9]]
    edges = [(a, b, 1.0) for a, b in itertools.pairwise(names)]
    seen = rng.normal(size=(40, min(count, 9)))
    return [
        lambda width: line_figure(lines, label="l", x_label=LONG[0] * 2, y_label=LONG[0] * 2, width=width),
        lambda width: confusion_figure(square, names, label="c", width=width),
        lambda width: matrix_figure(square, names, names, label="m", width=width),
        lambda width: network_figure(names, ["an acid of a long name"], edges, label="n", width=width),
        lambda width: trial_figure(seen, names[:9], label="t", actions=LONG[:40], rewards=[0.25] * 40, width=width),
        lambda width: scatter_figure([1e-9, 2], [1, 2e8], label="s", x_label=LONG[0] * 2, y_label=LONG[0], width=width),
    ]


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("count", [2, 12, 36])
def test_every_word_is_inside_its_figure(count: int, width: int) -> None:
    for draw in figures(count):
        svg = draw(width)
        _, _, wide, high = map(float, (ElementTree.fromstring(svg).get("viewBox") or "").split())
        for word, left, top, right, bottom in words(svg):
            assert left > -12, word
            assert right < wide + 12, word
            assert top > -3, word
            assert bottom < high + 3, word


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_legend_stands_above_the_curves_and_apart(width: int) -> None:
    svg = line_figure([Line(n, [0, 1], [0, 1]) for n in LONG[:7]], label="l", y_label="error", width=width)
    rows = [box for box in words(svg) if box[0].startswith("a name")]
    assert len(rows) == 7
    top = scale(svg, "y")[4]
    assert max(bottom for *_, bottom in rows) < top
    for i, (_, left, up, right, down) in enumerate(rows):
        for _, left2, up2, right2, down2 in rows[i + 1 :]:
            assert right < left2 or right2 < left or down < up2 or down2 < up


@pytest.mark.parametrize(
    ("x", "marks"),
    [
        ([0, 1], ["0", "1"]),
        ([1, 2, 3, 4, 5], ["1", "2", "3", "4", "5"]),
        ([0, 0.5, 1], ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"]),
        ([5], ["5"]),
    ],
)
def test_marks_of_steps_are_whole(x: list[float], marks: list[str]) -> None:
    svg = line_figure([Line("a", x, x)], label="l")
    low = scale(svg, "y")[3]  # marks of the horizontal axis stand below where the vertical one begins
    assert [element.text for element in ElementTree.fromstring(svg).iter("text")
            if float(element.get("y") or 0) > low + 10 and element.text] == marks  # fmt: skip


@pytest.mark.parametrize(("y", "low"), [([0.0, 2.0], 0.0), ([1.0, 2.0], 0.0), ([-1.0, 2.0], -1.12)])
def test_an_axis_from_zero_begins_there(y: list[float], low: float) -> None:
    svg = line_figure([Line("a", [0, 1], y)], label="l", zero=True)
    assert scale(svg, "y")[1] == pytest.approx(low)


def test_whole_marks_of_any_range() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        low, high = map(float, np.sort(rng.integers(0, 10 ** int(rng.integers(1, 7)), 2)))
        ticks = [at for at, _ in Scale(low, high + 1, 0.0, rng.uniform(100, 800), "whole").ticks()]
        assert ticks
        assert all(at == round(at) and low <= at <= high + 1 for at in ticks)


def test_predicted_against_true_is_square() -> None:
    svg = scatter_figure([0, 10], [2, 3], label="s", x_label="true", y_label="predicted", diagonal=True)
    tree = ElementTree.fromstring(svg)
    (line,) = (e for e in tree.iter("line") if e.get("class") == "mark")
    x1, x2, y1, y2 = (float(line.get(name) or 0) for name in ("x1", "x2", "y1", "y2"))
    assert x2 - x1 == y1 - y2
    points = [(float(c.get("cx") or 0), float(c.get("cy") or 0)) for c in tree.iter("circle")]
    # (0, 2) and (10, 3): ten to the right for one upwards.
    assert (points[1][0] - points[0][0]) == pytest.approx(10 * (points[0][1] - points[1][1]), rel=1e-3)
    assert (points[0][0] - x1) == pytest.approx((y1 - points[0][1]) - (x2 - x1) * 2 / 10.8, abs=0.1)


def shades(svg: str, colour: str) -> list[float]:
    """The opacities of the scale of a heat map: unlike those of the map, its squares say nothing under the pointer."""
    squares = [r.get("style") or "" for r in ElementTree.fromstring(svg).iter("rect") if r.find("title") is None]
    return [float(s.split("fill-opacity:")[1]) for s in squares if f"--{colour})" in s and "opacity" in s]


@pytest.mark.parametrize(
    ("values", "top", "ends", "blue", "red"),
    [
        ([[0.5, 2.0]], None, ("0", "2"), 16, 0),
        ([[-4.0, 2.0]], None, ("-4", "4"), 8, 8),
        ([[0.5, 0.2]], 1.0, ("0", "1"), 16, 0),
    ],
)
def test_a_heat_map_has_the_scale_of_its_shades(
    values: Any, top: float | None, ends: tuple[str, str], blue: int, red: int
) -> None:
    svg = matrix_figure(values, ["row"], ["a", "b"], label="m", top=top)
    said = [word for word, *_ in words(svg)][-2:]
    assert tuple(said) == ends
    ours, other = shades(svg, "s0"), shades(svg, "ours")
    assert (len(ours), len(other)) == (blue, red)
    # From the middle of the first of 16 shades to that of the last.
    assert (min(ours), max(ours)) == pytest.approx((1 / 32, 31 / 32) if not red else (1 / 16, 15 / 16), abs=0.006)
    assert ours == sorted(ours)
    assert other == sorted(other, reverse=True)


def test_what_is_unknown_is_struck_out_and_zero_is_not() -> None:
    svg = matrix_figure([[0.0, np.nan], [1.0, np.inf]], ["a", "b"], ["c", "d"], label="m")
    tree = ElementTree.fromstring(svg)
    left, top, side, rows, columns = map(float, (tree.get("data-grid") or "").split())
    assert (rows, columns) == (2, 2)
    (path,) = (p.get("d") or "" for p in tree.iter("path") if p.get("class") == "struck")
    corners = np.array(re.findall(r"[\d.]+", path), float).reshape(-1, 4)
    x = left + side  # both stand in the second column, in its first and its second row
    wanted = [[x, y + side, x + side, y] for y in (top, top + side)]
    np.testing.assert_allclose(corners, wanted, atol=0.06)
    cells = {p.get("style"): p.get("d") or "" for p in tree.iter("path") if p.get("class") == "cells"}
    full = cells["fill:var(--s0);fill-opacity:1.00"]
    assert list(map(float, re.findall(r"M([\d.]+) ([\d.]+)", full)[0])) == pytest.approx([left, top + side], abs=0.06)
    assert cells["fill:var(--s0);fill-opacity:0.00"].count("M") == 3


def test_an_action_that_lasts_is_named_once_and_turned_where_it_has_no_room() -> None:
    actions = ["fixate", "fixate", "left", "fixate"]
    svg = trial_figure(np.eye(4), list("abcd"), label="t", actions=actions, rewards=[0, 0, 0, 1.5])
    named = [word for word, *_ in words(svg) if word in actions]
    assert named == ["fixate", "left", "fixate"]
    assert "rotate" not in svg
    boxes = {word: (left, right) for word, left, _, right, _ in words(svg)}
    wide = (WIDE - 20 - 7.4 * 6 - 12) / 4
    assert sum(boxes["left"]) / 2 == pytest.approx(20 + 7.4 * 6 + 2.5 * wide, abs=0.1)
    assert sum(boxes["1.5"]) / 2 == pytest.approx(20 + 7.4 * 6 + 3.5 * wide, abs=0.1)
    assert "rotate(-90)" in trial_figure(
        np.ones((30, 1)), ["a"], label="t", actions=["left", "right"] * 15, width=NARROW
    )


def test_a_count_holds_until_the_next_one() -> None:
    content = Lines((0.0, 10.0, 30.0), (Curve("n", "ours", (0.0, 0.5, 1.0)),), steps=True)
    drawn = SECTIONS["lines"](section("Learned", content))
    svg = "<svg" + drawn.split("<svg")[1].split("</svg>")[0] + "</svg>"
    path = next(p for p in ElementTree.fromstring(svg).iter("path") if p.get("data-name"))
    points = [tuple(map(float, p)) for p in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path.get("d") or "")]
    x, y = scale(svg, "x"), scale(svg, "y")
    read = [(round(back(px, x), 1), round(back(py, y), 1)) for px, py in points]
    assert read == [(0, 0), (10, 0), (10, 0.5), (30, 0.5), (30, 1)]


def test_a_page_has_no_hole_where_there_is_nothing_to_say() -> None:
    assert part("", "x") == "<section><figure>x</figure></section>"
    assert part("t", "x", note="n", level=3) == (
        '<section><h3>t</h3><figure>x<figcaption class="soft">n</figcaption></figure></section>'
    )
    assert '<table class="pairs"><tbody><tr><th>a.b</th><td>1</td></tr>' in listing({"a": {"b": 1}})
