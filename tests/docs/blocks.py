"""The blocks of a page that a reader copies: Python with prompts, Python without, commands."""

import doctest
import re
import shlex
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(?P<mark><!-- long -->\n)?```(?P<kind>python|sh)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
PRINTED = re.compile(r"\A\n+```text\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """One block: its kind (`python`, `doctest`, `sh`), what stands in it, what is printed below it, if it is long."""

    kind: str
    body: str
    printed: str | None
    long: bool


def blocks(page: Path) -> list[Block]:
    """The blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    made = []
    for match in FENCE.finditer(text):
        below = PRINTED.match(text[match.end() :])
        kind = "doctest" if ">>> " in match["body"] else match["kind"]
        made.append(Block(kind, match["body"], below[1] if below else None, match["mark"] is not None))
    return made


def commands(block: Block) -> list[list[str]]:
    """The lines of a block of commands, each as its words."""
    return [shlex.split(line, comments=True) for line in block.body.splitlines() if line.split("#")[0].strip()]


def same(wanted: str, printed: str) -> bool:
    """Whether what was printed is what the page says; `...` stands for anything."""
    return doctest.OutputChecker().check_output(wanted, printed, doctest.ELLIPSIS)


def runs(block: Block) -> bool:
    """Whether there is something to run: plain Python that says nothing of what it prints shows a form."""
    return block.kind != "python" or block.printed is not None


EVERY = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
PAGES = sorted(page for page in EVERY if any(map(runs, blocks(page))))
