"""A fitted community model as arrays and plain values for a file, and back."""

from typing import TYPE_CHECKING, Any

import equinox as eqx
import numpy as np

from ostinato.communities.baselines import BASELINES
from ostinato.communities.members import build
from ostinato.data import Communities, TimeStandardizer
from ostinato.errors import CorruptFile
from ostinato.models.base import Weights

if TYPE_CHECKING:
    from ostinato.communities.model import CommunityModel


def packed(model: "CommunityModel") -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays, and plain values."""
    weights = {
        "networks": model.network_,
        "mean": np.stack([s.mean for s in model.scales_]),
        "scale": np.stack([s.scale for s in model.scales_]),
        "values": _without_gaps(model.communities_.values),
        "unseen": _without_gaps(model.unseen_),
        "baselines": {name: b.arrays() for name, b in model.baselines_.items()},
    }
    numbers = {
        "species": list(model.species_),
        "metabolites": list(model.metabolites_),
        "hours": model.hours_.tolist(),
        "medium": model.medium_.tolist(),
        "communities": list(model.communities_.names),
        "baselines": list(model.baselines_),
        "notes": list(model.notes_),
    }
    return weights, numbers


def unpack(model: "CommunityModel", numbers: dict[str, Any], weights: Weights) -> Any:
    """Set what `packed` took from a model, all but the networks, which are given back. Raises `CorruptFile`."""
    species, metabolites = tuple(map(str, numbers["species"])), tuple(map(str, numbers["metabolites"]))
    names, hours = tuple(map(str, numbers["communities"])), np.asarray(numbers["hours"], float)
    if hours.ndim != 1 or len(hours) < 2 or not (np.diff(hours) > 0).all():
        raise CorruptFile(f"hours: expected two or more increasing times, got {numbers['hours']}")
    count, later, width = model.members + model.folds, len(hours) - 1, len(species) + len(metabolites)
    blank = TimeStandardizer(np.zeros((later + 1, width)), np.ones((later + 1, width)))
    beside = {name: BASELINES[name] for name in numbers["baselines"]}
    shapes = {name: kind.shapes(later, len(species), width) for name, kind in beside.items()}
    read = weights(
        {
            "networks": eqx.filter_eval_shape(lambda: build(model, [blank] * count, hours, len(species), range(count))),
            "mean": np.zeros((count, later + 1, width)),
            "scale": np.zeros((count, later + 1, width)),
            "values": np.zeros((len(names), later + 1, width)),
            "unseen": np.zeros((len(names), later, width)),
            "baselines": {name: {k: np.zeros(shape) for k, shape in own.items()} for name, own in shapes.items()},
        }
    )
    model.species_, model.metabolites_, model.hours_ = species, metabolites, hours
    model.medium_ = np.asarray(numbers["medium"], float)
    model.scales_ = [
        TimeStandardizer(np.asarray(m), np.asarray(s)) for m, s in zip(read["mean"], read["scale"], strict=True)
    ]
    model.communities_ = Communities(names, species, metabolites, hours, _with_gaps(read["values"]))
    model.unseen_ = _with_gaps(read["unseen"])
    model.baselines_ = {
        name: kind(**{k: np.asarray(read["baselines"][name][k]) for k in shapes[name]}) for name, kind in beside.items()
    }
    model.notes_ = tuple(map(str, numbers["notes"]))
    return read["networks"]


def _without_gaps(values: np.ndarray) -> np.ndarray:
    """For a file, in which every number is finite: amounts are 0 or more, so -1 stands for a missing one."""
    return np.nan_to_num(values, nan=-1.0)


def _with_gaps(values: Any) -> np.ndarray:
    values = np.asarray(values, float)
    return np.where(values < 0, np.nan, values)
