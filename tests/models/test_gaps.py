"""Dates that are left out are missing values: for baselines, for the network, and in a file that comes later."""

import numpy as np
import pytest

from ostinato.data import to_series
from ostinato.errors import DataError, NonFiniteError
from ostinato.models import Forecaster, LinearAR, Mean, Persistence, SeasonalNaive
from ostinato.models.forecast.regular import regular

DAYS = np.datetime64("2024-01-01") + np.arange(140)
PATTERN = np.tile([1.0, 5.0, 2.0, 8.0, 3.0, 9.0, 4.0], 20)
LEFT_OUT = np.array([10, 11, 33, 60, 61, 62, 90, 119, 126, 131])
KEPT = np.setdiff1d(np.arange(140), LEFT_OUT)
NOISE = np.random.default_rng(0).normal(0, 0.5, 140)
SMALL = {"hidden_size": 2, "context": 8, "horizon": 3, "epochs": None, "steps": 0, "validation": 0}


def table(values: np.ndarray, rows: np.ndarray = KEPT) -> dict[str, np.ndarray]:
    return {"day": DAYS[rows], "v": values[rows]}


def with_holes(values: np.ndarray) -> dict[str, np.ndarray]:
    """The same with a row for each date, whose value is missing where it is left out above."""
    return {"day": DAYS, "v": np.where(np.isin(np.arange(140), LEFT_OUT), np.nan, values)}


def test_a_season_is_a_span_of_time() -> None:
    """Without noise the pattern of a week is met exactly, whichever days are left out."""
    model = SeasonalNaive(horizon=3).fit(table(PATTERN, KEPT[:100]))
    assert model.predict()["v"].tolist() == PATTERN[KEPT[99] + 1 : KEPT[99] + 4].tolist()
    test = model.backtest(table(PATTERN), len(KEPT) - 100)
    assert test.rmse("seasonal-naive") == 0
    assert len(test.origins) == len(KEPT) - 102


def test_so_is_it_in_a_file_that_comes_later() -> None:
    model = SeasonalNaive(horizon=3).fit({"day": DAYS[:70], "v": PATTERN[:70]})
    said = model.predict(table(PATTERN))
    assert said["v"].tolist() == np.tile(PATTERN, 2)[140:143].tolist()
    assert any("10 times have no row" in words for words in said.notes)
    test = model.backtest(table(PATTERN), last=None)
    assert test.rmse("seasonal-naive") == 0


@pytest.mark.parametrize("kind", [Persistence, Mean, LinearAR, SeasonalNaive])
def test_baselines_see_a_left_out_date_as_a_missing_value(kind: type) -> None:
    values = PATTERN + NOISE
    options = {"order": 8} if kind is LinearAR else {}
    model, other = kind(horizon=3, **options), kind(horizon=3, **options)
    model.fit(table(values, KEPT[:100]))
    holes = with_holes(values)
    stop = int(KEPT[99]) + 1
    other.fit({name: column[:stop] for name, column in holes.items()})
    assert model.predict()["v"].tolist() == other.predict()["v"].tolist()
    assert model.predict(table(values))["v"].tolist() == other.predict(holes)["v"].tolist()
    mine, theirs = model.backtest(table(values), 30), other.backtest(holes, 140 - stop)
    at = {int(o): y for o, y in zip(theirs.origins, theirs.forecasts[other.kind], strict=True)}
    for origin, said, row in zip(mine.origins, mine.forecasts[model.kind], KEPT[mine.origins], strict=True):
        # The k-th row may be a later step than the k-th; the last step that is known stands for those after it.
        steps = KEPT[origin : origin + 3] - row
        if steps.max() < 3:
            assert said.tolist() == at[int(row)][steps].tolist()


def test_the_network_sees_them_as_missing_values_where_these_are_allowed() -> None:
    values = PATTERN + NOISE
    options = SMALL | {"missing": "observed", "linear_skip": True}
    model, other = Forecaster(**options).fit(table(values)), Forecaster(**options).fit(with_holes(values))
    assert model.predict()["v"].tolist() == other.predict()["v"].tolist()
    assert not model.features_.uneven
    whole = Forecaster(**options).fit({"day": DAYS, "v": values})
    assert whole.predict(table(values))["v"].tolist() == whole.predict(with_holes(values))["v"].tolist()


def test_otherwise_it_sees_the_length_of_a_step_and_refuses_gaps_that_it_never_saw() -> None:
    values = PATTERN + NOISE
    model = Forecaster(**SMALL).fit(table(values))
    assert model.features_.uneven
    assert np.isfinite(model.predict()["v"]).all()
    whole = Forecaster(**SMALL).fit({"day": DAYS, "v": values})
    with pytest.raises(NonFiniteError, match=r"is missing in row .*have no row, the first of them after 2024-01-10"):
        whole.predict(table(values, KEPT[:-7]))
    # Gaps before the context are not looked at.
    assert (
        whole.predict(table(values))["v"].tolist() == whole.predict({"day": DAYS[-8:], "v": values[-8:]})["v"].tolist()
    )


def test_rows_of_another_step_are_refused() -> None:
    model = SeasonalNaive(horizon=2).fit({"day": DAYS, "v": PATTERN})
    hours = {"day": np.datetime64("2024-06-01T00") + np.arange(30), "v": PATTERN[:30]}
    with pytest.raises(DataError, match="hourly, those that the model was trained on were daily"):
        model.predict(hours)


def test_a_grid_with_hardly_any_rows_is_none() -> None:
    """Years between a few minutes: filling them would take more memory than there is."""
    minutes = np.datetime64("2020-01-01T00:00") + np.r_[0:20, 2_000_000 + np.arange(20)]
    series = to_series({"time": minutes, "v": np.arange(40.0)}, "v")
    assert regular(series)[0] is series
    assert Persistence().fit(series).predict()["v"].tolist() == [39.0]
