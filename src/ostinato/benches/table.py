"""The table of benches, read without JAX by the command and the docs; a module is loaded when its bench runs."""

from importlib import import_module  # noqa: TID251 - only names that stand in this file
from typing import NamedTuple

from ostinato.benches.base import Bench
from ostinato.errors import SettingsError, did_you_mean


class BenchEntry(NamedTuple):
    """A row: what is measured."""

    description: str


# A bench is a file of this room with a function `run`.
BENCHES: dict[str, BenchEntry] = {
    "hoist": BenchEntry("hoisted gradient of the recurrent weights against the plain scan, per time step"),
    "kernels": BenchEntry("the compiled loop beside the plain scan and PyTorch, forward and training"),
    "jobs": BenchEntry("whole trainings, first and later in a process, and one step of the loop, beside PyTorch loops"),
    "checkpoint": BenchEntry("memory of a training step over 100,000 steps with checkpointed segments"),
    "rules": BenchEntry("cost of a step under each learning rule against the number of units"),
    "evolution": BenchEntry("networks evaluated a second by a search over weights, all at once against one by one"),
    "memory": BenchEntry("NTM and DNC at batch 1, beside a plain scan and a PyTorch loop of the same equations"),
    "reservoir": BenchEntry("states and ridge read-out of an echo-state network beside ReservoirPy"),
    "communities": BenchEntry("every community of more than ten of 25 species predicted, and eighty of them chosen"),
}


def load_bench(name: str) -> Bench:
    """The bench of that name; raises `SettingsError` with the known names."""
    if name not in BENCHES:
        raise SettingsError(f"bench: expected one of {', '.join(BENCHES)}, got {name!r}{did_you_mean(name, BENCHES)}")
    return import_module(f"ostinato.benches.{name}").run
