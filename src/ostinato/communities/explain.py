"""What a community model has learned: where it is right, who changes what, where the carbon goes."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ostinato.communities.model import CommunityModel
from ostinato.communities.scores import pearson
from ostinato.data import Communities
from ostinato.data.order import permutation
from ostinato.errors import DataError, SettingsError

CARBON = {"acetate": 2, "butyrate": 4, "lactate": 3, "succinate": 4, "propionate": 3, "formate": 1, "ethanol": 2}
"""Atoms of carbon in a molecule of what gut bacteria ferment to."""


def sensitivity(
    communities: Communities, unseen: Float[np.ndarray, "n later features"], feature: str, *, least: int = 5
) -> Float[np.ndarray, "species species"]:
    """How well a feature is predicted in communities that hold species i and j: squared Pearson r over all later times.

    `unseen` are predictions by networks that have not seen the community (`CommunityModel.unseen_`, or
    `cross_validate`). The diagonal is for communities that hold one species. NaN where there are fewer than `least` of
    them. A low value says where the model knows little, and an experiment would tell much (Baranwal et al. 2022).

    Raises `SettingsError` for an unknown feature.
    """
    if feature not in communities.features:
        raise SettingsError(f"feature: expected one of {', '.join(communities.features)}, got {feature!r}")
    at, present = communities.features.index(feature), communities.present
    truth, made = communities.values[:, 1:, at], unseen[..., at]
    count = len(communities.species)
    found = np.full((count, count), np.nan)
    for i in range(count):
        for j in range(i, count):
            rows = present[:, i] & present[:, j]
            if rows.sum() >= least:
                found[i, j] = found[j, i] = pearson(truth[rows], made[rows]) ** 2
    return found


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


class Surrogate(NamedTuple):
    """A linear map that stands for the model around each community (Ribeiro et al. 2016).

    * `effects (n, features, species)`: how much more of a feature there is at the last time with the species than
      without it; NaN for species that were not put in, and in communities of one species.
    * `r2 (n, features)`: how much of the model's answers the linear map explains.
    """

    effects: Float[np.ndarray, "n features species"]
    r2: Float[np.ndarray, "n features"]


def surrogate(
    model: CommunityModel | Callable[[np.ndarray], np.ndarray],
    communities: Communities,
    *,
    samples: int = 300,
    ridge: float = 1e-3,
    seed: int = 0,
) -> Surrogate:
    r"""Explain each prediction by who is there: leave out species at random, predict, and fit a weighted linear map.

    `model`: a `CommunityModel`, or any function of what is there first, `(n, features)`, to what is there at last.

    Each present species is kept with probability 1/2, with the amount that it had. A sample that lacks the share $d$ of
    the species counts $\exp(-d^2 / 0.25^2 / 2)$: what is near to the community counts most.

    ```python
    >>> start = np.array([[[0.1, 0.2, 0.0]]])
    >>> data = Communities(("c",), ("A", "B"), ("acid",), np.zeros(1), start)
    >>> acid = lambda first: (first[:, :2] > 0) @ np.array([[0.0, 0.0, 30.0], [0.0, 0.0, -10.0]])
    >>> surrogate(acid, data, ridge=1e-9).effects[0, 2].round(4).tolist()
    [30.0, -10.0]

    ```
    """
    predict = _last_time(model) if isinstance(model, CommunityModel) else model
    present, first = communities.present, communities.initial
    count, species = len(communities), present.shape[1]
    effects = np.full((count, first.shape[1], species), np.nan)
    r2 = np.zeros((count, first.shape[1]))
    for c in range(count):
        there = np.flatnonzero(present[c])
        if len(there) < 2:
            continue
        draws = [permutation(2 * samples, seed, c, int(i), name="surrogate")[:samples] % 2 == 0 for i in there]
        keep = np.stack(draws, axis=1)
        keep = np.concatenate([np.ones((1, len(there)), bool), keep[keep.any(1)]])
        starts = np.repeat(first[c][None], len(keep), axis=0)
        starts[:, there] *= keep
        made = predict(starts)
        weight = np.exp(-((1 - keep.mean(1)) ** 2) / (2 * 0.25**2))
        root = np.sqrt(weight / weight.sum())[:, None]
        inputs = np.concatenate([np.ones((len(keep), 1)), keep], axis=1) * root
        penalty = ridge * np.eye(inputs.shape[1])
        penalty[0, 0] = 0.0
        found = np.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ (made * root))
        effects[c, :, there] = found[1:]
        left = ((made * root - inputs @ found) ** 2).sum(0)
        spread = (((made - (weight @ made) / weight.sum()) * root) ** 2).sum(0)
        r2[c] = np.where(spread > 0, 1 - left / np.maximum(spread, 1e-30), 0.0)
    return Surrogate(effects, r2)


def _last_time(model: CommunityModel) -> Callable[[np.ndarray], np.ndarray]:
    model.check_fitted()
    steps = len(model.hours_) - 1
    return lambda first: model.networks_.forecast(first, steps)[: model.members].mean(0)[:, -1]


class Edge(NamedTuple):
    """An influence of a species on a feature: its median over the communities that hold the species."""

    source: str
    target: str
    effect: float


def influences(
    communities: Communities,
    found: Surrogate,
    unseen: Float[np.ndarray, "n later features"] | None = None,
    *,
    least: float = 5.0,
    share: float = 0.2,
    r2: float = 0.5,
) -> list[Edge]:
    """The strong influences: on metabolites above `least` in their unit, on species above `share` of their own.

    A species' own influence is what it makes of itself; that is no edge. With `unseen` only features are kept that are
    predicted with a squared correlation above `r2` (Baranwal et al. 2022, figure 3).
    """
    some, edges = len(communities.species), []
    with np.errstate(invalid="ignore"):
        median = np.array(
            [[_median(found.effects[:, f, i]) for i in range(some)] for f in range(len(communities.features))]
        )
    for f, target in enumerate(communities.features):
        if unseen is not None:
            there = communities.present[:, f] if f < some else np.ones(len(communities), bool)
            if pearson(communities.values[there, 1:, f], unseen[there, :, f]) ** 2 <= r2:
                continue
        bar = least if f >= some else share * abs(median[f, f])
        for i, source in enumerate(communities.species):
            if i != f and np.isfinite(median[f, i]) and abs(median[f, i]) > bar > 0:
                edges.append(Edge(source, target, float(median[f, i])))
    return sorted(edges, key=lambda edge: -abs(edge.effect))


class Carbon(NamedTuple):
    """Carbon in what was fermented to.

    `total (n,)` in mM of carbon; `net (n,)`: what is new since the start; `trade_offs (products, products)`: the
    correlations between products over the communities.
    """

    products: tuple[str, ...]
    total: Float[np.ndarray, "n"]
    net: Float[np.ndarray, "n"]
    trade_offs: Float[np.ndarray, "products products"]


def carbon(
    metabolites: tuple[str, ...],
    final: Float[np.ndarray, "n metabolites"],
    initial: Float[np.ndarray, "n metabolites"],
    *,
    atoms: Mapping[str, int] | None = None,
) -> Carbon:
    """The balance of carbon over the metabolites whose number of carbon atoms is known (`CARBON`, or `atoms`).

    Raises `DataError` where none of them is known.

    ```python
    >>> found = carbon(("Acetate", "Lactate"), np.array([[40.0, 10.0], [20.0, 30.0]]), np.array([[0.0, 28.0]] * 2))
    >>> found.total.tolist(), found.net.tolist(), found.trade_offs.round(6).tolist()
    ([110.0, 130.0], [26.0, 46.0], [[1.0, -1.0], [-1.0, 1.0]])

    ```
    """
    known = {**CARBON, **{name.lower(): count for name, count in (atoms or {}).items()}}
    there = [i for i, name in enumerate(metabolites) if name.lower() in known]
    if not there:
        raise DataError(f"carbon: the atoms of none of {', '.join(metabolites)} are known; give them as `atoms`")
    names = tuple(metabolites[i] for i in there)
    count = np.array([known[name.lower()] for name in names], float)
    total, before = final[:, there] @ count, initial[:, there] @ count
    pairs = [[pearson(final[:, i], final[:, j]) for j in there] for i in there]
    return Carbon(names, total, total - before, np.array(pairs))


def _median(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else np.nan


@eqx.filter_jit
def _jacobians(member: Any, first: Array, species: int, steps: int) -> Array:
    def one(z: Array) -> Array:
        at = lambda start: member.forecast(jnp.concatenate([start, z[species:]])[None], steps)[0]
        return jax.jacfwd(at)(z[:species])

    return jax.vmap(one)(first)
