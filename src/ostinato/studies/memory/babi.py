"""bAbI tasks 1 and 20, a line a step: a differentiable neural computer beside an LSTM (Weston et al. 2015)."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, PRNGKeyArray

from ostinato.cells import count_parameters
from ostinato.data import Batches, Examples, stream
from ostinato.data.catalogue import load
from ostinato.data.sets.stories import StorySet
from ostinato.layers import RNN
from ostinato.losses import cross_entropy
from ostinato.memory import DNC, feed_forward
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.studies.optimizers import fading_adam
from ostinato.training import fit

from .story_lines import FIRST, GROWN, HELD, Codes, growing

SOURCE = "tasks of Weston et al. 2015; the bars are this project's own"
UNITS, ROWS, WIDTH, READERS, LSTM_UNITS = 48, 16, 16, 2, 64
BATCH, RATE, EVALUATIONS = 32, 0.01, 20


class Setting(NamedTuple):
    """A task: its number, the form of its data, how often the training part is gone through, and the bar."""

    number: int
    form: str
    epochs: int
    bar: float


SETTINGS = (Setting(1, "10k", 30, 0.95), Setting(20, "1k", 150, 0.9))


def run(settings: StudySettings) -> list[Claim]:
    """Task after task, seed after seed; of each network the state that is best on the validation part is tested."""
    data, seeds = load("babi_en"), settings.seed_list(3)
    claims = []
    for setting in SETTINGS:
        stories: StorySet = data.task(setting.number, setting.form)
        if settings.quick:
            stories, setting = StorySet(*(part[:40] for part in stories)), setting._replace(epochs=1)
        codes, found = Codes(stories.train), {}
        steps = setting.epochs * -(-len(stories.train) // BATCH)
        # One optimiser for all seeds of a task, so that they share what was compiled.
        optimizer = fading_adam(RATE, steps)
        for name, make in (("DNC", dnc), ("LSTM", lstm)):
            make = partial(make, len(codes.words), len(codes.answers))
            found[name] = [trained(make, stories, codes, seed, steps, optimizer) for seed in seeds]
            settings.note(f"babi, task {setting.number}, {name}: {found[name]}")
        claims.append(judged(setting, stories, codes, found, seeds))
    return claims


class Answers(NamedTuple):
    """The shares of questions that are answered right, and after how many epochs the network was chosen."""

    valid: float
    test: float
    epoch: float


def trained(
    make: Callable[[PRNGKeyArray], RNN],
    stories: StorySet,
    codes: Codes,
    seed: int,
    steps: int,
    optimizer: optax.GradientTransformation,
) -> Answers:
    """The network that is best on the validation part, and only that one on the test part."""
    batches = Batches(codes.source(stories.train), BATCH, seed=seed, buckets=1)
    valid = codes.whole(stories.valid)
    result = fit(
        make(stream(seed, "init")),
        growing(batches, steps),
        loss=cross_entropy,
        optimizer=optimizer,
        steps=steps,
        every=-(-steps // EVALUATIONS),
        validate=lambda model: {"wrong": 1 - right(model, valid)},
        seed=seed,
    )
    test = right(result.model, codes.whole(stories.test))
    return Answers(round(1 - result.best["wrong"], 6), test, round(result.best["step"] / len(batches), 1))


def right(model: Callable[..., Any], examples: Examples) -> float:
    """The share of questions whose most active output is the answer, without the digits that are float32's."""
    return round(float(_right(model, examples)), 6)


@eqx.filter_jit
def _right(model: Callable[..., Any], examples: Examples) -> Array:
    asked = examples.weight > 0
    same = jnp.argmax(model(examples.inputs)[0], axis=-1) == examples.targets
    return jnp.sum(same & asked) / jnp.sum(asked)


def dnc(inputs: int, outputs: int, key: PRNGKeyArray) -> RNN:
    """A controller without a memory of its own."""
    memory = {"rows": ROWS, "width": WIDTH, "readers": READERS, "controller": feed_forward}
    return RNN(DNC, inputs, UNITS, output_size=outputs, key=key, **memory)


def lstm(inputs: int, outputs: int, key: PRNGKeyArray) -> RNN:
    """One layer, with more weights than the other network has."""
    return RNN("lstm", inputs, LSTM_UNITS, output_size=outputs, key=key)


def judged(
    setting: Setting, stories: StorySet, codes: Codes, found: dict[str, list[Answers]], seeds: list[int]
) -> Claim:
    """The accuracy on the test part of all seeds."""
    test = {name: [one.test for one in results] for name, results in found.items()}
    answers = lambda part: Counter(line.answer for story in part for line in story if line.answer is not None)
    common, asked = answers(stories.train).most_common(1)[0][0], answers(stories.test)
    sizes = {"DNC": dnc, "LSTM": lstm}
    detail: dict[str, Any] = {
        "by seed": {
            name: {str(seed): one._asdict() for seed, one in zip(seeds, results, strict=True)}
            for name, results in found.items()
        },
        "weights": {
            n: count_parameters(make(len(codes.words), len(codes.answers), stream(0, "size")))
            for n, make in sizes.items()
        },
        "settings": {
            "data": f"the form of {setting.form} questions, {sum(answers(stories.train).values())} of them to fit on",
            "input": "a line a step, as the counts of its words; a story with all its questions is one sequence",
            "network": f"feed-forward controller of {UNITS} units, {ROWS} rows of {WIDTH}, {READERS} heads to read",
            "learning": f"Adam {RATE} with a cosine to 0, gradient norm at most 1",
            "epochs": setting.epochs,
            "stories_per_update": BATCH,
            "lines that count": f"the first {FIRST} for {HELD:.0%} of the updates, all from {GROWN:.0%} on",
            "chosen": "settings on the validation part with seeds from 100 on; of each network the best of "
            f"{EVALUATIONS} evaluations on the validation part, tested once",
        },
    }
    return Claim(
        f"bAbI task {setting.number}, {setting.form}: questions of the test part that a DNC answers right, mean of "
        f"{len(seeds)} seeds",
        SOURCE,
        None,
        float(np.mean(test["DNC"])),
        Bar.each(Bar.at_least(setting.bar)),
        {
            f"LSTM of {LSTM_UNITS} units, mean": float(np.mean(test["LSTM"])),
            "the most frequent answer": asked[common] / sum(asked.values()),
        },
        detail,
        judged=test["DNC"],
    )
