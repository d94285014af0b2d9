"""The committed edits that the tests have to notice: reading `ROOM.toml` and saying what is wrong with a row."""

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Mutant:
    """One edit that breaks the program, and the tests that have to fail with it.

    `old` stands exactly once in `file`, and `new` takes its place; `tests` are files or node ids of pytest.
    """

    room: str
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def mutants(folder: Path = FOLDER) -> list[Mutant]:
    """The rows of every `ROOM.toml`, in the order of the rooms."""
    rows = []
    for path in sorted(folder.glob("*.toml")):
        for row in tomllib.loads(path.read_text())["mutant"]:
            rows.append(Mutant(path.stem, **{**row, "tests": tuple(row["tests"])}))
    return rows


def edited(row: Mutant, text: str) -> str:
    """The text of the file with the edit in it."""
    return text.replace(row.old, row.new)


def faults(row: Mutant, root: Path = ROOT) -> list[str]:
    """What keeps a row from being an edit: an empty list where nothing does."""
    path = root / row.file
    found = [f"no such test: {test}" for test in row.tests if not (root / test.split("::")[0]).is_file()]
    if not row.tests:
        found.append("names no test")
    if not path.is_file():
        return [*found, f"no such file: {row.file}"]
    text = path.read_text()
    if (count := text.count(row.old)) != 1:
        return [*found, f"`old` stands {count} times in {row.file}, not once"]
    if row.old == row.new:
        found.append("`old` and `new` are the same")
    if path.suffix == ".py":
        try:
            ast.parse(edited(row, text))
        except SyntaxError as error:
            found.append(f"{row.file} with the edit is not Python: {error}")
    return found
