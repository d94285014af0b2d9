"""A forecaster that has adapted: its mixture, the networks that correct it, and how much these have earned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ostinato.data import SequenceBatch, Series
from ostinato.models.forecast.auto.correction import Correction, MissedWindows
from ostinato.models.forecast.auto.mixture import Mixture, View, shares_by_step
from ostinato.models.forecast.windows import ROWS, OriginWindows
from ostinato.training import Ensemble


@dataclass(frozen=True)
class Plan:
    """What the networks look like and what they see.

    * `view`: the targets as they are or their logarithm; `relative`: taken from their last value; `indicators`: whether
      the networks are told which values are missing.
    * `scale`: their output is in units of so much; `shares (stretches,)`: how much of the correction is made.
    """

    view: View
    context: int
    horizon: int
    hidden_size: int | tuple[int, ...]
    seeds: tuple[int, ...]
    relative: bool
    indicators: bool
    scale: float = 1.0
    shares: tuple[float, ...] = ()

    def windows(self, series: Series, origins: Sequence[np.ndarray], missed: np.ndarray | None = None) -> OriginWindows:
        """What the networks see at some origins, with what is missed there where that is given."""
        features = self.view.features
        arrays = features.arrays(self.view.lifted(series))
        # Rows that are not there yet are not looked at, but the windows reach over them.
        pad = [max(int(np.max(o, initial=0)) + self.horizon - len(a), 0) for a, o in zip(arrays, origins, strict=True)]
        arrays = [np.concatenate([a, np.zeros((p, a.shape[1]))]) for a, p in zip(arrays, pad, strict=True)]
        given = (arrays, features.layout, self.context, self.horizon, origins)
        if missed is None:
            return OriginWindows(*given, missing=self.indicators)
        return MissedWindows(missed, *given, missing=self.indicators)

    def numbers(self) -> dict[str, Any]:
        """Plain values for a file."""
        names = ("context", "horizon", "hidden_size", "seeds", "relative", "indicators", "scale", "shares")
        return {"view": self.view.numbers()} | {k: getattr(self, k) for k in names}

    @classmethod
    def from_file(cls, numbers: dict[str, Any]) -> "Plan":
        """The inverse of `numbers`. Raises `CorruptFile`."""
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in numbers.items() if k != "view"}
        return cls(view=View.from_file(numbers["view"]), **plain)


@dataclass(frozen=True)
class Adapted:
    r"""A convex mixture of simple forecasts b and of networks N: $b + w (N - b)$ with $N = l + \frac1M \sum_m n_m$.

    The networks n start at the best linear forecast l, `lead`, and learn what it misses.

    `trials`: `(name, root mean square error, share)` of all that was tried; `without`: why there is no network.
    """

    mixture: Mixture
    lead: Mixture | None = None
    plan: Plan | None = None
    network: Ensemble | None = None
    trials: list[tuple[str, float, float]] = field(default_factory=list)
    seasons: tuple[int, ...] = ()
    without: str = "too few rows for a network"

    def forecast(self, series: Series, origins: Sequence[np.ndarray], horizon: int) -> np.ndarray:
        """`(n, horizon, targets)` in the units of the data, at the origins of one series after the other."""
        base = self.mixture.forecast(series, origins, horizon)
        if self.lead is None or self.plan is None or self.network is None:
            return base
        share = shares_by_step(np.array(self.plan.shares)[:, None], self.mixture.edges, horizon)
        lead = self.lead.forecast(series, origins, horizon)
        made = corrected(self.network, self.plan, series, origins, lead)
        # Where there is too little past for the networks the mixture stands alone.
        enough = np.concatenate([np.asarray(o) >= self.plan.context for o in origins])
        return base + share * np.where(enough[:, None, None], made - base, 0)

    @property
    def words(self) -> str:
        """What was chosen, in a sentence."""
        share = sorted(zip(self.mixture.shares.mean(0), self.mixture.names, strict=True), reverse=True)
        members = ", ".join(f"{100 * s:.0f} % {name}" for s, name in share)
        if self.plan is None:
            added = self.without
        else:
            size = self.plan.hidden_size
            units = size if isinstance(size, int) else " and ".join(map(str, size))
            part, count = 100 * np.mean(self.plan.shares), len(self.plan.seeds)
            added = f"the networks ({count} of {units} units) have {part:.0f} % beside them"
        return f"chosen by rolling origin in the training rows: {members}; {added}"

    @property
    def chosen(self) -> dict[str, Any]:
        """What was chosen and why, as plain values.

        * `mixture`: the share of each simple forecast among these. `network`: what stands beside them, with its share
          of the whole, or in words why there is none.
        * `seasons`: those that were tried; `calendar`: the waves of the date that were.
        * `tried`: the root mean square error of each on rows that it was not fitted to, in units of the targets' scale.
        """
        share = self.mixture.shares.mean(0)
        network: Any = self.without
        if self.plan is not None:
            plan = self.plan
            network = {
                "share": float(np.mean(plan.shares)),
                "networks": len(plan.seeds),
                "hidden_size": plan.hidden_size,
                "context": plan.context,
                "logarithm": plan.view.log,
                "relative to the last value": plan.relative,
            }
        return {
            "mixture": dict(zip(self.mixture.names, share.tolist(), strict=True)),
            "network": network,
            "seasons": list(self.seasons),
            "calendar": list(self.mixture.views[0].features.calendar),
            "tried": {name: error for name, error, _ in self.trials},
        }

    def numbers(self) -> dict[str, Any]:
        """What is not an array, as plain values for a file."""
        plan = None if self.plan is None else self.plan.numbers()
        rows = [list(row) for row in self.trials]
        lead = None if self.lead is None else self.lead.numbers()
        found = {"mixture": self.mixture.numbers(), "lead": lead, "plan": plan, "trials": rows}
        return found | {"seasons": list(self.seasons), "without": self.without}

    def arrays(self) -> dict[str, Any]:
        """The arrays, for a file."""
        network = None if self.network is None else eqx.filter(self.network, _is_array)
        lead = [] if self.lead is None else self.lead.arrays()
        return {"mixture": self.mixture.arrays(), "lead": lead, "network": network}

    @classmethod
    def like(cls, numbers: dict[str, Any], build: Callable[[Plan], Ensemble]) -> "Adapted":
        """From `numbers`, with the shapes of the arrays only. Raises `CorruptFile`."""
        plan = None if numbers["plan"] is None else Plan.from_file(numbers["plan"])
        network = None if plan is None else eqx.filter_eval_shape(build, plan)
        rows = [(str(name), float(error), float(share)) for name, error, share in numbers["trials"]]
        seasons = tuple(int(m) for m in numbers["seasons"])
        lead = None if numbers["lead"] is None else Mixture.from_file(numbers["lead"])
        return cls(Mixture.from_file(numbers["mixture"]), lead, plan, network, rows, seasons, str(numbers["without"]))

    def filled(self, arrays: dict[str, Any]) -> "Adapted":
        """The same with the arrays of a file."""
        lead = None if self.lead is None else self.lead.filled(arrays["lead"])
        network = None if self.network is None else arrays["network"]
        return replace(self, mixture=self.mixture.filled(arrays["mixture"]), lead=lead, network=network)


def _is_array(leaf: Any) -> bool:
    return eqx.is_array(leaf) or isinstance(leaf, jax.ShapeDtypeStruct)


def corrected(
    network: Ensemble, plan: Plan, series: Series, origins: Sequence[np.ndarray], base: np.ndarray
) -> np.ndarray:
    """What the networks make of forecasts `base (n, horizon, targets)`; those without enough past stay as they are."""
    enough = [np.asarray(o) >= plan.context for o in origins]
    if not np.concatenate(enough).any():
        return base
    seen = [np.asarray(o)[e] for o, e in zip(origins, enough, strict=True)]
    said = said_by(network, plan.windows(series, seen))[:, : base.shape[1]] * plan.scale
    here, counts = np.concatenate(enough), [len(o) for o in seen]
    made = base.copy()
    scaled = plan.view.from_units(base[here], series, counts) + said
    made[here] = plan.view.to_units(scaled, series, counts)
    return made


def said_by(network: Ensemble, windows: OriginWindows) -> np.ndarray:
    """The mean output of the networks for all windows, in blocks of one size so that there is one compilation."""
    members, size = len(network.members.head.c), min(ROWS, len(windows)) or 1
    blocks = []
    for start in range(0, len(windows), size):
        rows = np.arange(start, min(start + size, len(windows)))
        taken = windows.take(np.resize(rows, size), windows.context + windows.horizon)
        wide = lambda a: jnp.broadcast_to(jnp.asarray(a), (members, *a.shape))
        observed = None if taken.observed is None else wide(taken.observed)
        xs = SequenceBatch(wide(taken.values.astype(np.dtype(jnp.result_type(float)))), observed=observed)
        blocks.append(np.asarray(_run(network, xs), np.float64).mean(0)[: len(rows)])
    return np.concatenate(blocks)


@eqx.filter_jit
def _run(network: Ensemble, xs: SequenceBatch) -> Array:
    return network(xs)[0]


def build(plan: Plan, cell: Any, num_layers: int, dropout: float, head_size: int | None) -> Ensemble:
    """The networks of a plan before training, which correct nothing."""
    many = not isinstance(plan.hidden_size, int)

    def one(key: Any) -> Correction:
        return Correction.make(
            cell,
            list(plan.hidden_size) if many else plan.hidden_size,  # pyright: ignore[reportArgumentType]
            len(plan.hidden_size) if many else num_layers,  # pyright: ignore[reportArgumentType]
            plan.view.features.layout,
            plan.context,
            plan.horizon,
            subtract_last=plan.relative,
            indicators=plan.indicators,
            dropout=dropout,
            head_size=head_size,
            key=key,
        )

    return eqx.filter_jit(Ensemble.make)(one, plan.seeds)
