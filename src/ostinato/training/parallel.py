"""One batch shared by several devices: rows on a mesh of one axis, weights on each, sums over all by the compiler."""

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import PyTree

from ostinato.data import Examples
from ostinato.errors import SettingsError


def replicate(tree: PyTree[Any], devices: int | None) -> PyTree[Any]:
    """The same arrays on each device; with None as they are. Raises `SettingsError` for more devices than there are."""
    return tree if devices is None else jax.device_put(tree, NamedSharding(_mesh(devices), PartitionSpec()))


def spread(examples: Examples, devices: int | None) -> Examples:
    """The rows of a batch shared out; where they cannot be shared equally, each device gets them all."""
    if devices is None:
        return examples
    shared = examples.inputs.values.ndim > 2 and examples.inputs.values.shape[0] % devices == 0
    return jax.device_put(
        examples, NamedSharding(_mesh(devices), PartitionSpec("batch") if shared else PartitionSpec())
    )


def _mesh(devices: int) -> Mesh:
    there = jax.devices()
    if not 1 <= devices <= len(there):
        raise SettingsError(f"devices: expected 1 to {len(there)}, got {devices}")
    return Mesh(np.array(there[:devices]), ("batch",))
