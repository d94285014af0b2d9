"""Names on the tape: which states and internals a layer has, as paths, and which of them a request means."""

from typing import Any

import jax
import jax.numpy as jnp

from ostinato.errors import SettingsError
from ostinato.layers.state import fields_of


def recordable(layer: Any) -> tuple[str, ...]:
    """All names that `record` accepts for this layer: `"h"`, `"gates"`; `"0/h"`, `"1/forward/h"` in composites."""
    parts = getattr(layer, "parts", None)
    if parts is not None:
        return tuple(f"{name}/{inner}" for name, part in parts().items() for inner in recordable(part))
    x = jax.ShapeDtypeStruct((layer.input_size,), jnp.zeros(()).dtype)
    state = jax.eval_shape(layer.init_state)
    leaves = [leaf.dtype for leaf in jax.tree.leaves(state) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    if leaves:
        x = jax.ShapeDtypeStruct((layer.input_size,), leaves[0])
    return (*fields_of(state), *jax.eval_shape(layer.internals, x, state))


def resolve_record(layer: Any, record: tuple[Any, ...]) -> tuple[str, ...]:
    """The full names that a request means; raises `SettingsError` with the known names for one that means nothing."""
    if not record:
        return ()
    known = recordable(layer)
    chosen: list[str] = []
    for name in record:
        if not isinstance(name, str):
            raise SettingsError(f"record: expected names of state fields and internals, got {name!r}")
        found = [k for k in known if k == name or k.endswith("/" + name)]
        if not found:
            raise SettingsError(
                f"record: no {name!r} in {type(layer).__name__}; it has {', '.join(known) or 'nothing'}"
            )
        chosen += [k for k in found if k not in chosen]
    return tuple(chosen)


def below(record: tuple[str, ...], part: str) -> tuple[str, ...]:
    """The names that concern one part of a composite, without its prefix."""
    return tuple(name[len(part) + 1 :] for name in record if name.startswith(part + "/"))


def above(tape: dict[str, Any], part: str) -> dict[str, Any]:
    """A part's tape with its prefix."""
    return {f"{part}/{name}": values for name, values in tape.items()}
