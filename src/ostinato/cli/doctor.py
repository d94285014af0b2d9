"""`ostinato doctor`: whether the fast paths are right on this machine, and which of them run."""

from typing import Annotated, Any

import typer

from ostinato.cli import options as o
from ostinato.cli.output import emit, note, pairs, table

FAILED = 1


def doctor(
    ctx: typer.Context,
    cell: Annotated[
        list[str] | None, typer.Option(help="Cell to examine; may be repeated.", show_default="elman gru lstm indrnn")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Examine every cell (minutes).")] = False,
    determinism: Annotated[bool, typer.Option("--determinism", help="Also train 20 steps twice and compare.")] = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Compare the fast paths with the plain reference on this machine, forward and backward, and say which run.

    Exits with 1 where one of them differs.

    Example: `ostinato doctor --determinism`
    """
    from ostinato.cells import CELLS
    from ostinato.doctor import EXAMINED, FORWARD, GRADIENTS, examine

    names = list(CELLS) if every else (cell or list(EXAMINED))
    result = examine(names, determinism=determinism, note=lambda words: note(ctx, words))

    def show(console: Any) -> None:
        console.print(pairs([*result["machine"].items(), ("compiled kernels", result["native"])]))
        head = ["cell", "path", "forward", "gradients", "verdict"]
        rows = [
            (
                [c["cell"], c["kernel"], c["forward"], c["gradients"], "equal" if c["equal"] else "DIFFERS"],
                None if c["equal"] else "bold red",
            )
            for c in result["comparisons"]
        ]
        console.print("\nLargest difference from the reference, relative to the largest entry", markup=False)
        console.print(table(head, rows))
        console.print(f"Allowed: {FORWARD:g} forward, {GRADIENTS:g} gradients (float32).\n", markup=False)
        console.print('What kernel="auto" takes', markup=False)
        console.print(table(["cell", "batch", "path", "why"], (([*p.values()], None) for p in result["paths"])))
        if result["determinism"]:
            found = result["determinism"]
            same = "the same" if found["equal"] else "DIFFERENT"
            console.print(f"Training {found['steps']} steps twice: {same} bits, {found['sha256'][0]}", markup=False)
        console.print("All is well." if result["healthy"] else "Something is wrong on this machine: see above.")

    emit(ctx, result, show)
    if not result["healthy"]:
        raise typer.Exit(FAILED)
