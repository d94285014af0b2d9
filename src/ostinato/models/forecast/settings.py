"""The settings of a forecaster: what each may be, and what `"auto"` stands for where the data do not say."""

from typing import Any, Literal

import numpy as np

from ostinato.models.checks import Check, above_0, at_least_0, one_of, rates, whole
from ostinato.models.forecast.losses import LOSSES

Auto = Literal["auto"]

YES_NO = ("mixture", "log", "subtract_last")
"""Settings that are true, false, or found by the data."""

ALONE: dict[str, Any] = {
    "hidden_size": 64,
    "season": None,
    "log": False,
    "subtract_last": False,
    "calendar": (),
    "missing": "refuse",
    "epochs": 50,
    "learning_rate": 3e-3,
    "validation": 0.1,
}
"""What `"auto"` stands for in a network that is not mixed with anything."""

MIXED: dict[str, Any] = {"learning_rate": 3e-3, "patience": 6, "missing": "observed"}
"""What it stands for in the networks that correct a mixture, where it is not found by the data."""


def _is_size(value: Any) -> bool:
    """A number of units, or one for each layer."""
    sizes = value if isinstance(value, tuple | list) else (value,)
    return bool(sizes) and all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in sizes)


CHECKS = (
    Check("hidden_size", lambda value, model: value == "auto" or _is_size(value), "1 or more units, or auto"),
    *whole("num_layers", "horizon", "batch_size", "stride"),
    Check("context", lambda value, model: value == "auto" or value >= 1, "1 or more, or auto"),
    Check("season", lambda value, model: value in ("auto", None) or value >= 2, "2 or more steps, None, or auto"),
    *(Check(n, lambda value, model: value in ("auto", True, False), "auto, True or False") for n in YES_NO),
    Check("head_size", lambda value, model: value is None or value >= 1, "None, or 1 or more"),
    *one_of("mode", ("direct", "recursive")),
    *one_of("missing", ("auto", "refuse", "observed")),
    *one_of("scaling", ("series", "pooled")),
    *one_of("loss", LOSSES),
    *one_of("schedule", ("cosine", "constant")),
    *rates("dropout"),
    *at_least_0("skip_ridge", "weight_decay"),
    Check("learning_rate", lambda value, model: value == "auto" or 0 < value < np.inf, "a number above 0, or auto"),
    *above_0("clip"),
    Check(
        "epochs",
        lambda value, model: value in ("auto", None) if model.steps is not None else value == "auto" or value >= 0,
        "exactly one of epochs and steps",
    ),
    Check("seed", lambda value, model: -(2**63) <= value < 2**63, "a whole number of 64 bits"),
    Check("patience", lambda value, model: value is None or model.validation, "None without a validation set"),
    Check("quantiles", lambda value, model: not value or list(value) == sorted(set(value)), "rising levels"),
    Check(
        "quantiles",
        lambda value, model: all(0 < level < 1 for level in value or ()),
        "levels between 0 and 1",
    ),
)
