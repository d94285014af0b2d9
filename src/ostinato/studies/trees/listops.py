"""Nested list operations by a recursive network over their trees (Nangia and Bowman, NAACL SRW 2018)."""

from typing import Any, NamedTuple

import equinox as eqx
import numpy as np

from ostinato.data import Batches, SequenceBatch
from ostinato.data.catalogue import load
from ostinato.data.sets.trees import LabelledTrees
from ostinato.losses import cross_entropy
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.studies.optimizers import fading_adam
from ostinato.training import fit
from ostinato.trees import RecursiveNet, Tree, tree_source

from .networks import labeller

SOURCE = "Nangia and Bowman 2018: long expressions, trees given"
BAR = 0.9
UNITS, BATCH, RATE = 64, 32, 3e-3
EXAMPLES, LARGEST, EPOCHS = 40_000, 100, 6
# Symbols of the data set: digits, then operators from 10 on; behind them what joins an argument, and what closes.
MIN, MAX, MED, SUM, JOIN, CLOSE = 10, 11, 12, 13, 17, 18
OPERATOR, MOST, DEEPEST = 0.25, 5, 20


class Folded(NamedTuple):
    """An expression as a binary tree, and the value of each part of it that is closed (-1: not closed)."""

    tree: Tree
    values: np.ndarray


def drawn(rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Parents and symbols of an expression: an argument is one itself with the probability 1/4, they are 2 to 5."""
    parents, symbols = [-1], [int(rng.integers(MIN, SUM + 1))]
    left = [(0, 1)]
    while left:
        node, depth = left.pop()
        for _ in range(rng.integers(2, MOST + 1)):
            nested = depth < DEEPEST and rng.random() < OPERATOR
            parents.append(node)
            symbols.append(int(rng.integers(MIN, SUM + 1) if nested else rng.integers(10)))
            if nested:
                left.append((len(parents) - 1, depth + 1))
    return parents, symbols


def value(symbol: int, arguments: list[int]) -> int:
    """What an operator makes of its arguments; the median of an even number is the mean of two, rounded down."""
    if symbol in (MIN, MAX):
        return min(arguments) if symbol == MIN else max(arguments)
    return int(np.median(arguments)) if symbol == MED else sum(arguments) % 10


def folded(parents: list[int], symbols: list[int]) -> Folded:
    """From left to right: the operator takes one argument after the other, then it is closed."""
    below: list[list[int]] = [[] for _ in parents]
    for node, parent in enumerate(parents[1:], start=1):
        below[parent].append(node)
    features: list[list[int]] = []
    children: list[tuple[int, ...]] = []
    values: list[int] = []

    def add(symbol: int, own: tuple[int, ...], result: int = -1) -> int:
        features.append([symbol])
        children.append(own)
        values.append(result)
        return len(features) - 1

    # By hand, not by recursion; a node comes back when its arguments have a place and a value.
    place: dict[int, int] = {}
    left = [(0, False)]
    while left:
        node, done = left.pop()
        if not done and below[node]:
            left.append((node, True))
            left += [(child, False) for child in reversed(below[node])]
        elif not done:
            place[node] = add(symbols[node], (), symbols[node])
        else:
            at = add(symbols[node], ())
            for child in below[node]:
                at = add(JOIN, (at, place[child]))
            place[node] = add(CLOSE, (at,), value(symbols[node], [values[place[child]] for child in below[node]]))
    return Folded(Tree(features, children), np.array(values))


def source(expressions: list[Folded]) -> Any:
    """The value of every part that is closed by a bracket counts; those of digits are not asked for."""
    trees = [e.tree for e in expressions]
    labels = [np.maximum(e.values, 0) for e in expressions]
    counts = [np.asarray(e.tree.features[:, 0] == CLOSE, np.float64) for e in expressions]
    return tree_source(trees, labels, 2, per_step=True, weight=counts)


def run(settings: StudySettings) -> list[Claim]:
    """Trained on expressions that are drawn; judged by the root of the public ones, of every size."""
    public = load("listops")["d20s"]
    if settings.quick:
        return judged(LabelledTrees(*(field[:50] for field in public)), 200, 1, settings)
    return judged(public, EXAMPLES, EPOCHS, settings)


def judged(public: LabelledTrees, count: int, epochs: int, settings: StudySettings) -> list[Claim]:
    """The claim about expressions that no training sees, after so many others."""
    seeds = settings.seed_list(3)
    test = [folded(parents, symbols) for parents, symbols in zip(public.parents, public.symbols, strict=True)]
    sizes = np.array([len(e.tree) for e in test])
    found = []
    for seed in seeds:
        model = trained(seed, count, epochs)
        right = roots(model, test)
        found.append(
            {
                "accuracy": float(right.mean()),
                "as large as in training": float(right[sizes <= LARGEST].mean()),
                "larger": float(right[sizes > LARGEST].mean()) if (sizes > LARGEST).any() else None,
            }
        )
        settings.note(f"listops, seed {seed}: {found[-1]}")
    ours = min(f["accuracy"] for f in found)
    commonest = float(np.bincount(np.array(public.targets, int)).max() / len(public.targets))
    own = float(np.mean([e.values[-1] == t for e, t in zip(test, public.targets, strict=True)]))
    return [
        Claim(
            f"accuracy on the {len(test)} public expressions of depth 20 and less, worst of {len(seeds)} seeds",
            SOURCE,
            None,
            ours,
            Bar.at_least(BAR),
            {"the commonest answer": commonest},
            {
                "by_seed": found,
                "larger than in training": int(np.sum(sizes > LARGEST)),
                "answers of the file that are ours too": own,
                "settings": {
                    "network": f"TreeLSTM, {UNITS} units; an operator takes its arguments one by one, then is closed",
                    "training": f"{count} expressions drawn like the public ones, at most {LARGEST} nodes, {epochs} "
                    "epochs; the value of each nested expression is a label",
                    "learning": f"Adam {RATE} with a cosine to 0, batches of {BATCH}, gradient norm at most 1",
                    "chosen": "on other drawn expressions, with seeds from 100 on",
                },
            },
        )
    ]


def trained(seed: int, count: int, epochs: int) -> RecursiveNet:
    """A network after all epochs, on expressions of its own."""
    rng = np.random.default_rng([seed, 22])
    expressions: list[Folded] = []
    while len(expressions) < count:
        one = folded(*drawn(rng))
        if len(one.tree) <= LARGEST:
            expressions.append(one)
    model = labeller(UNITS, 10, CLOSE + 1, seed)
    batches = Batches(source(expressions), BATCH, seed=seed, buckets=8)
    optimizer = fading_adam(RATE, epochs * len(batches))
    return fit(model, batches, loss=cross_entropy, optimizer=optimizer, epochs=epochs, seed=seed).last


def roots(model: RecursiveNet, expressions: list[Folded]) -> np.ndarray:
    """Whether the likeliest answer at each root is the right one, in the order given."""
    order = np.argsort([len(e.tree) for e in expressions], kind="stable")
    right = np.zeros(len(expressions), bool)
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        part = [expressions[i] for i in rows]
        # Room for a round number of nodes, so that few shapes are compiled; all rows are there, also in the last batch.
        room = -(-max(len(e.tree) for e in part) // 64) * 64
        sequences = [np.pad(e.tree.as_sequence(2), ((0, room - len(e.tree)), (0, 0))) for e in part]
        values = np.zeros((BATCH, room, 3), np.float32)
        values[: len(part)] = np.stack(sequences)
        answers = np.asarray(_answers(model, values))
        last = [len(e.tree) - 1 for e in part]
        truth = [e.values[-1] for e in part]
        right[rows] = answers[np.arange(len(part)), last] == truth
    return right


@eqx.filter_jit
def _answers(model: RecursiveNet, values: Any) -> Any:
    return model(SequenceBatch(values))[0].argmax(-1)
