"""The models in closed form that stand beside a network of sequences, as baselines and as parts of its mixture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from ostinato.errors import CorruptFile
from ostinato.models.ridge import RidgeRegression
from ostinato.models.sequences.filters import RandomFilters
from ostinato.models.sequences.references import NearestNeighbour, places, resampled

NEIGHBOUR, VALUES, FILTERS = "nearest neighbour", "linear of values", "random filters"


@dataclass(frozen=True)
class Beside:
    """The nearest neighbour and a linear map of values, and with `filters` a linear map of what they count.

    All from standardised arrays `(time, features)` to scores `(outputs,)`: of each class, or the numbers. Ridge
    regressions with the penalty that has the least leave-one-out error. `left_out`: by model what it says of each
    training row without that row, where it was just fitted.
    """

    values: RidgeRegression
    neighbour: NearestNeighbour
    at: int
    filters: RandomFilters | None = None
    filtered: RidgeRegression | None = None
    left_out: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def fit(
        cls, sequences: Sequence[np.ndarray], targets: Float[np.ndarray, "n outputs"], filters: int, seed: int
    ) -> "Beside":
        """From standardised sequences; `filters`: about how many features, 0 for none."""
        at = places(sequences)
        rows = resampled(sequences, at)
        values, left = RidgeRegression.fit_left_out(rows, targets)
        neighbour = NearestNeighbour.fit(rows, targets)
        if not filters:
            return cls(values, neighbour, at)
        bank = RandomFilters.fit(sequences, filters, seed)
        filtered, unseen = RidgeRegression.fit_left_out(bank(sequences).astype(np.float64), targets)
        said = {FILTERS: unseen, VALUES: left}
        if len(neighbour.targets) == len(targets):
            said[NEIGHBOUR] = neighbour.left_out()
        return cls(values, neighbour, at, bank, filtered, said)

    def scores(self, sequences: Sequence[np.ndarray]) -> dict[str, Float[np.ndarray, "n outputs"]]:
        """What each model says of standardised sequences."""
        rows = resampled(sequences, self.at)
        found = {VALUES: self.values.predict(rows), NEIGHBOUR: self.neighbour.predict(rows)}
        if self.filters is not None and self.filtered is not None:
            found[FILTERS] = self.filtered.predict(self.filters(sequences).astype(np.float64))
        return found

    def arrays(self) -> dict[str, Any]:
        """For a file."""
        parts: dict[str, Mapping[str, Any]] = {"values": self.values.arrays(), "neighbour": self.neighbour.arrays()}
        if self.filters is not None and self.filtered is not None:
            parts |= {"filters": self.filters.arrays(), "filtered": self.filtered.arrays()}
        flat = {f"{part}.{name}": np.asarray(a) for part, own in parts.items() for name, a in own.items()}
        return flat | {"at": np.asarray(self.at)}

    @staticmethod
    def like(shapes: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Arrays of the shapes that a file names, and of the types that `arrays` gives. Raises `CorruptFile`."""
        kinds = {"at": np.int64, "neighbour.rows": np.float32, "filters.dilations": np.int64}
        kinds |= {f"filters.{name}": np.float32 for name in ("channels", "thresholds")}
        if not all(isinstance(n, int) and 0 <= n < 1 << 31 for shape in shapes.values() for n in shape):
            raise CorruptFile("beside: expected the shapes of arrays")
        # Of NumPy, so that doubles stay doubles; spread from one number, so that they take no room.
        blank = lambda name, shape: np.broadcast_to(np.zeros((), kinds.get(name, np.float64)), shape)
        return {name: blank(name, tuple(shape)) for name, shape in shapes.items()}

    @classmethod
    def from_arrays(cls, found: Mapping[str, Any]) -> "Beside":
        """The inverse of `arrays`."""
        part = lambda of: {n.removeprefix(f"{of}."): a for n, a in found.items() if n.startswith(f"{of}.")}
        values, neighbour = RidgeRegression.from_arrays(part("values")), NearestNeighbour.from_arrays(part("neighbour"))
        if "filters.dilations" not in found:
            return cls(values, neighbour, int(found["at"]))
        bank = RandomFilters(**{name: np.asarray(array) for name, array in part("filters").items()})
        return cls(values, neighbour, int(found["at"]), bank, RidgeRegression.from_arrays(part("filtered")))
