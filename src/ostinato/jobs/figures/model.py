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
        rows = _chosen_rows(chosen)
        head = ("setting", "chosen", "why") if any(row[2] for row in rows) else ("setting", "chosen")
        sections.append(section("What was chosen", Table(head, tuple(row[: len(head)] for row in rows))))
    network = getattr(model, "network_", None)
    parts = () if network is None else summary(network)
    if parts:
        head, rows = parts.table()
        sections.append(section("The network", Table(head, tuple(rows))))
    return sections


def _chosen_rows(chosen: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Name, value and why of each setting; the reasons stand by the same names under `why`."""
    why = chosen.get("why", {})
    return tuple((name, _words(value), str(why.get(name, ""))) for name, value in chosen.items() if name != "why")


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
