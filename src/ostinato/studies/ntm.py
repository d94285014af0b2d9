"""The copy task of the neural Turing machine, to 20 vectors in training and to 60 after it (Graves et al. 2014)."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, PRNGKeyArray

from ostinato.data import Examples, stream
from ostinato.layers import RNN
from ostinato.memory import NTM, feed_forward
from ostinato.tasks import BitCopy
from ostinato.training import Ensemble, each, fit

from .base import Claim, Study, StudySettings
from .seeds import measure

SOURCE = "Graves, Wayne and Danihelka 2014, section 4.1"
BITS, UNITS, LSTM_UNITS = 8, 100, 256
SEQUENCES, EVERY = 10_000, 1000
# Lengths in training, by the size that a batch is padded to; each is drawn as often as it has lengths.
BUCKETS = ((1, 10), (11, 20))
LENGTHS = (10, 20, 30, 60)
BAR, FRESH = 0.05, 50
RATE, LSTM_RATES = 1e-4, (1e-4, 1e-3)


class CopyBatches:
    """One sequence in each step for each member; all members of a step have lengths of one bucket."""

    def __init__(self, seeds: Sequence[int], buckets: Sequence[tuple[int, int]], length: int):
        self.length = length
        keys = jnp.stack([stream(s, "task") for s in seeds])
        self._make = [make_batch(BitCopy(lengths=bucket, bits=BITS), keys) for bucket in buckets]
        shares = np.array([last - first + 1 for first, last in buckets])
        self._chosen = np.random.default_rng(0).choice(len(buckets), size=length, p=shares / shares.sum())

    def __len__(self) -> int:
        return self.length

    def at(self, step: int) -> Examples:
        """The batch of a step."""
        return self._make[self._chosen[step % self.length]](np.uint32(step))


def make_batch(task: BitCopy, keys: Array) -> Callable[[np.uint32], Examples]:
    """The sequence of a step for each key; the loss of it is that of the whole sequence, in nats."""

    def one(key: PRNGKeyArray) -> Examples:
        examples = task.sample(key, 1)
        whole = (examples.weight > 0).astype(examples.weight.dtype) * BITS
        return Examples(examples.inputs, examples.targets, whole)

    return jax.jit(lambda step: jax.vmap(lambda key: one(jr.fold_in(key, step)))(keys))


def graves(rates: Sequence[float]) -> optax.GradientTransformation:
    """Centred RMSProp after Graves (arXiv 1308.0850, 2013), gradients of norm 10 at most; a rate for each member."""
    rms = optax.rmsprop(1.0, decay=0.95, eps=1e-4, eps_in_sqrt=True, centered=True, momentum=0.9)
    scale = lambda leaf: leaf * jnp.asarray(rates, leaf.dtype).reshape(-1, *[1] * (leaf.ndim - 1))
    own = optax.stateless(lambda updates, params: jax.tree.map(scale, updates))
    return optax.chain(each(optax.chain(optax.clip_by_global_norm(10.0), rms)), own)


def train(
    model: Ensemble, seeds: Sequence[int], rates: Sequence[float], name: str, settings: StudySettings
) -> dict[str, Any]:
    """The whole budget, then fresh sequences of each length; what was reached on the way is only told."""
    quick = settings.quick
    buckets, sequences, every = (((1, 3),), 600, 200) if quick else (BUCKETS, SEQUENCES, EVERY)
    longest = buckets[-1][1]
    watched = BitCopy(lengths=(longest, longest), bits=BITS)
    trials = watched.sample(stream(0, "watched"), FRESH)
    course: dict[int, list[float]] = {}

    def watch(model: Ensemble) -> dict[str, float]:
        found = measure(model, watched, trials)["bits_per_sequence"]
        course[(len(course) + 1) * every] = found.tolist()
        settings.note(f"ntm: {name}, {len(course) * every} sequences: {np.round(found, 3).tolist()} bits")
        return {"bits": float(found.mean())}

    result = fit(
        model,
        CopyBatches(seeds, buckets, sequences),
        loss=watched.loss,
        optimizer=graves(rates),
        steps=sequences,
        every=every,
        validate=watch,
    )
    lengths = (3, 6) if quick else LENGTHS
    tasks = {n: BitCopy(lengths=(n, n), bits=BITS) for n in lengths}
    fresh = {n: measure(result.last, task, task.sample(stream(0, f"fresh {n}"), FRESH)) for n, task in tasks.items()}
    return {
        "bits_per_sequence": {n: found["bits_per_sequence"].tolist() for n, found in fresh.items()},
        "wrong_bits": {n: found["wrong_bits"].tolist() for n, found in fresh.items()},
        "bits_on_the_way": course,
    }


def run(settings: StudySettings) -> list[Claim]:
    """A Turing machine with a feed-forward controller, seeds side by side; an LSTM beside it."""
    seeds = settings.seed_list(5)
    found = train(Ensemble.make(ntm, seeds), seeds, [RATE] * len(seeds), "NTM", settings)
    rates = LSTM_RATES[:1] if settings.quick else LSTM_RATES
    alike = [seeds[0]] * len(rates)
    beside = train(Ensemble.make(lstm, alike), alike, rates, "LSTM", settings)
    return judged(found, beside, len(seeds))


def ntm(key: PRNGKeyArray) -> RNN:
    """The network of the paper: 128 rows of 20, one head to read and one to write."""
    return RNN(NTM, BITS + 1, UNITS, output_size=BITS, controller=feed_forward, key=key)


def lstm(key: PRNGKeyArray) -> RNN:
    """One layer, with more weights than the other network has."""
    return RNN("lstm", BITS + 1, LSTM_UNITS, output_size=BITS, key=key)


def judged(found: dict[str, Any], beside: dict[str, Any], count: int) -> list[Claim]:
    """The two rows of one network: the cost at the longest length of training, and errors far beyond it."""
    lengths = list(found["wrong_bits"])
    trained, far = lengths[-3 if len(lengths) > 2 else 0], lengths[-1]
    bits, wrong = np.array(found["bits_per_sequence"][trained]), np.array(found["wrong_bits"][far])
    learned = int(np.sum(bits <= BAR))
    right = int(np.sum(wrong == 0))
    detail = found | {
        "LSTM": beside,
        "settings": {
            "sequences": SEQUENCES,
            "sequences_per_update": 1,
            "lengths_in_training": [BUCKETS[0][0], BUCKETS[-1][1]],
            "optimizer": f"RMSProp, centred, decay 0.95, momentum 0.9, epsilon 1e-4 in the root, rate {RATE}",
            "gradient": "norm at most 10, of the loss summed over a sequence",
            "memory": "128 rows of 20, all entries 1e-6 to begin with; one head to read, one to write",
            "LSTM_rates": list(LSTM_RATES),
        },
    }
    name, least = "NTM, feed-forward controller", 0.8 * count
    near = {f"LSTM of {LSTM_UNITS} units, best of its rates": min(beside["bits_per_sequence"][trained])}
    beyond = {f"LSTM of {LSTM_UNITS} units, best of its rates": min(beside["wrong_bits"][far])}
    return [
        Claim(
            f"{name}: bits a sequence at length {trained} after {SEQUENCES} sequences, median of {count} seeds",
            SOURCE,
            None,
            float(np.median(bits)),
            f"at most {BAR} on 4 of 5 seeds; {learned} of {count}",
            near,
            learned >= least,
            detail,
        ),
        Claim(
            f"{name}: share of seeds with no wrong bit at length {far}, trained to {trained}",
            SOURCE,
            None,
            right / count,
            f"at least 0.8; wrong bits by seed {np.round(wrong, 4).tolist()}",
            beyond,
            right >= least,
        ),
    ]


STUDY = Study("Copying with a neural Turing machine, to three times the length of training, beside an LSTM", run)
