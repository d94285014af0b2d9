"""The names of the room, loaded when the first of them is used."""

from .cells import ChildSumTreeLSTM as ChildSumTreeLSTM
from .cells import Recursive as Recursive
from .cells import TreeCell as TreeCell
from .cells import TreeLSTM as TreeLSTM
from .cells import TreeReservoir as TreeReservoir
from .loop import pool_nodes as pool_nodes
from .loop import unroll_tree as unroll_tree
from .net import RecursiveNet as RecursiveNet
from .tree import Tree as Tree
from .tree import tree_batch as tree_batch
from .tree import tree_source as tree_source
