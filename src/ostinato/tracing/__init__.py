"""What does a traced step say of itself? One walk (`walk.py`): its affine part, the axis of its units, what meets."""

from .units import FREE as FREE
from .units import Mixed as Mixed
from .units import influences as influences
from .units import unit_axes as unit_axes
from .walk import walk as walk
