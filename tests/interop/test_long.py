"""Long frames in and out: names, index, types and numbers are those of the model itself."""

import numpy as np
import pandas as pd
import pytest

from ostinato.errors import DataError
from ostinato.interop.long import LongForecaster
from ostinato.models import LinearAR

rng = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "unique_id": np.repeat([12, 7], [40, 30]),
        "ds": [*pd.date_range("2020-01-01", periods=40), *pd.date_range("2021-05-01", periods=30)],
        "y": np.r_[rng.normal(size=40).cumsum(), 1e3 * rng.normal(size=30).cumsum()],
    }
)


@pytest.mark.parametrize("indexed", [False, True])
def test_index_and_types_are_kept(indexed: bool):
    frame = FRAME.set_index("unique_id") if indexed else FRAME
    made = LongForecaster(LinearAR(2, 3), "ar").fit(frame).predict(level=(80,))
    assert made.index.name == ("unique_id" if indexed else None)
    ids = made.index if indexed else made["unique_id"]
    assert ids.tolist() == [12] * 3 + [7] * 3
    assert ids.dtype == FRAME["unique_id"].dtype
    assert list(made.columns)[-4:] == ["ds", "ar", "ar-lo-80", "ar-hi-80"]
    wanted = LinearAR(2, 3).fit(FRAME, "y", time="ds", series="unique_id").predict(level=(80,))
    assert made["ar"].tolist() == wanted["y"].tolist()
    assert made["ar-hi-80"].tolist() == wanted["y_hi80"].tolist()
    assert made["ds"].tolist()[3] == pd.Timestamp("2021-05-31")


def test_cross_validation_is_that_of_models_fitted_to_the_rows_before():
    made = LongForecaster(LinearAR(2)).cross_validation(FRAME, 2, n_windows=3, step_size=2, refit=True)
    assert len(made) == 2 * 3 * 2
    row = made[(made["unique_id"] == 12) & (made["cutoff"] == pd.Timestamp("2020-02-05"))]
    assert row["ds"].tolist() == [pd.Timestamp("2020-02-06"), pd.Timestamp("2020-02-07")]
    assert row["y"].tolist() == FRAME["y"][36:38].tolist()
    known = FRAME.drop(index=[*range(36, 40), *range(66, 70)])
    assert row["linear"].to_numpy() == pytest.approx(
        LinearAR(2, 2).fit(known, "y", time="ds", series="unique_id").predict()["y"][:2]
    )


def test_a_frame_without_its_columns_is_refused():
    with pytest.raises(DataError, match="unique_id, ds and y"):
        LongForecaster(LinearAR(2)).fit(FRAME.rename(columns={"y": "z"}))
