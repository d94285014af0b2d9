"""What stands in the place of `<!-- insert: NAME ARGUMENTS -->` on a page."""

import re
from collections.abc import Callable
from pathlib import Path

from . import commands, figures, readme, reference, results, tables

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
MARK = re.compile(r"<!-- insert: ([a-z-]+)((?: [a-z0-9][\w.-]*)*) -->")


def picture(name: str) -> str:
    """A figure inside the page, in the colours of its theme."""
    if name in figures.PICTURES:
        drawn = figures.PICTURES[name]()
    else:
        # A file of its own has its colours inside, which the page would take for all of its figures.
        path = PICTURES / f"{name}.svg"
        if not path.exists():
            raise FileNotFoundError(f"{path}: `python docs/make_pictures.py {name}` makes it")
        drawn = re.sub(r"<style>.*?</style>", "", path.read_text(encoding="utf-8"), count=1, flags=re.DOTALL).strip()
    return f'<div class="picture">{drawn}</div>'


INSERTS: dict[str, Callable[..., str]] = {
    "cells": tables.cells,
    "command-line": commands.command_line,
    "count": tables.count,
    "datasets": tables.datasets,
    "jobs": tables.jobs,
    "machine": figures.machine,
    "picture": picture,
    "readme": readme.part_of,
    "reference": reference.room_page,
    "benches": results.benches,
    "claims": results.count,
    "results": results.summary,
    "rules": tables.rules,
    "top": reference.top_page,
    "wing": results.wing,
}


def filled(markdown: str) -> str:
    """The page with everything in its place. Raises `KeyError` for a name that is not in `INSERTS`."""
    return MARK.sub(lambda match: INSERTS[match[1]](*match[2].split()), markdown)
