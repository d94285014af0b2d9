"""Batches that are there already."""

from collections.abc import Sequence

import ostinato as ost


class Listed:
    """Batches from a list, over and over."""

    def __init__(self, examples: Sequence[ost.Examples]):
        self.examples = list(examples)

    def __len__(self) -> int:
        return len(self.examples)

    def at(self, step: int) -> ost.Examples:
        return self.examples[step % len(self.examples)]
