"""The report of a run as one self-contained HTML page: headline, curves, forecasts or confusion, settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ostinato.errors import CorruptFile, DataError
from ostinato.training import Log, read_settings, write_file
from ostinato.training.manifest import parse
from ostinato.training.storage import read_file
from ostinato.view.agents import agents_report
from ostinato.view.evaluation import Evaluation, Pairs, Panel
from ostinato.view.heatmap import confusion_figure
from ostinato.view.lines import Line, line_figure
from ostinato.view.page import cards, drawn, folded, grid, listing, page, section
from ostinato.view.scatter import scatter_figure
from ostinato.view.svg import tag, text

LARGEST = 1 << 27
AGENTS = ("title", "verdict", "summary", "trials_to_criterion", "curve", "settings")
TASKS = {"forecast": "Forecast", "classify": "Classification", "regress": "Regression", "community": "Communities"}


@dataclass(frozen=True)
class Record:
    """What a run folder says about itself; what is not there yet is empty."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    history: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    evaluation: Evaluation | None = None


def read_record(folder: str | Path) -> Record:
    """Read a run folder. Raises `DataError` where it is none, `CorruptFile` where one of its files is damaged."""
    folder = Path(folder)
    if not (folder / "settings.toml").is_file():
        raise DataError(f"{folder}: not a run folder, it has no settings.toml")
    records = Log(folder / "log.jsonl").records()
    found = _read(folder / "evaluation.json")
    return Record(
        folder.resolve().name,
        read_settings(folder),
        _read(folder / "environment.json"),
        tuple(r for r in records if r.get("kind") == "evaluation"),
        tuple(str(r.get("message", "")) for r in records if r.get("kind") in ("warning", "nonfinite")),
        _read(folder / "metrics.json"),
        _read(folder / "data.json"),
        Evaluation.from_dict(found, str(folder / "evaluation.json")) if found else None,
    )


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


def read_agents(folder: Path) -> dict[str, Any]:
    """What a run of agents found. Raises `DataError` where it has not ended, `CorruptFile` where it is damaged."""
    path = folder / "agents.json"
    if not path.exists():
        raise DataError(f"{folder}: its training has not ended yet; run the same `fit agent` again to go on")
    found = _read(path)
    missing = [name for name in AGENTS if name not in found]
    if missing:
        raise CorruptFile(f"{path}: has no {', '.join(missing)}")
    return found


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


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    return parse(read_file(path, largest=LARGEST), path)


def _number(value: Any) -> float:
    """A number of the log, where what is not finite is a string."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
