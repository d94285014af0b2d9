"""Is this machine right? The fast paths beside the reference, which of them run, and training beside itself."""

from .comparison import BATCHES as BATCHES
from .comparison import EXAMINED as EXAMINED
from .comparison import FORWARD as FORWARD
from .comparison import GRADIENTS as GRADIENTS
from .comparison import Chosen as Chosen
from .comparison import Comparison as Comparison
from .comparison import compare as compare
from .comparison import difference as difference
from .comparison import paths as paths
from .examination import examine as examine
from .repeat import repeat_training as repeat_training
