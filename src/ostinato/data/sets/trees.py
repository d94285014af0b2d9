"""Data sets whose examples are trees: alkanes with their boiling points, nested list operations, sentences."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ostinato.data.files import read_text, zip_members
from ostinato.errors import CorruptFile, DataError

OPERATORS = ("[MIN", "[MAX", "[MED", "[SM", "[FIRST", "[LAST", "[PM")
"""Symbols 10 to 16 of the list operations; 0 to 9 are the digits."""


class LabelledTrees(NamedTuple):
    """Trees as the parent of each node (-1: the root), the symbol of each node, and a number for each tree."""

    parents: list[list[int]]
    symbols: list[list[int]]
    targets: list[float]
    names: list[str]


class SentenceTrees(NamedTuple):
    """Binary trees over the words of sentences, children before parents, with a label at every node.

    * `children`: for each sentence and node `()` at a word, else the places of two nodes.
    * `words`: the word of each node, `None` within the tree; `labels`: 0 to 4, very negative to very positive.
    """

    children: list[list[tuple[int, ...]]]
    words: list[list[str | None]]
    labels: list[list[int]]


def molecule(text: str, where: str) -> list[int]:
    """The parent of each atom, the first one being the root; atoms and bonds in the form of `.ct` files."""
    lines = [line.split() for line in text.split("\n")[1:]]
    try:
        atoms, bonds = int(lines[0][0]), int(lines[0][1])
        pairs = [(int(a) - 1, int(b) - 1) for a, b, *_ in lines[1 + atoms : 1 + atoms + bonds]]
    except (IndexError, ValueError) as error:
        raise CorruptFile(f"{where}: not a table of atoms and bonds ({error})") from error
    parents, left = [-2] * atoms, [(0, -1)]
    while left:
        atom, parent = left.pop()
        if not 0 <= atom < atoms or parents[atom] != -2:
            raise CorruptFile(f"{where}: atom {atom + 1} is not there, or is in a ring")
        parents[atom] = parent
        left += [(b if a == atom else a, atom) for a, b in pairs if atom in (a, b) and parent not in (a, b)]
    if -2 in parents:
        raise CorruptFile(f"{where}: atom {parents.index(-2) + 1} has no bond to the others")
    return parents


def alkanes(paths: Mapping[str, Path]) -> LabelledTrees:
    """The molecules and their boiling points."""
    (path,) = paths.values()
    files = zip_members(path, ".ct")
    table = zip_members(path, "boiling_point_names.txt")["dataset_boiling_point_names.txt"].decode("latin-1")
    rows = [line.split(maxsplit=3) for line in table.split("\n") if len(line.split()) >= 4]
    try:
        parents = [molecule(files[row[1]].decode("latin-1"), row[1]) for row in rows]
        points = [float(row[2]) for row in rows]
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise CorruptFile(f"{path}: {error}") from error
    return LabelledTrees(parents, [[0] * len(p) for p in parents], points, [row[3].strip() for row in rows])


def expression(text: str, where: str = "expression") -> tuple[list[int], list[int]]:
    """Parents and symbols of a nested list operation, such as `"[MAX 2 [MIN 3 4 ] ]"`; round brackets are left out.

    Raises `DataError` where it is not one.

    ```python
    >>> expression("[MAX 2 [MIN 3 4 ] ]")
    ([-1, 0, 0, 2, 2], [11, 2, 10, 3, 4])

    ```
    """
    parents: list[int] = []
    symbols: list[int] = []
    open_: list[int] = []
    for word in text.replace("(", " ").replace(")", " ").split():
        if word == "]":
            if not open_:
                raise DataError(f"{where}: a bracket is closed that was not opened")
            open_.pop()
            continue
        if word not in OPERATORS and not (word.isdecimal() and len(word) == 1):
            raise DataError(f"{where}: expected a digit, one of {', '.join(OPERATORS)} or ], got {word!r}")
        if parents and not open_:
            raise DataError(f"{where}: {word!r} stands behind the end")
        parents.append(open_[-1] if open_ else -1)
        symbols.append(10 + OPERATORS.index(word) if word in OPERATORS else int(word))
        if word in OPERATORS:
            open_.append(len(parents) - 1)
    if open_ or not parents:
        raise DataError(f"{where}: ends before its brackets are closed")
    return parents, symbols


def list_operations(paths: Mapping[str, Path]) -> dict[str, LabelledTrees]:
    """The expressions of each part, and their values."""
    found = {}
    for name, path in paths.items():
        lines = [line.split("\t") for line in read_text(path).split("\n") if line.strip()]
        parsed = [expression(line[1], f"{name}, line {i + 1}") for i, line in enumerate(lines)]
        targets = [float(line[0]) for line in lines]
        part = name.removeprefix("test_").removesuffix(".tsv")
        found[part] = LabelledTrees([p for p, _ in parsed], [s for _, s in parsed], targets, [""] * len(parsed))
    return found


def sentence(text: str, where: str = "sentence") -> tuple[list[tuple[int, ...]], list[str | None], list[int]]:
    """Children, words and labels of a bracketed sentence, such as `"(3 (2 not) (1 bad))"`.

    Raises `DataError` where it is not one.

    ```python
    >>> sentence("(3 (2 not) (1 bad))")
    ([(), (), (0, 1)], ['not', 'bad', None], [2, 1, 3])

    ```
    """
    children: list[tuple[int, ...]] = []
    words: list[str | None] = []
    labels: list[int] = []
    open_: list[tuple[int, list[int], list[str]]] = []
    # At spaces only: a word may hold one that does not break.
    for part in filter(None, text.strip().replace("(", " ( ").replace(")", " ) ").split(" ")):
        if part == "(":
            open_.append((-1, [], []))
        elif not open_:
            raise DataError(f"{where}: {part!r} stands outside the brackets")
        elif part == ")":
            label, below, own = open_.pop()
            if label < 0 or (len(own), len(below)) not in ((1, 0), (0, 2)):
                raise DataError(f"{where}: expected a label, and a word or two brackets, in each bracket")
            children.append(tuple(below))
            words.append(own[0] if own else None)
            labels.append(label)
            if open_:
                open_[-1][1].append(len(children) - 1)
        elif open_[-1][0] < 0:
            if part not in ("0", "1", "2", "3", "4"):
                raise DataError(f"{where}: expected a label from 0 to 4, got {part!r}")
            open_[-1] = (int(part), *open_[-1][1:])
        else:
            open_[-1][2].append(part)
    if open_ or len(children) != 1 + 2 * sum(node != () for node in children):
        raise DataError(f"{where}: expected one bracket around all")
    return children, words, labels


def sentences(paths: Mapping[str, Path]) -> dict[str, SentenceTrees]:
    """The sentences of each part, with a label at every node."""
    found = {}
    for part in ("train", "dev", "test"):
        name = f"trees_{part}.txt"
        lines = [line for line in read_text(paths[name]).split("\n") if line.strip()]
        parsed = [sentence(line, f"{name}, line {i + 1}") for i, line in enumerate(lines)]
        found[part] = SentenceTrees([c for c, _, _ in parsed], [w for _, w, _ in parsed], [v for _, _, v in parsed])
    return found
