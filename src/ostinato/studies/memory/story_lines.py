"""Stories as sequences for the study of bAbI: a line a step, as counts of words; and a curriculum over the lines."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from ostinato.data import Batches, Examples, SequenceSource
from ostinato.data.sets.stories import Line
from ostinato.studies.batches import Changed

MARK = "?"
# The questions of the first lines count alone in this part of the updates; then more lines do, and all from here on.
FIRST, HELD, GROWN = 3, 0.12, 0.4


class Codes:
    """Which input stands for which word and which output for which answer: those of the training part."""

    def __init__(self, stories: Sequence[Sequence[Line]]):
        lines = [line for story in stories for line in story]
        words = sorted({word for line in lines for word in line.words})
        self.words = {word: i for i, word in enumerate([MARK, *words])}
        self.answers = {a: i for i, a in enumerate(sorted({line.answer for line in lines if line.answer is not None}))}

    def source(self, stories: Sequence[Sequence[Line]]) -> SequenceSource:
        """A story as a sequence with a line a step: how often it has each word, without their order.

        A question has a mark as well, and its answer is due at once. An unknown word is left out; an unknown answer is
        -1, which no output stands for.
        """
        values, targets, weight = [], [], []
        for story in stories:
            counts = np.zeros((len(story), len(self.words)), "float32")
            for step, line in enumerate(story):
                for word in [*line.words, *([MARK] if line.answer is not None else [])]:
                    if word in self.words:
                        counts[step, self.words[word]] += 1
            values.append(counts)
            targets.append(np.array([self.answers.get(line.answer or "", -1) for line in story]))
            weight.append(np.array([line.answer is not None for line in story], "float32"))
        return SequenceSource(values, targets, per_step=True, weight=weight)

    def whole(self, stories: Sequence[Sequence[Line]]) -> Examples:
        """All stories in one batch."""
        return Batches(self.source(stories), len(stories), buckets=1, shuffle=False).at(0)


def growing(batches: Batches, steps: int) -> Changed:
    """Batches in which only the questions of the first lines count, and those of more lines as training goes on."""

    def counted(examples: Examples, step: int) -> Examples:
        lines = examples.inputs.time_size
        share = max(0.0, (step / steps - HELD) / (GROWN - HELD))
        first = jnp.asarray(np.arange(lines) < FIRST + (lines - FIRST) * share, "float32")
        weight = examples.weight * first[None]
        # They sum to 1 again.
        return eqx.tree_at(lambda e: e.weight, examples, weight / jnp.maximum(jnp.sum(weight), 1e-9))

    return Changed(batches, counted)
