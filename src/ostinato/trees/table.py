"""The table of tree cells: a name for each."""

from typing import TYPE_CHECKING

from ostinato.tables import Entry

if TYPE_CHECKING:
    from ostinato.trees.cells import TreeCell

TREE_CELLS: "dict[str, Entry[TreeCell]]" = {
    "recursive": Entry("trees.cells:Recursive", "the same simple step at every node", "Goller and Küchler 1996"),
    "tree-lstm": Entry("trees.cells:TreeLSTM", "LSTM whose children have places", "Tai, Socher and Manning 2015"),
    "tree-lstm-sum": Entry(
        "trees.cells:ChildSumTreeLSTM", "LSTM whose children have no order", "Tai, Socher and Manning 2015"
    ),
    "tree-reservoir": Entry(
        "trees.cells:TreeReservoir", "reservoir over trees, not learned", "Gallicchio and Micheli 2013"
    ),
}
"""`make(input_size, hidden_size, *, arity, key, **settings)`."""
