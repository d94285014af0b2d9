"""Tree echo-state network as an estimator (Gallicchio and Micheli, "Tree Echo State Networks", Neurocomputing 2013)."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from ostinato.data import SequenceBatch, stream
from ostinato.errors import DataError, ShapeError
from ostinato.models import measures
from ostinato.models.base import Estimator, Weights
from ostinato.models.checks import Check, whole
from ostinato.models.ridge import RidgeRegression
from ostinato.models.targets.numbers import columns, read_numbers
from ostinato.precision import float64
from ostinato.trees import Tree, TreeReservoir, pool_nodes, tree_batch, unroll_tree

STRENGTHS = tuple(10.0**k for k in range(-5, 3))
"""Penalties to choose from: states of a reservoir depend on one another strongly, so small ones too."""

CANDIDATES = ("hidden_size", "sigma", "input_scaling")
"""Settings of which there may be several to choose from."""


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, Sequence) else (value,)


def _is_choice(value: Any, model: Any) -> bool:
    return bool(_several(value)) and all(isinstance(v, (int, float)) and v > 0 for v in _several(value))


class TreeESN(Estimator):
    r"""Numbers for trees: a reservoir that is not trained, run from the leaves up, and a read-out in closed form.

    $$h_n = \tanh\Big(W x_n + b + \sum_i R\, h_{c_i(n)}\Big),\qquad \hat y = V\, \mathrm{pool}_n(h_n) + c$$

    `fit(trees, y)`, `predict`, `score` (R²), `evaluate`, `save` and `load`; trees are `trees.Tree`s, y `(n,)` or
    `(n, targets)`. `pool`: `"root"`, `"mean"`, `"sum"` (for what grows with the tree) or `"max"`.

    `hidden_size`, `sigma` and `input_scaling` may be tuples of candidates; what has the least leave-one-out error on
    the training trees is taken, as is the penalty. `sigma` is the number of children times the spectral norm of R:
    below 1 the network forgets its leaves. `reservoirs` are drawn and their predictions averaged. `arity` is the
    number of children that `sigma` is shared out among, by default the largest of the training trees; trees with more
    children can be predicted. All is computed in float64 and is a function of `seed`.

    After `fit`: `layers_`, `readouts_`, `chosen_` (`hidden_size`, `sigma`, `input_scaling`), `arity_`,
    `n_features_in_`, `n_targets_`, `baseline_`, a ridge on the number of nodes, its square and the mean of the
    features.

    Raises `SettingsError`, `ShapeError`, `DataError`, `NonFiniteError`, `NotFitted`.

    ```python
    >>> rng = np.random.default_rng(0)
    >>> chains = [Tree(rng.normal(size=(n, 1)), [()] + [(k,) for k in range(n - 1)]) for n in rng.integers(2, 9, 60)]
    >>> sizes = np.array([len(tree) for tree in chains])
    >>> model = TreeESN(hidden_size=20, pool="sum").fit(chains[:40], sizes[:40])
    >>> model.score(chains[40:], sizes[40:]) > 0.9
    True

    ```
    """

    kind = "tree-esn"
    estimator_type = "regressor"
    checks = (
        *(Check(name, _is_choice, "a positive number or several") for name in CANDIDATES),
        *whole("reservoirs"),
    )

    def __init__(
        self,
        hidden_size: int | Sequence[int] = (20, 50, 100),
        *,
        sigma: float | Sequence[float] = (0.5, 1.0, 2.0, 3.0, 5.0),
        pool: str = "sum",
        input_scaling: float | Sequence[float] = 1.0,
        bias_scaling: float = 0.5,
        reservoirs: int = 3,
        arity: int | None = None,
        seed: int = 0,
    ):
        self.hidden_size = hidden_size
        self.sigma = sigma
        self.pool = pool
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.reservoirs = reservoirs
        self.arity = arity
        self.seed = seed

    def fit(self, trees: Any, y: Any) -> "TreeESN":
        """Run every candidate over the trees and keep the best; nothing is kept from an earlier `fit`."""
        return self._refit(trees, y)

    def _fit(self, trees: Any, y: Any) -> None:
        self._check_settings()
        trees = _trees(trees)
        targets, single = _targets(y, len(trees))
        if len(trees) < 3:
            raise DataError(f"trees: expected three or more, got {len(trees)}")
        candidates = [_several(getattr(self, name)) for name in CANDIDATES]
        self.arity_ = max(1, *(tree.arity for tree in trees)) if self.arity is None else self.arity
        self.n_features_in_, self.n_targets_ = trees[0].features.shape[1], targets.shape[1]
        self._single = single
        batch, best = self._batch(trees, self.arity_), np.inf
        for size, sigma, scaling in product(*candidates):
            layers = self._layers(int(size), float(sigma), float(scaling))
            readouts = [RidgeRegression.fit(states, targets, STRENGTHS) for states in self._states(layers, batch)]
            error = float(np.mean([readout.left_out for readout in readouts]))
            if error < best:
                best, self.layers_, self.readouts_ = error, layers, readouts
                self.chosen_ = {"hidden_size": int(size), "sigma": float(sigma), "input_scaling": float(scaling)}
        self.baseline_ = RidgeRegression.fit(_summary(trees), targets)

    def predict(self, trees: Any) -> np.ndarray:
        """Numbers for each tree, `(n,)` or `(n, targets)`."""
        self.check_fitted()
        trees = _trees(trees, self.n_features_in_)
        # A reservoir treats all children alike, so trees with more of them than in training are trees like others.
        arity = max(self.arity_, *(tree.arity for tree in trees))
        layers = [self._wider(layer, arity) for layer in self.layers_]
        states = self._states(layers, self._batch(trees, arity))
        parts = [readout.predict(own) for readout, own in zip(self.readouts_, states, strict=True)]
        found = np.mean(parts, axis=0)
        return found[:, 0] if self._single else found

    def score(self, trees: Any, y: Any) -> float:
        """R²: 1 is perfect, 0 as good as the mean of these targets."""
        return self.evaluate(trees, y)["r2"]

    def evaluate(self, trees: Any, y: Any) -> dict[str, Any]:
        """`mae`, `rmse`, `r2`, `count`; `baselines`: those of the training mean and of a model of the size alone."""
        trees = _trees(trees)
        found = self.predict(trees).reshape(len(trees), -1)
        truth, _ = _targets(y, len(trees))
        if truth.shape[1] != self.n_targets_:
            raise ShapeError(f"y: expected {self.n_targets_} targets, got {truth.shape[1]}")
        mean = np.broadcast_to(self.baseline_.constant, truth.shape)
        beside = {"mean": _scores(truth, mean), "size": _scores(truth, self.baseline_.predict(_summary(trees)))}
        return {**_scores(truth, found), "baselines": beside, "count": len(truth)}

    def _layers(self, size: int, sigma: float, scaling: float) -> list[TreeReservoir]:
        with float64():
            return [
                TreeReservoir(
                    self.n_features_in_,
                    size,
                    arity=self.arity_,
                    norm=sigma / self.arity_,
                    input_scaling=scaling,
                    bias_scaling=self.bias_scaling,
                    dtype="float64",
                    key=jr.fold_in(stream(self.seed, "reservoir"), k),
                )
                for k in range(self.reservoirs)
            ]

    def _states(self, layers: list[TreeReservoir], batch: SequenceBatch) -> list[Float[np.ndarray, "n hidden"]]:
        """What each read-out sees."""
        with float64():
            pooled: list[Array] = [pool_nodes(unroll_tree(layer, batch), batch.mask, self.pool) for layer in layers]
            return [np.asarray(states) for states in pooled]

    def _wider(self, layer: TreeReservoir, arity: int) -> TreeReservoir:
        """The same reservoir for trees with up to so many children."""
        if arity == layer.arity:
            return layer
        with float64():
            made = TreeReservoir(
                layer.input_size, layer.hidden_size, arity=arity, dtype="float64", key=stream(self.seed, "reservoir")
            )
            return _with(made, layer.W, layer.R, layer.b)

    def _batch(self, trees: Sequence[Tree], arity: int) -> SequenceBatch:
        with float64():
            return tree_batch(trees, arity, dtype="float64")

    def _fitted(self) -> tuple[Any, dict[str, Any]]:
        with float64():
            weights = [{n: jnp.asarray(v) for n, v in readout.arrays().items()} for readout in self.readouts_]
            return {"readouts": weights, "reservoirs": [(c.W, c.R, c.b) for c in self.layers_]}, {
                "chosen": self.chosen_,
                "arity": self.arity_,
                "features": self.n_features_in_,
                "targets": self.n_targets_,
                "single": self._single,
                "baseline": {n: np.asarray(v).tolist() for n, v in self.baseline_.arrays().items()},
            }

    def _restore(self, numbers: dict[str, Any], weights: Weights) -> None:
        self.arity_, self.n_features_in_ = int(numbers["arity"]), int(numbers["features"])
        self.n_targets_, self._single = int(numbers["targets"]), bool(numbers["single"])
        self.chosen_ = {
            "hidden_size": int(numbers["chosen"]["hidden_size"]),
            "sigma": float(numbers["chosen"]["sigma"]),
            "input_scaling": float(numbers["chosen"]["input_scaling"]),
        }
        size, targets = self.chosen_["hidden_size"], self.n_targets_
        self.layers_ = self._layers(size, self.chosen_["sigma"], self.chosen_["input_scaling"])
        with float64():
            shapes = {"mean": (size,), "scale": (size,), "weights": (size, targets), "constant": (targets,)}
            like = {n: jax.ShapeDtypeStruct(shape, jnp.dtype("float64")) for n, shape in shapes.items()}
            layers = [(c.W, c.R, c.b) for c in self.layers_]
            found = weights({"readouts": [like] * self.reservoirs, "reservoirs": layers})
        self.layers_ = [_with(cell, *parts) for cell, parts in zip(self.layers_, found["reservoirs"], strict=True)]
        self.readouts_ = [RidgeRegression.from_arrays(part) for part in found["readouts"]]
        self.baseline_ = RidgeRegression.from_arrays(numbers["baseline"])


def _with(cell: TreeReservoir, W: Array, R: Array, b: Array) -> TreeReservoir:
    return eqx.tree_at(lambda c: (c.W, c.R, c.b), cell, (W, R, b))


def _trees(trees: Any, features: int | None = None) -> list[Tree]:
    trees = list(trees)
    for i, tree in enumerate(trees):
        if not isinstance(tree, Tree):
            raise DataError(f"trees[{i}]: expected a Tree, got {tree!r:.60}")
        wanted = trees[0].features.shape[1] if features is None else features
        if tree.features.shape[1] != wanted:
            raise ShapeError(f"trees[{i}]: expected {wanted} features, got {tree.features.shape[1]}")
    return trees


def _targets(y: Any, count: int) -> tuple[Float[np.ndarray, "n targets"], bool]:
    targets = read_numbers(y, "y")
    if len(targets) != count:
        raise ShapeError(f"y: expected ({count},) or ({count}, targets), one for each tree, got {targets.shape}")
    return columns(targets), targets.ndim == 1


def _summary(trees: Sequence[Tree]) -> Float[np.ndarray, "n summaries"]:
    return np.array([[len(t), len(t) ** 2, *t.features.mean(0)] for t in trees], np.float64)


def _scores(truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
    return {name: getattr(measures, name)(truth, found) for name in ("mae", "rmse", "r2")}
