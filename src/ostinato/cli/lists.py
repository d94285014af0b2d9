"""`ostinato list`: what there is, from the tables of the library."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import typer

from ostinato.cli import options as o
from ostinato.cli.output import emit, table

Kind = Literal[
    "cells", "rules", "datasets", "studies", "benches", "tasks", "environments", "learners", "associative", "memories"
]


def list_(
    ctx: typer.Context,
    kind: Annotated[
        Kind,
        typer.Argument(
            metavar="KIND",
            help="cells, rules, datasets, studies, benches, tasks, environments, learners, associative (networks that "
            "settle) or memories (networks that have one).",
        ),
    ],
    json: o.Json = False,
) -> None:
    """List cells, learning rules, data sets, studies, benches, tasks, tasks to act in, learners or memories.

    Example: `ostinato list cells`
    """
    rows = _KINDS[kind]()
    head = list(dict.fromkeys(key for row in rows for key in row))
    answers = _grid() if kind == "rules" else {}
    result = {kind: rows, **({"grid": answers} if answers else {})}

    def show(console: Any) -> None:
        console.print(table(head, (([r.get(k) for k in head], None) for r in rows)))
        if answers:
            _show_grid(console, answers)

    emit(ctx, result, show)


def _cells() -> list[dict[str, Any]]:
    from ostinato.cells import CELLS

    return [{"name": n, "description": e.description, "reference": e.reference} for n, e in CELLS.items()]


def _rules() -> list[dict[str, Any]]:
    from ostinato.learning import RULES

    rows = enumerate(RULES.items(), 1)
    return [{"no": i, "name": n, "description": e.description, "reference": e.reference} for i, (n, e) in rows]


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


def _datasets() -> list[dict[str, Any]]:
    from ostinato.data import CATALOGUE

    return [
        {"name": n, "task": e.task, "MB": round(e.size / 1e6, 1), "licence": e.licence} for n, e in CATALOGUE.items()
    ]


def _studies() -> list[dict[str, Any]]:
    from ostinato.studies import STUDIES

    return [{"name": name, "wing": entry.wing, "description": entry.description} for name, entry in STUDIES.items()]


def _benches() -> list[dict[str, Any]]:
    from ostinato.benches import BENCHES

    return [{"name": name, "description": entry.description} for name, entry in BENCHES.items()]


def _tasks() -> list[dict[str, Any]]:
    from ostinato.tasks import TASKS

    return [{"name": name, "description": entry.description} for name, entry in TASKS.items()]


def _described(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": n, "description": e.description, "reference": e.reference} for n, e in table.items()]


def _environments() -> list[dict[str, Any]]:
    from ostinato.environments import ENVIRONMENTS

    return _described(ENVIRONMENTS)


def _learners() -> list[dict[str, Any]]:
    from ostinato.agents import LEARNERS

    return _described(LEARNERS)


def _associative() -> list[dict[str, Any]]:
    from ostinato.associative import ASSOCIATIVE

    return _described(ASSOCIATIVE)


def _memories() -> list[dict[str, Any]]:
    from ostinato.memory import MEMORIES

    return _described(MEMORIES)


_KINDS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "cells": _cells,
    "rules": _rules,
    "datasets": _datasets,
    "studies": _studies,
    "benches": _benches,
    "tasks": _tasks,
    "environments": _environments,
    "learners": _learners,
    "associative": _associative,
    "memories": _memories,
}
