"""Small models and batches whose training can be written down in numpy."""

from types import SimpleNamespace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ostinato as ost
from tests.listed import Listed


def linear_examples(count: int, batch: int = 3, time: int = 4, seed: int = 0) -> list[ost.Examples]:
    """Targets that are nearly linear in two inputs."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        xs = rng.normal(size=(batch, time, 2))
        targets = xs @ np.array([[1.5], [-0.5]]) + 0.1 * rng.normal(size=(batch, time, 1))
        weight = rng.uniform(0.5, 1.5, size=(batch, time)) / (batch * time)
        found.append(ost.Examples(ost.SequenceBatch(jnp.asarray(xs)), jnp.asarray(targets), jnp.asarray(weight)))
    return found


def linear_model(V: Any = ((0.3, 0.2),), c: Any = (0.1,)) -> Any:
    """`y = V x + c` for each step: what numpy can train too."""
    model = ost.Readout(2, 1, key=jax.random.key(0))
    return eqx.tree_at(lambda m: (m.V, m.c), model, (jnp.asarray(V), jnp.asarray(c)))


def linear_value_and_grads(
    V: np.ndarray, c: np.ndarray, examples: ost.Examples
) -> tuple[float, np.ndarray, np.ndarray]:
    """The weighted squared error, and its derivatives by hand."""
    xs, targets, weight = (np.asarray(a) for a in (examples.inputs.values, examples.targets, examples.weight))
    errors = (xs @ V.T + c - targets)[..., 0]
    slope = 2 * weight * errors
    return float(np.sum(weight * errors**2)), np.einsum("bt,bti->i", slope, xs)[None], np.array([slope.sum()])


@pytest.fixture(scope="session")
def linear() -> SimpleNamespace:
    """A model, its batches, and its loss with gradients in numpy."""
    return SimpleNamespace(
        model=linear_model, examples=linear_examples, value_and_grads=linear_value_and_grads, Listed=Listed
    )
