"""How many samples a recurrent network needs with an extended Kalman filter, and with Adam, to predict Mackey-Glass."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ostinato.data import Examples, SequenceBatch, stream
from ostinato.layers import RNN
from ostinato.learning import BPTT, KalmanFilter
from ostinato.losses import squared
from ostinato.training import fit

from .base import Claim, Study, StudySettings

SOURCE = (
    "Singhal and Wu 1988; Puskorius and Feldkamp 1994: a Kalman filter needs far fewer passes than gradient descent"
)
UNITS, WINDOW, SAMPLES, BUDGET = 10, 50, 2000, 20_000
RATES = (0.1, 0.03, 0.01, 0.003, 0.001)
WASHOUT, TEST = 50, 1000


class Windows:
    """Window after window of a series, again and again: `(1, window, 1)`, the next value wanted at each step."""

    def __init__(self, series: np.ndarray, window: int):
        self.series, self.window = series, window

    def __len__(self) -> int:
        return (len(self.series) - 1) // self.window

    def at(self, step: int) -> Examples:
        """The window of a step, counted from 0 over all passes."""
        start = step % len(self) * self.window
        part = jnp.asarray(self.series[start : start + self.window + 1], jnp.result_type(float))[None, :, None]
        weight = jnp.full((1, self.window), 1 / self.window)
        return Examples(SequenceBatch(part[:, :-1]), part[:, 1:], weight)


def mackey_glass(
    length: int, *, delay: int = 17, start: float = 1.2, skip: int = 500, substeps: int = 10
) -> np.ndarray:
    r"""Samples of $\dot x = 0.2 x_\tau / (1 + x_\tau^{10}) - 0.1 x$, one for each unit of time.

    Runge and Kutta's method of order four with `substeps` steps in a unit; the delayed value between two steps is
    their mean.

    ```python
    >>> series = mackey_glass(1000)
    >>> bool(0.2 < series.min() < 0.5 and 1.2 < series.max() < 1.4)
    True

    ```
    """
    h, lag, total = 1 / substeps, delay * substeps, (length + skip) * substeps
    x = np.full(total + lag + 1, start)
    rate = lambda now, late: 0.2 * late / (1 + late**10) - 0.1 * now
    for t in range(lag, total + lag):
        late, next_late = x[t - lag], x[t - lag + 1]
        middle = (late + next_late) / 2
        k1 = rate(x[t], late)
        k2 = rate(x[t] + h / 2 * k1, middle)
        k3 = rate(x[t] + h / 2 * k2, middle)
        k4 = rate(x[t] + h * k3, next_late)
        x[t + 1] = x[t] + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x[lag:][::substeps][skip : skip + length]


def run(settings: StudySettings) -> list[Claim]:
    """Held-out error of one-step prediction over the samples seen: the filter, and Adam at its best learning rate."""
    budget = 1000 if settings.quick else BUDGET
    seeds = settings.seed_list(5)
    series = mackey_glass(SAMPLES + TEST + 1)
    mean, deviation = series[:SAMPLES].mean(), series[:SAMPLES].std()
    series = (series - mean) / deviation
    test = series[SAMPLES:]
    curves = {"filter": [], **{f"Adam {rate:g}": [] for rate in RATES}}
    for seed in seeds:
        model = RNN("elman", 1, UNITS, output_size=1, key=stream(seed, "network"))
        curves["filter"].append(curve(model, series[:SAMPLES], test, None, budget))
        for rate in RATES:
            curves[f"Adam {rate:g}"].append(curve(model, series[:SAMPLES], test, rate, budget))
        settings.note(f"seed {seed}: " + ", ".join(f"{name} {found[-1][-1]:.4f}" for name, found in curves.items()))
    median = {name: np.median(np.array(found), axis=0) for name, found in curves.items()}
    adam = min((name for name in median if name != "filter"), key=lambda name: median[name].min())
    level = float(median[adam].min())
    every = np.arange(1, len(median[adam]) + 1) * WINDOW
    needed = {name: first_below(values, every, level) for name, values in median.items()}
    persistence = float(np.sqrt(np.mean(np.square(np.diff(test)[WASHOUT:])) / np.var(test)))
    ours, theirs = needed["filter"], needed[adam]
    detail = {
        "level": level,
        "samples_needed": needed,
        "nrmse_after": {name: float(values[-1]) for name, values in median.items()},
        "curves": {name: [float(v) for v in values[:: max(len(values) // 40, 1)]] for name, values in median.items()},
        "settings": {
            "units": UNITS,
            "window": WINDOW,
            "samples_in_training_series": SAMPLES,
            "budget": budget,
            "seeds": len(seeds),
            "filter": "global, noise 0.01, process 1e-6, spread 1",
        },
    }
    name = f"Samples until the one-step NRMSE is {level:.4f}, the best that Adam reaches in {budget} samples"
    claim = f"fewer than Adam at its best rate of {len(RATES)}"
    holds = ours is not None and theirs is not None and ours < theirs
    claims = [Claim(name, SOURCE, None, ours, claim, {adam: float(theirs or budget)}, holds, detail)]
    end = {adam: float(median[adam][-1]), "persistence": persistence}
    last = float(median["filter"][-1])
    claims.append(Claim(f"NRMSE after {budget} samples", SOURCE, None, last, "below Adam", end, last < end[adam]))
    return claims


def curve(model: RNN, train: np.ndarray, test: np.ndarray, rate: float | None, budget: int) -> list[float]:
    """The held-out error after each window: with the filter, or with Adam where there is a learning rate."""
    xs = jnp.asarray(test[:-1], jnp.result_type(float))[None, :, None]
    wanted = test[1 + WASHOUT :]

    @jax.jit
    def answer(model: RNN) -> jax.Array:
        return model(xs)[0][0, WASHOUT:, 0]

    def validate(model: RNN) -> dict[str, float]:
        error = np.asarray(answer(model)) - wanted
        return {"nrmse": float(np.sqrt(np.mean(np.square(error)) / np.var(test)))}

    optimizer = None if rate is None else optax.adam(rate)
    rule = KalmanFilter(noise=0.01, process=1e-6) if rate is None else BPTT()
    result = fit(
        model,
        Windows(train, WINDOW),
        loss=squared,
        rule=rule,
        optimizer=optimizer,
        steps=budget // WINDOW,
        every=1,
        validate=validate,
    )
    return [record["metrics"]["nrmse"] for record in result.history]


def first_below(values: np.ndarray, at: np.ndarray, level: float) -> float | None:
    """Where the values first are at most the level."""
    there = np.flatnonzero(values <= level)
    return float(at[there[0]]) if there.size else None


STUDY = Study("Samples that an extended Kalman filter and Adam need to predict Mackey-Glass", run)
