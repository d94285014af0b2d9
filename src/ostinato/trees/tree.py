"""A tree as a sequence: its nodes, children before parents, each with its features and the places of its children."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ostinato.checks import check_finite
from ostinato.data import SequenceBatch, SequenceSource
from ostinato.errors import DataError, ShapeError


@dataclass(frozen=True)
class Tree:
    """A rooted tree: `features` `(nodes, features)`, and for each node the tuple of its children's places.

    Children stand before their parents and the root stands last; `from_parents` brings any order into this one.
    Raises `ShapeError`, `DataError` (a child that does not stand before its parent, or has two of them; a node that
    nobody has), `NonFiniteError`.

    ```python
    >>> tree = Tree(np.eye(3), ((), (), (0, 1)))
    >>> len(tree), tree.arity, tree.depth
    (3, 2, 1)

    ```
    """

    features: Any
    children: Sequence[Sequence[int]]

    def __post_init__(self) -> None:
        features = np.asarray(self.features, np.float64)
        object.__setattr__(self, "features", features)
        object.__setattr__(self, "children", tuple(tuple(int(c) for c in node) for node in self.children))
        if features.ndim != 2 or len(features) != len(self.children) or not len(features):
            raise ShapeError(
                f"features, children: expected (nodes, features) and as many tuples, one or more, "
                f"got {features.shape} and {len(self.children)}"
            )
        check_finite(features, "features")
        seen: set[int] = set()
        for node, own in enumerate(self.children):
            for child in own:
                if not 0 <= child < node:
                    raise DataError(f"children[{node}]: expected places from 0 to {node - 1}, got {child}")
                if child in seen:
                    raise DataError(f"children[{node}]: node {child} has a parent already")
                seen.add(child)
        if len(seen) != len(self) - 1:
            lost = sorted(set(range(len(self) - 1)) - seen)
            raise DataError(f"children: node {lost[0]} is nobody's child; the root stands last")

    @classmethod
    def from_parents(cls, features: Any, parents: Sequence[int]) -> "Tree":
        """From the parent of each node, -1 for the root; children keep the order of their numbers.

        ```python
        >>> Tree.from_parents([[0.0], [1.0], [2.0]], [-1, 0, 0]).children
        ((), (), (0, 1))

        ```
        """
        features = np.asarray(features, np.float64)
        if features.ndim != 2 or len(features) != len(parents):
            raise ShapeError(f"features, parents: expected as many rows, got {features.shape} and {len(parents)}")
        below: list[list[int]] = [[] for _ in parents]
        roots = [node for node, parent in enumerate(parents) if parent == -1]
        for node, parent in enumerate(parents):
            if parent != -1:
                if not 0 <= parent < len(parents):
                    raise DataError(f"parents[{node}]: expected -1 to {len(parents) - 1}, got {parent}")
                below[parent].append(node)
        if len(roots) != 1:
            raise DataError(f"parents: expected one root, got {len(roots)}")
        order: list[int] = []
        left = [(roots[0], False)]
        while left:
            node, done = left.pop()
            if done:
                order.append(node)
            else:
                left.append((node, True))
                left += [(child, False) for child in reversed(below[node])]
        if len(order) != len(parents):
            raise DataError("parents: some nodes lead to no root")
        place = {node: i for i, node in enumerate(order)}
        return cls(features[order], tuple(tuple(place[c] for c in below[node]) for node in order))

    def __len__(self) -> int:
        return len(self.children)

    @property
    def arity(self) -> int:
        """The largest number of children."""
        return max(len(node) for node in self.children)

    @property
    def depth(self) -> int:
        """Steps from the root to the leaf that is farthest away."""
        heights: list[int] = []
        for node in self.children:
            heights.append(1 + max((heights[c] for c in node), default=-1))
        return heights[-1]

    def as_sequence(self, arity: int) -> np.ndarray:
        """`(nodes, features + arity)`: behind the features the place of each child, from 1; 0 where there is none."""
        if self.arity > arity:
            raise ShapeError(f"arity: expected {self.arity} or more, got {arity}")
        places = np.zeros((len(self), arity))
        for node, own in enumerate(self.children):
            places[node, : len(own)] = np.asarray(own) + 1
        return np.concatenate([self.features, places], axis=1)


def tree_batch(trees: Sequence[Tree], arity: int | None = None, *, dtype: Any = "float32") -> SequenceBatch:
    """Trees of any shape as one batch of sequences of nodes, padded to the largest.

    `arity`: how many columns of children there are; by default as many as the widest node has.

    ```python
    >>> chain = Tree(np.ones((3, 2)), ((), (0,), (1,)))
    >>> batch = tree_batch([chain, Tree(np.ones((1, 2)), ((),))])
    >>> batch.values.shape, batch.lengths.tolist()
    ((2, 3, 3), [3, 1])

    ```
    """
    if not len(trees):
        raise ShapeError("trees: expected one or more, got none")
    arity = max(1, *(tree.arity for tree in trees)) if arity is None else arity
    return SequenceBatch.from_sequences([tree.as_sequence(arity).astype(dtype) for tree in trees])


def tree_source(trees: Sequence[Tree], targets: Any, arity: int | None = None, **options: Any) -> SequenceSource:
    """Trees and their targets for `data.Batches`, which sorts them by size and compiles once for each bucket."""
    arity = max(1, *(tree.arity for tree in trees)) if arity is None else arity
    return SequenceSource([tree.as_sequence(arity).astype("float32") for tree in trees], targets, **options)
