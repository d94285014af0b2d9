"""How training went: loss and validation over the epochs."""

from collections.abc import Mapping, Sequence
from typing import Any

from ostinato.runs.evaluation import Section
from ostinato.view import contents as c


def learning_curves(history: Sequence[Mapping[str, Any]], best: Any = None) -> list[Section]:
    """Training and validation over the epochs, from the records of evaluations; `best`: the step of the best one.

    What validation measured beside its first metric has figures of its own.
    """
    if not history:
        return []
    epochs = c.numbers([_number(r.get("epoch")) for r in history])
    marks = [(e, "best") for e, r in zip(epochs, history, strict=True) if e is not None and r.get("step") == best]
    metrics = [r.get("metrics") or {} for r in history]
    names = list(dict.fromkeys(str(key) for table in metrics for key in table))
    loss = c.numbers([_number(r.get("loss")) for r in history])
    curves = [c.Curve("training loss", "other", loss)]

    def measured(name: str) -> c.Curve:
        label = "validation loss" if name == "validation" else f"validation {name}"
        return c.Curve(label, "ours", c.numbers([_number(table.get(name)) for table in metrics]))

    def figure(curves: Sequence[c.Curve], y_label: str = "", log: bool = False) -> c.Lines:
        kind = "log" if log else "number"
        points = len(epochs) < 40
        return c.Lines(epochs, tuple(curves), "epoch", y_label, y_kind=kind, marks=tuple(marks[:1]), points=points)

    curves += [measured(name) for name in names[:1]]
    log = all(v > 0 for curve in curves for v in curve.y if v is not None)
    sections = [c.section("Learning curve", figure(curves, log=log))]
    if names[1:]:
        rest = [c.section(name, figure([measured(name)], name)) for name in names[1:]]
        sections.append(c.section("What validation measured", c.Multiples(tuple(rest))))
    return sections


def _number(value: Any) -> float:
    """A number of the log, where what is not finite is a string."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
