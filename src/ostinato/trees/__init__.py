"""How does a network run over a tree? Trees as sequences of nodes, cells that see children, one loop for all shapes."""

from .cells import ChildSumTreeLSTM as ChildSumTreeLSTM
from .cells import Recursive as Recursive
from .cells import TreeCell as TreeCell
from .cells import TreeLSTM as TreeLSTM
from .cells import TreeReservoir as TreeReservoir
from .climb import climb as climb
from .climb import pool_nodes as pool_nodes
from .net import RecursiveNet as RecursiveNet
from .table import TREE_CELLS as TREE_CELLS
from .table import TreeCellEntry as TreeCellEntry
from .tree import Tree as Tree
from .tree import tree_batch as tree_batch
from .tree import tree_source as tree_source
