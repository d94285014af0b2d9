"""The whole examination: each cell's fast paths, which of them are taken, and training twice where it is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from ostinato.cells import CELLS
from ostinato.doctor.comparison import EXAMINED, Comparison, compare, paths
from ostinato.doctor.repeat import repeat_training
from ostinato.errors import SettingsError
from ostinato.kernels.native import library
from ostinato.runs.machine import describe_machine


def examine(
    cells: Sequence[str] = EXAMINED, *, determinism: bool = False, note: Callable[[str], None] = lambda message: None
) -> dict[str, Any]:
    """What was found, as plain values: `{"machine", "native", "comparisons", "paths", "determinism", "healthy"}`.

    `comparisons` and `paths` have the fields of `Comparison` and `Chosen`, a row each; `determinism` is None where it
    was not asked for. Raises `SettingsError` for a cell that is not in `CELLS`.

    ```python
    >>> found = examine(["indrnn"])
    >>> found["healthy"], found["comparisons"][0]["kernel"]
    (True, 'scan')

    ```
    """
    unknown = [name for name in cells if name not in CELLS]
    if unknown:
        raise SettingsError(f"cells: expected some of {', '.join(CELLS)}, got {', '.join(unknown)}")
    comparisons: list[Comparison] = []
    for name in cells:
        note(f"comparing the paths of {name}")
        comparisons += compare(name)
    repeats = None
    if determinism:
        note("training 20 steps, twice")
        repeats = repeat_training()
    return {
        "machine": describe_machine(),
        "native": library()[1],
        "comparisons": [asdict(c) for c in comparisons],
        "paths": [asdict(p) for name in cells for p in paths(name)],
        "determinism": repeats,
        "healthy": all(c.equal for c in comparisons) and (repeats is None or repeats["equal"]),
    }
