"""A call of the compiled loop as JAX sees it: mapped over data or models, shared out over devices."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.custom_partitioning import custom_partitioning
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array


class Call(NamedTuple):
    """What is the same for all runs of a kind: compared and hashed, so that JAX sees equal calls as equal."""

    target: str
    spec: tuple[int, ...]
    constants: tuple[float, ...]
    batch_axes: tuple[int | None, ...]
    results: tuple[tuple[tuple[int, ...], int | None], ...]
    aliases: tuple[tuple[int, int], ...]
    dtype: str

    def at(self, batch: int) -> "Call":
        """The same for another number of rows."""
        results = tuple(
            (shape if axis is None else (*shape[:axis], batch, *shape[axis + 1 :]), axis)
            for shape, axis in self.results
        )
        return self._replace(results=results)


def made(call: Call) -> Callable[..., tuple[Array, ...]]:
    """The call itself."""
    dtype = np.dtype(call.dtype)
    target = jax.ffi.ffi_call(
        call.target,
        tuple(jax.ShapeDtypeStruct(shape, dtype) for shape, _ in call.results),
        input_output_aliases=dict(call.aliases),
    )
    spec, constants = np.array(call.spec, np.int32), np.array(call.constants, np.float64)
    return lambda *arrays: tuple(target(*arrays, spec=spec, constants=constants))


@lru_cache(maxsize=512)
def shared(call: Call) -> Callable[..., tuple[Array, ...]]:
    """The call on rows that lie on several devices: each runs its own, and what belongs to no row is summed."""
    run = custom_partitioning(made(call))

    def partition(mesh: Mesh, arguments: Any, results: Any) -> Any:
        del results
        rows = {
            names
            for argument, axis in zip(arguments, call.batch_axes, strict=True)
            if axis is not None and (names := _names(argument.sharding, axis)) is not None
        }
        # Where the arguments are shared out in different ways, everybody gets all rows.
        names = rows.pop() if len(rows) == 1 else None

        def placed(axes: int, axis: int | None) -> NamedSharding:
            return NamedSharding(mesh, PartitionSpec(*(names if i == axis else None for i in range(axes))))

        def local(*arrays: Array) -> tuple[Array, ...]:
            if names is None:
                return made(call)(*arrays)
            batch = next(a.shape[x] for a, x in zip(arrays, call.batch_axes, strict=True) if x is not None)
            found = made(call.at(batch))(*arrays)
            return tuple(
                jax.lax.psum(a, names) if axis is None else a for a, (_, axis) in zip(found, call.results, strict=True)
            )

        given = tuple(placed(len(a.shape), axis) for a, axis in zip(arguments, call.batch_axes, strict=True))
        return mesh, local, tuple(placed(len(shape), axis) for shape, axis in call.results), given

    count = iter(range(10_000))

    def word(axes: int, axis: int | None) -> str:
        return " ".join("b" if i == axis else f"a{next(count)}" for i in range(axes))

    # Only rows are shared out: every other axis has a name that no other array has.
    run.def_partition(
        partition,
        sharding_rule=lambda mesh, arguments, results: (
            ", ".join(word(len(a.shape), axis) for a, axis in zip(arguments, call.batch_axes, strict=True))
            + " -> "
            + ", ".join(word(len(shape), axis) for shape, axis in call.results)
        ),
    )
    return run


def _names(sharding: Any, axis: int) -> Any:
    spec = sharding.spec
    return spec[axis] if len(spec) > axis else None


@lru_cache(maxsize=512)
def mappable(call: Call) -> Callable[..., tuple[Array, ...]]:
    """The call, which folds a mapped axis of its data into the batch; models side by side run one after the other."""

    @jax.custom_batching.custom_vmap
    def run(*arrays: Array) -> tuple[Array, ...]:
        return (shared(call) if len(jax.devices()) > 1 else made(call))(*arrays)

    @run.def_vmap
    def rule(size: int, mapped: list[bool], *arrays: Array) -> tuple[tuple[Array, ...], tuple[bool, ...]]:
        out = (True,) * len(call.results)
        models = any(m and axis is None for m, axis in zip(mapped, call.batch_axes, strict=True))
        if models or any(axis is None for _, axis in call.results):
            return jax.lax.map(lambda some: run(*_merge(mapped, arrays, some)), _only(mapped, arrays)), out

        def fold(array: Array, is_mapped: bool, axis: int | None) -> Array:
            if axis is None:
                return array
            whole = array if is_mapped else jnp.broadcast_to(array, (size, *array.shape))
            moved = jnp.moveaxis(whole, 0, axis)
            return moved.reshape(*moved.shape[:axis], size * moved.shape[axis + 1], *moved.shape[axis + 2 :])

        batch = next(a.shape[x + m] for a, m, x in zip(arrays, mapped, call.batch_axes, strict=True) if x is not None)
        results = tuple(
            ((*shape[:axis], size * batch, *shape[axis + 1 :]), axis)
            for shape, axis in call.results
            if axis is not None
        )
        folded = mappable(call._replace(results=results))(*map(fold, arrays, mapped, call.batch_axes))
        unfolded = [
            jnp.moveaxis(a.reshape(*a.shape[:axis], size, batch, *a.shape[axis + 1 :]), axis, 0)
            for a, (_, axis) in zip(folded, results, strict=True)
        ]
        return tuple(unfolded), out

    return run


def _only(mapped: list[bool], arrays: tuple[Array, ...]) -> list[Array]:
    return [a for a, m in zip(arrays, mapped, strict=True) if m]


def _merge(mapped: list[bool], arrays: tuple[Array, ...], some: list[Array]) -> list[Array]:
    left = iter(some)
    return [next(left) if m else a for a, m in zip(arrays, mapped, strict=True)]
