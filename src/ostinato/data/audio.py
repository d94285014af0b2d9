"""Sound as frames of log-mel energies, and reading it from a wave file."""

import io
import warnings

import numpy as np
from jaxtyping import Float

from ostinato.errors import CorruptFile, LengthError

FLOOR = 1e-10
"""Added to an energy before its logarithm; a signal of full scale has amplitude 1."""


def log_mel(
    signal: Float[np.ndarray, "samples"],
    rate: int,
    frame: float = 0.025,
    hop: float = 0.010,
    mels: int = 40,
    low: float = 20.0,
    high: float | None = None,
) -> Float[np.ndarray, "time mels"]:
    """Logarithms of the energy in `mels` bands of equal width on the mel scale, every `hop` seconds.

    A frame of N = round(frame * rate) samples begins every round(hop * rate) samples; it is weighted with a periodic
    Hann window and transformed with a DFT of N points: `P[t, f] = |sum_n w[n] x[t hop + n] exp(-2 pi i f n / N)|^2`.
    The result is `log(P F + 1e-10)` (natural), with the triangles F of `mel_filters`. Samples after the last whole
    frame are left out; a signal shorter than a frame is filled up with zeros to one.

    `low` and `high` (Hz; half the rate by default) bound the bands. Raises `LengthError` for an empty signal.

    ```python
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)
    >>> frames = log_mel(tone, 8000)
    >>> frames.shape, int(frames[0].argmax())
    ((98, 40), 18)

    ```
    """
    signal = np.asarray(signal, np.float64)
    if signal.ndim != 1 or not len(signal):
        raise LengthError(f"signal: expected (samples,) with at least one sample, got shape {signal.shape}")
    size, step = round(frame * rate), round(hop * rate)
    if size < 2 or step < 1:
        raise LengthError(f"log_mel: frame {frame} s and hop {hop} s are too short at {rate} samples per second")
    signal = np.pad(signal, (0, max(size - len(signal), 0)))
    frames = np.lib.stride_tricks.sliding_window_view(signal, size)[::step]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    power = np.abs(np.fft.rfft(frames * window, axis=-1)) ** 2
    return np.log(power @ mel_filters(rate, size, mels, low, high) + FLOOR)


def mel_filters(
    rate: int, size: int, mels: int, low: float = 20.0, high: float | None = None
) -> Float[np.ndarray, "frequencies mels"]:
    """Triangles over the frequencies `f rate / size` of a DFT, equally wide in mel, the peak of each at 1.

    The scale is that of HTK: `mel(f) = 2595 log10(1 + f / 700)`. The corners are `mels + 2` points equally spaced from
    `mel(low)` to `mel(high)`; band m rises from corner m to corner m + 1 and falls to corner m + 2, linearly in Hz. The
    areas are not normalised.
    """
    high = rate / 2 if high is None else high
    corners = 700 * (10 ** (np.linspace(_mel(low), _mel(high), mels + 2) / 2595) - 1)
    frequencies = np.arange(size // 2 + 1)[:, None] * rate / size
    left, peak, right = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (frequencies - left) / (peak - left), (right - frequencies) / (right - peak)
    return np.maximum(0, np.minimum(rising, falling))


def read_wave(content: bytes, name: str = "wave file") -> tuple[int, Float[np.ndarray, "samples"]]:
    """Samples per second, and the signal with full scale 1, channels averaged; raises `CorruptFile`."""
    from scipy.io import wavfile  # slow to load, and most data are no sound

    try:
        with warnings.catch_warnings():
            # Chunks that hold no sound are skipped with a warning, which is no news to anybody.
            warnings.simplefilter("ignore", wavfile.WavFileWarning)
            rate, samples = wavfile.read(io.BytesIO(content))
    except (
        Exception
    ) as error:  # SciPy raises whatever the parsing stumbles over, struct.error and OverflowError included.
        raise CorruptFile(f"{name}: not a readable wave file ({error})") from error
    scale, middle = 1.0, 0.0
    if np.issubdtype(samples.dtype, np.integer):
        scale = float(np.iinfo(samples.dtype).max) + 1
        middle = 128.0 if samples.dtype == np.uint8 else 0.0
        scale = 128.0 if samples.dtype == np.uint8 else scale
    signal = (samples.astype(np.float64) - middle) / scale
    return int(rate), signal if signal.ndim == 1 else signal.mean(1)


def _mel(frequency: float) -> float:
    return 2595 * np.log10(1 + frequency / 700)
