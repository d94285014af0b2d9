"""Whole networks with a memory against the same equations in numpy, step by step, in float64; and their conventions."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato.errors import SettingsError
from ostinato.layers import RNN, recordable, unroll
from ostinato.learning import BPTT, RTRL
from ostinato.memory import DNC, MEMORIES, NTM, Pushdown, StackCell, feed_forward, with_rows
from ostinato.tasks import Reversal

INPUT, HIDDEN, ROWS, WIDTH, TIME = 2, 3, 5, 3, 6
LENGTHS = (6, 3, 0)
EPSILON = 1e-6
SETTINGS = {
    "ntm": {"rows": ROWS, "width": WIDTH, "readers": 2, "writers": 2, "start": "learned"},
    "ntm-feed-forward": {"rows": ROWS, "width": WIDTH},
    "dnc": {"rows": ROWS, "width": WIDTH, "readers": 2},
    "pushdown": {"rows": TIME},
} | {name: {"rows": TIME, "width": WIDTH} for name in ("stack", "queue", "deque")}

sigmoid = lambda a: 1 / (1 + np.exp(-a))
softplus = lambda a: np.log1p(np.exp(a))


def softmax(a):
    return np.exp(a) / np.exp(a).sum()


def lstm(cell, x, h, c):
    i, f, g, o = (cell.W[n] @ x + cell.R[n] @ h + cell.b[n] for n in range(4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def looked_for(M, key, beta):
    likeness = [key @ row / np.sqrt((key @ key + EPSILON) * (row @ row + EPSILON)) for row in M]
    return softmax(beta * np.array(likeness))


def taken(asked, *sizes):
    parts = []
    for size in sizes:
        parts.append(asked[:size])
        asked = asked[size:]
    assert not asked.size
    return parts


def controlled(cell, xs, start, rest):
    """The loop over time: an LSTM or one layer as controller, then `rest` of the step, which gives what is read."""
    h, c, r, state, ys = np.zeros(HIDDEN), np.zeros(HIDDEN), np.zeros(cell.read_size), start, []
    for x in xs:
        seen = np.concatenate([x, r])
        if cell.controller.pointwise:
            h = np.tanh(cell.controller.V @ seen + cell.controller.c)
        else:
            h, c = lstm(cell.controller, seen, h, c)
        state, r = rest(cell.V @ h + cell.c, state)
        ys.append(np.concatenate([h, r]))
    return np.array(ys)


def by_hand_ntm(cell, xs):
    R, heads = cell.readers, cell.readers + cell.writers

    def rest(asked, state):
        M, w = state
        k, beta, g, s, gamma, e, a = taken(
            asked, heads * WIDTH, heads, heads, 3 * heads, heads, *[cell.writers * WIDTH] * 2
        )
        new = []
        for n in range(heads):
            content = looked_for(M, k[n * WIDTH : (n + 1) * WIDTH], softplus(beta[n]))
            gated = sigmoid(g[n]) * content + (1 - sigmoid(g[n])) * w[n]
            kernel = softmax(s[3 * n : 3 * n + 3])
            moved = [sum(gated[(i - j) % ROWS] * kernel[j + 1] for j in (-1, 0, 1)) for i in range(ROWS)]
            sharp = np.array(moved) ** (1 + softplus(gamma[n]))
            new.append(sharp / sharp.sum())
        r = np.concatenate([w @ M for w in new[:R]])
        e, a = sigmoid(e).reshape(-1, WIDTH), a.reshape(-1, WIDTH)
        for n in range(cell.writers):
            M = M * (1 - np.outer(new[R + n], e[n]))
        return (M + sum(np.outer(new[R + n], a[n]) for n in range(cell.writers)), new), r

    return controlled(cell, xs, (cell.M, [np.eye(ROWS)[0]] * heads), rest)


def by_hand_dnc(cell, xs):
    R = cell.readers

    def rest(asked, state):
        M, u, p, L, ww, wr = state
        k, beta, kw, bw, e, v, f, ga, gw, pi = taken(asked, R * WIDTH, R, *(WIDTH, 1, WIDTH, WIDTH), R, 1, 1, 3 * R)
        u = (u + ww - u * ww) * np.prod([1 - sigmoid(f[n]) * wr[n] for n in range(R)], axis=0)
        a, product = np.zeros(ROWS), 1.0
        for row in np.argsort(u, kind="stable"):
            a[row], product = (1 - u[row]) * product, product * u[row]
        content = looked_for(M, kw, 1 + softplus(bw[0]))
        ww = sigmoid(gw) * (sigmoid(ga) * a + (1 - sigmoid(ga)) * content)
        M = M * (1 - np.outer(ww, sigmoid(e))) + np.outer(ww, v)
        L = (1 - ww[:, None] - ww[None]) * L + np.outer(ww, p)
        L = L - np.diag(np.diag(L))
        p = (1 - ww.sum()) * p + ww
        modes = [softmax(pi[3 * n : 3 * n + 3]) for n in range(R)]
        content = [looked_for(M, k[n * WIDTH : (n + 1) * WIDTH], 1 + softplus(beta[n])) for n in range(R)]
        wr = [m[0] * L.T @ w + m[1] * c + m[2] * L @ w for m, c, w in zip(modes, content, wr, strict=True)]
        return (M, u, p, L, ww, wr), np.concatenate([w @ M for w in wr])

    zeros = np.zeros(ROWS)
    start = (np.zeros((ROWS, WIDTH)), zeros, zeros, np.zeros((ROWS, ROWS)), zeros, [zeros] * R)
    return controlled(cell, xs, start, rest)


def take(items, amount):
    """From the front of a list of [value, length]."""
    for item in items:
        off = min(item[1], amount)
        item[1], amount = item[1] - off, amount - off


def look(items):
    room, seen = 1.0, 0.0
    for value, length in items:
        part = min(length, room)
        seen, room = seen + part * value, room - part
    return seen


def by_hand_row(kind, cell, xs):
    """Lists that grow, as in the paper: the front is the top."""

    def rest(asked, items):
        items = [list(item) for item in items]
        top = asked[: WIDTH + 2]
        if kind == "queue":
            items = items[::-1]
        take(items, sigmoid(top[0]))
        if kind == "queue":
            items = items[::-1]
        if kind == "deque":
            low = asked[WIDTH + 2 :]
            take(items[::-1], sigmoid(low[0]))
            items = [*items, [np.tanh(low[2:]), sigmoid(low[1])]]
        items = [[np.tanh(top[2:]), sigmoid(top[1])], *items]
        ends = {"stack": [items], "queue": [items[::-1]], "deque": [items, items[::-1]]}[kind]
        return items, np.concatenate([look(end) for end in ends])

    return controlled(cell, xs, [], rest)


def by_hand_pushdown(cell, xs):
    h, items, r, ys = np.eye(HIDDEN)[0], [], np.eye(INPUT + 1)[INPUT], []
    for x in xs:
        seen = np.outer(x, r).ravel()
        h = sigmoid(sum(seen[k] * cell.automaton.R[k] @ h for k in range(seen.size)) + cell.automaton.b)
        action = np.tanh(cell.v @ h + cell.c)
        take(items, max(0.0, -action))
        items = [[x, max(0.0, action)], *items]
        r = np.append(look(items), max(0.0, 1 - sum(length for _, length in items)))
        ys.append(np.concatenate([h, r]))
    return np.array(ys)


BY_HAND = {"ntm": by_hand_ntm, "ntm-feed-forward": by_hand_ntm, "dnc": by_hand_dnc, "pushdown": by_hand_pushdown}
BY_HAND |= {name: partial(by_hand_row, name) for name in ("stack", "queue", "deque")}


@pytest.mark.parametrize("name", MEMORIES)
def test_a_network_is_its_equations(x64, name):
    """Outputs, padding, chunks and the gradient along a direction, from one compiled function."""
    rng = np.random.default_rng(len(name))
    cell = MEMORIES[name].make(INPUT, HIDDEN, **SETTINGS[name], key=jax.random.key(0))
    leaves, structure = jax.tree.flatten(cell)
    leaves = [jnp.asarray(rng.normal(size=leaf.shape)) for leaf in leaves]
    way = [rng.normal(size=leaf.shape) for leaf in leaves]
    xs = rng.normal(size=(3, TIME, INPUT))
    mask = jnp.asarray(np.arange(TIME) < np.array(LENGTHS)[:, None])

    @jax.jit
    def answers(leaves, xs):
        def padded(leaves):
            ys, final = unroll(jax.tree.unflatten(structure, leaves), xs, mask=mask)
            return jnp.sum(jnp.sin(ys)), (ys, final)

        def chunked(leaves):
            cell = jax.tree.unflatten(structure, leaves)
            first, middle = unroll(cell, xs[:1, :2])
            second, final = unroll(cell, xs[:1, 2:], middle, start=2, checkpoint=True)
            return jnp.concatenate([first, second], axis=1), final

        return jax.value_and_grad(padded, has_aux=True)(leaves), chunked(leaves)

    ((_, (ys, final)), slope), (pieces, end) = answers(leaves, jnp.asarray(xs))

    def by_hand(step):
        cell = jax.tree.unflatten(structure, [np.asarray(a) + step * d for a, d in zip(leaves, way, strict=True)])
        return [BY_HAND[name](cell, x[:n]) for x, n in zip(xs, LENGTHS, strict=True)]

    for row, expected in enumerate(by_hand(0.0)):
        np.testing.assert_allclose(ys[row, : LENGTHS[row]], expected.reshape(-1, ys.shape[-1]), rtol=1e-10, atol=1e-11)
        assert not np.any(ys[row, LENGTHS[row] :])
    np.testing.assert_allclose(pieces[0], ys[0], rtol=1e-12, atol=1e-13)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[0], b[0], rtol=1e-12, atol=1e-13), final, end)
    up, down = (sum(np.sin(y).sum() for y in by_hand(step)) for step in (1e-6, -1e-6))
    along = sum(np.sum(np.asarray(g) * d) for g, d in zip(slope, way, strict=True))
    assert along == pytest.approx((up - down) / 2e-6, rel=1e-6)
    assert all(np.abs(g).max() > 0 for g in slope)


def test_more_rows_change_nothing_until_they_are_needed(x64):
    xs = jax.random.normal(jax.random.key(1), (4, 3))
    cell = DNC(3, 4, rows=6, width=3, readers=2, key=jax.random.key(0))
    # It writes to free rows only, never says that one is free again, and reads in the order of writing: no row that
    # was not written matters.
    c = cell.c.at[2 * 3 + 2 + 3 + 1 + 3 + 3 :].set(jnp.array([-99.0, -99, 99, 0, 50, 0, 0, 50, 0, 0]))
    cell = eqx.tree_at(lambda d: (d.V, d.c), cell, (cell.V.at[-10:].set(0), c))
    more = with_rows(cell, 9)
    (small, _), (large, end) = unroll(cell, xs), unroll(more, xs)
    np.testing.assert_allclose(small, large, rtol=1e-12, atol=1e-13)
    assert end.M.shape == (9, 3)
    assert np.abs(small[:, 4:]).max() > 0
    stack = StackCell(3, 4, rows=4, key=jax.random.key(0))
    np.testing.assert_allclose(unroll(stack, xs)[0], unroll(with_rows(stack, 9), xs)[0], rtol=1e-12, atol=1e-13)


def test_starts_of_the_turing_machine():
    cells = {s: NTM(2, 3, rows=4, width=3, start=s, key=jax.random.key(0)) for s in ("constant", "random", "learned")}
    assert {s: c.fixed for s, c in cells.items()} == {"constant": ("M",), "random": ("M",), "learned": ()}
    assert np.unique(cells["constant"].M).tolist() == [np.float32(1e-6)]
    assert np.std(cells["random"].M) > 0.2
    grads = jax.grad(lambda c: jnp.sum(unroll(c, jnp.ones((4, 2)))[0] ** 2))(cells["constant"])
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(grads))


def test_an_online_rule_gives_the_gradient_of_the_whole(x64):
    task = Reversal(lengths=(1, 2))
    examples = task.sample(jax.random.key(0), 2)
    settings = {"controller": feed_forward, "rows": 5, "width": 1}
    model = RNN(StackCell, task.input_size, 2, output_size=2, key=jax.random.key(1), **settings)
    found = {}
    for rule in (BPTT(), RTRL()):
        carry = rule.init(model, examples)
        found[type(rule)] = rule(model, task.loss, examples, carry, jax.random.key(2))[:2]
    (value, slope), (online, other) = found[BPTT], found[RTRL]
    assert float(online) == pytest.approx(float(value), rel=1e-12)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-10), slope, other)


def test_a_pushdown_automaton_made_by_hand():
    """Words a^n b^n: states "heard a", "heard b", "lost"; a is put on the stack, b takes one off."""
    cell = Pushdown(2, 3, rows=12, key=jax.random.key(0))
    A, B, A_ON_TOP, EMPTY, HEARD_A, HEARD_B, LOST = 0, 1, 0, 2, 0, 1, 2
    R = np.zeros((2, 3, 3, 3), "float32")
    for top in (A_ON_TOP, EMPTY):
        R[A, top, HEARD_A, HEARD_A] = R[A, top, LOST, HEARD_B] = R[:, top, LOST, LOST] = 20
    R[B, A_ON_TOP, HEARD_B, :2] = R[B, EMPTY, LOST, :2] = 20
    cell = eqx.tree_at(
        lambda c: (c.automaton.R, c.automaton.b, c.v),
        cell,
        (jnp.asarray(R.reshape(6, 3, 3)), jnp.full(3, -10.0), jnp.array([20.0, -20.0, 0.0])),
    )
    words = {"ab": True, "aaabbb": True, "aaaaabbbbb": True, "b": False, "aab": False, "abb": False, "abab": False}
    xs = np.zeros((len(words), 10, 2), "float32")
    for row, word in enumerate(words):
        xs[row, np.arange(len(word)), ["ab".index(letter) for letter in word]] = 1
    _, final = unroll(cell, jnp.asarray(xs), mask=jnp.asarray(xs.any(-1)))
    accepted = (final.controller.h[:, HEARD_B] > 0.99) & (final.r[:, EMPTY] > 0.99)
    assert accepted.tolist() == list(words.values())
    assert recordable(cell) == ("controller/h", "values", "lengths", "r")
    _, last, tape = unroll(cell, jnp.asarray(xs[:, :2]), record=("h", "r"))
    np.testing.assert_array_equal(tape["controller/h"][:, -1], last.controller.h)
    np.testing.assert_array_equal(tape["r"][:, -1], last.r)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: NTM(2, 3, rows=0, key=jax.random.key(0)), "rows"),
        (lambda: NTM(2, 3, rows=4, reach=2, key=jax.random.key(0)), "reach"),
        (lambda: NTM(2, 3, start="empty", key=jax.random.key(0)), "start"),
        (lambda: NTM(2, 3, controller="abacus", key=jax.random.key(0)), "cell: expected one of"),
        (lambda: DNC(2, 3, readers=0, key=jax.random.key(0)), "readers"),
        (lambda: StackCell(2, 3, width=0, key=jax.random.key(0)), "width"),
        (lambda: Pushdown(0, 3, key=jax.random.key(0)), "input_size"),
        (lambda: with_rows(NTM(2, 3, key=jax.random.key(0)), 9), "its own"),
    ],
)
def test_refused(make, words):
    with pytest.raises(SettingsError, match=words):
        make()
