"""sktime's own checks over the adapter, and its forecasts beside the model's; skipped where sktime is absent."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime", reason="sktime is not installed (extra `sktime`)")

from ostinato.interop.sktime import SktimeForecaster
from ostinato.models import LinearAR

rng = np.random.default_rng(0)
MONTHS = pd.period_range("2020-01", periods=40, freq="M")
Y = pd.Series(rng.normal(size=40).cumsum(), MONTHS, name="y")
X = pd.DataFrame({"u": rng.normal(size=40)}, MONTHS)


def test_forecasts_and_intervals_are_the_models():
    ours = SktimeForecaster(LinearAR(2)).fit(Y[:30], X=X[:30], fh=[1, 3])
    model = LinearAR(2, 3, future=("u",)).fit({"y": Y[:30].to_numpy(), "u": X["u"][:30].to_numpy()}, "y")
    ahead = {"y": np.r_[Y[:30].to_numpy(), [np.nan] * 3], "u": X["u"][:33].to_numpy()}
    said = model.predict(ahead, level=(90,))
    assert ours.predict(X=X[30:33]).to_numpy() == pytest.approx(said["y"][[0, 2]])
    ends = ours.predict_interval(coverage=0.9, X=X[30:33]).to_numpy()
    assert ends == pytest.approx(np.stack([said["y_lo90"], said["y_hi90"]], 1)[[0, 2]])


@pytest.mark.full
def test_it_passes_the_checks_of_sktime():
    # In a process of its own: the annotations that are checked here hide the constructor's arguments from sktime.
    program = (
        "from sktime.utils.estimator_checks import check_estimator\n"
        "from ostinato.interop.sktime import SktimeForecaster\n"
        "found = check_estimator(SktimeForecaster, raise_exceptions=False, verbose=False)\n"
        "assert len(found) > 500, len(found)\n"
        "bad = {name: str(word) for name, word in found.items() if word != 'PASSED'}\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
