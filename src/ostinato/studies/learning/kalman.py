"""How many samples a recurrent network needs with an extended Kalman filter, and with Adam, to predict Mackey-Glass."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ostinato.data import Examples, SequenceBatch, stream
from ostinato.layers import RNN
from ostinato.learning import BPTT, KalmanFilter
from ostinato.losses import squared
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.tasks import mackey_glass
from ostinato.training import fit

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


def run(settings: StudySettings) -> list[Claim]:
    """Held-out error of one-step prediction over the samples seen: the filter, and Adam at its best learning rate."""
    series = mackey_glass(SAMPLES + TEST + 1)
    return judged(series, SAMPLES, 1000 if settings.quick else BUDGET, settings)


def judged(series: np.ndarray, samples: int, budget: int, settings: StudySettings) -> list[Claim]:
    """The claims about a series: so many samples to learn from, again and again up to the budget; the rest judges."""
    seeds = settings.seed_list(5)
    series = (series - series[:samples].mean()) / series[:samples].std()
    train, test = series[:samples], series[samples:]
    learners = {"filter": None, **{f"Adam {rate:g}": rate for rate in RATES}}
    curves: dict[str, list[list[float]]] = {name: [] for name in learners}
    for seed in seeds:
        model = RNN("elman", 1, UNITS, output_size=1, key=stream(seed, "network"))
        for name, rate in learners.items():
            curves[name].append(curve(model, train, test, rate, budget))
        settings.note(f"seed {seed}: " + ", ".join(f"{name} {found[-1][-1]:.4f}" for name, found in curves.items()))
    persistence = float(np.sqrt(np.mean(np.square(np.diff(test)[WASHOUT:])) / np.var(test)))
    return compared({name: np.median(np.array(found), axis=0) for name, found in curves.items()}, persistence, seeds)


def compared(median: dict[str, np.ndarray], persistence: float, seeds: list[int]) -> list[Claim]:
    """The claims from the median error of each learner after each window."""
    adam = min((name for name in median if name != "filter"), key=lambda name: median[name].min())
    level = float(median[adam].min())
    every = np.arange(1, len(median[adam]) + 1) * WINDOW
    needed = {name: first_below(values, every, level) for name, values in median.items()}
    # Adam itself reaches the best that it reaches.
    theirs, budget = needed[adam], int(every[-1])
    assert theirs is not None
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
    bar, end = Bar.below(theirs, f"Adam at its best rate of {len(RATES)}"), float(median[adam][-1])
    return [
        Claim(name, SOURCE, None, needed["filter"], bar, {adam: theirs}, detail),
        Claim(
            f"NRMSE after {budget} samples",
            SOURCE,
            None,
            float(median["filter"][-1]),
            Bar.below(end, "Adam"),
            {adam: end, "persistence": persistence},
        ),
    ]


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
