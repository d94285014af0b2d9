"""A clockwork network beside a plain one with as many weights: generating a signal of many periods from nothing."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ostinato.cells import CELLS
from ostinato.data import Examples, SequenceBatch
from ostinato.layers import RNN
from ostinato.losses import squared
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.studies.batches import Same
from ostinato.studies.optimizers import fading_adam
from ostinato.training import Ensemble, each, fit

SOURCE = "Koutník et al., ICML 2014, sequence generation: the clockwork network has the lowest error at equal weights"
PERIODS = tuple(2**k for k in range(8))
UNITS = 64
TIME, WAVES, SHORTEST = 320, 8, 6.0
STEPS = 1000
# Each network is trained at each rate, and the better of its errors counts: there is no other data than the signal.
RATES = (0.002, 0.006)
FACTOR = 2.0


def run(settings: StudySettings) -> list[Claim]:
    """Each seed has a signal and weights of its own; both networks see nothing and are to give the signal."""
    seeds = settings.seed_list(5)
    steps, time = (20, 40) if settings.quick else (STEPS, TIME)
    sizes = {"clockwork": UNITS, "elman": plain_units(UNITS)}
    errors, weights = {}, {}
    for cell, units in sizes.items():
        at_rates = [trained(cell, units, seeds, rate, steps, time) for rate in RATES]
        errors[cell] = np.min(at_rates, axis=0)
        weights[cell] = weights_that_count(network(cell, units, jax.random.key(0)))
        settings.note(
            f"clockwork: {cell}, {units} units, {weights[cell]} weights: {np.round(errors[cell], 4).tolist()}"
        )
    ratios = errors["elman"] / errors["clockwork"]
    ours = float(errors["elman"].mean() / errors["clockwork"].mean())
    name = f"error of a plain network over that of a clockwork one, as many weights, mean of {len(seeds)} signals"
    return [
        Claim(
            name,
            SOURCE,
            None,
            ours,
            Bar.at_least(FACTOR),
            {
                "clockwork, squared error over variance": float(errors["clockwork"].mean()),
                "plain, the same": float(errors["elman"].mean()),
                "the mean of the signal": 1.0,
            },
            {
                "by_seed": {cell: found.tolist() for cell, found in errors.items()},
                "ratios": ratios.tolist(),
                "units": sizes,
                "weights that count": weights,
                "settings": f"{steps} steps of Adam with a cosine to 0, the better of {RATES}, gradients of norm 1, "
                f"signals of {time} steps, the sum of {WAVES} sines with periods from {SHORTEST:g} steps to all",
            },
        )
    ]


def signal(seed: int, time: int) -> np.ndarray:
    """A sum of sines whose periods are evenly spread on a logarithmic scale, mean 0 and variance 1: `(time,)`."""
    rng = np.random.default_rng([seed, 14])
    periods = np.exp(rng.uniform(np.log(SHORTEST), np.log(time), WAVES))
    phases = rng.uniform(0, 2 * np.pi, WAVES)
    values = np.sin(2 * np.pi * np.arange(time)[:, None] / periods + phases).sum(axis=1)
    return (values - values.mean()) / values.std()


def network(cell: str, units: int, key: Any) -> RNN:
    """One layer and a read-out; the one input is always 0."""
    options: dict[str, Any] = {"periods": PERIODS} if cell == "clockwork" else {}
    return RNN(CELLS[cell].make, 1, units, output_size=1, key=key, **options)


def weights_that_count(model: RNN) -> int:
    """Recurrent weights that are not held at 0, biases and read-out; no weights of the input, which is 0."""
    cell, read = model.stack.layers
    return int(np.count_nonzero(np.asarray(cell.recurrent()[0]))) + cell.hidden_size + read.V.size + read.c.size


def plain_units(units: int) -> int:
    """The units of a plain network that has at least as many weights as the clockwork one."""
    wanted = weights_that_count(network("clockwork", units, jax.random.key(0)))
    return next(n for n in range(1, units + 1) if n * n + 2 * n + 1 >= wanted)


def trained(cell: str, units: int, seeds: list[int], rate: float, steps: int, time: int) -> np.ndarray:
    """The squared error of each member on its signal of variance 1."""
    wanted = jnp.asarray(np.stack([signal(seed, time) for seed in seeds]), jnp.result_type(float))[:, None, :, None]
    inputs = SequenceBatch(jnp.zeros_like(wanted))
    examples = Examples(inputs, wanted, jnp.full(wanted.shape[:-1], 1 / time, wanted.dtype))
    model = Ensemble.make(lambda key: network(cell, units, key), seeds)
    optimizer = each(fading_adam(rate, steps))
    result = fit(model, Same(examples), loss=squared, optimizer=optimizer, steps=steps, every=steps)
    ys = eqx.filter_jit(lambda m, xs: m(xs)[0])(result.last, inputs)
    return np.mean(np.square(np.asarray(ys - wanted, np.float64)), axis=(1, 2, 3))
