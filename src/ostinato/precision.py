"""Float64 for a stretch of work, whatever the setting of the process: what closed forms and solvers need."""

from typing import Any

import jax
from jax import experimental


def float64() -> Any:
    """A context in which JAX computes in float64.

    ```python
    >>> import jax.numpy as jnp
    >>> with float64():
    ...     print(jnp.ones(1).dtype)
    float64

    ```
    """
    # Before JAX 0.8 the switch stands in `jax.experimental` alone.
    room: Any = jax if hasattr(jax, "enable_x64") else experimental
    return room.enable_x64(True)
