r"""Paired tests: whether two models that were judged on the same held-out cases differ by more than chance.

Each takes what the models did case by case and gives a two-sided p-value. `differences` are errors of the first model
less errors of the second: below 0 the first is better.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

LEVEL = 0.05
"""A difference is said to be shown where p is below this."""

RESAMPLES = 1999
"""Resamples of the bootstrap, and random changes of signs where there are too many to try all."""

ALL_SIGNS = 12
"""Up to so many pairs every change of signs is tried."""

AT_ONCE = 1 << 20
"""Random numbers that are held at a time."""


class PairedTest(NamedTuple):
    """What a paired test says: its name, the two-sided p-value, and over how many of what.

    ```python
    >>> print(PairedTest("McNemar's exact test", 0.6171875, 150, "sequences"))
    McNemar's exact test over 150 sequences, p = 0.617
    >>> print(PairedTest("block bootstrap", 0.0005, 52, "forecast origins in blocks of 7"))
    block bootstrap over 52 forecast origins in blocks of 7, p < 0.001

    ```
    """

    name: str
    p: float
    n: int
    unit: str

    @property
    def shows(self) -> bool:
        """Whether a difference is shown at `LEVEL`."""
        return self.p < LEVEL

    def __str__(self) -> str:
        chance = f"p = {self.p:.3g}" if self.p >= 0.001 else "p < 0.001"
        return f"{self.name} over {self.n} {self.unit}, {chance}"


def mcnemar(first: Bool[np.ndarray, " n"], second: Bool[np.ndarray, " n"], unit: str = "sequences") -> PairedTest:
    r"""McNemar's test (1947) in its exact form: each model has half of those that one alone has right.

    With b cases that only the first has right and c that only the second has, under equal models
    $b \sim \mathrm{Binomial}(b + c, \tfrac12)$, and $p = \min(1, 2 P[B \le \min(b, c)])$.

    ```python
    >>> right = np.arange(10) < 8
    >>> mcnemar(right, np.zeros(10, bool)).p == 2 / 2**8, mcnemar(right, right).p
    (True, 1.0)

    ```
    """
    b, c = int((first & ~second).sum()), int((second & ~first).sum())
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1))
    return PairedTest("McNemar's exact test", min(1.0, 2 * tail / 2 ** (b + c)), len(first), unit)


def sign_flip(differences: Float[np.ndarray, " n"], unit: str, *, seed: int = 0) -> PairedTest:
    r"""The paired permutation test (Fisher 1935; Pitman 1937): the sum among those with changed signs.

    $p = P[\,|\sum_i s_i d_i| \ge |\sum_i d_i|\,]$ over all $s_i = \pm 1$, which are equally likely where the two models
    may be exchanged in each pair; all are tried up to `ALL_SIGNS` pairs, `RESAMPLES` random ones and the one that came
    beyond. Pairs have to be independent: sum over what belongs together first.

    ```python
    >>> sign_flip(np.ones(5), "sequences").p == 2 / 2**5
    True

    ```
    """
    name, count = "paired permutation test", len(differences)
    if not np.isfinite(differences).all():
        return PairedTest(name, 1.0, count, unit)
    total = abs(float(differences.sum()))
    # Equal up to rounding counts as equal, whatever the order of the sum was.
    least = total - 1e-12 * float(np.abs(differences).sum())
    if count <= ALL_SIGNS:
        signs = 1.0 - 2.0 * (np.arange(2**count)[:, None] >> np.arange(count) & 1)
        return PairedTest(name, float(np.mean(np.abs(signs @ differences) >= least)), count, unit)
    rng, larger = np.random.default_rng(seed), 0
    for rows in _portions(count):
        larger += int((np.abs(rng.choice((-1.0, 1.0), (rows, count)) @ differences) >= least).sum())
    return PairedTest(name, (1 + larger) / (1 + RESAMPLES), count, unit)


def block_bootstrap(
    differences: Float[np.ndarray, " n"], least: int = 1, unit: str = "forecast origins", *, seed: int = 0
) -> PairedTest:
    r"""The circular block bootstrap of a mean difference in the order of time (Politis and Romano 1992), studentised.

    Blocks of `block_length` neighbours are drawn with replacement, the series closed to a ring. With b block means
    $m_j$ in a resample, $t^* = (\bar m^* - \bar d)\,/\,(s^* / \sqrt b)$, and p is the share of resamples with $|t^*|$
    no less than $|t|$ of the data, whose variance is that of all block means of the ring. With fewer than six blocks
    nothing can be shown, as all their signs together are no rarer than `LEVEL`: p is 1.

    ```python
    >>> rng = np.random.default_rng(0)
    >>> block_bootstrap(rng.normal(0.0, 1.0, 60)).shows, block_bootstrap(rng.normal(-1.0, 1.0, 60)).shows
    (False, True)

    ```
    """
    count = len(differences)
    length = block_length(differences, least)
    unit = f"{unit} in blocks of {length}" if length > 1 else unit
    blocks = count // length if length else 0
    if 2 / 2**blocks > LEVEL or not np.isfinite(differences).all() or not differences.any():
        return PairedTest("block bootstrap", 1.0, count, unit)
    sums = np.cumsum(np.concatenate([[0.0], differences, differences[: length - 1]]))
    means = (sums[length:] - sums[:-length]) / length
    mean = differences.mean()
    # The means of overlapping blocks of one ring scatter less than those of blocks apart, by 1 - length / count.
    found = abs(mean) / max(math.sqrt(np.square(means - mean).mean() / (1 - length / count) / blocks), 1e-300)
    rng, larger = np.random.default_rng(seed), 0
    for rows in _portions(blocks):
        drawn = means[rng.integers(0, count, (rows, blocks))]
        error = np.maximum(drawn.std(1, ddof=1) / math.sqrt(blocks), 1e-300)
        larger += int((np.abs(drawn.mean(1) - mean) / error >= found).sum())
    return PairedTest("block bootstrap", (1 + larger) / (1 + RESAMPLES), count, unit)


def block_length(differences: Float[np.ndarray, " n"], least: int = 1) -> int:
    r"""The length of blocks that suits an autoregression of order 1 (Carlstein 1986), and `least` at least.

    $$\ell = \Big\lceil \Big(\frac{\sqrt 6\,\rho}{1 - \rho^2}\Big)^{2/3} n^{1/3} \Big\rceil,\qquad
      \rho = \frac{n r_1 + 1}{n - 4}$$

    with $r_1$ the autocorrelation to the next, freed of its bias (Kendall 1954), not below 0. `least`: so many errors
    in a row share a truth, which is the horizon over the rows from origin to origin.

    ```python
    >>> block_length(np.tile([1.0, -1.0], 30), 3), block_length(np.sin(np.arange(100) / 10)) > 20
    (3, True)

    ```
    """
    count = len(differences)
    apart = differences - differences.mean() if count else differences
    square = float(np.square(apart).sum())
    if count < 5 or not square > 0:
        return min(least, count)
    rho = (count * float((apart[1:] * apart[:-1]).sum()) / square + 1) / (count - 4)
    rho = min(max(rho, 0.0), 0.97)
    wanted = math.ceil((math.sqrt(6) * rho / (1 - rho**2)) ** (2 / 3) * count ** (1 / 3))
    return min(max(wanted, least), count)


def summed(values: Float[np.ndarray, " n"], clusters: Any) -> Float[np.ndarray, " clusters"]:
    """Sums over what belongs together, in the order of the clusters' names.

    ```python
    >>> summed(np.array([1.0, 2.0, 4.0]), ["b", "a", "b"]).tolist()
    [2.0, 5.0]

    ```
    """
    return np.bincount(np.unique(np.asarray(clusters), return_inverse=True)[1].ravel(), values)


def _portions(width: int) -> list[int]:
    """`RESAMPLES` in parts that are not too large to hold."""
    most = max(AT_ONCE // max(width, 1), 1)
    return [min(most, RESAMPLES - start) for start in range(0, RESAMPLES, most)]
