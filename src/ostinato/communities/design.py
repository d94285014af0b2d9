"""Which communities to build: those at the corners of what can be reached, and those that come nearest to a wish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt

from ostinato.data import permutation
from ostinato.errors import DataError, SettingsError

Codes = UInt[np.ndarray, "n"]
"""Communities as numbers: bit i of one says whether species i is in it."""

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


def codes_of(present: Any) -> Codes:
    """Communities as numbers, from `(n, species)` truth values. Raises `SettingsError` for more than 32 species.

    ```python
    >>> codes_of([[True, False, True]]).tolist(), presence_of(np.array([5], np.uint32), 3).tolist()
    ([5], [[True, False, True]])

    ```
    """
    present = np.asarray(present, bool)
    _check_species(present.shape[1])
    return (present.astype(np.uint32) << np.arange(present.shape[1], dtype=np.uint32)).sum(1, dtype=np.uint32)


def presence_of(codes: Any, species: int) -> np.ndarray:
    """The inverse: `(n, species)` truth values."""
    return (np.asarray(codes, np.uint32)[:, None] >> np.arange(species, dtype=np.uint32)) & 1 == 1


def candidates(
    first: int,
    last: int,
    sizes: tuple[int, int],
    *,
    required: int = 0,
    excluded: int = 0,
) -> Codes:
    """The communities with numbers in `first..last` (`last` not included) of sizes from `sizes[0]` to `sizes[1]`.

    `required` and `excluded` are numbers of communities too: species that all have to have, and none may have.
    """
    codes = np.arange(first, last, dtype=np.uint32)
    size = np.bitwise_count(codes)
    good = (size >= sizes[0]) & (size <= sizes[1])
    good &= (codes & np.uint32(required)) == required
    return codes[good & ((codes & np.uint32(excluded)) == 0)]


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


def pipetting(
    codes: Codes,
    species: Sequence[str],
    *,
    total: float = 0.0066,
    volume: float = 1000.0,
    stocks: Mapping[str, float] | None = None,
    stock: float = 0.1,
) -> dict[str, np.ndarray]:
    """What to put together, as columns: for each community the microlitres of each species' stock, and of medium.

    `total`: optical density of the whole community, shared out equally; `volume`: microlitres of a culture; `stocks`:
    optical density of each species' stock, where it is not `stock`.

    Raises `SettingsError` (a stock of an unknown species, or of no density), `DataError` where the stocks are too thin.

    ```python
    >>> table = pipetting(np.array([3], np.uint32), ["A", "B"], total=0.01, stocks={"B": 0.05})
    >>> {name: column.tolist() for name, column in table.items()}
    {'community': ['A-B'], 'A': [50.0], 'B': [100.0], 'medium': [850.0]}

    ```
    """
    stocks = {} if stocks is None else dict(stocks)
    unknown = [name for name in stocks if name not in species]
    if unknown:
        raise SettingsError(f"stocks: no species {unknown[0]!r}, there are {', '.join(species)}")
    density = np.array([float(stocks.get(name, stock)) for name in species])
    if not (np.isfinite(density) & (density > 0)).all():
        raise SettingsError(f"stocks: expected densities above 0, got {density.tolist()}")
    present = presence_of(codes, len(species))
    each = total / np.maximum(present.sum(1, keepdims=True), 1)
    volumes = np.where(present, volume * each / density, 0.0)
    medium = volume - volumes.sum(1)
    if (medium < 0).any():
        row = int(medium.argmin())
        raise DataError(
            f"the stocks of community {row} fill {volume - medium[row]:.4g} of {volume:g} microlitres; take denser ones"
        )
    names = np.array([name_of(row, species) for row in present], object)
    columns = {name: volumes[:, i].round(3) for i, name in enumerate(species)}
    return {"community": names, **columns, "medium": medium.round(3)}


def name_of(present: Any, species: Sequence[str]) -> str:
    """The species of a community, joined."""
    return "-".join(name for name, there in zip(species, present, strict=True) if there)


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


def _check_species(count: int) -> None:
    if not 1 <= count <= 32:
        raise SettingsError(f"species: expected 1 to 32 for an exhaustive search, got {count}")
