"""Bad input to a forecaster: a typed error in words, before anything is trained."""

import numpy as np
import pytest

from ostinato.errors import DataError, LeakError, LengthError, NonFiniteError, NotFitted, SettingsError
from ostinato.models import Forecaster

SMALL = {"hidden_size": 2, "context": 5, "epochs": None, "steps": 0, "validation": 0}


def table(n: int = 40) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"day": np.datetime64("2022-01-01") + np.arange(n), "y": rng.normal(size=n), "z": rng.normal(size=n)}


@pytest.mark.parametrize(
    ("options", "data", "error", "words"),
    [
        ({"context": 50}, table(), LengthError, "context 50 and horizon 1 need 51 rows to train on, .* 40"),
        ({"horizon": 40}, table(), LengthError, "context 5 and horizon 40 need 45 rows"),
        ({"validation": 38}, table(), LengthError, r"has 2 \(and 38 for validation\)"),
        ({"validation": 3, "horizon": 5}, table(), LengthError, "3 rows hold no window of horizon 5"),
        ({"future": ("y",)}, table(), LeakError, "target 'y' stands among the future covariates"),
        ({"future": ("copy",)}, table() | {"copy": table()["y"]}, LeakError, "'copy' is the target"),
        ({"past": ("w",)}, table(), DataError, "no column 'w'"),
        (
            {},
            table() | {"y": np.where(np.arange(40) == 7, np.nan, 1.0 * np.arange(40))},
            NonFiniteError,
            "row 7 .*observed",
        ),
        ({}, table() | {"y": np.full(40, 3.0)}, DataError, r"'y' is constant \(3\)"),
        ({"log": True}, table() | {"y": np.arange(40.0)}, DataError, "is 0 in row 0; only positive"),
        ({"calendar": ("hour",)}, {"y": np.arange(40.0)}, DataError, "needs a column of dates"),
        ({"calendar": ("moon",)}, table(), DataError, "moon"),
        ({"missing": "yes"}, table(), SettingsError, "missing: expected"),
        ({"mode": "both"}, table(), SettingsError, "mode: expected"),
        ({"mode": "recursive", "past": ("z",)}, table(), SettingsError, "no past covariates"),
        ({"mode": "recursive", "quantiles": (0.1, 0.9)}, table(), SettingsError, "no quantiles"),
        ({"quantiles": (0.9, 0.1)}, table(), SettingsError, "rising levels"),
        ({"quantiles": (0.5, 1.5)}, table(), SettingsError, "between 0 and 1"),
        ({"loss": "cubed"}, table(), SettingsError, "loss: expected one of"),
        ({"schedule": "none"}, table(), SettingsError, "schedule"),
        ({"scaling": "none"}, table(), SettingsError, "scaling"),
        ({"cell": "gruu"}, table(), SettingsError, "cell: expected one of"),
        ({"horizon": 0}, table(), SettingsError, "horizon: expected 1 or more"),
        ({"context": 0}, table(), SettingsError, "context: expected 1 or more"),
        ({"epochs": 3}, table(), SettingsError, "exactly one of epochs and steps"),
        ({"validation": 1.5}, table(), SettingsError, "share below 1"),
        ({"validation": 0, "patience": 3}, table(), SettingsError, "patience"),
    ],
)
def test_fit_refuses(options, data, error, words):
    with pytest.raises(error, match=words):
        Forecaster(**(SMALL | options)).fit(data, "y")


def test_fit_refuses_an_unknown_argument():
    with pytest.raises(TypeError, match="epohcs"):
        Forecaster(**SMALL).fit(table(), "y", epohcs=3)


def test_predict_refuses():
    with pytest.raises(NotFitted, match="Forecaster: call fit first"):
        Forecaster().predict()
    model = Forecaster(horizon=3, future=("z",), **SMALL).fit(table(), "y")
    with pytest.raises(DataError, match=r"needed for 3 rows after the last target, there are 0"):
        model.predict()
    with pytest.raises(LengthError, match="horizon: fitted for 3 steps ahead, 4 asked for"):
        model.predict(horizon=4)
    ahead = table() | {"y": np.where(np.arange(40) < 37, table()["y"], np.nan)}
    assert len(model.predict(ahead)) == 3
    with pytest.raises(LengthError, match="needs 5 rows before it, got 1"):
        model.predict({name: column[36:] for name, column in ahead.items()})
    with pytest.raises(NonFiniteError, match="future covariate 'z' of series '0' is missing in row 39"):
        model.predict(ahead | {"z": np.where(np.arange(40) < 39, table()["z"], np.nan)})
    with pytest.raises(DataError, match="no column 'z'"):
        model.predict({name: ahead[name] for name in ("day", "y")})
    with pytest.raises(NonFiniteError, match="'y' of series '0' is missing in row 34"):
        model.predict(ahead | {"y": np.where(np.arange(40) == 34, np.nan, ahead["y"])})
    # What lies before the context is not looked at.
    before = model.predict(ahead | {"y": np.where(np.arange(40) == 20, np.nan, ahead["y"])})
    assert before["y"].tolist() == model.predict(ahead)["y"].tolist()


def test_backtest_refuses_rows_that_were_trained_on():
    data = table()
    model = Forecaster(**SMALL).fit(data, "y")
    with pytest.raises(LeakError, match="held-out end begins with row 30"):
        model.backtest(data, 10)
    plain = data["y"]
    with pytest.raises(LeakError, match="held-out end begins with row 30"):
        Forecaster(**SMALL).fit(plain).backtest(plain, 10)
    with pytest.raises(LengthError, match="no origin with 5 rows before it and 1 after"):
        Forecaster(**SMALL).fit(plain[:30]).backtest(plain[30:35], 3)
    with pytest.raises(LengthError, match="no rows before the held-out end"):
        Forecaster(**SMALL).fit(plain[:30]).backtest(plain[30:], 1.0)
    with pytest.raises(SettingsError, match="last: expected"):
        model.backtest(data, 0)
