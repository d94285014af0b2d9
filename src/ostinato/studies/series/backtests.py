"""What the studies of forecasts have in common: a network a seed, fitted to the past and judged by all that follows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ostinato.data import Series
from ostinato.models import Backtest, Forecaster
from ostinato.models.forecast.base import ForecastEstimator


def backtests(
    options: Mapping[str, Any],
    seeds: Sequence[int],
    series: Series,
    held: int,
    baselines: dict[str, ForecastEstimator],
) -> Iterator[tuple[int, Backtest]]:
    """For each seed the back-test over the last `held` rows of a network that was fitted to the rows before them."""
    past = before(series, held)
    for seed in seeds:
        model = Forecaster(**options, seed=seed).fit(past)
        yield seed, model.backtest(series, held, baselines=baselines)


def before(series: Series, held: int) -> Series:
    """The one series without its last `held` rows."""
    return series.cut(0, series.lengths[0] - held)


def fitted(models: dict[str, ForecastEstimator], past: Series) -> dict[str, ForecastEstimator]:
    """The same models, each fitted to the past."""
    for model in models.values():
        model.fit(past)
    return models


def words_of(ours: float, beside: Mapping[str, float]) -> list[str]:
    """The baselines whose error is no larger than ours."""
    return [name for name, error in beside.items() if error <= ours]
