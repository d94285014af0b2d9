"""Where the differentiable neural computer writes and in which order it wrote (Graves et al., Nature 538, 2016)."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .addressing import Numbers, Weights

Usage = Float[Array, " rows"]
Writing = Float[Array, " rows"]
Links = Float[Array, "rows rows"]


def usage(before: Usage, written: Writing, reading: Weights, free: Numbers) -> Usage:
    r"""$u_t = (u_{t-1} + w^w_{t-1} - u_{t-1} \odot w^w_{t-1}) \odot \prod_i (1 - f_i\, w^{r,i}_{t-1})$.

    Rows that were written are in use; those that a reader has read, and says are free, are not any more.
    """
    return (before + written - before * written) * jnp.prod(1 - free[:, None] * reading, axis=0)


def allocation(used: Usage) -> Writing:
    r"""$a_{\phi_j} = (1 - u_{\phi_j}) \prod_{i<j} u_{\phi_i}$, with φ the rows from the least used to the most.

    All the weight goes to the row that is least in use. Rows of one usage are taken in their order. The product is
    taken over pairs of rows, without sorting them.

    ```python
    >>> import jax.numpy as jnp
    >>> allocation(jnp.array([1.0, 0.5, 0.0, 0.0])).tolist()
    [0.0, 0.0, 1.0, 0.0]

    ```
    """
    rows = jnp.arange(used.shape[0])
    first, second = used[None, :], used[:, None]
    earlier = (first < second) | ((first == second) & (rows[None, :] < rows[:, None]))
    # A row that is not used at all makes the product 0; the least number stands for it, so that logarithms stay finite.
    logs = jnp.log(jnp.maximum(used, jnp.asarray(jnp.finfo(used.dtype).tiny, used.dtype)))
    return (1 - used) * jnp.exp(jnp.sum(jnp.where(earlier, logs[None, :], 0), axis=1))


def precedence(before: Writing, written: Writing) -> Writing:
    r"""$p_t = (1 - \sum_i w^w_i)\, p_{t-1} + w^w_t$: how far each row is the one that was written last."""
    return (1 - jnp.sum(written)) * before + written


def links(before: Links, written: Writing, preceding: Writing) -> Links:
    r"""$L_{ij} = (1 - w_i - w_j) L_{ij} + w_i\, p_j$ and $L_{ii} = 0$: how far row i was written right after row j.

    `preceding` is p of the step before.
    """
    linked = (1 - written[:, None] - written[None, :]) * before + written[:, None] * preceding[None, :]
    return jnp.where(jnp.eye(len(written), dtype=bool), 0, linked)


def read_weights(link: Links, content: Weights, before: Weights, modes: Float[Array, "heads 3"]) -> Weights:
    r"""$w^r = \pi_1 L^\top w^r_{t-1} + \pi_2 c^r + \pi_3 L w^r_{t-1}$.

    Each head goes back in the order of writing, looks for content, or goes forth.
    """
    return modes[:, :1] * (before @ link) + modes[:, 1:2] * content + modes[:, 2:] * (before @ link.T)
