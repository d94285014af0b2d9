"""The table of benches, read by `ostinato bench` and the docs; each module is loaded only when its bench runs."""

from importlib import import_module  # noqa: TID251 - only names that stand in this file

from ostinato.benches.base import Bench
from ostinato.errors import SettingsError

# Name to module of this room; the module has a constant BENCH. Written here, never taken from a file.
BENCHES: dict[str, str] = {
    "hoist": "ostinato.benches.hoist",
    "kernels": "ostinato.benches.kernels",
    "checkpoint": "ostinato.benches.checkpoint",
    "rules": "ostinato.benches.rules",
    "evolution": "ostinato.benches.evolution",
    "memory": "ostinato.benches.memory",
    "reservoir": "ostinato.benches.reservoir",
    "communities": "ostinato.benches.communities",
}


def load_bench(name: str) -> Bench:
    """The bench of that name; raises `SettingsError` with the known names."""
    if name not in BENCHES:
        raise SettingsError(f"bench: expected one of {', '.join(BENCHES)}, got {name!r}")
    return import_module(BENCHES[name]).BENCH
