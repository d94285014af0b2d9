"""The conventions of scikit-learn, for both estimators of sequences; its checks that need a 2-D X do not apply."""

import inspect

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import cross_val_score
from sklearn.utils import estimator_checks as checks

from ostinato.errors import NotFitted
from ostinato.models import SequenceClassifier, SequenceRegressor
from ostinato.models.sequences.estimator import SequenceEstimator

KINDS = (SequenceClassifier, SequenceRegressor)
APPLICABLE = (
    checks.check_do_not_raise_errors_in_init_or_set_params,
    checks.check_estimator_cloneable,
    checks.check_estimator_repr,
    checks.check_estimator_tags_renamed,
    checks.check_get_params_invariance,
    checks.check_no_attributes_set_in_init,
    checks.check_parameters_default_constructible,
    checks.check_set_params,
    checks.check_valid_tag_types,
)


@pytest.mark.parametrize("check", APPLICABLE, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_check_of_scikit_learn(kind, check, monkeypatch) -> None:
    # Annotations are checked in tests alone; elsewhere the constructor takes whatever it is given, and `fit` judges it.
    monkeypatch.setattr(SequenceEstimator, "__init__", inspect.unwrap(SequenceEstimator.__init__))
    check(kind.__name__, kind())


@pytest.mark.parametrize("kind", KINDS)
def test_before_fit(kind) -> None:
    model = kind(hidden_size=(7, 5), cell="lstm", seed=3)
    assert repr(model) == f"{kind.__name__}(cell='lstm', hidden_size=(7, 5), seed=3)"
    copy = clone(model).set_params(dropout=0.5)
    assert copy.get_params() == model.get_params() | {"dropout": 0.5}
    assert (is_classifier(model), is_regressor(model)) == (kind is SequenceClassifier, kind is SequenceRegressor)
    for call in (lambda: model.predict([np.ones((2, 1))]), lambda: model.save("nowhere")):
        with pytest.raises(NotFitted):
            call()
    # What scikit-learn raises is both of these, and callers catch either.
    assert issubclass(NotFitted, (ValueError, AttributeError))


def test_cross_validation_of_a_list_of_sequences() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(24) % 2
    X = [rng.normal(2.0 * k - 1, 0.3, (int(rng.integers(3, 6)), 1)) for k in y]
    model = SequenceClassifier(hidden_size=4, epochs=8, learning_rate=0.1, batch_size=4, buckets=1)
    assert cross_val_score(model, X, y, cv=2).tolist() == [1.0, 1.0]
    assert not model.is_fitted
