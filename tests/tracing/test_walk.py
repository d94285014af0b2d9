"""The walk through a traced function: what it goes into, in which order rules are asked, and what stands on it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ostinato as ost
from ostinato.cells import Elman, Hidden
from ostinato.errors import SettingsError
from ostinato.kernels import choose
from ostinato.tracing import FREE, Mixed, influences, unit_axes, walk
from ostinato.tracing.affine import input_matrix, operations

ROW = jnp.ones(3)


def names(function, *args, **options):
    """The operations that the walk comes by, and the values: how many operations made each result."""
    seen = []

    def note(equation, given):
        seen.append(equation.primitive.name)
        return [sum(given) + 1] * len(equation.outvars)

    traced = jax.make_jaxpr(function)(*args)
    made = walk(traced, [0] * len(traced.jaxpr.invars), constant=lambda value: 0, default=note, **options)
    return seen, made


@jax.custom_vjp
def doubled(x):
    return 2 * x


doubled.defvjp(lambda x: (doubled(x), None), lambda _, g: (2 * g,))


@pytest.mark.parametrize("wrap", [jax.jit, jax.checkpoint, lambda f: jax.jit(jax.jit(f))])
def test_calls_are_walked_through_and_may_be_left_whole(wrap):
    function = wrap(lambda a, b: jnp.tanh(a) * b)
    assert names(lambda a, b: function(a, b) + b, ROW, ROW) == (["tanh", "mul", "add"], [3])
    whole, made = names(lambda a, b: function(a, b) + b, ROW, ROW, inside=False)
    assert (len(whole), whole[1], made) == (2, "add", [2])


def test_functions_with_derivatives_of_their_own_are_walked_through():
    assert names(jax.nn.relu, ROW)[0] == ["max"]
    assert names(doubled, ROW) == (["mul"], [1])


def test_loops_and_branches_are_one_operation():
    assert names(lambda a: jax.lax.fori_loop(0, 3, lambda i, h: 2 * h, a), ROW) == (["scan"], [1])
    assert names(lambda a: jax.lax.while_loop(lambda h: h[0] < 9, lambda h: 2 * h, a), ROW) == (["while"], [1])
    assert names(lambda a, p: jax.lax.cond(p, lambda h: h, lambda h: 2 * h, a), ROW, True)[0][-1] == "cond"


def test_rules_are_asked_by_name_and_what_comes_first_before_them():
    function = jax.jit(lambda a: jnp.sin(jnp.tanh(a) + ROW))
    assert names(function, ROW, rules={"tanh": lambda equation, given: [100]})[1] == [102]
    first = lambda equation, given: [7] if equation.primitive.name in ("pjit", "jit") else None
    assert names(function, ROW, first=first) == ([], [7])


def test_the_axis_of_units_goes_through_calls():
    inner = jax.jit(lambda W, h: jnp.tanh(W * h[None]))
    assert unit_axes(jax.make_jaxpr(lambda W, h: inner(W, h)[0])(jnp.ones((2, 3)), ROW), (1, 0)) == [0]
    with pytest.raises(Mixed, match="reduce_sum"):
        unit_axes(jax.make_jaxpr(lambda h: h * jax.jit(jnp.sum)(h))(ROW), (0,))
    for unknown in ("rev", "sort"):
        with pytest.raises(Mixed, match=unknown):
            unit_axes(jax.make_jaxpr(lambda h, f=unknown: jnp.sort(h) if f == "sort" else jnp.flip(h))(ROW), (0,))
    # What is not given back does not count, nor does what is behind a stop.
    assert unit_axes(jax.make_jaxpr(lambda h: (jnp.sum(h), h)[1])(ROW), (0,)) == [0]
    stopped = jax.make_jaxpr(lambda h: h * jax.lax.stop_gradient(jnp.sum(h)))(ROW)
    assert unit_axes(stopped, (0,)) == [0]
    assert unit_axes(jax.make_jaxpr(lambda h: jnp.sum(ROW) * ROW)(ROW), (0,)) == [FREE]
    assert influences(stopped) == [{0}]
    assert influences(jax.make_jaxpr(lambda a, b: (jax.jit(jnp.add)(a, 1.0), a * b))(ROW, ROW)) == [{0}, {0, 1}]


def test_the_matrix_of_the_input_is_found_where_the_rest_does_not_depend_on_it():
    W, b, x = jnp.ones((2, 3, 4)), jnp.ones((2, 3)), jnp.ones(4)
    assert input_matrix(lambda p, x: p[1] @ x, [b, W], x) == 1
    assert input_matrix(lambda p, x: jnp.tanh(p[0]) + p[1] @ x, [b, W], x) == 1
    for other in (
        lambda p, x: p[1] @ (2 * x),
        lambda p, x: 2 * (p[1] @ x),
        lambda p, x: p[1] @ x + jnp.sum(x),
        lambda p, x: jnp.tanh(p[1]) @ x,
        lambda p, x: p[1] @ x + p[1] @ x,
        lambda p, x: p[0],
    ):
        assert input_matrix(other, [b, W], x) is None
    assert operations(lambda x: W @ x + b, x) == ["dot_general", "add"]


class Halved(Elman):
    """An update with a loop in it, which no vector program has."""

    def update(self, from_input, from_hidden, state, dt=None):
        h = jax.lax.fori_loop(0, 3, lambda i, h: 0.5 * h, (from_input + from_hidden)[0])
        return Hidden(h), h


def test_a_loop_inside_an_update_is_no_vector_program():
    cell, xs = Halved(2, 3, key=jax.random.key(0)), jax.random.normal(jax.random.key(1), (2, 5, 2))
    assert "scan" in choose(cell, batch=1).why
    with pytest.raises(SettingsError, match="scan"):
        ost.unroll(cell, xs, kernel="native")
    plain = Elman(2, 3, activation="linear", key=jax.random.key(0))
    eighths = [weight / 8 for weight in (cell.W, cell.b, cell.R)]
    plain = eqx.tree_at(lambda c: (c.W, c.b, c.R), plain, replace=eighths)
    expected = ost.unroll(plain, xs, kernel="reference")[0]
    np.testing.assert_allclose(ost.unroll(cell, xs)[0], expected, rtol=1e-5, atol=1e-7)
