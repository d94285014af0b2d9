"""What the studies of trees have in common: a TreeLSTM that labels every node."""

import jax.random as jr

from ostinato.trees import TREE_CELLS, RecursiveNet


def labeller(units: int, classes: int, vocabulary: int, seed: int) -> RecursiveNet:
    """A TreeLSTM over binary trees, before learning, with a vector for each symbol of the vocabulary."""
    k_cell, k_net = jr.split(jr.key(seed))
    cell = TREE_CELLS["tree-lstm"].make(units, units, arity=2, key=k_cell)
    return RecursiveNet(cell, classes, pool=None, vocabulary=vocabulary, key=k_net)
