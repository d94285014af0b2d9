"""What does a traced step say of itself? Its affine part, the axis of its units, and where units meet."""

from .units import FREE as FREE
from .units import Mixed as Mixed
from .units import influences as influences
from .units import unit_axes as unit_axes
