"""Run a bench by name: its rows with the machine that they are from."""

from typing import Any

from ostinato.benches.base import BenchSettings
from ostinato.benches.table import load_bench


def run_bench(name: str, settings: BenchSettings | None = None) -> dict[str, Any]:
    """`{"bench", "machine", "rows": [...]}` as plain values for JSON; see `Row` for a row.

    Raises `SettingsError` for an unknown name.
    """
    # Here, because it imports JAX, and a list of the benches does without.
    from ostinato.runs.machine import describe_machine

    rows = load_bench(name)(settings or BenchSettings())
    return {"bench": name, "machine": describe_machine(), "rows": [row.to_dict() for row in rows]}
