"""Communities at the corners of what can be reached: where a model learns most from seeing them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ostinato.communities.design.codes import Codes
from ostinato.data import permutation
from ostinato.errors import DataError, SettingsError

STEP, LOWEST = 0.01, 0.5 - 1e-9
QUARTERS = tuple((x, y) for x in (True, False) for y in (True, False))


@dataclass(frozen=True)
class Corner:
    """One corner of a corner design: `high` says of each quantity whether it is large there.

    `rows`: of the chosen communities; `candidates`: how many lay there; `quantiles`: how far out the planes' corners
    begin, less than asked for where too few communities lay beyond.
    """

    high: tuple[bool, ...]
    rows: Int[np.ndarray, "chosen"]
    candidates: int
    quantiles: tuple[float, float]


def corners(
    predicted: Float[np.ndarray, "n 4"],
    codes: Codes,
    *,
    quantile: float = 0.95,
    per_corner: int = 5,
    spread: str = "hamming",
    seed: int = 0,
) -> list[Corner]:
    """Communities in the four corners of one plane, and inside each in the four corners of another: 16 in all.

    The first plane is that of columns 0 and 1 of `predicted`, the second that of columns 2 and 3 (Baranwal et al. 2022:
    butyrate and lactate, then acetate and succinate). A corner holds what is above `quantile`, or below 1 - `quantile`,
    of both columns, the second time counted among those of the first corner. Where fewer than are needed lie there, the
    quantile is lowered by steps of 0.01 until they do, that of the second plane first. In each the first community is
    drawn at random; then

    * `spread="hamming"`: those that differ from it in the most species, as the paper words it;
    * `spread="maxmin"`: one after the other the one that differs most from the nearest of those chosen.

    No community is chosen twice. Raises `SettingsError`, and `DataError` where a corner holds too few communities even
    at the median.
    """
    if predicted.ndim != 2 or predicted.shape[1] != 4:
        raise SettingsError(f"predicted: expected (n, 4), two planes of two, got {predicted.shape}")
    if not 0.5 <= quantile < 1 or per_corner < 1 or spread not in ("hamming", "maxmin"):
        raise SettingsError(
            "quantile, per_corner, spread: expected 0.5 to below 1, 1 or more, hamming or maxmin, "
            f"got {quantile}, {per_corner}, {spread!r}"
        )
    found = []
    for i, outer in enumerate(QUARTERS):
        rows, at, inner = _both(predicted, outer, quantile, per_corner)
        for j, (second, (inside, further)) in enumerate(zip(QUARTERS, inner, strict=True)):
            chosen = _apart(codes[rows[inside]], per_corner, spread, seed, 4 * i + j)
            found.append(Corner(outer + second, rows[inside][chosen], len(inside), (at, further)))
    taken: set[int] = set()
    for corner in found:
        if taken & set(corner.rows.tolist()):
            raise DataError("corners overlap at these quantiles: a community would be chosen twice; take a higher one")
        taken |= set(corner.rows.tolist())
    return found


def _both(
    predicted: np.ndarray, outer: tuple[bool, bool], quantile: float, least: int
) -> tuple[np.ndarray, float, list[tuple[np.ndarray, float]]]:
    """A corner of the first plane whose four corners in the second all hold enough, and where it begins."""
    level = quantile
    while level >= LOWEST:
        rows = _inside(predicted[:, 0], predicted[:, 1], outer, level)
        inner = [_corner(predicted[rows, 2], predicted[rows, 3], high, quantile, least) for high in QUARTERS]
        if all(one is not None for one in inner):
            return rows, round(level, 4), [one for one in inner if one is not None]
        level -= STEP
    words = " and ".join(f"{'high' if up else 'low'} in column {c}" for c, up in enumerate(outer))
    raise DataError(
        f"corners: even at the median, the communities that are {words} do not hold {least} in each corner of the "
        f"second plane; there are {len(predicted)} in all"
    )


def _corner(
    first: np.ndarray, second: np.ndarray, high: tuple[bool, bool], quantile: float, least: int
) -> tuple[np.ndarray, float] | None:
    level = quantile
    while len(first) >= least and level >= LOWEST:
        inside = _inside(first, second, high, level)
        if len(inside) >= least:
            return inside, round(level, 4)
        level -= STEP
    return None


def _inside(first: np.ndarray, second: np.ndarray, high: tuple[bool, bool], level: float) -> np.ndarray:
    """The rows beyond the quantiles of both."""
    good = np.ones(len(first), bool)
    for y, up in zip((first, second), high, strict=True):
        good &= y >= np.quantile(y, level) if up else y <= np.quantile(y, 1 - level)
    return np.flatnonzero(good)


def _apart(codes: Codes, count: int, spread: str, seed: int, number: int) -> np.ndarray:
    """One at random, and those that differ from it, or from all chosen so far, in the most species."""
    order = permutation(len(codes), seed, number, name="corners")
    mixed = codes[order]
    distance = np.bitwise_count(mixed ^ mixed[0]).astype(int)
    distance[0] = -1
    if spread == "hamming":
        return order[np.concatenate([[0], np.argsort(-distance, kind="stable")[: count - 1]])]
    chosen = [0]
    while len(chosen) < count:
        best = int(distance.argmax())
        chosen.append(best)
        distance = np.minimum(distance, np.bitwise_count(mixed ^ mixed[best]))
        distance[chosen] = -1
    return order[np.array(chosen)]
