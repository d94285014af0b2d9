"""What the measures of an evaluation mean, each in a line."""

from collections.abc import Iterable

MEASURES: dict[str, str] = {
    "RMSE": "root of the mean squared error, in the unit of the data; smaller is better",
    "MAE": "mean absolute error, in the unit of the data; smaller is better",
    "MASE": "mean absolute error over that of the seasonal naive forecast in training; below 1 is better than it",
    "CRPS": "continuous ranked probability score of the forecast's distribution; smaller is better",
    "skill": "1 − MSE / MSE of persistence (the last value again): 1 is perfect, 0 no better, below 0 worse",
    "accuracy": "share of right labels",
    "balanced accuracy": "mean over the classes of the share of each that was found",
    "macro F1": "mean over the classes of F1, the harmonic mean of precision and recall",
    "cross-entropy": "mean of −ln of the probability given to the true label, in nats; smaller is better",
    "R²": "share of the variance explained: 1 is perfect, 0 as good as the mean",
    "learned": "networks that met the criterion",
    "median trials": "trials that half of those networks needed",
}
"""By name, as scores have them."""


def meanings(names: Iterable[str]) -> list[str]:
    """A line for each of the measures that is in the table.

    ```python
    >>> meanings(["accuracy", "mine"])
    ['accuracy: share of right labels']

    ```
    """
    return [f"{name}: {MEASURES[name]}" for name in names if name in MEASURES]
