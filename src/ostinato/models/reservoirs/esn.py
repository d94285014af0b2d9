"""Echo-state network as an estimator: a reservoir that is not trained, and a read-out in closed form (Jaeger 2001)."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from ostinato.cells import ES2N, Cell, EchoState
from ostinato.data import Examples, SequenceBatch, Standardizer, stream
from ostinato.errors import DataError, SettingsError, ShapeError
from ostinato.layers import Readout, echo_states, unroll
from ostinato.learning import Ridge
from ostinato.losses import squared
from ostinato.models import measures
from ostinato.models.base import Estimator, Weights
from ostinato.models.checks import one_of, whole
from ostinato.models.reservoirs.inputs import check_pairs, driven, first_of, is_several, lagged, read_sequences
from ostinato.models.ridge import RidgeRegression
from ostinato.precision import float64

RESERVOIRS = {"echo-state": EchoState, "es2n": ES2N}


class Fitted(NamedTuple):
    """What is learned, in float64: the reservoirs and the read-out on top of all of them."""

    layers: tuple[Cell, ...]
    readout: Readout


class ESN(Estimator):
    r"""A reservoir driven by a sequence, and the linear read-out that is best in the sense of least squares.

    $$h_t = (1 - \alpha) h_{t-1} + \alpha \tanh(W u_t + b + R h_{t-1}),\qquad \hat y_t = V [h_t; u_t] + c$$

    * `fit(X, y)`: X one sequence `(time,)` or `(time, features)`, or a list of them; y likewise, a target for each
      step. `predict(X)` gives what y has.
    * `fit(X)`: the series itself is the target, one step ahead, and $u_t$ is its last value. `predict(X)` gives the
      value that was expected at each step (the first from nothing), `forecast(steps)` goes on from the end of the
      training series by itself, or from the end of `history`.
    * `score` is R²; `evaluate` gives `nrmse` (error over the deviation of the targets), `r2`, and the same of the mean
      and of a linear model of the last 10 inputs (see `models.measures`).

    `hidden_size` units in each of `num_layers` layers, each driven by the one below; all are seen by the read-out.
    `leak` is $\alpha$; `spectral_radius`, `connectivity`, `input_scaling`, `bias_scaling` as in `cells.EchoState`.
    `cell="es2n"` with `proximity` takes `cells.ES2N` instead. `penalty` is that of the ridge on sums over steps
    (with 0, where many solutions are equally good, the one of the smallest norm is taken);
    `washout` steps at the start of each sequence are left out; `direct=False` hides $u_t$ from the read-out. With
    `scale`, inputs and targets are standardised first. All is computed in float64 and is a function of `seed`.

    After `fit`: `layers_`, `readout_`, `scale_`, `target_scale_`, `baseline_`, `n_features_in_`, `n_targets_`.

    Raises `SettingsError`, `ShapeError`, `DataError`, `NonFiniteError`, `NotFitted`.

    ```python
    >>> series = np.sin(np.arange(600) / 5)
    >>> model = ESN(hidden_size=100, leak=0.3).fit(series[:500])
    >>> bool(np.abs(model.forecast(100) - series[500:]).max() < 1e-3)
    True

    ```
    """

    kind = "esn"
    estimator_type = "regressor"
    checks = (*one_of("cell", RESERVOIRS), *whole("hidden_size", "num_layers"), *whole("washout", least=0))

    def __init__(
        self,
        hidden_size: int = 300,
        num_layers: int = 1,
        *,
        cell: str = "echo-state",
        spectral_radius: float = 0.9,
        connectivity: float = 0.1,
        input_scaling: float = 1.0,
        bias_scaling: float = 0.2,
        leak: float = 1.0,
        proximity: float = 0.1,
        penalty: float = 1e-6,
        washout: int = 100,
        direct: bool = True,
        scale: bool = True,
        seed: int = 0,
    ):
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.cell = cell
        self.spectral_radius = spectral_radius
        self.connectivity = connectivity
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.leak = leak
        self.proximity = proximity
        self.penalty = penalty
        self.washout = washout
        self.direct = direct
        self.scale = scale
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> "ESN":
        """Draw the reservoir, run it over the sequences, solve for the read-out; nothing is kept from before."""
        return self._refit(X, y)

    def _fit(self, X: Any, y: Any = None) -> None:
        self._check_settings()
        inputs, _ = read_sequences(X, "X")
        targets, single = (inputs, np.ndim(first_of(X)) == 1) if y is None else read_sequences(y, "y")
        check_pairs(inputs, targets)
        if sum(max(len(t) - self.washout, 0) for t in targets) < 2:
            raise DataError(f"X: expected more than washout = {self.washout} steps, got {max(map(len, targets))}")
        own = y is None
        rows = lambda parts: [part for part in parts if len(part)]
        scale, wanted = (_scaling(rows(parts), self.scale) for parts in (inputs, targets))
        drives = [driven(scale.transform(part), own) for part in inputs]
        aims = [wanted.transform(part) for part in targets]
        with float64():
            layers = self._reservoirs(inputs[0].shape[1])
            size = self.hidden_size * self.num_layers + (inputs[0].shape[1] if self.direct else 0)
            # One network for all: only the rule's sums go from sequence to sequence.
            rule = Ridge(self.penalty)
            carry = rule.init(Readout(size, aims[0].shape[1], dtype="float64", key=jr.key(0)), jr.key(0))
            end = None
            # Nothing can be seen in a sequence of length 0.
            for drive, aim in ((d, a) for d, a in zip(drives, aims, strict=True) if len(d)):
                found, end = self._features(layers, jnp.asarray(drive))
                weight = jnp.asarray(np.arange(len(drive)) >= self.washout, "float64")
                carry, _ = rule.step(
                    carry, squared, Examples(SequenceBatch(found), jnp.asarray(aim), weight), jr.key(0)
                )
            self._keep(Fitted(layers, _solved(rule, carry)), scale, wanted, own, single)
            self._end = (jax.tree.map(np.asarray, end), rows(aims)[-1][-1])
        rest = slice(self.washout, None)
        self.baseline_ = RidgeRegression.fit(
            np.concatenate([lagged(drive)[rest] for drive in drives]), np.concatenate([a[rest] for a in aims])
        )

    def predict(self, X: Any) -> Any:
        """What is expected at each step, in the units and with the axes of the targets; a list where X is one."""
        drives = self._drives(X)
        with float64():
            outputs = [self._outputs(drive) for drive in drives]
        found = [self._units(out) for out in outputs]
        return found if is_several(X) else found[0]

    def forecast(self, steps: int, history: Any = None) -> np.ndarray:
        """The next `steps` values of the series, each from those before it, after the training series or `history`.

        Raises `SettingsError` for a network with targets of its own: it does not say what comes in next.
        """
        self.check_fitted()
        if not self._own:
            raise SettingsError("forecast: fitted with targets of its own; fit(series) alone learns what comes next")
        if steps < 1:
            raise SettingsError(f"steps: expected 1 or more, got {steps}")
        with float64():
            if history is None:
                states, last = self._end
            else:
                (drive,) = self._drives([history])
                if not len(drive):
                    raise DataError("history: expected at least one value")
                states = self._features(self.layers_, jnp.asarray(drive))[1]
                last = self.scale_.transform(read_sequences(history, "history")[0][0])[-1]
            fitted = Fitted(self.layers_, self.readout_)
            found = np.asarray(_free_run(fitted, states, jnp.asarray(last), steps, self.direct))
        return self._units(found)

    def score(self, X: Any, y: Any = None) -> float:
        """R²: 1 is perfect, 0 as good as the mean of these targets."""
        return self.evaluate(X, y)["r2"]

    def evaluate(self, X: Any, y: Any = None) -> dict[str, Any]:
        """`nrmse`, `r2`, `count`, and `baselines`: those of `mean` and `linear`; without the washout."""
        drives = self._drives(X)
        if y is None and not self._own:
            raise DataError("y: expected targets: the network was fitted with targets of its own")
        truth, _ = read_sequences(X if y is None else y, "y")
        if [len(t) for t in truth] != [len(d) for d in drives] or truth[0].shape[1] != self.n_targets_:
            raise ShapeError(
                f"y: expected {[(len(d), self.n_targets_) for d in drives]}, got {[t.shape for t in truth]}"
            )
        outputs = self.predict(X if is_several(X) else [X])
        rest = slice(self.washout, None)
        wanted = np.concatenate([t[rest] for t in truth])
        if len(wanted) < 2:
            raise DataError(f"X: expected more than washout = {self.washout} steps, got {max(map(len, truth))}")
        last = np.concatenate([lagged(d)[rest] for d in drives])
        linear = self.target_scale_.inverse(self.baseline_.predict(last))
        mean = np.broadcast_to(self.target_scale_.inverse(self.baseline_.constant), wanted.shape)
        ours = np.concatenate([np.reshape(out, (len(out), self.n_targets_))[rest] for out in outputs])
        scores = {
            name: {"nrmse": measures.nrmse(wanted, found), "r2": measures.r2(wanted, found)}
            for name, found in (("ours", ours), ("mean", mean), ("linear", linear))
        }
        return {**scores["ours"], "baselines": {n: scores[n] for n in ("mean", "linear")}, "count": len(wanted)}

    def _outputs(self, drive: np.ndarray) -> np.ndarray:
        """Scaled predictions of one sequence."""
        if not len(drive):
            return np.zeros((0, self.n_targets_))
        return np.asarray(unroll(self.readout_, self._features(self.layers_, jnp.asarray(drive))[0])[0])

    def _reservoirs(self, inputs: int) -> tuple[Cell, ...]:
        options: dict[str, Any] = {
            name: getattr(self, name) for name in ("spectral_radius", "connectivity", "input_scaling", "bias_scaling")
        }
        options |= {"leak": self.leak} if self.cell == "echo-state" else {"proximity": self.proximity}
        key = stream(self.seed, "reservoir")
        sizes = [inputs] + [self.hidden_size] * (self.num_layers - 1)
        make = RESERVOIRS[self.cell]
        return tuple(
            make(size, self.hidden_size, dtype="float64", key=jr.fold_in(key, k), **options)
            for k, size in enumerate(sizes)
        )

    def _features(self, layers: tuple[Cell, ...], drive: Float[Array, "time input"]) -> tuple[Array, Any]:
        """What the read-out sees, and the states of the layers after the last step."""
        found, ends, xs = [drive] if self.direct else [], [], drive
        for layer in layers:
            xs, end = echo_states(layer, xs) if isinstance(layer, EchoState) else unroll(layer, xs)
            found.append(xs)
            ends.append(end)
        return jnp.concatenate(found, axis=-1), tuple(ends)

    def _drives(self, X: Any) -> list[np.ndarray]:
        self.check_fitted()
        inputs, _ = read_sequences(X, "X")
        if inputs[0].shape[1] != self.n_features_in_:
            raise ShapeError(f"X: expected {self.n_features_in_} features, got {inputs[0].shape[1]}")
        return [driven(self.scale_.transform(part), self._own) for part in inputs]

    def _units(self, outputs: np.ndarray) -> np.ndarray:
        found = self.target_scale_.inverse(outputs)
        return found[:, 0] if self._single else found

    def _keep(self, fitted: Fitted, scale: Standardizer, wanted: Standardizer, own: bool, single: bool) -> None:
        self.layers_, self.readout_ = fitted
        self.scale_, self.target_scale_ = scale, wanted
        self.n_features_in_, self.n_targets_ = len(scale.mean), len(wanted.mean)
        self._own, self._single = own, single

    def _fitted(self) -> tuple[Any, dict[str, Any]]:
        with float64():
            weights = {"network": Fitted(self.layers_, self.readout_), "end": jax.tree.map(jnp.asarray, self._end)}
            arrays = eqx.filter(weights, eqx.is_array)
        numbers = {
            "scale": self.scale_.to_dict(),
            "target_scale": self.target_scale_.to_dict(),
            "own": self._own,
            "single": self._single,
            "baseline": {n: np.asarray(v).tolist() for n, v in self.baseline_.arrays().items()},
        }
        return arrays, numbers

    def _restore(self, numbers: dict[str, Any], weights: Weights) -> None:
        scale, wanted = (
            Standardizer(np.asarray(numbers[n]["mean"], np.float64), np.asarray(numbers[n]["scale"], np.float64))
            for n in ("scale", "target_scale")
        )
        with float64():
            layers = self._reservoirs(len(scale.mean))
            size = self.hidden_size * self.num_layers + (len(scale.mean) if self.direct else 0)
            fitted = Fitted(layers, Readout(size, len(wanted.mean), dtype="float64", key=jr.key(0)))
            end = tuple(layer.init_state() for layer in layers), jnp.zeros(len(wanted.mean), "float64")
            like = {"network": fitted, "end": end}
            arrays, rest = eqx.partition(like, eqx.is_array)
            found = eqx.combine(weights(arrays), rest)
        self._keep(found["network"], scale, wanted, bool(numbers["own"]), bool(numbers["single"]))
        self._end = jax.tree.map(np.asarray, found["end"])
        self.baseline_ = RidgeRegression.from_arrays(numbers["baseline"])


def _solved(rule: Ridge, carry: Any) -> Readout:
    """The read-out of the sums; where a penalty is too small to be seen beside them, that of the smallest norm."""
    readout = rule.model(carry)
    if bool(jnp.isfinite(readout.V).all()):
        return readout
    x, y, count = (np.asarray(a) for a in (carry.x, carry.y, carry.weight))
    xx = np.asarray(carry.xx) - np.outer(x, x) / count + rule.penalty * np.eye(len(x))
    xy = np.asarray(carry.xy) - np.outer(x, y) / count
    # Sums of products know a direction to the root of the precision; what is below it is rounding.
    V = np.linalg.lstsq(xx, xy, rcond=len(x) * np.finfo(np.float64).eps)[0].T
    return eqx.tree_at(lambda r: (r.V, r.c), readout, (jnp.asarray(V), jnp.asarray((y - V @ x) / count)))


@eqx.filter_jit
def _free_run(fitted: Fitted, states: Any, last: Array, steps: int, direct: bool) -> Float[Array, "steps outputs"]:
    """Outputs that are the next inputs."""

    def one(carry: tuple[Any, Array], _: Any) -> tuple[tuple[Any, Array], Array]:
        states, u = carry
        seen, x, after = [u] if direct else [], u, []
        for layer, state in zip(fitted.layers, states, strict=True):
            state, x = layer(x, state)
            after.append(state)
            seen.append(x)
        _, y = fitted.readout(jnp.concatenate(seen), fitted.readout.init_state())
        return (tuple(after), y), y

    return jax.lax.scan(one, (jax.tree.map(jnp.asarray, states), last), None, steps)[1]


def _scaling(parts: list[np.ndarray], scale: bool) -> Standardizer:
    features = parts[0].shape[1]
    return Standardizer.fit(parts) if scale else Standardizer(np.zeros(features), np.ones(features))
