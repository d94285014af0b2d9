"""How do signals flow? Networks as graphs of gains, delays and functions, and their adjoints."""

from .adjoint import FlowGradients as FlowGradients
from .adjoint import flow_gradients as flow_gradients
from .flow import FLOW_FUNCTIONS as FLOW_FUNCTIONS
from .flow import Branch as Branch
from .flow import FlowState as FlowState
from .flow import Node as Node
from .flow import SignalFlowGraph as SignalFlowGraph
from .flow import Tape as Tape
from .networks import filters_graph as filters_graph
