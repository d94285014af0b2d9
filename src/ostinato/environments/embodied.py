"""Bodies for small continuous-time networks: an agent that sees objects fall, and a leg that walks (Beer 1995, 1996).

Evolved rather than trained: each is a function from a network to how well it does, pure and compiled. The equations of
motion are those with which published networks were evolved, one Euler step of the body after one step of the network.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ostinato.cells import Cell
from ostinato.errors import ShapeError

SENSORS, FURTHEST, RADIUS, EDGE = 7, 220.0, 15.0, 200.0
HEIGHT, FALL, GAIN = 275.0, 3.0, 5.0
LEG, HIP, FORCE, TORQUE, SPIN, SPEED, LIMIT, BEHIND = 15.0, 12.5, 0.05, 0.5, 1.0, 6.0, jnp.pi / 6, 20.0


def watch_fall(
    cell: Cell, start: Float[Array, ""] | float, line: Bool[Array, ""] | bool, *, step: float = 0.1
) -> Float[Array, " steps"]:
    r"""Where an agent is, beside an object that falls towards it: `(steps,)`, the last one when it lands.

    The agent is a disc of diameter 30 that moves sideways at $5\,(y_{-2} - y_{-1})$, the last two outputs of the
    network; |x| ≤ 200. Seven rays over π/6 start on its edge; one that meets the object after the length l gives the
    input $10\,(220 - l)/220$. The object, a disc of diameter 30 or a horizontal line of length 30 at x = 0, falls from
    275 at speed 3 until it is at 15. `start` is where the agent begins, with the network in `init_state()`.

    Raises `ShapeError` for a network without seven inputs and two outputs.

    ```python
    >>> from ostinato.cells import CTRNN
    >>> path = watch_fall(CTRNN(7, 4, key=jax.random.key(0)), 20.0, False)
    >>> path.shape
    (867,)

    ```
    """
    if cell.input_size != SENSORS or cell.output_size < 2:
        raise ShapeError(
            f"cell: expected {SENSORS} inputs and 2 outputs or more, got {cell.input_size} and {cell.output_size}"
        )
    dtype = jax.tree.leaves(cell.init_state())[0].dtype
    angles = jnp.linspace(-jnp.pi / 12, jnp.pi / 12, SENSORS, dtype=dtype)
    heights = HEIGHT - FALL * step * jnp.arange(round((HEIGHT - RADIUS) / (FALL * step) + 0.499), dtype=dtype)
    is_line = jnp.asarray(line)

    def one(at: tuple[Any, Array], y: Array) -> tuple[Any, Array]:
        state, x = at
        length = jnp.where(is_line, _to_line(-x, y, angles), _to_disc(-x, y, angles))
        state, out = cell(10 * (FURTHEST - length) / FURTHEST, state, dt=jnp.asarray(step, dtype))
        x = jnp.clip(x + step * GAIN * (out[-2] - out[-1]), -EDGE, EDGE)
        return (state, x), x

    return jax.lax.scan(one, (cell.init_state(), jnp.asarray(start, dtype)), heights)[1]


class Leg(NamedTuple):
    """Where the body is and how fast; angle and angular speed of the leg; where the foot stands."""

    x: Array
    speed: Array
    angle: Array
    spin: Array
    foot_x: Array
    foot_y: Array


@eqx.filter_jit
def walk(cell: Cell, *, time: float = 200.0, step: float = 0.1) -> Float[Array, " steps"]:
    r"""How far a body with one leg has come after each step of a network without inputs: `(steps,)`.

    The first output above 1/2 puts the foot down, where the leg pushes the body with $0.05\,(y_2 - y_3)$ as long as its
    angle lies within π/6; with the foot up the body stands still and the leg swings the other way. A body more than 20
    ahead of its foot stops. Steps are counted as by adding `step` until `time` is reached in rounded numbers, as the
    published figures were: 2001 for 200 at 0.1.

    Raises `ShapeError` for a network with inputs, or fewer than three outputs.

    ```python
    >>> from ostinato.cells import CTRNN
    >>> walk(CTRNN(0, 3, key=jax.random.key(0))).shape
    (2001,)

    ```
    """
    if cell.input_size != 0 or cell.output_size < 3:
        raise ShapeError(f"cell: expected no inputs and 3 outputs or more, got {cell.input_size}, {cell.output_size}")
    dtype = jax.tree.leaves(cell.init_state())[0].dtype
    number, passed = 0, 0.0
    while passed < time:
        number, passed = number + 1, passed + step

    def one(at: tuple[Any, Leg], _: Any) -> tuple[tuple[Any, Leg], Array]:
        state, leg = at
        state, out = cell(jnp.zeros(0, dtype), state, dt=jnp.asarray(step, dtype))
        leg = _moved(leg, out, step)
        return (state, leg), leg.x

    zero, angle = jnp.zeros((), dtype), jnp.asarray(LIMIT, dtype)
    leg = Leg(zero, zero, angle, zero, LEG * jnp.sin(angle), HIP + LEG * jnp.cos(angle))
    return jax.lax.scan(one, (cell.init_state(), leg), None, number)[1]


def _moved(leg: Leg, out: Float[Array, " output"], step: float) -> Leg:
    down = out[0] > 0.5
    push = FORCE * (out[1] - out[2])
    inside = jnp.abs(leg.angle) <= LIMIT
    works = inside | ((leg.angle < -LIMIT) & (push < 0)) | ((leg.angle > LIMIT) & (push > 0))
    none = jnp.zeros_like(push)
    speed = jnp.clip(leg.speed + step * jnp.where(down & works, push, none), -SPEED, SPEED)
    x = leg.x + step * speed
    standing = jnp.arctan2(leg.foot_x - x, leg.foot_y - HIP)
    spin = jnp.clip(jnp.where(down, none, leg.spin) - step * TORQUE * push, -SPIN, SPIN)
    swung = leg.angle + step * spin
    spin = jnp.where(jnp.abs(swung) > LIMIT, none, spin)
    swung = jnp.clip(swung, -LIMIT, LIMIT)
    angle = jnp.where(down, standing, swung)
    foot_x = jnp.where(down, leg.foot_x, x + LEG * jnp.sin(swung))
    foot_y = jnp.where(down, leg.foot_y, HIP + LEG * jnp.cos(swung))
    speed = jnp.where(down & (x - foot_x <= BEHIND), speed, none)
    return Leg(x, speed, angle, jnp.where(down, (standing - leg.angle) / step, spin), foot_x, foot_y)


def _to_disc(x: Array, y: Array, angles: Float[Array, " rays"]) -> Float[Array, " rays"]:
    """The length of each ray until the disc at (x, y)."""
    s, c = jnp.sin(angles), jnp.cos(angles)
    away_x, away_y = RADIUS * s - x, RADIUS * c - y
    along = away_x * s + away_y * c
    inside = along * along - (away_x * away_x + away_y * away_y - RADIUS * RADIUS)
    length = -along - jnp.sqrt(jnp.maximum(inside, jnp.zeros_like(inside)))
    return jnp.where((inside >= 0) & (length >= 0), jnp.minimum(length, FURTHEST), FURTHEST)


def _to_line(x: Array, y: Array, angles: Float[Array, " rays"]) -> Float[Array, " rays"]:
    """The length of each ray until the line at height y, as wide as the disc."""
    s, c = jnp.sin(angles), jnp.cos(angles)
    length = (y - RADIUS * c) / c
    there = jnp.abs((RADIUS + length) * s - x) <= RADIUS
    return jnp.where(there & (length >= 0), jnp.minimum(length, FURTHEST), FURTHEST)
