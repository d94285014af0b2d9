"""The studies of learning by reward: which populations are trained, how they are judged, what is drawn."""

from types import SimpleNamespace

import numpy as np
import pytest

from ostinato.studies import StudySettings
from ostinato.studies.reward import (
    augment,
    bandit,
    population,
    recollect,
    recollect_curriculum,
    recollect_gates,
    reward_speed,
)

QUICK = StudySettings(quick=True)


@pytest.fixture
def populations(monkeypatch):
    """What stands in the place of training: figures by what was trained, in the order in which it was asked for."""
    asked, figures = [], {}

    def trained(settings, what, learner, env, networks, trials, criterion=None, seed=0):
        asked.append((what, learner, env, networks, trials, criterion))
        share, median = figures.get(what, (1.0, 4000.0))
        detail = {"share": share, "median": median, "unstable": 1, "seconds": 50.0, "network_steps": 2e8}
        detail |= dict.fromkeys(("trials_to_criterion", "learned", "p10", "p25", "p75", "p90"), None)
        return SimpleNamespace(students=None), detail

    for module in (augment, bandit, recollect, recollect_curriculum, recollect_gates, reward_speed):
        monkeypatch.setattr(module, "trained", trained)
    return SimpleNamespace(asked=asked, figures=figures)


def test_curriculum_has_to_help(populations):
    populations.figures.update({"curriculum": (0.2, None), "no curriculum": (0.1, None)})
    beside, alone = recollect_curriculum.run(QUICK)
    assert [(what, env.curriculum, env.delay) for what, _, env, *_ in populations.asked] == [
        ("curriculum", True, 5),
        ("no curriculum", False, 5),
    ]
    assert (beside.ours, beside.holds, alone.ours, alone.holds) == (0.2, True, 0.1, None)
    populations.figures["no curriculum"] = (0.3, None)
    assert recollect_curriculum.run(QUICK)[0].holds is False


def test_slow_gates_have_to_be_more_stable(populations):
    populations.figures.update({"gates at 0.1": (0.9, 16_000.0), "gates at 2.5": (0.8, 6000.0)})
    slow, fast, difference = recollect_gates.run(QUICK)
    assert [learner.gate for _, learner, *_ in populations.asked] == [0.1, 2.5]
    assert (slow.ours, slow.holds, fast.holds) == (16_000.0, None, None)
    assert (difference.ours, difference.holds) == (pytest.approx(0.1), True)
    populations.figures["gates at 2.5"] = (0.9, 6000.0)
    assert recollect_gates.run(QUICK)[-1].holds is False


def test_augment_with_and_without_shaping(populations):
    populations.figures.update({"shaping": (0.989, 4501.0), "no shaping": (0.88, None), "classification": (0.95, None)})
    claims = augment.run(QUICK)
    assert [env.shaping for what, _, env, *_ in populations.asked if "shaping" in what] == [0.2, 0.0]
    assert [claim.holds for claim in claims] == [False, False, True, True, None]
    assert [claim.published for claim in claims] == [0.9945, 4100.0, 0.7641, 0.99, 55_234.0]
    populations.figures.update({"shaping": (0.99, 3500.0), "no shaping": (0.881, None), "classification": (0.94, None)})
    assert [claim.holds for claim in augment.run(QUICK)] == [True, True, False, False, None]


def test_recollect_beside_other_learners(populations):
    populations.figures.update({"end signal": (0.95, 19_000.0), "no end signal": (0.94, 90_001.0), "gru": (0.3, None)})
    claims = recollect.run(QUICK)
    assert [claim.holds for claim in claims[:5]] == [True, True, False, False, True]
    assert [claim.holds for claim in claims[5:]] == [None] * 4
    assert [env.end_signal for _, _, env, *_ in populations.asked] == [True, False, *[True] * 4]
    beside = claims[1].baseline
    assert beside["gru, share"] == 0.3
    assert "gru, median" not in beside
    assert beside["lstm, median"] == 4000.0


def test_speed_is_network_steps_over_seconds(populations):
    seconds, rate = reward_speed.run(QUICK)
    assert (seconds.ours, seconds.holds) == (50.0, True)
    assert (rate.ours, rate.holds) == (4e6, True)


def test_a_bandit_is_judged_on_episodes_without_learning(populations, monkeypatch):
    played = []

    def play(learner, env, students, trials, *, seed):
        played.append((env, trials, seed))
        right = np.zeros((2, bandit.JUDGED, bandit.LENGTH))
        right[:, :, 3:] = 0.85 if env.cue and env.sees_reward else 0.5
        right[:, :, 0] = 0.5
        return {"correct": right.reshape(2, -1)}

    monkeypatch.setattr(bandit, "play", play)
    first, later, no_cue, removed = bandit.run(QUICK)
    # Other episodes than those trained on, whose seed is 0.
    assert [(trials, seed) for _, trials, seed in played] == [(bandit.JUDGED * bandit.LENGTH, 1)] * 3
    assert all(not criterion.examine for *_, criterion in populations.asked)
    assert (first.ours, first.holds) == (0.5, True)
    assert (later.ours, later.holds) == (pytest.approx(0.85), True)
    assert (no_cue.holds, removed.ours, removed.holds) == (None, 0.5, True)
    assert later.detail["right_by_trial"] == pytest.approx([0.5, 0, 0, *[0.85] * 7])


def test_figures_are_drawn_from_claims_as_they_stand_in_a_file():
    curve = {"name": "shaping: share", "detail": {"trials_to_criterion": [30, -1, 10]}}
    assert "shaping" in population.draw_learned([curve, {"name": "x", "detail": {}}])
    rows = [{"name": "cue: right", "detail": {"right_by_trial": [0.5] * 10}}]
    assert "cue" in bandit.draw(rows)
    gates = [
        {"name": "gates", "detail": {"settings": {"gate": g}, "median": 1.0, "p25": None, "p75": 2.0}} for g in (1, 2)
    ]
    assert "median" in recollect_gates.draw([*gates, {"name": "difference", "detail": {}}])
