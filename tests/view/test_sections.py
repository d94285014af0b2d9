"""Sections: each kind says its values on the page, wrong ones are refused by name, and a new kind is one row."""

import dataclasses
import html
import json
import math
import random
import re
from pathlib import Path
from typing import Any

import pytest

from ostinato.errors import CorruptFile
from ostinato.runs import Evaluation, Record, Score, Section, read_record, to_toml
from ostinato.view import (
    SECTIONS,
    Cards,
    Confusion,
    Curve,
    Lines,
    Matrix,
    Multiples,
    Network,
    Residuals,
    Scatter,
    Table,
    Text,
    Trial,
    numbers,
    render,
    section,
)
from ostinato.view.contents import read
from ostinato.view.svg import tag
from ostinato.view.values import csv_of

from .test_figures import back, curves, scale
from .test_report import HOSTILE, Page

LINES = Lines((0.0, 1.0, 2.0), (Curve(HOSTILE, "ours", (1.0, None, 4.0)),), "steps", "error", zero=True)
CONTENTS = [
    LINES,
    Matrix((HOSTILE, "b"), ("c",), ((0.25,), (None,))),
    Confusion((HOSTILE, "b"), ((3, 1), (0, 4))),
    Scatter((1.0, 2.0), (1.5, None)),
    Residuals((1.0, 2.0), (1.5, 1.75)),
    Network((HOSTILE, "B"), ("acid",), ((HOSTILE, "acid", 5.0),)),
    Table((HOSTILE, "n"), ((HOSTILE, 0.125), ("b", None)), (0,)),
    Trial(((1.0, 0.0), (0.0, 1.0)), ("light", HOSTILE), ("wait", HOSTILE), (0.0, 1.5)),
    Cards({HOSTILE: 3.5}),
    Text(HOSTILE),
]
CONTENTS.append(Multiples(tuple(section(HOSTILE, content) for content in CONTENTS)))


def shown(*sections: Section) -> str:
    return render(Record("run", evaluation=Evaluation("job", "", "", "", (), sections)))


def folder(path: Path, evaluation: dict[str, Any]) -> Path:
    (path / "settings.toml").write_text(to_toml({"task": "job"}))
    (path / "evaluation.json").write_text(json.dumps(evaluation))
    return path


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: type(content).__name__)
def test_each_kind_survives_json_and_says_its_names(content: Any) -> None:
    made = section(HOSTILE, content, HOSTILE)
    again = Section(**json.loads(json.dumps({n: getattr(made, n) for n in ("kind", "title", "data", "note")})))
    assert read(type(content), again) == content
    source = shown(again)
    page = Page(source)  # closes every tag that it opens
    assert [name for name, _ in page.tags].count("script") == 1
    assert page.words.count(HOSTILE) >= 2  # heading and note


def test_every_kind_is_tested() -> None:
    assert {type(content).__name__.lower() for content in CONTENTS} == set(SECTIONS)


def test_a_new_kind_is_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that nobody thought of: a function and a row, seen in the page of a run."""

    def clock(section: Section) -> str:
        turn = 2 * math.pi * section.data["hour"] / 12
        hand = tag("line", x1=50, y1=50, x2=50 + 40 * math.sin(turn), y2=50 - 40 * math.cos(turn))
        return tag("svg", tag("circle", cx=50, cy=50, r=45), hand, viewBox="0 0 100 100", role="img")

    monkeypatch.setitem(SECTIONS, "clock", clock)
    made = Evaluation("tell-time", "", "all hours", "right", (Score("sundial", True, {"error": 0.5}),),
                      (Section("clock", "When", {"hour": 3.0}, "In the afternoon."),), title="Time")  # fmt: skip
    page = render(read_record(folder(tmp_path, made.to_dict())))
    assert '<line x1="50" y1="50" x2="90" y2="50"/>' in page
    for words in ("<h1>Time</h1>", "<h2>When</h2>", "In the afternoon.", "0.5", "all hours"):
        assert words in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "cake"}, "expected one of 'lines', 'matrix', .* as its kind, got 'cake'"),
        ({"data": {}}, "x: must be given"),
        ({"data": {"x": [0.0], "curves": []} | {"colour": "red"}}, "colour: no such setting"),
        ({"data": {"x": ["a"], "curves": []}}, r"x\.0: expected float or NoneType, got 'a'"),
        ({"data": {"x": [1e300], "curves": [], "x_kind": "time"}}, "x: expected seconds since 1970"),
        (
            {"data": {"x": [0.0], "curves": [{"name": "a", "role": "ours", "y": [1.0, 2.0]}]}},
            r"curve 'a': expected \(x,\) = \(1,\), got \(2,\)",
        ),
        ({"kind": "network", "data": {"outside": ["A"], "inside": [], "edges": [["A", "B", 1.0]]}}, "edges: 'B'"),
        ({"kind": "matrix", "data": {"rows": ["a"], "columns": ["b"], "values": [[1.0, 2.0]]}}, "values: expected"),
        ({"kind": "confusion", "data": {"classes": ["a"], "counts": [[1, 2]]}}, "counts: expected"),
        ({"kind": "confusion", "data": {"classes": ["a"], "counts": [[0.5]]}}, r"counts\.0\.0: expected int"),
        ({"kind": "scatter", "data": {"truth": [1.0], "predicted": []}}, "predicted: expected"),
        ({"kind": "table", "data": {"head": ["a", "b"], "rows": [[1], [1, 2]]}}, "rows: expected"),
        (
            {"kind": "trial", "data": {"observation": [[1.0]], "inputs": ["a"], "actions": ["x", "y"]}},
            "actions: expected",
        ),
        (
            {"kind": "multiples", "data": {"sections": [{"kind": "text", "title": "inner", "data": {}}]}},
            r"sections\.0 \('inner'\): words: must be given",
        ),
    ],
)
def test_wrong_values_are_refused_by_name(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    good = {"kind": "lines", "title": "Errors", "data": {"x": [0.0], "curves": []}, "note": ""}
    made = Evaluation("job", "", "", "", ()).to_dict() | {"sections": [good, good | change]}
    run = folder(tmp_path, made)
    with pytest.raises(CorruptFile, match=rf"evaluation\.json: sections\.1 \('Errors'\): .*{words}") as caught:
        render(read_record(run))
    assert str(run) in str(caught.value)


def test_numbers_of_a_section_are_where_they_belong() -> None:
    source = shown(section("Errors", LINES))
    svg = "<svg" + source.split("<svg")[1].split("</svg>")[0] + "</svg>"
    ((name, points),) = curves(svg)
    assert name == HOSTILE
    x, y = scale(svg, "x"), scale(svg, "y")
    assert [back(px, x) for _, px, _ in points] == pytest.approx([0.0, 2.0], abs=0.01)
    assert [back(py, y) for _, _, py in points] == pytest.approx([1.0, 4.0], abs=0.01)
    assert (y[1], [kind for kind, _, _ in points]) == (0.0, ["M", "M"])


def test_the_numbers_of_a_figure_are_on_the_page_as_csv() -> None:
    lines = Lines((0.0, 1.5), (Curve("a, b", "ours", (0.125, None)), Curve("a, b", "other", (1e-7, 3.0))), "step",
                  band=((0.0, 1.0), (2.0, None)))  # fmt: skip
    assert csv_of(section("e", lines)) == 'step,"a, b","a, b 2",lower,upper\n0,0.125,1e-07,0,2\n1.5,,3,1,\n'
    days = Lines((0.0, 86400.0), (Curve("y", "truth", (1.0, 2.0)),), x_kind="time")
    assert csv_of(section("e", days)) == "time,y\n1970-01-01,1\n1970-01-02,2\n"
    assert csv_of(section("m", Matrix(("a",), ("b", "c"), ((0.5, None),)))) == ",b,c\na,0.5,\n"
    assert csv_of(section("c", Confusion(("u", "v"), ((3, 1), (0, 4))))) == "true,u,v\nu,3,1\nv,0,4\n"
    assert csv_of(section("s", Scatter((1.0, 2.0), (1.5, None)))) == "true,predicted\n1,1.5\n2,\n"
    assert csv_of(section("t", Text("no numbers"))) is None
    assert html.unescape(shown(section("e", lines)).split('data-csv="')[1].split('"')[0]) == csv_of(section("e", lines))


def test_charts_side_by_side_are_drawn_once_and_their_curves_are_named_once() -> None:
    one = Lines((0.0, 1.0), (Curve("measured", "truth", (0.0, 1.0)), Curve("predicted", "ours", (1.0, 0.5))), "hours")
    four = Multiples(tuple(section(name, one) for name in ("a", "b", "c", "d")))
    source = shown(section("All", four))
    assert (source.count('class="inside"'), source.count(">measured</text>")) == (4, 2)  # legend: desk and phone
    other = Lines((0.0, 1.0), (Curve("else", "truth", (0.0, 1.0)),), "hours")
    mixed = shown(section("All", Multiples((*(section(n, one) for n in "abc"), section("d", other)))))
    assert (mixed.count('class="inside"'), mixed.count(">measured</text>"), mixed.count(">else</text>")) == (4, 3, 1)


def test_points_of_the_two_clouds() -> None:
    """Beside two points that span the axes, one that is read back by their places: true 3, predicted 2."""
    made = {}
    for content in (Scatter((0.0, 10.0, 3.0), (0.0, 10.0, 2.0)), Residuals((0.0, 10.0, 3.0), (0.0, 10.0, 2.0))):
        source = shown(section("cloud", content))
        places = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', source.split("</svg>")[0])
        made[type(content)] = [(float(x), float(y)) for x, y in places]
    (x0, y0), (x1, y1), (x, y) = made[Scatter]
    assert ((x - x0) / (x1 - x0), (y - y0) / (y1 - y0)) == pytest.approx((0.3, 0.2), abs=1e-3)
    (x0, y0), (x1, y1), (x, y) = made[Residuals]
    assert (x - x0) / (x1 - x0) == pytest.approx(0.2, abs=1e-3)
    assert y0 == y1
    assert y < y0 - 50  # what is left of the truth, 3 - 2, stands above the level of 0


def test_a_table_keeps_its_order_and_says_which_row_is_ours() -> None:
    source = shown(section("t", Table(("model", "RMSE"), (("a", 0.125), ("b", None)), (1,))))
    assert '<tr><td class="word">a</td><td>0.125</td></tr>' in source
    assert '<tr class="ours"><td class="word">b</td><td>–</td></tr>' in source


def test_a_score_alone_has_no_table_of_baselines() -> None:
    alone = Score("sarsa", True, {"learned": 3.0})
    page = render(Record("run", evaluation=Evaluation("agent", "", "64 networks", "3 learned", (alone,))))
    assert ("64 networks" in page, "3 learned" in page, "Beside the baselines" in page) == (True, True, False)
    beside = Evaluation("agent", "", "64 networks", "", (alone, Score("chance", False, {"learned": 0.0})))
    assert "Beside the baselines" in render(Record("run", evaluation=beside))


def test_heading_without_a_title_is_the_job() -> None:
    assert Evaluation("count", "", "", "", ()).heading == "count"
    assert Evaluation("count", "sheep", "", "", (), title="Counting").heading == "Counting of sheep"


def test_numbers_leave_nothing_that_json_does_not_hold() -> None:
    assert numbers([[1, math.nan], [math.inf, -2.5]]) == (1.0, None, None, -2.5)


ODD = [None, True, 0, -1, 1e308, -1e308, math.inf, math.nan, 10**400, "", "x", [], [[]], {}, {"a": 1}, "\ud800"]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value inside of a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


@pytest.mark.parametrize("content", CONTENTS[:-1], ids=lambda content: type(content).__name__)
def test_whatever_stands_in_a_section_is_drawn_or_refused(content: Any) -> None:
    rng = random.Random(type(content).__name__)
    whole = json.dumps(dataclasses.asdict(section("t", content)))
    refused = 0
    for _ in range(40):
        table = json.loads(whole)
        *way, last = rng.choice(places(table)[1:])
        inside = table
        for key in way:
            inside = inside[key]
        inside[last] = rng.choice(ODD)
        made = Evaluation("job", "", "", "", ()).to_dict() | {"sections": [table]}
        try:
            render(Record("run", evaluation=Evaluation.from_dict(made))).encode()
        except CorruptFile:
            refused += 1
    assert 0 < refused < 40
