"""What a report says of the model itself, whatever the job: what was chosen from the data, and its parts."""

from collections.abc import Mapping
from typing import Any

from ostinato.layers import summary
from ostinato.runs import Section
from ostinato.view import Table, section


def of_model(model: Any) -> list[Section]:
    """What `fit` chose and why, where it chose anything, and the parts of the network with their parameters."""
    sections = []
    chosen = getattr(model, "chosen_", None)
    if chosen:
        rows = tuple((str(name), *_value_and_why(value)) for name, value in chosen.items())
        head = ("setting", "chosen", "why") if any(row[2] for row in rows) else ("setting", "chosen")
        sections.append(section("What was chosen", Table(head, tuple(row[: len(head)] for row in rows))))
    network = getattr(model, "network_", None)
    parts = () if network is None else summary(network)
    if parts:
        head, rows = parts.table()
        sections.append(section("The network", Table(head, tuple(rows))))
    return sections


def _value_and_why(value: Any) -> tuple[str, str]:
    """A value, or a value and why it was taken, as two or as `value` and `why` of a mapping."""
    if isinstance(value, Mapping):
        return _words(value.get("value")), _words(value.get("why", ""))
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], str):
        return _words(value[0]), value[1]
    return _words(value), ""


def _words(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value)) or "none"
    return str(value)
