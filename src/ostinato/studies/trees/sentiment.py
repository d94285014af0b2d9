"""Sentiment of sentences by a recursive network over their trees (Socher et al., EMNLP 2013)."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import optax

from ostinato.data import Batches, Examples, SequenceBatch
from ostinato.data.catalogue import load
from ostinato.data.sets.trees import SentenceTrees
from ostinato.losses import cross_entropy
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.studies.batches import Changed
from ostinato.training import fit
from ostinato.training.loop import BatchSource
from ostinato.trees import RecursiveNet, Tree, tree_source

from .networks import labeller

SOURCE = "Socher et al. 2013, abstract: 85.4 % positive or negative, by a tensor network"
PUBLISHED = {"five classes": None, "two classes": 0.854}
BARS = {"five classes": Bar.at_least(0.43), "two classes": Bar.at_least(0.82)}
UNITS, BATCH, EPOCHS, RATE, DECAY = 50, 32, 5, 3e-3, 0.01
# Words seen once, and this share of the others in training, are the unknown word, so that it has a meaning.
SEEN, DROPPED = 2, 0.2
INNER, UNKNOWN, FIRST = 0, 1, 2
NEUTRAL = 2


def forgetful(batches: BatchSource, seed: int) -> Changed:
    """Batches of trees in which a share of the words is replaced by the unknown one, as a function of seed and step."""

    def dropped(examples: Examples, step: int) -> Examples:
        values = np.array(examples.inputs.values)
        words = values[..., 0]
        drawn = np.random.default_rng([seed, step]).random(words.shape) < DROPPED
        values[..., 0] = np.where(drawn & (words >= FIRST), UNKNOWN, words)
        return eqx.tree_at(lambda e: e.inputs.values, examples, jnp.asarray(values))

    return Changed(batches, dropped)


def run(settings: StudySettings) -> list[Claim]:
    """One network a seed, a label at every node in training, the root of the official test sentences at the end."""
    parts = load("sst")
    if settings.quick:
        parts = {name: SentenceTrees(*(field[:60] for field in part)) for name, part in parts.items()}
    return judged(parts, 1 if settings.quick else EPOCHS, settings)


def judged(parts: Mapping[str, SentenceTrees], epochs: int, settings: StudySettings) -> list[Claim]:
    """The claims about sentences: "train" to learn words and weights from, "dev" and "test" to be judged by."""
    numbers = vocabulary(parts["train"])
    seeds = settings.seed_list(3)
    found = []
    for seed in seeds:
        model = trained(parts["train"], numbers, seed, epochs)
        found.append({part: roots(model, parts[part], numbers) for part in ("dev", "test")})
        settings.note(f"sentiment, seed {seed}: {found[-1]}")
    told = np.array([labels[-1] for labels in parts["train"].labels])
    truth = np.array([labels[-1] for labels in parts["test"].labels])
    majority = {
        "five classes": float(np.mean(truth == np.bincount(told).argmax())),
        "two classes": float(np.mean((truth > NEUTRAL)[truth != NEUTRAL] == (np.mean(told > 2) > np.mean(told < 2)))),
    }
    detail = {
        "by_seed": found,
        "settings": {
            "network": f"TreeLSTM, {UNITS} units, vectors of {UNITS} for {len(numbers)} words, drawn at random",
            "learning": f"AdamW {RATE} with a cosine to 0, decay {DECAY}, {EPOCHS} epochs of batches of {BATCH}",
            "words": f"seen {SEEN} times or more, lower case; {DROPPED:g} of them unknown in training",
            "chosen": "on the dev sentences, with a seed that is not reported; nothing is chosen on the test sentences",
        },
    }
    claims = []
    for name, bar in BARS.items():
        ours = float(np.mean([f["test"][name] for f in found]))
        title = f"test accuracy at the root, {name}, no pretrained vectors, mean of {len(seeds)} seeds"
        beside = {"majority": majority[name]}
        claims.append(Claim(title, SOURCE, PUBLISHED[name], ours, bar, beside, detail))
        detail = {}
    return claims


def vocabulary(part: SentenceTrees) -> dict[str, int]:
    """A number for each word that is seen often enough."""
    counts = Counter(word.lower() for words in part.words for word in words if word is not None)
    return {word: FIRST + i for i, word in enumerate(w for w, count in counts.items() if count >= SEEN)}


def trees(part: SentenceTrees, numbers: dict[str, int]) -> list[Tree]:
    """Trees whose nodes have the number of their word."""
    number = lambda word: INNER if word is None else numbers.get(word.lower(), UNKNOWN)
    return [
        Tree([[number(word)] for word in words], children)
        for words, children in zip(part.words, part.children, strict=True)
    ]


def source(part: SentenceTrees, numbers: dict[str, int]) -> Any:
    """Trees with a label at each node."""
    labels = [np.array(labels) for labels in part.labels]
    return tree_source(trees(part, numbers), labels, 2, per_step=True)


def trained(part: SentenceTrees, numbers: dict[str, int], seed: int, epochs: int) -> RecursiveNet:
    """A network after a fixed number of epochs."""
    model = labeller(UNITS, 5, FIRST + len(numbers), seed)
    batches = Batches(source(part, numbers), BATCH, seed=seed, buckets=8)
    schedule = optax.cosine_decay_schedule(RATE, epochs * len(batches))
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=DECAY))
    return fit(model, forgetful(batches, seed), loss=cross_entropy, optimizer=optimizer, epochs=epochs, seed=seed).model


def roots(model: RecursiveNet, part: SentenceTrees, numbers: dict[str, int]) -> dict[str, float]:
    """Accuracy at the root: of the likeliest class, and of positive or negative where it is not neutral."""
    batches = Batches(source(part, numbers), BATCH, shuffle=False, buckets=8)
    logits, labels = [], []
    for step in range(len(batches)):
        examples = batches.at(step)
        last = np.asarray(examples.inputs.lengths) - 1
        rows = np.flatnonzero(last >= 0)
        logits.append(np.asarray(_outputs(model, examples.inputs), np.float64)[rows, last[rows]])
        labels.append(np.asarray(examples.targets)[rows, last[rows]])
    return accuracies(np.concatenate(logits), np.concatenate(labels))


def accuracies(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Of five classes; and of two, by the probabilities on either side of neutral, where the label is not neutral."""
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    positive = odds[:, NEUTRAL + 1 :].sum(axis=1) > odds[:, :NEUTRAL].sum(axis=1)
    told = labels != NEUTRAL
    return {
        "five classes": float(np.mean(logits.argmax(axis=1) == labels)),
        "two classes": float(np.mean((positive == (labels > NEUTRAL))[told])),
    }


@eqx.filter_jit
def _outputs(model: RecursiveNet, inputs: SequenceBatch) -> Any:
    return model(inputs)[0]
