"""The arrays of a PyTree by name, and back: names come from the path to each leaf, never from its place in an order."""

from typing import Any

import jax
import numpy as np
from jax.tree_util import DictKey, FlattenedIndexKey, GetAttrKey, SequenceKey, tree_flatten_with_path, tree_unflatten
from jaxtyping import PyTree

from ostinato.errors import SettingsError


def named_leaves(tree: PyTree[Any]) -> dict[str, Any]:
    """The array leaves of a tree by path, `layers.0.W`; what is no array (functions, Python numbers) is left out.

    Raises `SettingsError` where two paths read the same.

    ```python
    >>> import jax.numpy as jnp
    >>> sorted(named_leaves({"layers": [{"W": jnp.ones(2)}, {"W": jnp.ones(3)}], "act": len}))
    ['layers.0.W', 'layers.1.W']

    ```
    """
    named: dict[str, Any] = {}
    for path, leaf in tree_flatten_with_path(tree)[0]:
        if not _is_array(leaf):
            continue
        name = _name(path)
        if name in named:
            raise SettingsError(f"two arrays of the model have the same name {name!r}")
        named[name] = leaf
    return named


def spec(leaf: Any) -> dict[str, Any]:
    """Shape and dtype of an array leaf, as the manifest has them."""
    return {"shape": [int(n) for n in leaf.shape], "dtype": str(leaf.dtype)}


def to_numpy(leaf: Any) -> np.ndarray:
    """What is stored for a leaf: itself; the raw words of a PRNG key; real and imaginary part of a complex one."""
    if _is_key(leaf):
        return np.asarray(jax.random.key_data(leaf))
    array = np.asarray(leaf)
    if np.issubdtype(array.dtype, np.complexfloating):
        return np.stack([np.real(array), np.imag(array)], axis=-1)
    return array


def stored_spec(leaf: Any) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype of `to_numpy(leaf)`, also where the leaf is a `jax.ShapeDtypeStruct`."""
    if _is_key(leaf):
        words = jax.eval_shape(jax.random.key_data, leaf)
        return tuple(words.shape), np.dtype(words.dtype)
    dtype = np.dtype(leaf.dtype)
    if np.issubdtype(dtype, np.complexfloating):
        return (*leaf.shape, 2), np.dtype(np.finfo(dtype).dtype)
    return tuple(leaf.shape), dtype


def from_numpy(array: np.ndarray, like: Any) -> Any:
    """The leaf that `to_numpy` stored, as a JAX array (a numpy array where `like` is one)."""
    if _is_key(like):
        return jax.random.wrap_key_data(jax.numpy.asarray(array), impl=_key_impl(like))
    if np.issubdtype(np.dtype(like.dtype), np.complexfloating):
        array = (array[..., 0] + 1j * array[..., 1]).astype(like.dtype)
    return array if isinstance(like, np.ndarray) else jax.numpy.asarray(array)


def with_leaves(tree: PyTree[Any], leaves: dict[str, Any]) -> PyTree[Any]:
    """The tree with the named leaves replaced."""
    paths, structure = tree_flatten_with_path(tree)
    return tree_unflatten(structure, [leaves.get(_name(p), leaf) if _is_array(leaf) else leaf for p, leaf in paths])


def _name(path: tuple[Any, ...]) -> str:
    return ".".join(_part(key) for key in path) or "value"


def _part(key: Any) -> str:
    match key:
        case GetAttrKey():
            return key.name
        case SequenceKey():
            return str(key.idx)
        case DictKey() | FlattenedIndexKey():
            return str(key.key)
        case _:
            return str(key)


def _key_impl(like: Any) -> Any:
    # Only an array, traced or not, says which generator its key is for.
    found: list[Any] = []
    jax.eval_shape(lambda key: found.append(jax.random.key_impl(key)), like)
    return found[0]


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array | np.ndarray | jax.ShapeDtypeStruct)


def _is_key(leaf: Any) -> bool:
    return jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key)
