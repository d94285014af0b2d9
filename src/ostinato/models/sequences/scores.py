"""Scores of predicted classes."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int


def confusion(
    truth: Int[np.ndarray, " n"], found: Int[np.ndarray, " n"], classes: int
) -> Int[np.ndarray, "classes classes"]:
    """How often class i was taken for class j: rows are true, columns predicted.

    ```python
    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]

    ```
    """
    table = np.zeros((classes, classes), int)
    np.add.at(table, (truth, found), 1)
    return table


def scores(
    probabilities: Float[np.ndarray, "n classes"],
    truth: Int[np.ndarray, " n"],
    classes: list[Any],
    baselines: dict[str, float],
) -> dict[str, Any]:
    """Accuracy, cross-entropy in nats, confusion matrix and scores of each class, as plain values.

    Of class k with t of its own found, p predicted and n present: precision t/p, recall t/n and F1 2t/(p + n), each 0
    where its denominator is.
    """
    table = confusion(truth, probabilities.argmax(-1), len(classes))
    found, predicted, present = np.diag(table), table.sum(0), table.sum(1)
    chosen = np.maximum(probabilities[np.arange(len(truth)), truth], np.finfo(float).tiny)
    return {
        "accuracy": float(found.sum() / len(truth)),
        "cross_entropy": float(-np.log(chosen).mean()),
        "baselines": baselines,
        "classes": classes,
        "confusion": table.tolist(),
        "per_class": [
            {
                "label": label,
                "precision": float(t / max(p, 1)),
                "recall": float(t / max(n, 1)),
                "f1": float(2 * t / max(p + n, 1)),
                "count": int(n),
            }
            for label, t, p, n in zip(classes, found, predicted, present, strict=True)
        ],
        "count": len(truth),
    }
