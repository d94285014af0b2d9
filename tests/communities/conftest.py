"""Communities that are made, not measured, and one model that is fitted to them for several files."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ostinato.communities import CommunityModel
from ostinato.data import Communities


@pytest.fixture(scope="session")
def small() -> dict[str, Any]:
    """Settings of a network that is trained in a moment."""
    return {"hidden_size": 4, "members": 1, "folds": 0, "epochs": 2, "batch_size": 4}


@pytest.fixture(scope="session")
def make() -> Callable[..., Communities]:
    """So many communities as are asked for."""
    return made


@pytest.fixture(scope="session")
def fitted(small: dict[str, Any]) -> CommunityModel:
    """Two members and three folds on twelve communities."""
    return CommunityModel(**small | {"members": 2, "folds": 3}).fit(made(12))


def made(count: int = 10, times: int = 4, seed: int = 0) -> Communities:
    """Three species and an acid, which one of them makes out of what another leaves."""
    rng = np.random.default_rng(seed)
    present = rng.integers(0, 2, (count, 3)).astype(bool)
    present[np.arange(count), np.arange(count) % 3] = True
    start = np.where(present, 0.01, 0.0)
    hours = np.arange(times) * 8.0
    growth = np.array([1.0, 2.0, 0.5]) - 0.4 * present.sum(1, keepdims=True)
    values = start[:, None] * np.exp(np.minimum(growth[:, None] * hours[:, None] / 8, 4.0))
    acid = 5 + 20 * values[..., :1] + rng.normal(size=(count, times, 1)) * 0.01
    names = tuple(f"c{i}" for i in range(count))
    return Communities(names, ("A", "B", "C"), ("acid",), hours, np.concatenate([values, acid], axis=-1))
