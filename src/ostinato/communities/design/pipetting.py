"""What to put together for a community: volumes of stocks and of medium."""

from collections.abc import Mapping, Sequence

import numpy as np

from ostinato.communities.design.codes import Codes, name_of, presence_of
from ostinato.errors import DataError, SettingsError


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
