"""Accuracy over the amount of data, with a model whose predictions are known."""

from typing import Any

import numpy as np
import pytest

from ostinato.communities import CommunityModel, ablation
from ostinato.data import Communities
from ostinato.errors import SettingsError


class Known(CommunityModel):
    """Predicts the truth and an error that falls with the number of communities."""

    asked: list[tuple[str, ...]]

    def cross_validate(self, X: Any, folds: int = 20, **options: Any) -> np.ndarray:
        self.asked.append(X.names)
        error = np.sin(np.arange(X.values[:, 1:].size)).reshape(X.values[:, 1:].shape)
        return X.values[:, 1:] + error * (12 - len(X))


def test_the_curve_is_that_of_the_subsets() -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(0.1, 1.0, (12, 3, 3))
    values[:6, 0, 0] = 0.0
    data = Communities(tuple("abcdefghijkl"), ("A", "B"), ("acid",), np.arange(3.0), values)
    model, told = Known(), []
    model.asked = []
    found = ablation(model, data, shares=(0.5, 1.0), subsets=3, folds=2, callback=lambda *n: told.append(n))
    assert [len(names) for names in model.asked] == [6, 6, 6, 12]
    assert len(set(model.asked[:3])) == 3
    assert (found.counts, told[-1]) == ((6, 12), (4, 4))
    np.testing.assert_allclose(found.r2[1], 1.0)
    for j, names in enumerate(model.asked[:3]):
        part = data.take(np.array([data.names.index(n) for n in names]))
        made = Known.cross_validate(model, part)
        for f in range(3):
            rows = part.present[:, f] if f < 2 else np.ones(6, bool)
            r = np.corrcoef(part.values[rows, 1:, f].ravel(), made[rows, :, f].ravel())[0, 1]
            assert found.r2[0, j, f] == pytest.approx(r**2, rel=1e-9)


@pytest.mark.parametrize("options", [{"shares": (0.1,)}, {"shares": ()}, {"shares": (1.5,)}, {"subsets": 0}])
def test_refused(options: dict[str, Any]) -> None:
    data = Communities(tuple("abcd"), ("A",), (), np.arange(2.0), np.ones((4, 2, 1)))
    with pytest.raises(SettingsError, match="shares, subsets: expected"):
        ablation(CommunityModel(), data, folds=2, **options)
