"""What does a network do inside? Its fixed points, its dynamics, its memory."""

from .capacity import memory_capacity as memory_capacity
from .poles import pole_metrics as pole_metrics
from .poles import poles as poles
from .poles import pull_poles_in as pull_poles_in
from .poles import watch_poles as watch_poles
from .trials import Tuning as Tuning
from .trials import aligned as aligned
from .trials import flush as flush
from .trials import from_trial as from_trial
from .trials import tuning as tuning
from .trials import wrong_values as wrong_values
