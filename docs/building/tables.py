"""Tables of the pages and of the README, from the tables of the library: what stands in them cannot be out of date."""

import functools
import re
from typing import Any

from ostinato.cells import CELLS
from ostinato.data import CATALOGUE
from ostinato.jobs import JOBS
from ostinato.learning import RULES, Exact, Refusal, grid

SIGNS = {"exact": "E", "approximate": "a", "refused": "·"}


@functools.cache
def answers() -> dict[str, dict[str, tuple[str, str]]]:
    """What each rule says of each cell, and why: `{rule: {cell: (answer, why)}}`."""
    return {rule: {cell: (_kind(said), said.why) for cell, said in row.items()} for rule, row in grid().items()}


def _kind(said: Any) -> str:
    return "exact" if isinstance(said, Exact) else "refused" if isinstance(said, Refusal) else "approximate"


@functools.cache
def kernels() -> dict[str, str]:
    """The loop that each cell takes by itself for a batch of eight."""
    import jax

    from ostinato.kernels import choose

    made = {name: entry.make(2, 4, key=jax.random.key(0)) for name, entry in CELLS.items()}
    return {name: choose(cell, batch=8).kernel for name, cell in made.items()}


def cells() -> str:
    """Each cell: year, source, file, loop, rules that are exact and rules that approximate."""
    lines = ["| cell | what it is | paper | year | file | loop | exact | approximate |", "| --- " * 8 + "|"]
    for name, entry in CELLS.items():
        paper, year = source(entry.reference)
        exact, near = (sum(row[name][0] == kind for row in answers().values()) for kind in ("exact", "approximate"))
        lines.append(
            f"| `{name}` | {entry.description} | {paper} | {year} | `{file_of(entry)}` | {loop(name)} | {exact} | {near} |"
        )
    return "\n".join(lines) + "\n"


def loop(cell: str) -> str:
    """The loop of a cell in a word."""
    return {"native": "compiled"}.get(kernels()[cell], kernels()[cell])


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
