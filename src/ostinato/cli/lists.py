"""`ostinato list`: what there is, from the tables of the library."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import typer

import ostinato
from ostinato.cli import options as o
from ostinato.cli.output import emit, table

Row = dict[str, Any]


class Listed(NamedTuple):
    """A kind of things to list: the room and the table that they stand in, what is said of each, and of the kind."""

    room: str
    table: str
    row: Callable[[str, Any], Row]
    words: str = ""


def _described(name: str, entry: Any) -> Row:
    return {"name": name, "description": entry.description, "reference": entry.reference}


def _named(name: str, entry: Any) -> Row:
    return {"name": name, "description": entry.description}


def _dataset(name: str, entry: Any) -> Row:
    return {"name": name, "task": entry.task, "MB": round(entry.size / 1e6, 1), "licence": entry.licence}


def _study(name: str, entry: Any) -> Row:
    return {"name": name, "wing": entry.wing, "description": entry.description}


def _job(name: str, entry: Any) -> Row:
    return {"name": name, "description": entry.help.partition("\n")[0]}


KINDS = {
    "jobs": Listed("jobs", "JOBS", _job),
    "cells": Listed("cells", "CELLS", _described),
    "rules": Listed("learning", "RULES", _described),
    "datasets": Listed("data", "CATALOGUE", _dataset),
    "studies": Listed("studies", "STUDIES", _study),
    "benches": Listed("benches", "BENCHES", _named),
    "tasks": Listed("tasks", "TASKS", _named),
    "environments": Listed("environments", "ENVIRONMENTS", _described, "tasks to act in"),
    "learners": Listed("agents", "LEARNERS", _described),
    "associative": Listed("associative", "ASSOCIATIVE", _described, "networks that settle"),
    "memories": Listed("memory", "MEMORIES", _described, "networks that have one"),
}

_HELP = ", ".join(f"{name} ({kind.words})" if kind.words else name for name, kind in KINDS.items()) + "."


def list_(
    ctx: typer.Context,
    kind: Annotated[Literal[*KINDS], typer.Argument(metavar="KIND", help=_HELP)],  # pyright: ignore
    json: o.Json = False,
) -> None:
    """List kinds of jobs, cells, learning rules, data sets, studies, benches, tasks, learners or memories.

    Example: `ostinato list cells`
    """
    show_kind(ctx, kind)


def show_kind(ctx: typer.Context, kind: str) -> None:
    """Print the table of one of `KINDS`."""
    asked = KINDS[kind]
    entries: Mapping[str, Any] = getattr(getattr(ostinato, asked.room), asked.table)
    rows = [asked.row(name, entry) for name, entry in entries.items()]
    answers = _grid() if kind == "rules" else {}
    if answers:
        rows = [{"no": number, **row} for number, row in enumerate(rows, 1)]
    head = list(dict.fromkeys(key for row in rows for key in row))
    result = {kind: rows, **({"grid": answers} if answers else {})}

    def show(console: Any) -> None:
        console.print(table(head, (([r.get(k) for k in head], None) for r in rows)))
        if answers:
            _show_grid(console, answers)

    emit(ctx, result, show)


_SIGNS = {"exact": "E", "approximate": "a", "refused": "·"}


def _grid() -> dict[str, dict[str, dict[str, str]]]:
    """What each rule says of each cell: `{rule: {cell: {"answer", "why"}}}`."""
    from ostinato.learning import Exact, Refusal, grid

    def answer(found: Any) -> dict[str, str]:
        kind = "exact" if isinstance(found, Exact) else "refused" if isinstance(found, Refusal) else "approximate"
        return {"answer": kind, "why": found.why}

    return {rule: {cell: answer(found) for cell, found in row.items()} for rule, row in grid().items()}


def _show_grid(console: Any, found: dict[str, dict[str, dict[str, str]]]) -> None:
    """A line for each cell, a column for each rule by its number."""
    cells = next(iter(found.values()), {})
    wide = max(map(len, cells), default=0)
    console.print(
        "Which rule, by its number, holds for which cell: E exact, a approximate, · refused (--json says why)\n"
    )
    console.print(" " * wide + "".join(f"{i:>3}" for i in range(1, len(found) + 1)))
    for cell in cells:
        console.print(f"{cell:<{wide}}" + "".join(f"{_SIGNS[row[cell]['answer']]:>3}" for row in found.values()))
