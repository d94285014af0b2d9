"""What a report says of labelled sequences: scores, a confusion matrix, predicted against true numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ostinato.models.verdicts import verdict
from ostinato.runs import Evaluation, Score
from ostinato.view import Confusion, Multiples, Residuals, Scatter, Table, numbers, section

BY_CLASS = (
    "Precision: of those given this label, the share that has it. Recall: of those that have it, the share that was "
    "found. F1: their harmonic mean."
)

NAMES = {"majority": "most frequent class", "linear": "linear of means"}
"""What baselines are called in tables, where that is another name."""


def of_classes(label: str, found: Mapping[str, Any], held_out: str) -> Evaluation:
    """From `SequenceClassifier.evaluate`."""
    per_class = found["per_class"]
    ours = {
        "accuracy": found["accuracy"],
        "macro F1": float(np.mean([row["f1"] for row in per_class])),
        "cross-entropy": found["cross_entropy"],
        "calibration error": found["calibration_error"],
    }
    shown = lambda rows: {str(NAMES.get(name, name)): row for name, row in rows.items()}
    baselines = shown(found["baselines"])
    scores = [Score(label, True, ours), *(Score(n, False, {"accuracy": v}) for n, v in baselines.items())]
    accuracies = {label: found["accuracy"], **baselines}
    counts = Confusion(tuple(map(str, found["classes"])), tuple(tuple(row) for row in found["confusion"]))
    return Evaluation(
        "classify",
        "",
        held_out,
        verdict(label, accuracies, shown(found["tests"]), "accuracy", higher=True),
        tuple(scores),
        (
            section("Confusion", counts, "Rows are the true classes, columns the predicted ones."),
            section("Each class", _by_class(per_class), BY_CLASS),
        ),
        higher=True,
    )


def _by_class(rows: Sequence[Mapping[str, Any]]) -> Table:
    names = ("precision", "recall", "f1")
    table = tuple((str(row["label"]), *(float(row[n]) for n in names), int(row["count"])) for row in rows)
    return Table(("class", "precision", "recall", "F1", "sequences"), table)


def of_numbers(label: str, found: Mapping[str, Any], held_out: str, truth: Any, predicted: Any) -> Evaluation:
    """From `SequenceRegressor.evaluate`, with the true and the predicted numbers."""
    rows = {label: found, **found["baselines"]}
    scores = [Score(n, n == label, {"RMSE": r["rmse"], "MAE": r["mae"], "R²": r["r2"]}) for n, r in rows.items()]
    pairs = numbers(truth), numbers(predicted)
    both = section("Predicted against true", Scatter(*pairs)), section("Residuals", Residuals(*pairs))
    errors = {name: row["rmse"] for name, row in rows.items()}
    return Evaluation(
        "regress",
        "",
        held_out,
        verdict(label, errors, found["tests"], "RMSE"),
        tuple(scores),
        (section("Held out", Multiples(both)),),
    )
