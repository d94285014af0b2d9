"""The studies of learning by reward in short: what their figures are made of."""

import numpy as np
import pytest

from ostinato.studies import run_study
from ostinato.studies.base import StudySettings


def test_curriculum_beside_none():
    claims = run_study("recollect-curriculum", StudySettings(quick=True))["claims"]
    beside, alone = (claim["detail"] for claim in claims)
    assert (beside["task"]["curriculum"], alone["task"]["curriculum"]) == (True, False)
    assert beside["task"]["delay"] == alone["task"]["delay"] == 5
    for claim in claims:
        learned = np.asarray(claim["detail"]["trials_to_criterion"]) >= 0
        assert claim["ours"] == claim["detail"]["share"] == pytest.approx(learned.mean())
    assert claims[0]["holds"] == (beside["share"] >= alone["share"])


def test_right_choices_by_the_trial_of_an_episode():
    claims = run_study("bandit", StudySettings(quick=True))["claims"]
    first, later, *_ = claims
    by_trial = first["detail"]["right_by_trial"]
    assert len(by_trial) == 10
    assert first["ours"] == by_trial[0]
    assert later["ours"] == pytest.approx(np.mean(by_trial[3:]))
    assert later["ours"] == pytest.approx(np.mean(first["detail"]["from_fourth_by_network"]))
    # Two networks after thirty episodes: nobody knows anything yet, and the bars are not met.
    assert not later["holds"]
