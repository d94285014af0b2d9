"""RECOLLECT learns to learn: a bandit whose better arm changes, with the weights held still."""

from typing import Any

import numpy as np

from ostinato.agents import Criterion, make_learner, play
from ostinato.environments import ReversalBandit
from ostinato.studies import Bar, Claim, StudySettings
from ostinato.view import Line, line_figure, standalone

from .population import INVESTIGATED, trained

NETWORKS, EPISODES, JUDGED, LENGTH = 30, 100_000, 500, 10
OPTIONS = {"hidden_size": 10, "beta": 0.05, "lambda_": 0.8, "epsilon": 0.05}
CASES = {
    "cue": ReversalBandit(trials=LENGTH),
    "no cue": ReversalBandit(trials=LENGTH, cue=False),
    "reward input removed": ReversalBandit(trials=LENGTH, sees_reward=False),
}


def run(settings: StudySettings) -> list[Claim]:
    """Train, then judge 500 episodes of 10 trials without learning and exploration, by the trial in the episode."""
    networks, episodes = (2, 30) if settings.quick else (NETWORKS, EPISODES)
    details = {}
    for name, env in CASES.items():
        learner = make_learner("recollect", env, OPTIONS)
        # Trained for a fixed time: nobody is right in every one of the last 1,000 choices of each trial.
        never = Criterion(0.999, (1000,), examine=False)
        result, found = trained(settings, name, learner, env, networks, episodes * LENGTH, never)
        made = play(learner, env, result.students, JUDGED * LENGTH, seed=1)
        right = made["correct"].reshape(networks, JUDGED, LENGTH).mean(axis=1)
        by_trial = right.mean(axis=0)
        settings.note(f"{name}: right by trial {np.round(by_trial, 3).tolist()}")
        for key in ("trials_to_criterion", "learned", "share", "p10", "p25", "median", "p75", "p90"):
            del found[key]
        details[name] = {
            **found,
            "right_by_trial": by_trial.tolist(),
            "first": float(by_trial[0]),
            "from_fourth": float(by_trial[3:].mean()),
            "from_fourth_by_network": right[:, 3:].mean(axis=1).tolist(),
        }
    cue, no_cue, removed = (details[name] for name in CASES)
    chance = {"chance": 0.5, "no cue": no_cue["from_fourth"]}
    guess = Bar.between(0.45, 0.55)
    rows = (
        ("cue: right at trial 1", cue["first"], guess, {}, cue),
        ("cue: right from trial 4", cue["from_fourth"], Bar.at_least(0.85), chance, cue),
        ("no cue: right from trial 4", no_cue["from_fourth"], Bar.reported(), {}, no_cue),
        ("reward input removed: right from trial 4", removed["from_fourth"], guess, {}, removed),
    )
    return [Claim(name, INVESTIGATED, None, ours, bar, beside, detail) for name, ours, bar, beside, detail in rows]


def draw(claims: list[dict[str, Any]]) -> str:
    """The share of right choices by the trial in the episode."""
    lines, known = [], set()
    for claim in claims:
        name = claim["name"].split(":")[0]
        if name not in known:
            known.add(name)
            role = "ours" if name == "cue" else "other"
            lines.append(Line(name, range(1, LENGTH + 1), claim["detail"]["right_by_trial"], role, True))
    label = "right choices in an episode, weights held still"
    return standalone(line_figure(lines, label=label, x_label="trial in the episode", y_label="share right"))
