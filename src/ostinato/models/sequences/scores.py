"""Scores of predicted classes."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ostinato.models import measures


def scores(
    probabilities: Float[np.ndarray, "n classes"],
    truth: Int[np.ndarray, " n"],
    classes: list[Any],
) -> dict[str, Any]:
    """Accuracy, cross-entropy in nats, calibration error, confusion matrix and scores of each class, as plain values.

    Of class k with t of its own found, p predicted and n present: precision t/p, recall t/n and F1 2t/(p + n), each 0
    where its denominator is.
    """
    table = measures.confusion(truth, probabilities.argmax(-1), len(classes))
    found, predicted, present = np.diag(table), table.sum(0), table.sum(1)
    return {
        "accuracy": measures.accuracy(truth, probabilities.argmax(-1)),
        "cross_entropy": measures.cross_entropy(truth, probabilities),
        "calibration_error": measures.calibration_error(truth, probabilities),
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
