"""Unbiased online recurrent optimisation (Tallec and Ollivier, ICLR 2018)."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from ostinato.learning.base import Approximate, Exact, Loss, Refusal
from ostinato.learning.dynamics import Dynamics, Item, differentiable
from ostinato.learning.online import OnlineRule
from ostinato.types import State

TINY = 1e-7


class UORO(OnlineRule):
    r"""The matrix of RTRL as a product of two vectors that is right on average.

    $$\tilde s_t = \rho_0 \frac{\partial s_t}{\partial s_{t-1}} \tilde s_{t-1} + \rho_1 \nu,\qquad
      \tilde\theta_t = \frac{\tilde\theta_{t-1}}{\rho_0} + \frac{\nu^\top}{\rho_1} \frac{\partial s_t}{\partial \theta},
      \qquad E[\tilde s_t \tilde\theta_t] = P_t$$
    $$\nabla_t = \frac{\partial \ell_t}{\partial \theta}
      + \Big(\frac{\partial \ell_t}{\partial s_{t-1}} \tilde s_{t-1}\Big) \tilde\theta_{t-1}$$

    with random signs ν, drawn at each step from the key of the call, and $\rho$ chosen so that both vectors are of one
    size: $\rho_0^2 = |\tilde\theta| / |J \tilde s|$, $\rho_1^2 = |\nu^\top \partial s / \partial \theta| / |\nu|$.
    Unbiased for every causal network, at the cost of a few forward passes; the variance grows with time.
    """

    def holds(self, model: Any) -> Exact | Approximate | Refusal:
        del model
        return Approximate("unbiased: right on average over its random signs")

    def signs(self, key: PRNGKeyArray, size: int, dtype: Any) -> Float[Array, " state"]:
        """The random signs of one step."""
        return jr.rademacher(key, (size,), dtype)

    def first(self, view: Dynamics, leaves: list[Array], key: PRNGKeyArray) -> tuple[Array, list[Array]]:
        fields, pull = jax.vjp(lambda moving: view.start(view.placed(moving, leaves)), view.moved(leaves))
        flat, split = view.ravel(fields)
        nu = self.signs(key, flat.size, flat.dtype)
        # Where the initial state is no weight, both vectors are zero: nothing has happened yet.
        return (nu if view.starting else jnp.zeros_like(nu)), pull(split(nu))[0]

    def advance(
        self,
        view: Dynamics,
        leaves: list[Array],
        loss: Loss,
        items: Item,
        state: State,
        traces: tuple[Array, list[Array]],
        key: PRNGKeyArray,
    ) -> tuple[Array, list[Array], State, tuple[Array, list[Array]]]:
        s, theta = traces
        fields, join = differentiable(state)
        flat, split = view.ravel(fields)

        def run(leaves: list[Array], flat: Array) -> tuple[tuple[Array, Array], State]:
            value, after = view.run(leaves, join(split(flat)), items, loss)
            return (value, view.ravel(differentiable(after)[0])[0]), after

        (total, end), pull, after = jax.vjp(run, leaves, flat, has_aux=True)
        grads, error = pull((jnp.ones_like(total), jnp.zeros_like(end)))
        met = jnp.dot(error, s)
        grads = view.placed([g + met * t for g, t in zip(view.moved(grads), theta, strict=True)], grads)

        forward = jax.jvp(lambda f: run(leaves, f)[0][1], (flat,), (s,))[1]
        nu = self.signs(key, end.size, end.dtype)
        of_weights = view.moved(pull((jnp.zeros_like(total), nu))[0])
        rho0, rho1 = balance(theta, forward), balance(of_weights, nu)
        theta = [t / rho0 + w / rho1 for t, w in zip(theta, of_weights, strict=True)]
        return total, grads, after, (rho0 * forward + rho1 * nu, theta)


def balance(one: Any, other: Any) -> Float[Array, ""]:
    r"""$\rho = \sqrt{|a| / |b|}$, which makes $a / \rho$ and $\rho b$ of one size; kept away from 0."""
    return jnp.sqrt((_size(one) + TINY) / (_size(other) + TINY))


def _size(arrays: Any) -> Any:
    """The Euclidean norm of all arrays together."""
    return jnp.sqrt(sum((jnp.vdot(a, a) for a in jax.tree.leaves(arrays)), start=0.0))
