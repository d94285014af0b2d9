"""Verdicts on models that are equal by construction: how often one is said to win, and a better one is found."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ostinato.communities.scores import figures, table_row, tests
from ostinato.data import Communities
from ostinato.models import Backtest
from ostinato.models.comparison import mcnemar, sign_flip, summed
from ostinato.models.verdicts import verdict
from ostinato.studies import Bar, Claim, StudySettings

SEEDS = 1000
SOURCE = "errors drawn at random, two models alike; wins of either are counted"
CARRIED = 0.9
"""How much of a shock is left one step later: errors of several steps ahead hang together over as many origins."""

Draw = Callable[[np.random.Generator, float], str]
"""The verdict on one draw; the second argument is how much smaller the errors of the first model are, 1 for alike."""


class Case(NamedTuple):
    """A kind of verdict: what is drawn, and by how much one model is better where the other share is asked for."""

    draw: Draw
    better: float
    words: str


def run(settings: StudySettings) -> list[Claim]:
    """Every case with every seed, once with models alike and once with the first one better."""
    seeds = settings.seed_list(SEEDS) if settings.seeds is not None or not settings.quick else list(range(20))
    claims = []
    for name, case in CASES.items():
        alike = [case.draw(np.random.default_rng([seed, 0]), 1.0) for seed in seeds]
        ahead = [case.draw(np.random.default_rng([seed, 1]), case.better) for seed in seeds]
        wrong = float(np.mean([" wins: " in words for words in alike]))
        found = float(np.mean([words.startswith("ours wins: ") for words in ahead]))
        settings.note(f"verdicts, {name}: {wrong:.3f} of equal models, {found:.3f} of better ones ({case.words})")
        detail = {"seeds": len(seeds), "first": alike[0], "better": case.words, "share_of_better_found": found}
        said = f"equal models: share of {len(seeds)} seeds where one is said to win; {name}"
        claims.append(Claim(said, SOURCE, None, wrong, Bar.at_most(0.05), {"the smaller figure wins": 1.0}, detail))
    found = {claim.name.split("; ")[1]: claim.detail["share_of_better_found"] for claim in claims}
    least = min(found.values())
    name = "a better model: share of seeds where it is said to win, the least of all cases"
    return [*claims, Claim(name, SOURCE, None, least, Bar.reported(), {}, found)]


def ahead(rng: np.random.Generator, origins: int, horizon: int) -> Float[np.ndarray, "origins horizon"]:
    """Errors of 1 to `horizon` steps ahead at origins one step apart: each sums the shocks since its origin."""
    shocks = rng.normal(size=origins + horizon - 1)
    found = np.zeros((origins, horizon))
    for k in range(horizon):
        for back in range(k + 1):
            found[:, k] += CARRIED**back * shocks[k - back : k - back + origins]
    return found


def forecasts(origins: int, horizon: int, series: int = 1, models: int = 2) -> Draw:
    """A backtest of models whose errors share half of their variance, over series that share half of theirs."""

    def draw(rng: np.random.Generator, size: float) -> str:
        common = [ahead(rng, origins, horizon) for _ in range(models + 1)]
        said: dict[str, Any] = {}
        for i, name in enumerate(["ours", "other", "third"][:models]):
            own = [common[0] + common[i + 1]]
            if series > 1:
                own = [own[0] + np.sqrt(2) * ahead(rng, origins, horizon) for _ in range(series)]
            said[name] = (size if i == 0 else 1.0) * np.concatenate(own)[..., None]
        rows = np.tile(np.arange(origins), series)
        truth = np.zeros_like(said["ours"])
        return Backtest(truth, said, np.repeat(np.arange(series), origins), rows, ("y",)).verdict()

    return draw


def classes(count: int, accuracy: float = 0.8) -> Draw:
    """Labels of two classifiers that are right independently of one another, except on half of the sequences."""

    def draw(rng: np.random.Generator, size: float) -> str:
        shared = rng.uniform(size=count) < 0.5
        both = rng.uniform(size=count) < accuracy
        ours = np.where(shared, both, rng.uniform(size=count) < 1 - size * (1 - accuracy))
        other = np.where(shared, both, rng.uniform(size=count) < accuracy)
        right = {"ours": float(ours.mean()), "other": float(other.mean())}
        return verdict("ours", right, {"other": mcnemar(ours, other)}, "accuracy", higher=True)

    return draw


def speakers(groups: int, each: int) -> Draw:
    """Labels of sequences from groups, some of which are hard for one model and some for the other."""

    def draw(rng: np.random.Generator, size: float) -> str:
        wrong = 0.2 * rng.gamma(1.0, 1.0, (2, groups, 1)).clip(0, 4)
        ours, other = rng.uniform(size=(2, groups, each)) > wrong * np.array([size, 1.0])[:, None, None]
        test = sign_flip(summed((other.astype(float) - ours).ravel(), np.repeat(np.arange(groups), each)), "groups")
        right = {"ours": float(ours.mean()), "other": float(other.mean())}
        return verdict("ours", right, {"other": test}, "accuracy", higher=True)

    return draw


def communities(count: int) -> Draw:
    """Predictions of communities, some of which are far harder than others, with one error for all of their times."""

    def draw(rng: np.random.Generator, size: float) -> str:
        truth = np.exp(rng.normal(size=(count, 4, 5)))
        data = Communities(tuple(map(str, range(count))), ("A", "B", "C"), ("p", "q"), np.arange(4.0), truth)
        hard = np.exp(0.5 * rng.normal(size=(count, 1, 1)))
        said = [truth[:, 1:] + s * hard * rng.normal(size=(count, 1, 5)) for s in (size, 1.0)]
        measure = "R² of metabolites"
        found = {name: table_row(figures(data, p))[measure] for name, p in zip(("ours", "other"), said, strict=True)}
        known = {name: float("nan") if value is None else value for name, value in found.items()}
        return verdict("ours", known, tests(data, said[0], {"other": said[1]})[measure], measure, higher=True)

    return draw


CASES = {
    "one step ahead, 100 origins": Case(forecasts(100, 1), 0.7, "errors 30 % smaller"),
    "12 steps ahead, 200 overlapping origins": Case(forecasts(200, 12), 0.7, "errors 30 % smaller"),
    "6 steps ahead, 10 series with common shocks, 120 origins": Case(forecasts(120, 6, 10), 0.7, "errors 30 % smaller"),
    "one step ahead, 100 origins, two baselines": Case(forecasts(100, 1, models=3), 0.7, "errors 30 % smaller"),
    "150 sequences with a label each": Case(classes(150), 0.3, "where they differ, 6 % wrong instead of 20 %"),
    "20 speakers with 15 sequences each": Case(speakers(20, 15), 0.4, "8 % wrong instead of 20 %"),
    "30 communities": Case(communities(30), 0.7, "errors 30 % smaller"),
}
