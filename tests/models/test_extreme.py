"""What is saved can be loaded, whatever numbers it holds; a number that cannot be computed with is named."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ostinato.errors import OstinatoError
from ostinato.models import (
    ESN,
    MODELS,
    Forecaster,
    LinearAR,
    Mean,
    Persistence,
    SeasonalNaive,
    SequenceClassifier,
    SequenceRegressor,
    TreeESN,
    load,
)
from ostinato.trees import Tree

RNG = np.random.default_rng(0)
PLAIN = RNG.normal(size=40)
DENORMAL = 5e-324
SERIES = {
    "largest": PLAIN * 1e139,
    "denormal": np.where(PLAIN > 0, DENORMAL, 0.0),
    "small": PLAIN * 1e-300,
    "far away": 1e139 + PLAIN * 1e130,
    "missing": np.where(np.arange(40) % 5 == 0, np.nan, PLAIN),
    "negative zero": np.where(PLAIN > 0, PLAIN, -0.0),
}
TREES = [Tree(RNG.normal(size=(n, 1)), [()] + [(k,) for k in range(n - 1)]) for n in RNG.integers(2, 6, 8)]
X = [RNG.normal(size=(3, 1)) for _ in range(8)]


def forecasters() -> list[Any]:
    small = {"hidden_size": 2, "context": 4, "epochs": None, "steps": 0, "validation": 0, "missing": "observed"}
    return [Forecaster(**small), Persistence(), SeasonalNaive(3), Mean(), LinearAR(2)]


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.filterwarnings("error")
def test_every_forecaster_comes_back(name: str, tmp_path: Path) -> None:
    for model in forecasters():
        model.fit({"y": SERIES[name], "gone": np.where(np.arange(40) < 30, PLAIN, np.nan)}, "y")
        again = load(model.save(tmp_path / model.kind))
        said = model.predict()["y"]
        assert np.isfinite(said).all(), model.kind
        assert again.predict()["y"].tolist() == said.tolist()


@pytest.mark.parametrize("value", [1e139, DENORMAL, 1e-300, -0.0])
@pytest.mark.filterwarnings("error")
def test_every_other_model_comes_back(value: float, tmp_path: Path) -> None:
    scaled = [x * value if value else np.where(x > 0, x, value) for x in X]
    targets = np.arange(8) * value if value else np.where(np.arange(8) % 2, value, 1.0)
    wave = np.concatenate(scaled)[:, 0]
    settings = {"hidden_size": 2, "epochs": 1, "batch_size": 8, "buckets": 1}
    cases = (
        (SequenceClassifier(**settings), scaled, ["a", "b"] * 4),
        (SequenceRegressor(**settings), scaled, targets),
        (ESN(3, washout=2), wave, None),
        (TreeESN(3, sigma=1.0), TREES, targets),
    )
    for model, given, y in cases:
        fitted = model.fit(given) if y is None else model.fit(given, y)
        again = load(fitted.save(tmp_path / model.kind))
        said = np.asarray(fitted.predict(given))
        assert np.isfinite(said).all() if said.dtype.kind == "f" else len(said) == 8
        assert np.asarray(again.predict(given)).tolist() == said.tolist()


def test_these_are_all_models() -> None:
    tried = {model.kind for model in forecasters()} | {"sequence-classifier", "sequence-regressor", "esn", "tree-esn"}
    assert tried == set(MODELS)


@pytest.mark.parametrize("value", [1.7976931348623157e308, -1e300, 1e141])
@pytest.mark.filterwarnings("error")
def test_a_number_too_large_is_named_with_its_row(value: float) -> None:
    y = np.where(np.arange(40) == 17, value, PLAIN)
    for model in forecasters():
        with pytest.raises(OstinatoError, match=r"1[78].*'y'|'y'.*1[78]"):
            model.fit({"y": y}, "y")
        assert not model.is_fitted
    spoilt = [*X[:5], np.full((3, 1), value), *X[6:]]
    with pytest.raises(OstinatoError, match=r"X\[5\], row 0"):
        SequenceClassifier().fit(spoilt, ["a", "b"] * 4)
    with pytest.raises(OstinatoError, match="y, row 3"):
        SequenceRegressor().fit(X, np.where(np.arange(8) == 3, value, 1.0))
    with pytest.raises(OstinatoError, match="X, row 17"):
        ESN(3, washout=2).fit(y)
    with pytest.raises(OstinatoError, match="y, row 3"):
        TreeESN(3, sigma=1.0).fit(TREES, np.where(np.arange(8) == 3, value, 1.0))


def test_a_marker_of_missing_values_in_later_data_is_named_too() -> None:
    model = LinearAR(2).fit({"y": PLAIN}, "y")
    with pytest.raises(OstinatoError, match="'y'"):
        model.predict({"y": np.where(np.arange(40) == 38, 1e300, PLAIN)})
