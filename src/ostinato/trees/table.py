"""The table of tree cells: a name for each."""

from collections.abc import Callable
from dataclasses import dataclass

from .cells import ChildSumTreeLSTM, Recursive, TreeCell, TreeLSTM, TreeReservoir


@dataclass(frozen=True)
class TreeCellEntry:
    """A row: `make(input_size, hidden_size, *, arity, key, **settings)`, a line of description, the reference."""

    make: Callable[..., TreeCell]
    description: str
    reference: str


TREE_CELLS: dict[str, TreeCellEntry] = {
    "recursive": TreeCellEntry(Recursive, "the same simple step at every node", "Goller and Küchler 1996"),
    "tree-lstm": TreeCellEntry(TreeLSTM, "LSTM whose children have places", "Tai, Socher and Manning 2015"),
    "tree-lstm-sum": TreeCellEntry(
        ChildSumTreeLSTM, "LSTM whose children have no order", "Tai, Socher and Manning 2015"
    ),
    "tree-reservoir": TreeCellEntry(TreeReservoir, "reservoir over trees, not learned", "Gallicchio and Micheli 2013"),
}
