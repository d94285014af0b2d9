"""Each function of addressing, allocation and rows against loops in numpy, float64, on random tensors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ostinato import memory as mem
from ostinato.memory import Row

pytestmark = pytest.mark.usefixtures("x64")
ROWS, WIDTH, HEADS = 7, 4, 3
RNG = np.random.default_rng(0)
MEMORY = RNG.normal(size=(ROWS, WIDTH))
KEYS, ERASE, ADD = RNG.normal(size=(HEADS, WIDTH)), RNG.random((HEADS, WIDTH)), RNG.normal(size=(HEADS, WIDTH))
BETA, GATE, GAMMA = 5 * RNG.random(HEADS), RNG.random(HEADS), 1 + 8 * RNG.random(HEADS)
WEIGHTS, BEFORE = RNG.dirichlet(np.ones(ROWS), HEADS), RNG.dirichlet(np.ones(ROWS), HEADS)


def on(*arrays):
    """As JAX arrays, in float64."""
    return tuple(jnp.asarray(a) for a in arrays)


def same(found, expected, tolerance=1e-13):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_content():
    def cosine(k, m, epsilon):
        return k @ m / np.sqrt((k @ k + epsilon) * (m @ m + epsilon))

    for epsilon in (0.0, 1e-6):
        a = np.array([[b * cosine(k, m, epsilon) for m in MEMORY] for k, b in zip(KEYS, BETA, strict=True)])
        expected = np.exp(a) / np.exp(a).sum(1, keepdims=True)
        same(mem.content_weights(*on(MEMORY, KEYS, BETA), epsilon), expected)
    # An empty memory is looked at everywhere alike, with a derivative.
    slope = jax.grad(lambda m: mem.content_weights(m, *on(KEYS, BETA))[0, 0])(jnp.zeros((ROWS, WIDTH)))
    assert np.isfinite(slope).all()
    same(mem.content_weights(jnp.zeros((ROWS, WIDTH)), *on(KEYS, BETA)), np.full((HEADS, ROWS), 1 / ROWS))


@pytest.mark.parametrize("shifts", [1, 3, 5])
def test_location(shifts):
    kernel = RNG.dirichlet(np.ones(shifts), HEADS)
    moved = np.zeros((HEADS, ROWS))
    for h, i, n in np.ndindex(HEADS, ROWS, shifts):
        moved[h, i] += WEIGHTS[h, (i - (n - shifts // 2)) % ROWS] * kernel[h, n]
    same(mem.shift(*on(WEIGHTS, kernel)), moved)
    gated = GATE[:, None] * WEIGHTS + (1 - GATE[:, None]) * BEFORE
    same(mem.interpolate(*on(WEIGHTS, BEFORE, GATE)), gated)
    sharp = WEIGHTS ** GAMMA[:, None]
    same(mem.sharpen(*on(WEIGHTS, GAMMA)), sharp / sharp.sum(1, keepdims=True))


def test_sharpening_does_not_underflow_and_keeps_a_derivative():
    weights = jnp.asarray([[1e-300, 1e-299, 0.0]])
    sharp = lambda w: mem.sharpen(w, jnp.asarray([3.0]))
    same(sharp(weights), [[1 / 1001, 1000 / 1001, 0.0]])
    assert np.isfinite(jax.jacrev(sharp)(jnp.asarray([[0.0, 1.0, 0.0]]))).all()


@pytest.mark.parametrize("heads", [1, 3])
def test_reading_and_writing(heads):
    w, e, a = WEIGHTS[:heads], ERASE[:heads], ADD[:heads]
    same(mem.read(*on(MEMORY, w)), [sum(w[h, i] * MEMORY[i] for i in range(ROWS)) for h in range(heads)])
    expected = MEMORY.copy()
    for h in range(heads):
        expected *= 1 - np.outer(w[h], e[h])
    for h in range(heads):
        expected += np.outer(w[h], a[h])
    same(mem.write(*on(MEMORY, w, e, a)), expected)


def test_usage_and_allocation():
    used, written, free = RNG.random(ROWS), RNG.random(ROWS), RNG.random(HEADS)
    expected = used + written - used * written
    for h in range(HEADS):
        expected *= 1 - free[h] * WEIGHTS[h]
    same(mem.usage(*on(used, written, WEIGHTS, free)), expected)
    for u in (used, np.round(used, 1), np.zeros(ROWS), np.ones(ROWS), np.array([1, 0.3, 0, 0.3, 0, 1, 0.9])):
        allocated, product = np.zeros(ROWS), 1.0
        for row in np.argsort(u, kind="stable"):
            allocated[row] = (1 - u[row]) * product
            product *= u[row]
        same(mem.allocation(jnp.asarray(u)), allocated)
    slope, step = jax.jacrev(mem.allocation)(jnp.asarray(used)), 1e-6
    for row in range(ROWS):
        moved = step * np.eye(ROWS)[row]
        change = mem.allocation(jnp.asarray(used + moved)) - mem.allocation(jnp.asarray(used - moved))
        same(slope[:, row], change / (2 * step), 1e-8)
    assert np.isfinite(jax.jacrev(mem.allocation)(jnp.zeros(ROWS))).all()


def test_the_order_of_writing():
    link, p, w = RNG.random((ROWS, ROWS)), RNG.random(ROWS), WEIGHTS[0]
    expected = np.zeros((ROWS, ROWS))
    for i, j in np.ndindex(ROWS, ROWS):
        expected[i, j] = 0 if i == j else (1 - w[i] - w[j]) * link[i, j] + w[i] * p[j]
    same(mem.links(*on(link, w, p)), expected)
    same(mem.precedence(*on(p, 0.3 * w)), (1 - 0.3 * w.sum()) * p + 0.3 * w)
    modes, content = RNG.dirichlet(np.ones(3), HEADS), RNG.random((HEADS, ROWS))
    for h in range(HEADS):
        back, forth = expected.T @ BEFORE[h], expected @ BEFORE[h]
        wanted = modes[h, 0] * back + modes[h, 1] * content[h] + modes[h, 2] * forth
        found = mem.read_weights(*on(expected, content, BEFORE, modes))
        same(found[h], wanted)


def test_forth_leads_from_each_row_to_the_one_written_next():
    link, p = jnp.zeros((4, 4)), jnp.zeros(4)
    for row in (2, 0, 3, 1):
        w = jnp.eye(4)[row]
        link, p = mem.links(link, w, p), mem.precedence(p, w)
    at, path = jnp.eye(4)[2][None], [2]
    forth, back = (jnp.asarray([[0.0, 0.0, 1.0]]), jnp.asarray([[1.0, 0.0, 0.0]]))
    for modes in (forth, forth, forth, back):
        at = mem.read_weights(link, at, at, modes)
        path.append(int(at.argmax()))
    assert path == [2, 0, 3, 1, 3]


def test_rows_with_lengths():
    s, v = 0.8 * RNG.random(ROWS), RNG.normal(size=(ROWS, WIDTH))
    for u in (0.0, 0.3, 1.0, 2.5, 100.0):
        left, rest = s.copy(), u
        for i in range(ROWS):
            left[i], rest = max(0.0, s[i] - max(0.0, rest)), rest - s[i]
        same(mem.pop(*on(s, u)), left)
        room, seen = 1.0, np.zeros(WIDTH)
        for i in range(ROWS):
            part = min(left[i], max(0.0, room))
            seen, room = seen + part * v[i], room - left[i]
        same(mem.peek(Row(*on(v, left))), seen)
    pushed = mem.push(Row(*on(v, s)), jnp.ones(WIDTH), jnp.asarray(0.25))
    same(pushed.values, np.vstack([np.ones((1, WIDTH)), v[:-1]]))
    same(pushed.lengths, np.concatenate([[0.25], s[:-1]]))
