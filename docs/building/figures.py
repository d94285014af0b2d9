"""Pictures of the pages that are drawn from the tables of the library and from the files of results."""

import math
from collections.abc import Sequence
from typing import Any

from ostinato.cells import CELLS
from ostinato.learning import RULES
from ostinato.view.frame import figure
from ostinato.view.svg import tag, text

from .results import files
from .tables import answers

SIDE = 15.0
SHADES = {
    "exact": "fill:var(--s0)",
    "approximate": "fill:var(--s3);fill-opacity:.55",
    "refused": "fill:var(--rule);fill-opacity:.45",
}
WORDS = {"exact": "exact gradient", "approximate": "approximate", "refused": "refused, with the reason"}


def rules_grid() -> str:
    """Learning rules by cells: exact, approximate, refused."""
    left, top = 118.0, 142.0
    width, height = left + SIDE * len(CELLS) + 10, top + SIDE * len(RULES) + 8
    parts = [_legend(left)]
    for kind, style in SHADES.items():
        path = "".join(
            f"M{left + SIDE * i:g} {top + SIDE * j:g}h{SIDE - 1.5:g}v{SIDE - 1.5:g}h-{SIDE - 1.5:g}z"
            for j, rule in enumerate(RULES)
            for i, cell in enumerate(CELLS)
            if answers()[rule][cell][0] == kind
        )
        parts.append(tag("path", d=path, style=style))
    small = "font-size:11px"
    for i, cell in enumerate(CELLS):
        at = f"translate({left + SIDE * (i + 0.72):.1f} {top - 6:g}) rotate(-60)"
        parts.append(tag("text", text(cell), transform=at, style=small))
    for j, rule in enumerate(RULES):
        parts.append(tag("text", text(rule), x=left - 6, y=top + SIDE * (j + 0.72), text_anchor="end", style=small))
    label = f"{len(RULES)} learning rules by {len(CELLS)} cells: exact, approximate or refused"
    return figure("".join(parts), width + 50, height, label)


def _legend(left: float) -> str:
    parts, x = [], left
    for kind, style in SHADES.items():
        parts.append(tag("rect", x=x, y=5.0, width=12, height=12, style=style))
        parts.append(tag("text", text(WORDS[kind]), x=x + 18, y=16, class_="strong"))
        x += 32 + 7.2 * len(WORDS[kind])
    return "".join(parts)


def bars(
    rows: Sequence[tuple[str, Sequence[float]]], names: Sequence[str], *, label: str, unit: str, width: int = 720
) -> str:
    """Horizontal bars on a logarithmic scale from 1, a group for each row; what is below 1 goes to the left."""
    high = max(max(values) for _, values in rows)
    low = min(1.0, *(min(values) for _, values in rows))
    left, right, top = 20 + 7.2 * max(len(said) for said, _ in rows), width - 56.0, 54.0
    scale = lambda v: left + (math.log10(v) - math.log10(low)) / (math.log10(high) - math.log10(low)) * (right - left)
    thick, gap = 9.0, 9.0
    parts, x = [], 8.0
    for i, name in enumerate(names if len(names) > 1 else ()):
        parts.append(tag("rect", x=x, y=6.0, width=12, height=12, style=_colour(i)))
        parts.append(tag("text", text(name), x=x + 18, y=17, class_="strong"))
        x += 36 + 7.2 * len(name)
    parts.append(tag("text", text(unit), x=8, y=40))
    y = top
    for said, values in rows:
        parts.append(tag("text", text(said), x=left - 8, y=y + thick * len(values) / 2 + 4, text_anchor="end"))
        for i, value in enumerate(values):
            start, stop = sorted((float(scale(1.0)), float(scale(value))))
            parts.append(tag("rect", x=start, y=y, width=max(stop - start, 1.0), height=thick - 1, style=_colour(i)))
            parts.append(
                tag(
                    "text", text(f"{value:.3g}"), x=float(scale(max(value, 1.0))) + 5, y=y + 8.5, style="font-size:10px"
                )
            )
            y += thick
        y += gap
    parts.insert(0, tag("line", x1=float(scale(1.0)), x2=float(scale(1.0)), y1=top - 6, y2=y, class_="axis"))
    return figure("".join(parts), width, y + 4, label)


def _colour(i: int) -> str:
    return f"fill:var(--{('ours', 's0', 's4', 's1')[i]})"


def machine(name: str) -> str:
    """The machine of a result file, in words."""
    found = files()[name]["machine"]
    return f"{found['processor']}, {found['cores']} cores"


def kernel_ratios(way: str, against: str) -> dict[str, dict[str, float]]:
    """Time of another loop over ours, by size and cell."""
    made: dict[str, dict[str, float]] = {}
    for row in files()["bench-kernels"]["rows"]:
        cell, _, rest = row["case"].partition(", (")
        size, _, said = rest.partition("), ")
        if said == way and cell in ("lstm", "gru", "elman"):
            ratio = row["ratio"] if against == "torch" else row["detail"]["scan_ratio"]
            if ratio is not None:
                made.setdefault(size, {})[cell] = ratio
    return made


def speed() -> str:
    """Training beside PyTorch on the same machine, for LSTM, GRU and a simple network."""
    found = kernel_ratios("training", "torch")
    rows = [(_size(size), [row["lstm"], row["gru"], row["elman"]]) for size, row in found.items()]
    unit = "PyTorch's time over ours, a training step on two CPU cores (1 = the same; logarithmic)"
    return bars(rows, ("LSTM", "GRU", "tanh RNN"), label="Speed of training beside PyTorch", unit=unit)


def own_cell() -> str:
    """A cell that a user wrote: the compiled loop beside a plain scan."""
    rows = []
    for row in files()["bench-hoist"]["rows"]:
        took = row["detail"]["us_per_step"]
        batch = row["case"].partition("batch ")[2].partition(",")[0]
        rows.append((f"batch {batch}", [took["reference"] / took["auto"]]))
    unit = "Time of a plain JAX scan over ours, training a cell written by a user, 128 units (1 = the same)"
    return bars(rows, ("own cell",), label="Speed of a user's own cell", unit=unit)


def _size(size: str) -> str:
    batch, time, _, hidden = size.split(", ")
    return f"batch {batch}, {time} steps, {hidden} units"


def rule_costs() -> str:
    """Time of a step of each learning rule."""
    found = {}
    for row in files()["bench-rules"]["rows"]:
        rule, _, rest = row["case"].partition(", ")
        if "64 units" in rest and rest.startswith("elman"):
            found[rule] = row["ours_us"]
    low = min(found.values())
    rows = [(rule, [took / low]) for rule, took in sorted(found.items(), key=lambda pair: pair[1])]
    unit = "Time of a step over that of the cheapest rule, 64 units (logarithmic)"
    return bars(rows, ("learning rule",), label="What learning rules cost", unit=unit)


PICTURES: dict[str, Any] = {
    "learning-rules": rules_grid,
    "speed": speed,
    "own-cell": own_cell,
    "rule-costs": rule_costs,
}
"""Pictures that need no run: name of the file and what draws it."""
