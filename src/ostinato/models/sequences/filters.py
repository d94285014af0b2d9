"""Random filters over a sequence, and how often each is above a threshold: features for a linear read-out."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ostinato.data import permutation

TAPS = 9
TRIPLES = np.array(list(itertools.combinations(range(TAPS), 3)))
"""The places of the three large taps of each of the 84 filters."""

DILATIONS = 6
"""At most so many distances between taps."""

SEEN = 20
"""Training sequences whose filtered values give the thresholds."""

CHUNK = 1 << 18
"""Steps of all sequences that are filtered at a time."""


@dataclass(frozen=True)
class RandomFilters:
    r"""Shares of the steps at which filtered sequences exceed thresholds (MiniRocket; Dempster et al., KDD 2021).

    $$f_{dkq} = \frac1T \sum_t [\,(w_k *_d \textstyle\sum_{c \in C_{dk}} x_c)_t > b_{dkq}\,],\qquad
      w_k \in \{-1, 2\}^9$$

    All 84 filters $w_k$ with three taps of 2, each of which sums to 0, at `dilations` from one step up to where a
    filter spans the usual sequence; beyond the ends of a sequence there are zeros. `channels (dilations, 84, features)`
    says which features a filter sums, drawn at random; `thresholds (dilations, 84, q)` are quantiles of the filtered
    values of some training sequences. Nothing is learned from targets. Values are to be standardised; a missing one
    (NaN) counts as 0, the mean.
    """

    dilations: Int[np.ndarray, " dilations"]
    channels: Float[np.ndarray, "dilations 84 features"]
    thresholds: Float[np.ndarray, "dilations 84 q"]

    @classmethod
    def fit(cls, values: Sequence[np.ndarray], count: int, seed: int) -> "RandomFilters":
        """About `count` features from arrays `(time, features)`, a function of the seed."""
        lengths, features = [len(v) for v in values], values[0].shape[1]
        widest = np.log2(max((np.median(lengths) - 1) / (TAPS - 1), 1.0))
        spaced = np.floor(2 ** np.linspace(0, widest, min(DILATIONS, int(widest) + 1)))
        dilations = np.unique(spaced.astype(np.int64))
        each = max(count // (len(dilations) * len(TRIPLES)), 1)
        channels = np.zeros((len(dilations), len(TRIPLES), features), np.float32)
        for i, chosen in enumerate(channels.reshape(-1, features)):
            most = int((min(features, TAPS) + 1) ** _spread(i))
            chosen[permutation(features, seed, i, name="filters")[:most]] = 1
        bank = cls(dilations, channels, np.zeros((len(dilations), len(TRIPLES), each), np.float32))
        quantiles = _spread(np.arange(bank.thresholds.size)).reshape(bank.thresholds.shape)
        padded, there = _padded([values[i] for i in permutation(len(values), seed, name="thresholds")[:SEEN]])
        if there.any():
            for d, k, filtered in bank._filtered(padded):
                bank.thresholds[d, k] = np.quantile(filtered[there], quantiles[d, k])
        return bank

    @property
    def size(self) -> int:
        """How many features."""
        return self.thresholds.size

    def __call__(self, values: Sequence[np.ndarray]) -> Float[np.ndarray, "sequences features"]:
        """The features of each sequence; zeros for a length of 0."""
        found = np.zeros((len(values), *self.thresholds.shape), np.float32)
        for rows in _alike(np.array([len(v) for v in values])):
            padded, there = _padded([values[i] for i in rows])
            outside = None if there.all() else ~there
            for d, k, filtered in self._filtered(padded):
                if outside is not None:
                    filtered[outside] = -np.inf
                for q, threshold in enumerate(self.thresholds[d, k]):
                    found[rows, d, k, q] = np.count_nonzero(filtered > threshold, axis=1)
            found[rows] /= np.maximum(there.sum(1), 1)[:, None, None, None]
        return found.reshape(len(values), -1)

    def _filtered(
        self, padded: Float[np.ndarray, "rows time features"]
    ) -> Iterator[tuple[int, int, Float[np.ndarray, "rows time"]]]:
        """For each dilation and filter what comes out of it."""
        time = padded.shape[1]
        for d, dilation in enumerate(self.dilations):
            reach = int(dilation) * (TAPS // 2)
            wide = np.pad(padded, ((0, 0), (reach, reach), (0, 0)))
            one = wide.shape[2] == 1
            taps: list[np.ndarray] = []
            for k, triple in enumerate(TRIPLES):
                if not (one and taps):
                    seen = wide[..., 0] if one else wide @ self.channels[d, k]
                    taps = [seen[:, j * int(dilation) : j * int(dilation) + time] for j in range(TAPS)]
                    total = sum(taps[1:], start=taps[0])
                yield d, k, 3 * (taps[triple[0]] + taps[triple[1]] + taps[triple[2]]) - total

    def arrays(self) -> dict[str, Any]:
        """For a file; they are the arguments of the constructor."""
        return {"dilations": self.dilations, "channels": self.channels, "thresholds": self.thresholds}


def _spread(number: Any) -> Any:
    """Multiples of the golden ratio without their whole part: few of them are spread evenly over 0 to 1."""
    return (number + 1) * (5**0.5 - 1) / 2 % 1


def _padded(values: Sequence[np.ndarray]) -> tuple[Float[np.ndarray, "rows time features"], np.ndarray]:
    """Sequences side by side with zeros after their ends, and where there is a step."""
    lengths = np.array([len(v) for v in values])
    found = np.zeros((len(values), max(int(lengths.max()), 1), values[0].shape[1]), np.float32)
    for row, value in zip(found, values, strict=True):
        row[: len(value)] = np.nan_to_num(value)
    return found, np.arange(found.shape[1]) < lengths[:, None]


def _alike(lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Rows of similar lengths together, so many at a time as `CHUNK` allows."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = max(2 * int(lengths[order[start]]), 16)
        stop = start + 1
        while stop < len(order) and lengths[order[stop]] <= longest:
            if (stop + 1 - start) * int(lengths[order[stop]]) > CHUNK:
                break
            stop += 1
        yield order[start:stop]
        start = stop
