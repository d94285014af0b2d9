"""Tables of the pages and of the README, from the tables of the library: what stands in them cannot be out of date."""

import functools
import re
from typing import Any

import equinox as eqx
import jax
import numpy as np

from ostinato.cells import CELLS
from ostinato.data import CATALOGUE
from ostinato.jobs import JOBS
from ostinato.kernels import choose
from ostinato.learning import RULES, Exact, Refusal, grid

SIGNS = {"exact": "E", "approximate": "a", "refused": "·"}


@functools.cache
def answers() -> dict[str, dict[str, tuple[str, str]]]:
    """What each rule says of each cell, and why: `{rule: {cell: (answer, why)}}`."""
    return {rule: {cell: (_kind(said), said.why) for cell, said in row.items()} for rule, row in grid().items()}


def _kind(said: Any) -> str:
    return "exact" if isinstance(said, Exact) else "refused" if isinstance(said, Refusal) else "approximate"


def cells(*names: str) -> str:
    """Each cell, or those that are named: source, file, loop, rules that are exact and rules that approximate."""
    lines = ["| cell | what it is | paper | year | file | loop | exact | approximate |", "| --- " * 8 + "|"]
    names = names or tuple(CELLS)
    found = grid(None, names)
    for name in names:
        entry = CELLS[name]
        paper, year = source(entry.reference)
        kinds = [_kind(row[name]) for row in found.values()]
        exact, near = kinds.count("exact"), kinds.count("approximate")
        parts = (f"`{name}`", entry.description, paper, year, f"`{file_of(entry)}`", loop(name), exact, near)
        lines.append(f"| {' | '.join(map(str, parts))} |")
    return "\n".join(lines) + "\n"


def loop(cell: str) -> str:
    """The loop that a cell takes by itself for a batch of eight, in a word."""
    made = eqx.filter_eval_shape(CELLS[cell].make, 2, 4, key=jax.random.key(0))
    zero = lambda leaf: np.zeros(leaf.shape, leaf.dtype) if isinstance(leaf, jax.ShapeDtypeStruct) else leaf
    kernel = choose(jax.tree.map(zero, made), batch=8).kernel
    return {"native": "compiled"}.get(kernel, kernel)


def source(reference: str) -> tuple[str, str]:
    """Authors and year.

    ```python
    >>> source("Gers, Schmidhuber and Cummins 2000")
    ('Gers, Schmidhuber and Cummins', '2000')

    ```
    """
    found = re.fullmatch(r"(.*?),? ?(\d{4}[a-z]?)", reference)
    return (found[1], found[2]) if found else (reference, "")


def file_of(entry: Any) -> str:
    """The file of a row, below `src/ostinato/`."""
    return str(entry.made_by).partition(":")[0].replace(".", "/") + ".py"


def rules() -> str:
    """Each learning rule, and for how many cells it is exact, approximate and refused."""
    lines = ["| rule | what it is | paper | exact | approximate | refused |", "| --- " * 6 + "|"]
    for name, entry in RULES.items():
        said = [answer for answer, _ in answers()[name].values()]
        counts = " | ".join(str(said.count(kind)) for kind in SIGNS)
        lines.append(f"| `{name}` | {entry.description} | {entry.reference} | {counts} |")
    return "\n".join(lines) + "\n"


def datasets() -> str:
    """The catalogue."""
    lines = ["| data set | task | MB | licence |", "| --- " * 4 + "|"]
    lines += [f"| `{n}` | {e.task} | {e.size / 1e6:.1f} | {e.licence.split(';')[0]} |" for n, e in CATALOGUE.items()]
    return "\n".join(lines).replace("$", "\\$") + "\n"


def jobs() -> str:
    """Kinds of jobs."""
    lines = ["| job | |", "| --- | --- |"]
    lines += [f"| `ostinato fit {name}` | {job.help.partition(chr(10))[0]} |" for name, job in JOBS.items()]
    return "\n".join(lines) + "\n"


def count(what: str) -> str:
    """How many rows a table has."""
    return str({"cells": len(CELLS), "rules": len(RULES), "datasets": len(CATALOGUE)}[what])
