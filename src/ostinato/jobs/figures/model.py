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
        sections.append(_tried(chosen) if "tried" in chosen else _settings(chosen))
    network = getattr(model, "network_", None)
    parts = () if network is None else summary(network)
    if parts:
        head, rows = parts.table()
        sections.append(section("The network", Table(head, tuple(rows))))
    return sections


def _tried(chosen: Mapping[str, Any]) -> Section:
    """Of a forecaster that mixes: all that was tried in the training rows, with its error there and its share."""
    network, share = chosen["network"], dict(chosen["mixture"])
    if isinstance(network, Mapping):
        share["network"] = network["share"]
        about = f"{network['networks']} networks of {network['hidden_size']} units read {network['context']} steps."
    else:
        about = f"No network: {network}."
    rows = [
        (name, f"{error:.4g}", f"{100 * share[name]:.0f} %" if name in share else "")
        for name, error in chosen["tried"].items()
    ]
    ours = tuple(i for i, row in enumerate(rows) if row[2])
    note = f"Errors on training rows that the forecast was not fitted to, in units of the targets' scale. {about}"
    return section("What was chosen", Table(("tried", "RMSE", "share"), tuple(rows), ours), note)


def _settings(chosen: Mapping[str, Any]) -> Section:
    """Name, value and why of each setting; the reasons stand by the same names under `why`."""
    why = chosen.get("why", {})
    rows = [(name, _words(value), str(why.get(name, ""))) for name, value in chosen.items() if name != "why"]
    head = ("setting", "chosen", "why") if any(row[2] for row in rows) else ("setting", "chosen")
    return section("What was chosen", Table(head, tuple(row[: len(head)] for row in rows)))


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
