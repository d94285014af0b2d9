"""The report is one page that loads nothing, says what the run folder says, and runs nothing that stands in it."""

import html
import json
import re
import shlex
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ostinato.errors import CorruptFile, DataError
from ostinato.runs import Evaluation, Record, Score, read_record, to_toml
from ostinato.view import Confusion, Curve, Lines, Residuals, Scatter, render, section, write_report

HOSTILE = "</script><script>alert('x')</script><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """Tags with their attributes, and the text outside of scripts and styles."""

    def __init__(self, source: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._inside: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self._inside.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if not self._inside or self._inside[-1] not in ("script", "style"):
            self.words.append(data)


def evaluation(name: str) -> Evaluation:
    lines = Lines(
        (0.0, 86400.0),
        (Curve(name, "truth", (1.0, None)), Curve("gru", "ours", (1.5, 2.0)), Curve(name, "other", (0.5, 3.0))),
        name,
        name,
        "time",
        band=((0.0, 1.0), (2.0, None)),
        marks=((0.0, name),),
    )
    sections = (
        section("Forecast against truth", lines, name),
        section(name, lines),
        section("Confusion", Confusion((name, "b"), ((3, 1), (0, 4)))),
        section("Predicted against true", Scatter((1.0, 2.0), (1.5, 1.75))),
        section("Residuals", Residuals((1.0, 2.0), (1.5, 1.75))),
    )
    scores = (Score("gru", True, {"RMSE": 1.2345}), Score(name, False, {"RMSE": 2.5, name: None}))
    return Evaluation(name, name, name, name, scores, sections)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run folder in which every name that comes from data is hostile."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "settings.toml").write_text(to_toml({"task": "forecast", "data": {"target": [HOSTILE], HOSTILE: 1}}))
    (run / "environment.json").write_text(json.dumps({"processor": HOSTILE, "devices": 2}))
    (run / "data.json").write_text(json.dumps({"file": HOSTILE, "rows": 12}))
    (run / "metrics.json").write_text(json.dumps({"best": {"step": 20, "validation": 0.5}, "steps": 30}))
    (run / "evaluation.json").write_text(json.dumps(evaluation(HOSTILE).to_dict()))
    records: list[dict[str, Any]] = [{"kind": "warning", "step": 0, "message": HOSTILE}]
    for step, loss in ((10, 1.0), (20, 0.5), (30, "nan")):
        record = {"kind": "evaluation", "step": step, "epoch": step / 10, "loss": loss, "metrics": {HOSTILE: 0.7}}
        records.append(record)
    (run / "log.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    return run


def test_nothing_runs_and_nothing_is_loaded(folder: Path) -> None:
    source = write_report(folder).read_text()
    page = Page(source)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not [tag for tag, _ in page.tags if tag in ("img", "link", "iframe", "object", "embed", "base", "form")]
    for tag, attributes in page.tags:
        for name in attributes:
            assert not name.startswith("on"), (tag, name)
            assert name not in ("src", "href", "srcset", "action", "data", "xlink:href"), (tag, name)
    assert not re.findall(r"https?://|url\(|@import|import\(|fetch\(", source)
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_it_says_what_the_folder_says(folder: Path) -> None:
    page = Page(render(read_record(folder)))
    words = "\n".join(page.words)
    for said in (
        HOSTILE,
        "1.234",
        "2.5",
        "Learning curve",
        "Forecast against truth",
        "Confusion",
        "Residuals",
        "data.target",
    ):
        assert said in words, said
    assert f">{html.escape('1.5, 2')}<" not in words
    assert "12" in page.words


def test_marks_the_best_epoch(folder: Path) -> None:
    source = render(read_record(folder))
    assert source.count(">best</text>") == 2  # for a desk and for a phone
    # Epochs 1, 2 and 3, of which the second was the best: its mark is in the middle of the axis.
    curve = source.split("<h2>Learning curve</h2>")[1].split("</svg>")[0]
    ends, (mark,) = (re.findall(rf'<line x1="([\d.]+)" x2="([\d.]+)"[^>]*class="{c}"', curve)
                     for c in ("grid", "mark"))  # fmt: skip
    assert float(mark[0]) == pytest.approx(sum(map(float, ends[0])) / 2)
    metrics = json.loads((folder / "metrics.json").read_text())
    (folder / "metrics.json").write_text(json.dumps({**metrics, "best": {}}))
    assert ">best</text>" not in render(read_record(folder))


def test_our_row_stands_out(folder: Path) -> None:
    rows = re.findall(r"<tr( class=\"ours\")?><td[^>]*>([^<]+)</td>", render(read_record(folder)))
    assert [(bool(ours), html.unescape(name)) for ours, name in rows] == [(True, "gru"), (False, HOSTILE)]


def test_the_best_row_is_the_first_and_a_column_has_even_digits() -> None:
    scores = (Score("gru", True, {"R²": 0.5}), Score("mean", False, {"R²": None}), Score("ar", False, {"R²": 0.625}))
    made = Evaluation("regress", "y", "", "", scores, higher=True)
    rows = re.findall(r"<tr[^>]*><td[^>]*>([^<]+)</td><td>([^<]+)</td>", render(Record("run", evaluation=made)))
    assert rows == [("ar", "0.625"), ("gru", "0.500"), ("mean", "–")]
    down = replace(made, higher=False)
    assert [score.model for score in down.ranked()] == ["gru", "ar", "mean"]


def test_what_the_reader_came_for_stands_before_the_scores(folder: Path) -> None:
    record = read_record(folder)
    assert record.evaluation is not None
    lead = (section("The steps ahead", Scatter((1.0,), (2.0,))),)
    page = render(replace(record, evaluation=replace(record.evaluation, lead=lead)))
    order = [
        page.index(words) for words in ("The steps ahead", "Beside the baselines", "Learning curve", "make it again")
    ]
    assert order == sorted(order)


def test_the_command_that_makes_it_again_is_that_of_the_folder(tmp_path: Path) -> None:
    run = tmp_path / "a run"
    run.mkdir()
    (run / "settings.toml").write_text('task = "forecast"\n')
    (run / "data.json").write_text('{"file": "my data.csv"}')
    words = Page(render(read_record(run))).words
    typed = next(word for word in words if word.startswith("ostinato fit"))
    given = [
        "ostinato",
        "fit",
        "forecast",
        "my data.csv",
        "--settings",
        f"{run}/settings.toml",
        "--out",
        f"{run}-again",
    ]
    assert shlex.split(typed) == given


def test_what_else_validation_measured_has_a_figure_of_its_own(folder: Path) -> None:
    records = [
        {"kind": "evaluation", "step": s, "epoch": s, "loss": 1.0, "metrics": {"cross_entropy": 0.5, "error": 0.25}}
        for s in (1, 2)
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    page = render(read_record(folder))
    assert "<h3>error</h3>" in page
    assert 'data-csv="epoch,validation error\n1,0.25\n2,0.25\n"' in page


def test_unfinished_run_has_a_report(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('task = "forecast"\n')
    assert "stopped before its end" in write_report(tmp_path, tmp_path / "out.html").read_text()


def test_no_run_and_damage_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a run folder"):
        read_record(tmp_path)
    table = json.loads((folder / "evaluation.json").read_text())
    for change in ({"scores": 3}, {"task": None}, {"unknown": 1}, {"sections": [{"kind": "lines"}]}):
        (folder / "evaluation.json").write_text(json.dumps({**table, **change}))
        with pytest.raises(CorruptFile, match=r"evaluation\.json"):
            read_record(folder)
    (folder / "evaluation.json").write_text("{")
    with pytest.raises(CorruptFile, match="JSON"):
        read_record(folder)


def test_evaluation_survives_json() -> None:
    made = evaluation("x")
    assert Evaluation.from_dict(json.loads(json.dumps(made.to_dict()))) == made
    odd = Evaluation("regress", "y", "", "", (Score("a", True, {"RMSE": float("nan")}),))
    assert odd.to_dict()["scores"][0]["values"]["RMSE"] is None
