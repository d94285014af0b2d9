"""Communities as a model needs them: its features, its times, everything known at the first one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from ostinato.data import Communities, to_communities
from ostinato.errors import DataError


def training_data(given: Any) -> Communities:
    """Communities to learn from, given as such or as a table. Raises `DataError`."""
    data = given if isinstance(given, Communities) else to_communities(given)
    if len(data.hours) < 2:
        raise DataError("communities: expected samples at two times or more, got one")
    check_start(data)
    return data


def check_start(data: Communities) -> None:
    """Raise `DataError` for a feature that is missing at the first time: predictions start from there."""
    missing = np.argwhere(np.isnan(data.initial))
    if len(missing):
        i, j = (int(n) for n in missing[0])
        raise DataError(
            f"communities: '{data.features[j]}' of community '{data.names[i]}' is missing at {data.hours[0]:g} h, the "
            "first time"
        )


def check_species(data: Communities, species: Sequence[str] | None) -> None:
    """Raise `DataError` for other species than those that a model was fitted to; None: any."""
    if species is not None and data.species != tuple(species):
        raise DataError(f"communities: {_difference(data.species, species)}, which has {', '.join(species)}")


def known_features(given: Any, species: Sequence[str], metabolites: Sequence[str]) -> Communities:
    """Communities with the features of a model, in its order. Raises `DataError` for others, and as `check_start`."""
    data = given if isinstance(given, Communities) else to_communities(given, list(species), list(metabolites))
    known = (*species, *metabolites)
    if (data.species, data.metabolites) != (tuple(species), tuple(metabolites)):
        raise DataError(f"communities: {_difference(data.features, known)}, which has {', '.join(known)}")
    check_start(data)
    return data


def at_hours(data: Communities, hours: Float[np.ndarray, "times"]) -> Communities:
    """Communities at the times of a model, NaN where they have no sample.

    Raises `DataError` for a sample at another time, and for communities that begin later than the model does: what
    they were put together from is not known then.
    """
    if np.array_equal(data.hours, hours):
        return data
    at = {float(h): i for i, h in enumerate(hours)}
    strange = [float(h) for h in data.hours if float(h) not in at]
    if strange:
        trained = ", ".join(f"{h:g}" for h in hours)
        raise DataError(f"communities: a sample at {strange[0]:g} h; the model was trained on {trained} h")
    if data.hours[0] != hours[0]:
        raise DataError(f"communities: they begin at {data.hours[0]:g} h, the model at {hours[0]:g} h")
    values = np.full((len(data), len(hours), len(data.features)), np.nan)
    values[:, [at[float(h)] for h in data.hours]] = data.values
    return replace(data, hours=hours, values=values)


def _difference(found: Sequence[str], known: Sequence[str]) -> str:
    """In words, in what names differ."""
    other = [name for name in found if name not in known]
    missing = [name for name in known if name not in found]
    return f"'{other[0]}' is not known to the model" if other else f"'{(*missing, 'the order')[0]}' differs"
