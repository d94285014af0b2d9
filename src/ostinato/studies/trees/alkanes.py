"""Boiling points of 150 alkanes from their carbon skeletons: tree echo-state networks (Gallicchio and Micheli 2013)."""

from typing import Any

import numpy as np

from ostinato.data import permutation
from ostinato.data.catalogue import load
from ostinato.models import TreeESN
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.trees import Tree

SOURCE = "Bianucci et al. 2000; Gallicchio and Micheli 2013: the task; bars set from a run in another program"
FOLDS = 10
BARS = {"sum": Bar.at_most(2.8), "root": Bar.at_most(3.6), "mean": Bar.reported()}
SIZES, SIGMAS, SCALINGS = (50, 100), (1.0, 3.0, 5.0), (0.3, 1.0)


def run(settings: StudySettings) -> list[Claim]:
    """Ten-fold cross-validation; size, contraction, input scale and penalty are chosen inside each fold."""
    data = load("alkanes")
    trees = [Tree.from_parents(np.ones((len(parents), 1)), parents) for parents in data.parents]
    return [judged(trees, np.array(data.targets), pool, settings) for pool in BARS]


def judged(trees: list[Tree], points: np.ndarray, pool: str, settings: StudySettings) -> Claim:
    """The claim about one way to make an answer of all states of a tree."""
    seeds, folds = settings.seed_list(3), 3 if settings.quick else FOLDS
    found = [cross_validate(trees, points, pool, seed, folds, settings.quick) for seed in seeds]
    errors = [mae for mae, _, _ in found]
    settings.note(f"alkanes, {pool}: MAE {np.round(errors, 3).tolist()}")
    beside = {name: float(np.mean([b[name] for _, b, _ in found])) for name in ("mean", "size")}
    detail = {"by_seed": errors, "chosen": found[0][2], "worst_of_seed_0": found[0][1]["worst"]}
    name = f"mean absolute error in degrees Celsius, {pool} of the states, {folds} folds, {len(seeds)} splits"
    return Claim(name, SOURCE, None, float(np.mean(errors)), BARS[pool], beside, detail)


def cross_validate(
    trees: list[Tree], points: np.ndarray, pool: str, seed: int, folds: int, quick: bool
) -> tuple[float, dict[str, float], list[dict[str, float]]]:
    """The error over all trees, that of the baselines, and what was chosen in each fold."""
    part = np.empty(len(trees), int)
    part[permutation(len(trees), seed, 0, name="folds")] = np.arange(len(trees)) % folds
    errors, beside, chosen = np.zeros(len(trees)), {"mean": 0.0, "size": 0.0}, []
    for k in range(folds):
        train, test = np.flatnonzero(part != k), np.flatnonzero(part == k)
        options: dict[str, Any] = {"hidden_size": SIZES, "sigma": SIGMAS, "input_scaling": SCALINGS}
        if quick:
            options = {"hidden_size": (20,), "sigma": (3.0,)}
        model = TreeESN(**options, pool=pool, bias_scaling=0.0, arity=3, seed=seed)
        model.fit([trees[i] for i in train], points[train])
        errors[test] = model.predict([trees[i] for i in test]) - points[test]
        scores = model.evaluate([trees[i] for i in test], points[test])["baselines"]
        for name in ("mean", "size"):
            beside[name] += scores[name]["mae"] * len(test) / len(trees)
        chosen.append(model.chosen_)
    return float(np.abs(errors).mean()), beside | {"worst": float(np.abs(errors).max())}, chosen
