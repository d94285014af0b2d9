"""How is the loop made fast? The reference, the hoisted scan, the compiled loop, the choice with its reason."""

from .choose import Choice as Choice
from .choose import check_kernel as check_kernel
from .choose import choose as choose
from .deer import DIVERGED as DIVERGED
from .deer import deer as deer
from .gram import gram as gram
from .hoist import hoisted as hoisted
from .loop import LoopInputs as LoopInputs
from .loop import LoopOutputs as LoopOutputs
from .loop import pointwise as pointwise
from .loop import reference as reference
from .loop import select as select
from .loop import step as step
from .native import native as native
from .parallel import parallel as parallel
from .scan import hoisted_input as hoisted_input
from .sparse import Packed as Packed
from .sparse import pack as pack
from .sparse import sparse_product as sparse_product
from .table import KERNELS as KERNELS
from .table import Kernel as Kernel
from .trailing import trailing_map as trailing_map
