"""Communities that come nearest to several wishes at once."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from ostinato.errors import SettingsError


def desirability(
    predicted: Float[np.ndarray, "n quantities"], names: Sequence[str], wishes: Mapping[str, str | float]
) -> Float[np.ndarray, "n"]:
    r"""How well each community fulfils all wishes at once, from 0 to 1 (Derringer and Suich 1980).

    $$D = \Big(\prod_w d_w\Big)^{1/n}$$

    A wish is `"max"`, `"min"`, or a value to come near to. With $l$ and $h$ the 1st and 99th percentile of a quantity,
    $d = (y - l) / (h - l)$, or $(h - y) / (h - l)$, or $1 - |y - v| / (h - l)$, all cut at 0 and 1.

    Raises `SettingsError` for a quantity that is not there, and for no wish at all.

    ```python
    >>> desirability(np.array([[0.0], [50.0], [100.0]]), ["acid"], {"acid": "max"}).round(3).tolist()
    [0.0, 0.5, 1.0]

    ```
    """
    if not wishes:
        raise SettingsError("wishes: expected at least one")
    # In single precision: there may be tens of millions.
    total = np.zeros(len(predicted), np.float32)
    for name, wish in wishes.items():
        if name not in names:
            raise SettingsError(f"wishes: no {name!r} among {', '.join(names)}")
        y = np.array(predicted[:, list(names).index(name)], np.float32)
        low, high = np.quantile(y, [0.01, 0.99]).astype(np.float32)
        wide = np.maximum(high - low, np.float32(1e-12))
        if wish == "max":
            one = (y - low) / wide
        elif wish == "min":
            one = (high - y) / wide
        elif isinstance(wish, str):
            raise SettingsError(f"wishes: expected max, min or a number for {name!r}, got {wish!r}")
        else:
            one = 1 - np.abs(y - np.float32(wish)) / wide
        with np.errstate(divide="ignore"):
            total += np.log(np.clip(one, 0, 1))
    return np.exp(total / np.float32(len(wishes)))
