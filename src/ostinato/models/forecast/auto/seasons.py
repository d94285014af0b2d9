"""Which seasons a series may have: that of its time step, and one that its autocorrelation shows."""

from collections.abc import Sequence

import numpy as np

from ostinato.data import Frequency


def seasons_of(
    values: Sequence[np.ndarray], stops: Sequence[int], frequency: Frequency | None, most: int = 2
) -> tuple[int, ...]:
    """Seasons worth trying, of at least 2 steps and at most a third of the rows, the likeliest first.

    That of the time step; a week beside a day; and the highest peak of the autocorrelation of the detrended longest
    series, where it is above 0.2 and three times what chance gives.
    """
    rows = int(max(stops))
    found = []
    if frequency is not None and frequency.season:
        found += [round(s) for s in frequency.seasons[:2]] if frequency.season > 7 else [frequency.season]
    longest = int(np.argmax(stops))
    shown = autocorrelation_season(values[longest][: stops[longest], 0])
    if shown is not None and not any(abs(shown - m) <= 0.1 * m for m in found):
        found.append(shown)
    return tuple(dict.fromkeys(m for m in found if 2 <= m <= rows // 3))[:most]


def autocorrelation_season(values: np.ndarray) -> int | None:
    """The lag of the highest peak of the autocorrelation, None where none stands out.

    ```python
    >>> t = np.arange(200)
    >>> autocorrelation_season(np.sin(2 * np.pi * t / 11) + 0.02 * t), autocorrelation_season(1.0 * t)
    (11, None)

    ```
    """
    seen = ~np.isnan(values)
    n = len(values)
    if seen.sum() < 12:
        return None
    t = np.arange(n)
    slope = np.polyfit(t[seen], values[seen], 1)
    rest = np.where(seen, values - np.polyval(slope, t), 0)
    power = np.abs(np.fft.rfft(rest, 2 * n)) ** 2
    acf = np.fft.irfft(power)[: n // 3 + 2]
    if acf[0] <= 1e-12 * max(float(np.nanmax(values**2)), 1e-300) * n:
        return None
    acf = acf / acf[0] * n / (n - np.arange(len(acf)))
    inner = np.arange(2, len(acf) - 1)
    peaks = inner[(acf[inner] >= acf[inner - 1]) & (acf[inner] > acf[inner + 1])]
    # A peak after the first fall below it: the shoulder of a smooth series is no season.
    below = np.flatnonzero(acf < 0.5 * acf[peaks].max(initial=0.0)) if len(peaks) else []
    peaks = peaks[peaks > below[0]] if len(below) else peaks[:0]
    if not len(peaks):
        return None
    best = int(peaks[np.argmax(acf[peaks])])
    # The first of its multiples that is nearly as high.
    near = [int(p) for p in peaks if acf[p] >= 0.85 * acf[best] and p <= best]
    best = near[0] if near else best
    return best if acf[best] > max(0.2, 3 / np.sqrt(n)) else None
