"""Which communities to build: those at the corners of what can be reached, and those that come nearest to a wish."""

from .codes import Codes as Codes
from .codes import candidates as candidates
from .codes import codes_of as codes_of
from .codes import name_of as name_of
from .codes import presence_of as presence_of
from .corners import Corner as Corner
from .corners import corners as corners
from .desirability import desirability as desirability
from .pipetting import pipetting as pipetting
