"""Recurrent networks on one contract; `import ostinato as ost` is instant, its rooms (and JAX) load on first use."""

from importlib import import_module  # noqa: TID251 - only names that stand in this file
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0.dev0"

_HOME = {
    "Bidirectional": "layers",
    "Examples": "data",
    "ManyToOne": "layers",
    "RNN": "layers",
    "Readout": "layers",
    "SequenceBatch": "data",
    "Stack": "layers",
    "fit": "training",
    "rollout": "layers",
    "step": "layers",
    "unroll": "layers",
}

__all__ = [
    "RNN",
    "Bidirectional",
    "Examples",
    "ManyToOne",
    "Readout",
    "SequenceBatch",
    "Stack",
    "__version__",
    "agents",
    "analysis",
    "associative",
    "benches",
    "cells",
    "communities",
    "compression",
    "data",
    "doctor",
    "environments",
    "errors",
    "fit",
    "graphs",
    "interop",
    "jobs",
    "kernels",
    "layers",
    "learning",
    "losses",
    "memory",
    "models",
    "rollout",
    "runs",
    "step",
    "studies",
    "tasks",
    "tracing",
    "training",
    "trees",
    "unroll",
    "view",
]

if TYPE_CHECKING:
    from ostinato import (
        agents,
        analysis,
        associative,
        benches,
        cells,
        communities,
        compression,
        data,
        doctor,
        environments,
        errors,
        graphs,
        interop,
        jobs,
        kernels,
        layers,
        learning,
        losses,
        memory,
        models,
        runs,
        studies,
        tasks,
        tracing,
        training,
        trees,
        view,
    )
    from ostinato.data import Examples, SequenceBatch
    from ostinato.layers import RNN, Bidirectional, ManyToOne, Readout, Stack, rollout, step, unroll
    from ostinato.training import fit


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f"ostinato.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name in __all__:
        return import_module(f"ostinato.{name}")
    raise AttributeError(f"module 'ostinato' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
