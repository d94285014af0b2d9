"""Run a bench by name: its rows with the machine that they are from."""

from typing import Any

from ostinato.benches.base import BenchSettings
from ostinato.benches.table import load_bench
from ostinato.runs.machine import describe_machine


def run_bench(name: str, settings: BenchSettings | None = None) -> dict[str, Any]:
    """`{"bench", "machine", "rows": [...]}` as plain values for JSON; see `Row` for a row.

    Raises `SettingsError` for an unknown name.
    """
    bench = load_bench(name)
    rows = bench.run(settings or BenchSettings())
    return {"bench": name, "machine": describe_machine(), "rows": [row.to_dict() for row in rows]}
