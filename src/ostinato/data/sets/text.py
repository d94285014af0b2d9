"""Text: Shakespeare by the character, and surnames by language."""

from collections.abc import Mapping
from pathlib import Path

from ostinato.data.files import read_text

from .entry import TextSet


def shakespeare(paths: Mapping[str, Path]) -> TextSet:
    """The first 95 % and the last 5 % of the characters."""
    text = read_text(paths["input.txt"])
    cut = int(0.95 * len(text))
    return TextSet(text[:cut], text[cut:])


def surnames(paths: Mapping[str, Path]) -> dict[str, list[str]]:
    """The surnames by language."""
    return {
        name.removesuffix(".txt"): [line for line in read_text(path).split("\n") if line]
        for name, path in paths.items()
    }
