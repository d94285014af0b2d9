"""The report of a run as one self-contained HTML page, whatever the job: headline, curves, sections, settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ostinato.runs.evaluation import Evaluation, Section
from ostinato.runs.record import Record, read_record
from ostinato.runs.storage import write_file
from ostinato.view import contents as c
from ostinato.view.page import cards, folded, grid, listing, page, section
from ostinato.view.sections import markup
from ostinato.view.svg import tag, text


def write_report(folder: str | Path, out: str | Path | None = None) -> Path:
    """Write `report.html` into a run folder, or to `out`, and give its path.

    Raises as `read_record` and `render`, and `StorageError`.
    """
    folder = Path(folder)
    path = folder / "report.html" if out is None else Path(out)
    write_file(path, render(read_record(folder)).encode())
    return path


def render(record: Record) -> str:
    """The report as HTML. Raises `CorruptFile` where a section of the evaluation cannot be drawn.

    Nothing here knows a job: the heading is that of the evaluation (`title` and `target`), its sections are drawn by
    `SECTIONS` in their order, and a part that is empty is left out.

    ```python
    >>> made = Evaluation("count", "", "", "", (), (Section("text", "Found", {"words": "three"}),), title="Counting")
    >>> html = render(Record("a run", evaluation=made))
    >>> "<h1>Counting</h1>" in html, "<h2>Found</h2>" in html, "three" in html
    (True, True, True)

    ```
    """
    made = record.evaluation
    title = made.heading if made else "Run"
    parts = [tag("p", text(f"Ostinato · {record.name}"), class_="soft"), tag("h1", text(title))]
    why = "nothing was held out" if record.metrics else "the run was stopped before its end"
    parts += _headline(made) if made else [tag("p", text(f"No evaluation yet: {why}."))]
    parts += [tag("p", text(note), class_="verdict") for note in record.notes]
    parts += markup(_learning_curve(record), record.name)
    if made:
        parts += markup(made.sections, record.source)
    if record.data:
        parts.append(section("Data", listing(record.data)))
    if record.settings:
        parts.append(folded("Settings", listing(record.settings)))
    if record.environment:
        parts.append(folded("Environment", listing(record.environment)))
    return page(f"{title} · {record.name}", parts)


def _headline(made: Evaluation) -> list[str]:
    """Verdict, our scores, and those of the baselines where there are any."""
    parts = [tag("p", text(made.verdict), class_="verdict")] if made.verdict else []
    ours = next((score for score in made.scores if score.ours), None)
    if ours is not None:
        parts.append(cards(ours.values))
    if len(made.scores) > 1:
        names = list(dict.fromkeys(name for score in made.scores for name in score.values))
        rows = [([score.model, *(score.values.get(name) for name in names)], score.ours) for score in made.scores]
        parts.append(
            section("Beside the baselines", tag("p", text(made.held_out), class_="soft"), grid(["", *names], rows))
        )
    elif made.held_out:
        parts.append(tag("p", text(made.held_out), class_="soft"))
    return parts


def _learning_curve(record: Record) -> list[Section]:
    """Training and validation over the epochs."""
    if not record.history:
        return []
    epochs = c.numbers([_number(r.get("epoch")) for r in record.history])
    best = record.metrics.get("best")
    at = best.get("step") if isinstance(best, Mapping) else None
    marks = [(e, "best") for e, r in zip(epochs, record.history, strict=True) if e is not None and r.get("step") == at]
    metrics = [r.get("metrics") or {} for r in record.history]
    name = next((str(key) for table in metrics for key in table), None)
    loss = c.numbers([_number(r.get("loss")) for r in record.history])
    curves = [c.Curve("training loss", "other", loss)]
    if name is not None:
        label = "validation loss" if name == "validation" else f"validation {name}"
        curves.append(c.Curve(label, "ours", c.numbers([_number(table.get(name)) for table in metrics])))
    log = all(v > 0 for curve in curves for v in curve.y if v is not None)
    drawn = c.Lines(
        epochs,
        tuple(curves),
        "epoch",
        y_kind="log" if log else "number",
        marks=tuple(marks[:1]),
        points=len(epochs) < 40,
    )
    return [c.section("Learning curve", drawn)]


def _number(value: Any) -> float:
    """A number of the log, where what is not finite is a string."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
