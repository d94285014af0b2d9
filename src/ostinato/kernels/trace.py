"""What a user's `update` reads: the one place where jaxprs are looked at, by public names only."""

from collections.abc import Callable
from typing import Any

import jax


def used_inputs(function: Callable[..., Any], *args: Any) -> list[bool]:
    """For each array leaf of `args`, whether `function` reads it.

    Traced, never run. A leaf counts as read if any operation takes it or if it is given back as it is.
    """
    jaxpr = jax.make_jaxpr(function)(*args).jaxpr
    read = {id(v) for equation in jaxpr.eqns for v in equation.invars} | {id(v) for v in jaxpr.outvars}
    return [id(v) in read for v in jaxpr.invars]
