"""Recurrent networks on one contract. `import ostinato as ost` is instant: rooms, and JAX with them, load on first use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0.dev0"

_ROOMS = (
    "analysis",
    "cells",
    "data",
    "errors",
    "kernels",
    "layers",
    "learning",
    "losses",
    "models",
    "studies",
    "tasks",
    "training",
    "view",
)

_NAMES = {
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

__all__ = [  # noqa: PLE0604, RUF022 - the rooms and names above, written out for type checkers
    "Bidirectional",
    "Examples",
    "ManyToOne",
    "RNN",
    "Readout",
    "SequenceBatch",
    "Stack",
    "__version__",
    "analysis",
    "cells",
    "data",
    "errors",
    "fit",
    "kernels",
    "layers",
    "learning",
    "losses",
    "models",
    "rollout",
    "step",
    "studies",
    "tasks",
    "training",
    "unroll",
    "view",
]

if TYPE_CHECKING:
    from ostinato import analysis, cells, data, errors, kernels, layers, learning, losses, models, studies, tasks, training, view
    from ostinato.data import Examples, SequenceBatch
    from ostinato.layers import RNN, Bidirectional, ManyToOne, Readout, Stack, rollout, step, unroll
    from ostinato.training import fit


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"ostinato.{name}")
    if name in _NAMES:
        value = getattr(import_module(f"ostinato.{_NAMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'ostinato' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
