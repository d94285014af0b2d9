"""What a network is made of: its parts with their sizes and how many numbers each has learned."""

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np

from ostinato.cells import Cell


class Part(NamedTuple):
    """A part of a network: where it stands, its class, its inputs and outputs (None where it has none), parameters.

    `fixed`: how many of the parameters are drawn once and not learned, as those of a reservoir.
    """

    path: str
    kind: str
    sizes: tuple[int, int] | None
    parameters: int
    fixed: int = 0


class Summary(tuple[Part, ...]):
    """The parts of a network, in their order; printed as a table."""

    @property
    def parameters(self) -> int:
        """Of all parts together."""
        return sum(part.parameters for part in self)

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """The names of the columns, and a row for each part and for the sum."""
        head = ("part", "kind", "in → out", "parameters")
        sizes = lambda part: "" if part.sizes is None else f"{part.sizes[0]} → {part.sizes[1]}"
        count = lambda part: f"{part.parameters:,}{f', {part.fixed:,} not learned' if part.fixed else ''}"
        rows = [(part.path, part.kind, sizes(part), count(part)) for part in self]
        return head, [*rows, ("all", "", "", f"{self.parameters:,}")]

    def __repr__(self) -> str:
        head, rows = self.table()
        wide = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
        pad = lambda row: "  ".join(
            cell.rjust(n) if i == len(head) - 1 else cell.ljust(n)
            for i, (cell, n) in enumerate(zip(row, wide, strict=True))
        )
        return "\n".join(pad(row) for row in (head, *rows))


def summary(model: Any) -> Summary:
    """The parts of a cell, layer or network with their numbers of parameters, as a table that prints.

    A cell that is not a `Stack` is one part; of anything else each array of its own and each part inside.

    ```python
    >>> import jax, ostinato as ost
    >>> found = summary(ost.RNN("gru", 3, 8, output_size=2, key=jax.random.key(0)))
    >>> found
    part            kind     in → out  parameters
    stack.layers.0  GRU      3 → 8            312
    stack.layers.1  Readout  8 → 2             18
    all                                       330
    >>> found.parameters == ost.cells.count_parameters(ost.RNN("gru", 3, 8, output_size=2, key=jax.random.key(0)))
    True

    ```
    """
    return Summary(_parts(model, ""))


def _parts(model: Any, path: str) -> Iterator[Part]:
    if isinstance(model, Cell) and not _holds_layers(model):
        if count := _count(model):
            fixed = sum(_count(getattr(model, name, None)) for name in model.fixed)
            yield Part(
                path or type(model).__name__, type(model).__name__, (model.input_size, model.output_size), count, fixed
            )
        return
    if isinstance(model, eqx.Module):
        inner = [(field.name, getattr(model, field.name, None)) for field in dataclasses.fields(model)]
    elif isinstance(model, list | tuple):
        inner = [(str(i), part) for i, part in enumerate(model)]
    elif isinstance(model, dict):
        inner = [(str(name), part) for name, part in model.items()]
    else:
        if count := _count(model):
            shape = " × ".join(map(str, np.shape(model))) or "1"
            yield Part(path, f"array {shape}", None, count)
        return
    for name, part in inner:
        yield from _parts(part, f"{path}.{name}" if path else name)


def _holds_layers(cell: Cell) -> bool:
    """Whether it is made of cells, which are then the parts."""
    return any(isinstance(part, Cell) for part in jax.tree.leaves(getattr(cell, "layers", ()), is_leaf=_is_cell))


def _is_cell(part: Any) -> bool:
    return isinstance(part, Cell)


def _count(part: Any) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(part, eqx.is_inexact_array)))
