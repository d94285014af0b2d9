"""A forecaster in a folder, and its conventions as an estimator."""

import inspect
import json

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks

from ostinato.errors import CorruptFile, NotFitted, SettingsError
from ostinato.models import Forecaster, LinearAR, Mean, Persistence, SeasonalNaive, load

OPTIONS = {
    "hidden_size": 3,
    "context": 5,
    "horizon": 2,
    "past": ("p",),
    "future": ("z",),
    "static": ("s",),
    "calendar": ("weekday",),
    "missing": "observed",
    "linear_skip": True,
    "head_size": 2,
    "epochs": None,
    "steps": 0,
    "validation": 0,
}


def table() -> dict[str, list]:
    """Two series in the long layout, of unequal length, with a covariate of each kind, two rows of each to forecast."""
    rng = np.random.default_rng(0)
    days = [np.datetime64("2022-01-01") + np.r_[0:30], np.datetime64("2022-03-01") + np.r_[0:10, 11:21]]
    rows = [30, 20]
    y = [rng.normal(size=n) * scale for n, scale in zip(rows, (1, 50), strict=True)]
    for each in y:
        each[[7, -2, -1]] = np.nan
    return {
        "id": ["a"] * 30 + ["b"] * 20,
        "day": np.concatenate(days),
        "y": np.concatenate(y),
        "p": rng.normal(size=50),
        "z": rng.normal(size=50),
        "s": [1.0] * 30 + [2.0] * 20,
    }


def test_what_is_loaded_says_the_same_to_the_bit(tmp_path):
    model = Forecaster(**OPTIONS).fit(table(), "y", series="id")
    again = load(model.save(tmp_path / "model"))
    assert repr(again) == repr(model)
    assert again._training() == model._training()
    for data in (None, table()):
        said, there = again.predict(data), model.predict(data)
        assert said.names == there.names == ("id", "day", "y", "y_lo80", "y_hi80", "y_lo95", "y_hi95")
        for name in ("y", "y_lo80", "y_hi95"):
            assert said[name].tolist() == there[name].tolist()
        assert said["day"].tolist() == there["day"].tolist()
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == ["manifest.json", "weights.safetensors"]


def test_damaged_files_are_refused(tmp_path):
    model = Forecaster(**OPTIONS).fit(table(), "y", series="id")
    folder = model.save(tmp_path / "model")
    weights = (folder / "weights.safetensors").read_bytes()
    flipped = bytearray(weights)
    flipped[-1] ^= 1
    for content in (bytes(flipped), weights[:-1], b""):
        (folder / "weights.safetensors").write_bytes(content)
        with pytest.raises(CorruptFile):
            load(folder)
    (folder / "weights.safetensors").write_bytes(weights)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["extra"]["settings"]["hidden_size"] = 4
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CorruptFile, match="checksum"):
        load(folder)


def test_only_a_fitted_model_of_plain_settings_is_saved(tmp_path):
    from ostinato.cells import GRU

    with pytest.raises(NotFitted):
        Forecaster().save(tmp_path / "model")
    y = np.random.default_rng(0).normal(size=30)
    model = Forecaster(hidden_size=2, context=3, epochs=None, steps=0, validation=0).set_params(cell=GRU).fit(y)
    with pytest.raises(SettingsError, match="cell: a model is saved with plain settings"):
        model.save(tmp_path / "model")


@pytest.mark.parametrize("kind", [Forecaster, Persistence, SeasonalNaive, Mean, LinearAR])
def test_scikit_learn_checks_that_apply(kind, monkeypatch):
    """Those on settings and cloning.

    The others give `fit` a matrix of rows in any order and a target of as many values, where a forecaster wants rows in
    the order of time; and they expect scikit-learn's own NotFittedError.
    """
    # Annotations are checked in tests alone; elsewhere the constructor takes whatever it is given, and `fit` judges it.
    monkeypatch.setattr(kind, "__init__", inspect.unwrap(kind.__init__))
    name = kind.__name__
    for check in (
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_valid_tag_types,
        estimator_checks.check_estimator_tags_renamed,
    ):
        check(name, kind())


def test_settings_change_and_clones_are_not_fitted():
    model = Forecaster(**OPTIONS).fit(table(), "y", series="id")
    copy = clone(model).set_params(horizon=1)
    assert model.is_fitted
    assert not copy.is_fitted
    assert copy.get_params() == model.get_params() | {"horizon": 1}
    with pytest.raises(SettingsError, match="no setting 'horizons'"):
        copy.set_params(horizons=2)
    assert repr(Forecaster(horizon=3, calendar=("hour",))) == "Forecaster(horizon=3, calendar=('hour',))"
