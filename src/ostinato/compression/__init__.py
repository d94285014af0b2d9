"""How few bits tell a sequence? Predictors on top of each other, what they leave over, and the code itself."""

from .arithmetic import ArithmeticDecoder as ArithmeticDecoder
from .arithmetic import ArithmeticEncoder as ArithmeticEncoder
from .automatizer import Imitation as Imitation
from .automatizer import Lessons as Lessons
from .coding import decode as decode
from .coding import description_length as description_length
from .coding import encode as encode
from .history import HistoryCompressor as HistoryCompressor
from .history import Levels as Levels
from .left_over import LeftOver as LeftOver
from .left_over import left_over as left_over
from .levels import LevelBatches as LevelBatches
from .levels import fit_levels as fit_levels
