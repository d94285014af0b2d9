"""Bidirectional associative memory (Kosko, IEEE Trans. Systems, Man, and Cybernetics 18, 1988)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ostinato.errors import SettingsError, ShapeError

from .patterns import checked, sign, stored


class Association(NamedTuple):
    """A pair at rest: both layers, after how many rounds (there and back), and whether neither changes any more."""

    a: Float[Array, "*batch left"]
    b: Float[Array, "*batch right"]
    steps: Int[Array, ""]
    converged: Bool[Array, "*batch"]


class BAM(eqx.Module):
    r"""Two layers of ±1 joined by one matrix, read in both directions: either layer drives, the other recalls.

    $$b \leftarrow \mathrm{sgn}(a W),\qquad a \leftarrow \mathrm{sgn}(b W^\top),\qquad E(a, b) = -a W b^\top,\qquad
      W = \sum_k a_k^\top b_k$$

    A unit whose field is 0 stays as it was. E never rises, so the pair comes to rest for every real W. In Kosko's
    example 0 and 1 drive W; here layers are of ±1 throughout.

    Shapes: `W (left, right)`, layers `(*batch, left)` and `(*batch, right)`.

    ```python
    >>> from ostinato.associative import bipolar
    >>> A, B = bipolar(["101010", "111000"]), bipolar(["1100", "1010"])
    >>> memory = BAM.store(A, B)
    >>> (A[0] @ memory.W).tolist()
    [8.0, 4.0, -4.0, -8.0]
    >>> bool((memory.recall(a=A[0]).b == B[0]).all()), bool((memory.recall(b=B[1]).a == A[1]).all())
    (True, True)

    ```
    """

    W: Float[Array, "left right"]

    @classmethod
    def store(cls, a: Any, b: Any) -> "BAM":
        """A memory of pairs, `(count, left)` and `(count, right)` of ±1. Raises `ShapeError`, `DataError`."""
        a, b = stored(a, "a"), stored(b, "b")
        if len(a) != len(b):
            raise ShapeError(f"a, b: expected as many rows in both, got {len(a)} and {len(b)}")
        return cls(a.T @ b.astype(a.dtype))

    def energy(self, a: Float[Array, "*batch left"], b: Float[Array, "*batch right"]) -> Float[Array, "*batch"]:
        r"""$-a W b^\top$ of each pair."""
        return -jnp.sum((a @ self.W) * b, axis=-1)

    def recall(self, *, a: Any = None, b: Any = None, rounds: int = 100) -> Association:
        """Start from one layer, or from both, and go there and back until nothing changes.

        A layer that is not given starts as what the other one calls up, +1 where a field is 0. Where both are given,
        `b` is asked first.

        Raises `SettingsError` where neither is given, `ShapeError`, `DataError`.
        """
        if a is None and b is None:
            raise SettingsError("a, b: expected at least one layer to start from")
        if rounds < 1:
            raise SettingsError(f"rounds: expected 1 or more, got {rounds}")
        one = jnp.ones((), self.W.dtype)
        left = None if a is None else checked(a, "a", self.W.shape[0]).astype(self.W.dtype)
        right = None if b is None else checked(b, "b", self.W.shape[1]).astype(self.W.dtype)
        if right is None:
            assert left is not None
            right = sign(left @ self.W, one)
        elif left is None:
            left = sign(right @ self.W.T, one)
        if left.shape[:-1] != right.shape[:-1]:
            raise ShapeError(f"a, b: expected the same *batch, got {left.shape[:-1]} and {right.shape[:-1]}")
        return _recall(self.W, left, right, rounds)


@eqx.filter_jit
def _recall(W: Array, a: Array, b: Array, rounds: int) -> Association:
    def going(at: tuple[Array, Array, Array, Array]) -> Array:
        _, _, changed, number = at
        return (number < rounds) & jnp.any(changed)

    def again(at: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        a, b, _, number = at
        new_b = sign(a @ W, b)
        new_a = sign(new_b @ W.T, a)
        changed = jnp.any(new_a != a, axis=-1) | jnp.any(new_b != b, axis=-1)
        return new_a, new_b, changed, number + 1

    start = a, b, jnp.ones(a.shape[:-1], bool), jnp.zeros((), jnp.int32)
    a, b, changed, number = jax.lax.while_loop(going, again, start)
    return Association(a, b, number, ~changed)
