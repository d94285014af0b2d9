"""The parts of the README that are written from the tables of the library and the files of results."""

import math
import re
import textwrap
from collections.abc import Callable
from pathlib import Path

from . import results, tables
from .figures import kernel_ratios, machine

README = Path(__file__).resolve().parents[2] / "README.md"
PART = re.compile(r"(<!-- begin: ([a-z]+) -->\n).*?(<!-- end: \2 -->)", re.DOTALL)


def grid() -> str:
    """What the picture of rules and cells says, in words."""
    said = [answer for row in tables.answers().values() for answer, _ in row.values()]
    exact, near, refused = (said.count(kind) for kind in tables.SIGNS)
    return (
        f"{tables.count('rules')} learning rules by {tables.count('cells')} cells, as `ostinato list rules` prints "
        f"them: {exact} exact, {near} approximate, {refused} refused with the reason, before anything is trained."
    )


def speed() -> str:
    """What the picture of speed says, in words."""
    ratios = [ratio for row in kernel_ratios("training", "torch").values() for ratio in row.values()]
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    return (
        f"Training beside PyTorch 2.13 on {machine('bench-kernels')} (`python benchmarks/peers kernels`): "
        f"{min(ratios):.2g} to {max(ratios):.0f} times as fast, geometric mean {mean:.1f}. "
        "A cell that you write takes the same loop."
    )


def limits() -> str:
    """How much of what was claimed holds."""
    counts = {name: results.count(name) for name in ("all", "hold", "missed")}
    return (
        f"Of {counts['all']} claims with a bar, re-run from the literature or our own, {counts['hold']} hold "
        f"and {counts['missed']} do not ([all of them](docs/results/index.md)). With large batches an LSTM is about as "
        "fast as PyTorch's. The compiled loop is for CPU; nothing was timed on a GPU. There is no export to ONNX. "
        "[Limitations](docs/limitations.md) has the rest, each with the test or the result that shows it."
    )


PARTS: dict[str, Callable[[], str]] = {"grid": grid, "speed": speed, "limits": limits, "cells": tables.cells}


def written(text: str) -> str:
    """The README with its parts as they have to be."""

    def part(match: re.Match[str]) -> str:
        made = PARTS.get(match[2])
        return match[0] if made is None else f"{match[1]}{_wrapped(made().rstrip())}\n{match[3]}"

    return PART.sub(part, text)


def _wrapped(text: str) -> str:
    """Prose in lines of 120 characters; a table as it is."""
    return text if text.startswith("|") else textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def part_of(name: str) -> str:
    """A part of the README as it stands, for a page that shows it too."""
    return next(m[0][len(m[1]) : -len(m[3])] for m in PART.finditer(README.read_text(encoding="utf-8")) if m[2] == name)
