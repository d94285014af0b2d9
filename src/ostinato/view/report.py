"""The report of a run as one self-contained HTML page: headline, curves, forecasts or confusion, settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ostinato.runs.evaluation import Evaluation, Pairs, Panel
from ostinato.runs.record import Record, read_agents, read_record
from ostinato.runs.storage import write_file
from ostinato.view.agents import agents_report
from ostinato.view.heatmap import confusion_figure
from ostinato.view.lines import Line, line_figure
from ostinato.view.page import cards, drawn, folded, grid, listing, page, section
from ostinato.view.scatter import scatter_figure
from ostinato.view.svg import tag, text

TASKS = {"forecast": "Forecast", "classify": "Classification", "regress": "Regression", "community": "Communities"}


def write_report(folder: str | Path, out: str | Path | None = None) -> Path:
    """Write `report.html` into a run folder, or to `out`, and give its path.

    Raises as `read_record`, and `StorageError`; `DataError` where a run of agents has not ended.
    """
    folder = Path(folder)
    path = folder / "report.html" if out is None else Path(out)
    record = read_record(folder)
    html = agents_report(read_agents(folder)) if record.settings.get("task") == "agent" else render(record)
    write_file(path, html.encode())
    return path


def render(record: Record) -> str:
    """The report as HTML."""
    made = record.evaluation
    task = TASKS.get(made.task, made.task) if made else "Run"
    title = f"{task} of {made.target}" if made and made.target else task
    parts = [tag("p", text(f"Ostinato · {record.name}"), class_="soft"), tag("h1", text(title))]
    why = "nothing was held out" if record.metrics else "the run was stopped before its end"
    parts += _headline(made) if made else [tag("p", text(f"No evaluation yet: {why}."))]
    parts += [tag("p", text(note), class_="verdict") for note in record.notes]
    parts += _curves(record)
    if made:
        parts += _figures(made)
    if record.data:
        parts.append(section("Data", listing(record.data)))
    if record.settings:
        parts.append(folded("Settings", listing(record.settings)))
    if record.environment:
        parts.append(folded("Environment", listing(record.environment)))
    return page(f"{title} · {record.name}", parts)


def _headline(made: Evaluation) -> list[str]:
    ours = next((score for score in made.scores if score.ours), None)
    names = list(dict.fromkeys(name for score in made.scores for name in score.values))
    rows = [([score.model, *(score.values.get(name) for name in names)], score.ours) for score in made.scores]
    parts = [tag("p", text(made.verdict), class_="verdict")]
    if ours is not None:
        parts.append(cards(ours.values))
    parts.append(
        section("Beside the baselines", tag("p", text(made.held_out), class_="soft"), grid(["", *names], rows))
    )
    return parts


def _curves(record: Record) -> list[str]:
    """Training and validation over the epochs: one figure where they measure the same, otherwise one each."""
    if not record.history:
        return []
    epochs = [_number(r.get("epoch")) for r in record.history]
    best = record.metrics.get("best")
    at = best.get("step") if isinstance(best, Mapping) else None
    marks = [(e, "best") for e, r in zip(epochs, record.history, strict=True) if r["step"] == at][:1]
    metrics = [r.get("metrics") or {} for r in record.history]
    name = next((str(key) for table in metrics for key in table), None)
    curves = [
        Line("training loss", epochs, [_number(r.get("loss")) for r in record.history], "other", len(epochs) < 40)
    ]
    if name is not None:
        values = [_number(table.get(name)) for table in metrics]
        label = "validation loss" if name == "validation" else f"validation {name}"
        curves.append(Line(label, epochs, values, "ours", len(epochs) < 40))

    def draw(width: int) -> str:
        return line_figure(
            curves,
            label="learning curve",
            x_label="epoch",
            y_kind="log" if all(v > 0 for c in curves for v in c.y if v == v) else "number",
            marks=marks,
            width=width,
            height=280,
        )

    return [section("Learning curve", drawn(draw))]


def _figures(made: Evaluation) -> list[str]:
    parts = []
    if made.forecast is not None:
        parts.append(section("Forecast against truth", _panel(made.forecast, "forecast against truth")))
    if made.by_horizon is not None:
        parts.append(section("Error by horizon", _panel(made.by_horizon, "error by horizon", zero=True)))
    if made.confusion is not None:
        names, counts = made.confusion.classes, made.confusion.counts
        draw = lambda width: confusion_figure(counts, names, label="confusion matrix", width=width)
        parts.append(section("Confusion", drawn(draw, "Rows are the true classes, columns the predicted ones.")))
    if made.pairs is not None:
        parts += _residuals(list(made.pairs.truth), list(made.pairs.predicted))
    parts += [section(cloud.title, _cloud(cloud.pairs, cloud.title)) for cloud in made.clouds]
    parts += [section(chart.title, _panel(chart.panel, chart.title, zero=True)) for chart in made.charts]
    return parts


def _panel(panel: Panel, label: str, zero: bool = False) -> str:
    lines = [
        Line(c.name, panel.x, [float("nan") if v is None else v for v in c.y], c.role, zero and len(panel.x) < 60)
        for c in panel.curves
    ]
    band = None
    if panel.band is not None:
        low, high = ([_number(v) for v in edge] for edge in panel.band)
        band = (panel.x, low, high)

    def draw(width: int) -> str:
        return line_figure(
            lines,
            label=label,
            x_label=panel.x_label,
            y_label=panel.y_label,
            x_kind=panel.x_kind,
            band=band,
            zero=zero,
            width=width,
        )

    return drawn(draw, panel.note)


def _cloud(pairs: Pairs, label: str) -> str:
    def draw(width: int) -> str:
        return scatter_figure(
            pairs.truth, pairs.predicted, diagonal=True, width=width, label=label, x_label="true", y_label="predicted"
        )

    return drawn(draw)


def _residuals(truth: list[float], predicted: list[float]) -> list[str]:
    left = [t - p for t, p in zip(truth, predicted, strict=True)]

    def residuals(width: int) -> str:
        y_label = "true − predicted"
        return scatter_figure(
            predicted, left, level=0.0, width=width, label="residuals", x_label="predicted", y_label=y_label
        )

    return [
        section("Predicted against true", _cloud(Pairs(tuple(truth), tuple(predicted)), "predicted against true")),
        section("Residuals", drawn(residuals)),
    ]


def _number(value: Any) -> float:
    """A number of the log, where what is not finite is a string."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
