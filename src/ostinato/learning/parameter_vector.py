"""A network as one vector of numbers, and many networks evaluated at once: what every search over weights needs."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ostinato.cells.base import Cell
from ostinato.cells.fixed import free_parameters
from ostinato.checks import check_same
from ostinato.data.batch import Examples
from ostinato.errors import SettingsError
from ostinato.kernels import select
from ostinato.layers import RNN, ManyToOne, unroll
from ostinato.learning.base import Loss, start_state, weighted_loss
from ostinato.learning.bptt import StateCarry
from ostinato.types import State

Learned = Callable[[Array, Any], Bool[Array, ""]]


def parameters_to_vector(model: Any) -> Float[Array, " genes"]:
    """All weights that are learned, one after the other; `EchoState` and the like keep theirs out.

    ```python
    >>> import jax, ostinato as ost
    >>> model = ost.RNN("elman", 2, 3, output_size=1, key=jax.random.key(0))
    >>> genes = parameters_to_vector(model)
    >>> genes.shape, bool((parameters_to_vector(vector_to_parameters(model, 2 * genes)) == 2 * genes).all())
    ((22,), True)

    ```
    """
    return ravel_pytree(eqx.filter(model, free_parameters(model)))[0]


def vector_to_parameters(model: Any, genes: Float[Array, " genes"]) -> Any:
    """The network with these weights."""
    free, rest = eqx.partition(model, free_parameters(model))
    return eqx.combine(ravel_pytree(free)[1](genes), rest)


def run(model: Any, examples: Examples, key: PRNGKeyArray | None, carry: StateCarry | None = None) -> tuple[Any, State]:
    """Outputs and last state, after the steps of the carry if there is one.

    By the plain scan: the compiled loop takes networks that have weights of their own one by one.
    """
    inputs, state = examples.inputs, None
    options: dict[str, Any] = {"key": key}
    if carry is not None:
        fresh = start_state(model, inputs.batch_shape, key)
        state, options["start"] = select(carry.step == 0, fresh, carry.state), carry.step
    if isinstance(model, Cell):
        return unroll(model, inputs, state, kernel="reference", **options)
    if isinstance(model, RNN | ManyToOne):
        options["kernel"] = "reference"
    return model(inputs, state, **options)


def share_learned(learned: Learned, ys: Any, examples: Examples) -> Float[Array, ""]:
    """The part of what counts (weight not 0) of which `learned(y, target)` holds."""
    weight = examples.weight
    check_same(jax.tree.leaves(ys)[0].shape[: weight.ndim], weight.shape, "outputs", "the leading axes of weight")
    flat = lambda leaf: leaf.reshape(weight.size, *leaf.shape[weight.ndim :])
    right = jax.vmap(learned)(jax.tree.map(flat, ys), jax.tree.map(flat, examples.targets))
    counts = flat(weight) != 0
    dtype = weight.dtype
    return jnp.sum((right & counts).astype(dtype)) / jnp.maximum(jnp.sum(counts.astype(dtype)), jnp.ones((), dtype))


def evaluate(
    model: Any,
    population: Float[Array, "networks genes"],
    loss: Loss,
    examples: Examples,
    key: PRNGKeyArray | None,
    *,
    learned: Learned | None = None,
    devices: int = 1,
    carry: StateCarry | None = None,
) -> tuple[Float[Array, " networks"], Float[Array, " networks"]]:
    """The loss of each network, infinite where it is no number, and the share of the examples that it has learned.

    All networks see the same examples and the same noise, and start from the state of the carry if there is one. They
    are shared out over the first `devices` devices.
    Raises `SettingsError` where that does not come out even.
    """
    arrays, rest = eqx.partition((model, examples, key, carry), eqx.is_array)

    def one(genes: Array, arrays: Any) -> tuple[Array, Array]:
        model, examples, key, carry = eqx.combine(arrays, rest)
        ys, _ = run(vector_to_parameters(model, genes), examples, key, carry)
        share = jnp.zeros((), examples.weight.dtype) if learned is None else share_learned(learned, ys, examples)
        return weighted_loss(loss, ys, examples), share

    work = jax.vmap(one, in_axes=(0, None))
    if devices > 1:
        if devices > len(jax.devices()) or population.shape[0] % devices:
            most, networks = len(jax.devices()), population.shape[0]
            raise SettingsError(f"devices: expected 1 to {most}, a divisor of {networks} networks, got {devices}")
        mesh = Mesh(jax.devices()[:devices], ("networks",))
        rows = PartitionSpec("networks")
        work = jax.shard_map(work, mesh=mesh, in_specs=(rows, PartitionSpec()), out_specs=rows, check_vma=False)
    losses, shares = work(population, arrays)
    return jnp.where(jnp.isnan(losses), jnp.inf, losses), shares
