"""The report of a run as one self-contained HTML page, whatever the job: headline, curves, sections, settings."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from ostinato.runs.evaluation import Evaluation
from ostinato.runs.measures import meanings
from ostinato.runs.record import Record, read_record
from ostinato.runs.storage import write_file
from ostinato.view.learning import learning_curves
from ostinato.view.page import cards, command, folded, grid, listing, page, section
from ostinato.view.sections import markup
from ostinato.view.svg import tag, text

MOST_CARDS = 4
"""Of our scores, the first ones are drawn large where a table holds them all."""


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

    Nothing here knows a job: the heading is that of the evaluation (`title` and `target`), then come its `lead`, its
    scores, its sections, drawn by `SECTIONS` in their order, how it was trained, and how to make it again. A part that
    is empty is left out.

    ```python
    >>> from ostinato.runs import Section
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
    if made:
        parts += [tag("p", text(made.verdict), class_="verdict")] if made.verdict else []
        parts += markup(made.lead, record.source)
        parts += _scores(made)
    else:
        parts.append(tag("p", text(f"No evaluation yet: {why}.")))
    parts += [tag("p", text(note), class_="verdict") for note in record.notes]
    if made:
        parts += markup(made.sections, record.source)
    best = record.metrics.get("best")
    at = best.get("step") if isinstance(best, Mapping) else None
    parts += markup(learning_curves(record.history, at), record.name)
    if record.data:
        parts.append(section("Data", listing(record.data)))
    parts += _again(record)
    if record.settings:
        parts.append(folded("Settings", listing(record.settings)))
    if record.environment:
        parts.append(folded("Environment", listing(record.environment)))
    return page(f"{title} · {record.name}", parts)


def _scores(made: Evaluation) -> list[str]:
    """Our scores, and those of all models, the best first."""
    parts = []
    ranked = made.ranked()
    ours = next((score for score in ranked if score.ours), None)
    if ours is not None:
        parts.append(cards(dict(list(ours.values.items())[: MOST_CARDS if len(ranked) > 1 else None])))
    if len(ranked) > 1:
        names = list(dict.fromkeys(name for score in ranked for name in score.values))
        rows = [([score.model, *(score.values.get(name) for name in names)], score.ours) for score in ranked]
        words = [tag("p", text(made.held_out), class_="soft"), grid(["", *names], rows)]
        said = [tag("li", text(line)) for line in meanings(names)]
        parts.append(section("Beside the baselines", *words, *([tag("ul", *said, class_="soft")] if said else [])))
    elif made.held_out:
        parts.append(tag("p", text(made.held_out), class_="soft"))
    return parts


def _again(record: Record) -> list[str]:
    """The command that makes the run again, where its settings say of which job it is."""
    job, file = record.settings.get("task"), record.data.get("file")
    if record.source == "evaluation" or not isinstance(job, str):
        return []
    folder = Path(record.source).parent
    given = [shlex.quote(file)] if isinstance(file, str) else []
    words = ["ostinato", "fit", job, *given, "--settings", shlex.quote(str(folder / "settings.toml"))]
    typed = " ".join([*words, "--out", shlex.quote(f"{folder}-again")])
    note = "Typed where the file of the data lies, and the settings of this run." if given else ""
    return [section("To make it again", command(typed), note=note)]
