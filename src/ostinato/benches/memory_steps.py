"""The steps of NTM and DNC once more, flat, for any array library: what a plain scan does, and a peer's loop."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ostinato.memory import DNC, NTM


class Library(NamedTuple):
    """What array libraries call differently."""

    sigmoid: Callable[[Any], Any]
    softplus: Callable[[Any], Any]
    softmax: Callable[[Any], Any]
    roll: Callable[[Any, int], Any]
    join: Callable[[list[Any]], Any]
    base: Any


JAX = Library(jax.nn.sigmoid, jax.nn.softplus, jax.nn.softmax, lambda a, n: jnp.roll(a, n, -1), jnp.concatenate, jnp)


def arrays_of(cell: NTM | DNC) -> dict[str, Any]:
    """The weights by name, and the state before the first step, flat; of a cell with an LSTM as controller."""
    lstm, state = cell.controller, cell.init_state()
    weights = {
        "W": lstm.W.reshape(-1, lstm.W.shape[-1]),
        "R": lstm.R.reshape(-1, lstm.R.shape[-1]),
        "b": lstm.b.ravel(),
        "V": cell.V,
        "c": cell.c,
    }
    return {"weights": weights, "state": (*state.controller, *state[1:])}


def controller(lib: Library, p: dict[str, Any], x: Any, h: Any, c: Any, r: Any) -> tuple[Any, Any, Any]:
    """An LSTM, and what it asks for."""
    a = p["W"] @ lib.join([x, r.reshape(-1)]) + p["R"] @ h + p["b"]
    i, f, g, o = a.reshape(4, -1)
    c = lib.sigmoid(f) * c + lib.sigmoid(i) * lib.base.tanh(g)
    h = lib.sigmoid(o) * lib.base.tanh(c)
    return h, c, p["V"] @ h + p["c"]


def content(lib: Library, M: Any, keys: Any, beta: Any) -> Any:
    """Softmax of the cosines."""
    norms = lib.base.sqrt((M * M).sum(-1) + 1e-6)[None] * lib.base.sqrt((keys * keys).sum(-1) + 1e-6)[:, None]
    return lib.softmax(beta[:, None] * (keys @ M.T) / norms)


def ntm_step(lib: Library, p: dict[str, Any], x: Any, state: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
    """One reader, one writer, shifts of one row."""
    h, c, M, w, r = state
    h, c, asked = controller(lib, p, x, h, c, r)
    n = M.shape[1]
    keys, heads, e, a = asked[: 2 * n].reshape(2, n), asked[2 * n : 2 * n + 12], asked[-2 * n : -n], asked[-n:]
    gate, s = lib.sigmoid(heads[2:4])[:, None], lib.softmax(heads[4:10].reshape(2, 3))
    gated = gate * content(lib, M, keys, lib.softplus(heads[:2])) + (1 - gate) * w
    moved = s[:, :1] * lib.roll(gated, -1) + s[:, 1:2] * gated + s[:, 2:] * lib.roll(gated, 1)
    w = lib.softmax((1 + lib.softplus(heads[10:]))[:, None] * lib.base.log(moved + 1e-30))
    r = w[:1] @ M
    M = M * (1 - w[1][:, None] * lib.sigmoid(e)[None]) + w[1][:, None] * a[None]
    return (h, c, M, w, r), lib.join([h, r.reshape(-1)])


def dnc_step(lib: Library, p: dict[str, Any], x: Any, state: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
    """As in the paper, the allocation by sorting the rows."""
    h, c, M, u, before, L, ww, wr, r = state
    h, c, asked = controller(lib, p, x, h, c, r)
    (readers, n), rows = r.shape, M.shape[0]
    ends = [0]
    for size in (readers * n, readers, n, 1, n, n, readers, 1, 1, 3 * readers):
        ends.append(ends[-1] + size)
    keys, beta, key, b, e, v, f, ga, gw, modes = (asked[i:j] for i, j in pairwise(ends))
    free, ga, gw = lib.sigmoid(f), lib.sigmoid(ga), lib.sigmoid(gw)
    u = (u + ww - u * ww) * (1 - free[:, None] * wr).prod(0)
    order = lib.base.argsort(u)
    least = u[order]
    product = lib.join([lib.base.ones_like(least[:1]), lib.base.cumprod(least, 0)[:-1]])
    allocated = ((1 - least) * product)[lib.base.argsort(order)]
    ww = gw * (ga * allocated + (1 - ga) * content(lib, M, key[None], 1 + lib.softplus(b))[0])
    M = M * (1 - ww[:, None] * lib.sigmoid(e)[None]) + ww[:, None] * v[None]
    others = 1 - lib.base.eye(rows, dtype=M.dtype)
    L = ((1 - ww[:, None] - ww[None]) * L + ww[:, None] * before[None]) * others
    before = (1 - ww.sum()) * before + ww
    pi = lib.softmax(modes.reshape(readers, 3))
    found = content(lib, M, keys.reshape(readers, n), 1 + lib.softplus(beta))
    wr = pi[:, :1] * (wr @ L) + pi[:, 1:2] * found + pi[:, 2:] * (wr @ L.T)
    r = wr @ M
    return (h, c, M, u, before, L, ww, wr, r), lib.join([h, r.reshape(-1)])
