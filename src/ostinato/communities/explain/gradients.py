"""How features answer to the amount of a species at the start."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ostinato.communities.model import CommunityModel
from ostinato.data import Communities


def gradients(model: CommunityModel, communities: Communities) -> Float[np.ndarray, "n later features species"]:
    r"""How each feature at each time changes with the amount of a species at the start, in the units of the data.

    $$\frac{\partial x_f(t)}{\partial x_i(0)} = \frac{s_f(t)}{s_i(0)}\,\frac{\partial z_f(t)}{\partial z_i(0)}$$

    through the closed loop, with the scales $s$ of the time that each stands for; the mean of the members. 0 for a
    species that was not put in: there is no small amount of what is not there.
    """
    model.check_fitted()
    side, species, steps = model.networks_, len(model.species_), len(model.hours_) - 1
    first = communities.initial
    dtype = jnp.result_type(float)
    total = np.zeros((len(first), steps, first.shape[1], species))
    for k in range(model.members):
        member, scale = side.networks.member(k), side.scales[k]
        z = jnp.asarray((first - scale.mean[0]) / scale.scale[0], dtype)
        made = np.asarray(_jacobians(member, z, species, steps), float)
        out = scale.scale[1:][None, :, :, None]
        total += made * out / scale.scale[0, :species]
    return np.where(communities.present[:, None, None, :], total / model.members, 0.0)


@eqx.filter_jit
def _jacobians(member: Any, first: Array, species: int, steps: int) -> Array:
    def one(z: Array) -> Array:
        at = lambda start: member.forecast(jnp.concatenate([start, z[species:]])[None], steps)[0]
        return jax.jacfwd(at)(z[:species])

    return jax.vmap(one)(first)
