"""One short series among long ones: the rest is unharmed, the short one is named, in `fit` and in `predict`."""

import jax
import numpy as np
import pytest

from ostinato.errors import DataError, LengthError
from ostinato.models import Forecaster, LinearAR, Mean, Persistence

DAYS = np.datetime64("2024-01-01") + np.arange(120)
SMALL = {"hidden_size": 2, "horizon": 3, "epochs": None, "steps": 2, "batch_size": 16}


def panel(*rows: int) -> dict[str, list]:
    """Series `s0`, `s1`, ... of so many days each, with a pattern of a week."""
    rng = np.random.default_rng(1)
    wave = 10 + 3 * np.sin(2 * np.pi * np.arange(120) / 7)
    drawn = [wave[:n] + rng.normal(0, 0.2, 120)[:n] for n in rows]
    return {
        "store": [f"s{i}" for i, n in enumerate(rows) for _ in range(n)],
        "day": np.concatenate([DAYS[:n] for n in rows]),
        "sold": np.concatenate(drawn),
    }


@pytest.fixture(scope="module")
def alone() -> Forecaster:
    return Forecaster(**SMALL).fit(panel(120, 120), "sold", series="store")


@pytest.mark.parametrize("short", [5, 2])
def test_the_rest_is_unharmed(short: int, alone: Forecaster) -> None:
    model = Forecaster(**SMALL).fit(panel(120, 120, short), "sold", series="store")
    assert model.context_ == alone.context_ == 24
    for one, other in zip(jax.tree.leaves(model.network_), jax.tree.leaves(alone.network_), strict=True):
        np.testing.assert_array_equal(one, other)
    assert any("series 's2': fewer than 27 rows, no window of 24" in words for words in model.notes_)
    said = model.predict()
    assert said.ids == ("s0", "s1")
    assert said["sold"].tolist() == alone.predict()["sold"].tolist()
    assert said.notes == ("series 's2': fewer than 24 rows, not forecast",)


def test_baselines_are_chosen_for_the_rest_and_serve_the_short_one_too(alone: Forecaster) -> None:
    found = alone._baselines(_series(panel(120, 120, 5)), 3)
    assert list(found) == list(alone._baselines(_series(panel(120, 120)), 3))
    assert "seasonal-naive" in found
    assert found["persistence"].predict().ids == found["mean"].predict().ids == ("s0", "s1", "s2")
    assert found["seasonal-naive"].predict().ids == ("s0", "s1")


def test_a_backtest_names_what_it_leaves_out(alone: Forecaster) -> None:
    data = panel(120, 120, 5)
    series = _series(data)
    Forecaster(**SMALL).check(series, last=20)
    judged = Persistence(3).backtest(series, 20, refit="once", baselines={})
    assert set(judged.series.tolist()) == {0, 1}
    assert judged.notes == ("series 's2': too few rows to be judged",)
    # What came after training is judged, row by row of each series.
    later = Mean(3).fit(_series(panel(100, 110, 5)))
    unseen = later.backtest(series, None, baselines={})
    assert np.bincount(unseen.series, minlength=3).tolist() == [18, 8, 0]


def test_all_of_them_too_short_is_an_error(alone: Forecaster) -> None:
    with pytest.raises(LengthError, match="series 's0': a forecast needs 24 rows before it, got 4"):
        alone.predict(panel(4, 5))
    with pytest.raises(LengthError, match="order 7 and horizon 1 need 8 rows, the longest series has 6"):
        LinearAR(7).fit(panel(6, 5), "sold", series="store")


def test_a_series_without_any_value_is_named(alone: Forecaster) -> None:
    data = panel(120, 120, 5)
    data["sold"][-5:] = np.nan
    model = Forecaster(**SMALL).fit(data, "sold", series="store")
    assert any("'s2'" in words and "no value" in words for words in model.notes_)
    assert model.predict()["sold"].tolist() == alone.predict()["sold"].tolist()
    with pytest.raises(DataError, match="no value"):
        Forecaster(**SMALL).fit({"sold": np.full(30, np.nan)}, "sold")


def _series(data: dict[str, list]) -> object:
    from ostinato.data import to_series

    return to_series(data, "sold", series="store")
