"""What a command says: its result on standard output, everything else on standard error."""

import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import typer

_JSON, _QUIET, _DEBUG = "ostinato.json", "ostinato.quiet", "ostinato.debug"


def remember_json(ctx: typer.Context, value: bool) -> bool:
    """Callback of `--json`: errors too are then one JSON object."""
    ctx.meta[_JSON] = value
    return value


def remember_quiet(ctx: typer.Context, value: bool) -> bool:
    """Callback of `--quiet`."""
    ctx.meta[_QUIET] = value
    return value


def remember_debug(ctx: typer.Context, value: bool) -> bool:
    """Callback of `--debug`."""
    ctx.meta[_DEBUG] = value
    return value


def wants_json(ctx: typer.Context) -> bool:
    """Whether `--json` was given."""
    return bool(ctx.meta.get(_JSON))


def wants_debug(ctx: typer.Context) -> bool:
    """Whether `--debug` was given."""
    return bool(ctx.meta.get(_DEBUG))


def is_quiet(ctx: typer.Context) -> bool:
    """Whether `--quiet` was given."""
    return bool(ctx.meta.get(_QUIET))


def emit(ctx: typer.Context, result: dict[str, Any], show: Callable[[Any], None]) -> None:
    """The result: as one JSON object with `--json`, otherwise as `show(console)` prints it."""
    if wants_json(ctx):
        sys.stdout.write(as_json(result))
        sys.stdout.flush()
    else:
        show(console())


def as_json(result: dict[str, Any], indent: int | None = None) -> str:
    """A result as strictly valid JSON; what is not finite becomes null."""
    return json.dumps(plain(result), ensure_ascii=False, allow_nan=False, indent=indent) + "\n"


def note(ctx: typer.Context, message: str) -> None:
    """A word on the way, on standard error; not with `--quiet`."""
    if not is_quiet(ctx):
        complain(message)


def complain(message: str) -> None:
    """A line on standard error, whatever was asked for."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def console(stderr: bool = False) -> Any:
    """A console of rich, which breaks no lines where nobody looks at a terminal."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False, soft_wrap=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=200)


def table(head: Sequence[str], rows: Iterable[tuple[Sequence[Any], str | None]], *, numbers: Iterable[int] = ()) -> Any:
    """A table of rich: the first column is text, numbers stand to the right; each row has a style or None.

    `numbers`: columns whose numbers are written already.
    """
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    made = Table(box=box.SIMPLE, pad_edge=False)
    rows, written = list(rows), set(numbers)
    for i, name in enumerate(head):
        right = bool(rows) and i > 0 and all(isinstance(cells[i], int | float | None) for cells, _ in rows)
        made.add_column(escape(name), justify="right" if right or i in written else "left", overflow="fold")
    for cells, style in rows:
        made.add_row(*(escape(word(cell)) for cell in cells), style=style)
    return made


def pairs(entries: Iterable[tuple[str, Any]]) -> Any:
    """Names and values, one below the other."""
    from rich.markup import escape
    from rich.table import Table

    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim")
    made.add_column(overflow="fold")
    for name, value in entries:
        made.add_row(escape(name), escape(word(value)))
    return made


def word(value: Any) -> str:
    """A cell of a table."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "–"
    if isinstance(value, list | tuple):
        return ", ".join(word(v) for v in value) or "–"
    return str(value)


def plain(value: Any) -> Any:
    """Values as JSON has them: arrays become lists, what is not finite null, what it does not know text."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if str(getattr(value, "dtype", "")) == "datetime64[ns]":  # Python has no such times: they would become numbers.
        value = value.astype(str)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return str(value)


def show_scores(console: Any, result: Mapping[str, Any]) -> None:
    """Scores beside the baselines, the verdict, and what to do next."""
    scores = result["scores"]
    if scores:
        from ostinato.runs import meanings

        names = list(dict.fromkeys(name for score in scores for name in score["values"]))
        columns = [even([s["values"].get(name) for s in scores]) for name in names]
        rows = [
            ([f"* {s['model']}" if i == 0 and len(scores) > 1 else s["model"], *cells], "bold" if s["ours"] else None)
            for i, (s, cells) in enumerate(zip(scores, zip(*columns, strict=True), strict=True))
        ]
        console.print(
            table([result["held_out"].split(";")[0].rstrip("."), *names], rows, numbers=range(1, len(names) + 1))
        )
        for line in meanings(names):
            console.print(line, style="dim", markup=False)
        if len(scores) > 1:
            console.print("* the best, bold: what was trained", style="dim")
        console.print(result["verdict"], markup=False)
    elif "report" in result:
        console.print("Nothing was held out: judge it with `ostinato evaluate`.", markup=False)
    if "report" in result:
        console.print(f"\nRun folder {result['run']}, report {result['report']}", markup=False)
    for command, words in result.get("next", {}).items():
        console.print(f"next: {command}  [dim]# {words}[/dim]", highlight=False)


def even(values: Sequence[float | None]) -> list[str]:
    """The numbers of a column with the same digits after the point; "–" where there is none."""
    from ostinato.view.ticks import even_labels

    there = iter(even_labels([float(v) for v in values if v is not None]))
    return ["–" if v is None else next(there) for v in values]
