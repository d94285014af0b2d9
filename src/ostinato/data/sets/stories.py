"""Short stories with questions: the bAbI tasks."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ostinato.data.files import zip_members
from ostinato.errors import DataError


class Line(NamedTuple):
    """A sentence, in small letters and without the mark at its end; a question has an answer."""

    words: tuple[str, ...]
    answer: str | None = None


class StorySet(NamedTuple):
    """Stories to fit on, to choose by and to be judged by; a story is a list of lines."""

    train: list[list[Line]]
    valid: list[list[Line]]
    test: list[list[Line]]


def stories(text: str, where: str = "stories") -> list[list[Line]]:
    r"""Stories whose lines are numbered from 1; behind a question stand its answer and the lines that it rests on.

    Raises `DataError` where a line does not have the number that is due.

    ```python
    >>> stories("1 Mary went home.\n2 Where is Mary?\thome\t1\n1 John left.\n")[0]
    [Line(words=('mary', 'went', 'home'), answer=None), Line(words=('where', 'is', 'mary'), answer='home')]

    ```
    """
    found: list[list[Line]] = []
    for i, line in enumerate(text.split("\n")):
        if not line.strip():
            continue
        number, _, rest = line.partition(" ")
        said, *answer = rest.split("\t")
        if number == "1":
            found.append([])
        if not found or number != str(len(found[-1]) + 1):
            raise DataError(f"{where}, line {i + 1}: expected number 1 or the next one, got {number!r}")
        words = tuple(said.strip().rstrip(".?").lower().split())
        found[-1].append(Line(words, answer[0].strip() if answer else None))
    return found


class StoryTasks(NamedTuple):
    """The texts of numbered tasks, by the name of their size; they are read when they are asked for."""

    texts: dict[str, dict[str, bytes]]

    def task(self, number: int, size: str) -> StorySet:
        """The stories of a task; raises `DataError` where that size does not have it, or where they are damaged."""
        if f"qa{number}_test.txt" not in self.texts.get(size, {}):
            sizes = {s: sorted(int(n[2:-9]) for n in t if n.endswith("_test.txt")) for s, t in self.texts.items()}
            raise DataError(f"task {number} of size {size!r} is not there; there are {sizes}")
        names = [f"qa{number}_{part}.txt" for part in StorySet._fields]
        for name in names:
            if name not in self.texts[size]:
                raise DataError(f"{size}: {name} is missing")
        return StorySet(*(stories(self.texts[size][name].decode(), f"{size}, {name}") for name in names))


def babi(paths: Mapping[str, Path]) -> StoryTasks:
    """The texts of both sizes."""
    archives = {"1k": "babi_en_valid_1k.zip", "10k": "babi_en_valid_10k_part.zip"}
    return StoryTasks({size: zip_members(paths[name], ".txt") for size, name in archives.items()})
